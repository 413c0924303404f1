package hostshell

import (
	"context"

	"github.com/continuo-runbooks/continuo/engine"
)

// startPlain runs an attempt that nothing but its connection carries: a connection that is lost while it runs means that
// nobody knows how it ended.
func (h *Host) startPlain(ctx context.Context, c engine.Command, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	if ctx.Err() != nil {
		return engine.ExitStatus{}, noRelease, h.fail("stopped", engine.ErrUnreachable, "", "stopped before anything was launched")
	}
	status, err := h.plain(ctx, c, sink, engine.ErrOutcomeUnknown)
	if err != nil && left(ctx) {
		return status, noRelease, h.fail("left", engine.ErrLeft, "", "left while it may run")
	}
	if err != nil && ctx.Err() != nil {
		return status, noRelease, h.fail("lost-connection", engine.ErrOutcomeUnknown, "", "stopped before it was known how it ended")
	}
	return status, noRelease, err
}

// collectPlain: there is nothing on the host that would tell.
func (h *Host) collectPlain() (engine.ExitStatus, engine.Release, error) {
	return engine.ExitStatus{}, noRelease, h.fail("lost", engine.ErrOutcomeUnknown, "this host has no durable attempts: look at it, then settle it",
		"a plain attempt leaves nothing that tells how it ended")
}
