package executor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
)

const gated = `
phase "p" {
  check "dark" {
    hosts = host.b
    argv  = ["dark"]
  }
  gate "go" {
    question     = "Promote ${host.a.name}?"
    role         = role.mim
    approvals    = 2
    expires      = "30m"
    recheck      = [check.dark]
    start_within = "10m"
  }
  wait "pause" { duration = "5m" }
  step "promote" {
    hosts    = host.a
    argv     = ["promote", join(",", gate.go.approved_by)]
    requires = [gate.go]
  }
}
cleanup {
  step "tidy" {
    hosts = host.a
    argv  = ["tidy"]
  }
}`

func TestGate(t *testing.T) {
	t.Parallel()
	say := simtransport.Approve
	later := func(w simtransport.GateWord, d time.Duration) simtransport.GateWord {
		w.After = d
		return w
	}
	tests := map[string]struct {
		words    []simtransport.GateWord
		operator string
		script   script
		refused  []string
		outcome  engine.Outcome
		reason   string
		promoted string
		verdict  engine.Verdict
	}{
		"two of three": {words: []simtransport.GateWord{say("alice"), say("bob")}, outcome: engine.Succeeded,
			promoted: "promote alice,bob", verdict: engine.Passed},
		"the same person twice": {words: []simtransport.GateWord{say("alice"), say("alice"), say("bob")}, outcome: engine.Succeeded,
			refused: []string{"approved already"}, promoted: "promote alice,bob", verdict: engine.PassedWithDeviations},
		"not a member": {words: []simtransport.GateWord{say("mallory"), say("alice"), say("bob")}, outcome: engine.Succeeded,
			refused: []string{"not a member"}, promoted: "promote alice,bob", verdict: engine.PassedWithDeviations},
		"never the operator": {words: []simtransport.GateWord{say("alice"), say("bob"), say("carol")}, operator: "alice", outcome: engine.Succeeded,
			refused: []string{"operator"}, promoted: "promote bob,carol", verdict: engine.PassedWithDeviations},
		"no signature": {words: []simtransport.GateWord{{GateWord: engine.GateWord{By: "alice"}}, say("alice"), say("bob")}, outcome: engine.Succeeded,
			refused: []string{"signature does not hold"}, promoted: "promote alice,bob", verdict: engine.PassedWithDeviations},
		"denied": {words: []simtransport.GateWord{say("alice"), simtransport.Deny("bob", "too risky")}, outcome: engine.Failed,
			reason: "denied by bob: too risky", verdict: engine.VerdictFailed},
		"expired": {words: []simtransport.GateWord{say("alice"), later(say("bob"), time.Hour)}, outcome: engine.TimedOut,
			reason: "expired: nobody approved in time", verdict: engine.VerdictFailed},
		"nobody there": {words: []simtransport.GateWord{say("alice")}, verdict: engine.Incomplete},
		"what was true is not any more": {words: []simtransport.GateWord{say("alice"), say("bob")}, outcome: engine.Failed,
			script: func(w *world) {
				w.sim.On("check.dark", engine.PartCommand, simtransport.Answer{}, simtransport.Answer{ExitCode: 1, Stderr: "site A answers"})
			},
			reason: "check.dark does not hold any more: exit code 1: site A answers", verdict: engine.VerdictFailed},
		"not started in time": {words: []simtransport.GateWord{say("alice"), say("bob")}, outcome: engine.Succeeded,
			script:  func(w *world) { w.cfg.Runbook.Item("gate.go").StartWithin = 4 * time.Minute },
			verdict: engine.VerdictFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, gated)
				w.people.OnGate("gate.go", tt.words...)
				if tt.operator != "" {
					w.cfg.Opened.Operator = tt.operator
				}
				if tt.script != nil {
					tt.script(w)
				}
				rec := w.run()
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				require.Equal(t, tt.outcome, w.outcome(rec, "gate.go"))
				require.Contains(t, item(rec, "gate.go").Reason, tt.reason)
				refused := w.people.Refused()
				require.Len(t, refused, len(tt.refused))
				for n, want := range tt.refused {
					require.Contains(t, refused[n], want)
				}
				units := item(rec, "step.promote").Units
				if tt.promoted == "" {
					require.NotContains(t, w.called("start"), "step.promote@a")
					return
				}
				require.Equal(t, tt.promoted, units[0].Intents[0].Command)
			})
		})
	}
}

func TestGate_requestIsWhatIsSigned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, gated)
		w.people.OnGate("gate.go", simtransport.Approve("alice"), simtransport.Approve("bob"))
		w.run()
		for _, e := range w.journal.Events() {
			if p, ok := e.Payload.(*engine.ApprovalRequested); ok {
				require.Equal(t, digestOf(p.Request), p.SHA256)
				for _, part := range []string{"run-1", w.cfg.Plan.Digest, "gate.go", "Promote a?", "alice" /* no */}[:4] {
					require.Contains(t, p.Request, part)
				}
				return
			}
		}
		t.Fatal("no request")
	})
}

// A failed gate can be asked again, and never be skipped.
func TestGate_askedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, "on_failure = \"ask\"\n"+gated)
		w.people.OnGate("gate.go", simtransport.Deny("bob", "wait"), simtransport.Approve("alice"), simtransport.Approve("bob"))
		w.cfg.Operator = operator{failed: func(q engine.FailureQuestion) (engine.FailureAnswer, error) {
			require.NotContains(t, q.Options, engine.ActionSkip)
			require.NotContains(t, q.Options, engine.ActionByHand)
			return engine.FailureAnswer{Action: engine.ActionRetry, By: "op"}, nil
		}}
		rec := w.run()
		require.Equal(t, engine.PassedWithDeviations, rec.Verdict, rec.Why)
		requests := map[string]bool{}
		for _, e := range w.journal.Events() {
			if p, ok := e.Payload.(*engine.ApprovalRequested); ok {
				requests[p.SHA256] = true
			}
		}
		require.Len(t, requests, 2, "each request is another text")
	})
}

func TestGate_from(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, gated)
		w.cfg.From = "step.promote"
		w.people.OnGate("gate.go", simtransport.Approve("alice"), simtransport.Approve("bob"))
		rec := w.run()
		require.Equal(t, engine.Skipped, w.outcome(rec, "check.dark"))
		require.Equal(t, engine.Succeeded, w.outcome(rec, "gate.go"), "what is required is asked for, wherever the run starts")
		require.Equal(t, engine.PassedWithDeviations, rec.Verdict, rec.Why)
	})
}

func TestDecision(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  decision "where" {
    question = "Which site?"
    options  = ["left", "right", "back-out"]
    stops    = ["back-out"]
    role     = role.mim
    expires  = "10m"
  }
  step "left" {
    hosts = host.a
    argv  = ["left"]
    when  = decision.where.choice == "left"
  }
  step "right" {
    hosts = host.b
    argv  = ["right"]
    when  = decision.where.choice == "right"
  }
}`
	choose := func(by, what string) simtransport.Choice {
		return simtransport.Choice{DecisionAnswer: engine.DecisionAnswer{By: by, Choice: what}}
	}
	tests := map[string]struct {
		choices []simtransport.Choice
		started []string
		refused int
		outcome engine.Outcome
		verdict engine.Verdict
	}{
		"right":                {[]simtransport.Choice{choose("alice", "right")}, []string{"step.right@b"}, 0, engine.Succeeded, engine.Passed},
		"refused":              {[]simtransport.Choice{choose("alice", "up"), choose("mallory", "left"), choose("bob", "left")}, []string{"step.left@a"}, 2, engine.Succeeded, engine.Passed},
		"an option that stops": {[]simtransport.Choice{choose("alice", "back-out")}, nil, 0, engine.Failed, engine.VerdictFailed},
		"silence":              {[]simtransport.Choice{{Silent: true}}, nil, 0, engine.TimedOut, engine.VerdictFailed},
		"nobody":               {nil, nil, 0, "", engine.Incomplete},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, src)
				w.people.OnDecision("decision.where", tt.choices...)
				rec := w.run()
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				require.Equal(t, tt.outcome, w.outcome(rec, "decision.where"))
				require.Equal(t, tt.started, w.called("start"))
				require.Len(t, w.people.Refused(), tt.refused)
			})
		})
	}
}

func TestTyped(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["promote"]
    typed = "promote ${host.a.name}"
  }
}`
	for name, tt := range map[string]struct {
		answer  *engine.ConfirmAnswer
		verdict engine.Verdict
		started int
	}{
		"typed":       {&engine.ConfirmAnswer{By: "op", Typed: "promote a"}, engine.Passed, 1},
		"typed wrong": {&engine.ConfirmAnswer{By: "op", Typed: "promote b"}, engine.VerdictFailed, 0},
		"nobody":      {nil, engine.Incomplete, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.Live, src)
			if tt.answer != nil {
				w.people.OnConfirm("step.s", *tt.answer)
			}
			require.Equal(t, tt.verdict, w.run().Verdict)
			require.Len(t, w.called("start"), tt.started)
		})
	}
}

func TestManual_people(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  manual "look" {
    instructions = "Look."
    role         = role.mim
    people       = 2
    input "count" {
      type = number
      validation {
        condition = var.count > 0
        message   = "must be positive"
      }
    }
  }
  step "s" {
    hosts = host.a
    argv  = ["use", tostring(manual.look.inputs.count)]
  }
}`)
	say := func(by, count string) simtransport.ManualAnswer {
		return simtransport.ManualAnswer{ManualAnswer: engine.ManualAnswer{By: by, Done: true, Inputs: map[string]string{"count": count}}}
	}
	w.people.OnManual("manual.look", say("mallory", "1"), say("alice", "1"), say("alice", "2"), say("bob", "many"), say("bob", "-2"), say("bob", "7"))
	rec := w.run()
	require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
	require.Len(t, w.people.Refused(), 4)
	require.Equal(t, "use 7", item(rec, "step.s").Units[0].Intents[0].Command)
	require.Equal(t, []engine.Captured{{Name: "count", Value: "7"}}, item(rec, "manual.look").Manual.Inputs)
}
