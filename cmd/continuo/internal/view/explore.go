package view

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/engine/simulation"
)

// ExploreDocument is `continuo/explore/v1`.
type ExploreDocument struct {
	Schema   string           `json:"schema"`
	Cases    int              `json:"cases"`
	Safe     int              `json:"safe"`
	Held     int              `json:"held"`
	Findings []FindingDoc     `json:"findings"`
	Runbooks []ExploredRBDoc  `json:"runbooks"`
	Matrix   []ExploreCaseDoc `json:"matrix"`
}

// ExploredRBDoc is one runbook that was explored.
type ExploredRBDoc struct {
	Runbook  string   `json:"runbook"`
	Baseline string   `json:"baseline,omitempty"`
	Skipped  []string `json:"skipped,omitempty"`
}

// FindingDoc is one hole.
type FindingDoc struct {
	Runbook string `json:"runbook"`
	engine.ExploredFinding
}

// ExploreCaseDoc is one case of the matrix.
type ExploreCaseDoc struct {
	Runbook string `json:"runbook"`
	engine.ExploredCase
}

// NewExploreDocument makes the document of some explorations.
func NewExploreDocument(all []*simulation.Exploration) ExploreDocument {
	doc := ExploreDocument{Schema: "continuo/explore/v1", Findings: []FindingDoc{}, Matrix: []ExploreCaseDoc{}}
	for _, x := range all {
		doc.Cases += len(x.Cases)
		doc.Safe += x.Safe
		doc.Held += x.Held
		doc.Runbooks = append(doc.Runbooks, ExploredRBDoc{Runbook: x.Runbook, Baseline: x.Baseline, Skipped: x.Skipped})
		e := x.Explored()
		for _, f := range e.Findings {
			doc.Findings = append(doc.Findings, FindingDoc{x.Runbook, f})
		}
		for _, c := range e.Cases {
			doc.Matrix = append(doc.Matrix, ExploreCaseDoc{x.Runbook, c})
		}
	}
	return doc
}

// Exploration prints the matrix of a runbook, what people would have to decide, its findings with the shortest story that
// leads to each, and the number.
func (s *Screen) Exploration(x *report.Exploration) {
	from := "with empty answers"
	if x.Baseline != "" {
		from = fmt.Sprintf("starting from test %q", Clean(x.Baseline))
	}
	s.Printf("%s, %s\n\n", s.paint(bold, Clean(x.Runbook)), from)
	s.explored(x)
}

// ShowExploration prints an exploration that is filed.
func (s *Screen) ShowExploration(e Ending, x *report.Exploration) {
	r := e.Record
	s.Printf("%s %s of %s%s\n", s.mode(r.Mode), r.Opened.Run, Clean(x.Runbook), after(": ", Clean(x.Title)))
	s.Printf("  explored %s by %s on %s; no host was contacted\n\n", r.StartedAt.In(s.zone).Format("2006-01-02 15:04:05 MST"),
		Clean(r.Opened.Operator), Clean(r.Opened.OperatorHost))
	s.explored(x)
	s.Filed(e)
	for _, c := range e.Next {
		s.Printf("next: %s\n", c)
	}
}

// explored prints what both have in common.
func (s *Screen) explored(x *report.Exploration) {
	s.matrix(x)
	if held := x.Decisions(); len(held) > 0 {
		s.Printf("\nheld for a person, who is told:\n")
		for _, h := range held {
			s.wrapped(fmt.Sprintf("  %4d  ", h.Cases), h.Why)
		}
	}
	for _, f := range x.Findings {
		s.finding(f)
	}
	if len(x.Skipped) > 0 {
		s.Printf("\nnot explored:\n")
		for _, l := range x.Skipped {
			s.wrapped("  ", l)
		}
	}
	s.Printf("\n%d cases: %d safe, %d held, %d in %s\n", x.Cases, x.Safe, x.Held, x.Found, Count(len(x.Findings), "finding"))
}

func (s *Screen) finding(f engine.ExploredFinding) {
	s.Printf("\n")
	s.wrapped(s.paint(red, "finding["+f.Code+"]:")+" ", f.Why)
	s.wrapped("  ", fmt.Sprintf("in %s; the shortest story: %s of %s%s", Count(f.Cases, "case"), f.Fault, f.Item, after(" on ", Clean(f.Host))))
	for n, line := range f.Story {
		s.wrapped(fmt.Sprintf("  %3d. ", n+1), line)
	}
	s.Printf("  %s continuo explain %s\n", s.paint(cyan, "hint:"), f.Code)
}

// matrix shows an item and class of hosts a line, a kind of fault a column: how its cases ended, the worst first, by a
// letter, and how many they are.
func (s *Screen) matrix(r *report.Exploration) {
	columns := r.Columns()
	width := s.Width()
	if width <= 0 {
		width = 100
	}
	rows := r.Rows()
	names, name := rowNames(rows), 0
	for _, n := range names {
		name = max(name, len([]rune(n)))
	}
	name = min(name, max(16, width-3-faultWidth*len(columns)))
	s.Printf("  %-*s", name, "")
	for _, c := range columns {
		s.Printf(" %-*s", faultWidth-1, faultHead(c))
	}
	s.Printf("\n")
	for n, row := range rows {
		s.Printf("  %-*s", name, shorten(names[n], name))
		for _, c := range row.Cells {
			s.Printf(" %s", s.cellEnd(c))
		}
		s.Printf("\n")
	}
	s.Printf("\n")
	var words []string
	for _, c := range columns {
		if faultHead(c) != c {
			words = append(words, faultHead(c)+" "+c)
		}
	}
	s.wrapped("  ", "s safe, h held for a person, F finding, a number: so many cases. "+strings.Join(words, ", "))
}

// faultWidth is the width of a column of the matrix, its gap included.
const faultWidth = 5

// faultHead is a kind of fault in as many letters as a column has.
func faultHead(kind string) string {
	short := map[string]string{
		"timeout": "time", "expectation": "expt", "unreachable": "unre", "host-key": "hkey", "lost-connection": "lost", "disk-full": "disk",
		"become": "beco", "program": "prog", "reboot": "boot", "rejected": "rejt", "expired": "expd", "wrong-approver": "wrng", "crash": "kill",
	}[kind]
	if short == "" {
		return shorten(kind, faultWidth-1)
	}
	return short
}

// rowNames name the rows: by their items, with the host where an item has several classes of them.
func rowNames(rows []report.MatrixRow) []string {
	classes := map[string]int{}
	for _, r := range rows {
		classes[string(r.Item)]++
	}
	out := make([]string, len(rows))
	for n, r := range rows {
		out[n] = Clean(string(r.Item))
		if classes[string(r.Item)] > 1 {
			out[n] += " " + Clean(r.Host)
		}
		if r.Alike > 1 {
			out[n] += fmt.Sprintf(" (%d alike)", r.Alike)
		}
	}
	return out
}

// cellEnd is one cell: the letter of the worst end, and the number of its cases where there are more.
func (s *Screen) cellEnd(c report.MatrixCell) string {
	var text string
	var in ink
	switch {
	case c.Found > 0:
		text, in = counted("F", c.Found), red
	case c.Held > 0:
		text, in = counted("h", c.Held), yellow
	case c.Safe > 0:
		text, in = counted("s", c.Safe), green
	default:
		text, in = "·", dim
	}
	pad := faultWidth - 1 - len([]rune(text))
	return s.paint(in, text) + strings.Repeat(" ", max(0, pad))
}

func counted(letter string, n int) string {
	if n == 1 {
		return letter
	}
	return fmt.Sprintf("%s%d", letter, n)
}

// Filed says where the evidence of an exploration is.
func (s *Screen) Filed(e Ending) {
	for _, p := range e.Problems {
		s.Printf("%s %s\n", s.paint(yellow, "problem:"), CleanText(p))
	}
	if !e.Sealed {
		s.Printf("filed, not sealed: %s\n", Clean(e.Bundle))
		return
	}
	signed := "unsigned"
	if e.SignedBy != "" {
		signed = "signed by " + e.SignedBy
	}
	s.Printf("filed: %s (sealed, %s; exercise of type simulation)\n", Clean(e.Bundle), signed)
	for _, r := range e.Reports {
		s.Printf("report: %s\n", Clean(r))
	}
}
