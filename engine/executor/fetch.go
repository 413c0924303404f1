package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// What of a fetched file stays in memory, in bytes: beyond maxSmall it goes to a scratch file. Where there is none it stays
// there, up to maxTransfer.
const (
	maxSmall    = 1 << 20
	maxTransfer = 64 << 20
)

// origin is a file of a host, as a user of it reads it. The digest is the one that the author expects; empty: any.
type origin struct {
	host               *runbooks.Host
	become, path, want string
}

// fetch reads a file of another host, which only reads, and compares it with the digest that the author expects. Hosts
// that take the same file get what was read once.
func (t *task) fetch(ctx context.Context, u engine.Unit, names *expr.Scope) (parcel, error) {
	from, err := t.origin(names)
	if err != nil {
		return inMemory(nil, false), err
	}
	return t.fetched.get(from, func() (parcel, error) {
		return t.read(engine.WithPlace(ctx, engine.Place{Unit: u, Part: engine.PartSource}), from)
	})
}

// origin evaluates where the file is.
func (t *task) origin(names *expr.Scope) (from origin, err error) {
	s := t.item.Source
	hosts, _, err := t.hostsOf(s.Host, names)
	if err != nil {
		return from, err
	}
	if len(hosts) != 1 {
		return from, fmt.Errorf("%s: %d hosts to take the file from, and it takes one", s.Host.Range(), len(hosts))
	}
	from.host = hosts[0]
	for _, v := range []struct {
		to *string
		e  *expr.Expr
	}{{&from.path, s.Path}, {&from.want, s.SHA256}, {&from.become, t.item.Become}} {
		if *v.to, err = evalText(v.e, names); err != nil {
			return from, err
		}
	}
	return from, nil
}

func (t *task) read(ctx context.Context, from origin) (parcel, error) {
	fail := func(err error) (parcel, error) {
		return inMemory(nil, false), fmt.Errorf("read %s on %s: %w", from.path, from.host.Name, err)
	}
	o, err := engine.NewObservation(runbooks.Transfer, engine.PartSource, engine.Command{
		Argv: []string{"cat", "--", from.path}, Become: from.become, Timeout: t.work.timeout,
	})
	if err != nil {
		return fail(err)
	}
	content := &spool{scratch: t.r.cfg.Scratch, sum: sha256.New()}
	problem := &stream{held: true} // nothing of it goes to an artifact
	st, err := t.r.cfg.Prober.Observe(ctx, from.host, o, engine.OutputSink{Stdout: content, Stderr: problem})
	p, lost := content.parcel()
	switch {
	case err != nil:
	case st.TimedOut:
		err = errors.New("it did not end in time")
	case st.Code != 0 || st.Signal != "":
		err = fmt.Errorf("exit code %d: %s", st.Code, problem.lastLine())
	case lost != nil:
		err = lost
	case from.want != "" && !strings.EqualFold(p.digest, from.want):
		err = fmt.Errorf("its SHA-256 is %s, not %s", p.digest, from.want)
	}
	if err != nil {
		p.done()
		return fail(err)
	}
	return p, nil
}

// spool takes a stream of any length: its beginning into memory, all of it into a scratch file once it is longer than
// that. Write never fails, as the sink of a transport must not.
type spool struct {
	scratch engine.Scratch
	sum     hash.Hash
	small   []byte
	large   engine.ScratchFile
	size    int64
	err     error
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if s.err == nil {
		s.err = s.keep(p)
	}
	return len(p), nil
}

func (s *spool) keep(p []byte) error {
	s.sum.Write(p)
	s.size += int64(len(p))
	if s.large == nil && s.size > maxSmall && s.scratch != nil {
		var err error
		if s.large, err = s.scratch.Create(); err == nil {
			_, err = s.large.Write(s.small)
		}
		if s.small = nil; err != nil {
			return err
		}
	}
	switch {
	case s.large != nil:
		_, err := s.large.Write(p)
		return err
	case s.size > maxTransfer:
		return fmt.Errorf("more than %d bytes, and there is no place to keep them", maxTransfer)
	}
	s.small = append(s.small, p...)
	return nil
}

// parcel is what was taken. With an error it is not whole; it is to be given back all the same.
func (s *spool) parcel() (parcel, error) {
	p := parcel{content: s.small, large: s.large, size: s.size, digest: hex.EncodeToString(s.sum.Sum(nil)), done: func() {}}
	if large := s.large; large != nil {
		p.done = func() { _ = large.Close() } // it is thrown away
	}
	if s.err != nil {
		return p, fmt.Errorf("keep it while it is transferred: %w", s.err)
	}
	return p, nil
}

// fetched keeps the file that a transfer fetched last for the hosts that take it at the same time or right after. Safe for
// concurrent use.
type fetched struct {
	mu   sync.Mutex
	last *copied
}

// copied is a fetched file and who uses it: each parcel that was given out, and the fetched that keeps it.
type copied struct {
	from   origin
	parcel parcel
	ready  chan struct{} // closed when it was read, or could not be
	err    error
	users  int
}

// get is the file of from, read now unless it was. The parcel's done is to be called.
func (f *fetched) get(from origin, read func() (parcel, error)) (parcel, error) {
	f.mu.Lock()
	c := f.last
	mine := c == nil || c.from != from
	if mine {
		f.drop()
		c = &copied{from: from, ready: make(chan struct{}), users: 1}
		f.last = c
	}
	c.users++
	f.mu.Unlock()
	if mine {
		c.parcel, c.err = read()
		close(c.ready)
	}
	<-c.ready
	p := c.parcel
	p.done = sync.OnceFunc(func() { f.release(c) })
	if c.err == nil {
		return p, nil
	}
	f.mu.Lock()
	if f.last == c { // the next one reads it again
		f.drop()
	}
	f.mu.Unlock()
	p.done()
	p.done = func() {}
	return p, c.err
}

// drop forgets the last file. The caller holds the lock.
func (f *fetched) drop() {
	if c := f.last; c != nil {
		f.last = nil
		c.free()
	}
}

func (f *fetched) release(c *copied) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.free()
}

// free is called under the lock of fetched, once a user.
func (c *copied) free() {
	if c.users--; c.users == 0 && c.parcel.done != nil {
		c.parcel.done()
	}
}

// end gives back what is kept. Parcels that are in use stay whole.
func (f *fetched) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop()
}
