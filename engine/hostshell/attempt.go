package hostshell

import (
	"context"
	"io"

	"github.com/continuo-runbooks/continuo/engine"
)

// The words for Prepared.Transport and ItemIntent.Transport.
const (
	Durable = "durable"
	Plain   = "plain"
)

// noRelease is for attempts that left nothing on the host.
func noRelease() {}

// startPlain runs an attempt that nothing but its connection carries: a connection that is lost while it runs means that
// nobody knows how it ended.
func (h *Host) startPlain(ctx context.Context, c engine.Command, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	status, err := h.plain(ctx, c, sink, engine.ErrOutcomeUnknown)
	if err != nil && ctx.Err() != nil {
		return status, noRelease, h.fail("lost-connection", engine.ErrOutcomeUnknown, "", "stopped before it was known how it ended")
	}
	return status, noRelease, err
}

// collectPlain: there is nothing on the host that would tell.
func (h *Host) collectPlain() (engine.ExitStatus, engine.Release, error) {
	return engine.ExitStatus{}, noRelease, h.fail("lost", engine.ErrOutcomeUnknown, "this host has plain = true: look at the host, then settle it",
		"a plain attempt leaves nothing that tells how it ended")
}

// Prepare reaches the host and says what it is now.
func (h *Host) Prepare(ctx context.Context, become string) (engine.Prepared, error) {
	n := newNonce()
	e, err := h.talk(ctx, talk{become: become, nonce: n, text: "{ echo " + n + " ok $$ $PPID; exit 0; }\n",
		answer: func([]string) io.Writer { return nil }})
	switch {
	case err != nil:
		return engine.Prepared{}, err
	case !e.answered:
		return engine.Prepared{}, h.silent(e, engine.ErrUnreachable)
	}
	return engine.Prepared{Transport: Plain}, nil
}

// Start launches the attempt and returns when it has ended.
func (h *Host) Start(ctx context.Context, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return h.startPlain(ctx, a.Command, sink)
}

// Collect finds out what became of an attempt.
func (h *Host) Collect(context.Context, engine.Attempt, engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return h.collectPlain()
}
