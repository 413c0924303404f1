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
		Item: t.item.ID(), Options: t.item.Options, Stops: t.item.Stops, Role: t.item.Role, Members: t.r.members(t.item.Role),
	}
	var err error
	if q.Title, err = evalText(t.item.Title, names); err == nil {
		q.Question, err = evalText(t.item.Question, names)
	}
	if err != nil {
		return t.lacks(causeExpression, err)
	}
	if err := t.r.emit(&engine.ItemStarted{Item: t.item.ID()}); err != nil {
		return err
	}
	if err := t.started(); err != nil {
		return err
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
		Item: t.item.ID(), Choice: a.Choice, By: a.By, Signed: a.Signed, Reason: t.r.clip(a.Reason), WaitedNS: time.Since(began),
	}
	if err := t.r.emit(made); err != nil {
		return err
	}
	t.mu.Lock()
	t.units = append(t.units, unitEnd{
		id: engine.Unit{Item: t.item.ID()}, outcome: engine.Succeeded, began: true, data: map[string]expr.Value{"choice": expr.String(a.Choice)},
	})
	t.mu.Unlock()
	if slices.Contains(t.item.Stops, a.Choice) {
		return t.whole(verdict{outcome: engine.Failed, cause: "decision", reason: fmt.Sprintf("%s decided: %s", a.By, a.Choice), fails: true}, nil)
	}
	return t.whole(verdict{outcome: engine.Succeeded}, nil)
}

// choice asks until an answer counts.
func (t *task) choice(ctx context.Context, q engine.DecisionQuestion) (engine.DecisionAnswer, error) {
	for range mostRefused {
		if t.r.cfg.Approver == nil {
			break
		}
		a, err := t.r.cfg.Approver.Decide(ctx, q)
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return a, context.DeadlineExceeded
		case err != nil:
			return a, t.hold(fmt.Sprintf("%s waits for a decision", t.item.ID()))
		case !slices.Contains(q.Options, a.Choice):
			q.Refused = fmt.Sprintf("%q is not one of the options", a.Choice)
		case q.Role != "" && !slices.Contains(q.Members, a.By):
			q.Refused = fmt.Sprintf("%s is not a member of role %s", a.By, q.Role)
		default:
			return a, nil
		}
	}
	return engine.DecisionAnswer{}, t.hold(fmt.Sprintf("nobody to ask for %s", t.item.ID()))
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
		return verdict{}, t.hold(fmt.Sprintf("%s wants %q typed, and nobody is there", t.item.ID(), text))
	}
	a, err := t.r.cfg.Approver.Confirm(ctx, engine.ConfirmQuestion{Item: t.item.ID(), Text: text})
	if err != nil {
		return verdict{}, t.hold(fmt.Sprintf("%s wants %q typed", t.item.ID(), text))
	}
	if a.Typed != text {
		return verdict{outcome: engine.NotReached, cause: "confirmation", reason: fmt.Sprintf("%s did not confirm it", reasonOr(a.By, "the operator")), fails: true}, nil
	}
	return verdict{}, t.r.emit(&engine.OperatorAction{Action: engine.ActionConfirm, By: a.By, Item: t.item.ID(), Reason: "typed what was asked"})
}
