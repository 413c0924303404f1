package loader_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// The nearest word counts, as for every setting of a connection.
func TestDurability(t *testing.T) {
	t.Parallel()
	p := valid(t, `
project "p" {
  connection { durability = "strict" }
}
host "a" { address = "a" }
host "b" {
  address = "b"
  connection { durability = "normal" }
}
`)
	require.Equal(t, runbooks.StrictDurability, p.Host("a").Connection.Durability)
	require.Equal(t, runbooks.NormalDurability, p.Host("b").Connection.Durability)
	require.Empty(t, valid(t, "host \"a\" {\n  address = \"a\"\n}\n").Host("a").Connection.Durability)
	_, diags := load(t, "host \"a\" {\n  address = \"a\"\n  connection { durability = \"sync\" }\n}\n", loader.Options{})
	require.True(t, diags.HasErrors())
	require.Contains(t, diags[0].Summary, "sync")
}
