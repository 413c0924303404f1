package view

import (
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

// VerifySchema names the document of `verify --json`.
const VerifySchema = "continuo/verify/v1"

// VerifyDocument is `verify --json`.
type VerifyDocument struct {
	Schema  string         `json:"schema"`
	Bundles []VerifyBundle `json:"bundles"`
}

// VerifyBundle is what was found about one bundle.
type VerifyBundle struct {
	Run          engine.RunID    `json:"run"`
	Path         string          `json:"path"`
	Mode         engine.Mode     `json:"mode,omitempty"`
	Verdict      engine.Verdict  `json:"verdict,omitempty"`
	Integrity    evidence.Status `json:"integrity"`
	Authenticity evidence.Status `json:"authenticity"`
	Completeness evidence.Status `json:"completeness"`
	Meaning      evidence.Status `json:"meaning"`
	Reasons      []string        `json:"reasons"`
	Notes        []string        `json:"notes,omitempty"`
	Signer       string          `json:"signer,omitempty"`
	Principals   []string        `json:"principals,omitempty"`
	Anchor       string          `json:"anchor"`
	SumsSHA256   string          `json:"sums_sha256,omitempty"`
	Pruned       bool            `json:"pruned,omitempty"`
	After        []PieceOf       `json:"after,omitempty"`
}

// NewVerifyBundle is a result as a document.
func NewVerifyBundle(r *evidence.Result) VerifyBundle {
	b := VerifyBundle{
		Run: r.Run, Path: r.Path, Mode: r.Mode, Verdict: r.Verdict, Integrity: r.Integrity.Status,
		Authenticity: r.Authenticity.Status, Completeness: r.Completeness.Status, Meaning: r.Meaning.Status,
		Reasons: r.Reasons(), Signer: r.Signer, Principals: r.Principals, Anchor: r.Anchor, SumsSHA256: r.SumsSHA256,
		Pruned: r.Pruned, After: piecesOf(r.After),
	}
	if b.Reasons == nil {
		b.Reasons = []string{}
	}
	for _, f := range []evidence.Finding{r.Integrity, r.Authenticity, r.Completeness, r.Meaning} {
		b.Notes = append(b.Notes, f.Notes...)
	}
	return b
}

// Verify prints what was found about one bundle for people.
func (s *Screen) Verify(r *evidence.Result) {
	word := s.paint(green, "VERIFIED")
	if !r.OK() {
		word = s.paint(red, "NOT VERIFIED")
	}
	pruned := ""
	if r.Pruned {
		pruned = ", PRUNED"
	}
	s.Printf("%s %s%s%s%s\n", word, s.paint(bold, Clean(string(r.Run))), after(", ", modeWords(r.Mode)), after(", ", string(r.Verdict)), pruned)
	for _, f := range []struct {
		name string
		evidence.Finding
	}{
		{"integrity", r.Integrity}, {"authenticity", r.Authenticity}, {"completeness", r.Completeness}, {"meaning", r.Meaning},
	} {
		notes := append([]string{}, f.Problems...)
		notes = append(notes, f.Notes...)
		first := ""
		if len(notes) > 0 {
			first = notes[0]
		}
		s.Printf("  %-14s%s  %s\n", f.name, cellText(s, statusWord(f.Status), 9), Clean(first))
		for n, more := range notes {
			if n > 0 {
				s.Printf("%s%s\n", strings.Repeat(" ", 27), Clean(more))
			}
		}
	}
	s.Printf("  %-14s%s\n", "anchor", Clean(anchorText(r.Anchor)))
	if len(r.After) > 0 {
		s.Printf("  %-14s%s\n", "added later", Count(len(r.After), "piece"))
		for _, p := range r.After {
			s.Printf("    %s%s%s %s%s%s\n", Clean(p.File), after(" by ", Clean(p.Principal)), after(" as ", Clean(p.Role)), cellText(s, statusWord(p.Status), 0),
				after(": ", Clean(p.Problem)), after(", withdrawn in ", Clean(p.WithdrawnBy)))
		}
	}
}

func anchorText(anchor string) string {
	if anchor == "none" {
		return "none: whoever holds the key could have written all of this anew"
	}
	return anchor
}

func statusWord(st evidence.Status) cell {
	switch st {
	case evidence.StatusOK:
		return cell{"ok", green}
	case evidence.StatusFailed:
		return cell{"FAILED", red}
	case evidence.StatusUnchecked:
		return cell{"unchecked", yellow}
	}
	return cell{string(st), plainInk}
}
