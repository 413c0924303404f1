package sshtransport

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
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
// ended nothing can be written any more, and the layer above is made to know it: x/crypto/ssh tells the channels that are
// open when a connection ends, and one that is opened a moment later waits for an answer for ever, unless its request
// cannot be sent. The first write that fails is no error to whoever wrote, only later ones are.
type countingConn struct {
	net.Conn
	read  *reading
	ended atomic.Bool
	spoil atomic.Pointer[func()]
}

// spoilTime bounds how long the end of a connection waits for a write of its own, which another one may hold up.
const spoilTime = time.Second

// writing says how something is written, which is to fail first when the connection has ended.
func (c *countingConn) writing(write func()) {
	c.spoil.Store(&write)
	if c.ended.Load() {
		c.fail()
	}
}

func (c *countingConn) fail() {
	write := c.spoil.Load()
	if write == nil {
		return
	}
	done := make(chan struct{})
	go func() { defer close(done); (*write)() }()
	timer := time.NewTimer(spoilTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// Read implements net.Conn.
func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.add(p[:n])
	if err != nil && !c.ended.Swap(true) {
		_ = c.Close() // or a write that goes on could go on for long
		c.fail()
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
