package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// session is one run in progress: its record, its ways to the hosts, and who steers it.
type session struct {
	app      *app
	work     *work
	flags    runFlags
	ask      *view.Asker
	mode     engine.Mode
	redactor *redact.Redactor
	secrets  engine.Secrets
	run      *evidence.Run
	id       engine.RunID
	nonce    string
	recorder *executor.Recorder
	socket   *socket
	console  *view.Console // what a person sees of the run; shown where there is a terminal
	helm     chan os.Signal
	reach    transports

	// earlier is the run as another process left it; nil: a new run. events are all that are on record of it, those of this
	// process up to its start included; wish has it rolled back.
	earlier *evidence.Loaded
	events  []engine.Event
	wish    *engine.OperatorAction
	// undoes is a sealed run that this one rolls back, rollbackOf its id.
	undoes     *executor.Undone
	rollbackOf engine.RunID

	record engine.Record
	err    error // of the controller, not of the recovery
}

// stateDir is where runs are kept.
func (a *app) stateDir() string {
	if a.global.state != "" {
		return a.path(a.global.state)
	}
	return filepath.Join(a.dir(), ".continuo")
}

// open makes the run's directory and everything that works on the run. Nothing has been connected to yet.
func (a *app) open(w *work, f runFlags, ask *view.Asker) (*session, error) {
	s := &session{app: a, work: w, flags: f, ask: ask, mode: engine.DryRun, redactor: redact.New()}
	if f.live {
		s.mode = engine.Live
	}
	if err := hideVariables(w.runbook, w.variables, s.redactor); err != nil {
		return nil, err
	}
	a.warnLeaks(w, s.redactor)
	var err error
	if s.id, err = evidence.NewRunID(a.env.Now(), rand.Reader); err == nil {
		s.nonce, err = evidence.NewNonce(rand.Reader)
	}
	if err != nil {
		return nil, fail(Defect, err, "")
	}
	s.run, err = evidence.Create(a.stateDir(), evidence.RunOptions{
		Run: s.id, Nonce: s.nonce, Mode: s.mode, Plan: w.plan, Files: w.project.Files, Redactor: s.redactor, Clock: a.env.Stamps, FS: a.env.FS,
	})
	if err != nil {
		return nil, fail(BadEvidence, err, stateHint(err, a.stateDir()))
	}
	return s, s.attach()
}

// attach makes what works on the run once its directory is there.
func (s *session) attach() error {
	a := s.app
	s.socket = &socket{control: executor.NewControl(), people: newParlour(nil, false), dry: s.mode != engine.Live}
	s.console = a.console(s)
	if s.mode == engine.Live {
		a.forecaster(s.console, s.work.plan, s.id)
	}
	ledgered := s.run.Ledgered(a.ledger(), a.ledgerWarning)
	if s.earlier == nil {
		s.recorder = executor.NewRecorder(ledgered, s.work.plan, s.observer())
	} else {
		var err error
		s.events = s.earlier.Events
		for _, e := range s.events {
			s.console.Event(e)
		}
		if s.recorder, err = executor.ResumeRecorder(ledgered, s.work.plan, s.events, s.observer()); err != nil {
			return errors.Join(fail(BadEvidence, err, ""), s.run.Close())
		}
	}
	s.secrets = a.secrets(s.work.project, s.ask, s.redactor)
	s.reach = a.reach(s.work.project, s.ask, s.secrets, func(h engine.HostConnected) {
		// A journal that fails stops the run by itself.
		_, _ = s.recorder.Append(context.Background(), &h)
	})
	return nil
}

// ledgerWarning says that the ledger could not be written: a deviation, never a stopped recovery.
func (a *app) ledgerWarning(err error) {
	a.err.Warn("the ledger of runs is not up to date: "+err.Error(), "the run goes on; `continuo ledger verify` looks at it afterwards")
}

// stateHint says what to do when the record cannot be written.
func stateHint(err error, dir string) string {
	if isFull(err) {
		return "the disk under " + dir + " is full: make room, or keep the runs elsewhere with --state DIR"
	}
	return "the record of a run needs a directory that can be written: see --state DIR"
}

// execute runs the plan to its end. What went wrong with the controller is in s.err, what became of the recovery in
// s.record.
func (s *session) execute(ctx context.Context) {
	a := s.app
	a.collectMore(len(s.work.plan.Hosts))
	cfg := executor.Config{
		Project: s.work.project, Runbook: s.work.runbook, Plan: s.work.plan, Variables: s.work.variables,
		Opened: s.opened(), Mode: s.mode, Journal: s.recorder, Artifacts: s.run.Artifacts, Scratch: scratch(a.stateDir()), Redactor: s.redactor,
		Secrets: s.secrets, Clock: clock(a.env.Now), Prober: s.reach.proberFor(s.mode), HTTP: s.reach.local,
		Parallel: s.flags.parallel, Limit: s.flags.limit, From: runbooks.ItemID(s.flags.from), Marks: s.flags.marks,
		OnFailure: runbooks.Stop, Control: s.socket.control, Resume: s.resumed(), Undo: s.undoes,
	}
	if s.mode == engine.Live {
		cfg.Verifier = a.approvers()
		cfg.Launcher = s.reach.launcher()
		people := newParlour(a.desk(s.ask, s.flags.operator, s.console), s.ask.Present())
		s.socket.people = people
		cfg.People, cfg.Approver = people, people
		if s.ask.Present() {
			cfg.Operator, cfg.OnFailure = people, runbooks.Ask
			cfg.Settler = people
		}
	}
	listening, err := control.Serve(ctx, s.run.Dir, s.socket.handle)
	if err != nil { // the run can be led from this terminal all the same
		a.err.Warn("other terminals cannot steer this run: "+err.Error(), "")
	} else {
		defer listening.Close()
	}
	defer s.steer(cfg.Control)()
	s.record, s.err = executor.Run(ctx, cfg)
}

// leave removes from the hosts what the run left there, and ends the connections. That comes last: it may take a while on a
// host that has become slow, and nobody should wait for the verdict meanwhile.
func (s *session) leave() {
	left := make(chan error, 1)
	go func() { left <- s.reach.prober().Close() }()
	var err error
	select {
	case err = <-left:
	case <-time.After(time.Second):
		s.app.err.Printf("removing the run's files from the hosts…\n")
		err = <-left
	}
	if err != nil {
		s.app.err.Warn("the hosts were not left in order: "+err.Error(), "a later run removes there what this one left")
	}
}

// opened is the first event of the run.
func (s *session) opened() engine.RunOpened {
	w, f, env := s.work, s.flags, s.app.env
	o := engine.RunOpened{
		Run: s.id, Nonce: s.nonce, Project: projectName(w.project), Runbook: w.runbook.Name, Title: w.runbook.Title,
		Operator: f.operator, OperatorHost: env.Hostname, Tool: tool(), BootID: journal.BootID(),
		Variables: w.plan.Variables, Hosts: len(w.plan.Hosts), Items: len(w.plan.Items),
		Exercise: w.runbook.Exercise.Type, Impact: w.runbook.Exercise.ProductionImpact,
		Change: f.change, Incident: f.incident, Participants: f.people, Limit: f.limit, From: f.from,
		ClockSource: clockSource(),
	}
	if f.exercise != "" {
		o.Exercise = f.exercise
	}
	o.RollbackOf = string(s.rollbackOf)
	s.run.Digests.Fill(&o)
	return o
}

// clock is a wall clock.
type clock func() time.Time

// Now implements engine.Clock.
func (c clock) Now() time.Time { return c() }
