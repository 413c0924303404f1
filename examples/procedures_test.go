package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// procedures are all runbooks of all procedures, with the variables that a person would give.
var procedures = []struct {
	project, runbook string
	vars             []string
}{
	{"etcd-restore", "etcd-restore", nil},
	{"patroni-standby-promotion", "promote-dc2", nil},
	{"patroni-standby-promotion", "return-to-dc1", nil},
	{"patroni-replica-removal", "remove-replica", []string{"target=patroni-04"}},
	{"patroni-replica-removal", "restore-replica", []string{"target=patroni-04"}},
	{"pgbackrest-restore-drill", "restore-drill", []string{"target_time=2026-11-20T14:05:00Z"}},
	{"pgbackrest-restore-drill", "wrong-backup-must-fail", []string{"target_time=2026-11-20T14:05:00Z", "later_backup=20261121-F"}},
	{"mysql-switchover", "switchover", nil},
	{"vault-dr-promotion", "promote-vault-b", nil},
	{"vault-dr-promotion", "demote-vault-b", nil},
	{"zonal-recovery", "zone-lost", nil},
	{"zonal-recovery", "drain-zone", []string{"zone=d"}},
	{"zonal-recovery", "replace-replicas", []string{"zone=d", "max_snapshot_age_h=6"}},
	{"zonal-recovery", "zone-back", nil},
	{"rolling-restart", "rolling-restart", nil},
	{"two-site-failover", "failover", nil},
	{"two-site-failover", "promote-database", nil},
	{"two-site-failover", "start-application", nil},
	{"two-site-failover", "prepare-edge", nil},
	{"two-site-failover", "failback", nil},
}

// Every procedure validates without a warning, is written in the canonical form, and passes its own tests, which let
// something go wrong too.
func TestProcedures_validateAndTest(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("procedures/*/project.hcl")
	require.NoError(t, err)
	require.Len(t, dirs, 9)
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			p := copyExample(t, dir, t.TempDir())
			p.continuo(0, "validate", "--strict")
			p.continuo(0, "fmt", "--check")
			var known []string
			for _, x := range procedures {
				if x.project == filepath.Base(dir) {
					known = append(known, x.runbook)
				}
			}
			require.ElementsMatch(t, runbooksIn(t, p.dir), known, "every runbook is planned below")
			var tests struct {
				Passed, Failed int
				Tests          []struct{ Name, Runbook, Result, Detail string }
			}
			require.NoError(t, json.Unmarshal([]byte(p.continuo(0, "test", "--json")), &tests))
			require.Zero(t, tests.Failed)
			good, bad := expectedVerdicts(t, p.dir)
			require.Positive(t, good, "a test of the way that it should go")
			require.Positive(t, bad, "a test of something that goes wrong")
			require.Equal(t, len(tests.Tests), tests.Passed)
		})
	}
}

// expectedVerdicts counts the tests of a project that expect a good end and those that expect a bad one.
func expectedVerdicts(t *testing.T, dir string) (good, bad int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.test.hcl"))
	require.NoError(t, err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		good += strings.Count(string(data), `run.verdict == "passed"`)
		bad += strings.Count(string(data), `run.verdict == "failed"`)
	}
	return good, bad
}

// The plan of every procedure is what its author expects: items in order, whether they run, where, in which batches.
func TestProcedures_plan(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/procedures.txt")
	require.NoError(t, err)
	want := map[string]string{}
	for part := range strings.SplitSeq(string(data), "\n## ") {
		name, lines, _ := strings.Cut(part, "\n")
		want[name] = strings.TrimSpace(lines)
	}
	for _, x := range procedures {
		name := x.project + " " + x.runbook
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := copyExample(t, filepath.Join("procedures", x.project), t.TempDir())
			args := []string{"plan", x.runbook, "--json"}
			for _, v := range x.vars {
				args = append(args, "--var", v)
			}
			var plan planDocument
			require.NoError(t, json.Unmarshal([]byte(p.continuo(0, args...)), &plan))
			require.Regexp(t, `^sha256:[0-9a-f]{64}$`, plan.Digest)
			require.Contains(t, want, name)
			require.Equal(t, want[name], strings.Join(plan.lines(), "\n"))
		})
	}
}

// Whatever goes wrong in them, these procedures end safely, or wait for a person and say so.
func TestProcedures_explored(t *testing.T) {
	t.Parallel()
	for project, runbook := range map[string]string{"two-site-failover": "failover", "zonal-recovery": "zone-back"} {
		t.Run(project, func(t *testing.T) {
			t.Parallel()
			p := copyExample(t, filepath.Join("procedures", project), t.TempDir())
			var explored struct {
				Cases    int
				Findings []struct{ Code, Item, Why string }
			}
			require.NoError(t, json.Unmarshal([]byte(p.continuo(0, "test", runbook, "--explore", "--json")), &explored))
			require.Empty(t, explored.Findings)
			require.Greater(t, explored.Cases, 30)
		})
	}
}

type planRollout struct {
	Phase   bool
	Hosts   []string
	Batches []int
}

// planDocument is what `plan --json` prints, as far as the tests look at it.
type planDocument struct {
	Digest string
	Phases []struct {
		Name    string
		Rollout *planRollout
	}
	Items []struct {
		ID, Disposition, Lane, Phase string
		Hosts, Elements              []string
		WaitsFor                     []string `json:"waits_for"`
		Rollout                      *planRollout
		Irreversible                 bool
	}
}

// lines are one for each phase and item: id, disposition, hosts, and what else is special.
func (p *planDocument) lines() []string {
	var out []string
	phase := ""
	for _, i := range p.Items {
		for _, ph := range p.Phases {
			if i.Phase != phase && ph.Name == i.Phase && ph.Rollout != nil {
				out = append(out, fmt.Sprintf("phase %s: %s in batches of %v", ph.Name, names(ph.Rollout.Hosts), ph.Rollout.Batches))
			}
		}
		phase = i.Phase
		line := []string{i.ID, i.Disposition}
		add := func(word, text string) {
			if text != "" {
				line = append(line, strings.TrimSpace(word+" "+text))
			}
		}
		add("on", names(i.Hosts))
		add("lane", i.Lane)
		add("waits for", names(i.WaitsFor))
		add("each of", names(i.Elements))
		if i.Rollout != nil && !i.Rollout.Phase {
			add("in batches of", fmt.Sprint(i.Rollout.Batches))
		}
		if i.Irreversible {
			line = append(line, "irreversible")
		}
		out = append(out, strings.Join(line, ", "))
	}
	return out
}

// names lists a few, and of many the first, the last and their number.
func names(list []string) string {
	if len(list) > 5 {
		return fmt.Sprintf("%s … %s (%d)", list[0], list[len(list)-1], len(list))
	}
	return strings.Join(list, " ")
}

var runbookBlock = regexp.MustCompile(`(?m)^runbook "([^"]+)" \{`)

// runbooksIn are the names of the runbooks of a project, read from its files.
func runbooksIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	require.NoError(t, err)
	var out []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, m := range runbookBlock.FindAllStringSubmatch(string(data), -1) {
			out = append(out, m[1])
		}
	}
	return out
}
