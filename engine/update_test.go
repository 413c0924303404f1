package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func promised() *engine.Plan {
	p := plan()
	p.Title, p.UpdateEveryS = "Fail over", 1800
	p.Scenario = &engine.PlanScenario{Title: "Site A is dark."}
	p.Items[1].Title = "Promote"
	p.Items[2].Owner = "service desk"
	target := 900.0
	p.Goals[0].TargetS = &target
	return p
}

func TestRecord_update(t *testing.T) {
	t.Parallel()
	fold := func(p *engine.Plan, s *script) *engine.Record {
		r, err := engine.Fold(p, s.events)
		require.NoError(t, err)
		return r
	}
	live := func(ps ...engine.Payload) *script { return newScript(engine.Live).add(ps...) }
	u := fold(promised(), live()).Update()
	require.Equal(t, start.Add(30*time.Minute), u.Due, "from the beginning")
	u = fold(promised(), live(&engine.OperatorAction{Action: engine.ActionPause, By: "op"}, &engine.OperatorAction{Action: engine.ActionNote, By: "op"})).Update()
	require.Equal(t, start.Add(2*time.Second), u.Last, "from the last note")
	require.Equal(t, u.Last.Add(30*time.Minute), u.Due)
	require.Nil(t, fold(plan(), live()).Update(), "not promised")
	require.Nil(t, fold(promised(), newScript(engine.DryRun)).Update(), "a dry-run recovers nothing")
	require.Nil(t, fold(promised(), live(&engine.RunClosed{Verdict: engine.VerdictFailed})).Update(), "it is over")
}

func TestRecord_draftUpdate(t *testing.T) {
	t.Parallel()
	s := newScript(engine.Live)
	s.add(&engine.MarkSet{Mark: "declared", At: start.Add(-5 * time.Minute), Source: engine.MarkByOperator})
	s.add(&engine.ItemStarted{Item: "check.lag", Hosts: []string{"a", "b"}}, ended("check.lag", "a", engine.Succeeded),
		ended("check.lag", "b", engine.Succeeded), ended("check.lag", "", engine.Succeeded),
		&engine.ItemStarted{Item: "step.promote", Hosts: []string{"a"}}, &engine.ItemStarted{Item: "manual.look"})
	r, err := engine.Fold(promised(), s.events)
	require.NoError(t, err)
	require.Equal(t, `Fail over: live, 02:04 UTC, begun 4 minutes ago
Situation: Site A is dark.
Done: 1 of 3 items, last check.lag at 02:00 UTC.
Running: Promote (step.promote) since 02:00 UTC on a.
Waiting for people: manual.look since 02:00 UTC, service desk.
Objective rto: 9 minutes of 15 minutes used.
Next update by 02:34 UTC.`, r.DraftUpdate(start.Add(4*time.Minute), time.UTC))
	require.Contains(t, r.DraftUpdate(start.Add(11*time.Minute), time.UTC), "Objective rto: missed, 16 minutes of 15 minutes and not there yet.")

	s.add(ended("step.promote", "a", engine.Failed), &engine.ItemOutcome{Unit: unit("step.promote", ""), Outcome: engine.Failed, Reason: "no standby"})
	r, err = engine.Fold(promised(), s.events)
	require.NoError(t, err)
	require.Contains(t, r.DraftUpdate(start.Add(2*time.Hour), time.UTC), "Failed: Promote (step.promote) (no standby).")
	require.Contains(t, r.DraftUpdate(start.Add(2*time.Hour+3*time.Minute), time.UTC), "begun 2 h 3 min ago")
}

// In a rollout the text says how far it has come, and what of an item is at work now.
func TestRecord_draftUpdate_batches(t *testing.T) {
	t.Parallel()
	p := rolling()
	p.UpdateEveryS = 600
	r, err := engine.Fold(p, rollsOut().events)
	require.NoError(t, err)
	text := r.DraftUpdate(start.Add(30*time.Second), time.UTC)
	require.Contains(t, text, "Rolled out to 1 of 3 hosts, 0 failed, batch 2 of 2 of p runs.")
	require.NotContains(t, text, "Running: step.restart", "it has ended in this batch")
	require.NotContains(t, text, "Waiting", "the gate of this batch was opened")

	s := newScript(engine.Live).add(&engine.RolloutStarted{Phase: "p", Hosts: []string{"w1"}, Batches: []int{1}},
		&engine.BatchStarted{Phase: "p", Batch: 1, Of: 1, Hosts: []string{"w1"}}, &engine.ItemStarted{Item: "gate.go", Batch: 1})
	r, err = engine.Fold(&engine.Plan{Runbook: "r", Items: []engine.PlanItem{{ID: "gate.go", Kind: runbooks.Gate, Effect: runbooks.Human}}}, s.events)
	require.NoError(t, err)
	require.Contains(t, r.DraftUpdate(start.Add(time.Minute), time.UTC), "Waiting for people: gate.go since 02:00 UTC.")
}
