package executor

import (
	"fmt"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// localStop is why a called runbook stopped. It ends that runbook only: what its failure means is its caller's to say.
type localStop struct {
	mu  sync.Mutex
	why string
}

// top is the run that was started.
func (r *run) top() *run {
	for r.up != nil {
		r = r.up
	}
	return r
}

// full is an item's id with the call path.
func (r *run) full(id runbooks.ItemID) runbooks.ItemID { return runbooks.ItemID(r.prefix) + id }

// markPrefix is what stands before the marks of a called runbook.
func (r *run) markPrefix() string {
	if r.up == nil {
		return ""
	}
	return r.up.markPrefix() + r.call.item.Name + "/"
}

// stop starts nothing new: in the run, or in the called runbook.
func (r *run) stop(why, by string) {
	if r.up == nil {
		r.valve.halt(stopped, why, by)
		return
	}
	r.local.mu.Lock()
	if r.local.why == "" {
		r.local.why = why
	}
	r.local.mu.Unlock()
}

// stoppedHere is why this called runbook, or one that called it, has stopped.
func (r *run) stoppedHere() string {
	for ; r.up != nil; r = r.up {
		r.local.mu.Lock()
		why := r.local.why
		r.local.mu.Unlock()
		if why != "" {
			return why
		}
	}
	return ""
}

func (r *run) whyStopped() string {
	if why := r.stoppedHere(); why != "" {
		return why
	}
	_, why, _ := r.valve.standing()
	return why
}

// calls runs another runbook of the project to its end, cleanup included.
func (t *task) calls(names *expr.Scope) error {
	child, err := t.child(names)
	switch {
	case err != nil && t.r.past.below(t.id):
		return t.hold(fmt.Sprintf("%s had begun, and cannot be taken up: %s", t.id, t.r.clip(errText(err))))
	case err != nil:
		return t.lacks(causeExpression, err)
	}
	if err := t.begins(); err != nil {
		return err
	}
	if !t.r.dry {
		if err := child.marks.early(); err != nil {
			return err
		}
	}
	if err := child.inside(); err != nil {
		return err
	}
	t.take(child)
	return t.whole(child.result(), nil)
}

// inside runs the phases and the cleanup of a called runbook.
func (r *run) inside() error {
	for _, p := range r.cfg.Runbook.Phases {
		if err := r.phase(p, false); err != nil {
			return err
		}
		r.taintAfter(p)
	}
	if c := r.cfg.Runbook.Cleanup; c != nil {
		if err := r.phase(c, true); err != nil {
			return err
		}
	}
	if r.dry {
		return nil
	}
	return r.marks.computed()
}

// child prepares the called runbook with its variables.
func (t *task) child(names *expr.Scope) (*run, error) {
	up := t.r
	rb := up.cfg.Project.Runbook(t.item.Runbook)
	given := map[string]expr.Value{}
	var at diag.Range
	if t.item.Variables != nil {
		v, err := eval(t.item.Variables, names)
		if err != nil {
			return nil, err
		}
		at = t.item.Variables.Range()
		es, err := v.Elements()
		if err != nil {
			return nil, err
		}
		for _, e := range es {
			given[e.Key] = e.Value
		}
	}
	vars, ds := scope.Variables(scope.Inputs{Project: up.cfg.Project, Runbook: rb}, given, at)
	if err := ds.Err(); err != nil {
		return nil, err
	}
	cfg := up.cfg
	cfg.Runbook, cfg.Variables, cfg.From = rb, vars, ""
	r := &run{
		prefix: string(t.id) + ".", up: up, call: t, cfg: cfg, rec: up.rec, valve: up.valve, gates: up.gates, trail: up.trail,
		dry: up.dry, past: up.past, stay: up.stay, leave: up.leave, down: up.down, tainted: t.work.unjudged,
		batch: t.batch, ends: up.ends,
	}
	var err error
	if r.names, err = newNames(cfg, up.past); err != nil {
		return nil, err
	}
	r.book = newBook(r.names.refs, allExprs(rb), up.book.inside(t.item.Name))
	r.marks = newMarks(r)
	r.tasks = newTasks(r)
	return r, nil
}

// inside are the references that somebody makes into a call, as the called runbook would make them.
func (b *book) inside(call string) []expr.Ref {
	var out []expr.Ref
	for _, ref := range b.refs {
		if ref.Root != string(runbooks.Call) || ref.Name != call || len(ref.Path) < 2 {
			continue
		}
		out = append(out, expr.Ref{Root: ref.Path[0], Name: ref.Path[1], Path: ref.Path[2:], Range: ref.Range})
	}
	return out
}

// take keeps the results of the called runbook for its caller: its outputs, and its items under their call path.
func (t *task) take(child *run) {
	outputs := map[string]expr.Value{}
	for _, o := range child.cfg.Runbook.Outputs {
		if v, err := child.value(o.Value); err == nil {
			outputs[o.Name] = v
		}
	}
	t.mu.Lock()
	t.units = append(t.units, unitEnd{
		id: t.self(), outcome: engine.Succeeded, began: true, data: map[string]expr.Value{"outputs": expr.Object(outputs)},
	})
	t.mu.Unlock()
	child.book.mu.RLock()
	defer child.book.mu.RUnlock()
	for id, res := range child.book.kept {
		t.r.book.put(t.item.ID()+"."+id, res)
	}
}

// result is what a called runbook came to. A failure that it went on after makes the call failed and does not stop its
// caller; one that stopped it does what the caller says about the call.
func (r *run) result() verdict {
	v := verdict{outcome: engine.Succeeded}
	if r.dry {
		v.outcome = engine.Exercised
	}
	for _, i := range r.cfg.Runbook.AllItems() {
		t := r.tasks[i.ID()]
		v.open = v.open || t.outcome.open
		if t.outcome.fails && t.item.Severity != "finding" && v.outcome != engine.Failed {
			v.outcome, v.cause, v.reason = engine.Failed, t.outcome.cause, string(t.id)+": "+reasonOr(t.outcome.reason, string(t.outcome.outcome))
		}
	}
	if why := r.stoppedHere(); why != "" {
		v.fails, v.reason = true, why
	}
	if s, _, _ := r.valve.standing(); s >= stopped && v.outcome == engine.Failed {
		v.fails = true
	}
	return v
}

// inherit gives the items of a call that never began the call's own outcome.
func (t *task) inherit(v verdict) error {
	if t.item.Kind != runbooks.Call || len(t.units) > 0 {
		return nil
	}
	for n := range t.r.cfg.Plan.Items {
		id := t.r.cfg.Plan.Items[n].ID
		if !strings.HasPrefix(string(id), string(t.id)+".") {
			continue
		}
		if t.r.past.item(id, t.batch).whole != nil {
			continue
		}
		err := t.r.emit(&engine.ItemOutcome{
			Unit: engine.Unit{Item: id, Batch: t.batch}, Outcome: v.outcome, Cause: v.cause, Reason: reasonOr(v.reason, "its call did not run"),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
