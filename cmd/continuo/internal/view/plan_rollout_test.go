package view

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

func rollingPlan() *engine.Plan {
	p := failover()
	p.UpdateEveryS = 1800
	p.Phases[1].Rollout = &engine.PlanRollout{
		Hosts: []string{"w1", "w2", "w3"}, Batches: []int{1, 2}, Sizes: []string{"1", "2"}, PauseS: 30, MaxFailures: []string{"0", "5%"},
	}
	p.Items[1].Rollout = &engine.PlanRollout{Phase: true, Batches: []int{1, 2}}
	return p
}

func TestPlanRollout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		print func(*Screen, *engine.Plan)
		want  []string
	}{
		"text": {(*Screen).PlanText, []string{
			"phase act; rolls out over 3 hosts in 2 batches: 1, 2; pause 30.0 s; stops when more than 0, 5% failed\n",
			"progress update promised every 30m00s\n",
		}},
		"mermaid":  {(*Screen).PlanMermaid, []string{`subgraph phase1["act: rolls out over 3 hosts in 2 batches: 1, 2;`}},
		"dot":      {(*Screen).PlanDot, []string{`label="act\nrolls out over 3 hosts in 2 batches: 1, 2;`}},
		"markdown": {(*Screen).PlanMarkdown, []string{"Everything below is done for one batch, then for the next", "| 1 | w1 | | | |\n| 2 | w2, w3 | | | |\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, out := screen()
			tt.print(s, rollingPlan())
			for _, want := range tt.want {
				require.Contains(t, out.String(), want)
			}
		})
	}
}

func TestItemRollout(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]*engine.PlanRollout{
		"": {Phase: true, Batches: []int{1, 2}},
		"in 2 batches: 1, 2; 4 at once; stops when any fails":                 {Batches: []int{1, 2}, Parallel: 4},
		"in batches of 1, 25%; stops when any fails":                          {Sizes: []string{"1", "25%"}},
		"in batches of 1; stops when any fails of each batch":                 {Phase: true, Sizes: []string{"1"}},
		"in 6 batches: 2, 10, 3 × 50, 38; stops when more than 1, 10% failed": {Batches: []int{2, 10, 50, 50, 50, 38}, MaxFailures: []string{"1", "10%"}},
	} {
		require.Equal(t, want, itemRollout(r))
	}
	require.Empty(t, itemRollout(nil))
	require.Equal(t, "rolls out over hosts that the run will know in batches of 1; stops when any fails", phaseRollout(&engine.PlanRollout{Sizes: []string{"1"}}))
	require.Equal(t, "1 batch", countBatches(1))
}
