package view

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestFlow(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		width      int
		text, want string
	}{
		"fits":            {20, "  a b c\n", "  a b c\n"},
		"breaks":          {10, "  one two three\n", "  one two\n    three\n"},
		"each line":       {10, "one two three\nfour five six\n", "one two\n  three\nfour five\n  six\n"},
		"a path is whole": {12, "  at: /a/long/path/to/it (sealed)\n", "  at:\n    /a/long/path/to/it\n    (sealed)\n"},
		"wide characters": {8, "日本 東京 京都\n", "日本\n  東京\n  京都\n"},
		"colour":          {9, "  \x1b[31mred\x1b[0m green\n", "  \x1b[31mred\x1b[0m\n    green\n"},
	} {
		got := flow(tc.text, tc.width)
		require.Equal(t, tc.want, got, name)
		require.Equal(t, strings.Fields(tc.text), strings.Fields(got), "%s: nothing is lost", name)
	}
}

func TestGatheredUnits(t *testing.T) {
	t.Parallel()
	n := nightPlan()
	require.Equal(t, []string{"step.start on web-01, web-02, web-03, web-04 and 26 more", "gate.promote"},
		gathered(append(unitsOn("step.start", n.Items[4].Hosts), unitsOn("gate.promote", nil)...)))
}

func unitsOn(item runbooks.ItemID, hosts []string) []engine.Unit {
	if hosts == nil {
		return []engine.Unit{{Item: item}}
	}
	var out []engine.Unit
	for _, h := range slices.Backward(hosts) {
		out = append(out, engine.Unit{Item: item, Host: h})
	}
	return out
}

// TestBoardLeavesOutWhatMattersLeast: where there is not even a row for each, the clock and who is waited for stay.
func TestBoardLeavesOutWhatMattersLeast(t *testing.T) {
	t.Parallel()
	n := nightPlan()
	n.UpdateEveryS = 600
	b, now := board(n, &engine.RunOpened{Run: "r1"}, &engine.MarkSet{Mark: "declared", At: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)},
		&engine.ItemStarted{Item: "step.stop-writers", Hosts: n.Items[0].Hosts},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "step.stop-writers", Host: "web-01"}, Outcome: engine.Failed, Reason: "no"},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "step.stop-writers"}, Outcome: engine.Failed})
	b.asks = []string{"step.stop-writers"}
	labels := func(room int) (out []string) {
		for _, r := range texts(b.Rows(now, 40, room, time.UTC)) {
			out = append(out, strings.Fields(r)[0])
		}
		return out
	}
	require.Equal(t, []string{"LIVE", "clock", "phase", "running", "FAILED", "waits", "next", "update"}, labels(8))
	require.Equal(t, []string{"LIVE", "clock", "phase", "running", "FAILED", "waits", "next"}, labels(7))
	require.Equal(t, []string{"LIVE", "clock", "phase", "FAILED", "waits", "next"}, labels(6))
	require.Equal(t, []string{"LIVE", "clock", "FAILED", "waits"}, labels(4))
	require.Equal(t, []string{"LIVE", "clock", "waits"}, labels(3))
}

// TestBoardShowsTheWayBack: while a rollback goes on, what runs is the way back.
func TestBoardShowsTheWayBack(t *testing.T) {
	t.Parallel()
	n := nightPlan()
	u := engine.Unit{Item: "step.stop-writers", Host: "web-07"}
	b, now := board(n, &engine.RunOpened{Run: "r1"}, &engine.ItemStarted{Item: u.Item, Hosts: n.Items[0].Hosts},
		&engine.ItemOutcome{Unit: engine.Unit{Item: u.Item}, Outcome: engine.Failed},
		&engine.RollbackStarted{Units: 2}, &engine.ItemIntent{Unit: u, Part: engine.PartRollback, Attempt: 1})
	require.Contains(t, texts(b.Rows(now, 80, 20, time.UTC)), "running   the way back of step.stop-writers on web-07")
	b.Event(engine.Event{Time: now, Payload: &engine.ItemOutcome{Unit: u, Part: engine.PartRollback, Outcome: engine.Succeeded}})
	require.Contains(t, texts(b.Rows(now, 80, 20, time.UTC)), "running   nothing now")
}

// TestDeskGoesBackToTheChoice: an empty reason chooses again.
func TestDeskGoesBackToTheChoice(t *testing.T) {
	t.Parallel()
	d, _ := desk("b", "", "r", "it was the disk")
	a, err := d.Failed(t.Context(), engine.FailureQuestion{Item: "step.x", Options: []string{engine.ActionRetry, engine.ActionRollback}})
	require.NoError(t, err)
	require.Equal(t, engine.FailureAnswer{Action: engine.ActionRetry, By: "op@here", Reason: "it was the disk"}, a)

	d, _ = desk("1", "", "2", "later")
	c, err := d.Decide(t.Context(), engine.DecisionQuestion{Item: "decision.way", Options: []string{"now", "not-now"}})
	require.NoError(t, err)
	require.Equal(t, engine.DecisionAnswer{Choice: "not-now", By: "op@here", Reason: "later"}, c)
}
