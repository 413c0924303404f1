package executor_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

type script func(w *world)

// TestRun tells whole small runs: what was scripted, and what then happened, in order.
func TestRun(t *testing.T) {
	t.Parallel()
	fail := simtransport.Answer{ExitCode: 3, Stderr: "no space left\n"}
	const two = `
phase "p" {
  check "c" {
    hosts = host.a
    argv  = ["true"]
  }
  step "s" {
    hosts = host.a
    argv  = ["change"]
    marks = ["done"]
  }
}
mark "done" {}
cleanup {
  step "tidy" {
    hosts = host.b
    argv  = ["tidy"]
  }
}`
	tests := map[string]struct {
		src     string
		mode    engine.Mode
		script  script
		story   []string
		verdict engine.Verdict
	}{
		"all goes well": {src: two, verdict: engine.Passed, story: []string{
			"start check.c", "check.c@a succeeded", "check.c succeeded",
			"start step.s", "intent step.s@a command #1", "step.s@a command succeeded", "step.s@a succeeded", "step.s succeeded", "mark done",
			"cleanup.started", "start step.tidy", "intent step.tidy@b command #1", "step.tidy@b command succeeded", "step.tidy@b succeeded",
			"step.tidy succeeded", "cleanup.ended", "closed passed",
		}},
		"a failing check stops the run, and cleanup runs": {
			src: two, verdict: engine.VerdictFailed,
			script: func(w *world) { w.sim.On("check.c", engine.PartCommand, fail) },
			story: []string{
				"start check.c", "check.c@a failed (exit)", "check.c failed (exit)", "step.s not-reached (stopped)",
				"cleanup.started", "start step.tidy", "intent step.tidy@b command #1", "step.tidy@b command succeeded", "step.tidy@b succeeded",
				"step.tidy succeeded", "cleanup.ended", "closed failed",
			},
		},
		"an unknown outcome holds the run": {
			src: two, verdict: engine.Incomplete,
			script: func(w *world) {
				w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Err: engine.ErrOutcomeUnknown})
			},
			story: []string{
				"start check.c", "check.c@a succeeded", "check.c succeeded",
				"start step.s", "intent step.s@a command #1", "step.s@a command unknown (lost)", "step.s@a unknown (lost)", "step.s unknown (lost)",
				"interrupted",
			},
		},
		"never started is tried again, three times at most": {
			src: two, verdict: engine.VerdictFailed,
			script: func(w *world) {
				w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Err: engine.ErrNeverStarted})
			},
			story: []string{
				"start check.c", "check.c@a succeeded", "check.c succeeded",
				"start step.s", "intent step.s@a command #1", "step.s@a command never-started", "intent step.s@a command #2",
				"step.s@a command never-started", "intent step.s@a command #3", "step.s@a command never-started",
				"step.s@a never-started", "step.s never-started",
				"cleanup.started", "start step.tidy", "intent step.tidy@b command #1", "step.tidy@b command succeeded", "step.tidy@b succeeded",
				"step.tidy succeeded", "cleanup.ended", "closed failed",
			},
		},
		"a dry-run never starts a step": {
			src: two, mode: engine.DryRun, verdict: engine.Ready,
			story: []string{
				"start check.c", "check.c@a exercised", "check.c exercised", "step.s not-exercised (dry-run)",
				"step.tidy not-exercised (dry-run)", "closed ready",
			},
		},
		"a failing check in a dry-run is not ready, and the rest goes on": {
			src: two, mode: engine.DryRun, verdict: engine.NotReady,
			script: func(w *world) { w.sim.On("check.c", engine.PartCommand, fail) },
			story: []string{
				"start check.c", "check.c@a failed (exit)", "check.c failed (exit)", "step.s not-exercised (dry-run)",
				"step.tidy not-exercised (dry-run)", "closed not-ready",
			},
		},
		"unless holds: the step is skipped, without its marks": {
			src: `
mark "done" {}
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["change"]
    marks = ["done"]
    unless { argv = ["is-done"] }
  }
}`, verdict: engine.Passed,
			story: []string{
				"start step.s", "step.s@a unless succeeded", "step.s@a skipped (unless)", "step.s skipped (unless)", "closed passed",
			},
		},
		"continue": {
			src: `
phase "p" {
  step "s" {
    hosts      = host.a
    argv       = ["change"]
    on_failure = "continue"
  }
  step "u" {
    hosts = host.a
    argv  = ["change"]
  }
}`, verdict: engine.VerdictFailed,
			script: func(w *world) { w.sim.On("step.s", engine.PartCommand, fail) },
			story: []string{
				"start step.s", "intent step.s@a command #1", "step.s@a command failed (exit)", "step.s@a failed (exit)", "step.s failed (exit)",
				"start step.u", "intent step.u@a command #1", "step.u@a command succeeded", "step.u@a succeeded", "step.u succeeded",
				"closed failed",
			},
		},
		"verify does not hold": {
			src: `
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["change"]
    verify { argv = ["look"] }
  }
}`, verdict: engine.VerdictFailed,
			script: func(w *world) { w.sim.On("step.s", engine.PartVerify, fail) },
			story: []string{
				"start step.s", "intent step.s@a command #1", "step.s@a command succeeded", "step.s@a verify failed (exit)",
				"step.s@a failed (verify)", "step.s failed (verify)", "closed failed",
			},
		},
		"verify settles a lost step": {
			src: `
mark "done" {}
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["change"]
    marks = ["done"]
    verify { argv = ["look"] }
  }
}`, verdict: engine.Passed,
			script: func(w *world) { w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Err: engine.ErrLost}) },
			story: []string{
				"start step.s", "intent step.s@a command #1", "step.s@a command unknown (lost)", "step.s@a verify succeeded",
				"step.s@a unknown (lost)", "settled step.s@a done by verify", "step.s succeeded", "mark done", "closed passed",
			},
		},
		"verify never settles what may still run": {
			src: `
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["change"]
    verify { argv = ["look"] }
  }
}`, verdict: engine.Incomplete,
			script: func(w *world) {
				w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Err: engine.ErrOutcomeUnknown})
			},
			story: []string{
				"start step.s", "intent step.s@a command #1", "step.s@a command unknown (lost)", "step.s@a unknown (lost)", "step.s unknown (lost)",
				"interrupted",
			},
		},
		"nobody for a manual item": {
			src: `
phase "p" {
  manual "m" { instructions = "Look." }
  step "s" {
    hosts = host.a
    argv  = ["change"]
  }
}`, verdict: engine.Incomplete, story: []string{"start manual.m", "interrupted"},
		},
		"a phase that is not needed": {
			src: `
phase "p" {
  when = 1 > 2
  step "s" {
    hosts = host.a
    argv  = ["change"]
  }
}`, verdict: engine.Passed, story: []string{"step.s skipped (phase)", "closed passed"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if tt.mode == "" {
					tt.mode = engine.Live
				}
				w := newWorld(t, tt.mode, tt.src)
				if tt.script != nil {
					tt.script(w)
				}
				rec := w.run()
				require.Equal(t, tt.story, w.story())
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
			})
		})
	}
}

func TestRun_captures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  check "lag" {
    hosts = host.a
    argv  = ["lag"]
    capture "n" {
      value = split("|", result.stdout)[0]
      type  = number
    }
    capture "at" { value = split("|", result.stdout)[1] }
    expect {
      condition = result.n < 30
      message   = "${result.n} s behind on ${self.name}"
    }
  }
  step "s" {
    hosts = host.b
    argv  = ["use", tostring(check.lag.n), check.lag.at]
  }
}`)
	w.sim.On("check.lag", engine.PartCommand, simtransport.Answer{Stdout: "12|noon\n\n"})
	rec := w.run()
	require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
	u := item(rec, "check.lag").Units[0]
	require.Equal(t, []engine.Captured{{Name: "n", Value: "12"}, {Name: "at", Value: "noon"}}, u.Captures)
	require.Equal(t, "holds", u.Expectations[0].Result)
	require.Equal(t, "result.n = 12", u.Expectations[0].Observed)
	require.Equal(t, "use 12 noon", item(rec, "step.s").Units[0].Intents[0].Command)
}

func TestRun_expectation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  check "lag" {
    hosts = group.all
    argv  = ["lag"]
    expect {
      condition = tonumber(result.stdout) < 30
      message   = "${result.stdout} s behind on ${self.name}"
    }
  }
}`)
	w.sim.On("check.lag", engine.PartCommand, simtransport.Answer{Stdout: "1"})
	w.sim.OnHost("check.lag", engine.PartCommand, "b", simtransport.Answer{Stdout: "99"})
	w.sim.OnHost("check.lag", engine.PartCommand, "c", simtransport.Answer{Stdout: "?"})
	rec := w.run()
	require.Equal(t, engine.VerdictFailed, rec.Verdict)
	i := item(rec, "check.lag")
	by := map[string]engine.UnitRecord{}
	for _, u := range i.Units {
		by[u.Host] = u
	}
	require.Equal(t, "99 s behind on b", by["b"].Reason)
	require.Equal(t, "expectation", by["b"].Cause)
	require.Equal(t, "inconclusive", by["c"].Cause, "what cannot be evaluated is never passed")
	require.Equal(t, engine.Failed, i.Outcome)
	require.Contains(t, i.Reason, "2 of 3")
	require.Equal(t, &engine.HostCount{Expected: 3, Reached: 3, Done: 1}, i.Count)
}

// Absent data is an error that try catches; uncaught, the item is not reached and says what it lacked.
func TestRun_absentData(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  check "c" {
    when  = 1 > 2
    hosts = host.a
    argv  = ["lag"]
  }
  step "caught" {
    hosts      = host.a
    argv       = ["use", try(check.c.stdout, "nothing")]
    on_failure = "continue"
  }
  step "uncaught" {
    hosts = host.a
    argv  = ["use", check.c.stdout]
  }
}`)
	rec := w.run()
	require.Equal(t, engine.Succeeded, w.outcome(rec, "step.caught"))
	require.Equal(t, engine.NotReached, w.outcome(rec, "step.uncaught"))
	require.Contains(t, item(rec, "step.uncaught").Reason, "check.c")
	require.Equal(t, engine.VerdictFailed, rec.Verdict)
	require.Equal(t, []string{"step.caught@a"}, w.called("start"))
}

func TestRun_secrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["login"]
    env   = { PW = secret.pw }
    stdin = "user:${secret.pw}"
  }
  check "token" {
    hosts = host.a
    argv  = ["token"]
    capture "t" {
      value     = result.stdout
      sensitive = true
    }
  }
  step "use" {
    hosts = host.a
    argv  = ["use"]
    stdin = check.token.t
  }
}`)
	w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Stdout: "hello s3cret-password\n"})
	w.sim.On("check.token", engine.PartCommand, simtransport.Answer{Stdout: "tok-123456\n"})
	w.sim.On("step.use", engine.PartCommand, simtransport.Answer{Stderr: "bad tok-123456", ExitCode: 1})
	rec := w.run()
	require.Equal(t, engine.VerdictFailed, rec.Verdict)
	var sent engine.Command
	for _, c := range w.sim.Calls() {
		if c.What == "start" && c.Item == "step.s" {
			sent = c.Command
		}
		if c.What == "start" && c.Item == "step.use" {
			require.Equal(t, "tok-123456", string(c.Command.Stdin))
		}
	}
	require.Equal(t, []engine.Env{{Name: "PW", Value: "s3cret-password", Secret: true}}, sent.Env)
	require.Equal(t, "user:s3cret-password", string(sent.Stdin))
	for _, e := range w.journal.Events() {
		require.NotContains(t, mustJSON(t, e), "s3cret-password")
		require.NotContains(t, mustJSON(t, e), "tok-123456")
	}
	require.Equal(t, "[redacted:t]\n", item(rec, "check.token").Units[0].Outputs[0].Text)
	require.Equal(t, []engine.Captured{{Name: "t", Sensitive: true}}, item(rec, "check.token").Units[0].Captures)
}

// When a sensitive capture cannot be evaluated, nothing knows what to redact, so nothing is recorded.
func TestRun_outputWithheld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  check "token" {
    hosts = host.a
    argv  = ["token"]
    capture "t" {
      value     = split("=", result.stdout)[1]
      sensitive = true
    }
  }
}`)
	w.sim.On("check.token", engine.PartCommand, simtransport.Answer{Stdout: "tok-123456\n"})
	rec := w.run()
	u := item(rec, "check.token").Units[0]
	require.Equal(t, "capture", u.Cause)
	require.Contains(t, u.Reason, "not recorded")
	require.Empty(t, u.Outputs)
	for _, e := range w.journal.Events() {
		require.NotContains(t, mustJSON(t, e), "tok-123456")
	}
}

func TestRun_marksAndObjectives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, `
mark "declared" {}
objective "rto" {
  target = "15m"
  from   = "declared"
  to     = "verified"
}
objective "outage" {
  target = "5s"
  from   = "frozen"
  to     = "recovered"
}
objective "rpo" {
  target         = "1m"
  from           = "declared"
  recovery_point = check.newest.stdout
}
objective "rows" {
  value    = tonumber(check.newest.exit_code)
  at_most  = 0
}
phase "p" {
  check "newest" {
    hosts = host.a
    argv  = ["newest"]
  }
  step "freeze" {
    hosts       = host.a
    argv        = ["freeze"]
    marks_start = ["frozen"]
  }
  step "promote" {
    hosts = host.a
    argv  = ["promote"]
    marks = ["recovered"]
  }
  wait "settle" { duration = "1m" }
  manual "look" {
    instructions = "Look."
    marks        = ["verified"]
  }
}`)
		now := time.Now()
		w.cfg.Marks = map[string]time.Time{"declared": now.Add(-time.Minute)}
		w.sim.On("check.newest", engine.PartCommand, simtransport.Answer{Stdout: now.Add(-90 * second).Format(time.RFC3339)})
		w.sim.On("step.freeze", engine.PartCommand, simtransport.Answer{Delay: 2 * second})
		w.sim.On("step.promote", engine.PartCommand, simtransport.Answer{Delay: 4 * second})
		w.people.OnManual("manual.look", simtransport.ManualAnswer{ManualAnswer: engine.ManualAnswer{By: "alice", Done: true}, After: 10 * second})
		rec := w.run()
		got := map[string]float64{}
		for _, o := range rec.Objectives {
			require.NotNil(t, o.AchievedS, o.Problem)
			got[o.Name] = *o.AchievedS
		}
		require.InDelta(t, 136, got["rto"], 0.01)
		require.InDelta(t, 6, got["outage"], 0.01)
		require.InDelta(t, 30, got["rpo"], 0.01)
		require.InDelta(t, 0, got["rows"], 0)
		require.Equal(t, engine.PassedWithDeviations, rec.Verdict, "the write outage missed its target")
		require.Equal(t, 10*second, rec.PeopleTime)
	})
}

// The steps of an item run on all hosts at once, bounded by the run's limit.
func TestRun_parallel(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  step "s" {
    hosts = group.all
    argv  = ["change"]
  }
}`
	for limit, want := range map[int]time.Duration{0: 2 * second, 1: 6 * second, 2: 4 * second} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, engine.Live, src)
			w.cfg.Parallel = limit
			w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Delay: 2 * second})
			began := time.Now()
			require.Equal(t, engine.Passed, w.run().Verdict)
			require.Equal(t, want, time.Since(began))
		})
	}
}

func TestRun_timeouts(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  check "c" {
    hosts      = host.a
    argv       = ["slow"]
    timeout    = "3s"
    on_failure = "continue"
  }
  step "s" {
    hosts   = host.a
    argv    = ["slow"]
    timeout = "5s"
  }
}`
	for name, tt := range map[string]struct {
		unkillable bool
		verdict    engine.Verdict
	}{"killed": {false, engine.VerdictFailed}, "an unconfirmed kill holds the run": {true, engine.Incomplete}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, src)
				slow := simtransport.Answer{Delay: time.Hour, Unkillable: tt.unkillable}
				w.sim.On("check.c", engine.PartCommand, slow)
				w.sim.On("step.s", engine.PartCommand, slow)
				began := time.Now()
				rec := w.run()
				require.Equal(t, 8*second, time.Since(began))
				require.Equal(t, engine.TimedOut, w.outcome(rec, "check.c"))
				require.Equal(t, engine.TimedOut, w.outcome(rec, "step.s"))
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
			})
		})
	}
}

func TestRun_poll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, `
phase "p" {
  check "up" {
    hosts = [host.a, host.b]
    argv  = ["up"]
    expect { condition = result.stdout == "up" }
    poll {
      every  = "2s"
      within = "10s"
    }
  }
}`)
		down, up := simtransport.Answer{Stdout: "down"}, simtransport.Answer{Stdout: "up"}
		w.sim.OnHost("check.up", engine.PartCommand, "a", down, simtransport.Answer{Err: engine.ErrUnreachable}, up)
		w.sim.OnHost("check.up", engine.PartCommand, "b", up)
		began := time.Now()
		rec := w.run()
		require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
		require.Equal(t, 4*second, time.Since(began))
		require.Equal(t, []string{"check.up@a", "check.up@a", "check.up@a", "check.up@b"}, sorted(w.called("observe")), "b holds at once and is asked once")
		for _, u := range item(rec, "check.up").Units {
			require.Equal(t, map[string]int{"a": 3, "b": 1}[u.Host], u.Rounds)
			if u.Host == "a" {
				require.Len(t, u.Outputs, 2, "an output is recorded when it changes")
			}
		}
	})
}

func TestRun_pollEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, `
phase "p" {
  check "up" {
    hosts = host.a
    argv  = ["up"]
    poll {
      every  = "3s"
      within = "10s"
    }
  }
}`)
		w.sim.On("check.up", engine.PartCommand, simtransport.Answer{ExitCode: 1})
		began := time.Now()
		rec := w.run()
		require.Equal(t, 9*second, time.Since(began))
		require.Equal(t, engine.Failed, w.outcome(rec, "check.up"))
		require.Contains(t, item(rec, "check.up").Units[0].Reason, "not within 10s, 4 rounds")
	})
}

// A journal that fails stops the run before its next effect.
func TestRun_journalFails(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  step "one" {
    hosts = host.a
    argv  = ["one"]
  }
  step "two" {
    hosts = host.a
    argv  = ["two"]
  }
}
cleanup {
  step "tidy" {
    hosts = host.a
    argv  = ["tidy"]
  }
}`
	full := errors.New("no space left on device")
	reference := newWorld(t, engine.Live, src)
	reference.run()
	events := len(reference.journal.Events())
	for n := range events {
		w := newWorld(t, engine.Live, src)
		w.journal.FailWhen(func(k int, _ engine.Payload) error {
			if k == n {
				return full
			}
			return nil
		})
		_, err := newRun(t, w)
		require.ErrorIs(t, err, full, n)
		intents := 0
		for _, e := range w.journal.Events() {
			if _, ok := e.Payload.(*engine.ItemIntent); ok {
				intents++
			}
		}
		require.Len(t, w.called("start"), intents, "every start has an intent on disk, at event %d", n)
	}
}

func TestRun_configuration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.DryRun, "phase \"p\" {\nwait \"w\" { duration = \"1s\" }\n}")
	w.cfg.Launcher = w.sim
	_, err := newRun(t, w)
	require.ErrorContains(t, err, "a dry-run is given a launcher")
	require.Empty(t, w.journal.Events())
	w = newWorld(t, engine.Live, "phase \"p\" {\nwait \"w\" { duration = \"1s\" }\n}")
	w.cfg.From = runbooks.ItemID("step.nowhere")
	_, err = newRun(t, w)
	require.ErrorContains(t, err, "step.nowhere")
}

// Whether something holds may depend on what is sensitive; only true or false leaves.
func TestRun_sensitiveCondition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  check "token" {
    hosts = host.a
    argv  = ["token"]
    capture "t" {
      value     = result.stdout
      sensitive = true
    }
    expect { condition = length(split("-", result.t)) == 2 }
  }
}`)
	w.sim.On("check.token", engine.PartCommand, simtransport.Answer{Stdout: "tok-123456\n"})
	rec := w.run()
	require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
	e := item(rec, "check.token").Units[0].Expectations[0]
	require.Equal(t, "holds", e.Result)
	require.NotContains(t, e.Observed, "123456")
}

// Each item of cleanup runs whatever happened to the others; one that needs what never started has nothing to clean up,
// one that needs what started and left nothing has not cleaned.
func TestCleanup(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  step "lock" {
    hosts = host.a
    argv  = ["lock"]
    capture "id" { value = split("=", result.stdout)[1] }
  }
  step "never" {
    hosts = host.a
    argv  = ["never"]
  }
}
cleanup {
  step "unlock" {
    hosts = host.a
    argv  = ["unlock", step.lock.id]
  }
  step "unused" {
    hosts = host.a
    argv  = ["unused", step.never.stdout]
  }
  step "last" {
    hosts = host.a
    argv  = ["last"]
  }
}`
	t.Run("not cleaned", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, engine.Live, src)
		w.sim.On("step.lock", engine.PartCommand, simtransport.Answer{Stdout: "nothing"})
		rec := w.run()
		require.Equal(t, engine.NotReached, w.outcome(rec, "step.unlock"))
		require.Contains(t, item(rec, "step.unlock").Reason, "not cleaned")
		require.Equal(t, engine.Skipped, w.outcome(rec, "step.unused"))
		require.Contains(t, item(rec, "step.unused").Reason, "step.never never started")
		require.Equal(t, engine.Succeeded, w.outcome(rec, "step.last"))
		require.Equal(t, []runbooks.ItemID{"step.unlock"}, rec.CleanupFailed)
	})
	t.Run("cleaned", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, engine.Live, src)
		w.sim.On("step.lock", engine.PartCommand, simtransport.Answer{Stdout: "id=7", ExitCode: 0})
		w.sim.On("step.never", engine.PartCommand, simtransport.Answer{ExitCode: 1})
		rec := w.run()
		require.Equal(t, "unlock 7", item(rec, "step.unlock").Units[0].Intents[0].Command)
		require.Equal(t, engine.VerdictFailed, rec.Verdict)
		require.Empty(t, rec.CleanupFailed)
	})
}
