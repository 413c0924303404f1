package simtransport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// attempt is what a simulated host knows of a launch, whatever becomes of the controller that launched it.
type attempt struct {
	says    Answer
	timeout time.Duration
	began   time.Time
	fenced  bool // it never starts
}

// Die lets the controller die: whatever is asked of the transport from now on is not done, and returns as when the run is
// left. What was launched runs on. Live brings another controller.
func (t *Transport) Die() { t.dying(true) }

// Live is the begin of another controller's time. Its connections are new.
func (t *Transport) Live() {
	t.dying(false)
	t.links.mu.Lock()
	defer t.links.mu.Unlock()
	t.links.up = nil
}

func (t *Transport) dying(dead bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dead = dead
}

// Lose has the host of an attempt that ran lose what became of it. Nothing is known of it afterwards but that it had begun.
func (t *Transport) Lose(id engine.AttemptID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.attempts[id]; a != nil && !a.fenced {
		a.says = Answer{Err: &engine.HostError{Kind: "lost", Err: fmt.Errorf("%w: simulated: it had started, and its result is lost", engine.ErrLost)}}
	}
}

// Executed is how often an attempt really ran on a simulated host: 0 or 1, whatever was launched and collected.
func (t *Transport) Executed(id engine.AttemptID) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.attempts[id]; a != nil && !a.fenced && a.says.starts() {
		return 1
	}
	return 0
}

// starts reports whether an attempt with this answer runs.
func (a Answer) starts() bool {
	for _, none := range []error{engine.ErrNeverStarted, engine.ErrRefused, engine.ErrUnreachable} {
		if errors.Is(a.Err, none) {
			return false
		}
	}
	return true
}

// gone is the error of everything after the controller died; nil while it lives.
func (t *Transport) gone() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return fmt.Errorf("the controller is dead: %w", engine.ErrLeft)
	}
	return nil
}

// claim notes a launch; a second one of the same attempt is refused, as by a durable host.
func (t *Transport) claim(a engine.Attempt, says Answer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.ID == "" {
		return nil
	}
	if x := t.attempts[a.ID]; x != nil {
		if x.fenced {
			return &engine.HostError{Kind: "never-started", Err: fmt.Errorf("%w: simulated: it was fenced", engine.ErrNeverStarted)}
		}
		return &engine.HostError{Kind: "claimed", Err: fmt.Errorf("%w: simulated: it was launched before, by somebody else", engine.ErrOutcomeUnknown)}
	}
	t.attempts[a.ID] = &attempt{says: says, timeout: a.Command.Timeout, began: time.Now(), fenced: errors.Is(says.Err, engine.ErrNeverStarted)}
	return nil
}

// Collect implements engine.Launcher, as a durable host does: what was not launched is fenced, what runs is followed to its
// end, what has ended tells it. Over a plain connection nothing is known.
func (t *Transport) Collect(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	t.note(ctx, Call{What: "collect", On: name(h), Attempt: a.ID})
	if err := t.gone(); err != nil {
		return engine.ExitStatus{}, t.release(a.ID), err
	}
	if h != nil && h.Connection.Plain {
		return engine.ExitStatus{}, t.release(a.ID), &engine.HostError{Kind: "lost", Host: name(h),
			Err: fmt.Errorf("%w: simulated: a plain step leaves nothing that tells how it ended", engine.ErrOutcomeUnknown)}
	}
	t.mu.Lock()
	x := t.attempts[a.ID]
	if x == nil {
		x = &attempt{fenced: true}
		t.attempts[a.ID] = x
	}
	t.mu.Unlock()
	t.links.reach(h)
	if x.fenced {
		return engine.ExitStatus{}, t.release(a.ID), &engine.HostError{Kind: "never-started", Host: name(h),
			Err: fmt.Errorf("%w: simulated: the launch did not arrive", engine.ErrNeverStarted)}
	}
	says, passed := x.says, time.Since(x.began)
	says.Delay = max(0, says.Delay-passed)
	st, err := t.living(ctx, says, max(0, x.timeout-passed), sink)
	return st, t.release(a.ID), err
}

// living plays an answer; a controller that died meanwhile does not see its end.
func (t *Transport) living(ctx context.Context, says Answer, timeout time.Duration, sink engine.OutputSink) (engine.ExitStatus, error) {
	st, err := play(ctx, says, timeout, sink)
	if dead := t.gone(); dead != nil {
		return engine.ExitStatus{}, dead
	}
	return st, err
}

// Reveal makes hosts tell what they did not: what had an answer of engine.ErrOutcomeUnknown had ended as the rest of the answer
// says, and Collect finds it.
func (t *Transport) Reveal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.attempts {
		if errors.Is(a.says.Err, engine.ErrOutcomeUnknown) {
			a.says.Err = nil
		}
	}
}
