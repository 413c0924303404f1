package view

import (
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// PieceSchema names the document of a command that added a signed piece to a sealed run.
const PieceSchema = "continuo/piece/v1"

// PieceDocument is a signed piece that was added.
type PieceDocument struct {
	Schema    string       `json:"schema"`
	Run       engine.RunID `json:"run"`
	File      string       `json:"file"`
	Kind      string       `json:"kind"`
	Role      string       `json:"role"`
	Principal string       `json:"principal"`
	Time      time.Time    `json:"time"`
	Key       string       `json:"key"`
	// Independence is computed from the record: whether those who answer for the run are different people.
	Independence []report.Statement `json:"independence"`
}

// NewPieceDocument is a piece as a document.
func NewPieceDocument(p evidence.Addendum, independence []report.Statement) PieceDocument {
	return PieceDocument{
		Schema: PieceSchema, Run: p.Run, File: p.File, Kind: p.Kind, Role: p.Role, Principal: p.Principal, Time: p.Time, Key: p.Key,
		Independence: independence,
	}
}

// Piece says what was added.
func (s *Screen) Piece(d PieceDocument) {
	s.Printf("%s: %s by %s as %s, signed with %s\n", Clean(d.File), Clean(d.Kind), Clean(d.Principal), Clean(d.Role), Clean(d.Key))
	for _, i := range d.Independence {
		ink := plainInk
		if i.Holds != nil && !*i.Holds {
			ink = red
		}
		s.Printf("  %s %s\n", Clean(i.Question), s.paint(ink, Clean(i.Answer)))
	}
}

// PieceOf is one piece of `verify --json`.
type PieceOf struct {
	File      string          `json:"file"`
	Kind      string          `json:"kind"`
	Role      string          `json:"role,omitempty"`
	Principal string          `json:"principal,omitempty"`
	Time      time.Time       `json:"time,omitzero"`
	Status    evidence.Status `json:"status"`
	Problem   string          `json:"problem,omitempty"`
	Operator  bool            `json:"operator,omitempty"` // the author worked on the run too
	Withdrawn string          `json:"withdrawn_by,omitempty"`
}

func piecesOf(all []evidence.Addendum) []PieceOf {
	var out []PieceOf
	for _, p := range all {
		out = append(out, PieceOf{
			File: p.File, Kind: p.Kind, Role: p.Role, Principal: p.Principal, Time: p.Time, Status: p.Status, Problem: p.Problem,
			Operator: p.Operator, Withdrawn: p.WithdrawnBy,
		})
	}
	return out
}
