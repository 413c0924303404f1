package planner

import (
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// criticalPath is the longest chain of items by what bounds them: known durations of waits, polls and timeouts. Phases
// run one after another, so it is the longest chain of each phase in turn. Cleanup follows the recovery and is left out.
func (p *planner) criticalPath(plan *engine.Plan) []runbooks.ItemID {
	entries := make(map[runbooks.ItemID]*engine.PlanItem, len(plan.Items))
	for n := range plan.Items {
		entries[plan.Items[n].ID] = &plan.Items[n]
	}
	var out []runbooks.ItemID
	for _, phase := range p.in.Runbook.Phases {
		chain, _ := p.longest(phase.Items, entries)
		out = append(out, chain...)
	}
	return out
}

// longest is the heaviest chain of a phase. Items that will be skipped weigh nothing and are left out of it.
func (p *planner) longest(items []*runbooks.Item, entries map[runbooks.ItemID]*engine.PlanItem) (chain []runbooks.ItemID, length time.Duration) {
	byID := make(map[runbooks.ItemID]*runbooks.Item, len(items))
	for _, i := range items {
		byID[i.ID()] = i
	}
	total := make(map[runbooks.ItemID]time.Duration, len(items))
	before := make(map[runbooks.ItemID]runbooks.ItemID, len(items))
	var last runbooks.ItemID
	for _, i := range order(items, byID) {
		id := i.ID()
		var best time.Duration
		for _, a := range i.After {
			if byID[a] != nil && (before[id] == "" || total[a] > best) {
				best, before[id] = total[a], a
			}
		}
		total[id] = best + p.weight(i, entries[runbooks.ItemID(p.prefix)+id])
		if last == "" || total[id] > total[last] {
			last = id
		}
	}
	for id := last; id != ""; id = before[id] {
		if entries[runbooks.ItemID(p.prefix)+id].Disposition != engine.WillSkip {
			chain = append(chain, id)
		}
	}
	slices.Reverse(chain)
	return chain, total[last]
}

// order sorts items so that each follows what it waits for. The loader has refused cycles.
func order(items []*runbooks.Item, byID map[runbooks.ItemID]*runbooks.Item) []*runbooks.Item {
	out := make([]*runbooks.Item, 0, len(items))
	waiting := make(map[runbooks.ItemID]int, len(items))
	next := make(map[runbooks.ItemID][]*runbooks.Item, len(items))
	for _, i := range items {
		for _, a := range i.After {
			if byID[a] != nil {
				waiting[i.ID()]++
				next[a] = append(next[a], i)
			}
		}
		if waiting[i.ID()] == 0 {
			out = append(out, i)
		}
	}
	for n := 0; n < len(out); n++ {
		for _, i := range next[out[n].ID()] {
			if waiting[i.ID()]--; waiting[i.ID()] == 0 {
				out = append(out, i)
			}
		}
	}
	return out
}

// weight is what bounds the item's duration. People's items have no bound of their own and weigh their expiry.
func (p *planner) weight(i *runbooks.Item, entry *engine.PlanItem) time.Duration {
	if entry.Disposition == engine.WillSkip {
		return 0
	}
	d := time.Duration(entry.TimeoutS * float64(time.Second))
	if i.Kind.OnHosts() && i.Command != nil && d == 0 {
		d = runbooks.DefaultTimeout
	}
	if i.Poll != nil {
		d = i.Poll.Within
	}
	if i.Verify != nil && i.Verify.Poll != nil {
		d += i.Verify.Poll.Within
	}
	if i.Expires > d {
		d = i.Expires
	}
	return d + p.waits[i.ID()]
}
