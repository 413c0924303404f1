package cli

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
)

// until hands in an answer; it waits until the run asks for it.
func until(t *testing.T, p *parlour, r control.Request) {
	t.Helper()
	p.grace = time.Minute
	require.True(t, p.hand(t.Context(), r).OK)
}

func TestParlourTakesAnswersFromAnotherTerminal(t *testing.T) {
	t.Parallel()
	p := newParlour(nil, false)
	words := make(chan engine.GateWord, 2)
	go func() {
		for range 2 {
			w, err := p.Gate(context.Background(), engine.GateQuestion{Item: "gate.promote", Request: []byte("text")})
			if err == nil {
				words <- w
			}
		}
		close(words)
	}()
	until(t, p, control.Request{Op: control.Approve, Item: "gate.promote", By: "ann", Signature: "sig"})
	require.Equal(t, engine.GateWord{By: "ann", Text: []byte("text"), Signature: []byte("sig")}, <-words)
	until(t, p, control.Request{Op: control.Deny, Item: "gate.promote", By: "bob", Reason: "no"})
	require.Equal(t, engine.GateWord{By: "bob", Deny: true, Reason: "no"}, <-words)

	choice := make(chan engine.DecisionAnswer, 1)
	go func() {
		a, err := p.Decide(context.Background(), engine.DecisionQuestion{Item: "decision.way"})
		if err == nil {
			choice <- a
		}
		close(choice)
	}()
	until(t, p, control.Request{Op: control.Decide, Item: "decision.way", By: "ann", Option: "go", Reason: "time"})
	require.Equal(t, engine.DecisionAnswer{Choice: "go", By: "ann", Reason: "time"}, <-choice)
}

func TestParlourRefusesWhatIsNotAsked(t *testing.T) {
	t.Parallel()
	p := newParlour(nil, false)
	p.grace = 0
	got := p.hand(t.Context(), control.Request{Op: control.Done, Item: "manual.smoke"})
	require.Equal(t, control.Response{Error: "manual.smoke: the run does not ask for it now", Hint: "the run asks for nothing now"}, got)
	_, err := p.Confirm(t.Context(), engine.ConfirmQuestion{})
	require.ErrorIs(t, err, engine.ErrNobody)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = p.Gate(ctx, engine.GateQuestion{Item: "gate.promote"})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, p.open, "a question that ended is not open")
}

// What nobody knows is settled by a word for one host, or by one for all that are asked about. A run that never had a terminal
// asks nobody: it is held.
func TestParlourSettles(t *testing.T) {
	t.Parallel()
	_, err := newParlour(nil, false).Settle(t.Context(), engine.SettleQuestion{})
	require.ErrorIs(t, err, engine.ErrNobody)

	p := newParlour(nil, false)
	p.had = true // its terminal was closed
	got := make(map[string]chan engine.SettleAnswer)
	for _, host := range []string{"a", "b", "c"} {
		c := make(chan engine.SettleAnswer, 1)
		got[host] = c
		asked := p.changes()
		go func() {
			a, err := p.Settle(context.Background(), engine.SettleQuestion{Unit: engine.Unit{Item: "step.x", Host: host}})
			if err == nil {
				c <- a
			}
			close(c)
		}()
		<-asked
	}
	until(t, p, control.Request{Op: control.Settle, Item: "step.x", Host: "b", As: "retry", By: "ann", Reason: "looked"})
	require.Equal(t, engine.SettleAnswer{As: "retry", By: "ann", Reason: "looked"}, <-got["b"])
	p.grace = 0
	require.False(t, p.hand(t.Context(), control.Request{Op: control.Settle, Item: "step.x", Host: "nobody"}).OK)
	require.True(t, p.settle(t.Context(), control.Request{Op: control.Settle, Item: "step.x", As: "done", By: "bob"}).OK)
	for _, host := range []string{"a", "c"} {
		require.Equal(t, engine.SettleAnswer{As: "done", By: "bob"}, <-got[host])
	}
}

// changes is closed when a question is put, or withdrawn.
func (p *parlour) changes() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// TestParlourTellsWhatIsAsked: a second seat sees the questions that are open, and its answers end them. What the run itself
// is asked (a failure, an interrupt) is answered by number.
func TestParlourTellsWhatIsAsked(t *testing.T) {
	t.Parallel()
	p := newParlour(nil, false)
	p.grace, p.patience = time.Minute, time.Minute
	got := p.watch(t.Context(), 0)
	require.Empty(t, got.Asked)
	failed := make(chan engine.FailureAnswer, 1)
	go func() {
		a, err := p.Failed(context.Background(), engine.FailureQuestion{Item: "step.a", Options: []string{engine.ActionRetry}})
		if err == nil {
			failed <- a
		}
		close(failed)
	}()
	got = p.watch(t.Context(), got.Version)
	require.Len(t, got.Asked, 1)
	require.Equal(t, "step.a", string(got.Asked[0].Failure.Item))
	require.Contains(t, p.asks(), "step.a (continuo attach)")
	r := control.Request{Op: control.Answer, ID: got.Asked[0].ID, By: "ann", Option: engine.ActionRetry, Reason: "cable"}
	require.True(t, p.hand(t.Context(), r).OK)
	require.Equal(t, engine.FailureAnswer{Action: engine.ActionRetry, By: "ann", Reason: "cable"}, <-failed)
	for v := got.Version; len(got.Asked) > 0; v = got.Version {
		got = p.watch(t.Context(), v)
	}
	p.grace = 0
	require.False(t, p.hand(t.Context(), r).OK, "it is answered")
}

// TestParlourWaitsForWhoeverCanAnswer: a manual item is answered from another terminal where the run has none, done or not.
func TestParlourWaitsForWhoeverCanAnswer(t *testing.T) {
	t.Parallel()
	p := newParlour(nil, false)
	said := make(chan engine.ManualAnswer, 2)
	go func() {
		for range 2 {
			a, err := p.Manual(context.Background(), engine.ManualQuestion{Item: "manual.smoke"})
			if err == nil {
				said <- a
			}
		}
		close(said)
	}()
	until(t, p, control.Request{Op: control.Done, Item: "manual.smoke", By: "ann", As: failedWord, Reason: "the portal is down"})
	require.Equal(t, engine.ManualAnswer{By: "ann", Note: "the portal is down"}, <-said)
	until(t, p, control.Request{Op: control.Done, Item: "manual.smoke", By: "bob", Inputs: map[string]string{"ticket": "7"}})
	require.Equal(t, engine.ManualAnswer{By: "bob", Done: true, Inputs: map[string]string{"ticket": "7"}}, <-said)
	_, err := p.Interrupted(t.Context(), engine.InterruptQuestion{})
	require.ErrorIs(t, err, engine.ErrNobody, "a machine that goes down waits for nobody")
}
