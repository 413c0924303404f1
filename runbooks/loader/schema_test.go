package loader_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// Every block and attribute says what it is, in one sentence.
func TestSchema_documented(t *testing.T) {
	t.Parallel()
	count := 0
	var walk func(path string, b *loader.Block)
	walk = func(path string, b *loader.Block) {
		path += "/" + b.Type
		require.NotEmpty(t, b.Doc, path)
		names := map[string]bool{}
		for _, a := range b.Attrs {
			require.NotEmpty(t, a.Doc, "%s.%s", path, a.Name)
			require.NotEmpty(t, a.Kind, "%s.%s", path, a.Name)
			require.False(t, names[a.Name], "%s.%s twice", path, a.Name)
			names[a.Name] = true
			if a.Kind == loader.KindRef || a.Kind == loader.KindRefs {
				require.NotEmpty(t, a.Roots, "%s.%s", path, a.Name)
			}
			if a.Kind == loader.KindWords {
				require.NotEmpty(t, a.Words, "%s.%s", path, a.Name)
			}
			count++
		}
		for _, c := range b.Blocks {
			require.False(t, names[c.Type] && b.Type != "manual", "%s: %s is attribute and block", path, c.Type)
			walk(path, c)
		}
	}
	walk("", loader.ProjectSchema())
	walk("", loader.TestSchema())
	require.Greater(t, count, 300)
}

func TestNewSchemaDocument(t *testing.T) {
	t.Parallel()
	doc := loader.NewSchemaDocument(expr.RootNames(), expr.FunctionNames())
	out, err := json.Marshal(doc)
	require.NoError(t, err)
	var back loader.SchemaDocument
	require.NoError(t, json.Unmarshal(out, &back))
	require.Equal(t, loader.SchemaID, back.Schema)
	find := func(blocks []loader.BlockDocument, typ string) loader.BlockDocument {
		for _, b := range blocks {
			if b.Type == typ {
				return b
			}
		}
		t.Fatalf("no block %s", typ)
		return loader.BlockDocument{}
	}
	host := find(back.Files, "host")
	require.Equal(t, "host name", host.Label)
	require.Equal(t, "address", host.Attributes[0].Name)
	require.True(t, host.Attributes[0].Required)
	require.True(t, host.Attributes[0].Constant)
	step := find(find(find(back.Files, "runbook").Blocks, "phase").Blocks, "step")
	find(step.Blocks, "verify")
	for _, a := range step.Attributes {
		if a.Name == "argv" {
			require.False(t, a.Constant)
		}
		if a.Name == "on_failure" {
			require.Equal(t, []string{"ask", "stop", "continue", "rollback"}, a.Values)
		}
	}
	require.Equal(t, "test", back.TestFiles[0].Type)
	require.Contains(t, back.References, "check")
	require.Contains(t, back.Codes, "CON-R012")
}
