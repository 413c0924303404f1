package simulation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks/catalog"
	"github.com/continuo-runbooks/continuo/runbooks/lint"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// What `init` writes is sound as it stands: no warning, its tests pass, and nothing is found when all of it goes wrong.
func TestTemplates(t *testing.T) {
	t.Parallel()
	for _, name := range catalog.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := catalog.Files(name)
			require.NoError(t, err)
			p, ds, err := loader.LoadFS(files, "/project", loader.Options{})
			require.NoError(t, err)
			require.Empty(t, ds)
			require.Empty(t, lint.Project(p, lint.Options{}))
			passed := 0
			for _, test := range p.Tests {
				for _, r := range simulation.Table(p, test) {
					require.Empty(t, r.Failures, r.Name)
					passed++
				}
			}
			require.GreaterOrEqual(t, passed, 2, "one for the good day, one for a bad one")
			for _, rb := range p.Runbooks {
				x, err := simulation.Explore(t.Context(), p, rb, simulation.Options{})
				require.NoError(t, err)
				require.Empty(t, x.Findings)
				require.NotEmpty(t, x.Baseline, "a test of the good day")
			}
		})
	}
}
