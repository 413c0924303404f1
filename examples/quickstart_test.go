package examples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newQuickstart is a copy on free ports with its practice hosts up.
func newQuickstart(t *testing.T) *project {
	t.Helper()
	p := copyExample(t, "quickstart", t.TempDir())
	p.replace("project.hcl", `22201`, freePort(t, "127.0.0.1"))
	p.replace("project.hcl", `22202`, freePort(t, "127.0.0.1"))
	p.continuo(0, "lab", "up")
	t.Cleanup(func() { p.continuo(0, "lab", "down") })
	return p
}

// role is what the service at a site says it is.
func (p *project) role(host string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, ".lab", "hosts", host, "orders", "role"))
	require.NoError(p.t, err)
	return strings.TrimSpace(string(data))
}

func TestQuickstart_thereAndBack(t *testing.T) {
	t.Parallel()
	p := newQuickstart(t)
	p.continuo(0, "validate")
	require.Contains(t, p.continuo(0, "plan", "failover"), "step.activate-b")

	dry := p.run(0, "failover")
	require.Equal(t, "dry-run", dry.Mode)
	require.Equal(t, "ready", dry.Verdict)
	require.Empty(t, dry.Objectives)
	require.Equal(t, "exercised", dry.outcome("check.a-takes-orders", "orders-a"))
	require.Equal(t, "not-exercised", dry.outcome("step.freeze", ""))
	require.Equal(t, "active", p.role("orders-a"), "a rehearsal changes nothing")

	live := p.run(0, "failover", "--live", "--yes")
	require.Equal(t, "live", live.Mode)
	require.Equal(t, "passed", live.Verdict)
	require.Len(t, live.Objectives, 3)
	for _, o := range live.Objectives {
		require.NotNil(t, o.Met, o.Name)
		require.True(t, *o.Met, o.Name)
		require.NotNil(t, o.AchievedS, o.Name)
	}
	require.Equal(t, "standby", p.role("orders-a"))
	require.Equal(t, "active", p.role("orders-b"))
	p.continuo(0, "verify", live.Bundle)
	require.Contains(t, p.continuo(0, "report", "@latest", "--format", "html"), "<html")

	require.Equal(t, "not-ready", p.run(1, "failover").Verdict, "the service is at site B already")

	back := p.run(0, "failback", "--live", "--yes")
	require.Equal(t, "passed", back.Verdict)
	require.Equal(t, "active", p.role("orders-a"))
	require.Equal(t, "standby", p.role("orders-b"))
	a, err := os.ReadFile(filepath.Join(p.dir, ".lab", "hosts", "orders-a", "orders", "orders.csv"))
	require.NoError(t, err)
	require.Equal(t, 5, strings.Count(string(a), "\n"), "three orders of old, and one of each drill:\n%s", a)
}

func TestQuickstart_whatItsReadmePromises(t *testing.T) {
	t.Parallel()
	p := newQuickstart(t)
	// "A second active site is found before anything is touched."
	role := filepath.Join(p.dir, ".lab", "hosts", "orders-b", "orders", "role")
	require.NoError(t, os.WriteFile(role, []byte("active\n"), 0o600))
	dry := p.run(1, "failover")
	require.Equal(t, "not-ready", dry.Verdict)
	live := p.run(1, "failover", "--live", "--yes")
	require.Equal(t, "failed", live.Verdict)
	require.Equal(t, "active", p.role("orders-a"), "nothing was frozen")
	require.Equal(t, "succeeded", live.outcome("step.tidy", "orders-a"), "cleanup always runs")
	p.continuo(0, "verify", live.Bundle)

	// "The drill works, the objective is missed, the exit code is 1."
	require.NoError(t, os.WriteFile(role, []byte("standby\n"), 0o600))
	p.replace("failover.hcl", `target = "1m"`, `target = "1ms"`)
	missed := p.run(1, "failover", "--live", "--yes")
	require.Equal(t, "active", p.role("orders-b"))
	require.Equal(t, "passed-with-deviations", missed.Verdict)
}

// TestDemo runs what `make demo` runs.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := copyExample(t, "quickstart", t.TempDir())
	p.replace("project.hcl", `22201`, freePort(t, "127.0.0.1"))
	p.replace("project.hcl", `22202`, freePort(t, "127.0.0.1"))
	out, errOut, code := p.exec("./demo", binary, "out")
	require.Zero(t, code, "%s\n%s", out, errOut)
	require.FileExists(t, filepath.Join(p.dir, "out", "report.html"))
	all := out + errOut
	for _, shown := range []string{"ready", "passed", "recovery-time", "report.html"} {
		require.Contains(t, all, shown)
	}
	status, _, code := p.exec(binary, "-C", "out", "lab", "status", "--json")
	require.Zero(t, code)
	var lab struct{ Running *bool }
	require.NoError(t, json.Unmarshal([]byte(status), &lab))
	require.NotNil(t, lab.Running)
	require.False(t, *lab.Running, "the demo leaves nothing running")
}
