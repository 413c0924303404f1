package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/engine/executor"
)

// socket answers what other terminals wish of a run. A wish is granted once it is in the journal.
type socket struct {
	control *executor.Control
	people  *parlour
	dry     bool // a dry-run asks nobody
	mu      sync.Mutex
	waiting []wish
}

// wish is an action that somebody waits to see in the journal.
type wish struct {
	engine.OperatorAction
	seen chan struct{}
}

// journalWait is how long a wish may take until it is in the journal.
const journalWait = 5 * time.Second

// observe sees every event of the run, and tells whoever waits for it.
func (s *socket) observe(e engine.Event) {
	a, ok := e.Payload.(*engine.OperatorAction)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, w := range s.waiting {
		if w.Action == a.Action && w.By == a.By {
			close(w.seen)
			s.waiting = append(s.waiting[:n], s.waiting[n+1:]...)
			return
		}
	}
}

// handle implements control.Handler.
func (s *socket) handle(ctx context.Context, r control.Request) control.Response {
	var push func()
	action := engine.OperatorAction{By: r.By}
	switch r.Op {
	case control.Pause:
		action.Action, push = engine.ActionPause, func() { s.control.Pause(r.By) }
	case control.Continue:
		action.Action, push = engine.ActionContinue, func() { s.control.Continue(r.By) }
	case control.Abort:
		action.Action, push = engine.ActionAbort, func() { s.control.Abort(r.By, r.Reason) }
	case control.Note:
		action.Action, push = engine.ActionNote, func() { s.control.Note(r.By, r.Reason) }
	case control.Approve, control.Deny, control.Decide, control.Done, control.Answer, control.Settle:
		if s.dry {
			return control.Response{Error: "a dry-run asks nobody"}
		}
		if r.Op == control.Settle {
			return s.people.settle(ctx, r)
		}
		return s.people.hand(ctx, r)
	case control.Watch:
		return s.people.watch(ctx, r.Seen)
	default:
		return control.Response{Error: fmt.Sprintf("this run does not take %q from another terminal", r.Op), Hint: "answer at the terminal of the run"}
	}
	w := wish{action, make(chan struct{})}
	s.mu.Lock()
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	push()
	select {
	case <-w.seen:
		return control.Response{OK: true}
	case <-time.After(journalWait):
	case <-ctx.Done():
	}
	return control.Response{Error: string(r.Op) + ": the run has not taken it up", Hint: "it may be at its end: `continuo status`"}
}
