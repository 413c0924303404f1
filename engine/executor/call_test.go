package executor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const calling = `
runbook "r" {
  objective "up" {
    target = "1h"
    from   = "begun"
    to     = "db/up"
  }
  mark "begun" {}
  phase "p" {
    step "first" {
      hosts       = host.a
      argv        = ["first"]
      marks_start = ["begun"]
      rollback { argv = ["undo-first"] }
    }
    call "db" {
      runbook   = runbook.child
      variables = { site = step.first.stdout }
      CALL
    }
    step "last" {
      hosts = host.a
      argv  = ["last", call.db.outputs.lag, call.db.step.promote.stdout]
    }
  }
  cleanup {
    step "tidy" {
      hosts = host.a
      argv  = ["tidy"]
    }
  }
}
runbook "child" {
  variable "site" { type = string }
  mark "up" {}
  output "lag" { value = check.lag.stdout }
  phase "look" {
    check "lag" {
      hosts = host.b
      argv  = ["lag", var.site]
    }
  }
  phase "act" {
    step "promote" {
      hosts = host.b
      argv  = ["promote", var.site]
      marks = ["up"]
      rollback { argv = ["undo-promote"] }
    }
    step "check" {
      hosts = host.b
      argv  = ["check"]
    }
  }
  cleanup {
    step "sweep" {
      hosts = host.b
      argv  = ["sweep"]
    }
  }
}`

func callWorld(t *testing.T, mode engine.Mode, attrs string) *world {
	t.Helper()
	w := newWorld(t, mode, strings.ReplaceAll(calling, "CALL", attrs))
	w.sim.On("step.first", engine.PartCommand, simtransport.Answer{Stdout: "north"})
	w.sim.On("call.db.check.lag", engine.PartCommand, simtransport.Answer{Stdout: "3"})
	w.sim.On("call.db.step.promote", engine.PartCommand, simtransport.Answer{Stdout: "promoted"})
	return w
}

func TestCall(t *testing.T) {
	t.Parallel()
	w := callWorld(t, engine.Live, "")
	rec := w.run()
	require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
	require.Equal(t, []string{"step.first@a", "call.db.step.promote@b", "call.db.step.check@b", "call.db.step.sweep@b", "step.last@a", "step.tidy@a"}, w.called("start"))
	require.Equal(t, "promote north", item(rec, "call.db.step.promote").Units[0].Intents[0].Command)
	require.Equal(t, "last 3 promoted", item(rec, "step.last").Units[0].Intents[0].Command)
	require.Equal(t, engine.Succeeded, w.outcome(rec, "call.db"))
	require.NotNil(t, rec.Objectives[0].AchievedS, rec.Objectives[0].Problem)
}

func TestCall_failure(t *testing.T) {
	t.Parallel()
	fail := simtransport.Answer{ExitCode: 1}
	tests := map[string]struct {
		attrs   string
		script  script
		started []string
		undone  []string
		outcome engine.Outcome
		verdict engine.Verdict
	}{
		"a called runbook that stops, stops its caller": {
			script:  func(w *world) { w.sim.On("call.db.step.promote", engine.PartCommand, fail) },
			started: []string{"step.first@a", "call.db.step.promote@b", "call.db.step.sweep@b", "step.tidy@a"},
			outcome: engine.Failed, verdict: engine.VerdictFailed,
		},
		"unless the caller goes on": {
			attrs: "on_failure = \"continue\"",
			script: func(w *world) {
				w.sim.On("call.db.step.check", engine.PartCommand, fail)
			},
			started: []string{"step.first@a", "call.db.step.promote@b", "call.db.step.check@b", "call.db.step.sweep@b", "step.last@a", "step.tidy@a"},
			outcome: engine.Failed, verdict: engine.VerdictFailed,
		},
		"rolled back with its caller": {
			attrs:   "on_failure = \"rollback\"",
			script:  func(w *world) { w.sim.On("call.db.step.check", engine.PartCommand, fail) },
			started: []string{"step.first@a", "call.db.step.promote@b", "call.db.step.check@b", "call.db.step.sweep@b", "call.db.step.promote@b", "step.first@a", "step.tidy@a"},
			undone:  []string{"undo-promote", "undo-first"}, outcome: engine.Failed, verdict: engine.VerdictFailed,
		},
		"an unknown outcome inside holds the run": {
			script: func(w *world) {
				w.sim.On("call.db.step.promote", engine.PartCommand, simtransport.Answer{Err: engine.ErrOutcomeUnknown})
			},
			started: []string{"step.first@a", "call.db.step.promote@b"}, verdict: engine.Incomplete,
		},
		"a call that never ran": {
			script:  func(w *world) { w.sim.On("step.first", engine.PartCommand, fail) },
			started: []string{"step.first@a", "step.tidy@a"}, outcome: engine.NotReached, verdict: engine.VerdictFailed,
		},
		"a call that is not needed": {
			attrs:   "when = 1 > 2",
			started: []string{"step.first@a", "step.tidy@a"}, outcome: engine.Skipped, verdict: engine.VerdictFailed, // step.last needs its output
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := callWorld(t, engine.Live, tt.attrs)
			if tt.script != nil {
				tt.script(w)
			}
			rec := w.run()
			require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
			require.Equal(t, tt.started, w.called("start"))
			require.Equal(t, tt.outcome, w.outcome(rec, "call.db"))
			var undone []string
			for _, c := range w.sim.Calls() {
				if c.What == "start" && c.Part == engine.PartRollback {
					undone = append(undone, c.Command.Argv[0])
				}
			}
			require.Equal(t, tt.undone, undone)
			if rec.Closed {
				for _, i := range rec.Items {
					require.NotEmpty(t, i.Outcome, i.Plan.ID)
				}
			}
		})
	}
}

func TestCall_dryRun(t *testing.T) {
	t.Parallel()
	w := callWorld(t, engine.DryRun, "")
	rec := w.run()
	require.Empty(t, w.called("start"))
	require.Equal(t, engine.Ready, rec.Verdict, rec.Why)
	for _, id := range []runbooks.ItemID{"call.db", "call.db.check.lag", "call.db.step.promote", "call.db.step.sweep"} {
		require.NotEmpty(t, w.outcome(rec, id), id)
	}
}
