package examples

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The examples' own tests pass, and nothing is found when everything in them is made to go wrong.
func TestExamples_ownTestsAndExplore(t *testing.T) {
	t.Parallel()
	for name, leastCases := range map[string]int{"quickstart failover": 130, "postgres-failover failover": 130, "postgres-failover failback": 130} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			example, runbook, _ := strings.Cut(name, " ")
			p := copyExample(t, example, t.TempDir())
			var tests struct{ Passed, Failed int }
			require.NoError(t, json.Unmarshal([]byte(p.continuo(0, "test", "--json")), &tests))
			require.Zero(t, tests.Failed)
			require.GreaterOrEqual(t, tests.Passed, 2)

			var explored struct {
				Cases, Safe, Held int
				Findings          []struct{ Code, Item, Why string }
			}
			require.NoError(t, json.Unmarshal([]byte(p.continuo(0, "test", runbook, "--explore", "--json")), &explored))
			require.Empty(t, explored.Findings)
			require.GreaterOrEqual(t, explored.Cases, leastCases)
			require.Equal(t, explored.Cases, explored.Safe+explored.Held)
		})
	}
}

// A hole is found, with its code, and the command says so by its exit code.
func TestExamples_exploreFindsAHole(t *testing.T) {
	t.Parallel()
	p := copyExample(t, "quickstart", t.TempDir())
	p.replace("failover.hcl", `      rollback \{ argv = \["orders/orders", "thaw"\] \}\n`, "")
	out := p.continuo(1, "test", "failover", "--explore")
	require.Contains(t, out, "finding[CON-F002]: step.freeze was done")
	require.Contains(t, out, "continuo explain CON-F002")
	require.Contains(t, p.continuo(0, "explain", "CON-F002"), "rollback { argv")
}

// A wrong expectation fails with its place and the values.
func TestExamples_aWrongExpectationFails(t *testing.T) {
	t.Parallel()
	p := copyExample(t, "quickstart", t.TempDir())
	p.replace("failover.test.hcl", `run.verdict == "passed"`, `run.verdict == "failed"`)
	out := p.continuo(1, "test")
	require.Regexp(t, `failover\.test\.hcl:\d+:\d+: does not hold: run\.verdict == "failed"`, out)
	require.Contains(t, out, "run.verdict = passed")
	require.Contains(t, out, "1 passed, 1 failed")
}
