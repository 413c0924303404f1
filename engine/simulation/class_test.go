package simulation_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
)

// fleetOf rolls over five batches; the elements of drain are what forEach says.
func fleetOf(forEach string) string {
	return `
project "p" { environment = "lab" }
host "lb" { address = "10.0.0.1" }
fleet "web" {
  for_each = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
  name     = "w${each.value}"
  address  = "10.0.1.${each.value}"
}
runbook "roll" {
  phase "roll" {
    hosts = group.web
    rollout { batch = 2 }
    step "drain" {
      hosts      = host.lb
      for_each   = ` + forEach + `
      argv       = ["drain"]
      idempotent = true
      rollback { argv = ["undrain"] }
    }
    step "restart" {
      argv       = ["restart"]
      idempotent = true
      rollback { argv = ["restart", "old"] }
    }
  }
}
`
}

// crashesOf are the crashes of an item that were explored, by their words.
func crashesOf(t *testing.T, x *simulation.Exploration, item, words string) (batches []string, cases int) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range x.Cases {
		if c.Kind != simulation.FaultCrash || string(c.Item) != item || !strings.HasPrefix(c.Fault, words) {
			continue
		}
		cases++
		_, batch, _ := strings.Cut(c.Fault, ", ")
		seen[batch] = true
	}
	return slices.Sorted(maps.Keys(seen)), cases
}

// Hosts, elements that are hosts, and batches in the middle count once when they are alike; elements that are anything
// else count each. What is left out is said.
func TestExplore_whatIsAlikeIsExploredOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		forEach string
		cases   int
	}{
		"elements that are hosts":               {"batch", 3},
		"elements that only have hosts' names":  {`[for n in ["w1", "w2"] : n]`, 6},
		"hosts of the inventory, by a function": {`[for h in inventory : h if contains(["w1", "w2"], h.name)]`, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := project(t, fleetOf(tt.forEach), "")
			x, err := simulation.Explore(t.Context(), p, p.Runbook("roll"), simulation.Options{})
			require.NoError(t, err)
			batches, cases := crashesOf(t, x, "step.drain", "crash before the launch")
			require.Equal(t, []string{"batch 1", "batch 2", "batch 5"}, batches)
			require.Equal(t, tt.cases, cases)
			_, cases = crashesOf(t, x, "step.restart", "crash, result lost")
			require.Equal(t, 3, cases)
			require.Contains(t, x.Skipped, "a crash in a batch between the second and the last: as in the second")
			for _, c := range x.Cases {
				if c.Item == "step.restart" && c.Host != "" {
					require.Equal(t, 10, c.Alike, c.Fault)
				}
			}
		})
	}
}
