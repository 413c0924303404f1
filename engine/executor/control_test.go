package executor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
)

const longRun = `
phase "p" {
  step "long" {
    hosts = host.a
    argv  = ["long"]
  }
  step "next" {
    hosts = host.a
    argv  = ["next"]
  }
}
cleanup {
  step "tidy" {
    hosts = host.b
    argv  = ["tidy"]
  }
}`

// operator answers questions as scripted.
type operator struct {
	interrupted func() (engine.InterruptAnswer, error)
	failed      func(engine.FailureQuestion) (engine.FailureAnswer, error)
}

func (o operator) Interrupted(context.Context, engine.InterruptQuestion) (engine.InterruptAnswer, error) {
	return o.interrupted()
}

func (o operator) Failed(_ context.Context, q engine.FailureQuestion) (engine.FailureAnswer, error) {
	return o.failed(q)
}

func answers(action string) func() (engine.InterruptAnswer, error) {
	return func() (engine.InterruptAnswer, error) { return engine.InterruptAnswer{Action: action, By: "op"}, nil }
}

func TestControl(t *testing.T) {
	t.Parallel()
	began := []string{"start step.long", "intent step.long@a command #1"}
	done := []string{"step.long@a command succeeded", "step.long@a succeeded", "step.long succeeded"}
	next := []string{"start step.next", "intent step.next@a command #1", "step.next@a command succeeded", "step.next@a succeeded", "step.next succeeded"}
	tidy := []string{"cleanup.started", "start step.tidy", "intent step.tidy@b command #1", "step.tidy@b command succeeded", "step.tidy@b succeeded",
		"step.tidy succeeded", "cleanup.ended"}
	tests := map[string]struct {
		steer    func(c *executor.Control)
		operator engine.Operator
		story    [][]string
		verdict  engine.Verdict
		took     time.Duration
	}{
		"drained with nobody to ask: what runs ends, and the run is left": {
			steer: func(c *executor.Control) { c.Drain("op") },
			story: [][]string{began, {"action interrupt"}, done, {"interrupted"}}, verdict: engine.Incomplete, took: 10 * second,
		},
		"drained, and on": {
			steer: func(c *executor.Control) { c.Drain("op") }, operator: operator{interrupted: answers(engine.ActionContinue)},
			story: [][]string{began, {"action interrupt"}, done, {"action continue"}, next, tidy, {"closed passed"}}, verdict: engine.Passed, took: 10 * second,
		},
		"drained, and aborted": {
			steer: func(c *executor.Control) { c.Drain("op") }, operator: operator{interrupted: answers(engine.ActionAbort)},
			story:   [][]string{began, {"action interrupt"}, done, {"action abort", "step.next not-reached (stopped)"}, tidy, {"closed aborted"}},
			verdict: engine.Aborted, took: 10 * second,
		},
		"killed, and aborted": {
			steer: func(c *executor.Control) { c.Kill("op") }, operator: operator{interrupted: answers(engine.ActionAbort)},
			story: [][]string{began, {"action kill", "step.long@a command failed (killed)", "step.long@a failed (killed)", "step.long failed (killed)",
				"action abort", "step.next not-reached (stopped)"}, tidy, {"closed aborted"}},
			verdict: engine.Aborted, took: 3 * second,
		},
		"left at once": {
			steer: func(c *executor.Control) { c.Leave("op", "battery") },
			story: [][]string{began, {"action leave", "interrupted"}}, verdict: engine.Incomplete, took: 3 * second,
		},
		"aborted": {
			steer:   func(c *executor.Control) { c.Abort("op", "wrong site") },
			story:   [][]string{began, {"action abort"}, done, {"step.next not-reached (stopped)"}, tidy, {"closed aborted"}},
			verdict: engine.Aborted, took: 10 * second,
		},
		"a note changes nothing": {
			steer: func(c *executor.Control) { c.Note("op", "called the provider") },
			story: [][]string{began, {"action note"}, done, next, tidy, {"closed passed"}}, verdict: engine.Passed, took: 10 * second,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, longRun)
				w.sim.On("step.long", engine.PartCommand, simtransport.Answer{Delay: 10 * second})
				w.cfg.Control, w.cfg.Operator = executor.NewControl(), tt.operator
				time.AfterFunc(3*second, func() { tt.steer(w.cfg.Control) })
				start := time.Now()
				rec := w.run()
				var want []string
				for _, part := range tt.story {
					want = append(want, part...)
				}
				require.Equal(t, want, w.story())
				require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
				require.Equal(t, tt.took, time.Since(start))
			})
		})
	}
}

// What runs when the controller is told to stop has no outcome: its intent stands, and a resumed controller collects it.
func TestRun_contextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, longRun)
		w.sim.On("step.long", engine.PartCommand, simtransport.Answer{Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 3*second)
		defer cancel()
		rec, err := executor.Run(ctx, w.cfg)
		require.NoError(t, err)
		require.Equal(t, []string{"start step.long", "intent step.long@a command #1", "interrupted"}, w.story())
		require.Equal(t, engine.Incomplete, rec.Verdict)
		require.Equal(t, 1, rec.Unknown)
		require.Equal(t, 0, w.sim.Released(item(rec, "step.long").Units[0].Intents[0].AttemptID))
	})
}

func TestControl_pause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, engine.Live, longRun)
		w.sim.On("step.long", engine.PartCommand, simtransport.Answer{Delay: 10 * second})
		w.cfg.Control = executor.NewControl()
		time.AfterFunc(3*second, func() { w.cfg.Control.Pause("op") })
		time.AfterFunc(60*second, func() { w.cfg.Control.Continue("op") })
		start := time.Now()
		require.Equal(t, engine.Passed, w.run().Verdict)
		require.Equal(t, 60*second, time.Since(start))
	})
}

func TestRun_askAfterFailure(t *testing.T) {
	t.Parallel()
	const src = `
on_failure = "ask"
mark "m" {}
phase "p" {
  step "s" {
    hosts = host.a
    argv  = ["change"]
    marks = ["m"]
  }
  step "next" {
    hosts = host.a
    argv  = ["next", tostring(step.s.ok)]
  }
}`
	tests := map[string]struct {
		answer  engine.FailureAnswer
		err     error
		verdict engine.Verdict
		next    string
		mark    bool
	}{
		"skip goes on, and the verdict is failed": {answer: engine.FailureAnswer{Action: engine.ActionSkip, By: "op", Reason: "known"},
			verdict: engine.VerdictFailed, next: "next false"},
		"done by hand": {answer: engine.FailureAnswer{Action: engine.ActionByHand, By: "op", Reason: "did it"},
			verdict: engine.PassedWithDeviations, next: "next true", mark: true},
		"abort":     {answer: engine.FailureAnswer{Action: engine.ActionAbort, By: "op"}, verdict: engine.Aborted},
		"leave":     {answer: engine.FailureAnswer{Action: engine.ActionLeave, By: "op"}, verdict: engine.Incomplete},
		"nobody":    {err: engine.ErrNobody, verdict: engine.VerdictFailed},
		"gibberish": {answer: engine.FailureAnswer{Action: "dance", By: "op"}, verdict: engine.VerdictFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.Live, src)
			w.sim.On("step.s", engine.PartCommand, simtransport.Answer{ExitCode: 1, Stderr: "disk is full"})
			var asked engine.FailureQuestion
			w.cfg.Operator = operator{failed: func(q engine.FailureQuestion) (engine.FailureAnswer, error) {
				asked = q
				return tt.answer, tt.err
			}}
			rec := w.run()
			require.Equal(t, tt.verdict, rec.Verdict, rec.Why)
			require.Equal(t, "a: exit code 1: disk is full", asked.Outcome.Reason)
			require.Len(t, asked.Units, 1)
			require.Equal(t, tt.mark, len(rec.Marks) == 1)
			if next := item(rec, "step.next"); tt.next != "" {
				require.Equal(t, tt.next, next.Units[0].Intents[0].Command)
			} else {
				require.NotContains(t, w.called("start"), "step.next@a")
			}
		})
	}
}
