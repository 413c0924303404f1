package view

import (
	"path"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Source reads a file of the project, for the lines that a finding is about; nil when it is not at hand.
type Source func(file string) []byte

// DiagnosticText prints findings for people, with the lines they are about. Only lines of the project's own *.hcl files
// are shown: other files may hold values that are nobody's business.
func (s *Screen) DiagnosticText(list diag.List, source Source) error {
	hidden := func(file string) bool { return path.Ext(file) != ".hcl" || strings.Contains(file, "/") }
	return diag.Text{Source: source, Hidden: hidden, Style: s.diagnosticStyle, Width: s.columns}.Write(s, list)
}

func (s *Screen) diagnosticStyle(role diag.Role, text string) string {
	switch role {
	case diag.RoleError:
		return s.paint(red, text)
	case diag.RoleWarning:
		return s.paint(yellow, text)
	case diag.RoleSummary:
		return s.paint(bold, text)
	case diag.RolePlace, diag.RoleGutter:
		return s.paint(dim, text)
	case diag.RoleCaret:
		return s.paint(red, text)
	case diag.RoleHint:
		return s.paint(cyan, text)
	}
	return text
}

// Valid says that a project is valid and what it holds.
func (s *Screen) Valid(p *runbooks.Project, warnings int) {
	word := s.paint(green, "valid")
	if warnings > 0 {
		word += " with " + Count(warnings, "warning")
	}
	s.Printf("project %s is %s: %s, %s\n", Clean(p.Name), word, Count(len(p.Runbooks), "runbook"), Count(len(p.Hosts), "host"))
	for _, r := range p.Runbooks {
		s.Printf("  %s%s\n", s.paint(bold, Clean(r.Name)), after("  ", Clean(r.Title)))
	}
}

// Explain prints what a code means, with a wrong and a right example.
func (s *Screen) Explain(d diag.Doc) {
	s.Printf("%s %s\n\n%s\n", s.paint(red, d.Code), s.paint(bold, d.Title), strings.TrimSpace(d.Meaning))
	for _, ex := range []struct {
		word string
		ink  ink
		text string
	}{{"wrong", red, d.Wrong}, {"right", green, d.Right}} {
		if ex.text == "" {
			continue
		}
		s.Printf("\n%s\n", s.paint(ex.ink, ex.word+":"))
		for _, l := range lines(ex.text) {
			s.Printf("%s\n", strings.TrimRight("  "+l, " "))
		}
	}
}

// Codes prints a list of codes.
func (s *Screen) Codes(all []diag.Doc) {
	var t table
	for _, d := range all {
		t.row(cell{d.Code, bold}, cell{d.Title, plainInk})
	}
	t.print(s, "")
}
