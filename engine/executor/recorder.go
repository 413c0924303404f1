package executor

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
)

// Recorder is a Journal that folds what it is given into a record and shows each event to an observer, in the order of
// the journal, whatever the order in which concurrent Appends return. All events of a run must go through one Recorder.
// Safe for concurrent use.
type Recorder struct {
	journal engine.Journal
	observe func(engine.Event)

	mu       sync.Mutex
	folder   *engine.Folder
	inFlight int
	next     uint64
	begun    bool
	early    map[uint64]engine.Event // returned before an event that precedes them
	err      error
}

// NewRecorder wraps a journal. observe may be nil; it is called under a lock and must not append.
func NewRecorder(j engine.Journal, plan *engine.Plan, observe func(engine.Event)) *Recorder {
	return &Recorder{journal: j, observe: observe, folder: engine.NewFolder(plan), early: map[uint64]engine.Event{}}
}

// ResumeRecorder wraps the journal of a run that is taken up again. events are all that are in it; observe is not called for
// them.
func ResumeRecorder(j engine.Journal, plan *engine.Plan, events []engine.Event, observe func(engine.Event)) (*Recorder, error) {
	r := NewRecorder(j, plan, observe)
	for _, e := range events {
		if err := r.folder.Apply(e); err != nil {
			return nil, fmt.Errorf("record of the run: %w", err)
		}
		r.begun, r.next = true, e.Seq+1
	}
	return r, nil
}

// Append implements engine.Journal. The end of ctx does not stop a write that has begun: a fact is a fact.
func (r *Recorder) Append(ctx context.Context, p engine.Payload) (engine.Event, error) {
	r.mu.Lock()
	if r.err != nil {
		defer r.mu.Unlock()
		return engine.Event{}, r.err
	}
	r.inFlight++
	r.mu.Unlock()

	ev, err := r.journal.Append(context.WithoutCancel(ctx), p)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight--
	switch {
	case err != nil && r.err == nil:
		r.err = fmt.Errorf("journal %s: %w", p.EventType(), err)
	case err == nil:
		r.early[ev.Seq] = ev
	}
	r.settle()
	if err != nil {
		return engine.Event{}, r.err
	}
	return ev, r.err
}

// settle takes the events whose turn has come. When nothing is in flight, nothing can precede what is left.
func (r *Recorder) settle() {
	for {
		ev, ok := r.early[r.next]
		if !ok || !r.begun && r.inFlight > 0 {
			break
		}
		r.take(ev)
	}
	if r.inFlight > 0 || len(r.early) == 0 {
		return
	}
	rest := make([]uint64, 0, len(r.early))
	for seq := range r.early {
		rest = append(rest, seq)
	}
	slices.Sort(rest)
	for _, seq := range rest {
		r.take(r.early[seq])
	}
}

func (r *Recorder) take(ev engine.Event) {
	delete(r.early, ev.Seq)
	r.begun, r.next = true, ev.Seq+1
	if err := r.folder.Apply(ev); err != nil && r.err == nil {
		r.err = fmt.Errorf("record of the run: %w", err)
	}
	if r.observe != nil {
		r.observe(ev)
	}
}

// Record is the record so far.
func (r *Recorder) Record() *engine.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.folder.Record()
}

// preview is what run.closed would state now.
func (r *Recorder) preview() (engine.Verdict, string, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.folder.Preview()
}

// failed is why nothing can be recorded any more, or nil.
func (r *Recorder) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
