package executor_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const wayBack = `
on_failure = "rollback"
phase "p" {
  step "one" {
    hosts = host.a
    argv  = ["one"]
    rollback { argv = ["undo-one"] }
  }
  step "two" {
    hosts = [host.a, host.b]
    argv  = ["two"]
    rollback { argv = ["undo-two", self.name] }
  }
  step "three" {
    hosts        = host.c
    argv         = ["three"]
    IRREVERSIBLE
  }
  step "four" {
    hosts = host.c
    argv  = ["four"]
    rollback { argv = ["undo-four"] }
  }
  step "five" {
    hosts = host.a
    argv  = ["five"]
  }
}
cleanup {
  step "tidy" {
    hosts = host.a
    argv  = ["tidy"]
  }
}`

const undoThree = "rollback { argv = [\"undo-three\"] }"

func TestRollback(t *testing.T) {
	t.Parallel()
	fail := simtransport.Answer{ExitCode: 1}
	tests := map[string]struct {
		irreversible bool
		script       script
		operator     engine.Operator
		undone       string // rollback commands in order
		left         int
		held         string
		verdict      engine.Verdict
		cleaned      bool
	}{
		"in reverse order of start, the failed one too": {
			script: func(w *world) { w.sim.On("step.four", engine.PartCommand, fail) },
			undone: "undo-four, undo-three, undo-two a, undo-two b, undo-one", verdict: engine.VerdictFailed, cleaned: true,
		},
		"a step without a rollback is left": {
			script: func(w *world) { w.sim.On("step.five", engine.PartCommand, fail) },
			undone: "undo-four, undo-three, undo-two a, undo-two b, undo-one", left: 1, verdict: engine.VerdictFailed, cleaned: true,
		},
		"what never started is not rolled back": {
			script: func(w *world) {
				w.sim.OnHost("step.two", engine.PartCommand, "b", simtransport.Answer{Err: engine.ErrRefused})
			},
			undone: "undo-two a, undo-one", verdict: engine.VerdictFailed, cleaned: true,
		},
		"the point of no return holds": {
			irreversible: true,
			script:       func(w *world) { w.sim.On("step.four", engine.PartCommand, fail) },
			undone:       "undo-four", left: 4, held: "point of no return, step.three", verdict: engine.Incomplete,
		},
		"a failed irreversible step is the point of no return": {
			irreversible: true,
			script:       func(w *world) { w.sim.On("step.three", engine.PartCommand, fail) },
			left:         4, held: "point of no return", verdict: engine.Incomplete,
		},
		"an irreversible step that never started is none": {
			irreversible: true,
			script: func(w *world) {
				w.sim.On("step.three", engine.PartCommand, simtransport.Answer{Err: engine.ErrUnreachable, Prepare: true})
			},
			undone: "undo-two a, undo-two b, undo-one", verdict: engine.VerdictFailed, cleaned: true,
		},
		"past it when a person says so": {
			irreversible: true,
			script:       func(w *world) { w.sim.On("step.four", engine.PartCommand, fail) },
			operator: operator{failed: func(engine.FailureQuestion) (engine.FailureAnswer, error) {
				return engine.FailureAnswer{Action: engine.ActionRollback, By: "op"}, nil
			}},
			undone: "undo-four, undo-two a, undo-two b, undo-one", left: 1, verdict: engine.VerdictFailed, cleaned: true,
		},
		"a rollback that fails stops it and holds": {
			script: func(w *world) {
				w.sim.On("step.four", engine.PartCommand, fail)
				w.sim.On("step.three", engine.PartRollback, fail)
			},
			undone: "undo-four, undo-three", left: 3, held: "rollback of step.three on c: exit code 1", verdict: engine.Incomplete,
		},
		"an unknown outcome is held, not rolled back": {
			script: func(w *world) {
				w.sim.On("step.four", engine.PartCommand, simtransport.Answer{Err: engine.ErrOutcomeUnknown})
			},
			verdict: engine.Incomplete,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mark := undoThree
				if tt.irreversible {
					mark = "irreversible = true"
				}
				w := newWorld(t, engine.Live, strings.ReplaceAll(wayBack, "IRREVERSIBLE", mark))
				w.cfg.Operator = tt.operator
				w.sim.OnHost("step.two", engine.PartCommand, "b", simtransport.Answer{Delay: second})
				w.sim.OnHost("step.two", engine.PartRollback, "b", simtransport.Answer{Delay: second})
				tt.script(w)
				rec := w.run()
				var undone []string
				for _, c := range w.sim.Calls() {
					if c.What == "start" && c.Part == engine.PartRollback {
						undone = append(undone, strings.Join(c.Command.Argv, " "))
					}
				}
				if n := slices.Index(undone, "undo-two b"); n >= 0 && n+1 < len(undone) && undone[n+1] == "undo-two a" {
					undone[n], undone[n+1] = undone[n+1], undone[n] // at once, in any order
				}
				require.Equal(t, tt.undone, strings.Join(undone, ", "))
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				require.Equal(t, tt.cleaned, rec.CleanupRan)
				if tt.undone == "" && tt.held == "" {
					require.Nil(t, rec.Rollback)
					return
				}
				require.True(t, rec.Rollback.Ended)
				require.Len(t, rec.Rollback.Left, tt.left)
				if tt.held == "" {
					require.Empty(t, rec.Rollback.Held)
				} else {
					require.Contains(t, rec.Rollback.Held, tt.held)
				}
			})
		})
	}
}

func TestRollback_manual(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  manual "dns" {
    instructions = "Move the record."
    rollback     = "Move it back."
  }
  step "s" {
    hosts      = host.a
    argv       = ["s"]
    on_failure = "rollback"
  }
}`)
	done := simtransport.ManualAnswer{ManualAnswer: engine.ManualAnswer{By: "alice", Done: true}}
	w.people.OnManual("manual.dns", done)
	w.people.OnUndo("manual.dns", done)
	w.sim.On("step.s", engine.PartCommand, simtransport.Answer{ExitCode: 1})
	rec := w.run()
	require.Equal(t, engine.VerdictFailed, rec.Verdict)
	require.Len(t, w.people.Asked(), 2)
	require.Equal(t, []engine.Unit{{Item: "manual.dns"}}, rec.Rollback.Done)
	require.Equal(t, []engine.Unit{{Item: "step.s", Host: "a"}}, rec.Rollback.Left)
}

func TestControl_rollback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, strings.ReplaceAll(wayBack, "IRREVERSIBLE", undoThree))
		w.sim.On("step.two", engine.PartCommand, simtransport.Answer{ExitCode: 1})
		w.cfg.Runbook.OnFailure = "ask"
		asked := 0
		w.cfg.Operator = operator{failed: func(q engine.FailureQuestion) (engine.FailureAnswer, error) {
			asked++
			require.Contains(t, q.Options, engine.ActionRollback)
			return engine.FailureAnswer{Action: engine.ActionRollback, By: "op", Reason: "back"}, nil
		}}
		rec := w.run()
		require.Equal(t, 1, asked)
		require.Equal(t, "back", rec.Rollback.Reason)
		require.Equal(t, "op", rec.Rollback.By)
		require.Len(t, rec.Rollback.Done, 3)
	})
}

// A person has the failed hosts tried again; the others are left as they are.
func TestRun_retryByPerson(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{"step": "step \"s\"", "check": "check \"s\""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.Live, `
on_failure = "ask"
phase "p" {
  `+src+` {
    hosts = [host.a, host.b]
    argv  = ["do"]
  }
  step "next" {
    hosts = host.a
    argv  = ["next"]
  }
}`)
			id := runbooks.ItemID(name + ".s")
			w.sim.OnHost(id, engine.PartCommand, "b", simtransport.Answer{ExitCode: 1}, simtransport.Answer{})
			w.cfg.Operator = operator{failed: func(engine.FailureQuestion) (engine.FailureAnswer, error) {
				return engine.FailureAnswer{Action: engine.ActionRetry, By: "op", Reason: "cable was out"}, nil
			}}
			rec := w.run()
			require.Equal(t, engine.PassedWithDeviations, rec.Verdict, rec.Why)
			require.Equal(t, engine.Succeeded, w.outcome(rec, id))
			require.Equal(t, engine.Succeeded, w.outcome(rec, "step.next"))
			calls := map[string]int{}
			for _, c := range w.sim.Calls() {
				if c.Item == id && (c.What == "start" || c.What == "observe") {
					calls[c.On]++
				}
			}
			require.Equal(t, map[string]int{"a": 1, "b": 2}, calls)
			require.Equal(t, "retry", rec.Deviations[0].Kind)
			require.Equal(t, "op", rec.Deviations[0].By)
		})
	}
}

// A host that was tried again goes back once, like every other.
func TestRun_rollbackAfterRetryByPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
on_failure = "ask"
phase "p" {
  step "s" {
    hosts = [host.a, host.b]
    argv  = ["do"]
    rollback { argv = ["undo"] }
  }
  step "next" {
    hosts      = host.a
    argv       = ["next"]
    on_failure = "rollback"
  }
}`)
	w.sim.OnHost("step.s", engine.PartCommand, "b", simtransport.Answer{ExitCode: 1}, simtransport.Answer{})
	w.sim.On("step.next", engine.PartCommand, simtransport.Answer{ExitCode: 1})
	w.cfg.Operator = operator{failed: func(engine.FailureQuestion) (engine.FailureAnswer, error) {
		return engine.FailureAnswer{Action: engine.ActionRetry, By: "op", Reason: "cable was out"}, nil
	}}
	rec := w.run()
	require.Equal(t, engine.VerdictFailed, rec.Verdict, rec.Why)
	require.ElementsMatch(t, []engine.Unit{{Item: "step.s", Host: "a"}, {Item: "step.s", Host: "b"}}, rec.Rollback.Done)
}
