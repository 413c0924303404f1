package planner_test

import (
	"os"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// planned loads and plans a whole project.
func planned(t *testing.T, src string) diag.List {
	t.Helper()
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: diag.NewExample(src).Files["project.hcl"]}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err(), src)
	_, ds = planner.Plan(input(t, p, nil))
	return ds
}

func TestDocs_examples(t *testing.T) {
	t.Parallel()
	for _, d := range planner.Docs() {
		t.Run(d.Code, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, planned(t, d.Right))
			ds := planned(t, d.Wrong)
			require.NotEmpty(t, ds)
			require.Equal(t, d.Code, ds[0].Code)
		})
	}
}

// Every code that the package gives is explained.
func TestDocs_complete(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{}
	for _, d := range planner.Docs() {
		explained[d.Code] = true
	}
	used := map[string]bool{}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, f := range files {
		if f.Name() == "docs.go" || f.IsDir() {
			continue
		}
		b, err := os.ReadFile(f.Name())
		require.NoError(t, err)
		for _, code := range regexp.MustCompile(`CON-B\d{3}`).FindAllString(string(b), -1) {
			used[code] = true
		}
	}
	require.Equal(t, explained, used)
}
