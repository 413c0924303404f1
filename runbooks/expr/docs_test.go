package expr_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

func load(t *testing.T, src string) diag.List {
	t.Helper()
	fsys := fstest.MapFS{"project.hcl": &fstest.MapFile{Data: []byte(src)}}
	_, ds, err := loader.LoadFS(fsys, "/project", loader.Options{})
	require.NoError(t, err)
	return ds
}

// Each code is explained by examples that are what they say. Those without a wrong one are found in a run only, or where
// no file of a project is read.
func TestDocs(t *testing.T) {
	t.Parallel()
	for _, doc := range append(expr.Docs(), scope.Docs()...) {
		t.Run(doc.Code, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, load(t, doc.Right), "the right example")
			if doc.Wrong == "" {
				return
			}
			ds := load(t, doc.Wrong)
			require.NotEmpty(t, ds, "the wrong example")
			for _, d := range ds {
				require.Equal(t, doc.Code, d.Code, "the wrong example shows one mistake: %v", d)
			}
		})
	}
}

func TestDocsAreComplete(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, d := range append(expr.Docs(), scope.Docs()...) {
		documented[d.Code] = true
	}
	_, err := diag.NewTable(expr.Docs(), scope.Docs(), loader.Docs())
	require.NoError(t, err)
	for _, pattern := range []string{"*.go", "../scope/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, code := range regexp.MustCompile(`CON-E[0-9]{3}`).FindAllString(string(src), -1) {
				require.True(t, documented[code], "%s in %s is not explained", code, name)
			}
		}
	}
}
