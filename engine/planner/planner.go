// Package planner turns a runbook and its inputs into a plan: what would happen, in order, with everything that is
// known before anything connects.
//
// It is pure: no I/O, no clock, no randomness; the same inputs give the same bytes and so the same digest, which
// approvals name. Results of items are typed unknowns here, so an item is planned as will-run, will-skip or run-time, and
// what only the run will tell is shown as "(not known yet)". Nothing sensitive is ever in a plan.
package planner

import (
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// Input is what a plan is made from.
type Input struct {
	Project *runbooks.Project
	Runbook *runbooks.Runbook
	// Variables holds a value of the right type for every variable of the runbook: see Variables.
	Variables map[string]expr.Value
}

// Plan makes the plan of a runbook. The list may hold warnings beside a plan; with errors the plan is nil.
func Plan(in Input) (*engine.Plan, diag.List) {
	p, ds := newPlanner(in)
	if ds.HasErrors() {
		return nil, ds.Sorted()
	}
	plan := p.head()
	for _, phase := range phases(in.Runbook) {
		p.phase(plan, phase)
	}
	plan.Hosts = p.touched()
	plan.CriticalPath = p.criticalPath(plan)
	if p.diags.HasErrors() {
		return nil, p.diags.Sorted()
	}
	digest, err := Digest(plan)
	if err != nil {
		p.fail(in.Runbook.Range, expr.CodeDefect, "the plan cannot be written: "+err.Error(), "report it with this runbook")
		return nil, p.diags.Sorted()
	}
	plan.Digest = digest
	return plan, p.diags.Sorted()
}

// planner holds what is shared while one plan is made.
type planner struct {
	prefix   string // call path of the items, "call.db."; empty outside calls
	marks    string // the same for marks, "db/"
	in       Input
	names    *expr.Scope // with every result a typed unknown
	refs     *runbooks.References
	hosts    map[string]bool // touched, by name
	resolved map[*expr.Expr]resolved
	static   map[string]resolved               // by the text of what the inventory alone decides
	places   map[*runbooks.Host]*expr.Scope    // of each host, inside outside
	outside  *expr.Scope                       // names, when places were made
	waits    map[runbooks.ItemID]time.Duration // known lengths of wait items
	batches  *division                         // of the phase that is planned; nil: it does not roll out
	diags    diag.List
}

func newPlanner(in Input) (*planner, diag.List) {
	inputs := scope.Inputs{Project: in.Project, Runbook: in.Runbook, Variables: in.Variables, Meter: expr.ProjectMeter()}
	base, ds := scope.Base(inputs)
	if ds.HasErrors() {
		return nil, ds
	}
	names, more := scope.WithResults(base, inputs, nil, true)
	ds = append(ds, more...)
	return &planner{
		in: in, names: names, refs: runbooks.NewReferences(in.Project, in.Runbook), hosts: map[string]bool{}, resolved: map[*expr.Expr]resolved{}, static: map[string]resolved{},
		waits: map[runbooks.ItemID]time.Duration{}, diags: ds,
	}, ds
}

func phases(r *runbooks.Runbook) []*runbooks.Phase {
	if r.Cleanup == nil {
		return r.Phases
	}
	return append(r.Phases[:len(r.Phases):len(r.Phases)], r.Cleanup)
}

func (p *planner) fail(at diag.Range, code, summary, hint string) {
	p.diags = append(p.diags, diag.Diagnostic{
		Severity: diag.Error, Code: code, Summary: summary, Hint: hint, Range: at,
		Context: `runbook "` + p.in.Runbook.Name + `"`,
	})
}

// head is the plan without hosts and items.
func (p *planner) head() *engine.Plan {
	r := p.in.Runbook
	plan := &engine.Plan{
		Schema: engine.PlanSchema, Runbook: r.Name, Project: p.in.Project.Name, Title: r.Title, Service: r.Service, Owner: r.Owner,
		Version: r.Version, Timezone: p.in.Project.Timezone, Failback: r.Failback, UpdateEveryS: r.UpdateEvery.Seconds(),
		Hosts: []engine.PlanHost{}, Phases: []engine.PlanPhase{}, Items: make([]engine.PlanItem, 0, len(r.AllItems())),
	}
	if r.Exercise != (runbooks.Exercise{}) {
		plan.Exercise = &engine.PlanExercise{Type: r.Exercise.Type, ProductionImpact: r.Exercise.ProductionImpact}
	}
	if s := r.Scenario; s != nil {
		plan.Scenario = &engine.PlanScenario{Title: s.Title, Severity: s.Severity, Assumptions: s.Assumptions}
	}
	for _, v := range r.Variables {
		value := p.in.Variables[v.Name]
		shown := engine.PlanVariable{Name: v.Name, Value: value.String(), Sensitive: v.Sensitive || value.IsSensitive()}
		if shown.Sensitive {
			shown.Value = sensitive
		}
		plan.Variables = append(plan.Variables, shown)
	}
	for _, m := range r.Marks {
		plan.Marks = append(plan.Marks, m.Name)
	}
	for _, o := range r.Objectives {
		plan.Goals = append(plan.Goals, goal(o))
	}
	return plan
}

const sensitive = "(sensitive)"

func goal(o *runbooks.Objective) engine.PlanObjective {
	g := engine.PlanObjective{Name: o.Name, From: o.From, To: o.To, AtMost: o.AtMost, AtLeast: o.AtLeast}
	switch o.Kind {
	case runbooks.Elapsed:
		g.Kind = engine.GoalElapsed
	case runbooks.RecoveryPoint:
		g.Kind = engine.GoalRecoveryPoint
	case runbooks.Measured:
		g.Kind = engine.GoalMeasured
	}
	if o.Target > 0 {
		s := o.Target.Seconds()
		g.TargetS = &s
	}
	return g
}

// phase appends a phase and its items.
func (p *planner) phase(plan *engine.Plan, phase *runbooks.Phase) {
	entry := engine.PlanPhase{Name: phase.Name, Title: phase.Title, Owner: phase.Owner, Items: []runbooks.ItemID{}}
	turn := p.decide(phase.When, "the phase's condition")
	leave := p.divide(phase)
	defer leave()
	if p.batches != nil {
		entry.Rollout = p.batches.shown(phase.Rollout)
		entry.Rollout.AfterBatch = phase.AfterBatch != nil
	}
	for _, item := range phase.Items {
		out := p.item(phase, item, turn)
		entry.Items = append(entry.Items, item.ID())
		plan.Items = append(plan.Items, out)
		if item.Kind == runbooks.Call {
			p.expand(plan, &entry, item, out)
		}
	}
	plan.Phases = append(plan.Phases, entry)
}
