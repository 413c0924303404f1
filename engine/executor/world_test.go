package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/drytransport"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

const inventory = `
project "p" { environment = "lab" }
host "a" { address = "10.0.0.1" }
host "b" { address = "10.0.0.2" }
host "c" { address = "10.0.0.3" }
group "all" { hosts = [host.a, host.b, host.c] }
secret "pw" { env = "PW" }
role "mim" { members = ["alice", "bob", "carol"] }
`

// world is a runbook with simulated hosts and people.
type world struct {
	t       testing.TB
	project *runbooks.Project
	sim     *simtransport.Transport
	people  *simtransport.People
	redact  *redact.Redactor
	store   *simtransport.Artifacts
	journal *simtransport.Journal
	cfg     executor.Config
}

type vault map[string]string

func (v vault) Secret(_ context.Context, name string) (string, error) {
	if s, ok := v[name]; ok {
		return s, nil
	}
	return "", fmt.Errorf("no such secret")
}

// newWorld loads and plans a runbook. src is the inside of a runbook, or whole blocks when it has a runbook in it.
func newWorld(t testing.TB, mode engine.Mode, src string) *world {
	t.Helper()
	if !strings.Contains(src, "runbook \"") {
		src = "runbook \"r\" {\n" + src + "\n}\n"
	}
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: []byte(inventory + src)}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err())
	rb := p.Runbook("r")
	vars, ds := scope.Variables(scope.Inputs{Project: p, Runbook: rb}, map[string]expr.Value{}, diag.Range{})
	require.NoError(t, ds.Err())
	plan, ds := planner.Plan(planner.Input{Project: p, Runbook: rb, Variables: vars})
	require.NoError(t, ds.Err())
	w := &world{t: t, project: p, sim: simtransport.New(), people: &simtransport.People{}, redact: redact.New()}
	w.store = &simtransport.Artifacts{Redact: w.redact.Redact}
	w.journal = simtransport.NewJournal(mode, simtransport.Clock{})
	w.cfg = executor.Config{
		Project: p, Runbook: rb, Plan: plan, Variables: vars, Mode: mode, Journal: w.journal, Artifacts: w.store, Redactor: w.redact,
		Opened:  engine.RunOpened{Run: "run-1", Nonce: "00000000000000000000000000000001", Operator: "op", PlanDigest: plan.Digest},
		Secrets: vault{"pw": "s3cret-password"}, People: w.people, Approver: w.people, Verifier: simtransport.Verifier{}, HTTP: w.sim, Clock: simtransport.Clock{}, Prober: w.sim,
	}
	if mode == engine.DryRun {
		w.cfg.Prober = drytransport.New(w.sim)
	} else {
		w.cfg.Launcher = w.sim
	}
	return w
}

func (w *world) run() engine.Record {
	w.t.Helper()
	rec, err := executor.Run(w.t.Context(), w.cfg)
	require.NoError(w.t, err)
	w.checkRecord(rec)
	return rec
}

// checkRecord holds for every run: the record is what Fold makes of the events, and every intent has at most one outcome,
// which is on record before anything is released.
func (w *world) checkRecord(rec engine.Record) {
	w.t.Helper()
	again, err := engine.Fold(w.cfg.Plan, w.journal.Events())
	require.NoError(w.t, err)
	require.Equal(w.t, again.Verdict, rec.Verdict)
	require.Equal(w.t, again.Events, rec.Events)
	outcomes := map[engine.AttemptID]int{}
	intents := map[engine.AttemptID]int{}
	for _, e := range w.journal.Events() {
		switch p := e.Payload.(type) {
		case *engine.ItemIntent:
			intents[p.AttemptID]++
		case *engine.ItemOutcome:
			if p.AttemptID != "" {
				outcomes[p.AttemptID]++
				require.Equal(w.t, 1, intents[p.AttemptID])
			}
		}
	}
	for _, c := range w.sim.Calls() {
		if c.What == "start" {
			require.Equal(w.t, 1, intents[c.Attempt], "started without an intent, or twice")
			intents[c.Attempt]++
		}
	}
	for id, n := range outcomes {
		require.Equal(w.t, 1, n)
		if w.sim.Released(id) > 0 {
			require.Equal(w.t, 1, w.sim.Released(id))
		}
	}
}

// story is what happened, one short line an event.
func (w *world) story() []string {
	var out []string
	for _, e := range w.journal.Events() {
		if s := tell(e.Payload); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func tell(p engine.Payload) string {
	where := func(u engine.Unit) string {
		s := string(u.Item)
		if u.Key != "" {
			s += "[" + u.Key + "]"
		}
		if u.Host != "" {
			s += "@" + u.Host
		}
		return s
	}
	switch p := p.(type) {
	case *engine.ItemStarted:
		return "start " + string(p.Item)
	case *engine.ItemIntent:
		return fmt.Sprintf("intent %s %s #%d", where(p.Unit), p.Part, p.Attempt)
	case *engine.ItemOutcome:
		s := where(p.Unit) + " "
		if p.Part != "" {
			s += string(p.Part) + " "
		}
		s += string(p.Outcome)
		if p.Cause != "" {
			s += " (" + p.Cause + ")"
		}
		return s
	case *engine.ItemSettled:
		return fmt.Sprintf("settled %s %s by %s", where(p.Unit), p.As, p.By)
	case *engine.MarkSet:
		return "mark " + p.Mark
	case *engine.RunInterrupted:
		return "interrupted"
	case *engine.RunClosed:
		return "closed " + string(p.Verdict)
	case *engine.CleanupStarted, *engine.CleanupEnded:
		return p.EventType()
	case *engine.OperatorAction:
		return "action " + p.Action
	case *engine.ManualDone:
		return "manual " + string(p.Item)
	}
	return ""
}

func (w *world) outcome(rec engine.Record, id runbooks.ItemID) engine.Outcome {
	w.t.Helper()
	for _, i := range rec.Items {
		if i.Plan.ID == id {
			return i.Outcome
		}
	}
	w.t.Fatalf("no item %s", id)
	return ""
}

func item(rec engine.Record, id runbooks.ItemID) engine.ItemRecord {
	for _, i := range rec.Items {
		if i.Plan.ID == id {
			return i
		}
	}
	return engine.ItemRecord{}
}

// started are the items that a launch or an observation of the simulated hosts was made for, in order, once each.
func (w *world) called(what string) []string {
	var out []string
	for _, c := range w.sim.Calls() {
		if c.What == what {
			out = append(out, string(c.Item)+"@"+c.On)
		}
	}
	return out
}

const second = time.Second

func newRun(t *testing.T, w *world) (engine.Record, error) {
	t.Helper()
	return executor.Run(t.Context(), w.cfg)
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
