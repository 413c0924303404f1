package view

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// LiveWarning says what a live run is about to do, before it is confirmed.
func (s *Screen) LiveWarning(p *engine.Plan) {
	s.para("\n%s %s%s\n", s.mode(engine.Live), s.paint(bold, Clean(p.Runbook)), after(": ", Clean(p.Title)))
	s.para("  hosts         %d%s\n", len(p.Hosts), after(": ", environments(p)))
	changes, people := 0, 0
	var points []string
	for _, i := range p.Items {
		if i.Disposition == engine.WillSkip {
			continue
		}
		switch i.Effect {
		case runbooks.Change:
			changes++
		case runbooks.Human:
			people++
		case runbooks.Read, runbooks.None: // only in the total
		}
		if i.Irreversible {
			points = append(points, string(i.ID))
		}
	}
	s.para("  items         %d, %d of them change something, %d are for people\n", len(p.Items), changes, people)
	if len(points) == 0 {
		s.Printf("  irreversible  none is marked so\n")
	} else {
		s.para("  %s  %s\n", s.paint(red, "IRREVERSIBLE"), strings.Join(points, ", "))
	}
	s.para("  plan          %s\n", p.Digest)
}

// environments counts hosts by environment, the protected ones first.
func environments(p *engine.Plan) string {
	count := map[string]int{}
	for _, h := range p.Hosts {
		if h.Control {
			count[runbooks.ControlName]++
			continue
		}
		count[h.Environment]++
	}
	var parts []string
	for _, e := range []string{string(runbooks.Production), string(runbooks.Staging), string(runbooks.Lab), runbooks.ControlName} {
		if n := count[e]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, e))
		}
	}
	return strings.Join(parts, ", ")
}
