package expr_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	fsys := fstest.MapFS{"project.hcl": &fstest.MapFile{Data: diag.NewExample(src).Files["project.hcl"]}}
	_, ds, err := loader.LoadFS(fsys, "/project", loader.Options{})
	require.NoError(t, err)
	return ds
}

// Each code is explained by examples that are what they say. What validate does not give is shown by the command that the
// example names, which the tests of the command line execute.
func TestDocs(t *testing.T) {
	t.Parallel()
	for _, doc := range append(expr.Docs(), scope.Docs()...) {
		t.Run(doc.Code, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, load(t, doc.Right), "the right example")
			wrong := diag.NewExample(doc.Wrong)
			if wrong.Printed != "" {
				return // TestDefect
			}
			ds := load(t, doc.Wrong)
			if wrong.Command != "continuo validate" {
				require.Empty(t, ds)
				return
			}
			require.NotEmpty(t, ds, "the wrong example")
			for _, d := range ds {
				require.Equal(t, doc.Code, d.Code, "the wrong example shows one mistake: %v", d)
			}
		})
	}
}

// broken is a name whose evaluation breaks down.
type broken struct{}

func (broken) Serves(root string) bool { return root == "result" }
func (broken) Names(string) []string   { return nil }
func (broken) Resolve(string, string) (expr.Value, diag.List) {
	panic("beyond what its authors thought of")
}

// A defect is an error of one expression, and looks as its explanation says.
func TestDefect(t *testing.T) {
	t.Parallel()
	docs := expr.Docs()
	doc := docs[slices.IndexFunc(docs, func(d diag.Doc) bool { return d.Code == expr.CodeDefect })]
	fsys := fstest.MapFS{"project.hcl": &fstest.MapFile{Data: []byte(doc.Right)}}
	p, _, err := loader.LoadFS(fsys, "/project", loader.Options{})
	require.NoError(t, err)
	v, ds := p.Runbooks[0].Phases[0].Items[0].Expects[0].Condition.Eval(expr.NewScope(nil).WithResolver(broken{}))
	require.True(t, v.Absent())
	require.Len(t, ds, 1)
	ds[0].Context = `runbook "recover"`
	var b strings.Builder
	require.NoError(t, diag.Text{Source: func(string) []byte { return []byte(doc.Right) }}.Write(&b, ds))
	require.Equal(t, diag.NewExample(doc.Wrong).Printed, b.String())
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
