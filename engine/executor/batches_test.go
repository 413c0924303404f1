package executor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// webs is a fleet of n hosts that is drained on b, restarted and put back, batch by batch.
func webs(n int, rollout, more string) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("%q", fmt.Sprint(i+1)))
	}
	return `
fleet "web" {
  for_each = [` + strings.Join(names, ", ") + `]
  name     = "w${each.value}"
  address  = "10.0.1.${each.value}"
}
runbook "r" {
  mark "begun" {}
  mark "over" {}
  objective "rto" {
    target = "1h"
    from   = "begun"
    to     = "over"
  }
  phase "roll" {
    hosts = group.web
    rollout {
` + rollout + `
      after_batch {
        hosts = host.a
        argv  = ["errors"]
      }
    }
    step "drain" {
      for_each = batch
      hosts    = host.b
      argv     = ["drain", each.value.name]
      rollback { argv = ["undrain", each.value.name] }
    }
    step "restart" {
      argv        = ["restart", self.name, tostring(length(batch))]
      marks_start = ["begun"]
      marks       = ["over"]
      rollback { argv = ["start-old", self.name] }
    }
` + more + `
    step "undrain" {
      for_each = batch
      hosts    = host.b
      argv     = ["undrain", each.value.name]
    }
  }
  phase "after" {
    wait "a" { duration = "1s" }
  }
}`
}

// commands are what was launched, in order: the words of each, one launch an entry.
func commands(w *world) []string {
	var out []string
	for _, c := range w.sim.Calls() {
		if c.What == "start" {
			out = append(out, strings.Join(c.Command.Argv, " "))
		}
	}
	return out
}

func batchesOf(rec engine.Record) (out []string) {
	for _, b := range rec.Batches {
		out = append(out, fmt.Sprintf("%d/%d %s: %d %d %d%s", b.Batch, b.Of, strings.Join(b.Hosts, ","),
			b.Count.Expected, b.Count.Reached, b.Count.Done, strings.TrimRight(" "+strings.Join(b.Failed, ","), " ")))
	}
	return out
}

func TestPhaseRollout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, webs(4, "batch = [1, 2]\nparallel = 1\npause = \"30s\"", ""))
		began := time.Now()
		rec := w.run()
		require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
		require.Equal(t, 61*second, time.Since(began), "two pauses between three batches")
		require.Equal(t, []string{
			"drain w1", "restart w1 1", "undrain w1",
			"drain w2", "drain w3", "restart w2 2", "restart w3 2", "undrain w2", "undrain w3",
			"drain w4", "restart w4 1", "undrain w4",
		}, commands(w))
		require.Equal(t, []string{"check.after_batch@a", "check.after_batch@a", "check.after_batch@a"}, w.called("observe"))
		require.Equal(t, []string{"1/3 w1: 1 1 1", "2/3 w2,w3: 2 2 2", "3/3 w4: 1 1 1"}, batchesOf(rec))
		require.Equal(t, &engine.HostCount{Expected: 4, Reached: 4, Done: 4}, item(rec, "step.restart").Count)
		require.Equal(t, []string{"w2", "w3"}, unitKeys(item(rec, "step.drain"), 2))
		require.Equal(t, []string{"mark begun", "mark over"}, slices.DeleteFunc(w.story(), func(s string) bool { return !strings.HasPrefix(s, "mark") }),
			"each once: at the first start, and when it is done everywhere")
	})
}

func unitKeys(i engine.ItemRecord, batch int) (out []string) {
	for _, u := range i.Units {
		if u.Batch == batch {
			out = append(out, u.Key+u.Host[1:])
		}
	}
	return out
}

func TestPhaseRollout_failures(t *testing.T) {
	t.Parallel()
	fail := simtransport.Answer{ExitCode: 1}
	for name, tt := range map[string]struct {
		hosts   int
		rollout string
		script  func(w *world)
		want    []string // commands
		batches []string
		outcome engine.Outcome // of step.restart
		why     string
	}{
		"none may fail": {4, "batch = 2", func(w *world) { w.sim.OnHost("step.restart", engine.PartCommand, "w1", fail) },
			[]string{"drain w1", "drain w2", "restart w1 2", "restart w2 2"},
			[]string{"1/2 w1,w2: 2 2 0 w1", "2/2 w3,w4: 2 0 0"}, engine.Failed, "step.restart: in batch 1: 1 of 2: w1: exit code 1"},
		"one may: it takes no further part": {4, "batch = 2\nmax_failures = 1",
			func(w *world) { w.sim.OnHost("step.restart", engine.PartCommand, "w1", fail) },
			[]string{"drain w1", "drain w2", "restart w1 2", "restart w2 2", "undrain w2", "drain w3", "drain w4", "restart w3 2", "restart w4 2", "undrain w3", "undrain w4"},
			[]string{"1/2 w1,w2: 2 2 1 w1", "2/2 w3,w4: 2 2 2"}, engine.Failed, "step.restart: in batch 1: 1 of 2: w1: exit code 1"},
		"a whole batch failed": {3, "batch = 1\nmax_failures = 2", func(w *world) { w.sim.OnHost("step.restart", engine.PartCommand, "w2", fail) },
			[]string{"drain w1", "restart w1 1", "undrain w1", "drain w2", "restart w2 1"},
			[]string{"1/3 w1: 1 1 1", "2/3 w2: 1 1 0 w2", "3/3 w3: 1 0 0"}, engine.Failed, ""},
		"failures of all batches count": {6, "batch = 3\nmax_failures = 1", func(w *world) {
			w.sim.OnHost("step.restart", engine.PartCommand, "w1", fail)
			w.sim.OnHost("step.restart", engine.PartCommand, "w6", simtransport.Answer{Err: engine.ErrUnreachable, Prepare: true})
		}, []string{"drain w1", "drain w2", "drain w3", "restart w1 3", "restart w2 3", "restart w3 3", "undrain w2", "undrain w3", "drain w4", "drain w5", "drain w6", "restart w4 3", "restart w5 3"},
			[]string{"1/2 w1,w2,w3: 3 3 2 w1", "2/2 w4,w5,w6: 3 3 0 w6"}, engine.Failed, ""},
		"a failure elsewhere, for one of them": {4, "batch = 2\nmax_failures = 1",
			func(w *world) { w.sim.OnKey("step.drain", engine.PartCommand, "w2", "", fail) },
			[]string{"drain w1", "drain w2", "restart w1 1", "undrain w1", "drain w3", "drain w4", "restart w3 2", "restart w4 2", "undrain w3", "undrain w4"},
			[]string{"1/2 w1,w2: 2 2 1 w2", "2/2 w3,w4: 2 2 2"}, engine.Succeeded, `step.drain: in batch 1: 1 of 2: b (w2): exit code 1`},
		"the check after a batch belongs to no host": {4, "batch = 2\nmax_failures = 4",
			func(w *world) { w.sim.On("check.after_batch", engine.PartCommand, simtransport.Answer{}, fail) },
			[]string{"drain w1", "drain w2", "restart w1 2", "restart w2 2", "undrain w1", "undrain w2", "drain w3", "drain w4", "restart w3 2", "restart w4 2", "undrain w3", "undrain w4"},
			[]string{"1/2 w1,w2: 2 2 2", "2/2 w3,w4: 2 2 2"}, engine.Succeeded, "check.after_batch: in batch 2: a: exit code 1"},
		"percent of all hosts": {4, "batch = 4\nmax_failures = \"50%\"", func(w *world) {
			w.sim.OnHost("step.restart", engine.PartCommand, "w1", fail)
			w.sim.OnHost("step.restart", engine.PartCommand, "w2", fail)
		}, []string{"drain w1", "drain w2", "drain w3", "drain w4", "restart w1 4", "restart w2 4", "restart w3 4", "restart w4 4", "undrain w3", "undrain w4"},
			[]string{"1/1 w1,w2,w3,w4: 4 4 2 w1,w2"}, engine.Failed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, webs(tt.hosts, tt.rollout+"\nparallel = 1", ""))
				tt.script(w)
				rec := w.run()
				require.Equal(t, engine.VerdictFailed, rec.Verdict)
				require.Equal(t, tt.want, commands(w))
				require.Equal(t, tt.batches, batchesOf(rec))
				require.Equal(t, tt.outcome, w.outcome(rec, "step.restart"))
				require.Equal(t, engine.NotReached, w.outcome(rec, "wait.a"), "a failed rollout stops the run unless the runbook says otherwise")
				if tt.why != "" {
					require.Equal(t, tt.why, rec.Why)
				}
			})
		})
	}
}

// What a rollout that stopped means for the run, on_failure says.
func TestPhaseRollout_onFailure(t *testing.T) {
	t.Parallel()
	fail := simtransport.Answer{ExitCode: 1}
	for policy, want := range map[string][]string{
		"stop":     nil,
		"continue": nil,
		// Back over both batches, the last started first.
		"rollback": {"start-old w2", "undrain w2", "start-old w1", "undrain w1"},
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, webs(3, "batch = 1", ""))
				w.cfg.Runbook.OnFailure = runbooks.OnFailure(policy)
				w.sim.OnHost("step.restart", engine.PartCommand, "w2", fail)
				rec := w.run()
				ran := []string{"drain w1", "restart w1 1", "undrain w1", "drain w2", "restart w2 1"}
				require.Equal(t, append(ran, want...), commands(w))
				require.Equal(t, policy == "continue", w.outcome(rec, "wait.a") == engine.Succeeded)
				require.Equal(t, engine.VerdictFailed, rec.Verdict)
				require.Contains(t, rec.Batches[1].Stopped, "the rollout stopped at step.restart in batch 2 of 3")
				if policy == "rollback" {
					require.Empty(t, rec.Rollback.Failed)
				}
			})
		})
	}
}

// lead answers each question about a failure with the next word.
type lead struct{ words []string }

func (l *lead) Interrupted(context.Context, engine.InterruptQuestion) (engine.InterruptAnswer, error) {
	return engine.InterruptAnswer{}, engine.ErrNobody
}

func (l *lead) Failed(_ context.Context, q engine.FailureQuestion) (engine.FailureAnswer, error) {
	word := l.words[0]
	l.words = l.words[1:]
	if !slices.Contains(q.Options, word) {
		return engine.FailureAnswer{}, fmt.Errorf("no option: %s of %v", word, q.Options)
	}
	return engine.FailureAnswer{Action: word, By: "op", Reason: "because"}, nil
}

func TestPhaseRollout_asked(t *testing.T) {
	t.Parallel()
	fail, ok := simtransport.Answer{ExitCode: 1}, simtransport.Answer{}
	for name, tt := range map[string]struct {
		words   []string
		answers []simtransport.Answer
		want    []string // after the restart of batch 2
		verdict engine.Verdict
		failed  []string
	}{
		"tried again":    {[]string{engine.ActionRetry}, []simtransport.Answer{fail, ok}, []string{"restart w3 2", "undrain w2", "undrain w3"}, engine.PassedWithDeviations, nil},
		"done by hand":   {[]string{engine.ActionByHand}, []simtransport.Answer{fail}, []string{"undrain w2", "undrain w3"}, engine.PassedWithDeviations, nil},
		"without it":     {[]string{engine.ActionSkip, engine.ActionSkip}, []simtransport.Answer{fail}, []string{"undrain w2"}, engine.VerdictFailed, []string{"w3"}},
		"not any more":   {[]string{engine.ActionAbort}, []simtransport.Answer{fail}, nil, engine.Aborted, []string{"w3"}},
		"again in vain":  {[]string{engine.ActionRetry, engine.ActionSkip, engine.ActionSkip}, []simtransport.Answer{fail}, []string{"restart w3 2", "undrain w2"}, engine.VerdictFailed, []string{"w3"}},
		"nobody answers": {[]string{"nothing"}, []simtransport.Answer{fail}, nil, engine.VerdictFailed, []string{"w3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, webs(3, "batch = [1, 2]\nparallel = 1", ""))
				l := &lead{words: tt.words}
				w.cfg.Operator, w.cfg.OnFailure = l, runbooks.Ask
				w.sim.OnHost("step.restart", engine.PartCommand, "w3", tt.answers...)
				rec := w.run()
				before := []string{"drain w1", "restart w1 1", "undrain w1", "drain w2", "drain w3", "restart w2 2", "restart w3 2"}
				require.Equal(t, append(before, tt.want...), commands(w))
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				require.Equal(t, tt.failed, rec.Batches[1].Failed)
				require.Empty(t, l.words)
			})
		})
	}
}

// Gates are asked for each batch: what was approved for one opens no other.
func TestPhaseRollout_peopleAreAskedPerBatch(t *testing.T) {
	t.Parallel()
	const people = `
    manual "look" { instructions = "Look at ${batch[0].name}." }
    decision "on" {
      question = "Go on after ${batch[0].name}?"
      options  = ["yes", "no"]
      stops    = ["no"]
    }
    gate "go" {
      question = "Put ${batch[0].name} back?"
      role     = role.mim
    }
    step "gated" {
      argv     = ["gated"]
      requires = [gate.go]
    }
`
	yes := simtransport.ManualAnswer{ManualAnswer: engine.ManualAnswer{Done: true, By: "alice"}}
	for name, tt := range map[string]struct {
		words   []simtransport.GateWord
		choices []string
		batches int
		gate    engine.Outcome
	}{
		"twice":                   {[]simtransport.GateWord{simtransport.Approve("alice"), simtransport.Approve("bob")}, []string{"yes", "yes"}, 2, engine.Succeeded},
		"the second is denied":    {[]simtransport.GateWord{simtransport.Approve("alice"), simtransport.Deny("bob", "no")}, []string{"yes", "yes"}, 1, engine.Failed},
		"the second is not to be": {[]simtransport.GateWord{simtransport.Approve("alice")}, []string{"yes", "no"}, 1, engine.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, webs(2, "batch = 1", people))
				w.people.OnManual("manual.look", yes, yes)
				var cs []simtransport.Choice
				for _, c := range tt.choices {
					cs = append(cs, simtransport.Choice{DecisionAnswer: engine.DecisionAnswer{Choice: c, By: "alice"}})
				}
				w.people.OnDecision("decision.on", cs...)
				w.people.OnGate("gate.go", tt.words...)
				rec := w.run()
				require.Equal(t, tt.batches, strings.Count(strings.Join(commands(w), ";"), "gated"))
				require.Equal(t, tt.gate, w.outcome(rec, "gate.go"), item(rec, "gate.go").Reason)
				texts := requests(w)
				require.Contains(t, texts[0], "hosts: w1\n", "an approval names the hosts of its batch only")
				require.Contains(t, texts[0], "Put w1 back?")
				if len(texts) > 1 {
					require.Contains(t, texts[1], "hosts: w2\n")
					require.NotEqual(t, texts[0], texts[1])
				}
				require.Len(t, item(rec, "manual.look").Batches, 2)
				require.Equal(t, "alice", item(rec, "manual.look").Batches[1].Manual.By)
			})
		})
	}
}

func requests(w *world) (out []string) {
	for _, e := range w.journal.Events() {
		if p, ok := e.Payload.(*engine.ApprovalRequested); ok {
			out = append(out, p.Request)
		}
	}
	return out
}

// A dry-run goes through all batches: what comes before the first change is judged, nothing else, and nobody waits.
func TestPhaseRollout_dryRun(t *testing.T) {
	t.Parallel()
	src := strings.Replace(webs(3, "batch = 1\npause = \"1h\"", ""), `step "drain"`, `check "well" {
      argv = ["well"]
    }
    step "drain"`, 1)
	for _, broken := range []bool{false, true} {
		t.Run(fmt.Sprint("broken ", broken), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.DryRun, src)
				if broken {
					w.sim.OnHost("check.well", engine.PartCommand, "w2", simtransport.Answer{ExitCode: 1})
				}
				began := time.Now()
				rec := w.run()
				require.Zero(t, time.Since(began))
				require.Equal(t, []string{"check.well@w1", "check.well@w2", "check.well@w3"}, w.called("observe"), "no check after a batch")
				require.Empty(t, commands(w))
				require.Len(t, rec.Batches, 3)
				want, check := engine.Ready, engine.Exercised
				if broken {
					want, check = engine.NotReady, engine.Failed
				}
				require.Equal(t, want, rec.Verdict, rec.Why)
				require.Equal(t, check, w.outcome(rec, "check.well"))
				require.Equal(t, engine.NotExercised, w.outcome(rec, "step.restart"))
			})
		})
	}
}

// Hosts that an earlier check found are divided when the phase begins, and only then.
func TestPhaseRollout_hostsAtRunTime(t *testing.T) {
	t.Parallel()
	const src = `
fleet "web" {
  for_each = ["1", "2", "3"]
  name     = "w${each.value}"
  address  = "10.0.1.${each.value}"
}
runbook "r" {
  phase "find" {
    check "old" {
      hosts = group.web
      argv  = ["version"]
      capture "v" { value = result.stdout }
    }
  }
  phase "roll" {
    hosts = [for h in group.web : h if check.old.by_host[h.name].v == "1"]
    rollout { batch = 1 }
    step "up" { argv = ["up"] }
    assert "so-far" { condition = length([for n, r in step.up.by_host : n if r.ok]) >= length(batch) }
  }
  phase "after" {
    assert "all" { condition = length(step.up.by_host) == 2 && step.up.ok }
  }
}`
	for name, tt := range map[string]struct {
		versions []string
		started  []string
		verdict  engine.Verdict
	}{
		"two of them": {[]string{"1", "2", "1"}, []string{"step.up@w1", "step.up@w3"}, engine.Passed},
		"none":        {[]string{"2", "2", "2"}, nil, engine.VerdictFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.Live, src)
			for n, v := range tt.versions {
				w.sim.OnHost("check.old", engine.PartCommand, fmt.Sprint("w", n+1), simtransport.Answer{Stdout: v + "\n"})
			}
			rec := w.run()
			require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
			require.Equal(t, tt.started, w.called("start"))
			if tt.started == nil {
				require.Equal(t, engine.NotReached, w.outcome(rec, "step.up"))
				require.Contains(t, item(rec, "step.up").Reason, "hosts of its phase")
			}
		})
	}
}

func TestPhaseRollout_limit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, webs(3, "batch = 2", ""))
	w.cfg.Limit = []string{"w2", "b", "a"}
	rec := w.run()
	require.Equal(t, []string{"drain w2", "restart w2 1", "undrain w2"}, commands(w), "what is left out is not drained either")
	require.Equal(t, []string{"1/1 w2: 1 1 1"}, batchesOf(rec))
	require.Equal(t, engine.PassedWithDeviations, rec.Verdict, rec.Why)
}

// A called runbook runs once in every batch, with the batch's hosts as its variable.
func TestPhaseRollout_call(t *testing.T) {
	t.Parallel()
	const src = `
runbook "r" {
  phase "roll" {
    hosts = [host.a, host.b]
    rollout { batch = 1 }
    call "one" {
      runbook   = runbook.one
      variables = { on = [for h in batch : h.name] }
    }
  }
}
runbook "one" {
  variable "on" { type = list(host) }
  mark "done" {}
  phase "p" {
    step "s" {
      hosts = var.on
      argv  = ["s"]
      marks = ["done"]
    }
  }
}`
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprint("fails ", fails), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.Live, src)
			if fails {
				w.sim.OnHost("call.one.step.s", engine.PartCommand, "a", simtransport.Answer{ExitCode: 1})
			}
			rec := w.run()
			inner := item(rec, "call.one.step.s")
			if fails {
				require.Equal(t, engine.VerdictFailed, rec.Verdict)
				require.Equal(t, engine.Failed, inner.Outcome)
				require.Equal(t, []string{"call.one.step.s@a"}, w.called("start"))
				return
			}
			require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
			require.Equal(t, engine.Succeeded, inner.Outcome)
			require.Equal(t, []string{"call.one.step.s@a", "call.one.step.s@b"}, w.called("start"))
			require.Len(t, inner.Batches, 2)
			require.Equal(t, &engine.HostCount{Expected: 2, Reached: 2, Done: 2}, inner.Count)
			require.Len(t, rec.Marks, 1)
		})
	}
}

// Whatever event the controller dies at, the next one comes to the end that the first would have come to, and no command runs
// twice.
func TestPhaseRollout_resume(t *testing.T) {
	t.Parallel()
	src := webs(4, "batch = 2\nmax_failures = 1\nparallel = 1", `
    gate "go" {
      question = "Put them back?"
      role     = role.mim
    }
`)
	start := func(t *testing.T) *world {
		t.Helper()
		w := newWorld(t, engine.Live, src)
		w.sim.OnHost("step.restart", engine.PartCommand, "w2", simtransport.Answer{ExitCode: 1})
		w.answers()
		return w
	}
	var events int
	var want engine.Record
	var effects []string
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		want = w.run()
		events, effects = len(w.journal.Events()), w.effects()
	})
	require.Equal(t, []string{"1/2 w1,w2: 2 2 1 w2", "2/2 w3,w4: 2 2 2"}, batchesOf(want))
	for n := 1; n < events; n++ {
		for _, late := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w := start(t)
				w.dies(n, late)
				rec, err := w.resumes()
				at := fmt.Sprintf("died at event %d (late: %v): %v", n, late, w.story())
				require.NoError(t, err, at)
				w.checkRecord(rec)
				require.Equal(t, effects, w.effects(), at)
				require.Equal(t, want.Verdict, rec.Verdict, "%s: %s", rec.Why, at)
				require.Equal(t, batchesOf(want), batchesOf(rec), at)
				require.Equal(t, ends(want), ends(rec), at)
			})
		}
	}
}
