package view

import (
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// DiagnosticText prints findings for people.
func (s *Screen) DiagnosticText(list diag.List) {
	for _, d := range list.Sorted() {
		s.Printf("%s[%s]: %s\n", d.Severity, d.Code, Clean(d.Summary))
		if !d.Range.Zero() {
			s.Printf("  --> %s\n", Clean(d.Range.String()))
		}
		if d.Hint != "" {
			s.Printf("  hint: %s\n", Clean(d.Hint))
		}
	}
}
