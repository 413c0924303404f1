package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// objectiveClock follows the marks and says how much of each objective is used up.
type objectiveClock struct {
	goals []engine.PlanObjective
	from  map[string]time.Time
	to    map[string]time.Time
}

func newObjectiveClock(plan *engine.Plan) *objectiveClock {
	c := &objectiveClock{from: map[string]time.Time{}, to: map[string]time.Time{}}
	c.goals = slices.DeleteFunc(slices.Clone(plan.Goals), func(g engine.PlanObjective) bool {
		return g.Kind != "elapsed" || g.TargetS == nil
	})
	return c
}

func (c *objectiveClock) mark(m *engine.MarkSet) {
	for _, g := range c.goals {
		if at, ok := c.from[g.Name]; g.From == m.Mark && (!ok || m.At.Before(at)) {
			c.from[g.Name] = m.At
		}
		if at, ok := c.to[g.Name]; g.To == m.Mark && (!ok || m.At.After(at)) {
			c.to[g.Name] = m.At
		}
	}
}

// text is "  [rto 3m07s of 15m00s]" for each objective that runs.
func (c *objectiveClock) text(s *Screen, now time.Time) string {
	out := ""
	for _, g := range c.goals {
		from, ok := c.from[g.Name]
		if _, over := c.to[g.Name]; !ok || over {
			continue
		}
		used := now.Sub(from)
		text := fmt.Sprintf("[%s %s of %s]", Clean(g.Name), Duration(used), Seconds(*g.TargetS))
		if used > time.Duration(*g.TargetS*float64(time.Second)) {
			out += "  " + s.paint(red, strings.TrimSuffix(text, "]")+" MISSED]")
			continue
		}
		out += "  " + s.paint(dim, text)
	}
	return out
}
