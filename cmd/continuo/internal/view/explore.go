package view

import (
	"fmt"
	"strings"

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
	Code    string   `json:"code"`
	Runbook string   `json:"runbook"`
	Item    string   `json:"item"`
	Host    string   `json:"host,omitempty"`
	Fault   string   `json:"fault"`
	Ended   string   `json:"ended"`
	Why     string   `json:"why"`
	Cases   int      `json:"cases"`
	Story   []string `json:"story,omitempty"`
}

// ExploreCaseDoc is one case of the matrix.
type ExploreCaseDoc struct {
	Runbook string   `json:"runbook"`
	Item    string   `json:"item"`
	Host    string   `json:"host,omitempty"`
	Alike   int      `json:"alike,omitempty"`
	Kind    string   `json:"kind"`
	Fault   string   `json:"fault"`
	With    string   `json:"with,omitempty"`
	Ended   string   `json:"ended"`
	Codes   []string `json:"codes,omitempty"`
	Why     string   `json:"why"`
}

// NewExploreDocument makes the document of some explorations.
func NewExploreDocument(all []*simulation.Exploration) ExploreDocument {
	doc := ExploreDocument{Schema: "continuo/explore/v1", Findings: []FindingDoc{}, Matrix: []ExploreCaseDoc{}}
	for _, x := range all {
		doc.Cases += len(x.Cases)
		doc.Safe += x.Safe
		doc.Held += x.Held
		doc.Runbooks = append(doc.Runbooks, ExploredRBDoc{Runbook: x.Runbook, Baseline: x.Baseline, Skipped: x.Skipped})
		for _, f := range x.Findings {
			doc.Findings = append(doc.Findings, FindingDoc{
				Code: f.Code, Runbook: x.Runbook, Item: string(f.Item), Host: f.Case.Host, Fault: f.Case.Fault, Ended: string(f.Case.End), Why: f.Why,
				Cases: f.Cases, Story: f.Case.Story,
			})
		}
		for _, c := range x.Cases {
			doc.Matrix = append(doc.Matrix, ExploreCaseDoc{
				Runbook: x.Runbook, Item: string(c.Item), Host: c.Host, Alike: c.Alike, Kind: string(c.Kind), Fault: c.Fault, With: c.With,
				Ended: string(c.End), Codes: c.Codes(), Why: c.Why,
			})
		}
	}
	return doc
}

// Exploration prints the matrix of a runbook, what people would have to decide, its findings with the shortest story that
// leads to each, and the number.
func (s *Screen) Exploration(x *simulation.Exploration) {
	r := report.NewExploration("", x.Plan, x.Explored())
	from := "with empty answers"
	if x.Baseline != "" {
		from = fmt.Sprintf("starting from test %q", Clean(x.Baseline))
	}
	s.Printf("%s, %s\n\n", s.paint(bold, Clean(x.Runbook)), from)
	s.matrix(r)
	if held := r.Decisions(); len(held) > 0 {
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
	s.Printf("\n%d cases: %d safe, %d held, %d in %s\n", len(x.Cases), x.Safe, x.Held, x.Found, Count(len(x.Findings), "finding"))
}

func (s *Screen) finding(f simulation.Finding) {
	s.Printf("\n")
	s.wrapped(s.paint(red, "finding["+f.Code+"]:")+" ", f.Why)
	s.wrapped("  ", fmt.Sprintf("in %s; the shortest story: %s of %s%s", Count(f.Cases, "case"), f.Case.Fault, f.Case.Item, after(" on ", Clean(f.Case.Host))))
	for n, line := range f.Case.Story {
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
