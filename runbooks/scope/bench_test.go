package scope_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// fleet is a project of n hosts and n checks on all of them.
func fleet(tb testing.TB, n int) (scope.Inputs, map[runbooks.ItemID]scope.Result) {
	tb.Helper()
	in := scope.Inputs{Project: &runbooks.Project{Name: "fleet"}, Runbook: &runbooks.Runbook{Name: "all"}}
	results := map[runbooks.ItemID]scope.Result{}
	units := map[string]scope.Unit{}
	for i := range n {
		name := fmt.Sprintf("web%04d", i)
		in.Project.Hosts = append(in.Project.Hosts, &runbooks.Host{Name: name, Address: name, Port: 22})
		units[name] = ran(map[string]expr.Value{"stdout": expr.String("ok"), "exit_code": expr.Int(0)})
	}
	in.Project.Groups = []*runbooks.Group{{Name: "web", Hosts: in.Project.Hosts}}
	p := &runbooks.Phase{Name: "p"}
	hosts, script := parse(tb, `group.web`), parse(tb, `"true"`)
	for i := range n {
		p.Items = append(p.Items, &runbooks.Item{Kind: runbooks.Check, Name: fmt.Sprintf("c%d", i), Hosts: hosts,
			Command: &runbooks.Command{Script: script}})
	}
	in.Runbook.Phases = []*runbooks.Phase{p}
	results["check.c0"] = scope.Result{Unit: ran(nil), ByHost: units}
	return in, results
}

// BenchmarkUnitScope is what the executor does for each of a thousand hosts that read their part of one result.
func BenchmarkUnitScope(b *testing.B) {
	in, results := fleet(b, 1000)
	base, ds := scope.Base(in)
	require.Empty(b, ds)
	e := parse(b, `check.c0.by_host[self.name].stdout`)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s, _ := scope.WithResults(base, in, results, false)
		_, ds := e.Eval(scope.At(s, scope.Place{Self: in.Project.Hosts[i%1000]}))
		if ds.HasErrors() {
			b.Fatal(ds)
		}
	}
}

// BenchmarkHosts is the hosts of an item: a thousand, flattened.
func BenchmarkHosts(b *testing.B) {
	in, _ := fleet(b, 1000)
	base, _ := scope.Base(in)
	e := parse(b, `[group.web]`)
	b.ReportAllocs()
	for b.Loop() {
		v, _ := e.Eval(base)
		if hosts, err := scope.Hosts(in.Project, v); err != nil || len(hosts) != 1000 {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlannedResult is the first reference to a result with a thousand hosts at plan time.
func BenchmarkPlannedResult(b *testing.B) {
	in, _ := fleet(b, 1000)
	base, _ := scope.Base(in)
	s, _ := scope.WithResults(base, in, nil, true)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e := parse(b, fmt.Sprintf(`check.c%d.by_host["web0001"].ok`, i%1000))
		if _, ds := e.Eval(s); ds.HasErrors() {
			b.Fatal(ds)
		}
	}
}

func TestResultsAreMadeOnce(t *testing.T) { //nolint:paralleltest // it counts allocations
	in, results := fleet(t, 3)
	base, ds := scope.Base(in)
	require.Empty(t, ds)
	read := func() string {
		s, _ := scope.WithResults(base, in, results, false)
		return eval(t, s, `"${check.c0.by_host["web0001"].stdout} ${check.c0.outcome}"`)
	}
	require.Equal(t, "ok succeeded", read())
	allocs := testing.AllocsPerRun(10, func() { read() })
	require.Less(t, allocs, 400.0)

	changed := results["check.c0"]
	changed.Outcome = "failed"
	results["check.c0"] = changed
	require.Equal(t, "ok failed", read())
	changed.ByHost = map[string]scope.Unit{"web0001": ran(map[string]expr.Value{"stdout": expr.String("new")})}
	results["check.c0"] = changed
	require.Equal(t, "new failed", read())
}
