package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// decide has a person choose.
func (t *task) decide(ctx context.Context, names *expr.Scope) error {
	q := engine.DecisionQuestion{
		Item: t.id, Options: t.item.Options, Stops: t.item.Stops, Role: t.item.Role, Members: t.r.members(t.item.Role),
	}
	var err error
	if q.Title, err = evalText(t.item.Title, names); err == nil {
		q.Question, err = evalText(t.item.Question, names)
	}
	if err != nil {
		return t.lacks(causeExpression, err)
	}
	if err := t.begins(); err != nil {
		return err
	}
	if made := t.before.decision; made != nil {
		return t.decided(made.Choice, made.By)
	}
	if t.item.Expires > 0 {
		q.Expires = t.r.cfg.Clock.Now().Add(t.item.Expires).UTC()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.item.Expires)
		defer cancel()
	}
	began := time.Now()
	a, err := t.choice(ctx, q)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return t.whole(verdict{outcome: engine.TimedOut, cause: causeGate, reason: "nobody decided in time", fails: true}, nil)
	case err != nil:
		return err
	}
	made := &engine.DecisionMade{
		Item: t.id, Batch: t.batch, Choice: a.Choice, By: a.By, Signed: a.Signed, Reason: t.r.clip(a.Reason), WaitedNS: time.Since(began),
	}
	if err := t.r.emit(made); err != nil {
		return err
	}
	return t.decided(a.Choice, a.By)
}

// decided ends a decision with what was chosen.
func (t *task) decided(choice, by string) error {
	t.mu.Lock()
	t.units = append(t.units, unitEnd{
		id: t.self(), outcome: engine.Succeeded, began: true, data: map[string]expr.Value{"choice": expr.String(choice)},
	})
	t.mu.Unlock()
	if slices.Contains(t.item.Stops, choice) {
		return t.whole(verdict{outcome: engine.Failed, cause: "decision", reason: fmt.Sprintf("%s decided: %s", by, choice), fails: true}, nil)
	}
	return t.whole(verdict{outcome: engine.Succeeded}, nil)
}

// choice asks until an answer counts.
func (t *task) choice(ctx context.Context, q engine.DecisionQuestion) (engine.DecisionAnswer, error) {
	ctx, done := t.asking(ctx)
	defer done()
	for range mostRefused {
		if t.r.cfg.Approver == nil {
			break
		}
		a, err := t.r.cfg.Approver.Decide(ctx, q)
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return a, context.DeadlineExceeded
		case errors.Is(context.Cause(ctx), errAborted):
			return a, errAborted
		case err != nil:
			return a, t.hold(fmt.Sprintf("%s waits for a decision", t.id))
		case !slices.Contains(q.Options, a.Choice):
			q.Refused = fmt.Sprintf("%q is not one of the options", a.Choice)
		case q.Role != "" && !slices.Contains(q.Members, a.By):
			q.Refused = fmt.Sprintf("%s is not a member of role %s", a.By, q.Role)
		default:
			return a, nil
		}
	}
	return engine.DecisionAnswer{}, t.hold(fmt.Sprintf("nobody to ask for %s", t.id))
}

// confirm has the operator type what the runbook wants typed before the item starts.
func (t *task) confirm(ctx context.Context, names *expr.Scope) (v verdict, err error) {
	if t.item.Typed == nil || t.item.Kind == runbooks.Gate {
		return verdict{}, nil
	}
	text, err := evalText(t.item.Typed, names)
	if err != nil {
		return verdict{outcome: engine.NotReached, cause: causeExpression, reason: t.r.clip(errText(err)), fails: true}, nil
	}
	if t.r.cfg.Approver == nil {
		return verdict{}, t.hold(fmt.Sprintf("%s wants %q typed, and nobody is there", t.id, text))
	}
	ctx, done := t.asking(ctx)
	defer done()
	a, err := t.r.cfg.Approver.Confirm(ctx, engine.ConfirmQuestion{Item: t.id, Text: text})
	if err != nil && errors.Is(context.Cause(ctx), errAborted) {
		v = withdrawn()
		v.outcome = engine.NotReached
		return v, nil
	}
	if err != nil {
		return verdict{}, t.hold(fmt.Sprintf("%s wants %q typed", t.id, text))
	}
	if a.Typed != text {
		return verdict{outcome: engine.NotReached, cause: "confirmation", reason: fmt.Sprintf("%s did not confirm it", reasonOr(a.By, "the operator")), fails: true}, nil
	}
	return verdict{}, t.r.emit(&engine.OperatorAction{Action: engine.ActionConfirm, By: a.By, Item: t.id, Batch: t.batch, Reason: "typed what was asked"})
}
