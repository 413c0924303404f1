package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// script builds a list of events one second apart.
type script struct {
	mode   engine.Mode
	events []engine.Event
	base   time.Duration
}

var start = time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)

func newScript(mode engine.Mode) *script {
	s := &script{mode: mode}
	return s.add(&engine.RunOpened{Run: "r", Operator: "op"})
}

func (s *script) add(ps ...engine.Payload) *script {
	for _, p := range ps {
		n := time.Duration(len(s.events)) * time.Second
		if _, ok := p.(*engine.RunResumed); ok {
			s.base = n
		}
		s.events = append(s.events, engine.Event{Seq: uint64(len(s.events)), Time: start.Add(n), Mono: n - s.base, Mode: s.mode, Payload: p})
	}
	return s
}

func plan() *engine.Plan {
	target := 3.0
	return &engine.Plan{
		Runbook: "r",
		Items: []engine.PlanItem{
			{ID: "check.lag", Kind: runbooks.Check, Effect: runbooks.Read, Hosts: []string{"a", "b"}},
			{ID: "step.promote", Kind: runbooks.Step, Effect: runbooks.Change, Hosts: []string{"a"}},
			{ID: "manual.look", Kind: runbooks.Manual, Effect: runbooks.Human},
		},
		Goals: []engine.PlanObjective{
			{Name: "rto", Kind: engine.GoalElapsed, TargetS: &target, From: "declared", To: "verified"},
		},
	}
}

func unit(item, host string) engine.Unit {
	return engine.Unit{Item: runbooks.ItemID(item), Host: host}
}

func ended(item, host string, o engine.Outcome) *engine.ItemOutcome {
	return &engine.ItemOutcome{Unit: unit(item, host), Outcome: o}
}

const id = engine.AttemptID("00112233445566778899aabbccddeeff")

func intent(n int, a engine.AttemptID) *engine.ItemIntent {
	return &engine.ItemIntent{Unit: unit("step.promote", "a"), Part: engine.PartCommand, Attempt: n, AttemptID: a}
}

func closes(n int, a engine.AttemptID, o engine.Outcome) *engine.ItemOutcome {
	return &engine.ItemOutcome{Unit: unit("step.promote", "a"), Part: engine.PartCommand, Attempt: n, AttemptID: a, Outcome: o}
}

// sound is a live run in which everything holds; the RTO is 3 s.
func sound() *script {
	return newScript(engine.Live).add(
		&engine.MarkSet{Mark: "declared", Source: engine.MarkByItem, At: start.Add(time.Second)},
		&engine.ItemStarted{Item: "check.lag", Hosts: []string{"a", "b"}},
		ended("check.lag", "a", engine.Succeeded), ended("check.lag", "b", engine.Succeeded),
		ended("check.lag", "", engine.Succeeded),
	)
}

func finish(s *script) *script {
	return s.add(
		&engine.ItemStarted{Item: "step.promote", Hosts: []string{"a"}},
		intent(1, id), closes(1, id, engine.Succeeded),
		ended("step.promote", "a", engine.Succeeded), ended("step.promote", "", engine.Succeeded),
		&engine.ItemStarted{Item: "manual.look"}, &engine.ManualDone{Item: "manual.look", By: "alice", Done: true},
		ended("manual.look", "", engine.Succeeded),
	)
}

func verified(s *script) *script {
	n := len(s.events)
	return s.add(&engine.MarkSet{Mark: "verified", Source: engine.MarkByItem, At: start.Add(time.Duration(n) * time.Second)})
}

func record(t *testing.T, s *script) *engine.Record {
	t.Helper()
	r, err := engine.Fold(plan(), s.events)
	require.NoError(t, err)
	return r
}

func TestFold_passed(t *testing.T) {
	t.Parallel()
	s := sound()
	s.add(&engine.MarkSet{Mark: "verified", Source: engine.MarkByItem, At: start.Add(4 * time.Second)})
	s.events[len(s.events)-1].Mono = 4 * time.Second
	r := record(t, finish(s).add(&engine.RunClosed{Verdict: engine.Passed}))
	require.Equal(t, engine.Passed, r.Verdict, r.Why)
	require.Empty(t, r.Deviations)
	require.Equal(t, engine.Coverage{Exercised: 3, Items: 3}, r.Coverage)
	require.InDelta(t, 3, *r.Objectives[0].AchievedS, 1e-9)
	require.True(t, *r.Objectives[0].Met)
	require.Equal(t, "monotonic", r.Objectives[0].Clock)
	require.Equal(t, r.Elapsed, r.Machine+r.PeopleTime+r.Waiting)
	require.Equal(t, 2*time.Second, r.PeopleTime)
	require.Equal(t, 1, r.Items[1].Units[0].Attempts)
}

func TestFold_verdict(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		events  *script
		verdict engine.Verdict
		why     string
		unknown int
	}{
		"missed objective": {finish(verified(sound())).add(&engine.RunClosed{}), engine.PassedWithDeviations, "1 deviation", 0},
		"not measured":     {finish(sound()).add(&engine.RunClosed{}), engine.PassedWithDeviations, "1 deviation", 0},
		"not closed":       {finish(sound()), engine.Incomplete, "not closed", 0},
		"not reached":      {sound().add(&engine.RunClosed{}), engine.VerdictFailed, "step.promote was not reached", 0},
		"aborted": {sound().add(&engine.OperatorAction{Action: engine.ActionAbort, By: "op"}, &engine.RunClosed{}),
			engine.Aborted, "aborted", 0},
		"left": {sound().add(&engine.RunInterrupted{Reason: "hangup"}, &engine.RunClosed{}), engine.Incomplete, "left", 0},
		"unknown beats abort": {sound().add(&engine.ItemStarted{Item: "step.promote", Hosts: []string{"a"}}, intent(1, id),
			closes(1, id, engine.Unknown), ended("step.promote", "a", engine.Unknown), ended("step.promote", "", engine.Unknown),
			&engine.OperatorAction{Action: engine.ActionAbort, By: "op"}, &engine.RunClosed{}),
			engine.Incomplete, "step.promote on a", 1},
		"open intent is unknown": {sound().add(intent(1, id), &engine.RunClosed{}), engine.Incomplete, "step.promote on a", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := record(t, tt.events)
			require.Equal(t, tt.verdict, r.Verdict, r.Why)
			require.Contains(t, r.Why, tt.why)
			require.Equal(t, tt.unknown, r.Unknown)
		})
	}
}

func TestFold_anOpenIntentOfAClosedRunIsUnknownAndWasReached(t *testing.T) {
	t.Parallel()
	r := record(t, sound().add(&engine.ItemStarted{Item: "step.promote", Hosts: []string{"a"}}, intent(1, id), &engine.RunClosed{}))
	require.Equal(t, engine.Unknown, r.Items[1].Outcome)
	require.Equal(t, engine.Unknown, r.Items[1].Units[0].Outcome)
	require.Equal(t, []runbooks.ItemID{"manual.look"}, r.NotReached)

	running := record(t, sound().add(&engine.ItemStarted{Item: "step.promote", Hosts: []string{"a"}}, intent(1, id)))
	require.Empty(t, running.Items[1].Outcome, "while the run goes on, it runs")
}

func TestFold_settledByAPersonIsADeviation(t *testing.T) {
	t.Parallel()
	s := sound().add(intent(1, id), closes(1, id, engine.Unknown), ended("step.promote", "a", engine.Unknown),
		ended("step.promote", "", engine.Unknown),
		&engine.ItemSettled{Unit: unit("step.promote", "a"), As: engine.Done, By: "bob", Reason: "seen promoted"},
		ended("manual.look", "", engine.Succeeded), &engine.RunClosed{})
	r := record(t, s)
	require.Equal(t, engine.PassedWithDeviations, r.Verdict, r.Why)
	require.Equal(t, engine.Unknown, r.Items[1].Outcome, "an outcome never changes")
	require.Equal(t, engine.Done, r.Items[1].Standing)
	require.Equal(t, "settled", r.Deviations[0].Kind)
	require.Equal(t, "bob", r.Deviations[0].By)
}

func TestFold_retryIsADeviationAndNeverStartedIsNot(t *testing.T) {
	t.Parallel()
	const second = engine.AttemptID("ff112233445566778899aabbccddeeff")
	for first, want := range map[engine.Outcome]bool{engine.Failed: true, engine.NeverStarted: false} {
		s := sound().add(intent(1, id), closes(1, id, first), intent(2, second), closes(2, second, engine.Succeeded),
			ended("step.promote", "a", engine.Succeeded), ended("step.promote", "", engine.Succeeded),
			ended("manual.look", "", engine.Succeeded), &engine.RunClosed{})
		kinds := []string{}
		for _, d := range record(t, s).Deviations {
			kinds = append(kinds, d.Kind)
		}
		if want {
			require.Contains(t, kinds, "retry")
		} else {
			require.NotContains(t, kinds, "retry")
		}
	}
}

func TestFold_dryRun(t *testing.T) {
	t.Parallel()
	never := func(item string, cause string) *engine.ItemOutcome {
		return &engine.ItemOutcome{Unit: unit(item, ""), Outcome: engine.NotExercised, Cause: cause, Reason: "why"}
	}
	base := func(checkOutcome engine.Outcome, cause string, preflight bool) *script {
		return newScript(engine.DryRun).add(
			&engine.PreflightResult{Host: "a", OK: preflight, Checks: []engine.PreflightCheck{{Name: "reach", OK: preflight, Detail: "no route"}}},
			&engine.ItemStarted{Item: "check.lag", Hosts: []string{"a", "b"}},
			ended("check.lag", "a", checkOutcome), ended("check.lag", "b", checkOutcome), ended("check.lag", "", checkOutcome),
			never("step.promote", engine.CauseDryRun), never("manual.look", cause), &engine.RunClosed{})
	}
	tests := map[string]struct {
		s    *script
		want engine.Verdict
	}{
		"ready":         {base(engine.Exercised, engine.CauseDryRun, true), engine.Ready},
		"a real gap":    {base(engine.Exercised, "inputs", true), engine.ReadyWithGaps},
		"failing check": {base(engine.Failed, engine.CauseDryRun, true), engine.NotReady},
		"preflight":     {base(engine.Exercised, engine.CauseDryRun, false), engine.NotReady},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := record(t, tt.s)
			require.Equal(t, tt.want, r.Verdict, r.Why)
			require.Empty(t, r.Objectives, "a dry-run measures no objective")
			require.Len(t, r.Gaps, 2)
			require.Equal(t, engine.Coverage{Exercised: 1, Items: 3}, r.Coverage)
		})
	}
}

func TestFold_refusesImpossibleSequences(t *testing.T) {
	t.Parallel()
	tests := map[string]*script{
		"nothing first":               (&script{mode: engine.Live}).add(&engine.CleanupStarted{}),
		"opened twice":                newScript(engine.Live).add(&engine.RunOpened{}),
		"after the end":               newScript(engine.Live).add(&engine.RunClosed{}, &engine.ClockAnomaly{}),
		"unknown item":                newScript(engine.Live).add(ended("step.gone", "", engine.Succeeded)),
		"no such outcome":             newScript(engine.Live).add(ended("step.promote", "", "fine")),
		"dry outcome in a live run":   newScript(engine.Live).add(ended("step.promote", "", engine.Exercised)),
		"outcome without intent":      newScript(engine.Live).add(closes(1, id, engine.Succeeded)),
		"two intents of one attempt":  newScript(engine.Live).add(intent(1, id), intent(1, id)),
		"two outcomes of one attempt": newScript(engine.Live).add(intent(1, id), closes(1, id, engine.Failed), closes(1, id, engine.Succeeded)),
		"two outcomes of one unit":    newScript(engine.Live).add(ended("step.promote", "a", engine.Failed), ended("step.promote", "a", engine.Succeeded)),
		"two outcomes of one item":    newScript(engine.Live).add(ended("step.promote", "", engine.Failed), ended("step.promote", "", engine.Succeeded)),
		"intent after the unit's end": newScript(engine.Live).add(ended("step.promote", "a", engine.Failed), intent(1, id)),
		"settled before it began":     newScript(engine.Live).add(&engine.ItemSettled{Unit: unit("step.promote", "a"), As: engine.Done}),
		"attempt of another unit":     newScript(engine.Live).add(intent(1, id), &engine.ItemOutcome{Unit: unit("check.lag", "a"), Part: engine.PartCommand, AttemptID: id, Outcome: engine.Failed}),
		"a line of another mode":      mixed(),
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := engine.Fold(plan(), s.events)
			require.ErrorIs(t, err, engine.ErrSequence)
		})
	}
}

func mixed() *script {
	s := newScript(engine.DryRun)
	s.mode = engine.Live
	return s.add(&engine.ClockAnomaly{StepMS: 1})
}

func TestFold_acrossSegments(t *testing.T) {
	t.Parallel()
	s := sound().add(&engine.RunInterrupted{Reason: "killed"}, &engine.RunResumed{By: "bob"})
	r := record(t, finish(verified(s)).add(&engine.RunClosed{}))
	require.Equal(t, 2, r.Segments)
	require.False(t, r.ElapsedExact)
	require.Equal(t, "wall", r.Objectives[0].Clock, "marks of two segments are compared by the wall clock")
	require.Equal(t, "resumed", r.Deviations[0].Kind)
	require.Equal(t, time.Duration(len(s.events)-1)*time.Second, r.Elapsed)
}

func TestFolder_previewIsWhatTheRecordSays(t *testing.T) {
	t.Parallel()
	f := engine.NewFolder(plan())
	for _, e := range finish(sound()).events {
		require.NoError(t, f.Apply(e))
	}
	v, why, unknown := f.Preview()
	require.Equal(t, engine.Incomplete, f.Record().Verdict)
	require.NoError(t, f.Apply(engine.Event{Mode: engine.Live, Time: start.Add(time.Hour), Payload: &engine.RunClosed{Verdict: v}}))
	r := f.Record()
	require.Equal(t, []any{v, why, unknown}, []any{r.Verdict, r.Why, r.Unknown})
	require.Equal(t, v, r.Claimed)
}

func TestNewAttemptID(t *testing.T) {
	t.Parallel()
	seen := map[engine.AttemptID]bool{}
	for _, args := range [][5]string{
		{"n", "step.a", "command", "", "h"}, {"n", "step.a", "command", "h", ""}, {"n", "step.ac", "ommand", "", "h"},
		{"m", "step.a", "command", "", "h"}, {"n", "step.a", "verify", "", "h"}, {"n", "call.x.step.a", "command", "", "h"},
	} {
		for n := 1; n <= 2; n++ {
			got := engine.NewAttemptID(args[0], args[1], engine.PartName(args[2]), args[3], args[4], n)
			require.Regexp(t, `^[0-9a-f]{32}$`, string(got))
			require.False(t, seen[got], "%v %d", args, n)
			seen[got] = true
		}
	}
}

func TestNewObservation_onlyReads(t *testing.T) {
	t.Parallel()
	kinds := []runbooks.Kind{runbooks.Check, runbooks.Assert, runbooks.Step, runbooks.Transfer, runbooks.Wait, runbooks.Manual,
		runbooks.Gate, runbooks.Decision, runbooks.Call}
	parts := []engine.PartName{engine.PartCommand, engine.PartUnless, engine.PartVerify, engine.PartRollback}
	allowed := map[string]bool{"check command": true, "step unless": true, "step verify": true, "transfer unless": true, "transfer verify": true}
	for _, k := range kinds {
		for _, p := range parts {
			_, err := engine.NewObservation(k, p, engine.Command{})
			if allowed[string(k)+" "+string(p)] {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, engine.ErrNotAnObservation, "%s %s", k, p)
			}
		}
	}
}
