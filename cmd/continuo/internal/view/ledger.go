package view

import (
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

// The documents of the ledger's commands.
const (
	LedgerSchema     = "continuo/ledger/v1"
	CheckpointSchema = "continuo/checkpoint/v1"
)

// LedgerDocument is `ledger verify --json`.
type LedgerDocument struct {
	Schema   string      `json:"schema"`
	Pin      string      `json:"pin"`
	Anchored bool        `json:"anchored"`
	Runs     []LedgerRun `json:"runs"`
	Problems []string    `json:"problems"`
	Notes    []string    `json:"notes,omitempty"`
}

// LedgerRun is one run as the ledger knows it.
type LedgerRun struct {
	Run       string `json:"run"`
	Runbook   string `json:"runbook,omitempty"`
	Mode      string `json:"mode,omitempty"`
	State     string `json:"state"`
	Verdict   string `json:"verdict,omitempty"`
	Abandoned string `json:"abandoned,omitempty"`
	Problem   string `json:"problem,omitempty"`
}

// NewLedgerDocument is a result as a document.
func NewLedgerDocument(r *evidence.LedgerResult) LedgerDocument {
	doc := LedgerDocument{
		Schema: LedgerSchema, Pin: r.Checkpoint.Pin(), Anchored: r.Anchored, Runs: []LedgerRun{}, Problems: []string{}, Notes: r.Notes,
	}
	doc.Problems = append(doc.Problems, r.Problems...)
	for _, run := range r.Runs {
		doc.Runs = append(doc.Runs, LedgerRun{
			Run: string(run.Run), Runbook: run.Runbook, Mode: string(run.Mode), State: run.State, Verdict: string(run.Verdict),
			Abandoned: run.Abandoned, Problem: run.Problem,
		})
	}
	return doc
}

// Ledger prints what was found about the ledger for people.
func (s *Screen) Ledger(r *evidence.LedgerResult) {
	word := s.paint(green, "VERIFIED")
	if len(r.Problems) > 0 {
		word = s.paint(red, "NOT VERIFIED")
	}
	s.Printf("%s ledger of %s\n", word, Count(len(r.Runs), "run"))
	var t table
	for _, run := range r.Runs {
		var what cell
		switch {
		case run.Problem != "":
			what = cell{Clean(run.Problem), red}
		case run.Abandoned != "":
			what = cell{"abandoned by " + Clean(run.Abandoned), yellow}
		}
		t.row(cell{Clean(string(run.Run)), plainInk}, cell{Clean(run.Runbook), plainInk}, cell{modeWords(run.Mode), plainInk},
			cell{run.State, dim}, cell{string(run.Verdict), verdictInk(run.Verdict)}, what)
	}
	t.print(s, "  ")
	for _, p := range r.Problems {
		s.Printf("  %s %s\n", s.paint(red, "problem:"), Clean(p))
	}
	for _, n := range r.Notes {
		s.Printf("  note: %s\n", Clean(n))
	}
	if r.Anchored {
		s.Printf("anchor: the pinned checkpoint holds\n")
		return
	}
	s.Printf("anchor: none; whoever holds the key could have written all of this anew, and a ledger whose end was cut off, with the newest\n"+
		"runs, looks like this one: only --pin shows it. Keep elsewhere: %s\n", r.Checkpoint.Pin())
}

// CheckpointDocument is `ledger checkpoint --json`.
type CheckpointDocument struct {
	Schema string `json:"schema"`
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Pin    string `json:"pin"`
	Note   string `json:"note"`
}

// NewCheckpointDocument is a checkpoint as a document.
func NewCheckpointDocument(c evidence.Checkpoint) CheckpointDocument {
	return CheckpointDocument{Schema: CheckpointSchema, Origin: c.Origin, Size: c.Size, Root: c.Root, Pin: c.Pin(), Note: c.Text}
}

// Checkpoint prints a signed checkpoint, ready to be sent.
func (s *Screen) Checkpoint(c evidence.Checkpoint) {
	s.Printf("%s\npin: %s\n", CleanText(c.Text), c.Pin())
}
