package planner_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/planner"
)

// TestPlan_sameHostsWrittenAgain: what several items write of the inventory in the same words is found once, and each of
// them is still judged by itself.
func TestPlan_sameHostsWrittenAgain(t *testing.T) {
	t.Parallel()
	const there, nowhere = `[for h in inventory : h if h.site == "y"]`, `[for h in inventory : h if h.site == "none"]`
	item := func(name, hosts string) string {
		return fmt.Sprintf("check %q {\n hosts = %s\n argv = [\"at\", self.name]\n}\n", name, hosts)
	}
	got := plan(t, book(item("one", there)+item("two", there)+item("all", "group.all")), nil)
	for id, want := range map[string][]string{"check.one": {"b"}, "check.two": {"b"}, "check.all": {"a", "b"}} {
		for _, i := range got.Items {
			if string(i.ID) == id {
				require.Equal(t, want, i.Hosts, id)
			}
		}
	}
	_, ds := planner.Plan(input(t, load(t, book(item("one", nowhere)+item("two", there)+item("three", nowhere))), nil))
	require.Len(t, ds, 2)
	for n, summary := range []string{"check.one has no hosts", "check.three has no hosts"} {
		require.Equal(t, "CON-B003", ds[n].Code)
		require.Equal(t, summary, ds[n].Summary)
	}
	require.NotEqual(t, ds[0].Range.Start, ds[1].Range.Start)
}

// TestPlan_placesOfHosts: a host is the same to all commands, inside and outside a phase that rolls out, while batch is
// known only inside it.
func TestPlan_placesOfHosts(t *testing.T) {
	t.Parallel()
	got := plan(t, `
runbook "r" {
  phase "before" {
    hosts = group.all
    check "c" { argv = ["c", self.name, self.address] }
  }
  phase "rolling" {
    hosts = group.all
    rollout { batch = 1 }
    check "d" { argv = ["d", self.name, "of ${length(batch)}"] }
  }
  phase "after" {
    hosts = group.all
    check "e" { argv = ["e", self.name, self.address] }
    check "f" { argv = ["f", "${self.port == 22 ? "ssh" : "other"}"] }
  }
}`, nil)
	commands := map[string][]engine.PlanCommand{}
	for _, i := range got.Items {
		commands[string(i.ID)] = i.Commands
	}
	require.Equal(t, []engine.PlanCommand{
		{Host: "a", Argv: []string{"c", "a", "10.0.0.1"}, Known: true}, {Host: "b", Argv: []string{"c", "b", "10.0.0.2"}, Known: true},
	}, commands["check.c"])
	require.Equal(t, []engine.PlanCommand{
		{Host: "a", Argv: []string{"d", "a", "of (not known yet)"}}, {Host: "b", Argv: []string{"d", "b", "of (not known yet)"}},
	}, commands["check.d"])
	require.Equal(t, []engine.PlanCommand{
		{Host: "a", Argv: []string{"e", "a", "10.0.0.1"}, Known: true}, {Host: "b", Argv: []string{"e", "b", "10.0.0.2"}, Known: true},
	}, commands["check.e"])
	require.Equal(t, []engine.PlanCommand{{Argv: []string{"f", "ssh"}, Known: true}}, commands["check.f"], "the same on all hosts")
}

// BenchmarkPlan_perHost is the plan of a hundred checks whose commands differ on each of a thousand hosts.
func BenchmarkPlan_perHost(b *testing.B) {
	var hcl strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&hcl, "host \"web%d\" { address = \"10.1.%d.%d\" }\n", i, i>>8, i&255)
	}
	hcl.WriteString("group \"web\" { hosts = inventory }\nrunbook \"r\" {\n  phase \"p\" {\n    hosts = group.web\n")
	for i := range 100 {
		fmt.Fprintf(&hcl, "    check \"c%d\" { argv = [\"echo\", \"%[1]d\", self.name] }\n", i)
	}
	hcl.WriteString("  }\n}\n")
	in := input(b, load(b, hcl.String()), nil)
	b.ReportAllocs()
	for b.Loop() {
		_, ds := planner.Plan(in)
		require.NoError(b, ds.Err())
	}
}
