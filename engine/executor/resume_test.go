package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
)

// everything is a runbook that has a bit of all: what it does depends on what it saw before.
const everything = `
mark "began" {}
mark "over" {}
objective "rto" {
  from   = "began"
  to   = "over"
  target = "1h"
}
phase "look" {
  check "lag" {
    hosts = group.all
    argv  = ["lag"]
    capture "n" {
      value = tonumber(result.stdout)
      type  = number
    }
    expect {
      condition = result.n < 10
      message   = "too far behind"
    }
  }
  assert "sane" { condition = check.lag.by_host["a"].n < 5 }
}
phase "go" {
  gate "go" {
    question  = "Go?"
    role      = role.mim
    approvals = 2
  }
  decision "way" {
    question = "Which way?"
    options  = ["left", "right"]
  }
  manual "call" {
    instructions = "Call them."
    input "ticket" { type = number }
  }
  step "fleet" {
    hosts    = group.all
    requires = [gate.go]
    argv     = ["fleet", decision.way.choice, tostring(manual.call.inputs.ticket)]
    marks_start = ["began"]
    rollout {
      batch        = [1, 2]
      max_failures = 0
    }
    capture "id" { value = result.stdout }
    verify { argv = ["fleet-ok"] }
    rollback { argv = ["fleet-back", self.name] }
  }
  step "each" {
    hosts    = host.b
    for_each = { x = "1", y = "2" }
    argv     = ["each", each.key, step.fleet.by_host["b"].id]
    rollback { argv = ["each-back", each.key] }
  }
  wait "settle" { duration = "30s" }
  call "child" { runbook = runbook.child }
  step "last" {
    hosts = host.c
    argv  = ["last", call.child.outputs.word]
    retry {
      attempts = 2
      delay    = "5s"
    }
    marks = ["over"]
  }
}
cleanup {
  step "tidy" {
    hosts = host.a
    argv  = ["tidy"]
  }
}`

const childRunbook = `
runbook "child" {
  phase "p" {
    step "inner" {
      hosts = host.a
      argv  = ["inner"]
      rollback { argv = ["inner-back"] }
    }
  }
  output "word" { value = step.inner.stdout }
}`

// scene is a way for the runbook to go.
type scene struct {
	script func(w *world)
	// verdict is that of the undisturbed run.
	verdict engine.Verdict
	// fewer: what is unknown is known earlier to the second controller, and nothing new is started after that.
	fewer bool
}

func scenes() map[string]scene {
	return map[string]scene{
		"all goes well": {script: func(*world) {}, verdict: engine.PassedWithDeviations},
		"a step fails and all is rolled back": {script: func(w *world) {
			w.cfg.Runbook.OnFailure = "rollback"
			w.sim.On("step.last", engine.PartCommand, simtransport.Answer{ExitCode: 1})
		}, verdict: engine.VerdictFailed},
		"a rollback fails": {script: func(w *world) {
			w.cfg.Runbook.OnFailure = "rollback"
			w.sim.On("step.last", engine.PartCommand, simtransport.Answer{ExitCode: 1})
			w.sim.OnHost("step.fleet", engine.PartRollback, "b", simtransport.Answer{ExitCode: 1})
		}, verdict: engine.Incomplete},
		"the second batch fails": {script: func(w *world) {
			w.sim.OnHost("step.fleet", engine.PartCommand, "b", simtransport.Answer{ExitCode: 1})
		}, verdict: engine.VerdictFailed},
		"an attempt is lost": {fewer: true, script: func(w *world) {
			w.sim.OnHost("step.fleet", engine.PartCommand, "b", simtransport.Answer{Err: engine.ErrOutcomeUnknown, Delay: 10 * second})
		}, verdict: engine.Incomplete},
	}
}

func newScene(t *testing.T, s scene) *world {
	t.Helper()
	w := newWorld(t, engine.Live, "runbook \"r\" {\n"+everything+"\n}\n"+childRunbook)
	slow := simtransport.Answer{Stdout: "3\n", Delay: second}
	w.sim.On("check.lag", engine.PartCommand, slow)
	w.sim.On("step.fleet", engine.PartCommand, simtransport.Answer{Stdout: "id-7\n", Delay: 3 * second})
	w.sim.On("call.child.step.inner", engine.PartCommand, simtransport.Answer{Stdout: "word\n", Delay: second})
	w.sim.On("step.last", engine.PartCommand, simtransport.Answer{ExitCode: 1}, simtransport.Answer{})
	s.script(w)
	w.answers()
	return w
}

// answers has people there for every controller: whoever asks again is answered again.
func (w *world) answers() {
	w.people.OnGate("gate.go", simtransport.Approve("alice"), simtransport.Approve("bob"))
	w.people.OnDecision("decision.way", simtransport.Choice{DecisionAnswer: engine.DecisionAnswer{Choice: "left", By: "carol"}})
	w.people.OnManual("manual.call", simtransport.ManualAnswer{ManualAnswer: engine.ManualAnswer{
		By: "dave", Done: true, Inputs: map[string]string{"ticket": "4711"},
	}})
}

var errDead = errors.New("the controller is dead")

// dies runs a controller that dies at the n-th event: late, after it is on record and before it is known; else before it is.
func (w *world) dies(n int, late bool) {
	w.journal.FailWhen(func(seq int, _ engine.Payload) error {
		switch {
		case seq == n:
			w.sim.Die()
			return errDead
		case late && seq == n-1:
			w.sim.Die()
		}
		return nil
	})
	_, err := executor.Run(w.t.Context(), w.cfg)
	require.ErrorIs(w.t, err, errDead)
}

// resumes has another controller take the run up.
func (w *world) resumes() (engine.Record, error) {
	w.sim.Live()
	w.answers()
	w.journal = simtransport.ResumeJournal(w.journal.Events(), simtransport.Clock{}, "second")
	w.cfg.Journal = w.journal
	w.cfg.Resume = &executor.Resumed{Events: w.journal.Events(), Artifact: w.store.Get}
	return executor.Run(w.t.Context(), w.cfg)
}

// effects are what really ran on the simulated hosts, by unit, part and command; each attempt ran once at most.
func (w *world) effects() []string {
	var out []string
	seen := map[engine.AttemptID]bool{}
	for _, c := range w.sim.Calls() {
		if c.What != "start" || seen[c.Attempt] || w.sim.Executed(c.Attempt) == 0 {
			continue
		}
		seen[c.Attempt] = true
		out = append(out, fmt.Sprintf("%s %s[%s]@%s %s", c.Part, c.Item, c.Key, c.On, strings.Join(c.Command.Argv, " ")))
	}
	slices.Sort(out)
	return out
}

// ends are the outcomes of all units and items, and whether they are done.
func ends(rec engine.Record) []string {
	var out []string
	for _, i := range rec.Items {
		out = append(out, fmt.Sprintf("%s %s %s", i.Plan.ID, i.Outcome, i.Standing))
		for _, u := range i.Units {
			out = append(out, fmt.Sprintf("%s[%s]@%s %s %s", u.Item, u.Key, u.Host, u.Outcome, u.Standing))
		}
	}
	slices.Sort(out)
	return out
}

// A controller that dies at any event of a run, before or after the event is on record, is followed by another. Whatever the
// point: nothing runs twice on the hosts, and the run comes to the same end, with the same outcomes.
func TestResume_diesAtEveryEvent(t *testing.T) {
	t.Parallel()
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events, begins int
			var want engine.Record
			var effects []string
			synctest.Test(t, func(t *testing.T) {
				w := newScene(t, s)
				rec, err := executor.Run(t.Context(), w.cfg)
				require.NoError(t, err)
				require.Equal(t, s.verdict, rec.Verdict, rec.Why)
				events, want, effects = len(w.journal.Events()), rec, w.effects()
				begins = slices.IndexFunc(w.journal.Events(), func(e engine.Event) bool {
					_, ok := e.Payload.(*engine.ItemIntent)
					return ok
				})
			})
			require.Greater(t, events, 20)
			from := 1
			if name != "all goes well" {
				from = begins // what comes before is the same in all
			}
			for n := from; n < events; n++ {
				for _, late := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						w := newScene(t, s)
						w.dies(n, late)
						rec, err := w.resumes()
						at := fmt.Sprintf("died at event %d (late: %v): %v", n, late, w.story())
						require.NoError(t, err, at)
						w.checkRecord(rec)
						require.Equal(t, want.Verdict, rec.Verdict, "%s: %s", rec.Why, at)
						if s.fewer {
							require.Subset(t, effects, w.effects(), at)
							return
						}
						require.Equal(t, effects, w.effects(), at)
						require.Equal(t, ends(want), ends(rec), at)
						require.Equal(t, rollbackOf(want), rollbackOf(rec), at)
						require.Equal(t, want.CleanupRan, rec.CleanupRan, at)
					})
				}
			}
		})
	}
}

func rollbackOf(rec engine.Record) any {
	if rec.Rollback == nil {
		return nil
	}
	r := rec.Rollback.RollbackEnded
	byName := func(us []engine.Unit) []string {
		var out []string
		for _, u := range us {
			out = append(out, fmt.Sprint(u))
		}
		slices.Sort(out)
		return out
	}
	return []any{byName(r.Done), byName(r.Failed), byName(r.Left), r.Held}
}

// What is sensitive is not on record: a check that captured it is made again, and a step that needs what another step
// captured fails and says so. The placeholder is never taken for the value, and output that may hold it is withheld.
func TestResume_sensitiveValues(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  check "token" {
    hosts = host.a
    argv  = ["token"]
    capture "word" {
      value     = result.stdout
      sensitive = true
    }
  }
  step "make" {
    hosts = host.a
    argv  = ["make"]
    capture "key" {
      value     = result.stdout
      sensitive = true
    }
  }
  step "use" {
    hosts = host.a
    argv  = ["use"]
    env   = { TOKEN = check.token.word, KEY = step.make.key }
    on_failure = "continue"
  }
  step "plain" {
    hosts = host.b
    argv  = ["plain"]
    env   = { TOKEN = check.token.word }
  }
}`
	script := func(w *world) {
		w.sim.On("check.token", engine.PartCommand, simtransport.Answer{Stdout: "token-value-1\n"})
		w.sim.On("step.make", engine.PartCommand, simtransport.Answer{Stdout: "key-value-2\n"})
		w.sim.On("step.use", engine.PartCommand, simtransport.Answer{Stdout: "I got key-value-2 and token-value-1\n", Delay: 10 * second})
	}
	seqOf := func(w *world, is func(engine.Payload) bool) int {
		for n, e := range w.journal.Events() {
			if is(e.Payload) {
				return n
			}
		}
		t.Fatal("no such event")
		return 0
	}
	var intent, made int
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, src)
		script(w)
		require.Equal(t, engine.Passed, w.run().Verdict)
		intent = seqOf(w, func(p engine.Payload) bool { i, ok := p.(*engine.ItemIntent); return ok && i.Item == "step.use" })
		made = seqOf(w, func(p engine.Payload) bool {
			o, ok := p.(*engine.ItemOutcome)
			return ok && o.Item == "step.make" && o.AttemptID != ""
		})
	})
	t.Run("before the step that needs it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, engine.Live, src)
			script(w)
			w.dies(made+1, true)
			rec, err := w.resumes()
			require.NoError(t, err)
			require.Equal(t, engine.NotReached, w.outcome(rec, "step.use"))
			require.Contains(t, item(rec, "step.use").Reason, "what is sensitive is not on record")
			require.Equal(t, engine.Succeeded, w.outcome(rec, "step.plain"), "a check is made again")
			require.Zero(t, w.leaks())
		})
	})
	t.Run("while it runs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, engine.Live, src)
			script(w)
			// The next event would be the outcome of step.use: it runs.
			w.dies(intent+2, false)
			w.redact = redact.New() // the second controller's knows nothing
			w.store.Redact, w.cfg.Redactor = w.redact.Redact, w.redact
			rec, err := w.resumes()
			require.NoError(t, err)
			require.Equal(t, engine.Succeeded, w.outcome(rec, "step.use"))
			require.Contains(t, item(rec, "step.use").Units[0].Parts[0].Reason, "its output is not recorded")
			require.Zero(t, w.leaks())
		})
	})
}

// leaks is how many of the captured values are in the record.
func (w *world) leaks() int {
	n := 0
	for _, e := range w.journal.Events() {
		b, err := json.Marshal(e.Payload)
		require.NoError(w.t, err)
		n += strings.Count(string(b), "token-value-1") + strings.Count(string(b), "key-value-2")
	}
	return n
}

// settler is a person who says what became of things.
type settler struct {
	as    string
	asked []engine.Unit
}

// Settle implements engine.Settler.
func (s *settler) Settle(_ context.Context, q engine.SettleQuestion) (engine.SettleAnswer, error) {
	s.asked = append(s.asked, q.Unit)
	if s.as == "" {
		return engine.SettleAnswer{}, engine.ErrNobody
	}
	return engine.SettleAnswer{As: s.as, By: "ann", Reason: "I looked"}, nil
}

const plainStep = `
phase "p" {
  step "one" {
    hosts = host.a
    argv  = ["one"]
    marks = ["done"]
    rollback { argv = ["one-back"] }
  }
  step "two" {
    hosts = host.b
    argv  = ["two"]
  }
}
mark "done" {}`

// Nobody knows how a plain step ended whose controller died. It is asked of a person; without one the run is held and stays
// as it is until somebody says something, however often it is resumed.
func TestResume_unknownIsAPersonsToSay(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		as      string
		verdict engine.Verdict
		runs    int // of step.one
		second  bool
		says    engine.Standing
	}{
		"nobody there": {"", engine.Incomplete, 1, false, ""},
		"leave":        {engine.SettleLeave, engine.Incomplete, 1, false, ""},
		"done":         {engine.SettleDone, engine.PassedWithDeviations, 1, true, engine.Done},
		"failed":       {engine.SettleFailed, engine.VerdictFailed, 1, false, engine.Fails},
		"retry":        {engine.SettleRetry, engine.PassedWithDeviations, 2, true, engine.Done},
	}
	for name, tt := range tests {
		for _, when := range []string{"at the first resume", "later"} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, engine.Live, plainStep)
					w.project.Host("a").Connection.Plain = true
					w.sim.On("step.one", engine.PartCommand, simtransport.Answer{Delay: 10 * second})
					w.dies(3, false) // the outcome of step.one
					who := &settler{}
					w.cfg.Settler = who
					if when == "later" {
						rec, err := w.resumes()
						require.NoError(t, err)
						require.Equal(t, engine.Incomplete, rec.Verdict)
						require.Equal(t, 1, rec.Unknown)
					}
					who.as = tt.as
					rec, err := w.resumes()
					require.NoError(t, err)
					w.checkRecord(rec)
					require.Equal(t, tt.verdict, rec.Verdict, "%s: %v", rec.Why, w.story())
					runs, second := 0, false
					for _, e := range w.effects() {
						if strings.HasSuffix(e, " one") {
							runs++
						}
						second = second || strings.HasSuffix(e, " two")
					}
					require.Equal(t, tt.runs, runs)
					require.Equal(t, tt.second, second)
					one := item(rec, "step.one")
					if tt.says != "" {
						require.Equal(t, tt.says, one.Units[0].Standing)
						require.Zero(t, rec.Unknown)
					}
					require.NotEmpty(t, who.asked)
					require.Equal(t, engine.Unit{Item: "step.one", Host: "a"}, who.asked[0])
				})
			})
		}
	}
}

// The host was away and is back: it tells itself how the attempt ended that was recorded as unknown.
func TestResume_theHostIsBack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		then    simtransport.Answer
		verdict engine.Verdict
		says    engine.Standing
	}{
		"it had succeeded": {simtransport.Answer{Stdout: "fine"}, engine.PassedWithDeviations, engine.Done},
		"it had failed":    {simtransport.Answer{ExitCode: 3}, engine.VerdictFailed, engine.Fails},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, plainStep)
				tt.then.Err = engine.ErrOutcomeUnknown
				w.sim.On("step.one", engine.PartCommand, tt.then)
				rec := w.run()
				require.Equal(t, engine.Incomplete, rec.Verdict)
				w.sim.Reveal()
				rec, err := w.resumes()
				require.NoError(t, err)
				require.Equal(t, tt.verdict, rec.Verdict, "%s: %v", rec.Why, w.story())
				one := item(rec, "step.one").Units[0]
				require.Equal(t, engine.Unknown, one.Outcome, "an outcome never changes")
				require.Equal(t, tt.says, one.Standing)
				require.Equal(t, engine.SettledByHost, one.SettledBy)
				require.Len(t, w.effects(), map[engine.Standing]int{engine.Done: 2, engine.Fails: 1}[tt.says])
			})
		})
	}
}

// A person has the run rolled back instead: nothing new starts, what is under way is followed to its end and undone with the
// rest. Killed on that way back at any event, it goes on from there.
func TestResume_rollback(t *testing.T) {
	t.Parallel()
	var events int
	back := func(w *world) (engine.Record, error) {
		w.sim.Live()
		w.journal = simtransport.ResumeJournal(w.journal.Events(), simtransport.Clock{}, "second")
		w.cfg.Journal = w.journal
		w.cfg.Resume = &executor.Resumed{
			Events: w.journal.Events(), Artifact: w.store.Get, Rollback: &engine.OperatorAction{By: "ann", Reason: "called off"},
		}
		events = len(w.journal.Events())
		return executor.Run(w.t.Context(), w.cfg)
	}
	begin := func(t *testing.T) *world {
		t.Helper()
		w := newScene(t, scenes()["all goes well"])
		w.dies(60, true)
		return w
	}
	var want []string
	var first, last int
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		preview, err := engine.FindWayBack(w.cfg.Plan, w.journal.Events())
		require.NoError(t, err)
		rec, err := back(w)
		require.NoError(t, err)
		require.Equal(t, engine.VerdictFailed, rec.Verdict, rec.Why)
		require.Equal(t, engine.RolledBackInPart, rec.Rollback.Verdict(), "%+v", rec.Rollback)
		require.True(t, rec.CleanupRan)
		want, first, last = w.effects(), events, len(w.journal.Events())
		var previewed []engine.Unit
		for _, s := range preview.Steps {
			if s.Reversible {
				previewed = append(previewed, s.Unit)
			}
		}
		require.ElementsMatch(t, previewed, rec.Rollback.Done, "what was previewed is what was done")
	})
	for n := first + 1; n < last; n++ {
		synctest.Test(t, func(t *testing.T) {
			w := begin(t)
			w.sim.Live()
			w.journal = simtransport.ResumeJournal(w.journal.Events(), simtransport.Clock{}, "second")
			w.cfg.Journal = w.journal
			w.cfg.Resume = &executor.Resumed{
				Events: w.journal.Events(), Artifact: w.store.Get, Rollback: &engine.OperatorAction{By: "ann", Reason: "called off"},
			}
			w.dies(n, n%2 == 0)
			rec, err := w.resumes()
			require.NoError(t, err)
			require.Equal(t, engine.VerdictFailed, rec.Verdict, "died at %d: %s: %v", n, rec.Why, w.story())
			require.Equal(t, want, w.effects(), "died at %d: %v", n, w.story())
			require.Equal(t, engine.RolledBackInPart, rec.Rollback.Verdict())
		})
	}
}

// What people were asked stands: an open request keeps its text and its approvals, a used one stays used, and one whose time
// ran out unused while nobody worked on the run is asked again. Who resumes is an operator and approves nothing.
func TestResume_gates(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  gate "go" {
    question     = "Go?"
    role         = role.mim
    approvals    = 2
    start_within = "10m"
  }
  step "act" {
    hosts    = host.a
    argv     = ["act"]
    requires = [gate.go]
  }
}`
	requests := func(w *world) (out []*engine.ApprovalRequested) {
		for _, e := range w.journal.Events() {
			if r, ok := e.Payload.(*engine.ApprovalRequested); ok {
				out = append(out, r)
			}
		}
		return out
	}
	// Events: opened, gate started, requested, granted twice, gate's outcome, used, step's start, …
	tests := map[string]struct {
		dies     int
		away     time.Duration // nobody works on it
		by       string        // who resumes
		then     []simtransport.GateWord
		verdict  engine.Verdict
		requests int
	}{
		"open, one has approved":  {4, time.Hour, "second", []simtransport.GateWord{simtransport.Approve("bob")}, engine.PassedWithDeviations, 1},
		"open, the same again":    {4, 0, "second", []simtransport.GateWord{simtransport.Approve("alice"), simtransport.Approve("bob")}, engine.PassedWithDeviations, 1},
		"approved in time":        {6, 5 * time.Minute, "second", nil, engine.PassedWithDeviations, 1},
		"approved, and too late":  {6, time.Hour, "second", []simtransport.GateWord{simtransport.Approve("alice"), simtransport.Approve("bob")}, engine.PassedWithDeviations, 2},
		"too late, now denied":    {6, time.Hour, "second", []simtransport.GateWord{simtransport.Deny("bob", "no")}, engine.VerdictFailed, 2},
		"used stays used":         {8, time.Hour, "second", nil, engine.PassedWithDeviations, 1},
		"an approver takes it up": {6, 0, "alice", nil, engine.VerdictFailed, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, src)
				w.people.OnGate("gate.go", simtransport.Approve("alice"), simtransport.Approve("bob"))
				w.dies(tt.dies, true)
				time.Sleep(tt.away)
				w.sim.Live()
				w.people.OnGate("gate.go", tt.then...)
				w.journal = simtransport.ResumeJournal(w.journal.Events(), simtransport.Clock{}, tt.by)
				w.cfg.Journal = w.journal
				w.cfg.Resume = &executor.Resumed{Events: w.journal.Events(), Artifact: w.store.Get}
				rec, err := executor.Run(t.Context(), w.cfg)
				require.NoError(t, err)
				require.Equal(t, tt.verdict, rec.Verdict, "%s: %v", rec.Why, w.story())
				asked := requests(w)
				require.Len(t, asked, tt.requests)
				require.Len(t, w.effects(), map[engine.Verdict]int{engine.PassedWithDeviations: 1}[tt.verdict])
				if tt.requests == 2 {
					require.NotEqual(t, asked[0].SHA256, asked[1].SHA256, "another request has another nonce")
				}
			})
		})
	}
}

// A sealed run is rolled back by a run of its own, which does nothing else of the runbook; killed at any event, it goes on.
func TestUndo_aFinishedRun(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *world {
		t.Helper()
		w := newScene(t, scenes()["all goes well"])
		_, err := executor.Run(t.Context(), w.cfg)
		require.NoError(t, err)
		w.cfg.Undo = &executor.Undone{Events: w.journal.Events(), Artifact: w.store.Get, Reason: "the drill is over"}
		w.cfg.Opened.Run, w.cfg.Opened.Nonce, w.cfg.Opened.RollbackOf = "run-2", "00000000000000000000000000000002", "run-1"
		w.journal = simtransport.NewJournal(engine.Live, simtransport.Clock{})
		w.cfg.Journal = w.journal
		return w
	}
	undone := func(w *world) (out []string) {
		for _, e := range w.effects() {
			if strings.HasPrefix(e, "rollback ") {
				out = append(out, e)
			}
		}
		return out
	}
	var want, before []string
	var events int
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		before = w.effects()
		rec, err := executor.Run(t.Context(), w.cfg)
		require.NoError(t, err)
		require.Equal(t, engine.PassedWithDeviations, rec.Verdict, rec.Why)
		require.Equal(t, engine.RolledBackInPart, rec.Rollback.Verdict(), "the last step has no way back")
		require.Empty(t, rec.NotReached)
		want, events = undone(w), len(w.journal.Events())
		require.Equal(t, []string{
			"rollback call.child.step.inner[]@a inner-back", "rollback step.each[x]@b each-back x", "rollback step.each[y]@b each-back y",
			"rollback step.fleet[]@a fleet-back a", "rollback step.fleet[]@b fleet-back b", "rollback step.fleet[]@c fleet-back c",
		}, want)
		require.Len(t, w.effects(), len(before)+len(want), "nothing else ran")
	})
	for n := 1; n < events; n++ {
		synctest.Test(t, func(t *testing.T) {
			w := begin(t)
			w.dies(n, n%2 == 0)
			rec, err := w.resumes()
			require.NoError(t, err)
			require.Equal(t, engine.PassedWithDeviations, rec.Verdict, "died at %d: %s: %v", n, rec.Why, w.story())
			require.Equal(t, want, undone(w), "died at %d: %v", n, w.story())
			require.Len(t, w.effects(), len(before)+len(want))
		})
	}
}
