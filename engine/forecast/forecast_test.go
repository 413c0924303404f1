package forecast_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/forecast"
	"github.com/continuo-runbooks/continuo/runbooks"
)

var plan = &engine.Plan{Items: []engine.PlanItem{
	{ID: "step.a", Phase: "one", Disposition: engine.WillRun},
	{ID: "step.b", Phase: "one", Disposition: engine.WillRun},
	{ID: "step.c", Phase: "one", Disposition: engine.WillRun, After: []runbooks.ItemID{"step.a", "step.b"}, MarksStart: []string{"down"}},
	{ID: "step.never", Phase: "two", Disposition: engine.WillSkip},
	{ID: "step.d", Phase: "two", Disposition: engine.WillRun, Marks: []string{"up"}},
}}

// earlier is a run in which the items took so many seconds.
func earlier(mode engine.Mode, seconds map[runbooks.ItemID]int) *engine.Record {
	r := &engine.Record{Mode: mode}
	for n := range plan.Items {
		i := &plan.Items[n]
		s, ok := seconds[i.ID]
		rec := engine.ItemRecord{Plan: i, Started: ok, Outcome: engine.Succeeded, Duration: time.Duration(s) * time.Second}
		if s < 0 {
			rec.Outcome, rec.Duration = engine.Failed, time.Hour
		}
		r.Items = append(r.Items, rec)
	}
	return r
}

func expected() forecast.Expected {
	return forecast.From([]*engine.Record{
		earlier(engine.Live, map[runbooks.ItemID]int{"step.a": 10, "step.b": 30, "step.c": 5, "step.d": 60}),
		earlier(engine.Live, map[runbooks.ItemID]int{"step.a": 20, "step.b": 32, "step.c": 5, "step.d": 70}),
		earlier(engine.Live, map[runbooks.ItemID]int{"step.a": 12, "step.b": -1, "step.c": 5, "step.d": 900}),
		earlier(engine.DryRun, map[runbooks.ItemID]int{"step.a": 1}),
	})
}

func TestFromTakesTheMedianOfLiveRunsThatWentWell(t *testing.T) {
	t.Parallel()
	e := expected()
	require.Equal(t, 3, e.Runs)
	require.Equal(t, map[runbooks.ItemID]time.Duration{
		"step.a": 12 * time.Second, "step.b": 31 * time.Second, "step.c": 5 * time.Second, "step.d": 70 * time.Second,
	}, e.Items)
}

func TestAhead(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	for _, tc := range []struct {
		name          string
		now           int
		started       map[runbooks.ItemID]int
		ended         []runbooks.ItemID
		end, down, up int
		path          []runbooks.ItemID
		downIsOver    bool
	}{
		{name: "before it begins", end: 31 + 5 + 70, down: 31, up: 106, path: []runbooks.ItemID{"step.b", "step.c", "step.d"}},
		{
			name: "one takes longer than expected", now: 50, started: map[runbooks.ItemID]int{"step.a": 0, "step.b": 0}, ended: []runbooks.ItemID{"step.a"},
			end: 50 + 5 + 70, down: 50, up: 125, path: []runbooks.ItemID{"step.b", "step.c", "step.d"},
		},
		{
			name: "the last one runs", now: 60, started: map[runbooks.ItemID]int{"step.a": 0, "step.b": 0, "step.c": 30, "step.d": 40},
			ended: []runbooks.ItemID{"step.a", "step.b", "step.c"}, end: 110, up: 110, path: []runbooks.ItemID{"step.d"}, downIsOver: true,
		},
	} {
		p := forecast.Point{Now: at(tc.now), Started: map[runbooks.ItemID]time.Time{}, Ended: map[runbooks.ItemID]bool{}}
		for id, s := range tc.started {
			p.Started[id] = at(s)
		}
		for _, id := range tc.ended {
			p.Ended[id] = true
		}
		got, ok := expected().Ahead(plan, p)
		require.True(t, ok, tc.name)
		require.Equal(t, at(tc.end), got.End, tc.name)
		require.Equal(t, at(tc.up), got.Marks["up"], tc.name)
		if !tc.downIsOver {
			require.Equal(t, at(tc.down), got.Marks["down"], tc.name)
		}
		require.Equal(t, tc.path, got.Path, tc.name)
	}
}

func TestAheadIsNotKnownWithoutEarlierRuns(t *testing.T) {
	t.Parallel()
	_, ok := forecast.From(nil).Ahead(plan, forecast.Point{})
	require.False(t, ok)
	_, ok = forecast.From([]*engine.Record{earlier(engine.Live, map[runbooks.ItemID]int{"step.a": 1})}).Ahead(plan, forecast.Point{})
	require.False(t, ok, "step.b was never done")
}
