package view

import (
	"fmt"
	"sort"

	"github.com/continuo-runbooks/continuo/engine/simulation"
)

// TestDocument is `continuo/test/v1`.
type TestDocument struct {
	Schema string         `json:"schema"`
	Passed int            `json:"passed"`
	Failed int            `json:"failed"`
	Tests  []TestEntryDoc `json:"tests"`
}

// TestEntryDoc is one test. Result is passed or failed; Detail says what did not hold.
type TestEntryDoc struct {
	Name     string           `json:"name"`
	Runbook  string           `json:"runbook"`
	Result   string           `json:"result"`
	Detail   string           `json:"detail,omitempty"`
	Failures []TestFailureDoc `json:"failures,omitempty"`
}

// TestFailureDoc is one expectation that did not hold.
type TestFailureDoc struct {
	File    string   `json:"file,omitempty"`
	Line    int      `json:"line,omitempty"`
	Column  int      `json:"column,omitempty"`
	Message string   `json:"message"`
	Values  []string `json:"values,omitempty"`
	Hint    string   `json:"hint,omitempty"`
}

// NewTestDocument makes the document of some tests.
func NewTestDocument(results []*simulation.TestResult) TestDocument {
	doc := TestDocument{Schema: "continuo/test/v1", Tests: []TestEntryDoc{}}
	for _, r := range results {
		e := TestEntryDoc{Name: r.Name, Runbook: r.Test.Runbook, Result: "passed"}
		for _, f := range r.Failures {
			e.Failures = append(e.Failures, TestFailureDoc{
				File: f.Range.File, Line: f.Range.Start.Line, Column: f.Range.Start.Column, Message: f.Message, Values: f.Values, Hint: f.Hint,
			})
		}
		if r.Passed() {
			doc.Passed++
		} else {
			doc.Failed++
			e.Result, e.Detail = "failed", r.Failures[0].Message
		}
		doc.Tests = append(doc.Tests, e)
	}
	return doc
}

// Test prints one test as it ends.
func (s *Screen) Test(r *simulation.TestResult) {
	word := s.paint(green, "ok    ")
	if !r.Passed() {
		word = s.paint(red, "FAILED")
	}
	s.Printf("%s  %s: %s\n", word, Clean(r.Test.Runbook), Clean(r.Name))
	for _, f := range r.Failures {
		s.Printf("        %s: %s\n", f.Range, CleanText(f.Message))
		for _, v := range f.Values {
			s.Printf("          %s\n", shorten(Clean(v), 200))
		}
		if f.Hint != "" {
			s.Printf("          %s %s\n", s.paint(cyan, "hint:"), CleanText(f.Hint))
		}
	}
}

// RecordDocument is `continuo/test-record/v1`.
type RecordDocument struct {
	Schema   string           `json:"schema"`
	Run      string           `json:"run"`
	Path     string           `json:"path"`
	Test     string           `json:"test"`
	Passed   bool             `json:"passed"`
	Failures []TestFailureDoc `json:"failures,omitempty"`
	Notes    []string         `json:"notes,omitempty"`
}

// Recorded says what became of a run that was made a test.
func (s *Screen) Recorded(d RecordDocument) {
	s.Printf("recorded  %s\n          test %q\n", Clean(d.Path), Clean(d.Test))
	for _, n := range d.Notes {
		s.Printf("          %s %s\n", s.paint(yellow, "note:"), CleanText(n))
	}
	for _, f := range d.Failures {
		s.Printf("  %s  %s:%d: %s\n", s.paint(red, "FAILED"), f.File, f.Line, CleanText(f.Message))
		for _, v := range f.Values {
			s.Printf("            %s\n", shorten(Clean(v), 200))
		}
	}
	switch {
	case d.Passed:
		s.Printf("          it passes: continuo test --run %q\n", d.Run)
	case len(d.Failures) > 0:
		s.Printf("          what a simulation cannot repeat is in the notes; edit the test, or take it as a question to the runbook\n")
	}
}

// TestEnd sums up.
func (s *Screen) TestEnd(results []*simulation.TestResult) {
	failed := 0
	for _, r := range results {
		if !r.Passed() {
			failed++
		}
	}
	if len(results) == 0 {
		s.Printf("no tests: write `test` blocks in a file that ends in .test.hcl\n")
		return
	}
	s.Printf("%d passed, %d failed\n", len(results)-failed, failed)
}

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
