package sshtransport

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
)

var errConnectionLost = errors.New("connection lost")

// conn is one authenticated connection. It ends when either side closes it; ended is closed then.
type conn struct {
	client   *ssh.Client
	raw      *countingConn
	facts    engine.HostConnected
	channels *limiter
	// spare ends a shell that is kept without work and reports whether there was one.
	spare func() bool
	ended chan struct{}
	// bare: the account is asked by bareCommand. The target's, so that the next connection knows.
	bare *atomic.Bool
	// execWorks: the server has accepted an exec request before, so further ones need not wait for its word.
	execWorks atomic.Bool
	// lapsed: our keepalive closed it.
	lapsed atomic.Bool
}

func newConn(client *ssh.Client, raw *countingConn, sessions int, keepalive time.Duration) *conn {
	c := &conn{client: client, raw: raw, channels: newLimiter(sessions), ended: make(chan struct{})}
	raw.writing(func() { _, _, _ = client.SendRequest("keepalive@openssh.com", false, nil) })
	go func() {
		_ = client.Wait()
		close(c.ended)
		_ = raw.Close()
	}()
	go c.keepAlive(keepalive)
	return c
}

func (c *conn) alive() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// close ends the connection and waits until its goroutines have seen that.
func (c *conn) close() {
	_ = c.raw.Close()
	<-c.ended
}

// keepAlive asks the server for a sign of life and closes the connection when none comes for keepaliveMisses intervals.
// Any byte is one: an answer may wait behind much output on a slow line.
// It is the target's own connection that is asked: a jump host that lives hides a target that does not.
func (c *conn) keepAlive(interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	answer := make(chan error, 1)
	waiting, missed := false, 0
	seen := c.raw.read.Load()
	for {
		select {
		case <-c.ended:
			return
		case err := <-answer:
			waiting, missed = false, 0
			if err != nil {
				return // the connection has ended
			}
		case <-ticker.C:
			now := c.raw.read.Load()
			if now != seen {
				seen, missed = now, 0
			}
			if waiting {
				if missed++; missed >= keepaliveMisses {
					c.lapsed.Store(true)
					_ = c.raw.Close()
					return
				}
				continue
			}
			waiting, missed = true, 1
			go func() {
				_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil)
				answer <- err
			}()
		}
	}
}

// open starts a shell on a channel of its own, waiting for a free one.
func (c *conn) open(ctx context.Context) (*process, error) {
	delay := 20 * time.Millisecond
	for {
		if err := c.channels.acquire(ctx, c.ended, c.spare); err != nil {
			return nil, err
		}
		p, err := c.session(ctx)
		var refused *ssh.OpenChannelError
		switch {
		case err == nil:
			return p, nil
		case !errors.As(err, &refused):
			return nil, err
		}
		// MaxSessions, most likely. Another channel of ours will end; when there is none, somebody else's, or one of
		// ours that the server has not finished with yet.
		if !c.channels.refused() && delay > 5*time.Second {
			return nil, refused
		}
		c.spare()
		select {
		case <-time.After(delay):
			delay *= 2
		case <-c.ended:
			return nil, errConnectionLost
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// openTime is how long a server may take to open a channel and to execute the shell.
const openTime = DefaultHandshakeTimeout

// session opens a channel and executes the shell on it. It holds one right of the limiter, which the process gives back;
// without a process it is given back here, unless the server refused the channel: that is the caller's to judge.
func (c *conn) session(ctx context.Context) (*process, error) {
	type opened struct {
		p   *process
		err error
	}
	done := make(chan opened, 1)
	go func() {
		p, err := c.exec()
		done <- opened{p, err}
	}()
	silent := time.NewTimer(openTime)
	defer silent.Stop()
	select {
	case o := <-done:
		var refused *ssh.OpenChannelError
		if o.err != nil && !errors.As(o.err, &refused) {
			c.channels.release()
		}
		return o.p, o.err
	case <-ctx.Done():
	case <-c.ended:
	case <-silent.C: // it answers keepalives, or we would not be here
	}
	go func() { // a server that answers later: nobody wants it any more
		if o := <-done; o.err == nil {
			_ = o.p.Close()
		} else {
			c.channels.release()
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, errConnectionLost
}

var errExecRefused = errors.New("the server refuses to execute commands")

func (c *conn) exec() (*process, error) {
	ch, requests, err := c.client.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	command := shellCommand
	if c.bare.Load() {
		command = bareCommand
	}
	payload := ssh.Marshal(struct{ Command string }{command})
	known := c.execWorks.Load()
	ok, err := ch.SendRequest("exec", !known, payload)
	if err == nil && !ok && !known {
		err = errExecRefused
	}
	if err != nil {
		_ = ch.Close()
		go ssh.DiscardRequests(requests)
		return nil, err
	}
	c.execWorks.Store(true)
	return newProcess(ch, requests, c.channels.release), nil
}

// shell is hostshell.Shell for one host: it dials when there is no connection.
type shell struct {
	t *Transport
	h *target
}

// Rephrase implements hostshell.Rephraser.
func (s shell) Rephrase() { s.h.bare.Store(true) }

// Rephrased implements hostshell.Rephraser.
func (s shell) Rephrased() bool { return s.h.bare.Load() }

// Crowded implements hostshell.Keeper.
func (s shell) Crowded() bool {
	c := s.h.current()
	return c != nil && c.channels.waiting.Load() > 0
}

// Open implements hostshell.Shell.
func (s shell) Open(ctx context.Context) (hostshell.Process, error) { return s.open(ctx, 0) }

// open starts a shell on the host's connection, which is made when there is none, however long that takes. A positive
// patience bounds the wait for a channel: errBusy says that none came free.
func (s shell) open(ctx context.Context, patience time.Duration) (hostshell.Process, error) {
	for attempt := 0; ; attempt++ {
		c, err := s.t.connect(ctx, s.h)
		if err != nil {
			return nil, err
		}
		p, err := c.openWithin(ctx, patience)
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var refused *ssh.OpenChannelError
		switch {
		case errors.Is(err, errBusy):
			return nil, err
		case errors.As(err, &refused), errors.Is(err, errExecRefused):
			return nil, s.h.cannotOpen(err)
		}
		// The connection turns out to be dead. Nothing was sent yet, so it is dialled once more.
		c.close()
		if attempt > 0 {
			return nil, s.h.fail("lost-connection", "", "the connection was lost before anything was launched")
		}
	}
}

var errBusy = errors.New("no channel comes free")

// openWithin is open, with errBusy when patience is positive and ends while the connection lives.
func (c *conn) openWithin(ctx context.Context, patience time.Duration) (*process, error) {
	if patience <= 0 {
		return c.open(ctx)
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := c.open(short)
	if err != nil && short.Err() != nil && ctx.Err() == nil && c.alive() {
		return nil, errBusy
	}
	return p, err
}

// apartWait is how long a channel of the host's connection is waited for before another connection is made.
const apartWait = time.Second

// OpenApart implements hostshell.ApartOpener.
func (s shell) OpenApart(ctx context.Context) (hostshell.Process, error) {
	p, err := s.open(ctx, apartWait)
	if !errors.Is(err, errBusy) {
		return p, err
	}
	c, err := s.t.dial(ctx, s.h)
	if err != nil {
		return nil, err
	}
	s.t.opts.Connected(c.facts)
	q, err := c.open(ctx)
	if err != nil {
		c.close()
		return nil, s.h.cannotOpen(err)
	}
	q.then(c.close)
	return q, nil
}
