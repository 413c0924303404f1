package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// parlour is where people answer: at the terminal of the run, or from another one through its socket, whoever is first.
// It implements engine.People and engine.Approver. Gates and decisions wait for another terminal also where the run has
// none; a manual item does not.
type parlour struct {
	desk *view.Desk
	here bool // the run has a terminal

	// grace is how long an answer waits for its question: what is requested in the journal is asked a moment later.
	grace time.Duration

	mu      sync.Mutex
	open    map[runbooks.ItemID]question
	changed chan struct{} // closed and made anew when a question opens
}

// question is one that waits for an answer from another terminal.
type question struct {
	op     control.Op // approve (which also takes deny), decide, done
	answer chan control.Request
}

func newParlour(desk *view.Desk, here bool) *parlour {
	return &parlour{desk: desk, here: here, grace: 2 * time.Second, open: map[runbooks.ItemID]question{}, changed: make(chan struct{})}
}

// first gives the answer of whoever answers first.
func first[A any](ctx context.Context, p *parlour, item runbooks.ItemID, op control.Op,
	desk func(context.Context) (A, error), remote func(control.Request) A,
) (A, error) {
	q := question{op, make(chan control.Request)}
	p.mu.Lock()
	p.open[item] = q
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.open, item)
		p.mu.Unlock()
	}()
	type said struct {
		a   A
		err error
	}
	atDesk := make(chan said, 1)
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.here {
		go func() {
			a, err := desk(asked)
			atDesk <- said{a, err}
		}()
	}
	select {
	case r := <-q.answer:
		return remote(r), nil
	case s := <-atDesk:
		return s.a, s.err
	case <-ctx.Done():
		var none A
		return none, context.Cause(ctx)
	}
}

// Manual implements engine.People.
func (p *parlour) Manual(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, error) {
	if !p.here {
		return engine.ManualAnswer{}, engine.ErrNobody
	}
	return first(ctx, p, q.Item, control.Done, func(ctx context.Context) (engine.ManualAnswer, error) { return p.desk.Manual(ctx, q) },
		func(r control.Request) engine.ManualAnswer {
			return engine.ManualAnswer{By: r.By, Done: true, Inputs: r.Inputs, Note: r.Reason}
		})
}

// Gate implements engine.Approver.
func (p *parlour) Gate(ctx context.Context, q engine.GateQuestion) (engine.GateWord, error) {
	return first(ctx, p, q.Item, control.Approve, func(ctx context.Context) (engine.GateWord, error) { return p.desk.Gate(ctx, q) },
		func(r control.Request) engine.GateWord {
			if r.Op == control.Deny {
				return engine.GateWord{By: r.By, Deny: true, Reason: r.Reason}
			}
			word := engine.GateWord{By: r.By, Text: q.Request, Signature: []byte(r.Signature)}
			if r.Signed != "" { // another text than the one that is asked for is told by its difference
				word.Text = []byte(r.Signed)
			}
			return word
		})
}

// Decide implements engine.Approver.
func (p *parlour) Decide(ctx context.Context, q engine.DecisionQuestion) (engine.DecisionAnswer, error) {
	return first(ctx, p, q.Item, control.Decide, func(ctx context.Context) (engine.DecisionAnswer, error) { return p.desk.Decide(ctx, q) },
		func(r control.Request) engine.DecisionAnswer {
			return engine.DecisionAnswer{Choice: r.Option, By: r.By, Reason: r.Reason}
		})
}

// Confirm implements engine.Approver. It is the operator's, at the terminal of the run.
func (p *parlour) Confirm(ctx context.Context, q engine.ConfirmQuestion) (engine.ConfirmAnswer, error) {
	if !p.here {
		return engine.ConfirmAnswer{}, engine.ErrNobody
	}
	return p.desk.Confirm(ctx, q)
}

// hand gives an answer from another terminal to the question that it is for.
func (p *parlour) hand(ctx context.Context, r control.Request) control.Response {
	want := r.Op
	if want == control.Deny {
		want = control.Approve
	}
	q, ok := p.find(ctx, runbooks.ItemID(r.Item), want)
	if !ok {
		return control.Response{Error: fmt.Sprintf("%s: the run does not ask for it now", r.Item), Hint: p.asks()}
	}
	select {
	case q.answer <- r:
		return control.Response{OK: true, Text: "handed in; whether it counts is in the journal: `continuo status`"}
	case <-ctx.Done():
		return control.Response{Error: fmt.Sprintf("%s: %v", r.Item, errors.Join(errAnswered, ctx.Err()))}
	}
}

// find waits for a question of that kind, no longer than the grace.
func (p *parlour) find(ctx context.Context, item runbooks.ItemID, op control.Op) (question, bool) {
	ctx, cancel := context.WithTimeout(ctx, p.grace)
	defer cancel()
	for {
		p.mu.Lock()
		q, ok := p.open[item]
		changed := p.changed
		p.mu.Unlock()
		if ok && q.op == op {
			return q, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return q, false
		}
	}
}

var errAnswered = errors.New("somebody else has answered")

// asks is a hint about what is asked for now.
func (p *parlour) asks() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 {
		return "the run asks for nothing now"
	}
	hint := "it asks for:"
	for item, q := range p.open {
		hint += fmt.Sprintf(" %s (continuo %s)", item, q.op)
	}
	return hint
}
