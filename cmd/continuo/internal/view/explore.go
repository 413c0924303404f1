package view

import (
	"fmt"
	"sort"

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
				Runbook: x.Runbook, Item: string(c.Item), Host: c.Host, Alike: c.Alike, Fault: c.Fault, With: c.With,
				Ended: string(c.End), Codes: c.Codes(), Why: c.Why,
			})
		}
	}
	return doc
}

// Exploration prints the matrix of a runbook, its findings with the shortest story that leads to each, and the number.
func (s *Screen) Exploration(x *simulation.Exploration) {
	from := "with empty answers"
	if x.Baseline != "" {
		from = fmt.Sprintf("starting from test %q", Clean(x.Baseline))
	}
	s.Printf("%s, %s\n\n", s.paint(bold, Clean(x.Runbook)), from)
	s.matrix(x)
	for _, f := range x.Findings {
		s.Printf("\n%s %s\n", s.paint(red, "finding["+f.Code+"]:"), CleanText(f.Why))
		s.Printf("  in %s, the shortest: %s of %s%s\n", Count(f.Cases, "case"), f.Case.Fault, f.Case.Item, after(" on ", Clean(f.Case.Host)))
		for _, line := range f.Case.Story {
			s.Printf("    %s\n", CleanText(line))
		}
		s.Printf("  %s continuo explain %s\n", s.paint(cyan, "hint:"), f.Code)
	}
	if len(x.Skipped) > 0 {
		s.Printf("\nnot explored:\n")
		for _, l := range x.Skipped {
			s.Printf("  %s\n", CleanText(l))
		}
	}
	s.Printf("\n%d cases: %d safe, %d held, %d in %s\n", len(x.Cases), x.Safe, x.Held, x.Found,
		Count(len(x.Findings), "finding"))
}

// matrix counts the single faults of each item by where they ended.
func (s *Screen) matrix(x *simulation.Exploration) {
	type row struct{ safe, held, found, hosts int }
	var order []string
	rows := map[string]*row{}
	kinds := map[string]bool{}
	for _, c := range x.Cases {
		key := string(c.Item)
		r := rows[key]
		if r == nil {
			r = &row{}
			rows[key] = r
			order = append(order, key)
		}
		kinds[c.Fault] = true
		r.hosts = max(r.hosts, c.Alike)
		switch c.End {
		case simulation.Safe:
			r.safe++
		case simulation.Held:
			r.held++
		case simulation.Found:
			r.found++
		}
	}
	var t table
	t.head("item", "hosts alike", "safe", "held", "finding")
	for _, key := range order {
		r := rows[key]
		ends := green
		if r.found > 0 {
			ends = red
		}
		t.row(cell{Clean(key), plainInk}, cell{fmt.Sprint(r.hosts), dim}, cell{fmt.Sprint(r.safe), plainInk},
			cell{fmt.Sprint(r.held), plainInk}, cell{fmt.Sprint(r.found), ends})
	}
	t.print(s, "  ")
	names := make([]string, 0, len(kinds))
	for k := range kinds {
		names = append(names, k)
	}
	sort.Strings(names)
	s.Printf("  faults: %s\n", list(names, 30))
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
