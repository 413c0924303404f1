package executor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// pastGate is the last request of a gate with the approvals on record, which are verified again; nil when there is none, or
// its text is gone.
func (t *task) pastGate() *approval.Gate {
	q := t.before.request()
	if q == nil {
		return nil
	}
	text, ok := q.request.Request, true
	if sum, long := strings.CutPrefix(text, artifactRef); long {
		text, ok = t.r.artifact(sum)
	}
	req, err := approval.ParseRequest([]byte(text))
	if err != nil || !ok {
		return nil
	}
	t.r.gates.mu.Lock()
	operators := slices.Clone(t.r.gates.operators)
	t.r.gates.mu.Unlock()
	g := approval.NewGate(req, t.r.members(req.Role), nil)
	for _, x := range q.grants {
		signature, ok := x.Signature, true
		if sum, long := strings.CutPrefix(signature, artifactRef); long {
			signature, ok = t.r.artifact(sum)
		}
		if ok && t.r.cfg.Verifier != nil {
			_, _ = g.Add(t.r.cfg.Verifier, nil, []byte(signature), x.at) // one that does not hold any more does not count any more
		}
	}
	for _, o := range operators {
		g.Steered(o)
	}
	switch {
	case q.used:
		g.Spend()
	case q.denied != nil:
		_ = g.Deny(q.denied.By, t.r.past.began) // it was waiting then
	case q.expired:
		g.Expire()
	}
	return g
}

// openRequest is the request that an earlier controller asked and that can still be answered; nil: it is asked anew.
func (t *task) openRequest() *approval.Gate {
	q := t.before.request()
	if q == nil || q.denied != nil || q.expired || q.used {
		return nil
	}
	g := t.pastGate()
	if g == nil {
		return nil
	}
	switch g.State(t.r.cfg.Clock.Now()) {
	case approval.Waiting, approval.Open:
		return g
	default:
		return nil
	}
}

// askAgain asks a gate anew whose approval, given to an earlier controller, was never used and is over. The gate's outcome
// stays; what counts is in the approvals. why is not empty when it did not open.
func (t *task) askAgain(ctx context.Context) (why string, err error) {
	names, err := t.scopeFor(ctx, t.item.Exprs())
	if err != nil {
		return t.r.clip(errText(err)), nil
	}
	g, q, err := t.posed(names)
	if err != nil {
		if fatal(err) && t.r.rec.failed() != nil {
			return "", err
		}
		return t.r.clip(errText(err)), nil
	}
	if !g.Reachable() {
		return fmt.Sprintf("%s: too few members of role %s who are not operators of this run", t.id, g.Request.Role), nil
	}
	ctx, cancel := t.until(ctx, g)
	defer cancel()
	v, err := t.gather(ctx, g, q)
	if err == nil && v.outcome == "" {
		v = t.recheck(ctx, g)
	}
	if err != nil || v.outcome != engine.Succeeded {
		return fmt.Sprintf("%s: %s", t.id, v.reason), err
	}
	return "", nil
}

// until bounds how long approvals are waited for.
func (t *task) until(ctx context.Context, g *approval.Gate) (context.Context, context.CancelFunc) {
	if g.Request.ApproveBy.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, g.Request.ApproveBy)
}

// saidBefore are the people who have said that a manual item is done, to an earlier controller, with the inputs of the last.
// over: nobody else is needed.
func (t *task) saidBefore() (said []string, last *engine.ManualDone, over bool) {
	for _, m := range t.before.manual {
		said, last = append(said, m.By), m
	}
	return said, last, last != nil && (!last.Done || len(said) >= max(1, t.item.People))
}

// waitLeft is how much of a wait is left, by the wall clock.
func (t *task) waitLeft(d time.Duration) time.Duration {
	if !t.before.begun {
		return d
	}
	return min(d, max(0, d-t.r.cfg.Clock.Now().Sub(t.before.begunAt)))
}

// pastTurn is what an earlier controller decided about a phase, told by its items. Not ok: nothing of it is on record.
func (s *schedule) pastTurn() (turn phaseTurn, ok bool) {
	for _, t := range s.tasks {
		b := t.before
		switch {
		case b.begun:
			return phaseTurn{}, true
		case b.whole != nil && b.whole.Outcome == engine.Skipped && b.whole.Cause == causePhase:
			return phaseTurn{skip: true, reason: b.whole.Reason}, true
		case b.whole != nil && t.item.Kind != runbooks.Call:
			ok = ok || b.whole.Outcome != engine.NotReached
		}
	}
	return phaseTurn{}, ok
}
