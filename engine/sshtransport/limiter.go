package sshtransport

import (
	"context"
	"sync"
	"sync/atomic"
)

// limiter bounds the channels that are open at once on a connection. The bound starts at what the host's configuration
// says and falls to what the server shows (MaxSessions): a refused open waits for a free channel, it is no failure.
type limiter struct {
	mu    sync.Mutex
	bound int
	open  int
	freed chan struct{} // closed and replaced whenever a channel was given back
	// waiting is how many wait for a channel: while somebody does, none stays open without work.
	waiting atomic.Int32
}

func newLimiter(bound int) *limiter { return &limiter{bound: bound, freed: make(chan struct{})} }

// acquire waits for the right to open a channel, until ctx ends or the connection does. spare closes a channel that is open
// without work, if there is one, and reports whether there was.
func (l *limiter) acquire(ctx context.Context, gone <-chan struct{}, spare func() bool) error {
	counted := false
	defer func() {
		if counted {
			l.waiting.Add(-1)
		}
	}()
	for {
		l.mu.Lock()
		if l.open < l.bound {
			l.open++
			l.mu.Unlock()
			return nil
		}
		freed := l.freed
		l.mu.Unlock()
		if !counted { // first, so that what falls idle from now on is closed
			counted = true
			l.waiting.Add(1)
		}
		if spare() {
			continue
		}
		select {
		case <-freed:
		case <-gone:
			return errConnectionLost
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// release gives a channel back.
func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	close(l.freed)
	l.freed = make(chan struct{})
}

// refused says that the server would not open one more channel. It gives the right back, lowers the bound, and reports
// whether other channels are open, whose end is worth waiting for.
func (l *limiter) refused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.open > 0 && l.open < l.bound {
		l.bound = l.open
	}
	return l.open > 0
}
