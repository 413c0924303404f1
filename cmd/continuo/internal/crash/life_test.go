package crash

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// steps is the workload: two steps on a durable host, one on a host that keeps no attempts (a lost end is unknown there),
// and one more that must not start while that is not known. Each effect is a line that the host writes.
const steps = `
project "crash" {
  environment = "lab"
  known_hosts = "known_hosts"
  connection {
    identity_files = ["id"]
    agent          = "none"
  }
}
host "durable" {
  address = "127.0.0.1"
  port    = PORT
}
host "plain" {
  address = "127.0.0.1"
  port    = PORT
  connection { plain = true }
}
runbook "work" {
  phase "only" {
    check "up" {
      hosts = host.durable
      argv  = ["true"]
    }
    step "one" {
      hosts  = host.durable
      script = "echo one >>WITNESS; i=0; while [ $i -lt 400 ]; do echo 'one has something to say'; i=$((i+1)); done"
    }
    step "two" {
      hosts = host.plain
      script = "echo two >>WITNESS"
    }
    step "three" {
      hosts  = host.durable
      script = "echo three >>WITNESS"
    }
  }
}
`

// work is the planned runbook.
type work struct {
	project *runbooks.Project
	runbook *runbooks.Runbook
	plan    *engine.Plan
	vars    map[string]expr.Value
}

// newWork loads and plans the workload. dir is where the project's key and known hosts are; port is the hosts', witness the
// file there that each effect writes a line into.
func newWork(t testing.TB, dir, port, witness string) *work {
	t.Helper()
	src := strings.NewReplacer("PORT", port, "WITNESS", witness).Replace(steps)
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: []byte(src)}}, dir, loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err())
	rb := p.Runbook("work")
	vars, ds := scope.Variables(scope.Inputs{Project: p, Runbook: rb}, map[string]expr.Value{}, diag.Range{})
	require.NoError(t, ds.Err())
	plan, ds := planner.Plan(planner.Input{Project: p, Runbook: rb, Variables: vars})
	require.NoError(t, ds.Err())
	return &work{project: p, runbook: rb, plan: plan, vars: vars}
}

// life is one controller, from the first command to its end, however that comes.
type life struct {
	work     *work
	fs       fsx.FS
	state    string
	prober   engine.Prober
	launcher engine.Launcher
	http     engine.HTTPProber
	signer   *evidence.Signer
	nonce    string
	// acked is told of every event that the journal acknowledged as durable, before anything else happens.
	acked func(seq uint64, typ string)
	// settler is asked about what nobody knows; nil: the run is held.
	settler engine.Settler
}

// errHeld: the run waits for a person.
var errHeld = errors.New("the run is held")

// begin begins a run and works on it to its end.
func (l *life) begin(ctx context.Context, id engine.RunID) error {
	ledger := evidence.NewLedger(l.state, "crash").On(l.fs)
	r := redact.New()
	run, err := evidence.Create(l.state, evidence.RunOptions{
		Run: id, Nonce: l.nonce, Mode: engine.Live, Plan: l.work.plan, Files: l.work.project.Files, Redactor: r, FS: l.fs,
	})
	if err != nil {
		return err
	}
	o := engine.RunOpened{
		Run: id, Nonce: l.nonce, Project: l.work.project.Name, Runbook: l.work.runbook.Name, Operator: "olga@example.org",
		BootID: journal.BootID(), Hosts: len(l.work.plan.Hosts), Items: len(l.work.plan.Items),
	}
	run.Digests.Fill(&o)
	rec := executor.NewRecorder(l.acking(run.Ledgered(ledger, nil)), l.work.plan, nil)
	return l.execute(ctx, ledger, run, executor.Config{Opened: o, Journal: rec, Redactor: r})
}

// takeUp goes on with whatever lies in the state directory, or begins where nothing has happened yet.
func (l *life) takeUp(ctx context.Context) error {
	ids, err := evidence.Runs(l.state)
	if err != nil {
		return err
	}
	for _, id := range ids {
		dir := evidence.RunDir(l.state, id)
		loaded, err := evidence.Load(dir)
		if errors.Is(err, journal.ErrEmpty) || errors.Is(err, fs.ErrNotExist) || err == nil && len(loaded.Events) == 0 {
			continue // it was never opened: nothing has happened
		}
		if err != nil {
			return err
		}
		ledger := evidence.NewLedger(l.state, "crash").On(l.fs)
		if loaded.Sealed || loaded.Record.Closed {
			return l.seal(ledger, dir)
		}
		return l.resume(ctx, ledger, dir)
	}
	return l.begin(ctx, engine.RunID("again-"+string(rune('a'+len(ids)))))
}

func (l *life) resume(ctx context.Context, ledger *evidence.Ledger, dir string) error {
	r := redact.New()
	run, loaded, err := evidence.Resume(dir, evidence.RunOptions{Redactor: r, FS: l.fs},
		&engine.RunResumed{BootID: journal.BootID(), By: "otto@example.org"})
	if err != nil {
		return err
	}
	if err := ledger.EnsureOpened(loaded); err != nil {
		return errors.Join(err, run.Close())
	}
	rec, err := executor.ResumeRecorder(l.acking(run.Ledgered(ledger, nil)), l.work.plan, loaded.Events, nil)
	if err != nil {
		return errors.Join(err, run.Close())
	}
	return l.execute(ctx, ledger, run, executor.Config{
		Journal: rec, Redactor: r, Settler: l.settler, Resume: &executor.Resumed{Events: loaded.Events, Artifact: run.Artifacts.Get},
	})
}

// execute runs the plan and seals the record when the run has ended.
func (l *life) execute(ctx context.Context, ledger *evidence.Ledger, run *evidence.Run, cfg executor.Config) error {
	w := l.work
	cfg.Project, cfg.Runbook, cfg.Plan, cfg.Variables, cfg.Mode = w.project, w.runbook, w.plan, w.vars, engine.Live
	cfg.Artifacts, cfg.Clock, cfg.Prober, cfg.Launcher, cfg.HTTP = run.Artifacts, wall{}, l.prober, l.launcher, l.http
	cfg.OnFailure = runbooks.Stop
	record, err := executor.Run(ctx, cfg)
	if cerr := run.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		return err
	case !record.Closed:
		return errHeld
	}
	return l.seal(ledger, run.Dir)
}

func (l *life) seal(ledger *evidence.Ledger, dir string) error {
	sealed, err := evidence.Seal(dir, evidence.SealOptions{Signer: l.signer, Renderers: renderers(), Redactor: redact.New(), FS: l.fs})
	if err != nil {
		return err
	}
	_, err = ledger.RecordSeal(sealed, l.signer)
	return err
}

func renderers() map[string]evidence.Renderer {
	return map[string]evidence.Renderer{"report.json": func(rec *engine.Record) ([]byte, error) {
		r, err := report.Build(rec, report.Options{})
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		err = r.JSON(&b)
		return b.Bytes(), err
	}}
}

// wall is the real clock.
type wall struct{}

// Now implements engine.Clock.
func (wall) Now() time.Time { return time.Now() }

// acking tells of what the journal acknowledged.
func (l *life) acking(j engine.Journal) engine.Journal { return ackJournal{j, l.acked} }

type ackJournal struct {
	engine.Journal
	acked func(seq uint64, typ string)
}

// Append implements engine.Journal.
func (a ackJournal) Append(ctx context.Context, p engine.Payload) (engine.Event, error) {
	ev, err := a.Journal.Append(ctx, p)
	if err == nil && p.Durable() {
		a.acked(ev.Seq, p.EventType())
	}
	return ev, err
}

// settleDone says of everything that it was done.
type settleDone struct{}

// Settle implements engine.Settler.
func (settleDone) Settle(context.Context, engine.SettleQuestion) (engine.SettleAnswer, error) {
	return engine.SettleAnswer{As: engine.SettleDone, By: "otto@example.org", Reason: "looked at the host"}, nil
}
