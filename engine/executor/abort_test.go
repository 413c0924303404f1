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

// silent is everybody who may be asked, and none of them answers.
type silent struct{}

func (silent) wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s silent) Interrupted(ctx context.Context, _ engine.InterruptQuestion) (engine.InterruptAnswer, error) {
	return engine.InterruptAnswer{}, s.wait(ctx)
}

func (s silent) Failed(ctx context.Context, _ engine.FailureQuestion) (engine.FailureAnswer, error) {
	return engine.FailureAnswer{}, s.wait(ctx)
}

func (s silent) Manual(ctx context.Context, _ engine.ManualQuestion) (engine.ManualAnswer, error) {
	return engine.ManualAnswer{}, s.wait(ctx)
}

func (s silent) Gate(ctx context.Context, _ engine.GateQuestion) (engine.GateWord, error) {
	return engine.GateWord{}, s.wait(ctx)
}

func (s silent) Decide(ctx context.Context, _ engine.DecisionQuestion) (engine.DecisionAnswer, error) {
	return engine.DecisionAnswer{}, s.wait(ctx)
}

func (s silent) Confirm(ctx context.Context, _ engine.ConfirmQuestion) (engine.ConfirmAnswer, error) {
	return engine.ConfirmAnswer{}, s.wait(ctx)
}

// An abort reaches a run that waits for people, at once: what they were asked is taken back, nothing new starts, and it is
// cleaned up.
func TestControl_abortWhileSomebodyIsAsked(t *testing.T) {
	t.Parallel()
	aborted := "failed (stopped)"
	tests := map[string]struct {
		item  string
		ended string
	}{
		"what to do about a failure": {
			`step "s" {
				hosts      = host.a
				argv       = ["breaks"]
				on_failure = "ask"
			}`, "step.s failed (exit)",
		},
		"an approval": {
			`gate "s" {
				question  = "Go?"
				role      = role.mim
				approvals = 2
				expires   = "1h"
			}`, "gate.s " + aborted,
		},
		"a decision": {
			`decision "s" {
				question = "Which?"
				options  = ["one", "two"]
			}`, "decision.s " + aborted,
		},
		"work by hand": {
			`manual "s" { instructions = "Call the bank." }`, "manual.s " + aborted,
		},
		"a text to type": {
			`step "s" {
				hosts   = host.a
				argv    = ["change"]
				typed = "erase"
			}`, "step.s not-reached (stopped)",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, engine.Live, `phase "p" {
					`+tt.item+`
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
				}`)
				w.sim.On("step.s", engine.PartCommand, simtransport.Answer{ExitCode: 1})
				w.cfg.Control, w.cfg.Operator, w.cfg.People, w.cfg.Approver = executor.NewControl(), silent{}, silent{}, silent{}
				time.AfterFunc(10*second, func() { w.cfg.Control.Abort("ann", "called off") })
				start := time.Now()
				rec := w.run()
				require.Equal(t, engine.Aborted, rec.Verdict, rec.Why)
				require.Equal(t, 10*second, time.Since(start))
				story := w.story()
				require.Contains(t, story, tt.ended)
				require.Contains(t, story, "step.tidy succeeded")
				require.Contains(t, story, "step.next not-reached (stopped)")
			})
		})
	}
}
