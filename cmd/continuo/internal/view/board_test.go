package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// board is a board after some events, one second apart, and the instant after them.
func board(plan *engine.Plan, payloads ...engine.Payload) (*Board, time.Time) {
	b := NewBoard(plan, engine.Live)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, p := range payloads {
		b.Event(engine.Event{Time: at, Mode: engine.Live, Payload: p})
		at = at.Add(time.Second)
	}
	return b, at
}

func TestBoardForecast(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b, now := board(failover(), &engine.RunOpened{Run: "r1"}, &engine.MarkSet{Mark: "declared", At: start})
	for _, tc := range []struct {
		verified time.Duration
		want     string
	}{
		{10 * time.Minute, "clock     rto 2s of 15m00s forecast 10m00s [....................]"},
		{17 * time.Minute, "clock     rto 2s of 15m00s FORECAST 17m00s: 2m00s TOO LATE [....................]"},
	} {
		b.Forecast(func(_ time.Time, started map[runbooks.ItemID]time.Time, ended map[runbooks.ItemID]bool) (Outlook, bool) {
			require.Empty(t, started)
			require.Empty(t, ended)
			return Outlook{End: now.Add(20 * time.Minute), Marks: map[string]time.Time{"verified": start.Add(tc.verified)}}, true
		})
		got := texts(b.Rows(now, 120, 20, time.UTC))
		require.Equal(t, tc.want, got[1])
		require.Equal(t, "          end expected in 20m00s", got[2])
	}
}

func TestBoardState(t *testing.T) {
	t.Parallel()
	for want, events := range map[string][]engine.Payload{
		"PAUSED by ann":       {&engine.OperatorAction{Action: engine.ActionPause, By: "ann"}},
		"STOPPING":            {&engine.OperatorAction{Action: engine.ActionInterrupt}},
		"KILLING":             {&engine.OperatorAction{Action: engine.ActionInterrupt}, &engine.OperatorAction{Action: engine.ActionKill}},
		"ABORTING":            {&engine.OperatorAction{Action: engine.ActionAbort}},
		"LEFT":                {&engine.RunInterrupted{Reason: "left"}},
		"CLEANING UP":         {&engine.CleanupStarted{Items: 1}},
		"ROLLING BACK 1 of 2": {&engine.RollbackStarted{Units: 2}, &engine.ItemOutcome{Unit: engine.Unit{Item: "step.promote", Host: "db-2"}, Part: engine.PartRollback, Outcome: engine.Succeeded}},
		"ROLLED BACK":         {&engine.RollbackStarted{Units: 2}, &engine.RollbackEnded{}},
		"failed":              {&engine.RunClosed{Verdict: engine.VerdictFailed}},
		"":                    {&engine.OperatorAction{Action: engine.ActionPause, By: "ann"}, &engine.OperatorAction{Action: engine.ActionContinue, By: "ann"}},
	} {
		b, _ := board(failover(), events...)
		require.Equal(t, want, b.state().text)
	}
}

func TestBoardRetryBeginsAgain(t *testing.T) {
	t.Parallel()
	u := engine.Unit{Item: "step.promote", Host: "db-2"}
	b, now := board(failover(), &engine.RunOpened{Run: "r1"},
		&engine.ItemStarted{Item: u.Item, Hosts: []string{"db-2"}},
		&engine.ItemOutcome{Unit: u, Outcome: engine.Failed, ExitCode: code(3)},
		&engine.ItemOutcome{Unit: engine.Unit{Item: u.Item}, Outcome: engine.Failed})
	require.Contains(t, texts(b.Rows(now, 120, 20, time.UTC)), "FAILED    step.promote on db-2: exit code 3")
	b.Event(engine.Event{Time: now, Payload: &engine.OperatorAction{Action: engine.ActionRetry, Item: u.Item}})
	got := texts(b.Rows(now, 120, 20, time.UTC))
	require.NotContains(t, got, "FAILED    step.promote on db-2: exit code 3")
	require.Contains(t, got, "running   step.promote IRREVERSIBLE on db-2 for 3s")
}

// TestBoardFitsAnySize: never more rows than there is room for, down to one for each thing that must be seen, and none
// wider than the terminal.
func TestBoardFitsAnySize(t *testing.T) {
	t.Parallel()
	n := nightPlan()
	b, now := board(n, &engine.RunOpened{Run: "r1"}, &engine.ItemStarted{Item: "step.stop-writers", Hosts: n.Items[0].Hosts},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "step.stop-writers", Host: "web-01"}, Outcome: engine.Failed, Reason: "no route to host"},
		&engine.ItemStarted{Item: "gate.promote"})
	for width := 40; width <= 200; width += 7 {
		for room := 7; room < 20; room++ {
			rows := b.Rows(now, width, room, time.UTC)
			require.LessOrEqual(t, len(rows), room, "%d columns", width)
			for _, r := range rows {
				require.LessOrEqual(t, r.width(), width)
			}
		}
	}
}

func TestBoardSaysWhenAnUpdateIsDue(t *testing.T) {
	t.Parallel()
	p := failover()
	p.UpdateEveryS = 60
	b, now := board(p, &engine.RunOpened{Run: "r1"})
	last := func(at time.Time) string {
		all := texts(b.Rows(at, 80, 20, time.UTC))
		return all[len(all)-1]
	}
	require.Equal(t, "update    due 03:05:05, in 59s", last(now))
	require.Equal(t, "update    OVERDUE by 1s; ^N says that it was sent", last(now.Add(time.Minute)))
	b.Event(engine.Event{Time: now.Add(time.Minute), Payload: &engine.OperatorAction{Action: engine.ActionNote, By: "ann", Reason: "sent"}})
	require.Equal(t, "update    due 03:06:06, in 1m00s", last(now.Add(time.Minute)))
}

func TestShowSaysWhatWasRolledBack(t *testing.T) {
	t.Parallel()
	u := engine.UnitRecord{Unit: engine.Unit{Item: "step.a", Host: "web-1"}, Outcome: engine.Succeeded, Parts: []engine.ItemOutcome{
		{Part: engine.PartCommand, Outcome: engine.Succeeded}, {Part: engine.PartRollback, Outcome: engine.Succeeded},
	}}
	kept := engine.UnitRecord{Unit: engine.Unit{Item: "step.a", Host: "web-2"}, Outcome: engine.Succeeded, Parts: []engine.ItemOutcome{
		{Part: engine.PartRollback, Outcome: engine.Failed},
	}}
	require.Equal(t, "ROLLED BACK", unitNote(&u))
	require.Equal(t, "rollback FAILED", unitNote(&kept))
	require.Equal(t, "1 of 2 ROLLED BACK", itemNote(&engine.ItemRecord{Units: []engine.UnitRecord{u, kept}}))
}
