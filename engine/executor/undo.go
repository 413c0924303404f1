package executor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// ofAnother is the past of a run that rolls back another one: what that one did, and of this one what is on record already.
func ofAnother(cfg *Config) (*past, error) {
	opened, ok := cfg.Undo.Events[0].Payload.(*engine.RunOpened)
	if !ok {
		return nil, fmt.Errorf("%w: the events of the run to roll back do not begin with run.opened", ErrConfig)
	}
	cfg.Undo.nonce = opened.Nonce
	p := newPast(cfg.Undo.Events)
	if p.gone != nil {
		cfg.Undo.undone = p.gone.Done
	}
	*p = past{
		began: p.began, items: p.items, attempts: map[engine.AttemptID]*pastAttempt{}, measured: p.measured, noted: p.noted,
		marks: p.marks, markSeq: p.markSeq, rollouts: p.rollouts, batches: p.batches,
	}
	for _, i := range p.items {
		for _, u := range i.units {
			u.attempts = slices.DeleteFunc(u.attempts, func(a *pastAttempt) bool { return a.intent.Part == engine.PartRollback })
			u.undone = nil
		}
	}
	if cfg.Resume == nil {
		return p, nil
	}
	if opened, ok = cfg.Resume.Events[0].Payload.(*engine.RunOpened); !ok {
		return nil, fmt.Errorf("%w: the events do not begin with run.opened", ErrConfig)
	}
	cfg.Opened = *opened
	for _, e := range cfg.Resume.Events {
		p.take(e)
	}
	return p, nil
}

// undoAll rolls back what another run did. Nothing else of the runbook runs: no phase, no cleanup.
func (r *run) undoAll() error {
	open, err := r.reload()
	if err != nil {
		return err
	}
	undone := r.cfg.Undo.undone
	r.trail.drop(func(u engine.Unit) bool { return slices.Contains(undone, u) })
	r.trail.open = open
	r.trail.want(reasonOr(r.cfg.Undo.Reason, "the run is rolled back"), r.cfg.Opened.Operator)
	return r.rollback()
}

// reload loads all that another run did, in order, and returns the units whose end nobody knows.
func (r *run) reload() ([]engine.Unit, error) {
	var open []engine.Unit
	for _, p := range r.cfg.Runbook.Phases {
		for _, i := range p.Items {
			for _, t := range r.instances(p, i) {
				more, err := t.reload(r.stay)
				if err != nil {
					return nil, err
				}
				open = append(open, more...)
			}
		}
	}
	return open, nil
}

// instances are the item, or the item in each batch that is on record.
func (r *run) instances(p *runbooks.Phase, i *runbooks.Item) []*task {
	out := []*task{r.tasks[i.ID()]}
	if p.Rollout == nil {
		return out
	}
	for n := 1; ; n++ {
		before, ok := r.past.items[engine.Unit{Item: r.full(i.ID()), Batch: n}]
		if !ok {
			return out
		}
		t := newTask(r, p, i, false)
		t.batch, t.before = n, before
		out = append(out, t)
	}
}

// reload loads one item of another run.
func (t *task) reload(ctx context.Context) ([]engine.Unit, error) {
	b := t.before
	if !b.known() {
		return nil, nil
	}
	if b.whole == nil {
		b.whole = &engine.ItemOutcome{Unit: t.self(), Outcome: engine.Failed, Reason: "its run was given up"}
	}
	if t.item.Kind == runbooks.Call {
		return t.reloadCall(ctx)
	}
	var open []engine.Unit
	if t.item.Kind.OnHosts() {
		open = t.unknowns()
		names := t.pastNames(ctx)
		if err := t.load(t.pastElements(names), names); err != nil {
			return nil, err
		}
		t.recallSole(names)
	} else {
		t.recallPeople()
	}
	t.begun.Store(b.begun)
	t.outcome = t.pastVerdict()
	t.keep(t.outcome)
	return open, nil
}

// unknowns are the units of which the other run did not say how they ended. What was launched and has an attempt's outcome on
// record ended as that says.
func (t *task) unknowns() []engine.Unit {
	var open []engine.Unit
	for _, id := range t.before.order {
		u := t.before.units[id]
		attempts := u.current()
		if u.outcome == nil && len(attempts) > 0 {
			if u.outcome = attempts[len(attempts)-1].outcome; u.outcome == nil {
				u.outcome = &engine.ItemOutcome{Unit: id, Outcome: engine.Unknown}
			}
		}
		if u.open() {
			open = append(open, id)
		}
	}
	return open
}

func (t *task) reloadCall(ctx context.Context) ([]engine.Unit, error) {
	names, err := t.scopeFor(ctx, t.exprs())
	if err != nil {
		return nil, fmt.Errorf("%w: %s cannot be taken up: %w", ErrConfig, t.id, err)
	}
	child, err := t.child(names)
	if err != nil {
		return nil, fmt.Errorf("%w: %s cannot be taken up: %w", ErrConfig, t.id, err)
	}
	open, err := child.reload()
	if err != nil {
		return nil, err
	}
	t.take(child)
	t.outcome = t.pastVerdict()
	t.keep(t.outcome)
	return open, nil
}

// backupNonce is that of the run that made the backups of transfers: they bear it in their names.
func (r *run) backupNonce() string {
	if u := r.top().cfg.Undo; u != nil {
		return u.nonce
	}
	return r.cfg.Opened.Nonce
}

// stored reads a text of the record, or of that of the run that is rolled back.
func (r *run) stored(sum string) ([]byte, error) {
	cfg := r.top().cfg
	if cfg.Resume != nil && cfg.Resume.Artifact != nil {
		if data, err := cfg.Resume.Artifact(sum); err == nil {
			return data, nil
		}
	}
	if cfg.Undo != nil && cfg.Undo.Artifact != nil {
		return cfg.Undo.Artifact(sum)
	}
	return nil, fmt.Errorf("no artifact %s", strings.TrimSpace(sum))
}
