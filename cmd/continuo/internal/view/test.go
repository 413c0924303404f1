package view

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine/simulation"
)

// TestDocument is `continuo/test/v1`.
type TestDocument struct {
	Schema string         `json:"schema"`
	Passed int            `json:"passed"`
	Failed int            `json:"failed"`
	Tests  []TestEntryDoc `json:"tests"`
	// Coverage is of all tests that ran, by runbook.
	Coverage []CoverageDoc `json:"coverage"`
}

// TestEntryDoc is one test. Result is passed or failed; Detail says what did not hold.
type TestEntryDoc struct {
	Name    string `json:"name"`
	Runbook string `json:"runbook"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Result  string `json:"result"`
	Detail  string `json:"detail,omitempty"`
	// SimulatedS is how long the simulated run took, in seconds of its own time.
	SimulatedS float64          `json:"simulated_s"`
	Failures   []TestFailureDoc `json:"failures,omitempty"`
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
func NewTestDocument(results []*simulation.TestResult, coverage []*simulation.Coverage) TestDocument {
	doc := TestDocument{Schema: "continuo/test/v1", Tests: []TestEntryDoc{}, Coverage: coverageDocs(coverage)}
	for _, r := range results {
		e := TestEntryDoc{Name: r.Name, Runbook: r.Test.Runbook, File: r.Test.Range.File, Line: r.Test.Range.Start.Line, Result: "passed", SimulatedS: r.Lasted.Seconds()}
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

// TestEnd sums up, with how much of each runbook its tests exercise.
func (s *Screen) TestEnd(results []*simulation.TestResult, coverage []*simulation.Coverage) {
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
	for _, c := range coverage {
		s.coverage(c)
	}
}

func (s *Screen) coverage(c *simulation.Coverage) {
	var parts []string
	for _, kind := range simulation.PointKinds() {
		if hit, all := c.Of(kind); all > 0 {
			parts = append(parts, fmt.Sprintf("%s %d of %d", kind, hit, all))
		}
	}
	s.Printf("\n%s: %s exercised (%s)\n", s.paint(bold, Clean(c.Runbook)), s.paint(bold, fmt.Sprintf("%d %%", c.Percent())), strings.Join(parts, ", "))
	for _, kind := range simulation.PointKinds() {
		if never := c.Never(kind); len(never) > 0 {
			s.wrapped("  never: ", kindWord(kind)+": "+strings.Join(never, ", "))
		}
	}
}

func kindWord(k simulation.PointKind) string {
	return map[simulation.PointKind]string{
		simulation.PointItem: "run", simulation.PointBranch: "taken", simulation.PointRollback: "rolled back", simulation.PointCleanup: "cleaned up",
	}[k]
}

// wrapped prints a text behind a heading, broken into lines as wide as the terminal.
func (s *Screen) wrapped(head, text string) {
	width := s.Width()
	if width <= 0 {
		width = 100
	}
	line, indent := head, strings.Repeat(" ", len([]rune(head)))
	if strings.Contains(head, "\x1b") { // painted: its length on the screen is another
		indent = "  "
	}
	for n, word := range strings.Fields(CleanText(text)) {
		if n > 0 && len([]rune(line))+1+len([]rune(word)) > width && strings.TrimSpace(line) != "" {
			s.Printf("%s\n", strings.TrimRight(line, " "))
			line = indent
		} else if n > 0 {
			line += " "
		}
		line += word
	}
	s.Printf("%s\n", line)
}

// CoverageDoc is how much of a runbook its tests exercise.
type CoverageDoc struct {
	Runbook string            `json:"runbook"`
	Percent int               `json:"percent"`
	Kinds   []CoverageKindDoc `json:"kinds"`
}

// CoverageKindDoc is one kind of what can be exercised: items, branches, rollbacks, cleanup.
type CoverageKindDoc struct {
	Kind      string   `json:"kind"`
	Exercised int      `json:"exercised"`
	All       int      `json:"all"`
	Never     []string `json:"never"`
}

func coverageDocs(all []*simulation.Coverage) []CoverageDoc {
	out := []CoverageDoc{}
	for _, c := range all {
		d := CoverageDoc{Runbook: c.Runbook, Percent: c.Percent()}
		for _, kind := range simulation.PointKinds() {
			k := CoverageKindDoc{Kind: string(kind), Never: append([]string{}, c.Never(kind)...)}
			k.Exercised, k.All = c.Of(kind)
			d.Kinds = append(d.Kinds, k)
		}
		out = append(out, d)
	}
	return out
}
