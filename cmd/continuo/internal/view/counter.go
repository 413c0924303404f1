package view

import (
	"sync"
	"time"
)

// Counter is one line of a terminal that says how far something is that takes long. Where nobody looks on, it shows nothing.
// Safe for concurrent use.
type Counter struct {
	s    *Screen
	what string
	now  func() time.Time

	mu    sync.Mutex
	begun time.Time
	shown time.Time
}

// When a counter begins to show, and how often it changes.
const (
	counterPatience = time.Second
	counterEvery    = 100 * time.Millisecond
)

// Counter begins to count what is named.
func (s *Screen) Counter(what string, now func() time.Time) *Counter {
	return &Counter{s: s, what: what, now: now, begun: now()}
}

// At says how many of all are done.
func (c *Counter) At(done, all int) {
	if !c.s.Terminal() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.begun) < counterPatience || now.Sub(c.shown) < counterEvery {
		return
	}
	c.shown = now
	c.s.Printf("\r\x1b[K%s: %d of %d", c.what, done, all)
}

// End takes the line away.
func (c *Counter) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.shown.IsZero() {
		c.s.Printf("\r\x1b[K")
	}
}
