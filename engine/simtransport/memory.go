package simtransport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/continuo-runbooks/continuo/engine"
)

// Journal keeps events in memory. Safe for concurrent use.
type Journal struct {
	mu     sync.Mutex
	mode   engine.Mode
	clock  engine.Clock
	began  time.Time
	events []engine.Event
	// Fail, when not nil, is asked before each event; its error poisons the journal.
	fail   func(n int, p engine.Payload) error
	failed error
}

// NewJournal returns an empty journal whose stamps come from the clock.
func NewJournal(mode engine.Mode, clock engine.Clock) *Journal {
	return &Journal{mode: mode, clock: clock, began: time.Now()}
}

// ResumeJournal goes on in the journal of a controller that is gone: with its events, and run.resumed as the first of a
// segment.
func ResumeJournal(events []engine.Event, clock engine.Clock, by string) *Journal {
	j := &Journal{mode: events[0].Mode, clock: clock, began: time.Now(), events: append([]engine.Event(nil), events...)}
	_, _ = j.Append(context.Background(), &engine.RunResumed{By: by, BootID: "simulated"}) // it cannot fail
	return j
}

// FailWhen makes the journal fail for ever once the function returns an error for the n-th event.
func (j *Journal) FailWhen(f func(n int, p engine.Payload) error) { j.fail = f }

// Failed is the error that the journal fails with for ever; nil: it does not.
func (j *Journal) Failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

// Append implements engine.Journal.
func (j *Journal) Append(_ context.Context, p engine.Payload) (engine.Event, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil && j.fail != nil {
		j.failed = j.fail(len(j.events), p)
	}
	if j.failed != nil {
		return engine.Event{}, fmt.Errorf("append %s: %w", p.EventType(), j.failed)
	}
	ev := engine.Event{
		Seq: uint64(len(j.events)), Time: j.clock.Now().UTC(), Mono: time.Since(j.began), Mode: j.mode, Payload: p,
	}
	j.events = append(j.events, ev)
	return ev, nil
}

// Events are the events so far.
func (j *Journal) Events() []engine.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]engine.Event(nil), j.events...)
}

// Clock is the time of package time, which testing/synctest controls.
type Clock struct{}

// Now implements engine.Clock.
func (Clock) Now() time.Time { return time.Now() }

// Artifacts keeps texts in memory, redacted as a whole when a stream ends. It is for tests: nothing bounds it.
type Artifacts struct {
	// Redact replaces secrets; nil: nothing is replaced.
	Redact func(string) string
	mu     sync.Mutex
	stored map[string]string
}

// Create implements engine.Artifacts.
func (a *Artifacts) Create() (engine.ArtifactWriter, error) { return &artifact{to: a}, nil }

// Put implements engine.Artifacts.
func (a *Artifacts) Put(data []byte) (string, error) {
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stored == nil {
		a.stored = map[string]string{}
	}
	a.stored[digest] = string(data)
	return digest, nil
}

// Get reads a stored text, for executor.Resumed.
func (a *Artifacts) Get(digest string) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text, ok := a.stored[digest]
	if !ok {
		return nil, fmt.Errorf("no artifact %s", digest)
	}
	return []byte(text), nil
}

// Stored is a stored text.
func (a *Artifacts) Stored(digest string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stored[digest]
}

type artifact struct {
	to   *Artifacts
	data []byte
}

// Write implements io.Writer.
func (w *artifact) Write(p []byte) (int, error) {
	w.data = append(w.data, p...)
	return len(p), nil
}

// Finish implements engine.ArtifactWriter.
func (w *artifact) Finish() (engine.ItemOutput, error) {
	text := string(w.data)
	if w.to.Redact != nil {
		text = w.to.Redact(text)
	}
	sum := sha256.Sum256([]byte(text))
	out := engine.ItemOutput{Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
	if len(text) <= 4<<10 && utf8.ValidString(text) {
		out.Text = text
		return out, nil
	}
	digest, err := w.to.Put([]byte(text))
	out.Artifact = digest
	return out, err
}
