package sshtransport

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
)

// reading is how much was read from a server, and what came first.
type reading struct {
	atomic.Int64
	mu    sync.Mutex
	first []byte
}

// remembered is how much of what came first is kept.
const remembered = 64

func (r *reading) add(p []byte) {
	if before := r.Add(int64(len(p))) - int64(len(p)); before < remembered {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.first = append(r.first, p[:min(len(p), remembered-len(r.first))]...)
	}
}

// shed is what an sshd says to a connection that it does not take now, in place of its identification; else nothing. It
// names MaxStartups, or, from OpenSSH 9.8 on, means PerSourcePenalties.
func (r *reading) shed() string {
	r.mu.Lock()
	first := string(r.first)
	r.mu.Unlock()
	switch {
	case strings.HasPrefix(first, "Exceeded MaxStartups"):
		return "Exceeded MaxStartups"
	case strings.HasPrefix(first, "Not allowed at this time"):
		return "Not allowed at this time (PerSourcePenalties)"
	}
	return ""
}

// countingConn counts what was read: a server that ends a connection without a byte has not even begun. Once reading has
// ended, it writes nothing more: a channel that x/crypto/ssh opens after it has told all others that the connection is gone
// would never be answered, unless its request cannot be sent.
type countingConn struct {
	net.Conn
	read  *reading
	ended atomic.Bool
}

// Read implements net.Conn.
func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.add(p[:n])
	if err != nil {
		c.ended.Store(true)
	}
	return n, err
}

// Write implements net.Conn.
func (c *countingConn) Write(p []byte) (int, error) {
	if c.ended.Load() {
		return 0, errConnectionLost
	}
	return c.Conn.Write(p)
}
