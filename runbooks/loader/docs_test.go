package loader_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// project is a file system with the files of an example: txtar, or one project.hcl.
func project(src string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range diag.NewExample(src).Files {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

func load(t *testing.T, src string, opts loader.Options) (*runbooks.Project, diag.List) {
	t.Helper()
	p, ds, err := loader.LoadFS(project(src), "/project", opts)
	require.NoError(t, err)
	require.Equal(t, ds.HasErrors(), p == nil)
	return p, ds
}

func codes(ds diag.List) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Code)
	}
	return out
}

func TestDocs_examples(t *testing.T) {
	t.Parallel()
	for _, doc := range loader.Docs() {
		t.Run(doc.Code, func(t *testing.T) {
			t.Parallel()
			opts := loader.Options{}
			require.NotEmpty(t, doc.Title)
			require.NotEmpty(t, doc.Meaning)
			_, ds := load(t, doc.Right, opts)
			require.Empty(t, ds, "the right example")
			if strings.HasPrefix(doc.Code, "CON-V") {
				return // TestDocs_variables
			}
			_, ds = load(t, doc.Wrong, opts)
			require.Contains(t, codes(ds), doc.Code, "the wrong example")
			if doc.Code == "CON-G010" {
				return // what it stands beside
			}
			require.Len(t, slices.Compact(codes(ds)), 1, "the wrong example shows one mistake: %v", ds)
		})
	}
}

func TestDocs_variables(t *testing.T) {
	t.Parallel()
	given := map[string][]loader.Given{
		"CON-V001": {{Name: "lag", Text: "3"}, {Name: "log", Text: "3"}},
		"CON-V002": {{Name: "lag", Text: "ten"}},
	}
	for _, doc := range loader.Docs() {
		if !strings.HasPrefix(doc.Code, "CON-V") {
			continue
		}
		p, _ := load(t, doc.Wrong, loader.Options{})
		_, ds := loader.Values(p, p.Runbooks[0], given[doc.Code])
		require.Equal(t, []string{doc.Code}, codes(ds), "%v", ds)
		values, ds := loader.Values(p, p.Runbooks[0], []loader.Given{{Name: "lag", Text: "3"}})
		require.Empty(t, ds)
		require.Equal(t, "3", values["lag"].String())
	}
}

// Every code in the source has a Doc, and every Doc a use.
func TestDocs_complete(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasPrefix(name, "docs") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, c := range regexp.MustCompile(`CON-[A-Z][0-9]{3}`).FindAllString(string(src), -1) {
			used[c] = true
		}
	}
	documented := map[string]bool{}
	for _, d := range loader.Docs() {
		require.False(t, documented[d.Code], "%s is explained twice", d.Code)
		documented[d.Code] = true
		require.True(t, used[d.Code], "%s is explained and never given", d.Code)
	}
	for c := range used {
		require.True(t, documented[c], "%s is not explained", c)
	}
}
