package view

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

func TestStatusSaysWhenTheNextUpdateIsDue(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	plan := failover()
	plan.UpdateEveryS = 1800
	record := func(after time.Duration, ps ...engine.Payload) *engine.Record {
		f := engine.NewFolder(plan)
		require.NoError(t, f.Apply(engine.Event{Time: start, Mode: engine.Live, Payload: &engine.RunOpened{Run: "r1", Runbook: "failover", Operator: "op"}}))
		for n, p := range ps {
			require.NoError(t, f.Apply(engine.Event{Seq: uint64(n + 1), Time: start.Add(after), Mono: after, Mode: engine.Live, Payload: p}))
		}
		return f.Record()
	}
	for want, tt := range map[string]struct {
		now time.Duration
		r   *engine.Record
	}{
		"progress update due 03:34:05, in 20m00s":       {10 * time.Minute, record(0)},
		"PROGRESS UPDATE OVERDUE since 03:34:05, 1m00s": {31 * time.Minute, record(0)},
		"progress update due 03:59:05, in 24m00s":       {31 * time.Minute, record(25*time.Minute, &engine.OperatorAction{Action: engine.ActionNote, By: "op", Reason: "sent"})},
		"| Done: 0 of 2 items.":                         {time.Minute, record(0)},
		`sent? continuo note r1 "update sent"`:          {time.Minute, record(0)},
	} {
		s, out := screen()
		s.Status(tt.r, start.Add(tt.now), true, nil, nil)
		require.Contains(t, out.String(), want)
	}
	s, out := screen()
	s.Status(record(time.Minute, &engine.RunClosed{Verdict: engine.VerdictFailed}), start.Add(time.Hour), false, nil, nil)
	require.NotContains(t, out.String(), "update", "it is over")
}

// The lines of a run say once that an update is due; a note starts its clock again.
func TestProgressSaysThatAnUpdateIsDue(t *testing.T) {
	t.Parallel()
	plan := failover()
	plan.UpdateEveryS = 2
	events := []engine.Payload{
		&engine.RunOpened{Run: "r1", Runbook: "failover"}, &engine.HostConnected{}, &engine.HostConnected{}, &engine.HostConnected{}, &engine.HostConnected{},
		&engine.OperatorAction{Action: engine.ActionNote, By: "op", Reason: "sent"}, &engine.HostConnected{}, &engine.HostConnected{}, &engine.HostConnected{},
	}
	got := play(plan, engine.Live, events...)
	require.Contains(t, got, "03:04:08 LIVE PROGRESS UPDATE OVERDUE since 03:04:07, 1.0 s")
	require.Contains(t, got, "03:04:13 LIVE PROGRESS UPDATE OVERDUE since 03:04:12, 1.0 s")
	require.Equal(t, 2, strings.Count(got, "OVERDUE"))
	require.NotContains(t, play(plan, engine.DryRun, events...), "OVERDUE")
}
