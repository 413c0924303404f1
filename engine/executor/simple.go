package executor

import (
	"context"
	"errors"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// assert evaluates one expression. In a dry-run it may be undetermined.
func (t *task) assert(names *expr.Scope) error {
	if err := t.r.emit(&engine.ItemStarted{Item: t.id, Batch: t.batch}); err != nil {
		return err
	}
	js := judgements([]runbooks.Validation{{Condition: t.item.Condition, Message: t.item.Message, Range: t.item.Range}})
	if t.r.dry {
		if _, err := evalTruth(t.item.Condition, names); unknown(err) {
			return t.whole(verdict{outcome: engine.NotExercised, cause: engine.CauseDryRun, reason: "undetermined: it needs what a dry-run leaves out"}, nil)
		}
	}
	seen, failed := t.r.expect(js, names, nil)
	out := &engine.ItemOutcome{Expectations: seen}
	if failed != "" {
		return t.whole(verdict{outcome: engine.Failed, cause: causeOf(seen), reason: failed, fails: true}, out)
	}
	return t.whole(verdict{outcome: t.done()}, out)
}

// done is the word for an item without hosts that holds.
func (t *task) done() engine.Outcome {
	if t.r.dry {
		return engine.Exercised
	}
	return engine.Succeeded
}

// wait lets time pass. A stopped run cuts it short.
func (t *task) wait(ctx context.Context, names *expr.Scope) error {
	v, err := eval(t.item.Duration, names)
	if err != nil {
		return t.lacks(causeExpression, err)
	}
	d, err := runbooks.WaitDuration(v)
	if err != nil {
		return t.lacks(causeExpression, err)
	}
	if err := t.begins(); err != nil {
		return err
	}
	if err := pause(ctx, t.waitLeft(d)); err != nil {
		if errors.Is(err, errLeft) {
			return err
		}
		return t.whole(verdict{outcome: engine.Failed, cause: causeKilled, reason: "cut short by the operator", fails: true}, nil)
	}
	return t.whole(verdict{outcome: engine.Succeeded}, &engine.ItemOutcome{DurationNS: d})
}

// manual asks people to do something and to say so. With nobody to ask, the item stays open and the run is left.
func (t *task) manual(ctx context.Context, names *expr.Scope) error {
	q, err := t.question(names)
	if err != nil {
		return t.lacks(causeExpression, err)
	}
	if err := t.begins(); err != nil {
		return err
	}
	if t.before.begun {
		t.r.trail.restore(trailStep{t: t, id: t.self(), order: t.before.begunSeq})
	} else {
		t.r.trail.add(trailStep{t: t, id: t.self()})
	}
	answer, inputs, err := t.people(ctx, q)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.units = append(t.units, unitEnd{id: t.self(), outcome: engine.Succeeded, began: true, data: map[string]expr.Value{
		"inputs": expr.Object(inputs), "done_by": expr.String(answer.By),
	}})
	t.mu.Unlock()
	if !answer.Done {
		return t.whole(verdict{outcome: engine.Failed, cause: "person", reason: t.r.clip(reasonOr(answer.Note, "it could not be done")), fails: true}, nil)
	}
	return t.whole(verdict{outcome: engine.Succeeded}, nil)
}
