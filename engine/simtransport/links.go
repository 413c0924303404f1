package simtransport

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// links are the simulated connections: one a host, made when it is first reached and again after it was lost, as those of
// a real transport are. Safe for concurrent use.
type links struct {
	mu   sync.Mutex
	up   map[string]bool
	told func(engine.HostConnected)
}

// OnConnect has f called for every simulated connection before it is used. It is set before the transport is.
func (t *Transport) OnConnect(f func(engine.HostConnected)) { t.links.told = f }

// reach connects to a host, by way of its jump hosts. Who comes at the same time waits until that has been told.
func (l *links) reach(h *runbooks.Host) {
	if h == nil || h.Control || l.told == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connect(h)
}

func (l *links) connect(h *runbooks.Host) (via []string) {
	if h.Connection.Via != nil {
		via = append(l.connect(h.Connection.Via), h.Connection.Via.Name)
	}
	if l.up[h.Name] {
		return via
	}
	if l.up == nil {
		l.up = map[string]bool{}
	}
	l.up[h.Name] = true
	port := h.Port
	if port == 0 {
		port = 22
	}
	l.told(engine.HostConnected{Host: h.Name, Address: net.JoinHostPort(h.Address, strconv.Itoa(port)), User: h.Connection.User,
		Via: via, ServerVersion: simulated})
	return via
}

// simulated is said where a real host would name itself.
const simulated = "simulated"

// drop loses the connection to a host.
func (l *links) drop(h *runbooks.Host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.up, name(h))
}

// follow loses and makes the connections that an attempt's answer implies: whatever is known of an attempt whose
// connection was lost was learned over another one.
func (l *links) follow(h *runbooks.Host, a Answer) {
	again := a.Reattached
	switch {
	case errors.Is(a.Err, engine.ErrLost), kind(a.Err) == "lost", kind(a.Err) == "never-started":
		again = 1
	case errors.Is(a.Err, engine.ErrOutcomeUnknown):
		l.drop(h)
	}
	for range again {
		l.drop(h)
		l.reach(h)
	}
}

// away reports whether the error means that there was no connection at all.
func away(err error) bool {
	return errors.Is(err, engine.ErrUnreachable) && kind(err) != lostConnection
}

const lostConnection = "lost-connection"

// plain is what becomes of an answer where nothing but the connection carries a step: once that is lost, nothing is known.
func (a Answer) plain() Answer {
	if a.Reattached > 0 || errors.Is(a.Err, engine.ErrLost) || kind(a.Err) == "lost" || kind(a.Err) == "never-started" {
		return Answer{Delay: a.Delay, Err: &engine.HostError{Kind: lostConnection,
			Err: fmt.Errorf("%w: simulated: the connection of a plain step was lost", engine.ErrOutcomeUnknown)}}
	}
	return a
}

func kind(err error) string {
	var he *engine.HostError
	if errors.As(err, &he) {
		return he.Kind
	}
	return ""
}
