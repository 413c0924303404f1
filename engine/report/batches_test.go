package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// rolledOut is the record of a rollout that stopped in its second batch.
func rolledOut(t *testing.T) *engine.Record {
	t.Helper()
	start := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	plan := &engine.Plan{Runbook: "rolling", UpdateEveryS: 600, Phases: []engine.PlanPhase{{Name: "restart", Items: []runbooks.ItemID{"step.restart"}}}, Items: []engine.PlanItem{
		{ID: "step.restart", Kind: runbooks.Step, Phase: "restart", Effect: runbooks.Change, Hosts: []string{"w1", "w2", "w3"}},
	}}
	unit := func(host string, batch int) engine.Unit {
		return engine.Unit{Item: "step.restart", Batch: batch, Host: host}
	}
	events := []engine.Payload{
		&engine.RunOpened{Run: "r", Runbook: "rolling", Operator: "op"},
		&engine.RolloutStarted{Phase: "restart", Hosts: []string{"w1", "w2", "w3"}, Batches: []int{1, 1, 1}},
		&engine.BatchStarted{Phase: "restart", Batch: 1, Of: 3, Hosts: []string{"w1"}},
		&engine.ItemStarted{Item: "step.restart", Batch: 1, Hosts: []string{"w1"}},
		&engine.ItemOutcome{Unit: unit("w1", 1), Outcome: engine.Succeeded},
		&engine.ItemOutcome{Unit: unit("", 1), Outcome: engine.Succeeded},
		&engine.BatchEnded{Phase: "restart", Batch: 1, Hosts: engine.HostCount{Expected: 1, Reached: 1, Done: 1}},
		&engine.BatchStarted{Phase: "restart", Batch: 2, Of: 3, Hosts: []string{"w2"}},
		&engine.ItemStarted{Item: "step.restart", Batch: 2, Hosts: []string{"w2"}},
		&engine.ItemOutcome{Unit: unit("w2", 2), Outcome: engine.Failed, Reason: "exit code 1"},
		&engine.ItemOutcome{Unit: unit("", 2), Outcome: engine.Failed},
		&engine.BatchEnded{Phase: "restart", Batch: 2, Hosts: engine.HostCount{Expected: 1, Reached: 1}, Failed: []string{"w2"}, Stopped: "all | failed"},
	}
	f := engine.NewFolder(plan)
	for n, p := range events {
		require.NoError(t, f.Apply(engine.Event{Seq: uint64(n), Time: start.Add(time.Duration(n) * time.Second), Mono: time.Duration(n) * time.Second, Mode: engine.Live, Payload: p}))
	}
	return f.Record()
}

func TestReport_batches(t *testing.T) {
	t.Parallel()
	rec := rolledOut(t)
	r, err := Build(rec, Options{})
	require.NoError(t, err)
	require.Len(t, r.Batches, 3)
	require.Equal(t, Batch{Phase: "restart", Batch: 3, Of: 3, Hosts: []string{"w3"}, Expected: 1}, r.Batches[2])
	require.Equal(t, 2, r.Items[0].Units[1].Batch)
	var out bytes.Buffer
	require.NoError(t, r.Markdown(&out))
	require.Contains(t, out.String(), "### Rollouts")
	require.Contains(t, out.String(), `| restart 2 of 3 | `)
	require.Contains(t, out.String(), `| w2 | 1, 1, 0 | w2 | all \| failed |`)
	require.Contains(t, out.String(), `| restart 3 of 3 | not reached | w3 | 1, 0, 0 | – | – |`)
	out.Reset()
	require.NoError(t, r.HTML(&out))
	require.Contains(t, out.String(), "<h3>Rollouts</h3>")
	require.Contains(t, out.String(), `<th scope="row">restart 2 of 3</th>`)

	doc := NewRunDocument(rec, "/x")
	require.Equal(t, 2, doc.Items[1].Batch)
	require.Len(t, doc.Batches, 3)
	require.Equal(t, time.Date(2026, 11, 21, 2, 10, 0, 0, time.UTC), doc.UpdateDue)
}

func TestFew(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a, b", few([]string{"a", "b"}))
	require.Equal(t, "1 … 7 (7)", few([]string{"1", "2", "3", "4", "5", "6", "7"}))
	require.Equal(t, "call.web roll 1 of 1", batchRows([]Batch{{Call: "call.web", Phase: "roll", Batch: 1, Of: 1}})[0].Name)
}
