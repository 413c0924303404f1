package executor

import (
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
)

// Control steers a run from outside: from signals, a terminal or a socket. Each call is journaled with who made it and
// takes effect as soon as the run sees it; none waits. The zero value is not usable: see NewControl. Safe for concurrent
// use; one Control serves one run.
type Control struct {
	mu    sync.Mutex
	queue []engine.OperatorAction
	wake  chan struct{}
}

// NewControl returns a Control for Config.
func NewControl() *Control { return &Control{wake: make(chan struct{}, 1)} }

// Pause starts nothing new until Continue; what runs goes on.
func (c *Control) Pause(by string) { c.push(engine.OperatorAction{Action: engine.ActionPause, By: by}) }

// Continue ends a pause or a drain.
func (c *Control) Continue(by string) {
	c.push(engine.OperatorAction{Action: engine.ActionContinue, By: by})
}

// Drain starts nothing new, lets what runs end, and then asks the Operator; without one the run is left.
func (c *Control) Drain(by string) {
	c.push(engine.OperatorAction{Action: engine.ActionInterrupt, By: by})
}

// Kill is Drain, and kills what runs on hosts.
func (c *Control) Kill(by string) { c.push(engine.OperatorAction{Action: engine.ActionKill, By: by}) }

// Leave ends the controller's part at once: what runs on hosts runs on, and the journal is enough to resume.
func (c *Control) Leave(by, reason string) {
	c.push(engine.OperatorAction{Action: engine.ActionLeave, By: by, Reason: reason})
}

// Abort starts nothing new, lets what runs end, cleans up and closes the run as aborted.
func (c *Control) Abort(by, reason string) {
	c.push(engine.OperatorAction{Action: engine.ActionAbort, By: by, Reason: reason})
}

// Rollback starts nothing new, lets what runs end, and rolls back.
func (c *Control) Rollback(by, reason string) {
	c.push(engine.OperatorAction{Action: engine.ActionRollback, By: by, Reason: reason})
}

// Note records a remark.
func (c *Control) Note(by, text string) {
	c.push(engine.OperatorAction{Action: engine.ActionNote, By: by, Reason: text})
}

func (c *Control) push(a engine.OperatorAction) {
	c.mu.Lock()
	c.queue = append(c.queue, a)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Control) take() []engine.OperatorAction {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queue
	c.queue = nil
	return q
}
