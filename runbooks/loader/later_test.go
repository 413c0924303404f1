package loader

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of this test names one feature of each form; that of the program shrinks as the engine grows.
func TestRefuseLater(t *testing.T) {
	t.Parallel()
	const src = `
secret "typed" { prompt = true }
fleet "web" {
  for_each = ["a"]
  name     = each.value
  address  = each.value
}
role "dba" { members = ["alice@example.org"] }
runbook "r" {
  phase "p" {
    gate "go" {
      question = "?"
      role     = role.dba
    }
    step "s" {
      hosts      = control
      for_each   = ["x"]
      argv       = ["true"]
      on_failure = "rollback"
    }
    step "t" {
      hosts      = control
      argv       = ["true"]
      on_failure = "stop"
    }
  }
}
`
	table := map[string]string{
		"gate": "no gates", "*.for_each": "no loops", "secret.prompt": "no prompts", "*.on_failure=rollback": "no rollbacks",
	}
	l := &loader{
		opts: Options{Limits: DefaultLimits(), AllowLater: true}, parsed: map[string][]byte{"a.hcl": []byte(src)},
		root: &node{schema: ProjectSchema()},
	}
	body, ok := l.parse("a.hcl", []byte(src))
	require.True(t, ok)
	l.decode(body, l.root, false)
	require.Empty(t, l.diags)
	l.refuseLater(l.root, table)
	var got []string
	for _, d := range l.diags.Sorted() {
		require.Equal(t, "CON-L001", d.Code)
		require.NotEmpty(t, d.Hint)
		got = append(got, d.Summary)
	}
	require.Equal(t, []string{"no prompts", "no gates", "no loops", "no rollbacks"}, got, "each once, at its place; a fleet's for_each is another")
}

// Every entry names something that the language has.
func TestLater_names(t *testing.T) {
	t.Parallel()
	blocks, attrs := map[string]bool{}, map[string]bool{}
	var walk func(b *Block)
	walk = func(b *Block) {
		blocks[b.Type] = true
		for _, a := range b.Attrs {
			attrs[b.Type+"."+a.Name], attrs["*."+a.Name] = true, true
			for _, w := range a.Words {
				attrs["*."+a.Name+"="+w] = true
			}
		}
		for _, c := range b.Blocks {
			walk(c)
		}
	}
	walk(ProjectSchema())
	for key, why := range later() {
		typ := key
		if parent, inner, ok := strings.Cut(key, "/"); ok {
			require.True(t, blocks[parent], key)
			typ = inner
		}
		require.True(t, blocks[typ] || attrs[typ], key)
		require.NotEmpty(t, why)
	}
}
