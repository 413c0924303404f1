package lint_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/catalog"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/lint"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

func options() lint.Options {
	return lint.Options{Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
}

func findings(t *testing.T, src string, opts lint.Options) diag.List {
	t.Helper()
	p, ds, err := loader.LoadFS(fstest.MapFS{"project.hcl": {Data: []byte(src)}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.Empty(t, ds)
	return lint.Project(p, opts)
}

func codes(ds diag.List) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestDocs_examples(t *testing.T) {
	t.Parallel()
	for _, doc := range lint.Docs() {
		t.Run(doc.Code, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, findings(t, doc.Right, options()), "the right example")
			ds := findings(t, doc.Wrong, options())
			require.Equal(t, []string{doc.Code}, codes(ds), "the wrong example")
			for _, d := range ds {
				require.Equal(t, diag.Warning, d.Severity)
				require.NotEmpty(t, d.Hint)
				require.Contains(t, d.Context, "runbook")
				require.False(t, d.Range.Zero())
			}
		})
	}
}

// Every code in the source is explained, and every one that is explained is given.
func TestDocs_complete(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, name := range []string{"rules.go", "commands.go"} {
		src, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, c := range regexp.MustCompile(`CON-W[0-9]{3}`).FindAllString(string(src), -1) {
			used[c] = true
		}
	}
	for _, d := range lint.Docs() {
		require.True(t, used[d.Code], d.Code)
		delete(used, d.Code)
	}
	require.Empty(t, used)
}

// The projects that a newcomer begins with are clean, and this version asks for nothing that it would refuse.
func TestProject_catalog(t *testing.T) {
	t.Parallel()
	for _, name := range catalog.Names() {
		files, err := catalog.Files(name)
		require.NoError(t, err)
		p, _, err := loader.LoadFS(files, "/p", loader.Options{})
		require.NoError(t, err)
		ds := lint.Project(p, lint.Options{Now: options().Now})
		ds = slices.DeleteFunc(ds, func(d diag.Diagnostic) bool { return name == "failover" && d.Code == "CON-W007" })
		require.Empty(t, ds, name)
	}
}

func TestProject_examples(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../../examples/*/*")
	require.NoError(t, err)
	for _, dir := range dirs {
		if files, _ := filepath.Glob(filepath.Join(dir, "*.hcl")); len(files) == 0 {
			continue
		}
		p, ds, err := loader.Load(dir, loader.Options{})
		require.NoError(t, err)
		require.False(t, ds.HasErrors())
		for _, d := range lint.Project(p, options()) {
			t.Logf("%s %s: %s %s", dir, d.Range, d.Code, d.Summary)
		}
	}
}

func TestProject_pipes(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"a | b":                         true,
		"set -o pipefail; a | b":        false,
		"a || b":                        false,
		"echo y | b":                    false,
		"printf '%s' x | b | c":         true,
		"if a | b; then c; fi":          true,
		"x=$(a | b)":                    true,
		"echo 'a | b'":                  false,
		"cat <<E\na | b\nE\n":           false,
		"case $x in a|b) c;; esac":      false,
		"for i in 1 2; do a | b; done":  true,
		"a\nb\n# a | b\n":               false,
		"a & b; wait":                   false,
		"a 2>&1 | tee /tmp/x; echo two": true,
	}
	for script, want := range tests {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			src := "runbook \"r\" {\n  phase \"p\" {\n    step \"s\" {\n      hosts   = control\n      timeout = \"1m\"\n      script  = <<-EOT\n" +
				"        " + strings.ReplaceAll(script, "\n", "\n        ") + "\n      EOT\n    }\n  }\n}\n"
			require.Equal(t, want, slices.Contains(codes(findings(t, src, options())), "CON-W010"))
		})
	}
}

func TestProject_changingChecks(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		`["cat", "/etc/hosts"]`:                                      false,
		`["rm", "-rf", "/x"]`:                                        true,
		`["/bin/rm", "x"]`:                                           true,
		`["sudo", "systemctl", "restart", "app"]`:                    true,
		`["systemctl", "status", "app"]`:                             false,
		`["systemctl", "is-active", "start"]`:                        true, // a unit of that name: advice may err
		`["psql", "-XAtqc", "select 1"]`:                             false,
		`["psql", "-c", "INSERT INTO t VALUES (1)"]`:                 true,
		`["psql", "-c", "  drop table x"]`:                           true,
		`["kubectl", "get", "pods"]`:                                 false,
		`["kubectl", "delete", "pod", "x"]`:                          true,
		`["etcdctl", "endpoint", "health"]`:                          false,
		`["mkfs.ext4", "/dev/sda"]`:                                  true,
		`["curl", "-fsS", "https://example.org"]`:                    false,
		`["echo", self.name]`:                                        false,
		`["systemctl", "stop", self.name]`:                           true,
		`concat(["kubectl"], ["scale", "deploy/x", "--replicas=0"])`: true,
	}
	for argv, want := range tests {
		t.Run(argv, func(t *testing.T) {
			t.Parallel()
			src := "runbook \"r\" {\n  phase \"p\" {\n    check \"s\" {\n      hosts   = control\n      argv = " + argv + "\n    }\n  }\n}\n"
			require.Equal(t, want, slices.Contains(codes(findings(t, src, options())), "CON-W012"))
		})
	}
}

func TestProject_interpolations(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		`"echo ${var.a}"`:                  true,
		`"echo '${var.a}'"`:                true,
		`"echo ${shellquote(var.a)}"`:      false,
		`"head -n ${tonumber(var.a)} x"`:   false,
		`"head -n ${1 + 2} x"`:             false,
		`"echo $${A}"`:                     false,
		`"echo ${upper(var.a)}"`:           true,
		`var.a`:                            false,
		`"echo ${self.name}"`:              true,
		`"echo ${length(inventory)} done"`: false,
	}
	for script, want := range tests {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			src := "runbook \"r\" {\n  variable \"a\" {\n    default = \"1\"\n  }\n  phase \"p\" {\n    step \"s\" {\n      hosts   = control\n      script = " + script + "\n    }\n  }\n}\n"
			require.Equal(t, want, slices.Contains(codes(findings(t, src, options())), "CON-W013"))
		})
	}
}

// A shared local counts as used by whatever reads it: hosts, groups, the environment of an item, another local in use, a
// test. One that only an unused local reads is not.
func TestProject_sharedLocals(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"project.hcl": {Data: []byte(`locals {
  address = "10.0.0.1"
  site    = "${local.letter}-north"
  letter  = "b"
  env     = { SITE = local.site }
  here    = [for h in inventory : h if h.site == local.site]
  tested  = "0"
  hidden  = "1"
  idle    = local.inner
  inner   = "2"
}

host "a" {
  address = local.address
  site    = local.site
}

group "here" { hosts = local.here }

runbook "r" {
  locals {
    hidden = "its own"
  }
  phase "p" {
    check "c" {
      hosts = group.here
      argv  = ["echo", local.hidden]
      env   = local.env
    }
  }
}
`)},
		"r.test.hcl": {Data: []byte("test \"t\" {\n  runbook = \"r\"\n  on \"check.c\" { stdout = local.tested }\n  expect { condition = check.c.ok }\n}\n")},
	}
	p, ds, err := loader.LoadFS(files, "/p", loader.Options{})
	require.NoError(t, err)
	require.Empty(t, ds)
	var unused []string
	for _, d := range lint.Project(p, options()) {
		if d.Code == "CON-W015" {
			unused = append(unused, d.Summary)
			require.Contains(t, d.Context, "project")
		}
	}
	require.Equal(t, []string{`local "hidden" is not used`, `local "idle" is not used`, `local "inner" is not used`}, unused)
}
