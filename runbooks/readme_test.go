package runbooks_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/format"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// snippets are the examples of README.md: `hcl` is a project, `hcl phase` the items of a phase, `hcl test` a test file for
// the runbook of the page, `hcl wrong CODE` a project that gives that code and no other.
var snippets = regexp.MustCompile("(?s)```hcl ?([^\n]*)\n(.*?)```\n")

const inventory = "host \"db-b1\" { address = \"10.2.0.11\" }\nhost \"db-b2\" { address = \"10.2.0.12\" }\n"

func TestREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	found := snippets.FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(found), 10)
	var runbook string
	for _, m := range found {
		if strings.Contains(m[2], `runbook "payments-failover"`) && m[1] == "" {
			runbook = m[2]
		}
	}
	for _, m := range found {
		kind, src := m[1], m[2]
		first, _, _ := strings.Cut(src, "\n")
		t.Run(kind+" "+first, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{"project.hcl": {Data: []byte(src)}}
			name := "project.hcl"
			switch kind {
			case "phase":
				files["project.hcl"] = &fstest.MapFile{Data: []byte(inventory + "runbook \"r\" {\n  phase \"p\" {\n    hosts = host.db-b1\n" + src + "  }\n}\n")}
			case "test":
				name = "x.test.hcl"
				files = fstest.MapFS{"project.hcl": {Data: []byte(runbook)}, name: {Data: []byte(src)}}
			}
			_, ds, err := loader.LoadFS(files, "/p", loader.Options{})
			require.NoError(t, err)
			if code, ok := strings.CutPrefix(kind, "wrong "); ok {
				require.Len(t, ds, 1)
				require.Equal(t, code, ds[0].Code)
				return
			}
			require.Empty(t, ds)
			formatted, _, err := format.Source(name, []byte(src))
			require.NoError(t, err)
			require.Equal(t, src, string(formatted), "in canonical form")
		})
	}
}

// The reference names every block and every item attribute that the language has.
func TestREADME_complete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var walk func(b *loader.Block)
	walk = func(b *loader.Block) {
		for _, c := range b.Blocks {
			require.True(t, regexp.MustCompile(`\b`+c.Type+`\b`).Match(text), "the page says nothing of the block %s", c.Type)
			walk(c)
		}
	}
	walk(loader.ProjectSchema())
	walk(loader.TestSchema())
}
