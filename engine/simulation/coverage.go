package simulation

import (
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Coverage is how much of a runbook its tests have exercised: its items, its branches, its rollbacks and its cleanup.
type Coverage struct {
	Runbook string
	Points  []Point
}

// Point is one thing that a test can exercise.
type Point struct {
	Kind PointKind
	What string // "step.freeze", "when of step.slow is false", "decision.how chooses back-out"
	Hit  bool
}

// PointKind is what a Point is about.
type PointKind string

// The kinds of points, in the order in which they are told.
const (
	PointItem     PointKind = "items"
	PointBranch   PointKind = "branches"
	PointRollback PointKind = "rollbacks"
	PointCleanup  PointKind = "cleanup"
)

// PointKinds are all kinds, in order.
func PointKinds() []PointKind {
	return []PointKind{PointItem, PointBranch, PointRollback, PointCleanup}
}

// NewCoverage lists what there is to be exercised in a plan of a runbook.
func NewCoverage(p *runbooks.Project, rb *runbooks.Runbook, plan *engine.Plan) *Coverage {
	c := &Coverage{Runbook: rb.Name}
	for n := range plan.Items {
		id := plan.Items[n].ID
		i := itemAt(p, rb, id)
		if i == nil {
			continue
		}
		if plan.Items[n].Phase == runbooks.CleanupPhase {
			c.add(PointCleanup, string(id))
			continue
		}
		c.add(PointItem, string(id))
		for _, b := range branchesOf(id, i) {
			c.add(PointBranch, b)
		}
		if i.Rollback != nil || i.Kind == runbooks.Transfer {
			c.add(PointRollback, string(id))
		}
	}
	return c
}

func (c *Coverage) add(kind PointKind, what string) {
	c.Points = append(c.Points, Point{Kind: kind, What: what})
}

func (c *Coverage) hit(kind PointKind, what string) {
	for n := range c.Points {
		if c.Points[n].Kind == kind && c.Points[n].What == what {
			c.Points[n].Hit = true
		}
	}
}

const (
	whenFalse   = "when of %s is false"
	whenTrue    = "when of %s is true"
	unlessHolds = "unless of %s holds"
	unlessNot   = "unless of %s does not hold"
	chooses     = "%s chooses %s"
	gateOpens   = "%s is approved"
	gateStays   = "%s is not approved"
)

// branchesOf are the ways that a run can take at an item.
func branchesOf(id runbooks.ItemID, i *runbooks.Item) []string {
	var out []string
	if i.When != nil {
		out = append(out, fmt.Sprintf(whenTrue, id), fmt.Sprintf(whenFalse, id))
	}
	if i.Unless != nil {
		out = append(out, fmt.Sprintf(unlessNot, id), fmt.Sprintf(unlessHolds, id))
	}
	switch i.Kind {
	case runbooks.Decision:
		for _, o := range i.Options {
			out = append(out, fmt.Sprintf(chooses, id, o))
		}
	case runbooks.Gate:
		out = append(out, fmt.Sprintf(gateOpens, id), fmt.Sprintf(gateStays, id))
	default: // one way only
	}
	return out
}

// Add notes what a run of the runbook exercised.
func (c *Coverage) Add(r *engine.Record) {
	for n := range r.Items {
		i := &r.Items[n]
		id := i.Plan.ID
		if ran(i) {
			c.hit(PointItem, string(id))
			c.hit(PointCleanup, string(id))
			c.hit(PointBranch, fmt.Sprintf(whenTrue, id))
		}
		if i.Outcome == engine.Skipped && i.Cause == "when" {
			c.hit(PointBranch, fmt.Sprintf(whenFalse, id))
		}
		for _, u := range i.Units {
			switch {
			case u.Cause == "unless":
				c.hit(PointBranch, fmt.Sprintf(unlessHolds, id))
				c.hit(PointItem, string(id))
				c.hit(PointBranch, fmt.Sprintf(whenTrue, id))
			case slices.ContainsFunc(u.Intents, func(x engine.ItemIntent) bool { return x.Part == engine.PartCommand }):
				c.hit(PointBranch, fmt.Sprintf(unlessNot, id))
			}
			if slices.ContainsFunc(u.Parts, func(o engine.ItemOutcome) bool { return o.Part == engine.PartRollback }) {
				c.hit(PointRollback, string(id))
			}
		}
		if i.Decision != nil {
			c.hit(PointBranch, fmt.Sprintf(chooses, id, i.Decision.Choice))
		}
		if i.Plan.Kind == runbooks.Gate && i.Outcome == engine.Succeeded {
			c.hit(PointBranch, fmt.Sprintf(gateOpens, id))
		} else if i.Plan.Kind == runbooks.Gate && ran(i) {
			c.hit(PointBranch, fmt.Sprintf(gateStays, id))
		}
	}
	c.undone(r)
}

// undone notes the manual items that were asked to be undone: they have no attempts.
func (c *Coverage) undone(r *engine.Record) {
	if r.Rollback == nil {
		return
	}
	for _, us := range [][]engine.Unit{r.Rollback.Done, r.Rollback.Failed} {
		for _, u := range us {
			c.hit(PointRollback, string(u.Item))
		}
	}
}

// ran reports whether the item's turn came and it did, or tried to do, what it is for.
func ran(i *engine.ItemRecord) bool {
	switch i.Outcome {
	case engine.Succeeded, engine.Failed, engine.TimedOut, engine.Unreachable, engine.Unknown, engine.NeverStarted:
		return true
	default:
		return false
	}
}

// Of counts the points of a kind, or of all kinds when it is empty.
func (c *Coverage) Of(kind PointKind) (hit, all int) {
	for _, p := range c.Points {
		if kind == "" || p.Kind == kind {
			if all++; p.Hit {
				hit++
			}
		}
	}
	return hit, all
}

// Percent is how much of all points was exercised, rounded down: 100 is all. A runbook without any is 100.
func (c *Coverage) Percent() int {
	hit, all := c.Of("")
	if all == 0 {
		return 100
	}
	return hit * 100 / all
}

// Never are the points of a kind that were not exercised.
func (c *Coverage) Never(kind PointKind) []string {
	var out []string
	for _, p := range c.Points {
		if p.Kind == kind && !p.Hit {
			out = append(out, p.What)
		}
	}
	return out
}

// CoverageOf is the coverage of each runbook that the results are of, in the order of the results.
func CoverageOf(p *runbooks.Project, results []*TestResult) []*Coverage {
	var out []*Coverage
	index := map[string]*Coverage{}
	for _, r := range results {
		rb := p.Runbook(r.Test.Runbook)
		if r.Ended == nil || rb == nil {
			continue
		}
		c := index[rb.Name]
		if c == nil {
			c = NewCoverage(p, rb, r.Ended.Plan)
			index[rb.Name] = c
			out = append(out, c)
		}
		c.Add(r.Ended.Record)
	}
	return out
}
