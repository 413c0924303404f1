package loader_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// phaseOf makes a phase of waits from lines "name", "name: after…" (none for []), "lane NAME {" and "}".
func phaseOf(lines string) string {
	var b strings.Builder
	b.WriteString("runbook \"r\" {\n  phase \"p\" {\n")
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		name, after, given := strings.Cut(line, ":")
		switch {
		case line == "":
		case line == "}":
			b.WriteString("}\n")
		case strings.HasPrefix(line, "lane "):
			fmt.Fprintf(&b, "lane %q {\n", strings.Fields(line)[1])
		default:
			fmt.Fprintf(&b, "wait %q {\n duration = \"1s\"\n", name)
			if given {
				var refs []string
				for _, a := range strings.Fields(after) {
					refs = append(refs, "wait."+a)
				}
				fmt.Fprintf(&b, " after = [%s]\n", strings.Join(refs, ", "))
			}
			b.WriteString("}\n")
		}
	}
	b.WriteString("}\n}\n")
	return b.String()
}

func after(t *testing.T, rb *runbooks.Runbook) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, i := range rb.AllItems() {
		var names []string
		for _, id := range i.After {
			names = append(names, strings.TrimPrefix(string(id), "wait."))
		}
		out[i.Name] = strings.Join(names, " ")
	}
	return out
}

func TestOrder_after(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		phase string
		want  map[string]string
	}{
		"in order of writing": {"a\nb\nc", map[string]string{"a": "", "b": "a", "c": "b"}},
		"with the phase":      {"a\nb:\nc", map[string]string{"a": "", "b": "", "c": "a b"}},
		"replaced":            {"a\nb\nc: a\nd", map[string]string{"a": "", "b": "a", "c": "a", "d": "b c"}},
		"all at once":         {"a:\nb:\nc:\nd", map[string]string{"a": "", "b": "", "c": "", "d": "a b c"}},
		"lanes": {
			"a\nlane x {\nb\nc\n}\nlane y {\nd\n}\ne\nf",
			map[string]string{"a": "", "b": "a", "c": "b", "d": "a", "e": "c d", "f": "e"},
		},
		"a lane that starts with the phase": {
			"a\nlane x {\nb:\nc\n}\nd",
			map[string]string{"a": "", "b": "", "c": "a b", "d": "c"},
		},
		"across lanes": {
			"lane x {\na\n}\nlane y {\nb\nc: a b\n}",
			map[string]string{"a": "", "b": "", "c": "a b"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, after(t, valid(t, phaseOf(tt.phase)).Runbooks[0]))
		})
	}
}

func TestOrder_references(t *testing.T) {
	t.Parallel()
	rb := valid(t, `
locals { shared = "x" }
runbook "r" {
  locals {
    indirect = check.a.stdout
    further  = "${local.indirect}-${local.shared}"
  }
  phase "one" {
    check "early" {
      hosts = control
      argv  = ["true"]
    }
  }
  phase "two" {
    check "a" {
      hosts = control
      argv  = ["echo", check.early.stdout]
    }
    check "b" {
      hosts = control
      argv  = ["true"]
      after = []
    }
    step "c" {
      hosts = control
      argv  = ["echo", local.further]
      after = [check.early]
      verify {
        argv = ["echo", check.b.stdout]
      }
    }
    step "d" {
      hosts = control
      argv  = ["true"]
      after = []
      when  = step.c.ok
    }
  }
}
`).Runbooks[0]
	require.Empty(t, rb.Item("check.a").After, "earlier phases have ended anyway")
	require.Equal(t, []runbooks.ItemID{"check.early", "check.a", "check.b"}, rb.Item("step.c").After, "written ones, and those of its expressions and parts")
	require.Equal(t, []runbooks.ItemID{"step.c"}, rb.Item("step.d").After)
}

func TestOrder_gates(t *testing.T) {
	t.Parallel()
	rb := valid(t, `
role "dba" { members = ["a@example.org", "b@example.org"] }
runbook "r" {
  phase "p" {
    check "dark" {
      tcp { address = "10.0.0.1:22" }
    }
    gate "go" {
      question = "?"
      role     = role.dba
      recheck  = [check.dark]
      after    = []
    }
    step "s" {
      hosts    = control
      argv     = ["true"]
      requires = [gate.go]
      after    = []
    }
  }
}
`).Runbooks[0]
	require.Equal(t, []runbooks.ItemID{"gate.go"}, rb.Item("step.s").Requires)
	require.Equal(t, []runbooks.ItemID{"gate.go"}, rb.Item("step.s").After)
	require.Equal(t, []runbooks.ItemID{"check.dark"}, rb.Item("gate.go").Recheck)
	require.Equal(t, []runbooks.ItemID{"check.dark"}, rb.Item("gate.go").After)
}

// The edges of a long phase stay few.
func TestOrder_longPhase(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "w%d\n", i)
	}
	rb := valid(t, phaseOf(b.String())).Runbooks[0]
	edges := 0
	for _, i := range rb.AllItems() {
		edges += len(i.After)
	}
	require.Equal(t, 2999, edges)
}

// A cycle names every edge, with the place that says so.
func TestOrder_cycleNamesEveryEdge(t *testing.T) {
	t.Parallel()
	_, ds := load(t, phaseOf("a: c\nb: a\nc: b\nd: a"), loader.Options{})
	require.Len(t, ds, 1)
	require.Equal(t, "CON-R016", ds[0].Code)
	require.Equal(t, "these items wait for each other: wait.a → wait.c → wait.b → wait.a", ds[0].Summary)
	require.Len(t, ds[0].Related, 2)
	require.Equal(t, "wait.c needs wait.b here", ds[0].Related[0].Message)
	require.Equal(t, "wait.b needs wait.a here", ds[0].Related[1].Message)
}

// A chain of thousands of locals or hosts exhausts no stack.
func TestOrder_deepChains(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("locals {\n  x0 = 1\n")
	for i := 1; i < 3000; i++ {
		fmt.Fprintf(&b, "  x%d = local.x%d\n", i, i-1)
	}
	b.WriteString("}\nrunbook \"r\" {\n  phase \"p\" {\n    assert \"a\" { condition = local.x2999 == 1 }\n  }\n}\n")
	_, ds := load(t, b.String(), loader.Options{})
	for _, d := range ds {
		require.NotEqual(t, "CON-E099", d.Code)
	}
}
