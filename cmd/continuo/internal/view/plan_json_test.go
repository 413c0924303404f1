package view

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestPlanDocument(t *testing.T) {
	t.Parallel()
	p := &engine.Plan{Schema: "continuo/plan/v1", Runbook: "move"}
	fields := func(o PlanOutlook) map[string]any {
		b, err := json.Marshal(NewPlanDocument(p, o))
		require.NoError(t, err)
		var out map[string]any
		require.NoError(t, json.Unmarshal(b, &out))
		require.Equal(t, "continuo/plan/v1", out["schema"], "the plan's own fields stay where they were")
		return out
	}
	require.NotContains(t, fields(PlanOutlook{}), "forecast")
	require.Equal(t, map[string]any{"runs": 2.0}, fields(PlanOutlook{Runs: 2})["forecast"], "an item was never done")
	require.Equal(t, map[string]any{
		"runs": 3.0, "takes_s": 90.5, "critical_path": []any{"step.a"}, "items_s": map[string]any{"step.a": 90.5},
	}, fields(PlanOutlook{
		Runs: 3, Known: true, Takes: 90500 * time.Millisecond, Path: []runbooks.ItemID{"step.a"},
		Items: map[runbooks.ItemID]time.Duration{"step.a": 90500 * time.Millisecond},
	})["forecast"])
}
