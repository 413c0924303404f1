package simulation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Each kind of finding: explain's wrong runbook has that hole and no other, and its right one has none.
func TestDocs_theHoleIsFoundAndGoneAfterTheRepair(t *testing.T) {
	t.Parallel()
	docs := map[string]diag.Doc{}
	for _, d := range simulation.Docs() {
		docs[d.Code] = d
	}
	about := map[string]string{
		simulation.CodeIrreversibleAfterFailure: "step.promote", simulation.CodeNoRollback: "step.freeze", simulation.CodeNotCleaned: "step.tidy",
		simulation.CodeUnsettled: "step.freeze", simulation.CodeGateOutOfReach: "gate.go", simulation.CodeUnnoticed: "check.ready",
	}
	require.Len(t, docs, len(about))
	for code, item := range about {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			d := docs[code]
			require.NotEmpty(t, d.Meaning)
			hole := exploreDoc(t, d.Wrong)
			require.Len(t, hole.Findings, 1, "%+v", hole.Findings)
			f := hole.Findings[0]
			require.Equal(t, code, f.Code)
			require.Equal(t, item, string(f.Item))
			require.Contains(t, f.Why, item)
			require.NotEmpty(t, f.Case.Story)
			require.Positive(t, hole.Found)
			require.Empty(t, exploreDoc(t, d.Right).Findings)
		})
	}
}

func exploreDoc(t *testing.T, runbook string) *simulation.Exploration {
	t.Helper()
	p := project(t, string(diag.NewExample(runbook).Files["project.hcl"]), "")
	x, err := simulation.Explore(t.Context(), p, p.Runbook("example"), simulation.Options{})
	require.NoError(t, err)
	require.Greater(t, len(x.Cases), 3)
	return x
}
