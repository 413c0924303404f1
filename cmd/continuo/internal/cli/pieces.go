package cli

import (
	"path/filepath"
	"strings"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// homePath expands ~/ of a flag's value that the shell left alone, as in --key=~/.ssh/id_ed25519.
func (a *app) homePath(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(a.env.get("HOME"), rest)
	}
	return path
}

// pieces are what was added to a sealed run, as a report shows it.
func (a *app) pieces(l *evidence.Loaded, signers *evidence.Signers) ([]report.Signed, error) {
	if !l.Sealed {
		return nil, nil
	}
	added, err := evidence.AfterPieces(l.Dir, signers)
	if err != nil {
		return nil, fail(BadEvidence, err, "")
	}
	out := make([]report.Signed, 0, len(added))
	for _, p := range added {
		s := report.Signed{
			Kind: p.Kind, Role: p.Role, Principal: p.Principal, At: p.Time, Text: p.Text, Path: p.File,
			Verified: p.Status == evidence.StatusOK, Problem: p.Problem,
		}
		if p.WithdrawnBy != "" {
			s.Verified, s.Problem = false, "withdrawn by its author in "+p.WithdrawnBy
		}
		out = append(out, s)
	}
	return out, nil
}

// showPiece says what was added, and whether those who answer for the run are different people.
func (a *app) showPiece(dir string, p evidence.Addendum) error {
	l, err := evidence.Load(dir)
	if err != nil {
		return fail(BadEvidence, err, "")
	}
	opts, err := a.verifyOptions("", "")
	if err != nil {
		return err
	}
	signed, err := a.pieces(l, opts.Signers)
	if err != nil {
		return err
	}
	r, err := report.Build(l.Record, report.Options{Signed: signed})
	if err != nil {
		return fail(Defect, err, "")
	}
	doc := view.NewPieceDocument(p, r.People.Independence)
	if a.global.json {
		return a.out.JSON(doc)
	}
	a.err.Piece(doc)
	return nil
}
