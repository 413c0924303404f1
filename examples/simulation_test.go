package examples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every example's own tests pass, and all of their coverage is said.
func TestExamples_ownTests(t *testing.T) {
	t.Parallel()
	for _, example := range exampleProjects(t) {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			p := copyExample(t, example, t.TempDir())
			var tests struct {
				Passed, Failed int
				Tests          []struct{ Runbook string }
				Coverage       []struct {
					Runbook string
					Percent int
				}
			}
			require.NoError(t, json.Unmarshal([]byte(p.continuo(0, "test", "--json")), &tests))
			require.Zero(t, tests.Failed)
			require.GreaterOrEqual(t, tests.Passed, 2)
			require.NotEmpty(t, tests.Coverage)
			for _, c := range tests.Coverage {
				require.Greater(t, c.Percent, 50, c.Runbook)
			}
		})
	}
}

// exampleProjects are the directories of projects below this one.
func exampleProjects(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*/*.hcl", "procedures/*/*.hcl"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, f := range found {
			if dir := filepath.ToSlash(filepath.Dir(f)); !slices.Contains(out, dir) {
				out = append(out, dir)
			}
		}
	}
	require.GreaterOrEqual(t, len(out), 10)
	return out
}

// Nothing is found when everything in these examples is made to go wrong, one thing after another, the death of continuo
// itself included.
func TestExamples_explore(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"quickstart failover", "quickstart failback", "postgres-failover failover", "postgres-failover failback"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			example, runbook, _ := strings.Cut(name, " ")
			p := copyExample(t, example, t.TempDir())
			var explored struct {
				Cases, Safe, Held int
				Findings          []struct{ Code, Item, Why string }
				Matrix            []struct{ Kind string }
			}
			require.NoError(t, json.Unmarshal([]byte(p.continuo(0, "test", runbook, "--explore", "--json")), &explored))
			require.Empty(t, explored.Findings)
			require.GreaterOrEqual(t, explored.Cases, 200)
			require.Equal(t, explored.Cases, explored.Safe+explored.Held)
		})
	}
}

// An exploration is filed as evidence that verify accepts, and that says of itself that it is no drill.
func TestExamples_exploreIsEvidence(t *testing.T) {
	t.Parallel()
	p := copyExample(t, "quickstart", t.TempDir())
	out := p.continuo(0, "test", "failover", "--explore", "--file")
	require.Contains(t, out, "0 in 0 findings")
	bundles, err := filepath.Glob(filepath.Join(p.dir, ".continuo", "runs", "*"))
	require.NoError(t, err)
	require.Len(t, bundles, 1)
	require.Contains(t, p.continuo(0, "verify", bundles[0]), "SIMULATED")
	require.Contains(t, p.continuo(0, "runs"), "SIMULATED")
	journal, err := os.ReadFile(filepath.Join(bundles[0], "journal.jsonl"))
	require.NoError(t, err)
	require.NotContains(t, string(journal), `"mode":"live"`)
	require.Contains(t, string(journal), `"exercise":"simulation"`)
	report, err := os.ReadFile(filepath.Join(bundles[0], "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(report), "This is no drill")
	require.NotContains(t, string(report), "<script")
	require.NotContains(t, strings.ToLower(string(report)), "passed")
	p.continuo(2, "report", "@latest", "--format", "junit")
	require.Contains(t, p.continuo(0, "report", "@latest", "--format", "md"), "No host was contacted")

	require.NoError(t, os.WriteFile(filepath.Join(bundles[0], "report.html"), append(report, ' '), 0o600))
	p.continuo(6, "verify", bundles[0])
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
	require.Contains(t, out, "5 passed, 1 failed")
}
