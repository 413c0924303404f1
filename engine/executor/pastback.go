package executor

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// rollbackBegin is how a rollback begins when it may have begun before.
type rollbackBegin int

const (
	rollbackAnew rollbackBegin = iota // nothing of it is on record, or a stopped one goes on
	rollbackGoOn                      // an earlier controller died on the way back
	rollbackOver                      // it has come to its end
)

// rollbackPast says where the way back stands. A rollback that failed goes on when a person has said how; with nobody there
// the run stays held, and the reason says what to do.
func (r *run) rollbackPast(w wayBack) (rollbackBegin, error) {
	p := r.past
	switch {
	case p == nil || p.wayBack == nil:
		return rollbackAnew, nil
	case p.gone == nil:
		return rollbackGoOn, nil
	case p.gone.Held == "":
		return rollbackOver, nil
	case len(p.gone.Failed) == 0: // it stopped at the point of no return, which is asked about again
		if w.until == nil {
			return rollbackAnew, nil
		}
		if p.beyond(w.until.id) == "" && r.cfg.Operator == nil {
			return r.stayHeld(p.gone.Held)
		}
		return rollbackAnew, nil
	}
	return r.afterFailedRollback(p.gone)
}

// stayHeld leaves the run as it was left.
func (r *run) stayHeld(why string) (rollbackBegin, error) {
	r.valve.halt(held, why, "")
	return rollbackOver, errLeft
}

// afterFailedRollback goes by what people said about the units whose rollback failed, and asks where they said nothing.
func (r *run) afterFailedRollback(gone *engine.RollbackEnded) (rollbackBegin, error) {
	var open []engine.Unit
	for _, id := range gone.Failed {
		t := r.taskOf(id.Item, id.Batch)
		if t == nil {
			return r.stayHeld(gone.Held)
		}
		switch u := t.before.units[id]; {
		case u != nil && u.undone != nil && u.undone.As == engine.Fails:
			return rollbackOver, nil // it stays as it is
		case u != nil && u.undone != nil, t.undoAgain(id):
		default:
			open = append(open, id)
		}
	}
	if len(open) == 0 {
		return rollbackAnew, nil
	}
	if r.cfg.Operator == nil {
		return r.stayHeld(gone.Held)
	}
	return r.askFailedRollback(gone, open)
}

// askFailedRollback asks what is to be done about a rollback that failed.
func (r *run) askFailedRollback(gone *engine.RollbackEnded, open []engine.Unit) (rollbackBegin, error) {
	q := engine.FailureQuestion{
		Item:    open[0].Item,
		Outcome: engine.ItemOutcome{Unit: open[0], Part: engine.PartRollback, Outcome: engine.Failed, Reason: gone.Held},
		Options: []string{engine.ActionRetry, engine.ActionByHand, engine.ActionSkip, engine.ActionLeave},
	}
	for _, id := range open {
		q.Units = append(q.Units, engine.ItemOutcome{Unit: id, Part: engine.PartRollback, Outcome: engine.Failed, Reason: "not rolled back"})
	}
	a, err := r.cfg.Operator.Failed(r.stay, q)
	if err != nil || !slices.Contains(q.Options, a.Action) || a.Action == engine.ActionLeave {
		return r.stayHeld(gone.Held)
	}
	r.gates.steered(a.By)
	reason := r.cfg.Redactor.Redact(a.Reason)
	for _, id := range open {
		if err := r.saidOfRollback(id, a, reason); err != nil {
			return rollbackOver, err
		}
	}
	if a.Action == engine.ActionSkip {
		return rollbackOver, nil
	}
	return rollbackAnew, nil
}

// saidOfRollback records what a person said of one unit, and keeps it.
func (r *run) saidOfRollback(id engine.Unit, a engine.FailureAnswer, reason string) error {
	if a.Action == engine.ActionRetry {
		act := engine.OperatorAction{Action: engine.ActionUndoAgain, By: a.By, Item: id.Item, Batch: id.Batch, Key: id.Key, Host: id.Host, Reason: reason}
		r.past.backActions = append(r.past.backActions, pastAction{act, math.MaxUint64})
		return r.emit(&act)
	}
	s := &engine.ItemSettled{Unit: id, Part: engine.PartRollback, As: engine.Done, By: a.By, Signed: a.Signed, Reason: reason}
	if a.Action == engine.ActionSkip {
		s.As = engine.Fails
	}
	r.taskOf(id.Item, id.Batch).before.unit(id).undone = s
	return r.emit(s)
}

// beyond is what a person said about the point of no return, since the rollback began: rollback, skip or "".
func (p *past) beyond(id runbooks.ItemID) string {
	if p == nil {
		return ""
	}
	for _, a := range slices.Backward(p.backActions) {
		if a.Item == id && a.Host == "" && (a.Action == engine.ActionRollback || a.Action == engine.ActionSkip) {
			return a.Action
		}
	}
	return ""
}

// settledBack reports whether a person said that the unit was rolled back by hand.
func (t *task) settledBack(id engine.Unit) bool {
	u := t.before.units[id]
	return u != nil && u.undone != nil && u.undone.As == engine.Done
}

// undoAgain reports whether a person has the unit's rollback tried again, after its last attempt.
func (t *task) undoAgain(id engine.Unit) bool {
	if t.r.past == nil {
		return false
	}
	var last uint64
	if u := t.before.units[id]; u != nil {
		for _, a := range u.attempts {
			last = max(last, a.seq)
		}
	}
	return slices.ContainsFunc(t.r.past.backActions, func(a pastAction) bool {
		return a.seq > last && a.Action == engine.ActionUndoAgain && a.About() == id
	})
}

// undoOn rolls a unit back on one host. Attempts on record are not made again; one that failed is followed by a further one
// where there is one on record, or a person wants it.
func (t *task) undoOn(ctx context.Context, l launch) (tr *trial, attempts int, err error) {
	var past *pastUnit
	if u := t.before.units[l.unit]; u != nil {
		past = u
	}
	wanted := t.undoAgain(l.unit)
	for {
		tr, n, err := t.r.perform(ctx, l)
		attempts += n
		if err != nil || tr.ok() || !past.onRecord(l.first+n-1) {
			return tr, attempts, err
		}
		if !past.onRecord(l.first+n) && !wanted {
			return tr, attempts, err
		}
		l.first += n
	}
}

// onRecord reports whether an attempt of the unit's rollback has an intent.
func (u *pastUnit) onRecord(number int) bool {
	if u == nil {
		return false
	}
	return slices.ContainsFunc(u.attempts, func(a *pastAttempt) bool {
		return a.intent.Part == engine.PartRollback && a.intent.Attempt == number
	})
}

// taskOf finds an item by its id with the call path, in this run or in one that it called.
func (r *run) taskOf(id runbooks.ItemID, batch int) *task {
	for _, s := range r.trail.steps {
		if s.t.id == id && s.t.batch == batch {
			return s.t
		}
	}
	if local, ok := strings.CutPrefix(string(id), r.prefix); ok {
		return r.tasks[runbooks.ItemID(local)]
	}
	return nil
}
