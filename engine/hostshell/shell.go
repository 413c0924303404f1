package hostshell

import (
	"context"
	"io"
)

// Shell starts `/bin/sh -s` on one host. Safe for concurrent use.
type Shell interface {
	// Open starts one. An error means that nothing of what would have been written was sent.
	Open(ctx context.Context) (Process, error)
}

// ApartOpener is a Shell that can start one more when its connection has no room: what ends a command must not wait for
// the command.
type ApartOpener interface {
	// OpenApart is Open, over a connection of its own if need be.
	OpenApart(ctx context.Context) (Process, error)
}

// Rephraser is a Shell that knows another way to ask for `/bin/sh -s`, for an account that runs nothing when it is asked in
// the first way.
type Rephraser interface {
	// Rephrase makes Open ask in the other way from now on.
	Rephrase()
	// Rephrased reports whether it does.
	Rephrased() bool
}

// Keeper is a Shell whose processes may stay for one exchange after another.
type Keeper interface {
	// Crowded reports whether somebody waits for room to open a process: then none stays idle. Whoever waits asks
	// Host.Spare for the place of one that does.
	Crowded() bool
}

// Process is one running `/bin/sh -s`, or what it has become by exec.
type Process interface {
	// Write writes to its standard input. A short count with an error: the rest was not sent.
	io.Writer
	// CloseWrite ends its standard input.
	CloseWrite() error
	Stdout() io.Reader
	Stderr() io.Reader
	// Exit delivers one Exit, as soon as it is known, also when an output stream is still held open.
	Exit() <-chan Exit
	// Signal sends a signal (TERM, KILL, …) to the process and its group. False: it cannot be delivered that way.
	Signal(ctx context.Context, name string) bool
	// Close gives up the process. It kills nothing. The streams are still to be read: they end when the other side ends
	// them or the connection is gone.
	Close() error
}

// Exit is how a Process ended.
type Exit struct {
	Code   int
	Signal string // without SIG
	// Missing: the connection went away before the host said how it ended.
	Missing bool
}
