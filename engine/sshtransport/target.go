package sshtransport

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// target is a host and its connection, if there is one.
type target struct {
	host    *runbooks.Host // with what its ssh_config adds
	known   *hostKeys
	broken  error // its configuration cannot be used
	talker  *hostshell.Host
	dialing chan struct{} // holds a token while somebody dials
	// handshakes limits how many hosts are reached at once through this one.
	handshakes slots
	bare       atomic.Bool // the account runs bareCommand, and not shellCommand

	mu   sync.Mutex
	conn *conn
}

func (t *Transport) newTarget(h *runbooks.Host) *target {
	said := h
	h, more, warnings, err := t.configured(h)
	for _, w := range warnings {
		t.opts.Log.Warn().Str("host", said.Name).Msg(w)
	}
	g := &target{host: h, known: t.known, broken: err, dialing: make(chan struct{}, 1), handshakes: make(slots, t.opts.Dial.ConcurrentPerJump)}
	if len(more) > 0 {
		g.known = newHostKeys(append(slices.Clone(t.known.files), more...))
	}
	g.talker = &hostshell.Host{Name: h.Name, Addr: g.addr(), Login: t.login(h), Shell: shell{t, g}, Become: h.Become,
		Secrets: t.opts.Secrets, Limits: t.opts.Limits, Plain: h.Connection.Plain,
		Strict: h.Connection.Durability == runbooks.StrictDurability}
	return g
}

// target returns the state of a host, made on first use. A host is known by its pointer: two of the same name in one
// project are the same host.
func (t *Transport) target(h *runbooks.Host) (*target, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	g := t.targets[h.Name]
	if g == nil {
		g = t.newTarget(h)
		t.targets[h.Name] = g
	}
	return g, nil
}

func (g *target) addr() string { return net.JoinHostPort(g.host.Address, strconv.Itoa(port(g.host))) }

func (g *target) current() *conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn != nil && g.conn.alive() {
		return g.conn
	}
	return nil
}

func (g *target) set(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn = c
}

// fail is a HostError that says that nothing was sent.
func (g *target) fail(kind, hint, format string, args ...any) error {
	return &engine.HostError{Kind: kind, Host: g.host.Name, Addr: g.addr(), Hint: hint,
		Err: &cause{text: fmt.Sprintf(format, args...)}}
}

// cause is a text that is engine.ErrUnreachable.
type cause struct{ text string }

// Error implements error.
func (c *cause) Error() string { return c.text }

// Unwrap implements errors.Is for engine.ErrUnreachable.
func (c *cause) Unwrap() error { return engine.ErrUnreachable }

func (g *target) cannotOpen(err error) error {
	return g.fail("channel", "MaxSessions of the server may be too low, or its sshd may be forbidden to start shells", "open a channel: %s", trimSSH(err))
}

func orDefault(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}

func (t *Transport) login(h *runbooks.Host) string {
	if h.Connection.User != "" {
		return h.Connection.User
	}
	return t.opts.User
}
