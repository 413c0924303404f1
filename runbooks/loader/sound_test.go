package loader_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// TestLoad_sameHostsWrittenAgain: hosts that are wrong are reported in every place where they stand; that the same words
// were right before, or elsewhere mean something else, hides nothing.
func TestLoad_sameHostsWrittenAgain(t *testing.T) {
	t.Parallel()
	src := `
project "p" { environment = "lab" }
host "a" { address = "10.0.0.1" }
group "all" { hosts = [host.a] }
runbook "r" {
  phase "p" {
    check "right" {
      hosts = [group.all]
      argv  = ["true"]
    }
    check "right-again" {
      hosts = [group.all]
      argv  = ["true"]
    }
    check "wrong" {
      hosts = [group.all, "a"]
      argv  = ["true"]
    }
    check "wrong-again" {
      hosts = [group.all, "a"]
      argv  = ["true"]
    }
    check "element" {
      for_each = { x = host.a }
      hosts    = [each.value]
      argv     = ["true"]
    }
    check "no-element" {
      for_each = { x = "a" }
      hosts    = [each.value]
      argv     = ["true"]
    }
  }
}
`
	_, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": {Data: []byte(src)}}, "/p", loader.Options{})
	require.NoError(t, err)
	var lines []int
	for _, d := range ds {
		require.Equal(t, "CON-T003", d.Code, d)
		lines = append(lines, d.Range.Start.Line)
	}
	before, _, _ := strings.Cut(src, `"wrong"`)
	wrong := strings.Count(before, "\n") + 2
	require.Contains(t, lines, wrong)
	require.Contains(t, lines, wrong+4)
	require.Len(t, lines, 2, ds)
}
