package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Moment is when continuo dies, seen from one event of its journal.
type Moment string

// The moments. Whatever was done before the event is done in each of them; what differs is what is on record.
const (
	// MomentBefore: the event is not on record. Of an attempt's outcome: the command ended, and nobody was told.
	MomentBefore Moment = "before"
	// MomentLaunch, of an intent: it is on record, and the launch was not sent.
	MomentLaunch Moment = "launch"
	// MomentLost, of an attempt's outcome: the command had started, and the host has lost what became of it.
	MomentLost Moment = "lost"
)

// Crash kills continuo once, at an event, and has another process resume the run.
type Crash struct {
	Moment Moment
	// Event is the type of the event; Unit, Part and Attempt say which of them, as far as they are not empty.
	Event   string
	Unit    engine.Unit
	Part    engine.PartName
	Attempt int
	// Nth counts from 0 among the events that are alike in all of this.
	Nth int
	// Any: the first event for which what is not empty is so. Else what is empty must be.
	Any bool
	// People answer the process that resumes.
	People *simtransport.People
}

// errDead is what the journal says when continuo has been killed.
var errDead = errors.New("continuo was killed")

// pause is how long it takes until somebody resumes the run.
const pause = 10 * time.Second

// pointOf says which event of a run a payload is. It reports false for events that are no point of their own: what comes
// before the first item.
func pointOf(p engine.Payload) (Crash, bool) {
	c := Crash{Event: p.EventType()}
	if about, ok := p.(engine.Subject); ok {
		c.Unit = about.About()
	}
	switch p := p.(type) {
	case *engine.RunOpened, *engine.HostConnected, *engine.PreflightResult:
		return c, false
	case *engine.ItemIntent:
		c.Part, c.Attempt = p.Part, p.Attempt
	case *engine.ItemOutput:
		c.Part, c.Attempt = p.Part, p.Attempt
	case *engine.ItemOutcome:
		c.Part, c.Attempt = p.Part, p.Attempt
	case *engine.ItemSettled:
		c.Part = p.Part
	case *engine.ItemRetry:
		c.Attempt = p.Tries
	}
	return c, true
}

// is reports whether the event is one that the crash is about, whichever of those that are alike.
func (c *Crash) is(p engine.Payload) bool {
	at, ok := pointOf(p)
	if c.Any {
		return ok && at.Event == c.Event && at.Unit.Item == c.Unit.Item && at.Part == c.Part &&
			(c.Unit.Host == "" || at.Unit.Host == c.Unit.Host) && (c.Attempt == 0 || at.Attempt == c.Attempt)
	}
	at.Moment, at.Nth, at.People = c.Moment, c.Nth, c.People
	return ok && at == *c
}

// crashOf is the crash that a `fault` block describes: of what is launched, before the launch, after the end, or so that
// the result is lost; of anything else, before its end is on record.
func crashOf(i *runbooks.Item, at place, variant string, attempt int) *Crash {
	c := &Crash{Unit: engine.Unit{Item: at.item, Host: at.host}, Part: at.part, Attempt: attempt, Any: true}
	switch {
	case i.Kind.Effect() != runbooks.Change && at.part != engine.PartRollback:
		c.Event, c.Part, c.Moment = "item.outcome", "", MomentBefore
	case variant == lostFinished:
		c.Event, c.Moment = "item.outcome", MomentBefore
	case variant == lostForGood:
		c.Event, c.Moment = "item.outcome", MomentLost
	default:
		c.Event, c.Moment = "item.intent", MomentLaunch
	}
	return c
}

// killer watches a journal for the event at which continuo dies.
type killer struct {
	crash   *Crash
	hosts   *simtransport.Transport
	seen    int
	dead    bool
	attempt engine.AttemptID // whose outcome is not on record
}

// watch is asked before each event of the journal.
func (k *killer) watch(_ int, p engine.Payload) error {
	if k.dead {
		return errDead
	}
	if !k.crash.is(p) {
		return nil
	}
	if k.seen++; k.seen <= k.crash.Nth {
		return nil
	}
	k.dead = true
	k.hosts.Die()
	if o, ok := p.(*engine.ItemOutcome); ok {
		k.attempt = o.AttemptID
	}
	if k.crash.Moment == MomentLaunch {
		return nil
	}
	return errDead
}

// play runs a case until its end, or until continuo is killed and the run is resumed and at its end.
func (c Case) play(ctx context.Context, out *Ended) error {
	journal := simtransport.NewJournal(engine.Simulate, simtransport.Clock{})
	cfg := c.config()
	k := &killer{crash: c.Crash, hosts: c.Hosts}
	if c.Crash != nil {
		journal.FailWhen(k.watch)
	}
	recorder := executor.NewRecorder(journal, c.Plan, nil)
	rec, err := c.controller(ctx, cfg, recorder, journal)
	if k.dead {
		out.Crashed = true
		if journal, rec, err = c.resume(ctx, cfg, journal.Events(), k); err != nil {
			return fmt.Errorf("resume after a crash: %w", err)
		}
	}
	if err != nil {
		return err
	}
	out.Record, out.Events, out.Calls, out.Artifacts = &rec, journal.Events(), c.Hosts.Calls(), cfg.Artifacts
	return c.once(out)
}

// resume has another process take the run up.
func (c Case) resume(ctx context.Context, cfg executor.Config, events []engine.Event, k *killer) (*simtransport.Journal, engine.Record, error) {
	time.Sleep(pause)
	c.Hosts.Live()
	if c.Crash.Moment == MomentLost {
		c.Hosts.Lose(k.attempt)
	}
	journal := simtransport.ResumeJournal(events, simtransport.Clock{}, cfg.Opened.Operator)
	store, _ := cfg.Artifacts.(*simtransport.Artifacts)
	cfg.Resume = &executor.Resumed{Events: journal.Events(), Artifact: store.Get}
	if c.Crash.People != nil {
		cfg.People, cfg.Approver = c.Crash.People, c.Crash.People
	}
	recorder, err := executor.ResumeRecorder(journal, c.Plan, journal.Events(), nil)
	if err != nil {
		return journal, engine.Record{}, err
	}
	rec, err := c.controller(ctx, cfg, recorder, journal)
	return journal, rec, err
}

// controller is one process that works on the run.
func (c Case) controller(ctx context.Context, cfg executor.Config, recorder *executor.Recorder, journal *simtransport.Journal) (engine.Record, error) {
	c.Hosts.OnConnect(func(h engine.HostConnected) {
		_, _ = recorder.Append(context.Background(), &h) // a journal that fails stops the run by itself
	})
	cfg.Journal = recorder
	c.judged(&cfg, journal)
	return executor.Run(ctx, cfg)
}

// ErrTwice: a step ran twice on a host although nobody wanted that. It is a defect of continuo, never of a runbook.
var ErrTwice = errors.New("ran twice")

// once checks what continuo promises of every run: one attempt is executed at most once, and a step that is neither
// idempotent nor retried is executed once a unit.
func (c Case) once(out *Ended) error {
	if !out.Crashed {
		return nil
	}
	ran := map[engine.Unit]map[engine.AttemptID]bool{}
	for _, call := range out.Calls {
		i := itemAt(c.Project, c.Runbook, call.Item)
		if call.What != "start" || call.Part != engine.PartCommand || i == nil || i.Idempotent || i.Retry != nil || c.Hosts.Executed(call.Attempt) == 0 {
			continue
		}
		if ran[call.Unit] == nil {
			ran[call.Unit] = map[engine.AttemptID]bool{}
		}
		if ran[call.Unit][call.Attempt] = true; len(ran[call.Unit]) > 1 {
			return fmt.Errorf("%s on %s %w", call.Item, call.Host, ErrTwice)
		}
	}
	return nil
}
