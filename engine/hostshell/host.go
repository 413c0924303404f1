package hostshell

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Host speaks to one host through its Shell. Safe for concurrent use.
type Host struct {
	Name string
	// Addr is shown in errors; empty for the control host.
	Addr string
	// Login is the user that the Shell logs in as, shown in errors; may be empty.
	Login  string
	Shell  Shell
	Become runbooks.BecomeMethod
	// Secrets resolves the password of Become. Nil: there is none.
	Secrets engine.Secrets
	Limits  Limits
	// Plain: steps run without durable attempts, because the host cannot have them.
	Plain bool
	// Strict: the host syncs what it keeps about an attempt.
	Strict bool
	// Kind is the word for durable attempts on this host in the journal; empty: Durable.
	Kind string

	tidier    tidier
	lag       atomic.Int64 // nanoseconds that the last prompt answer took
	preparing turns        // by user
	answered  atomic.Bool  // once at least: the way its shells are asked for is understood

	mu       sync.Mutex
	prepared map[string]engine.Prepared // by user
	keeping  bool                       // its shells can be kept
	idle     []*kept
}

// Limits are the waiting times of the protocol. A zero field means its default.
type Limits struct {
	// DrainGrace is how long a stream that something left behind still holds may be silent after the command ended: 2 s.
	DrainGrace time.Duration
	// KillGrace is the time between TERM and KILL, on the host as well: 5 s.
	KillGrace time.Duration
	// BecomeTimeout bounds the way to another user, with the password's check: 30 s.
	BecomeTimeout time.Duration
	// Follow is when a step's output begins to be shown while it runs: after 1 s, and later on a host that is slow to answer.
	Follow time.Duration
	// ReconnectFor is how long a lost host is looked for before a running step's outcome is unknown: 2 min.
	ReconnectFor time.Duration
	// ReconnectDelay is the first delay between two looks; it doubles up to 15 s: 0.5 s.
	ReconnectDelay time.Duration
}

func (l Limits) withDefaults() Limits {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&l.DrainGrace, 2*time.Second)
	def(&l.KillGrace, 5*time.Second)
	def(&l.BecomeTimeout, 30*time.Second)
	def(&l.Follow, time.Second)
	def(&l.ReconnectFor, 2*time.Minute)
	def(&l.ReconnectDelay, 500*time.Millisecond)
	return l
}

// fail makes a HostError of this host. cause is one of engine's Err… values.
func (h *Host) fail(kind string, cause error, hint, format string, args ...any) *engine.HostError {
	return &engine.HostError{Kind: kind, Host: h.Name, Addr: h.Addr, Hint: hint,
		Err: &causeError{text: fmt.Sprintf(format, args...), cause: cause}}
}

// causeError says something specific about one of engine's causes.
type causeError struct {
	text  string
	cause error
}

// Error implements error.
func (e *causeError) Error() string { return e.text }

// Unwrap gives the cause.
func (e *causeError) Unwrap() error { return e.cause }

// unreachable makes sure that an error of Shell.Open is a HostError that says that nothing was sent.
func (h *Host) unreachable(err error) error {
	var he *engine.HostError
	if errors.As(err, &he) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return h.fail("dial", engine.ErrUnreachable, "", "%v", err)
}

func (h *Host) userName(become string) string {
	switch {
	case become != "":
		return become
	case h.Login != "":
		return h.Login
	}
	return "the login user"
}
