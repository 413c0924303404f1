package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// run takes an item from its turn to its outcome. An error is fatal, or errLeft: then it has no outcome.
func (t *task) run(ctx context.Context, turn phaseTurn) error {
	if t.before.known() {
		return t.resume(ctx)
	}
	if v, decided := t.departs(turn); decided {
		return t.whole(v, nil)
	}
	names, err := t.scopeFor(ctx, t.exprs())
	if err != nil {
		return t.lacks(causeSecret, err)
	}
	if v, decided := t.when(names); decided {
		return t.whole(v, nil)
	}
	t.comes()
	if t.r.dry {
		return t.exercise(ctx, names)
	}
	if why, err := t.r.pass(ctx, t); err != nil || why != "" {
		if err != nil {
			return err
		}
		return t.whole(verdict{outcome: engine.NotReached, cause: causeGate, reason: why, fails: true}, nil)
	}
	if v, err := t.confirm(ctx, names); err != nil || v.outcome != "" {
		if err != nil {
			return err
		}
		return t.whole(v, nil)
	}
	err = t.dispatch(ctx, names)
	if errors.Is(err, errAborted) {
		return t.whole(withdrawn(), nil)
	}
	return err
}

// dispatch does what the item's kind does.
func (t *task) dispatch(ctx context.Context, names *expr.Scope) error {
	switch t.item.Kind {
	case runbooks.Check:
		return t.onHosts(ctx, names, t.checkBatch)
	case runbooks.Step, runbooks.Transfer:
		return t.onHosts(ctx, names, t.stepBatch)
	case runbooks.Assert:
		return t.assert(names)
	case runbooks.Wait:
		return t.wait(ctx, names)
	case runbooks.Manual:
		return t.manual(ctx, names)
	case runbooks.Call:
		return t.calls(names)
	case runbooks.Gate:
		return t.gate(ctx, names)
	case runbooks.Decision:
		return t.decide(ctx, names)
	}
	return t.whole(verdict{
		outcome: engine.NotReached, cause: "unsupported", reason: fmt.Sprintf("this version cannot run a %s", t.item.Kind), fails: true,
	}, nil)
}

// exprs are the item's expressions that a run evaluates now. In a dry-run those of parts that it never runs are left out,
// so that no secret is resolved for them.
func (t *task) exprs() []*expr.Expr {
	if !t.r.dry || t.item.Kind == runbooks.Check || t.item.Kind == runbooks.Assert {
		return t.item.Exprs()
	}
	return append([]*expr.Expr{t.item.When, t.item.Hosts, t.item.ForEach}, t.item.Unless.Exprs()...)
}

// departs decides items that have no turn: left out by --from, or by the condition of their phase.
func (t *task) departs(turn phaseTurn) (verdict, bool) {
	switch {
	case t.r.before(t.id) && !t.cleanup:
		return verdict{outcome: engine.Skipped, cause: causeFrom, reason: "left out by --from " + string(t.r.cfg.From)}, true
	case turn.skip:
		return verdict{outcome: engine.Skipped, cause: causePhase, reason: turn.reason}, true
	case turn.undecided:
		return verdict{outcome: engine.NotExercised, cause: engine.CauseDryRun, reason: turn.reason}, true
	case turn.broken:
		return verdict{outcome: engine.NotReached, cause: causeExpression, reason: turn.reason, fails: true}, true
	}
	return verdict{}, false
}

// comes notes that the item's turn has come.
func (t *task) comes() {
	t.begun.Store(true)
	if t.total != nil {
		t.total.begun.Store(true)
	}
}

// when evaluates the item's own condition, once.
func (t *task) when(names *expr.Scope) (verdict, bool) {
	if t.item.When == nil {
		return verdict{}, false
	}
	truth, err := evalTruth(t.item.When, names)
	switch {
	case err != nil && t.r.dry && unknown(err):
		return verdict{outcome: engine.NotExercised, cause: engine.CauseDryRun, reason: "whether it runs is decided at run time: " + t.item.When.Text()}, true
	case err != nil:
		return verdict{outcome: engine.NotReached, cause: causeExpression, reason: "when: " + t.r.clip(errText(err)), fails: true}, true
	case !truth:
		return verdict{outcome: engine.Skipped, cause: causeWhen, reason: "its condition does not hold: " + t.item.When.Text()}, true
	}
	return verdict{}, false
}

// lacks ends an item that could not start because something that it needs cannot be evaluated.
func (t *task) lacks(cause string, err error) error {
	var fatal *recordError
	if errors.Is(err, errLeft) || errors.As(err, &fatal) {
		return err
	}
	if t.r.dry && unknown(err) {
		return t.whole(verdict{outcome: engine.NotExercised, cause: engine.CauseDryRun, reason: "what it needs is decided at run time"}, nil)
	}
	return t.whole(verdict{outcome: engine.NotReached, cause: cause, reason: t.r.clip(errText(err)), fails: true}, nil)
}

// onHosts runs an item on its hosts and elements and judges it as a whole.
func (t *task) onHosts(ctx context.Context, names *expr.Scope, work batchFunc) error {
	elements, err := t.spread(names)
	if err != nil {
		return t.lacksHosts(err)
	}
	places := 0
	for _, e := range elements {
		places += len(e.hosts)
	}
	if places == 0 {
		return t.nowhere()
	}
	began := time.Now()
	if err := t.load(elements, names); err != nil {
		return err
	}
	if err := t.reopen(ctx, elements, names); err != nil {
		return err
	}
	if err := t.everywhere(ctx, elements, work); err != nil {
		return err
	}
	if t.item.Kind != runbooks.Check {
		t.expectAll(names)
	}
	v := t.sum()
	out := &engine.ItemOutcome{}
	if t.only != nil {
		*out = *t.only
	} else {
		out.Hosts = t.count(places)
	}
	out.Expectations = append(out.Expectations, t.all...)
	out.DurationNS = time.Since(began)
	return t.whole(v, out)
}

// lacksHosts ends an item whose hosts or elements cannot be told.
func (t *task) lacksHosts(err error) error {
	if fatal(err) && t.r.rec.failed() != nil {
		return err
	}
	return t.lacks(causeExpression, err)
}

// nowhere ends an item without hosts, which is a failure unless the author allows it.
func (t *task) nowhere() error {
	if t.total != nil && len(t.members) == 0 {
		return t.whole(verdict{outcome: engine.Skipped, cause: causeRollout, reason: "no host of the batch takes part any more"}, nil)
	}
	if t.item.AllowNoHosts || t.item.ForEach != nil {
		return t.whole(verdict{outcome: engine.Skipped, cause: causeNoHosts, reason: "there is nothing to run it on"}, nil)
	}
	return t.whole(verdict{outcome: engine.Failed, cause: causeNoHosts, reason: "no hosts (allow_no_hosts is not set)", fails: true}, nil)
}

// expectAll judges a step as a whole, when all its units have ended.
func (t *task) expectAll(names *expr.Scope) {
	if len(t.item.ExpectAll) == 0 {
		return
	}
	results := map[string]expr.Value{}
	for _, u := range t.units {
		if u.data != nil {
			results[u.id.Host] = expr.Object(u.data)
		}
	}
	t.all, t.allFailed = t.r.expect(t.work.all, names.With(map[string]expr.Value{"results": expr.Object(results)}), nil)
}

// sum is the verdict on the item from those on its units.
func (t *task) sum() verdict {
	var v verdict
	var failing *unitEnd
	skipped, failures := 0, 0
	for n := range t.units {
		u := &t.units[n]
		v.open = v.open || u.open
		if u.outcome == engine.Skipped {
			skipped++
		}
		if !u.fails() {
			continue
		}
		failures++
		if failing == nil || u.open && !failing.open {
			failing = u
		}
	}
	switch {
	case failing != nil:
		v.fails, v.outcome, v.cause = true, failing.outcome, failing.cause
		v.reason = summary(failing, failures, len(t.units))
		if failures > 1 && !v.open && !t.alike(failing.outcome) {
			v.outcome = engine.Failed
		}
	case t.allFailed != "":
		v = verdict{outcome: engine.Failed, cause: causeOf(t.all), reason: t.allFailed, fails: true}
	case skipped == len(t.units):
		v.outcome, v.cause, v.reason = engine.Skipped, t.units[0].cause, t.units[0].reason
	default:
		v.outcome = t.success()
	}
	if t.only != nil && v.outcome == t.only.Outcome {
		v.reason = t.only.Reason
	}
	return v
}

// success is the word for an item that holds.
func (t *task) success() engine.Outcome {
	if !t.r.dry {
		return engine.Succeeded
	}
	for n := range t.units {
		if t.units[n].outcome == engine.Exercised {
			return engine.Exercised
		}
	}
	return engine.NotExercised
}

// alike reports whether all failing units have the same outcome.
func (t *task) alike(o engine.Outcome) bool {
	for n := range t.units {
		if u := &t.units[n]; u.fails() && u.outcome != o {
			return false
		}
	}
	return true
}

func summary(u *unitEnd, failures, all int) string {
	reason := reasonOr(u.reason, string(u.outcome))
	if u.id.Host == "" && u.id.Key == "" {
		return reason
	}
	where := u.id.Host
	if u.id.Key != "" {
		where = fmt.Sprintf("%s (%s)", u.id.Host, u.id.Key)
	}
	if all == 1 {
		return where + ": " + reason
	}
	return fmt.Sprintf("%d of %d: %s: %s", failures, all, where, reason)
}

// count is how many hosts were expected, reached and done.
func (t *task) count(expected int) *engine.HostCount {
	c := &engine.HostCount{Expected: expected}
	for n := range t.units {
		u := &t.units[n]
		if u.began {
			c.Reached++
		}
		if u.done() {
			c.Done++
		}
	}
	return c
}
