package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// journalShare is what the journal may cost, as a ratio of wall times: a run that is recorded to one that is not.
const journalShare = 1.10

// recording runs the fleet's runbooks in this process: loaded, planned and executed as the program does, so that the one
// difference between two sides is the record. On: journal, ledger and artifacts on disk, every fsync included. Off: an
// engine.Journal that numbers the events and forgets them. Only the execution is timed, from run.opened to run.closed.
type recording struct {
	servers *servers
	project string
	state   string // where recorded runs go
	items   int    // of a runbook, over all hosts
	hosts   int
}

// sides are a runbook with the record on and off.
func (b recording) sides(runbook string, rounds int) (on, off *side) {
	side := func(name string, recorded bool) *side {
		return &side{name: runbook + " in this process, " + name, rounds: rounds, run: func(ctx context.Context) (measurement, error) {
			return b.run(ctx, runbook, recorded)
		}}
	}
	return side("journal on disk", true), side("no journal", false)
}

func (b recording) run(ctx context.Context, runbook string, recorded bool) (measurement, error) {
	cfg, err := b.config(runbook)
	if err != nil {
		return measurement{}, err
	}
	var record *evidence.Run
	if recorded {
		if record, err = evidence.Create(b.state, evidence.RunOptions{
			Run: cfg.Opened.Run, Nonce: cfg.Opened.Nonce, Mode: cfg.Mode, Plan: cfg.Plan, Files: cfg.Project.Files, Redactor: redact.New(),
		}); err != nil {
			return measurement{}, err
		}
		record.Digests.Fill(&cfg.Opened)
		cfg.Journal, cfg.Artifacts = record.Ledgered(evidence.NewLedger(b.state, "bench"), nil), record.Artifacts
	}
	recorder := executor.NewRecorder(cfg.Journal, cfg.Plan, nil)
	cfg.Journal = recorder
	tr := sshtransport.New(sshtransport.Options{
		KnownHosts: []string{filepath.Join(b.project, "known_hosts")}, BaseDir: b.project,
		Connected: func(h engine.HostConnected) { _, _ = recorder.Append(ctx, &h) }, // a journal that fails ends the run
	})
	cfg.Prober, cfg.Launcher = tr, tr.Launcher()
	cpu, began := ownCPU(), time.Now()
	rec, err := executor.Run(ctx, cfg)
	m := measurement{wall: time.Since(began), cpu: ownCPU() - cpu}
	err = errors.Join(err, tr.Close())
	if record != nil {
		err = errors.Join(err, record.Close())
	}
	if err == nil && (rec.Verdict != engine.Passed || succeeded(rec) != b.items) {
		err = fmt.Errorf("the run did not do its work: verdict %s, %d of %d items succeeded on their hosts: %s", rec.Verdict, succeeded(rec), b.items, rec.Why)
	}
	return m, err
}

// config loads and plans. Its journal and artifacts keep nothing.
func (b recording) config(runbook string) (executor.Config, error) {
	var cfg executor.Config
	p, ds, err := loader.Load(b.project, loader.Options{})
	if err == nil {
		err = ds.Err()
	}
	if err != nil {
		return cfg, err
	}
	rb := p.Runbook(runbook)
	vars, ds := scope.Variables(scope.Inputs{Project: p, Runbook: rb}, nil, diag.Range{})
	if err := ds.Err(); err != nil {
		return cfg, err
	}
	plan, ds := planner.Plan(planner.Input{Project: p, Runbook: rb, Variables: vars})
	if err := ds.Err(); err != nil {
		return cfg, err
	}
	id, err := evidence.NewRunID(time.Now(), rand.Reader)
	if err != nil {
		return cfg, err
	}
	nonce, err := evidence.NewNonce(rand.Reader)
	return executor.Config{
		Project: p, Runbook: rb, Plan: plan, Variables: vars, Mode: engine.Live, Parallel: b.hosts, OnFailure: runbooks.Stop,
		Opened: engine.RunOpened{
			Run: id, Nonce: nonce, Project: p.Name, Runbook: rb.Name, Operator: "bench", PlanDigest: plan.Digest,
			Hosts: len(plan.Hosts), Items: len(plan.Items),
		},
		Journal: &nowhere{began: time.Now()}, Artifacts: nothing{}, Redactor: redact.New(), Clock: wall{},
	}, err
}

func succeeded(r engine.Record) int {
	n := 0
	for i := range r.Items {
		for _, u := range r.Items[i].Units {
			if u.Host != "" && u.Outcome == engine.Succeeded {
				n++
			}
		}
	}
	return n
}

// nowhere is a journal that numbers its events and keeps none.
type nowhere struct {
	began time.Time
	seq   atomic.Uint64
}

// Append implements engine.Journal.
func (j *nowhere) Append(_ context.Context, p engine.Payload) (engine.Event, error) {
	return engine.Event{Seq: j.seq.Add(1) - 1, Time: time.Now().UTC(), Mono: time.Since(j.began), Mode: engine.Live, Payload: p}, nil
}

// nothing keeps no output.
type nothing struct{}

// Create implements engine.Artifacts.
func (nothing) Create() (engine.ArtifactWriter, error) { return nothing{}, nil }

// Put implements engine.Artifacts.
func (nothing) Put([]byte) (string, error) { return "", nil }

// Write implements io.Writer.
func (nothing) Write(p []byte) (int, error) { return len(p), nil }

// Finish implements engine.ArtifactWriter.
func (nothing) Finish() (engine.ItemOutput, error) { return engine.ItemOutput{}, nil }

type wall struct{}

// Now implements engine.Clock.
func (wall) Now() time.Time { return time.Now() }
