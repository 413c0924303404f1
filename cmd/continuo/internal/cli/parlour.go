package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// parlour is where people answer: at the terminal of the run, or from another one through its socket, whoever is first.
// It implements engine.People, engine.Approver and engine.Operator. What is asked waits for an answer also when the run has
// no terminal, or has lost it: a closed terminal ends nothing.
type parlour struct {
	desk *view.Desk
	// grace is how long an answer waits for its question: what is requested in the journal is asked a moment later.
	grace time.Duration
	// patience is how long a watch waits for a change.
	patience time.Duration

	mu      sync.Mutex
	here    bool // the run has a terminal
	had     bool // it had one when it began
	open    []*question
	version uint64        // counts the changes of open
	changed chan struct{} // closed and made anew with every change
}

// question is one that waits for an answer.
type question struct {
	control.Asked
	item   runbooks.ItemID // empty: of the run as a whole
	op     control.Op      // approve (which also takes deny), decide, done, answer
	answer chan control.Request
	taken  bool // its answer was handed in
}

func newParlour(desk *view.Desk, here bool) *parlour {
	return &parlour{
		desk: desk, here: here, had: here, grace: 2 * time.Second, patience: 20 * time.Second, version: 1, changed: make(chan struct{}),
	}
}

// lose says that the terminal was closed.
func (p *parlour) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.here = false
}

func (p *parlour) present() (here, had bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.here, p.had
}

// change changes what is open and tells whoever waits for that.
func (p *parlour) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.version++
	close(p.changed)
	p.changed = make(chan struct{})
}

// first gives the answer of whoever answers first. A terminal that is lost meanwhile leaves the question to others.
func first[A any](ctx context.Context, p *parlour, q *question, desk func(context.Context) (A, error), remote func(control.Request) A) (A, error) {
	q.answer = make(chan control.Request)
	p.change(func() {
		q.ID = p.version
		p.open = append(p.open, q)
	})
	defer p.change(func() { p.open = slices.DeleteFunc(p.open, func(o *question) bool { return o == q }) })
	type said struct {
		a   A
		err error
	}
	atDesk := make(chan said, 1)
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	if here, _ := p.present(); here {
		go func() {
			a, err := desk(asked)
			atDesk <- said{a, err}
		}()
	}
	for {
		select {
		case r := <-q.answer:
			return remote(r), nil
		case s := <-atDesk:
			if errors.Is(s.err, engine.ErrNobody) || errors.Is(s.err, io.EOF) {
				p.lose()
				continue
			}
			return s.a, s.err
		case <-ctx.Done():
			var none A
			return none, context.Cause(ctx)
		}
	}
}

// Manual implements engine.People.
func (p *parlour) Manual(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, error) {
	return first(ctx, p, &question{item: q.Item, op: control.Done, Asked: control.Asked{Manual: &q}},
		func(ctx context.Context) (engine.ManualAnswer, error) { return p.desk.Manual(ctx, q) },
		func(r control.Request) engine.ManualAnswer {
			return engine.ManualAnswer{By: r.By, Done: r.As != failedWord, Inputs: r.Inputs, Note: r.Reason}
		})
}

// failedWord says in a request that a manual item could not be done.
const failedWord = "failed"

// Gate implements engine.Approver.
func (p *parlour) Gate(ctx context.Context, q engine.GateQuestion) (engine.GateWord, error) {
	return first(ctx, p, &question{item: q.Item, op: control.Approve, Asked: control.Asked{Gate: &q}},
		func(ctx context.Context) (engine.GateWord, error) { return p.desk.Gate(ctx, q) },
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
	return first(ctx, p, &question{item: q.Item, op: control.Decide, Asked: control.Asked{Decision: &q}},
		func(ctx context.Context) (engine.DecisionAnswer, error) { return p.desk.Decide(ctx, q) },
		func(r control.Request) engine.DecisionAnswer {
			return engine.DecisionAnswer{Choice: r.Option, By: r.By, Reason: r.Reason}
		})
}

// Confirm implements engine.Approver. A run that never had a terminal has nobody who could type.
func (p *parlour) Confirm(ctx context.Context, q engine.ConfirmQuestion) (engine.ConfirmAnswer, error) {
	if _, had := p.present(); !had {
		return engine.ConfirmAnswer{}, engine.ErrNobody
	}
	return first(ctx, p, &question{item: q.Item, op: control.Answer, Asked: control.Asked{Confirm: &q}},
		func(ctx context.Context) (engine.ConfirmAnswer, error) { return p.desk.Confirm(ctx, q) },
		func(r control.Request) engine.ConfirmAnswer { return engine.ConfirmAnswer{By: r.By, Typed: r.Typed} })
}

// Failed implements engine.Operator.
func (p *parlour) Failed(ctx context.Context, q engine.FailureQuestion) (engine.FailureAnswer, error) {
	return first(ctx, p, &question{item: q.Item, op: control.Answer, Asked: control.Asked{Failure: &q}},
		func(ctx context.Context) (engine.FailureAnswer, error) { return p.desk.Failed(ctx, q) },
		func(r control.Request) engine.FailureAnswer {
			return engine.FailureAnswer{Action: r.Option, By: r.By, Reason: r.Reason}
		})
}

// Interrupted implements engine.Operator. With nobody at the terminal the run is left, so that a machine that goes down does
// not wait for anybody.
func (p *parlour) Interrupted(ctx context.Context, q engine.InterruptQuestion) (engine.InterruptAnswer, error) {
	if here, _ := p.present(); !here {
		return engine.InterruptAnswer{}, engine.ErrNobody
	}
	return first(ctx, p, &question{op: control.Answer, Asked: control.Asked{Interrupt: &q}},
		func(ctx context.Context) (engine.InterruptAnswer, error) { return p.desk.Interrupted(ctx, q) },
		func(r control.Request) engine.InterruptAnswer {
			return engine.InterruptAnswer{Action: r.Option, By: r.By, Reason: r.Reason}
		})
}

// Settle implements engine.Settler. A run that never had a terminal is held instead: `continuo settle` and `continuo resume`
// go on from there.
func (p *parlour) Settle(ctx context.Context, q engine.SettleQuestion) (engine.SettleAnswer, error) {
	if _, had := p.present(); !had {
		return engine.SettleAnswer{}, engine.ErrNobody
	}
	return first(ctx, p, &question{item: q.Unit.Item, op: control.Settle, Asked: control.Asked{Settle: &q}},
		func(ctx context.Context) (engine.SettleAnswer, error) { return p.desk.Settle(ctx, q) },
		func(r control.Request) engine.SettleAnswer {
			return engine.SettleAnswer{As: r.As, By: r.By, Reason: r.Reason}
		})
}

// watch tells what is asked, once it is not as it was at seen.
func (p *parlour) watch(ctx context.Context, seen uint64) control.Response {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	for {
		p.mu.Lock()
		r := control.Response{OK: true, Version: p.version}
		for _, q := range p.open {
			r.Asked = append(r.Asked, q.Asked)
		}
		changed := p.changed
		p.mu.Unlock()
		if r.Version != seen {
			return r
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return r
		}
	}
}

// hand gives an answer from another terminal to the question that it is for.
func (p *parlour) hand(ctx context.Context, r control.Request) control.Response {
	q, ok := p.find(ctx, r)
	if !ok {
		return control.Response{Error: fmt.Sprintf("%s: the run does not ask for it now", r.Item), Hint: p.asks()}
	}
	select {
	case q.answer <- r:
		p.mu.Lock()
		q.taken = true
		p.mu.Unlock()
		return control.Response{OK: true, Text: "handed in; whether it counts is in the journal: `continuo status`"}
	case <-ctx.Done():
		return control.Response{Error: fmt.Sprintf("%s: %v", r.Item, errors.Join(errAnswered, ctx.Err()))}
	}
}

// settle gives a word about what is unknown to every question that it is for.
func (p *parlour) settle(ctx context.Context, r control.Request) control.Response {
	out := p.hand(ctx, r)
	for out.OK {
		p.mu.Lock()
		n := slices.IndexFunc(p.open, func(q *question) bool { return q.fits(r) && !q.taken })
		p.mu.Unlock()
		if n < 0 {
			break
		}
		out = p.hand(ctx, r)
	}
	return out
}

// fits reports whether an answer is for this question.
func (q *question) fits(r control.Request) bool {
	if r.Op == control.Answer {
		return q.op == control.Answer && q.ID == r.ID
	}
	if u := q.Settle; u != nil && (r.Host != "" && r.Host != u.Unit.Host || r.Key != "" && r.Key != u.Unit.Key) {
		return false
	}
	return string(q.item) == r.Item && (q.op == r.Op || q.op == control.Approve && r.Op == control.Deny)
}

// find waits for the question that an answer is for, no longer than the grace.
func (p *parlour) find(ctx context.Context, r control.Request) (*question, bool) {
	ctx, cancel := context.WithTimeout(ctx, p.grace)
	defer cancel()
	for {
		p.mu.Lock()
		n := slices.IndexFunc(p.open, func(q *question) bool { return q.fits(r) && !q.taken })
		var q *question
		if n >= 0 {
			q = p.open[n]
		}
		changed := p.changed
		p.mu.Unlock()
		if q != nil {
			return q, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, false
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
	for _, q := range p.open {
		command := q.op
		if command == control.Answer {
			command = "attach"
		}
		hint += fmt.Sprintf(" %s (continuo %s)", q.item, command)
	}
	return hint
}
