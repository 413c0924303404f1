package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

func explored(t *testing.T, ends ...string) *engine.ExplorationResult {
	t.Helper()
	x := engine.Explored{}
	for _, end := range ends {
		c := engine.ExploredCase{Item: "step.a", Kind: "exit", Fault: "exit", Ended: end, Why: "so"}
		switch end {
		case engine.CaseSafe:
			x.Safe++
		case engine.CaseHeld:
			x.Held++
		case engine.CaseFinding:
			x.Found++
			c.Codes = []string{"CON-F002"}
			x.Findings = []engine.ExploredFinding{{Code: "CON-F002", Item: "step.a", Why: "no way back", Cases: x.Found}}
		}
		x.Cases = append(x.Cases, c)
	}
	p, err := engine.NewExplorationResult(x)
	require.NoError(t, err)
	return p
}

func exploring(mode engine.Mode, ps ...engine.Payload) (*engine.Record, error) {
	plan := &engine.Plan{
		Runbook: "r", Items: []engine.PlanItem{{ID: "step.a", Kind: "step"}}, Goals: []engine.PlanObjective{{Name: "rto", Kind: engine.GoalElapsed}},
	}
	events := []engine.Event{{Mode: mode, Time: time.Unix(0, 0), Payload: &engine.RunOpened{Run: "x", Exercise: "simulation"}}}
	for n, p := range ps {
		events = append(events, engine.Event{Seq: uint64(n + 1), Mode: mode, Time: time.Unix(1, 0), Payload: p})
	}
	return engine.Fold(plan, events)
}

// An exploration has a verdict of its own, and nothing of a run: no objective, no item that was not reached, no deviation.
func TestFold_exploration(t *testing.T) {
	t.Parallel()
	rec, err := exploring(engine.Simulate, explored(t, "safe", "held", "safe"), &engine.RunClosed{Verdict: engine.Passed})
	require.NoError(t, err)
	require.Equal(t, engine.Passed, rec.Verdict)
	require.Contains(t, rec.Why, "no finding in 3 simulated cases; no host was contacted")
	require.Empty(t, rec.Objectives)
	require.Empty(t, rec.NotReached)
	require.Empty(t, rec.Deviations)
	require.Len(t, rec.Exploration.Cases, 3)

	rec, err = exploring(engine.Simulate, explored(t, "safe", "finding"), &engine.RunClosed{Verdict: engine.VerdictFailed})
	require.NoError(t, err)
	require.Equal(t, engine.VerdictFailed, rec.Verdict)
	require.Equal(t, "CON-F002", rec.Exploration.Findings[0].Code)
}

// What no exploration can have written is refused: one of a drill above all.
func TestFold_explorationRefused(t *testing.T) {
	t.Parallel()
	miscounted := explored(t, "safe", "held")
	miscounted.Held, miscounted.Safe = 0, 2
	silent := explored(t, "finding")
	silent.Findings = nil
	garbled := explored(t, "safe")
	garbled.Cases = []string{"{"}
	ran := &engine.ItemOutcome{Unit: engine.Unit{Item: "step.a", Host: "h"}, Outcome: engine.Succeeded}
	tests := map[string]struct {
		mode engine.Mode
		ps   []engine.Payload
		want string
	}{
		"in a drill":                {engine.Live, []engine.Payload{explored(t, "safe")}, "an exploration in a run of mode live"},
		"in a dry-run":              {engine.DryRun, []engine.Payload{explored(t, "safe")}, "mode dry-run"},
		"twice":                     {engine.Simulate, []engine.Payload{explored(t, "safe"), explored(t, "safe")}, "a second exploration"},
		"where items ran":           {engine.Simulate, []engine.Payload{ran, explored(t, "safe")}, "whose items ran"},
		"counts that do not add up": {engine.Simulate, []engine.Payload{miscounted}, "do not add up"},
		"a hole without a finding":  {engine.Simulate, []engine.Payload{silent}, "0 findings are listed"},
		"a case that is none":       {engine.Simulate, []engine.Payload{garbled}, "case 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := exploring(tt.mode, tt.ps...)
			require.ErrorIs(t, err, engine.ErrSequence)
			require.ErrorContains(t, err, tt.want)
		})
	}
}
