package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// timeouts: a step that hangs holds everything behind it for the default hour.
func (l *linter) timeouts() {
	for _, i := range l.rb.AllItems() {
		if changes(i) && i.Timeout == 0 {
			l.warn("CON-W001", i.Range, "add timeout to it, or to its phase", "%s has no timeout: it may hang for %s", i.ID(), short(runbooks.DefaultTimeout))
		}
	}
}

func short(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

// approvals: what cannot be taken back wants someone else's word first.
func (l *linter) approvals() {
	for _, i := range l.steps {
		if i.Irreversible && len(i.Requires) == 0 {
			l.warn("CON-W002", i.Range, "add a gate before it and requires = [gate.NAME]", "%s is irreversible and requires no approval", i.ID())
		}
	}
}

// noWayBack: a step before the point of no return that cannot be rolled back leaves a half-done state behind.
func (l *linter) noWayBack() {
	last := -1
	for n, i := range l.steps {
		if i.Irreversible {
			last = n
		}
	}
	for n := range last {
		i := l.steps[n]
		if i.Kind == runbooks.Step && !i.Irreversible && i.Rollback == nil {
			l.warn("CON-W003", i.Range, "add rollback { … }, or irreversible = true if nothing can take it back",
				"%s comes before the irreversible %s and has no rollback", i.ID(), l.steps[last].ID())
		}
	}
}

// objectives: without one a drill measures nothing.
func (l *linter) objectives() {
	if len(l.rb.Objectives) == 0 {
		l.warn("CON-W004", l.rb.Range, `add objective "rto" { target = "…" from = "…" to = "…" }, each on its line`, "runbook %q has no objective: a drill of it measures nothing", l.rb.Name)
	}
}

// verified: an exit code says that a command ended, not that the change took.
func (l *linter) verified() {
	for _, i := range l.steps {
		if i.Irreversible && i.Verify == nil {
			l.warn("CON-W005", i.Range, "add verify { … } with an expect", "%s is irreversible and nothing verifies what it did", i.ID())
		}
	}
}

// review: a procedure that nobody has read for long describes a system that is gone.
func (l *linter) review() {
	day, err := time.Parse(time.DateOnly, l.rb.ReviewBy)
	if err != nil || l.opts.Now.IsZero() {
		return
	}
	if l.opts.Now.After(day.Add(24 * time.Hour)) {
		l.warn("CON-W006", l.rb.Range, "read it again, drill it, and set the next date", "runbook %q was to be reviewed by %s", l.rb.Name, l.rb.ReviewBy)
	}
}

// failback: what is moved has to come back some day.
func (l *linter) failback() {
	moves := l.rb.Exercise.ProductionImpact == "switchover" || l.rb.Exercise.Type == "switchover"
	called := slices.ContainsFunc(l.project.Runbooks, func(r *runbooks.Runbook) bool { return r.Failback == l.rb.Name })
	if moves && l.rb.Failback == "" && !called {
		l.warn("CON-W007", l.rb.Range, "write the way back as a runbook and name it: failback = runbook.NAME", "runbook %q is a switchover and names no failback", l.rb.Name)
	}
}

// rollouts: a step on several production hosts at once can take them all down at once.
func (l *linter) rollouts() {
	for _, i := range l.rb.AllItems() {
		if !changes(i) || i.Rollout != nil || l.phaseRollout(i) {
			continue
		}
		n := 0
		for _, h := range l.hosts(i.Hosts) {
			if h.Environment == runbooks.Production && !h.Control {
				n++
			}
		}
		if n > 1 {
			l.warn("CON-W008", i.Range, `add rollout { batch = 1 }, or batch = "100%" to mean all at once`, "%s changes %d production hosts and states no rollout", i.ID(), n)
		}
	}
}

func (l *linter) phaseRollout(i *runbooks.Item) bool {
	return slices.ContainsFunc(l.rb.Phases, func(p *runbooks.Phase) bool { return p.Name == i.Phase && p.Rollout != nil })
}

// options: a choice without a consequence.
func (l *linter) options() {
	mentioned := map[string]bool{}
	named := map[string]bool{} // decisions whose choice is used as a value
	for _, e := range l.exprs() {
		compared := 0
		for _, c := range e.Comparisons() {
			if c.Ref.Root == "decision" {
				mentioned[c.Ref.Name+"="+c.Literal] = true
				compared++
			}
		}
		for _, r := range e.Refs() {
			if r.Root == "decision" && slices.Equal(r.Path, []string{"choice"}) {
				if compared--; compared < 0 {
					named[r.Name] = true
				}
			}
		}
	}
	for _, i := range l.steps {
		if i.Kind != runbooks.Decision || named[i.Name] {
			continue
		}
		var idle []string
		for _, o := range i.Options {
			if !mentioned[i.Name+"="+o] && !slices.Contains(i.Stops, o) {
				idle = append(idle, o)
			}
		}
		if len(idle) > 1 { // one may mean: go on
			l.warn("CON-W009", i.Range, "use them in when, or list them in stops", "nothing depends on the options %s of %s", strings.Join(idle, ", "), i.ID())
		}
	}
}

// exprs are all expressions of the runbook, with those of its phases, locals, objectives and marks.
func (l *linter) exprs() []*expr.Expr {
	var out []*expr.Expr
	for _, i := range l.rb.AllItems() {
		out = append(out, i.Exprs()...)
	}
	for _, p := range l.rb.Phases {
		out = append(out, p.When, p.Hosts)
		if p.AfterBatch != nil {
			out = append(out, p.AfterBatch.Exprs()...)
		}
	}
	for _, x := range append(append(slices.Clone(l.rb.Locals), l.project.Locals...), l.rb.Outputs...) {
		out = append(out, x.Value)
	}
	for _, o := range l.rb.Objectives {
		out = append(out, o.Point, o.Value)
	}
	for _, m := range l.rb.Marks {
		out = append(out, m.At)
	}
	return slices.DeleteFunc(out, func(e *expr.Expr) bool { return e == nil })
}

// spareApprovers: whoever operates cannot approve, so a role needs one member more than approvals.
func (l *linter) spareApprovers() {
	for _, i := range l.steps {
		if i.Kind != runbooks.Gate {
			continue
		}
		for _, r := range l.project.Roles {
			if r.Name == i.Role && len(r.Members) == i.Approvals {
				l.warn("CON-W011", i.Range, "add a member to the role: who operates the run cannot approve", "%s wants %d approvals and role %q has %d members: it cannot be met when one of them operates",
					i.ID(), i.Approvals, r.Name, len(r.Members))
			}
		}
	}
}

// neverFails: a check that holds whatever it finds is decoration.
func (l *linter) neverFails() {
	for _, i := range l.rb.AllItems() {
		if i.Kind == runbooks.Check && i.Command != nil && i.Command.Success.Any && len(i.Expects)+len(i.ExpectAll)+len(i.Captures) == 0 {
			l.warn("CON-W014", i.Range, "add an expect, or leave success_codes out", "%s can never fail: any exit code is a success and nothing is expected", i.ID())
		}
	}
}

// unused: what nobody reads is often a misspelt or forgotten use.
func (l *linter) unused() {
	used := map[string]bool{}
	for _, e := range l.exprs() {
		for _, r := range e.Refs() {
			used[r.Root+"."+r.Name] = true
		}
	}
	for _, v := range l.rb.Variables {
		if !used["var."+v.Name] {
			l.warn("CON-W015", v.Range, "remove it, or use var."+v.Name, "variable %q is not used", v.Name)
		}
	}
	for _, x := range l.rb.Locals {
		if !used["local."+x.Name] && !l.inEnv(x.Name) {
			l.warn("CON-W015", x.Range, "remove it, or use local."+x.Name, "local %q is not used", x.Name)
		}
	}
}

// unusedShared are the project's locals that neither the inventory nor a runbook nor a test reads.
func unusedShared(p *runbooks.Project) diag.List {
	var out diag.List
	for _, x := range p.Locals {
		if !x.Used {
			out = append(out, diag.Diagnostic{
				Severity: diag.Warning, Code: "CON-W015", Summary: fmt.Sprintf("local %q is not used", x.Name), Range: x.Range,
				Hint: "remove it, or use local." + x.Name, Context: fmt.Sprintf("project %q", p.Name),
			})
		}
	}
	return out
}

// inEnv reports a local whose entries were taken into the environment of an item: they are expressions of the item now.
func (l *linter) inEnv(name string) bool {
	var local *expr.Expr
	for _, x := range l.rb.Locals {
		if x.Name == name {
			local = x.Value
		}
	}
	at := local.Range()
	for _, i := range l.rb.AllItems() {
		for _, v := range envOf(i) {
			r := v.Value.Range()
			if r.File == at.File && r.Start.Byte >= at.Start.Byte && r.End.Byte <= at.End.Byte {
				return true
			}
		}
	}
	return false
}

func envOf(i *runbooks.Item) []runbooks.EnvVar {
	out := slices.Clone(i.Env)
	if i.HTTP != nil {
		out = append(out, i.HTTP.Headers...)
	}
	for _, p := range []*runbooks.Part{i.Unless, i.Verify, i.Rollback} {
		if p != nil {
			out = append(out, p.Env...)
		}
	}
	return out
}
