package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// wayPlan has steps on two hosts: one with a way back, one without, one that cannot be taken back.
func wayPlan() *engine.Plan {
	p := &engine.Plan{Runbook: "r"}
	for _, i := range []engine.PlanItem{
		{ID: "step.one", HasRollback: true}, {ID: "manual.call", Kind: runbooks.Manual, HasRollback: true},
		{ID: "step.point", Irreversible: true}, {ID: "step.two", HasRollback: true}, {ID: "step.bare"},
	} {
		if i.Kind == "" {
			i.Kind = runbooks.Step
		}
		p.Items = append(p.Items, i)
	}
	return p
}

// did are the events of a step on a host, with its outcome.
func did(item, host string, o engine.Outcome) []engine.Payload {
	id := engine.NewAttemptID("n", item, engine.PartCommand, "", host, 1)
	u := unit(item, host)
	return []engine.Payload{
		&engine.ItemIntent{Unit: u, Part: engine.PartCommand, Attempt: 1, AttemptID: id},
		&engine.ItemOutcome{Unit: u, Part: engine.PartCommand, Attempt: 1, AttemptID: id, Outcome: o},
		&engine.ItemOutcome{Unit: u, Outcome: o},
	}
}

func units(steps []engine.BackStep) (out []engine.Unit) {
	for _, s := range steps {
		out = append(out, s.Unit)
	}
	return out
}

func TestFindWayBack(t *testing.T) {
	t.Parallel()
	s := newScript(engine.Live)
	s.add(did("step.one", "a", engine.Succeeded)...)
	s.add(did("step.one", "b", engine.NeverStarted)...)
	s.add(&engine.ItemStarted{Item: "manual.call"}, ended("manual.call", "", engine.Succeeded))
	before, err := engine.FindWayBack(wayPlan(), s.events)
	require.NoError(t, err)
	require.Equal(t, []engine.Unit{unit("manual.call", ""), unit("step.one", "a")}, units(before.Steps), "what never started is not undone")
	require.Empty(t, before.Until)

	s.add(did("step.point", "a", engine.Succeeded)...)
	s.add(did("step.two", "a", engine.Failed)...)
	s.add(did("step.bare", "a", engine.TimedOut)...)
	s.add(did("step.two", "b", engine.Unknown)...)
	w, err := engine.FindWayBack(wayPlan(), s.events)
	require.NoError(t, err)
	require.Equal(t, []engine.BackStep{{Unit: unit("step.bare", "a")}, {Unit: unit("step.two", "a"), Reversible: true}}, w.Steps)
	require.Equal(t, runbooks.ItemID("step.point"), w.Until)
	require.Equal(t, []engine.Unit{unit("step.point", "a"), unit("manual.call", ""), unit("step.one", "a")}, units(w.Kept))
	require.Equal(t, []engine.Unit{unit("step.two", "b")}, w.Open)
}

func TestRollbackVerdict(t *testing.T) {
	t.Parallel()
	a, b := unit("step.one", "a"), unit("step.one", "b")
	settled := func(u engine.Unit, as engine.Standing) engine.ItemSettled {
		return engine.ItemSettled{Unit: u, Part: engine.PartRollback, As: as, By: "ann"}
	}
	tests := map[string]struct {
		rec    engine.RollbackRecord
		want   engine.RollbackVerdict
		byHand []engine.Unit
	}{
		"interrupted":       {engine.RollbackRecord{}, engine.RollbackUnfinished, nil},
		"all of it":         {engine.RollbackRecord{Ended: true, RollbackEnded: engine.RollbackEnded{Done: []engine.Unit{a, b}}}, engine.RolledBack, nil},
		"no way back":       {engine.RollbackRecord{Ended: true, RollbackEnded: engine.RollbackEnded{Done: []engine.Unit{a}, Left: []engine.Unit{b}}}, engine.RolledBackInPart, []engine.Unit{b}},
		"failed":            {engine.RollbackRecord{Ended: true, RollbackEnded: engine.RollbackEnded{Failed: []engine.Unit{a}, Left: []engine.Unit{b}}}, engine.RollbackFailed, []engine.Unit{a, b}},
		"undone by hand":    {engine.RollbackRecord{Ended: true, RollbackEnded: engine.RollbackEnded{Failed: []engine.Unit{a}}, Settled: []engine.ItemSettled{settled(a, engine.Done)}}, engine.RolledBack, nil},
		"stays as it is":    {engine.RollbackRecord{Ended: true, RollbackEnded: engine.RollbackEnded{Failed: []engine.Unit{a}}, Settled: []engine.ItemSettled{settled(a, engine.Fails)}}, engine.RollbackFailed, []engine.Unit{a}},
		"a word about both": {engine.RollbackRecord{Ended: true, RollbackEnded: engine.RollbackEnded{Failed: []engine.Unit{a}, Left: []engine.Unit{b}}, Settled: []engine.ItemSettled{settled(a, engine.Done), settled(b, engine.Done)}}, engine.RolledBack, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed, left := tt.rec.ByHand()
			require.Equal(t, tt.want, tt.rec.Verdict())
			require.ElementsMatch(t, tt.byHand, append(failed, left...))
		})
	}
}

// A unit that nobody knew the end of is started again, or its host proves that it never started: only that unit ends anew.
// A word about a way back changes no standing.
func TestFold_oneUnitAgain(t *testing.T) {
	t.Parallel()
	s := newScript(engine.Live)
	s.add(did("step.one", "a", engine.Unknown)...)
	s.add(did("step.one", "b", engine.Failed)...)
	s.add(ended("step.one", "", engine.Unknown))
	rec, err := engine.Fold(wayPlan(), s.events)
	require.NoError(t, err)
	require.Equal(t, 1, rec.Unknown)

	s.add(&engine.OperatorAction{Action: engine.ActionRetry, Item: "step.one", Host: "a", By: engine.ByEngine, Reason: "it never started"})
	rec, err = engine.Fold(wayPlan(), s.events)
	require.NoError(t, err)
	require.Zero(t, rec.Unknown)
	require.Empty(t, rec.Items[0].Outcome)
	require.Equal(t, engine.Failed, rec.Items[0].Units[1].Outcome, "the other host stays as it was")

	s.add(ended("step.one", "a", engine.Succeeded), ended("step.one", "", engine.Failed))
	s.add(&engine.RollbackStarted{Reason: "why"}, &engine.RollbackEnded{Failed: []engine.Unit{unit("step.one", "a")}, Held: "exit code 1"},
		&engine.ItemSettled{Unit: unit("step.one", "a"), Part: engine.PartRollback, As: engine.Done, By: "ann", Reason: "by hand"},
		&engine.RollbackStarted{Reason: "why"})
	rec, err = engine.Fold(wayPlan(), s.events)
	require.NoError(t, err)
	require.Equal(t, engine.Done, rec.Items[0].Units[0].Standing, "its own outcome decides that")
	require.Len(t, rec.Rollback.Settled, 1, "what was said stays when the rollback goes on")
	require.Equal(t, engine.RollbackUnfinished, rec.Rollback.Verdict())
}
