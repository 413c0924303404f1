package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func rolling() *engine.Plan {
	hosts := []string{"w1", "w2", "w3"}
	return &engine.Plan{Runbook: "r", Items: []engine.PlanItem{
		{ID: "gate.go", Kind: runbooks.Gate, Effect: runbooks.Human},
		{ID: "step.restart", Kind: runbooks.Step, Effect: runbooks.Change, Hosts: hosts},
	}}
}

func inBatch(item, host string, n int) engine.Unit {
	return engine.Unit{Item: runbooks.ItemID(item), Batch: n, Host: host}
}

func outcome(u engine.Unit, o engine.Outcome) *engine.ItemOutcome {
	return &engine.ItemOutcome{Unit: u, Outcome: o}
}

// rollsOut is a rollout over three hosts whose second batch loses one of two.
func rollsOut() *script {
	s := newScript(engine.Live)
	s.add(&engine.RolloutStarted{Phase: "p", Hosts: []string{"w1", "w2", "w3"}, Batches: []int{1, 2}})
	s.add(&engine.BatchStarted{Phase: "p", Batch: 1, Of: 2, Hosts: []string{"w1"}},
		&engine.ItemStarted{Item: "gate.go", Batch: 1}, outcome(inBatch("gate.go", "", 1), engine.Succeeded),
		&engine.ItemStarted{Item: "step.restart", Batch: 1, Hosts: []string{"w1"}}, outcome(inBatch("step.restart", "w1", 1), engine.Succeeded),
		outcome(inBatch("step.restart", "", 1), engine.Succeeded),
		&engine.BatchEnded{Phase: "p", Batch: 1, Hosts: engine.HostCount{Expected: 1, Reached: 1, Done: 1}})
	s.add(&engine.BatchStarted{Phase: "p", Batch: 2, Of: 2, Hosts: []string{"w2", "w3"}},
		&engine.ItemStarted{Item: "gate.go", Batch: 2}, outcome(inBatch("gate.go", "", 2), engine.Succeeded),
		&engine.ItemStarted{Item: "step.restart", Batch: 2, Hosts: []string{"w2", "w3"}},
		outcome(inBatch("step.restart", "w2", 2), engine.Succeeded), outcome(inBatch("step.restart", "w3", 2), engine.Failed),
		outcome(inBatch("step.restart", "", 2), engine.Failed))
	return s
}

func TestFold_batches(t *testing.T) {
	t.Parallel()
	s := rollsOut().add(
		&engine.BatchEnded{Phase: "p", Batch: 2, Hosts: engine.HostCount{Expected: 2, Reached: 2, Done: 1}, Failed: []string{"w3"}, Stopped: "w3 failed"},
		ended("gate.go", "", engine.Succeeded), ended("step.restart", "", engine.Failed), &engine.RunClosed{Verdict: engine.VerdictFailed})
	r, err := engine.Fold(rolling(), s.events)
	require.NoError(t, err)
	require.Len(t, r.Batches, 2)
	require.Equal(t, []string{"w2", "w3"}, r.Batches[1].Hosts)
	require.Equal(t, engine.HostCount{Expected: 2, Reached: 2, Done: 1}, r.Batches[1].Count)
	require.Equal(t, "w3 failed", r.Batches[1].Stopped)
	require.Equal(t, 8*time.Second, r.Batches[0].Duration+2*time.Second, "from the start of the batch to its end")
	gate, step := r.Items[0], r.Items[1]
	require.Len(t, gate.Units, 2, "asked once for each batch")
	require.Equal(t, inBatch("gate.go", "", 2), gate.Units[1].Unit)
	require.Len(t, step.Units, 3, "an item on hosts has no unit of its own")
	require.Len(t, step.Batches, 2)
	require.Equal(t, engine.Failed, step.Batches[1].Outcome)
	require.Equal(t, engine.VerdictFailed, r.Verdict)
	require.Equal(t, 2*time.Second, r.PeopleTime, "the gate was at work twice, not all the time between")
}

// A person has the item tried again in its batch: only what failed there ends anew.
func TestFold_retryInABatch(t *testing.T) {
	t.Parallel()
	s := rollsOut().add(
		&engine.OperatorAction{Action: engine.ActionRetry, By: "op", Item: "step.restart", Batch: 2},
		&engine.ItemStarted{Item: "step.restart", Batch: 2, Hosts: []string{"w3"}},
		outcome(inBatch("step.restart", "w3", 2), engine.Succeeded), outcome(inBatch("step.restart", "", 2), engine.Succeeded),
		&engine.BatchEnded{Phase: "p", Batch: 2, Hosts: engine.HostCount{Expected: 2, Reached: 2, Done: 2}},
		ended("gate.go", "", engine.Succeeded), ended("step.restart", "", engine.Succeeded), &engine.RunClosed{Verdict: engine.PassedWithDeviations})
	r, err := engine.Fold(rolling(), s.events)
	require.NoError(t, err)
	require.Equal(t, engine.PassedWithDeviations, r.Verdict)
	require.Equal(t, engine.Succeeded, r.Items[1].Units[2].Outcome)
	require.Len(t, r.Items[1].Units[2].Parts, 1, "what it ended as before is kept")
	require.Empty(t, r.Items[1].Units[1].Parts)
}

func TestFold_batchSettledByHand(t *testing.T) {
	t.Parallel()
	s := rollsOut().add(&engine.ItemSettled{Unit: inBatch("step.restart", "", 2), As: engine.Done, By: "op", Reason: "by hand"})
	r, err := engine.Fold(rolling(), s.events)
	require.NoError(t, err)
	require.Equal(t, engine.Done, r.Items[1].Batches[1].Standing)
	require.Equal(t, "op", r.Items[1].Units[2].SettledBy)
	require.Equal(t, "settled", r.Deviations[0].Kind)
}

func TestFold_impossibleBatches(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]engine.Payload{
		"sizes":        &engine.RolloutStarted{Phase: "q", Hosts: []string{"a"}, Batches: []int{2}},
		"empty batch":  &engine.RolloutStarted{Phase: "q", Hosts: []string{"a"}, Batches: []int{0}},
		"unknown":      &engine.BatchStarted{Phase: "p", Batch: 3},
		"not begun":    &engine.BatchEnded{Phase: "q", Batch: 1},
		"ended twice":  &engine.BatchEnded{Phase: "p", Batch: 1},
		"item is over": outcome(inBatch("step.restart", "", 1), engine.Failed),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := engine.Fold(rolling(), rollsOut().add(p).events)
			require.ErrorIs(t, err, engine.ErrSequence)
		})
	}
}

func TestUnit_attemptKey(t *testing.T) {
	t.Parallel()
	require.Equal(t, "k", engine.Unit{Key: "k"}.AttemptKey(), "ids outside rollouts stay what they were")
	require.NotEqual(t, engine.Unit{Batch: 1, Key: "k"}.AttemptKey(), engine.Unit{Batch: 2, Key: "k"}.AttemptKey())
}
