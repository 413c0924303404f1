package executor_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestRetry(t *testing.T) {
	t.Parallel()
	fail, unreachable := simtransport.Answer{ExitCode: 1}, simtransport.Answer{Err: engine.ErrUnreachable, Prepare: true}
	ok, unknown, late := simtransport.Answer{}, simtransport.Answer{Err: engine.ErrOutcomeUnknown}, simtransport.Answer{Delay: time.Hour}
	tests := map[string]struct {
		attrs   string
		answers []simtransport.Answer
		verify  []simtransport.Answer
		story   string
		waits   []time.Duration // at most, and three quarters at least
		ran     time.Duration
		verdict engine.Verdict
	}{
		"failed, then well": {"", []simtransport.Answer{fail, ok}, nil,
			"intent #1 failed, intent #2 succeeded", waits(2), 0, engine.PassedWithDeviations},
		"delays grow up to a bound": {"", []simtransport.Answer{fail}, nil,
			"intent #1 failed, intent #2 failed, intent #3 failed, intent #4 failed", waits(2, 4, 5), 0, engine.VerdictFailed},
		"unreachable has no intent": {"", []simtransport.Answer{unreachable, ok}, nil, "intent #1 succeeded", waits(2), 0, engine.Passed},
		"unknown is never retried":  {"", []simtransport.Answer{unknown, ok}, nil, "intent #1 unknown", nil, 0, engine.Incomplete},
		"unless it is idempotent": {"idempotent = true", []simtransport.Answer{unknown, ok}, nil,
			"intent #1 unknown, intent #2 succeeded", waits(2), 0, engine.PassedWithDeviations},
		"timed-out is not retried": {"", []simtransport.Answer{late, ok}, nil, "intent #1 timed-out", nil, 60 * second, engine.VerdictFailed},
		"timed-out and idempotent": {"idempotent = true", []simtransport.Answer{late, ok}, nil,
			"intent #1 timed-out, intent #2 succeeded", waits(2), 60 * second, engine.PassedWithDeviations},
		"a failed verify is not retried": {"", []simtransport.Answer{ok}, []simtransport.Answer{fail, ok},
			"intent #1 succeeded, verify failed", nil, 0, engine.VerdictFailed},
		"a failed verify and idempotent": {"idempotent = true", []simtransport.Answer{ok}, []simtransport.Answer{fail, ok},
			"intent #1 succeeded, verify failed, intent #2 succeeded, verify succeeded", waits(2), 0, engine.PassedWithDeviations},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				verify := ""
				if tt.verify != nil {
					verify = "verify { argv = [\"look\"] }"
				}
				w := newWorld(t, engine.Live, `
phase "p" {
  step "s" {
    hosts   = host.a
    argv    = ["change"]
    timeout = "60s"
    `+tt.attrs+`
    retry {
      attempts  = 4
      delay     = "2s"
      backoff   = 2
      max_delay = "5s"
    }
    `+verify+`
  }
}`)
				w.sim.On("step.s", engine.PartCommand, tt.answers...)
				w.sim.On("step.s", engine.PartVerify, tt.verify...)
				began := time.Now()
				rec := w.run()
				require.Equal(t, tt.ran+waited(t, w, tt.waits), time.Since(began))
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				require.Equal(t, tt.story, parts(w))
			})
		})
	}
}

func waits(seconds ...int) []time.Duration {
	var out []time.Duration
	for _, s := range seconds {
		out = append(out, time.Duration(s)*second)
	}
	return out
}

// waited is how long the run waited between tries, which the journal says before it waits.
func waited(t *testing.T, w *world, most []time.Duration) time.Duration {
	t.Helper()
	var all time.Duration
	n := 0
	for _, e := range w.journal.Events() {
		p, ok := e.Payload.(*engine.ItemRetry)
		if !ok {
			continue
		}
		require.Less(t, n, len(most))
		require.LessOrEqual(t, p.DelayNS, most[n])
		require.GreaterOrEqual(t, p.DelayNS, most[n]*3/4)
		require.True(t, e.Time.Add(p.DelayNS).Equal(p.At))
		n++
		require.Equal(t, n, p.Tries)
		all += p.DelayNS
	}
	require.Equal(t, len(most), n)
	return all
}

// Hosts that fail together do not come back together, and a run with the same nonce waits the same.
func TestRetry_jitter(t *testing.T) {
	t.Parallel()
	delays := func() map[string]time.Duration {
		out := map[string]time.Duration{}
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, engine.Live, `
phase "p" {
  step "s" {
    hosts = group.all
    argv  = ["change"]
    retry {
      attempts = 2
      delay    = "100s"
    }
  }
}`)
			w.sim.On("step.s", engine.PartCommand, simtransport.Answer{ExitCode: 1}, simtransport.Answer{})
			w.run()
			for _, e := range w.journal.Events() {
				if p, ok := e.Payload.(*engine.ItemRetry); ok {
					out[p.Host] = p.DelayNS
				}
			}
		})
		return out
	}
	first := delays()
	require.Len(t, first, 3)
	require.NotEqual(t, first["a"], first["b"])
	require.NotEqual(t, first["b"], first["c"])
	require.Equal(t, first, delays())
}

// parts tells the attempts and verifies of a run with one step.
func parts(w *world) string {
	var out []string
	for _, e := range w.journal.Events() {
		switch p := e.Payload.(type) {
		case *engine.ItemIntent:
			out = append(out, fmt.Sprintf("intent #%d", p.Attempt))
		case *engine.ItemOutcome:
			switch {
			case p.AttemptID != "":
				out[len(out)-1] += " " + string(p.Outcome)
			case p.Part != "":
				out = append(out, string(p.Part)+" "+string(p.Outcome))
			}
		}
	}
	return strings.Join(out, ", ")
}

// A retry starts again at unless, so that what an attempt did after all is not done twice.
func TestRetry_unless(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["change"]
    unless { argv = ["done"] }
    retry { attempts = 3 }
  }
}`)
	w.sim.On("step.s", engine.PartUnless, simtransport.Answer{ExitCode: 1}, simtransport.Answer{})
	w.sim.On("step.s", engine.PartCommand, simtransport.Answer{ExitCode: 1})
	rec := w.run()
	require.Equal(t, "unless failed, intent #1 failed, unless succeeded", parts(w))
	require.Equal(t, engine.Skipped, w.outcome(rec, "step.s"))
}

func TestTolerate(t *testing.T) {
	t.Parallel()
	const src = `
mark "m" {}
phase "p" {
  step "s" {
    hosts    = group.all
    argv     = ["change"]
    tolerate = ["unreachable", "failed"]
    marks    = ["m"]
  }
  step "next" {
    hosts = host.a
    argv  = ["next", step.s.by_host["b"].outcome, tostring(step.s.ok)]
  }
}`
	t.Run("tolerated", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, engine.Live, src)
		w.sim.OnHost("step.s", engine.PartCommand, "b", simtransport.Answer{Err: engine.ErrUnreachable, Prepare: true})
		rec := w.run()
		require.Equal(t, engine.PassedWithDeviations, rec.Verdict, rec.Why)
		require.Equal(t, engine.Succeeded, w.outcome(rec, "step.s"))
		require.Len(t, rec.Marks, 1)
		require.Equal(t, "next unreachable true", item(rec, "step.next").Units[0].Intents[0].Command)
		require.Equal(t, "tolerated", rec.Deviations[0].Kind)
		require.Equal(t, "b", rec.Deviations[0].Host)
	})
	t.Run("unknown never", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, engine.Live, src)
		w.sim.OnHost("step.s", engine.PartCommand, "b", simtransport.Answer{Err: engine.ErrOutcomeUnknown})
		require.Equal(t, engine.Incomplete, w.run().Verdict)
		require.NotContains(t, w.called("start"), "step.next@a")
	})
}

func hostsOf(n int) string {
	var b strings.Builder
	var names []string
	for k := range n {
		fmt.Fprintf(&b, "host \"h%02d\" { address = \"10.1.0.%d\" }\n", k, k+1)
		names = append(names, fmt.Sprintf("host.h%02d", k))
	}
	fmt.Fprintf(&b, "group \"fleet\" { hosts = [%s] }\n", strings.Join(names, ", "))
	return b.String()
}

func TestRollout(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		rollout string
		failing string // hosts that fail, space separated
		batches string // sizes as they started
		took    time.Duration
		done    int
		verdict engine.Verdict
	}{
		"one by one":           {"batch = 1", "", "1 1 1 1 1 1 1 1 1 1", 10 * second, 10, engine.Passed},
		"percent rounded up":   {"batch = \"25%\"", "", "3 3 3 1", 4 * second, 10, engine.Passed},
		"list, last repeats":   {"batch = [1, 3, \"25%\"]", "", "1 3 3 3", 4 * second, 10, engine.Passed},
		"pause":                {"batch = 5\npause = \"30s\"", "", "5 5", 32 * second, 10, engine.Passed},
		"parallel":             {"batch = \"100%\"\nparallel = 5", "", "5 5", 2 * second, 10, engine.Passed},
		"first failure aborts": {"batch = 2", "h02", "2 2", 2 * second, 3, engine.VerdictFailed},
		"failures that may be": {"batch = 2\nmax_failures = 1", "h02 h05", "2 2 2", 3 * second, 4, engine.VerdictFailed},
		"a whole batch":        {"batch = 1\nmax_failures = \"90%\"", "h00", "1", second, 0, engine.VerdictFailed},
		"by batch":             {"batch = [2, 2]\nmax_failures = [0, 1]", "h02", "2 2 2 2 2", 5 * second, 9, engine.VerdictFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, hostsOf(10)+`
runbook "r" {
  phase "p" {
    step "s" {
      hosts = group.fleet
      argv  = ["change"]
      rollout {
        `+tt.rollout+`
      }
    }
  }
}`)
				w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Delay: second})
				for _, h := range strings.Fields(tt.failing) {
					w.sim.OnHost("step.s", engine.PartCommand, h, simtransport.Answer{Delay: second, ExitCode: 1})
				}
				began := time.Now()
				rec := w.run()
				require.Equal(t, tt.took, time.Since(began))
				require.Equal(t, tt.batches, waves(w))
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				i := item(rec, "step.s")
				require.Len(t, i.Units, 10, "every host has an outcome")
				require.Equal(t, 10, i.Count.Expected)
				require.Equal(t, tt.done, i.Count.Done)
			})
		})
	}
}

// Whatever a host is missing for counts against max_failures, tolerated or not, and the record says how many hosts were
// expected, reached and done.
func TestRollout_whatCounts(t *testing.T) {
	t.Parallel()
	lost := &engine.HostError{Kind: "lost-connection", Err: engine.ErrOutcomeUnknown}
	refused := &engine.HostError{Kind: "become", Err: engine.ErrRefused}
	tests := map[string]struct {
		attrs   string
		answer  simtransport.Answer
		outcome engine.Outcome
		reached int
		verdict engine.Verdict
	}{
		"failed":        {"", simtransport.Answer{ExitCode: 1}, engine.Failed, 2, engine.VerdictFailed},
		"unreachable":   {"", simtransport.Answer{Err: engine.ErrUnreachable, Prepare: true}, engine.Unreachable, 1, engine.VerdictFailed},
		"timed out":     {"", simtransport.Answer{Delay: time.Hour}, engine.TimedOut, 2, engine.VerdictFailed},
		"unknown":       {"", simtransport.Answer{Err: lost}, engine.Unknown, 2, engine.Incomplete},
		"never started": {"", simtransport.Answer{Err: refused}, engine.NeverStarted, 1, engine.VerdictFailed},
		"tolerated":     {`tolerate = ["unreachable"]`, simtransport.Answer{Err: engine.ErrUnreachable, Prepare: true}, engine.Unreachable, 1, engine.VerdictFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, hostsOf(5)+`
runbook "r" {
  phase "p" {
    step "s" {
      hosts   = group.fleet
      argv    = ["change"]
      timeout = "60s"
      `+tt.attrs+`
      rollout {
        batch        = [1, 2]
        max_failures = [0, 0]
      }
    }
  }
}`)
				w.sim.OnHost("step.s", engine.PartCommand, "h01", tt.answer)
				w.cfg.Parallel = 1
				rec := w.run()
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				i := item(rec, "step.s")
				got := map[string]engine.Outcome{}
				for _, u := range i.Units {
					got[u.Host] = u.Outcome
					if u.Host > "h02" {
						require.Equal(t, "rollout", u.Cause)
						require.Contains(t, u.Reason, "1 failed, and 0 may")
					}
				}
				want := map[string]engine.Outcome{"h00": engine.Succeeded, "h01": tt.outcome, "h02": engine.Succeeded,
					"h03": engine.NotReached, "h04": engine.NotReached}
				if tt.outcome == engine.Unknown { // which holds the run at once: the others wait for whoever resumes it
					require.Equal(t, map[string]engine.Outcome{"h00": engine.Succeeded, "h01": engine.Unknown}, got)
					require.Nil(t, i.Count)
					return
				}
				require.Equal(t, want, got)
				require.Equal(t, engine.HostCount{Expected: 5, Reached: tt.reached + 1, Done: 2}, *i.Count)
			})
		})
	}
}

// waves are how many attempts began at each instant.
func waves(w *world) string {
	var out []string
	var at time.Time
	n := 0
	for _, e := range w.journal.Events() {
		if _, ok := e.Payload.(*engine.ItemIntent); !ok {
			continue
		}
		if n > 0 && !e.Time.Equal(at) {
			out, n = append(out, fmt.Sprint(n)), 0
		}
		at = e.Time
		n++
	}
	return strings.Join(append(out, fmt.Sprint(n)), " ")
}

func TestForEach(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  check "list" {
    hosts = host.a
    argv  = ["list"]
    capture "names" {
      value = split("\n", result.stdout)
      type  = set(string)
    }
  }
  step "s" {
    for_each = check.list.names
    hosts    = [host.a, host.b]
    argv     = ["change", each.value]
    PARALLEL
  }
  check "after" {
    hosts = host.a
    argv  = ["echo", step.s.by_key["two"].by_host["b"].stdout]
  }
}`
	for name, tt := range map[string]struct {
		attr string
		took time.Duration
	}{
		"one after another": {"", 6 * second}, "two at once": {"parallel_each = 2", 4 * second}, "all at once": {"parallel_each = 9", 2 * second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, strings.ReplaceAll(src, "PARALLEL", tt.attr))
				w.sim.On("check.list", engine.PartCommand, simtransport.Answer{Stdout: "one\ntwo\nthree\n"})
				w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Delay: 2 * second, Stdout: "out"})
				began := time.Now()
				rec := w.run()
				require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
				require.Equal(t, tt.took, time.Since(began))
				keys := map[string]int{}
				ids := map[engine.AttemptID]bool{}
				for _, u := range item(rec, "step.s").Units {
					keys[u.Key]++
					ids[u.Intents[0].AttemptID] = true
				}
				require.Equal(t, map[string]int{"one": 2, "two": 2, "three": 2}, keys)
				require.Len(t, ids, 6)
				require.Equal(t, "echo out", item(rec, "check.after").Units[0].Command)
			})
		})
	}
}

func TestForEach_bounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  check "list" {
    hosts = host.a
    argv  = ["list"]
    capture "names" {
      value = split(",", result.stdout)
      type  = list(string)
    }
  }
  step "s" {
    for_each  = check.list.names
    max_items = 2
    hosts     = host.a
    argv      = ["change", each.value]
  }
}`)
	w.sim.On("check.list", engine.PartCommand, simtransport.Answer{Stdout: "1,2,3"})
	rec := w.run()
	require.Equal(t, engine.NotReached, w.outcome(rec, "step.s"))
	require.Contains(t, item(rec, "step.s").Reason, "3 elements, more than max_items = 2")
	require.Empty(t, w.called("start"))
}

// Results over 1,000 hosts stay small: what nobody reads is not kept.
func TestRun_thousandHosts(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for k := range 1000 {
		fmt.Fprintf(&b, "host \"h%d\" { address = \"10.2.%d.%d\" }\n", k, k/250, k%250+1)
	}
	w := newWorld(t, engine.Live, b.String()+`
runbook "r" {
  phase "p" {
    step "s" {
      hosts = inventory
      argv  = ["change", self.name]
    }
    step "u" {
      hosts = inventory
      argv  = ["change", self.name]
    }
  }
}`)
	w.sim.On("step.s", engine.PartCommand, simtransport.Answer{Stdout: strings.Repeat("x", 3000)})
	rec := w.run()
	require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
	require.Equal(t, &engine.HostCount{Expected: 1003, Reached: 1003, Done: 1003}, item(rec, "step.u").Count)
}

func TestRollout_afterBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, hostsOf(6)+`
runbook "r" {
  phase "p" {
    step "s" {
      hosts = group.fleet
      argv  = ["change"]
      rollout {
        batch = 2
        after_batch {
          hosts = host.a
          argv  = ["healthy"]
          poll {
            every  = "5s"
            within = "20s"
          }
        }
      }
    }
  }
}`)
		down := simtransport.Answer{ExitCode: 1, Stderr: "two nodes are down"}
		w.sim.On("step.s", engine.PartVerify, down, simtransport.Answer{}, down)
		began := time.Now()
		rec := w.run()
		require.Equal(t, engine.VerdictFailed, rec.Verdict, rec.Why)
		require.Equal(t, "2 2", waves(w), "the check holds after the first batch in its second round, and not after the second")
		require.Equal(t, 25*second, time.Since(began))
		require.Contains(t, item(rec, "step.s").Reason, "the check after batch 2")
		require.Contains(t, item(rec, "step.s").Reason, "two nodes are down")
		require.Equal(t, []string{"step.s@a", "step.s@a"}, w.called("observe")[:2])
		require.Equal(t, engine.NotReached, item(rec, "step.s").Units[4].Outcome)
	})
}

// Lanes run side by side, each in order; a question holds its lane only, and what follows waits for all lanes.
func TestLanes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, `
phase "p" {
  lane "db" {
    step "d1" {
      hosts = host.a
      argv  = ["d1"]
    }
    manual "ask" { instructions = "Look." }
    step "d2" {
      hosts = host.a
      argv  = ["d2"]
    }
  }
  lane "app" {
    step "a1" {
      hosts = host.b
      argv  = ["a1"]
    }
    step "a2" {
      hosts = host.b
      argv  = ["a2"]
    }
  }
  step "end" {
    hosts = host.c
    argv  = ["end"]
  }
}`)
		for _, id := range []runbooks.ItemID{"step.d1", "step.d2", "step.a1", "step.a2", "step.end"} {
			w.sim.On(id, engine.PartCommand, simtransport.Answer{Delay: 2 * second})
		}
		w.people.OnManual("manual.ask", simtransport.ManualAnswer{ManualAnswer: engine.ManualAnswer{By: "alice", Done: true}, After: 60 * second})
		began := time.Now()
		rec := w.run()
		require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
		require.Equal(t, 66*second, time.Since(began))
		at := map[runbooks.ItemID]time.Duration{}
		for _, i := range rec.Items {
			at[i.Plan.ID] = i.StartedAt.Sub(began)
		}
		require.Equal(t, map[runbooks.ItemID]time.Duration{
			"step.d1": 0, "manual.ask": 2 * second, "step.d2": 62 * second, "step.a1": 0, "step.a2": 2 * second, "step.end": 64 * second,
		}, at)
		require.Equal(t, "db", item(rec, "step.d2").Plan.Lane)
	})
}
