package executor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// task is an item in a run.
type task struct {
	r       *run
	id      runbooks.ItemID // with its call path
	item    *runbooks.Item
	plan    *engine.PlanItem
	phase   *runbooks.Phase
	cleanup bool
	before  *pastItem // what is on record of it; never nil
	// In a phase that rolls out an item has a task of its own in each batch. batch is its number, and 0 elsewhere; total is the
	// task of the item over all batches, and members are the hosts of the batch that take part when it starts. A called
	// runbook's items have the batch of their call, and no more of this.
	batch    int
	total    *task
	members  []*runbooks.Host
	siblings map[runbooks.ItemID]*task // of the same batch

	work, unlessWork, verifyWork, afterWork, rollbackWork work
	want                                                  interest

	begun  atomic.Bool // its turn has come
	mu     sync.Mutex
	marked bool // marks_start are set
	units  []unitEnd
	// attempts are those of each unit so far; redo are the units that a person has tried again, nil at first.
	attempts map[engine.Unit]int
	redo     map[engine.Unit]bool
	have     map[engine.Unit]bool // units whose outcome was on record
	all      []engine.Expectation // expect_all
	// allFailed says why expect_all does not hold.
	allFailed string
	only      *engine.ItemOutcome // of an item that does not run on hosts
	hosts     map[string]bool     // names that the plan allows
	asked     time.Time           // when people were
	// inputNames is what validations of inputs may refer to.
	inputNames *expr.Scope
	fetched    fetched // of a transfer from another host
	single     bool    // hosts is one host by its form
	outcome    verdict // written before the schedule is told
}

// unitEnd is what is kept of a unit that has ended.
type unitEnd struct {
	id      engine.Unit
	outcome engine.Outcome
	cause   string
	reason  string
	began   bool
	settled engine.Standing
	open    bool // nobody knows whether it still runs, or how it ended
	data    map[string]expr.Value
}

// fails reports whether the unit counts as a failure of its item.
func (e *unitEnd) fails() bool {
	switch {
	case e.open || e.settled == engine.Fails:
		return true
	case e.settled == engine.Done || e.cause == engine.CauseTolerated:
		return false
	}
	return e.outcome.Standing() == engine.Fails
}

// done reports whether what the item is for holds there: it was done, or need not be. What is tolerated is not done.
func (e *unitEnd) done() bool {
	switch {
	case e.open || e.settled == engine.Fails:
		return false
	case e.settled == engine.Done:
		return true
	}
	return e.outcome == engine.Succeeded || e.outcome == engine.Exercised || e.outcome == engine.Skipped && e.cause == causeUnless
}

// verdict is how an item ended as a whole.
type verdict struct {
	outcome engine.Outcome
	cause   string
	reason  string
	fails   bool
	open    bool
	byHand  bool // a person's word that it is done
}

func newTasks(r *run) map[runbooks.ItemID]*task {
	out := map[runbooks.ItemID]*task{}
	add := func(p *runbooks.Phase, cleanup bool) {
		for _, i := range p.Items {
			out[i.ID()] = newTask(r, p, i, cleanup)
		}
	}
	for _, p := range r.cfg.Runbook.Phases {
		add(p, false)
	}
	if c := r.cfg.Runbook.Cleanup; c != nil {
		add(c, true)
	}
	return out
}

func newTask(r *run, p *runbooks.Phase, i *runbooks.Item, cleanup bool) *task {
	t := &task{r: r, id: r.full(i.ID()), item: i, plan: r.cfg.Plan.Item(r.full(i.ID())), phase: p, cleanup: cleanup, want: r.book.want(i.ID()), batch: r.batch, attempts: map[engine.Unit]int{}, have: map[engine.Unit]bool{}}
	t.before = r.past.item(t.id, t.batch)
	t.hosts = make(map[string]bool, len(t.plan.Hosts))
	for _, h := range t.plan.Hosts {
		t.hosts[h] = true
	}
	refs := r.names.refs
	t.work = itemWork(refs, i, t.want)
	t.work.cleanup = cleanup
	if i.Unless != nil {
		t.unlessWork = partWork(refs, i, engine.PartUnless, i.Unless)
		t.unlessWork.cleanup = cleanup
	}
	if i.Verify != nil {
		t.verifyWork = partWork(refs, i, engine.PartVerify, i.Verify)
		t.verifyWork.cleanup = cleanup
	}
	if i.Rollback != nil && i.Rollback.Command != nil {
		t.rollbackWork = partWork(refs, i, engine.PartRollback, i.Rollback)
		t.rollbackWork.cleanup = true // it runs although the run was stopped
	}
	if i.Kind == runbooks.Transfer && i.Rollback == nil {
		t.rollbackWork = partWork(refs, i, engine.PartRollback, &runbooks.Part{Timeout: i.Timeout})
		t.rollbackWork.cleanup = true
	}
	if i.Rollout != nil && i.Rollout.AfterBatch != nil {
		part := engine.PartVerify // of a step; a check's is as the check
		if i.Kind == runbooks.Check {
			part = engine.PartCommand
		}
		t.afterWork = partWork(refs, i, part, i.Rollout.AfterBatch)
	}
	return t
}

// again has the item tried once more where it failed, or all of it when it failed as a whole.
func (t *task) again() {
	failed := func(e unitEnd) bool { return e.fails() }
	if !slices.ContainsFunc(t.units, failed) {
		failed = func(unitEnd) bool { return true }
	}
	t.redo = map[engine.Unit]bool{}
	for _, e := range t.units {
		if failed(e) {
			t.redo[e.id] = true
		}
	}
	t.units = slices.DeleteFunc(t.units, failed)
	t.before.retried(t.self())
	for id := range t.redo {
		delete(t.have, id)
		if p := t.before.units[id]; p != nil {
			p.outcome, p.settled, p.base = nil, nil, p.commands()
		}
	}
	t.outcome, t.all, t.allFailed, t.only = verdict{}, nil, "", nil
}

// attempted is how many attempts the unit has had.
func (t *task) attempted(u engine.Unit) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.attempts[u]
}

// left reports whether a unit is left as it is when the item is tried again.
func (t *task) left(e element, h *runbooks.Host) bool {
	return len(t.redo) > 0 && !t.redo[t.unit(e, h)]
}

// begins says that the turn of an item without hosts has come, and sets its marks_start.
func (t *task) begins() error {
	if t.before.begun {
		return t.started()
	}
	if err := t.r.emit(&engine.ItemStarted{Item: t.id, Batch: t.batch}); err != nil {
		return err
	}
	return t.started()
}

// started sets marks_start when the first attempt of the item starts.
func (t *task) started() error {
	if !t.first() || t.r.dry {
		return nil
	}
	if t.before.begun && !t.item.Kind.OnHosts() {
		return t.r.marks.missed(t.item.MarksStart, t.id, 0, t.before.begunAt)
	}
	return t.r.marks.set(t.item.MarksStart, t.id)
}

// first reports, once, that the item's first attempt starts: over all batches where it has several.
func (t *task) first() bool {
	if t.total != nil {
		t = t.total
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	first := !t.marked
	t.marked = true
	return first
}

// tolerated is the cause of an outcome, which says so when the runbook tolerates it on this host.
func (t *task) tolerated(o *engine.ItemOutcome) string {
	if o.KillConfirmed != nil && !*o.KillConfirmed || o.Outcome.Standing() != engine.Fails {
		return o.Cause
	}
	if slices.Contains(t.item.Tolerate, string(o.Outcome)) {
		return engine.CauseTolerated
	}
	return o.Cause
}

// ended records the outcome of a unit. One that leaves something open holds the run.
func (t *task) ended(o *engine.ItemOutcome, tr *trial, settled engine.Standing) error {
	t.excuse(o)
	if err := t.r.emit(o); err != nil {
		return err
	}
	t.close(o, tr, settled)
	return nil
}

// opens reports whether an outcome leaves open how the unit ended, or whether it still runs.
func opens(o *engine.ItemOutcome, settled engine.Standing) bool {
	return settled == "" && (o.Outcome == engine.Unknown || o.KillConfirmed != nil && !*o.KillConfirmed)
}

// close counts a unit whose outcome is on record among those of the item.
func (t *task) close(o *engine.ItemOutcome, tr *trial, settled engine.Standing) {
	open := opens(o, settled)
	e := unitEnd{id: o.Unit, outcome: o.Outcome, cause: o.Cause, reason: o.Reason, began: tr.began, settled: settled, open: open}
	if t.want.any || len(t.item.ExpectAll) > 0 {
		e.data = tr.data
	}
	t.mu.Lock()
	t.units = append(t.units, e)
	if o.Attempts > 0 {
		t.attempts[o.Unit] = o.Attempts
	}
	t.mu.Unlock()
	if open {
		t.r.valve.halt(held, fmt.Sprintf("%s: %s", unitName(o.Unit), reasonOr(o.Reason, string(o.Outcome))), "")
	}
}

// sibling is the task of another item of the runbook: that of the same batch where it has one.
func (t *task) sibling(id runbooks.ItemID) *task {
	if s := t.siblings[id]; s != nil {
		return s
	}
	return t.r.tasks[id]
}

// scopeFor is what the expressions may refer to here: in a batch its hosts, too.
func (t *task) scopeFor(ctx context.Context, es []*expr.Expr) (*expr.Scope, error) {
	names, err := t.r.names.scopeFor(ctx, t.r.book, es)
	if err != nil || t.phase.Rollout == nil {
		return names, err
	}
	return names.With(map[string]expr.Value{"batch": scope.HostList(t.members)}), nil
}

// self is the item as a unit, in its batch where it has one.
func (t *task) self() engine.Unit { return engine.Unit{Item: t.id, Batch: t.batch} }

func unitName(u engine.Unit) string {
	name := string(u.Item)
	if u.Key != "" {
		name += fmt.Sprintf("[%q]", u.Key)
	}
	if u.Host != "" {
		name += " on " + u.Host
	}
	return name
}

// parallel is how many hosts the item works on at once.
func (t *task) parallel() int {
	if t.item.Rollout != nil && t.item.Rollout.Parallel > 0 {
		return t.item.Rollout.Parallel
	}
	if t.phase.Rollout != nil && t.phase.Rollout.Parallel > 0 {
		return t.phase.Rollout.Parallel
	}
	return t.r.cfg.Parallel
}

// hostsOf evaluates a hosts expression. one: it is a single host by its form.
func (t *task) hostsOf(e *expr.Expr, names *expr.Scope) (hosts []*runbooks.Host, one bool, err error) {
	v, err := eval(e, names)
	if err != nil {
		return nil, false, err
	}
	if !v.Known() {
		return nil, false, at(e, expr.ErrUnknown)
	}
	hosts, err = scope.Hosts(t.r.cfg.Project, v)
	if err != nil {
		return nil, false, at(e, err)
	}
	return hosts, !v.IsSequence(), nil
}

// allowed reports the first host that the plan does not name for the item.
func (t *task) allowed(hosts []*runbooks.Host) error {
	for _, h := range hosts {
		if !t.hosts[h.Name] {
			return fmt.Errorf("hosts: %s is not among the candidates of the plan (%s)", h.Name, list(t.plan.Hosts))
		}
	}
	return nil
}

func (r *run) onHost(names *expr.Scope, h *runbooks.Host) *expr.Scope {
	if h == nil {
		return names
	}
	return names.With(map[string]expr.Value{"self": scope.HostValue(h)})
}

// whole records the outcome of the item, keeps its result, and sets its marks.
func (t *task) whole(v verdict, o *engine.ItemOutcome) error {
	if t.before.whole != nil {
		return t.wholeAgain(v)
	}
	if u := t.unfinished(); u != "" {
		return t.hold(fmt.Sprintf("%s was launched, and nobody has found out what became of it: %s", u, reasonOr(v.reason, string(v.outcome))))
	}
	t.outcome = v
	if o == nil {
		o = &engine.ItemOutcome{}
	}
	o.Unit, o.Outcome, o.Cause, o.Reason = t.self(), v.outcome, v.cause, v.reason
	t.excuse(o)
	if o.Outcome == engine.Skipped && v.fails {
		v.outcome, v.cause, v.reason, v.fails = o.Outcome, o.Cause, o.Reason, false
		t.outcome = v
	}
	t.keep(v)
	if err := t.r.emit(o); err != nil {
		return err
	}
	t.r.ends.put(t, o.Hosts)
	if err := t.inherit(t.outcome); err != nil {
		return err
	}
	if t.batch > 0 {
		return nil // the marks are those of the item over all batches
	}
	if v.outcome != engine.Succeeded || v.fails || t.r.dry {
		return nil
	}
	return t.r.marks.set(t.item.Marks, t.id)
}

// keep puts into the book what later expressions may read. In a dry-run, what was not exercised or not judged has no
// result, and so is unknown.
func (t *task) keep(v verdict) {
	if !t.want.any || t.r.dry && (v.outcome == engine.NotExercised || t.work.unjudged && v.outcome == engine.Exercised) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	res := scope.Result{Single: t.single, Unit: scope.Unit{
		Started: t.began(), Outcome: word(v.outcome), OK: v.byHand || word(v.outcome) == string(engine.Succeeded) && !v.fails,
	}}
	units := t.units
	if t.total != nil {
		units = append(slices.Clip(t.total.units), units...) // by_host holds the hosts of earlier batches too
	}
	for _, e := range units {
		addUnit(&res, e, scope.Unit{
			Started: e.began, Outcome: word(e.outcome), Data: e.data,
			OK: e.settled == engine.Done || word(e.outcome) == string(engine.Succeeded),
		})
	}
	t.r.book.put(t.item.ID(), res)
}

// addUnit puts a unit where references find it: under its key and host, and in the short form of a single host.
func addUnit(res *scope.Result, e unitEnd, u scope.Unit) {
	if e.id.Key != "" {
		if res.ByKey == nil {
			res.ByKey = map[string]scope.Result{}
		}
		key := e.id.Key
		inner := res.ByKey[key]
		inner.Single = res.Single
		e.id.Key = ""
		addUnit(&inner, e, u)
		inner.Started = inner.Started || u.Started
		inner.Outcome, inner.OK = u.Outcome, u.OK && (inner.OK || len(inner.ByHost) == 1)
		res.ByKey[key] = inner
		return
	}
	if res.Single || e.id.Host == "" {
		res.Data = u.Data
	}
	if e.id.Host != "" {
		if res.ByHost == nil {
			res.ByHost = map[string]scope.Unit{}
		}
		res.ByHost[e.id.Host] = u
	}
}

// word is an outcome as expressions see it: a check that a dry-run exercised has succeeded.
func word(o engine.Outcome) string {
	if o == engine.Exercised {
		o = engine.Succeeded
	}
	return string(o)
}

// began reports whether anything of the item was really started.
func (t *task) began() bool {
	if !t.item.Kind.OnHosts() {
		return t.begun.Load()
	}
	return slices.ContainsFunc(t.units, func(e unitEnd) bool { return e.began })
}
