package view

import (
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Source reads a file of the project, for the lines that a finding is about.
type Source func(file string) ([]byte, error)

// DiagnosticText prints findings for people, with the lines they are about.
func (s *Screen) DiagnosticText(list diag.List, _ Source) error {
	for _, d := range list.Sorted() {
		s.Printf("%s[%s]: %s\n", d.Severity, d.Code, Clean(d.Summary))
		if !d.Range.Zero() {
			s.Printf("  --> %s\n", Clean(d.Range.String()))
		}
		if d.Hint != "" {
			s.Printf("  hint: %s\n", Clean(d.Hint))
		}
	}
	return s.Err()
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
