package executor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// trail remembers the units that started, in order: the way back is the way there, reversed.
type trail struct {
	mu    sync.Mutex
	steps []trailStep
	known map[trailKey]bool // units of steps
	open  []engine.Unit     // of a run that is rolled back by another one: nobody knows how they ended
	why   string            // why to go back; empty: nobody wants to
	by    string
}

// trailStep is a unit that started.
type trailStep struct {
	t    *task
	id   engine.Unit
	host *runbooks.Host
	each expr.Value
	// order is that of the starts: the event of those on record, what this controller starts after them.
	order uint64
}

// firstOrder comes after every event of a journal.
const firstOrder = 1 << 62

// add notes that a unit starts. One that is tried again has started already: it goes back once.
func (l *trail) add(s trailStep) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.order = firstOrder + uint64(len(l.steps))
	l.note(s)
}

// restore adds a unit whose start is on record.
func (l *trail) restore(s trailStep) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(s)
}

func (l *trail) note(s trailStep) {
	key := trailKey{s.t, s.id}
	if l.known == nil {
		l.known = map[trailKey]bool{}
	}
	if !l.known[key] {
		l.known[key] = true
		l.steps = append(l.steps, s)
	}
}

// drop forgets units.
func (l *trail) drop(which func(engine.Unit) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = slices.DeleteFunc(l.steps, func(s trailStep) bool { return which(s.id) })
}

// trailKey is what a step of the trail is of.
type trailKey struct {
	t  *task
	id engine.Unit
}

// want asks for a rollback when the phases have come to their stop. The first reason is kept.
func (l *trail) want(why, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == "" {
		l.why, l.by = why, by
	}
}

func (l *trail) wanted() (why, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why, l.by
}

// changed are the steps that may have changed something, in order of start: not those that were skipped or provably never
// started.
func (l *trail) changed() []trailStep {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(l.steps, func(a, b trailStep) int { return cmp.Compare(a.order, b.order) })
	ends := map[*task]map[engine.Unit]*unitEnd{}
	var out []trailStep
	for _, s := range l.steps {
		if ends[s.t] == nil {
			ends[s.t] = map[engine.Unit]*unitEnd{}
			for n := range s.t.units {
				ends[s.t][s.t.units[n].id] = &s.t.units[n]
			}
		}
		if e := ends[s.t][s.id]; e != nil && e.mayHaveChanged() {
			out = append(out, s)
		}
	}
	return out
}

func (e *unitEnd) mayHaveChanged() bool {
	switch e.outcome {
	case engine.Succeeded, engine.Failed, engine.TimedOut:
		return true
	case engine.Unknown:
		return e.settled != ""
	default:
		return false // nothing was launched, or it does not change
	}
}

// wayBack is what a rollback will do.
type wayBack struct {
	steps []trailStep // to roll back, the last started first
	kept  []trailStep // at and before the point of no return
	until *task       // the last irreversible step that started
}

// wayBack divides what changed at the first start of the last irreversible step.
func (l *trail) wayBack() wayBack {
	all := l.changed()
	point := -1
	var w wayBack
	first := map[*task]int{}
	for n, s := range all {
		if _, ok := first[s.t]; !ok {
			first[s.t] = n
			if s.t.item.Irreversible {
				point, w.until = n, s.t
			}
		}
	}
	for n, s := range slices.Backward(all) {
		if n <= point || w.until != nil && s.t == w.until {
			w.kept = append(w.kept, s)
		} else {
			w.steps = append(w.steps, s)
		}
	}
	return w
}

// rollback undoes what may have changed something, the last started first. A rollback that fails stops it and holds the
// run; so does the point of no return, unless a person says to go past it.
func (r *run) rollback() error {
	why, by := r.trail.wanted()
	if why == "" || r.dry {
		return nil
	}
	r.newWork()
	w := r.trail.wayBack()
	begin, err := r.rollbackPast(w)
	if err != nil || begin == rollbackOver {
		return err
	}
	started := &engine.RollbackStarted{Reason: r.clip(why), By: by, Units: len(w.steps)}
	if w.until != nil {
		started.Until = w.until.id
	}
	if begin == rollbackAnew {
		if err := r.emit(started); err != nil {
			return err
		}
	}
	ended := &engine.RollbackEnded{Left: slices.Clone(r.trail.open)}
	err = r.goBack(w.steps, ended)
	if err == nil && ended.Held == "" && len(w.kept) > 0 {
		err = r.pastNoReturn(w, ended)
	} else {
		ended.Left = append(ended.Left, unitsOf(w.kept)...)
	}
	if fatal(err) || errors.Is(err, errLeft) {
		return err
	}
	ended.Held = r.clip(ended.Held)
	if err := r.emit(ended); err != nil {
		return err
	}
	if ended.Held != "" {
		r.valve.halt(held, ended.Held, "")
		return errLeft
	}
	return nil
}

// pastNoReturn asks whether to undo also what lies before the last irreversible step.
func (r *run) pastNoReturn(w wayBack, ended *engine.RollbackEnded) error {
	q := engine.FailureQuestion{
		Item: w.until.id, Options: []string{engine.ActionRollback, engine.ActionSkip, engine.ActionLeave},
		Outcome: engine.ItemOutcome{
			Unit: w.until.self(), Outcome: w.until.outcome.outcome,
			Reason: "the rollback has come to the point of no return",
		},
	}
	ended.Held = fmt.Sprintf("the rollback stopped at the point of no return, %s: what is before it is not rolled back", w.until.id)
	a := engine.FailureAnswer{Action: r.past.beyond(w.until.id)}
	known := a.Action != ""
	if r.cfg.Operator != nil && !known {
		var err error
		if a, err = r.cfg.Operator.Failed(r.stay, q); err != nil {
			a = engine.FailureAnswer{}
		}
	}
	if a.Action != engine.ActionRollback && a.Action != engine.ActionSkip {
		ended.Left = append(ended.Left, unitsOf(w.kept)...)
		return nil
	}
	act := &engine.OperatorAction{Action: a.Action, By: a.By, Item: q.Item, Reason: r.cfg.Redactor.Redact(a.Reason)}
	if !known {
		if err := r.emit(act); err != nil {
			return err
		}
	}
	ended.Held = ""
	if a.Action == engine.ActionSkip {
		ended.Left = append(ended.Left, unitsOf(w.kept)...)
		return nil
	}
	return r.goBack(w.kept, ended)
}

func unitsOf(steps []trailStep) []engine.Unit {
	out := make([]engine.Unit, 0, len(steps))
	for _, s := range steps {
		out = append(out, s.id)
	}
	return out
}

// goBack rolls back steps in the order given; neighbours of one item at once. It stops at the first that fails.
func (r *run) goBack(steps []trailStep, ended *engine.RollbackEnded) error {
	for n := 0; n < len(steps); {
		end := n + 1
		for end < len(steps) && steps[end].t == steps[n].t { // of one batch, where there are several
			end++
		}
		if err := r.undo(steps[n:end], ended); err != nil {
			return err
		}
		n = end
		if ended.Held != "" {
			ended.Left = append(ended.Left, unitsOf(steps[n:])...)
			return nil
		}
	}
	return nil
}

// undo rolls back units of one item.
func (r *run) undo(steps []trailStep, ended *engine.RollbackEnded) error {
	t := steps[0].t
	if !t.reversible() {
		ended.Left = append(ended.Left, unitsOf(steps)...)
		return nil
	}
	ctx, _ := r.working()
	es := t.item.Rollback.Exprs()
	if t.item.Rollback == nil {
		es = t.item.Exprs()
	}
	names, err := t.scopeFor(ctx, es)
	if err != nil {
		ended.Held = fmt.Sprintf("rollback of %s: %s", t.id, errText(err))
		ended.Failed = append(ended.Failed, unitsOf(steps)...)
		return nil
	}
	var mu sync.Mutex
	return each(steps, t.parallel(), func(s trailStep) error {
		why, err := t.undoUnit(ctx, s, names)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if why == "" {
			ended.Done = append(ended.Done, s.id)
			return nil
		}
		ended.Failed = append(ended.Failed, s.id)
		ended.Held = reasonOr(ended.Held, fmt.Sprintf("rollback of %s: %s", unitName(s.id), why))
		return nil
	})
}

// reversible reports whether there is a way back: the author's, or a transfer's own backup.
func (t *task) reversible() bool {
	return t.item.Rollback != nil || t.item.Kind == runbooks.Transfer && t.item.Backup
}

// undoUnit rolls one unit back and says why it could not.
func (t *task) undoUnit(ctx context.Context, s trailStep, names *expr.Scope) (why string, err error) {
	if t.settledBack(s.id) {
		return "", nil
	}
	if t.item.Kind == runbooks.Manual {
		return t.undoManual(ctx, names)
	}
	if !s.each.Absent() {
		names = names.With(map[string]expr.Value{"each": s.each})
	}
	names = t.r.onHost(names, s.host)
	hosts := []*runbooks.Host{s.host}
	if part := t.item.Rollback; part != nil && part.Hosts != nil && part.Hosts != t.item.Hosts {
		if hosts, _, err = t.hostsOf(part.Hosts, names); err != nil {
			return errText(err), nil
		}
	}
	first := 1
	for _, h := range hosts {
		l := launch{w: t.rollbackWork, unit: s.id, host: h, names: t.r.onHost(names, h), first: first, started: func() error { return nil }}
		if t.item.Rollback == nil {
			l.make = func() (rendered, error) { return t.restore(s.id, l.names) }
		}
		tr, n, err := t.undoOn(ctx, l)
		if errors.Is(err, errStopped) {
			return "it was killed", nil
		}
		if err != nil {
			return "", err
		}
		first += n
		if !tr.ok() {
			return reasonOr(tr.reason, string(tr.outcome)), nil
		}
	}
	return "", nil
}

// undoManual asks people to undo what they did.
func (t *task) undoManual(ctx context.Context, names *expr.Scope) (why string, err error) {
	text, err := evalText(t.item.Rollback.Text, names)
	if err != nil {
		return errText(err), nil
	}
	if m := t.before.undone; m != nil && (m.Done || !t.undoAgain(t.self())) {
		if !m.Done {
			why = reasonOr(m.Note, "it could not be undone")
		}
		return why, nil
	}
	if t.r.cfg.People == nil {
		return "nobody to ask", nil
	}
	owner, err := evalText(t.item.Owner, names)
	if err != nil {
		return errText(err), nil
	}
	asked := time.Now()
	a, err := t.r.cfg.People.Manual(ctx, engine.ManualQuestion{
		Item: t.id, Part: engine.PartRollback, Title: "Undo " + string(t.id), Instructions: text, Owner: owner,
	})
	if err != nil {
		return err.Error(), nil //nolint:nilerr // it is why the rollback stops, not a fault of the controller
	}
	err = t.r.emit(&engine.ManualDone{
		Item: t.id, Batch: t.batch, Part: engine.PartRollback, By: a.By, Signed: a.Signed, Done: a.Done,
		Note: t.r.cfg.Redactor.Redact(a.Note), WaitedNS: time.Since(asked),
	})
	if !a.Done {
		why = reasonOr(a.Note, "it could not be undone")
	}
	return why, err
}
