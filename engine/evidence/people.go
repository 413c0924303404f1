package evidence

import (
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// Operators lists everyone who opened, resumed or steered the run, in order of appearance. None of them counts as an
// approver or a reviewer of it. A note steers nothing.
func Operators(events []engine.Event) []string {
	var out []string
	add := func(who string) {
		if who != "" && !slices.ContainsFunc(out, func(o string) bool { return SamePerson(o, who) }) {
			out = append(out, who)
		}
	}
	for _, e := range events {
		for _, who := range operatorsOf(e) {
			add(who)
		}
	}
	return out
}

// operatorsOf is who becomes an operator by an event: at most one person.
func operatorsOf(e engine.Event) []string {
	switch p := e.Payload.(type) {
	case *engine.RunOpened:
		return []string{p.Operator}
	case *engine.RunResumed:
		return []string{p.By}
	case *engine.OperatorAction:
		if p.Action != engine.ActionNote {
			return []string{p.By}
		}
	}
	return nil
}

// SamePerson reports whether two principals are one person: their names differ at most in case.
func SamePerson(a, b string) bool { return strings.EqualFold(a, b) }
