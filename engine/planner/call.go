package planner

import (
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// expand appends the items of a called runbook after the call, under its call path. They belong to the caller's phase;
// what the called runbook's phases order is in After.
func (p *planner) expand(plan *engine.Plan, entry *engine.PlanPhase, i *runbooks.Item, caller engine.PlanItem) {
	child, ok := p.child(i)
	if !ok {
		return
	}
	t := turn{disposition: caller.Disposition, waits: caller.WaitsFor, reason: caller.SkipReason}
	if p.batches != nil && !p.batches.known {
		t = t.and(turn{disposition: engine.RunTime, waits: []string{"batch"}})
	}
	before := caller.After
	for _, phase := range phases(child.in.Runbook) {
		turn := t.and(child.decide(phase.When, "the phase's condition"))
		leave := child.divide(phase)
		var here []runbooks.ItemID
		for _, item := range phase.Items {
			out := child.item(phase, item, turn)
			out.Phase, out.Lane = caller.Phase, caller.Lane
			child.qualify(&out)
			if len(item.After) == 0 {
				out.After = append(out.After, before...)
			}
			entry.Items = append(entry.Items, out.ID)
			plan.Items = append(plan.Items, out)
			here = append(here, out.ID)
			if item.Kind == runbooks.Call {
				child.expand(plan, entry, item, out)
			}
		}
		leave()
		if len(here) > 0 {
			before = here
		}
	}
	p.waits[i.ID()] = child.length(plan)
	p.diags = append(p.diags, child.diags...)
}

// qualify puts the call path before the names of the item.
func (p *planner) qualify(out *engine.PlanItem) {
	out.ID = runbooks.ItemID(p.prefix) + out.ID
	for n := range out.After {
		out.After[n] = runbooks.ItemID(p.prefix) + out.After[n]
	}
	mark := func(list []string) []string {
		list = slices.Clone(list)
		for n := range list {
			list[n] = p.marks + list[n]
		}
		return list
	}
	out.Marks, out.MarksStart = mark(out.Marks), mark(out.MarksStart)
}

// child is a planner for the called runbook. Variables that only the run will tell are unknowns of their types.
func (p *planner) child(i *runbooks.Item) (*planner, bool) {
	rb := p.in.Project.Runbook(i.Runbook)
	in := Input{Project: p.in.Project, Runbook: rb}
	given := map[string]expr.Value{}
	known := true
	if i.Variables != nil {
		names := p.names
		if p.batches != nil { // it is called in every batch: its hosts are all of them together
			names = names.With(map[string]expr.Value{"batch": scope.HostList(p.batches.hosts)})
		}
		v, ds := i.Variables.Eval(names)
		if ds.HasErrors() {
			p.diags = append(p.diags, ds...)
			return nil, false
		}
		for _, x := range rb.Variables {
			if a := v.Attr(x.Name); !a.Absent() {
				given[x.Name] = a
				known = known && a.Known()
			}
		}
		known = known && v.Known()
	}
	vars, ds := scope.Variables(scope.Inputs{Project: in.Project, Runbook: rb}, given, i.Range)
	switch {
	case ds.HasErrors() && known:
		p.diags = append(p.diags, ds...)
		return nil, false
	case ds.HasErrors():
		// What is wrong with a value that is not known yet is found when it is.
		vars = scope.UnknownVariables(rb)
	}
	in.Variables = vars
	child, ds := newPlanner(in)
	if ds.HasErrors() {
		p.diags = append(p.diags, ds...)
		return nil, false
	}
	child.prefix, child.marks = p.prefix+string(i.ID())+".", p.marks+i.Name+"/"
	child.hosts = p.hosts
	return child, true
}

// length is what bounds the duration of a called runbook: its phases one after another.
func (p *planner) length(plan *engine.Plan) time.Duration {
	entries := make(map[runbooks.ItemID]*engine.PlanItem, len(plan.Items))
	for n := range plan.Items {
		entries[plan.Items[n].ID] = &plan.Items[n]
	}
	var all time.Duration
	for _, phase := range p.in.Runbook.Phases {
		_, d := p.longest(phase.Items, entries)
		all += d
	}
	return all
}
