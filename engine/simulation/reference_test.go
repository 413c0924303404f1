package simulation_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// Every runbook of the language's reference is planned and run in simulation, and every test in it passes: an example that
// the engine would refuse, or that waits for ever, is none.
func TestReference_runs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../runbooks/README.md")
	require.NoError(t, err)
	const inventory = "host \"db-b1\" { address = \"10.2.0.11\" }\nhost \"db-b2\" { address = \"10.2.0.12\" }\n"
	found := regexp.MustCompile("(?ms)^```hcl( [^\n]*)?\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(found), 10)
	whole := ""
	for _, m := range found {
		if strings.Contains(m[2], `runbook "payments-failover"`) && strings.TrimSpace(m[1]) == "" {
			whole = m[2]
		}
	}
	ran := 0
	for _, m := range found {
		kind, src := strings.TrimSpace(m[1]), m[2]
		files := fstest.MapFS{"project.hcl": {Data: []byte(src)}}
		switch {
		case strings.HasPrefix(kind, "wrong"):
			continue
		case kind == "phase":
			files["project.hcl"] = &fstest.MapFile{Data: []byte("project \"p\" { environment = \"lab\" }\n" + inventory + "runbook \"r\" {\n  phase \"p\" {\n    hosts = host.db-b1\n" + src + "  }\n}\n")}
		case kind == "test":
			files = fstest.MapFS{"project.hcl": {Data: []byte(whole)}, "x.test.hcl": {Data: []byte(src)}}
		}
		p, ds, err := loader.LoadFS(files, "/p", loader.Options{})
		require.NoError(t, err)
		require.NoError(t, ds.Err())
		for _, test := range p.Tests {
			res := simulation.Test(p, test)
			require.Empty(t, res.Failures, test.Name)
			ran++
		}
		for _, rb := range p.Runbooks {
			if len(p.Tests) > 0 || wants(rb) {
				continue
			}
			res := simulation.Test(p, &runbooks.Test{Name: "as it stands", Runbook: rb.Name})
			require.NotNil(t, res.Ended, "%v\n%s", res.Failures, src)
			for _, i := range res.Ended.Record.Items {
				// What is typed by people is theirs: without a test that says it, the run is held there.
				require.True(t, i.Outcome != "" || len(res.Failures) > 0, "%s\n%s", i.Plan.ID, src)
			}
			ran++
		}
	}
	require.Greater(t, ran, 10)
}

// wants reports a variable that must be given.
func wants(rb *runbooks.Runbook) bool {
	for _, v := range rb.Variables {
		if v.Default == nil {
			return true
		}
	}
	return false
}
