package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// Options says whose journal it is and what it works with.
type Options struct {
	Run   engine.RunID
	Nonce string // 32 hex digits
	Mode  engine.Mode
	// Clock gives the wall stamps; nil is the system's. With a Clock and no Mono, monotonic time is the clock's own:
	// leave both nil in a real run.
	Clock engine.Clock
	// Mono is a clock that never jumps, from any zero; nil is CLOCK_BOOTTIME.
	Mono func() time.Duration
	// FS is the file system; nil is the real one.
	FS fsx.FS
	// Redactor replaces secrets in every free text of an event; nil replaces nothing.
	Redactor engine.Redactor
	// Put stores what is too long for a line and returns its SHA-256 in hex. Without it a line that does not fit is an
	// error.
	Put func(data []byte) (string, error)
}

// maxPending bounds what waits for the disk: beyond it even an event that needs no fsync waits.
const maxPending = 4 << 20

// Journal is the open journal of one run. It implements engine.Journal and holds the lock of the run's directory until
// Close.
type Journal struct {
	opts   Options
	name   string
	types  map[string]engine.Payload
	file   fsx.File
	lock   io.Closer
	clocks *clocks

	mu      sync.Mutex
	settled sync.Cond // signalled when leading ends
	next    uint64    // seq of the next line
	prev    Digest
	closed  bool // run.closed was appended
	done    bool // Close was called
	err     error

	pending    []byte // lines that no one writes yet
	wanted     int    // how many want them synced: each durable line, and Close
	served     int    // how many wanted the last sync
	written    uint64 // lines given to the file
	synced     uint64 // lines on disk
	syncedHead Digest // of the last of them
	leading    bool   // someone writes and syncs, outside mu
	size       int64  // of the file, as far as this journal wrote it; the leader's
}

// Create makes the journal of a new run in dir, which must exist, and takes the lock of dir. The first event must be
// run.opened of the same run and nonce.
func Create(dir string, opts Options) (*Journal, error) {
	j, err := lockDir(dir, opts)
	if err != nil {
		return nil, err
	}
	f, err := j.opts.FS.OpenFile(j.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		j.file = f
		err = j.opts.FS.SyncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create journal: %w", err), j.release())
	}
	j.prev = Genesis(opts.Run, opts.Nonce)
	return j, nil
}

// lockDir takes the lock and gives a journal without a file.
func lockDir(dir string, opts Options) (*Journal, error) {
	if opts.FS == nil {
		opts.FS = fsx.OS{}
	}
	lock, err := opts.FS.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{
		opts: opts, name: filepath.Join(dir, FileName), types: engine.PayloadTypes(), lock: lock,
		clocks: newClocks(opts.Clock, opts.Mono),
	}
	j.settled.L = &j.mu
	return j, nil
}

// Append stamps the payload and writes it; for a durable one it returns after the fsync. The event that it returns
// holds the payload as it will be read back. The context is not consulted: what has happened is recorded whether or not
// anyone still waits for it. After an error every later Append fails with ErrPoisoned.
func (j *Journal) Append(_ context.Context, p engine.Payload) (engine.Event, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refuse(p); err != nil {
		return engine.Event{}, err
	}
	ev, err := j.enqueue(p)
	if err != nil {
		j.poison(fmt.Errorf("append %s: %w", p.EventType(), err))
		return engine.Event{}, j.err
	}
	if err := j.commit(ev.Seq+1, p.Durable()); err != nil {
		return engine.Event{}, err
	}
	return ev, nil
}

// refuse says why the journal takes no event, or not this one.
func (j *Journal) refuse(p engine.Payload) error {
	switch {
	case j.err != nil:
		return fmt.Errorf("append %s: %w: %w", p.EventType(), ErrPoisoned, j.err)
	case j.done:
		return fmt.Errorf("append %s: %w", p.EventType(), os.ErrClosed)
	case j.closed:
		return fmt.Errorf("append %s: %w", p.EventType(), ErrClosed)
	}
	return nil
}

// enqueue gives the event its place in the chain, behind a clock.anomaly where the clock stepped.
func (j *Journal) enqueue(p engine.Payload) (engine.Event, error) {
	if err := j.checkOrder(p); err != nil {
		return engine.Event{}, err
	}
	t, mono, step := j.clocks.stamp()
	if step != 0 {
		if _, err := j.add(&engine.ClockAnomaly{StepMS: step.Milliseconds()}, t, mono); err != nil {
			return engine.Event{}, err
		}
	}
	return j.add(p, t, mono)
}

// checkOrder keeps run.opened first and once.
func (j *Journal) checkOrder(p engine.Payload) error {
	opened, ok := p.(*engine.RunOpened)
	if ok != (j.next == 0) {
		return fmt.Errorf("%s as event %d: %w", p.EventType(), j.next, ErrOrder)
	}
	if ok && (opened.Run != j.opts.Run || opened.Nonce != j.opts.Nonce) {
		return fmt.Errorf("run.opened of another run, %q: %w", opened.Run, ErrOrder)
	}
	return nil
}

// add puts one line into pending.
func (j *Journal) add(p engine.Payload, t time.Time, mono time.Duration) (engine.Event, error) {
	recorded, body, err := j.prepare(p)
	if err != nil {
		return engine.Event{}, err
	}
	h := Head{Seq: j.next, Prev: j.prev, T: t, Mono: mono, Mode: j.opts.Mode, Type: p.EventType()}
	line := h.line(body)
	if len(line) > MaxLine {
		return engine.Event{}, ErrTooLong
	}
	j.pending = append(j.pending, line...)
	if p.Durable() {
		j.wanted++
	}
	j.prev = sha256.Sum256(line)
	j.next++
	_, j.closed = p.(*engine.RunClosed)
	return engine.Event{Seq: h.Seq, Time: t, Mono: mono, Mode: h.Mode, Payload: recorded}, nil
}

// Close writes and syncs what is pending, closes the file and gives the lock back. It returns the error that poisoned
// the journal, if one did.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done {
		return nil
	}
	if j.err == nil && j.synced < j.next {
		j.wanted++
		_ = j.commit(j.next, true) // its error is j.err
	}
	for j.leading {
		j.settled.Wait()
	}
	j.done = true
	return errors.Join(j.err, j.release())
}

// release closes the file and the lock.
func (j *Journal) release() error {
	var err error
	if j.file != nil {
		err = j.file.Close()
	}
	return errors.Join(err, j.lock.Close())
}
