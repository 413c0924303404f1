package planner_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

const inventory = `
project "p" { environment = "lab" }
host "a" {
  address = "10.0.0.1"
  site    = "x"
}
host "b" {
  address = "10.0.0.2"
  site    = "y"
  connection { via = host.jump }
}
host "jump" { address = "10.0.0.9" }
group "all" { hosts = [host.a, host.b] }
secret "s" { env = "S" }
`

func load(t testing.TB, src string) *runbooks.Project {
	t.Helper()
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: []byte(inventory + src)}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err())
	return p
}

func input(t testing.TB, p *runbooks.Project, vars map[string]expr.Value) planner.Input {
	t.Helper()
	in := planner.Input{Project: p, Runbook: p.Runbooks[0]}
	values, ds := scope.Variables(scope.Inputs{Project: p, Runbook: in.Runbook}, vars, diag.Range{})
	require.NoError(t, ds.Err())
	in.Variables = values
	return in
}

func plan(t testing.TB, src string, vars map[string]expr.Value) *engine.Plan {
	t.Helper()
	got, ds := planner.Plan(input(t, load(t, src), vars))
	require.NoError(t, ds.Err())
	return got
}

// book wraps items into a runbook of one phase.
func book(items string) string {
	return "runbook \"r\" {\n variable \"v\" {\n type = string\n default = \"x\"\n }\n phase \"p\" {\n" + items + "\n}\n}\n"
}

func TestPlan_dispositions(t *testing.T) {
	t.Parallel()
	const lag = `
check "lag" {
  hosts = host.a
  argv  = ["lag"]
  capture "n" {
    value = result.stdout
    type  = number
  }
}
`
	tests := map[string]struct {
		item  string
		want  engine.Disposition
		waits []string
		why   string
		hosts []string
	}{
		"plain":          {"hosts = host.a", engine.WillRun, nil, "", []string{"a"}},
		"list":           {"hosts = group.all", engine.WillRun, nil, "", []string{"a", "b"}},
		"condition true": {"hosts = host.a\nwhen = var.v == \"x\"", engine.WillRun, nil, "", []string{"a"}},
		"condition false": {"hosts = host.a\nwhen = var.v == \"y\"", engine.WillSkip, nil,
			`its condition does not hold: var.v == "y"`, []string{}},
		"condition at run time":         {"hosts = host.a\nwhen = check.lag.n > 3", engine.RunTime, []string{"check.lag"}, "", []string{"a"}},
		"condition of the run":          {"hosts = host.a\nwhen = run.mode == \"live\"", engine.RunTime, []string{"run"}, "", []string{"a"}},
		"hosts at run time":             {"hosts = check.lag.n > 3 ? host.a : host.b", engine.RunTime, []string{"check.lag"}, "", []string{"a", "b"}},
		"candidates in inventory order": {"hosts = [for h in [host.b, host.a] : h if check.lag.n > 3]", engine.RunTime, []string{"check.lag"}, "", []string{"a", "b"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := plan(t, book(lag+"step \"s\" {\n"+tt.item+"\nargv = [\"true\"]\n}"), nil)
			i := got.Item("step.s")
			require.Equal(t, tt.want, i.Disposition)
			require.Equal(t, tt.waits, i.WaitsFor)
			require.Equal(t, tt.why, i.SkipReason)
			require.Equal(t, tt.hosts, i.Hosts)
		})
	}
}

// Both branches of a choice are planned, and each says on what it depends; a decision shows its options.
func TestPlan_branches(t *testing.T) {
	t.Parallel()
	got := plan(t, `
runbook "r" {
  variable "v" { default = "x" }
  phase "one" {
    decision "how" {
      question = "How?"
      options  = ["restart", "rebuild", "abandon"]
      stops    = ["abandon"]
    }
  }
  phase "two" {
    when = decision.how.ok
    step "restart" {
      hosts = host.a
      argv  = ["true"]
      when  = decision.how.choice == "restart"
    }
    step "rebuild" {
      hosts = host.a
      argv  = ["true"]
      when  = decision.how.choice == "rebuild" && var.v == "x"
    }
    step "never" {
      hosts = host.a
      argv  = ["true"]
      when  = var.v == "y"
    }
  }
}`, nil)
	how := got.Item("decision.how")
	require.Equal(t, []string{"restart", "rebuild", "abandon"}, how.Options)
	require.Equal(t, []string{"abandon"}, how.Stops)
	require.Empty(t, how.When)
	require.Equal(t, []string{`decision.how.ok`, `decision.how.choice == "restart"`}, got.Item("step.restart").When)
	require.Equal(t, []string{`decision.how.ok`, `decision.how.choice == "rebuild" && var.v == "x"`}, got.Item("step.rebuild").When)
	require.Equal(t, engine.WillSkip, got.Item("step.never").Disposition)
	require.Empty(t, got.Item("step.never").When)
}

func TestPlan_phaseCondition(t *testing.T) {
	t.Parallel()
	got := plan(t, `
runbook "r" {
  phase "one" {
    check "c" {
      hosts = host.a
      argv  = ["true"]
    }
  }
  phase "never" {
    when = 1 > 2
    step "s" {
      hosts = host.a
      argv  = ["true"]
    }
  }
  phase "perhaps" {
    when = check.c.ok
    step "u" {
      hosts = host.a
      argv  = ["true"]
    }
  }
  cleanup {
    step "tidy" {
      hosts = host.a
      argv  = ["true"]
    }
  }
}`, nil)
	require.Equal(t, engine.WillSkip, got.Item("step.s").Disposition)
	require.Contains(t, got.Item("step.s").SkipReason, "the phase's condition does not hold")
	require.Equal(t, engine.RunTime, got.Item("step.u").Disposition)
	require.Equal(t, []string{"check.c"}, got.Item("step.u").WaitsFor)
	require.Equal(t, runbooks.CleanupPhase, got.Item("step.tidy").Phase)
	require.Equal(t, runbooks.CleanupPhase, got.Phases[3].Name)
	require.Equal(t, []runbooks.ItemID{"check.c", "step.u"}, got.CriticalPath)
}

func TestPlan_commands(t *testing.T) {
	t.Parallel()
	got := plan(t, book(`
check "c" {
  hosts = host.a
  argv  = ["cat", "/etc/hostname"]
}
step "shared" {
  hosts = group.all
  argv  = ["echo", var.v]
  env   = { TOKEN = secret.s }
}
step "each-host" {
  hosts  = group.all
  become = "pg"
  argv   = ["echo", self.name]
  verify {
    hosts  = host.a
    script = "test ${check.c.stdout} = 1"
  }
}
check "port" {
  tcp {
    address = "${host.b.address}:22"
    want    = "open"
  }
}
wait "w" { duration = "90s" }
manual "m" { instructions = "Look at ${check.c.stdout} now" }
`), map[string]expr.Value{"v": expr.String("hello")})
	require.Equal(t, []engine.PlanCommand{{Argv: []string{"echo", "hello"}, Known: true}}, got.Item("step.shared").Commands)
	require.Equal(t, []engine.PlanCommand{
		{Host: "a", Argv: []string{"echo", "a"}, Known: true},
		{Host: "b", Argv: []string{"echo", "b"}, Known: true},
		{Part: engine.PartVerify, Hosts: []string{"a"}, Script: "test (not known yet) = 1"},
	}, got.Item("step.each-host").Commands)
	require.Equal(t, "pg", got.Item("step.each-host").Become)
	require.Equal(t, "tcp 10.0.0.2:22 is open", got.Item("check.port").Commands[0].Probe)
	require.Equal(t, []engine.PlanCommand{{Probe: "wait 90s", Known: true}}, got.Item("wait.w").Commands)
	require.Equal(t, []engine.PlanCommand{{Probe: "Look at (not known yet) now"}}, got.Item("manual.m").Commands)
	names := []string{}
	for _, h := range got.Hosts {
		names = append(names, h.Name)
	}
	require.Equal(t, []string{"a", "b", "jump"}, names, "with the jump host on the way to b")
}

func TestPlan_nothingSensitive(t *testing.T) {
	t.Parallel()
	p := load(t, `
runbook "r" {
  variable "token" {
    type      = string
    sensitive = true
  }
  phase "p" {
    step "s" {
      hosts = host.a
      argv  = ["login"]
      stdin = var.token
    }
  }
}`)
	got, ds := planner.Plan(input(t, p, map[string]expr.Value{"token": expr.String("hunter2-hunter2").AsSensitive()}))
	require.NoError(t, ds.Err())
	b, err := json.Marshal(got)
	require.NoError(t, err)
	require.NotContains(t, string(b), "hunter2")
	require.Equal(t, "(sensitive)", got.Variables[0].Value)
}

func TestPlan_digest(t *testing.T) {
	t.Parallel()
	src := book(`
step "s" {
  hosts = host.a
  argv  = ["echo", var.v]
  expect {
    condition = result.exit_code == local.code
    message   = "no"
  }
}`) + "locals { code = 0 }\n"
	first := plan(t, src, nil)
	require.Equal(t, first.Digest, plan(t, src, nil).Digest, "the same again")
	spaced := strings.ReplaceAll(src, "argv  = [\"echo\", var.v]", "argv = [ \"echo\",   var.v ] # comment")
	require.Equal(t, first.Digest, plan(t, spaced, nil).Digest, "formatting and comments change nothing")
	for name, other := range map[string]string{
		"command": strings.ReplaceAll(src, `"echo"`, `"printf"`),
		"local":   strings.ReplaceAll(src, "code = 0", "code = 1"),
		"host":    strings.ReplaceAll(src, "host.a", "host.b"),
	} {
		require.NotEqual(t, first.Digest, plan(t, other, nil).Digest, name)
	}
	require.NotEqual(t, first.Digest, plan(t, src, map[string]expr.Value{"v": expr.String("y")}).Digest, "variable")

	again, err := planner.Digest(first)
	require.NoError(t, err)
	require.Equal(t, first.Digest, again)
	require.True(t, strings.HasPrefix(first.Digest, "sha256:"))
}

func TestPlan_criticalPath(t *testing.T) {
	t.Parallel()
	got := plan(t, book(`
step "start" {
  hosts   = host.a
  argv    = ["true"]
  timeout = "1m"
}
step "short" {
  hosts   = host.a
  argv    = ["true"]
  timeout = "1m"
  after   = [step.start]
}
check "long" {
  hosts   = host.a
  argv    = ["true"]
  timeout = "1s"
  after   = [step.start]
  poll {
    every  = "1s"
    within = "5m"
  }
}
wait "end" {
  duration = "10s"
  after    = [step.short, check.long]
}
step "aside" {
  hosts   = host.a
  argv    = ["true"]
  timeout = "2m"
  after   = []
}
`), nil)
	require.Equal(t, []runbooks.ItemID{"step.start", "check.long", "wait.end"}, got.CriticalPath)
}

func TestPlan_problems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ item, code string }{
		"no hosts":   {"step \"s\" {\nhosts = []\nargv = [\"true\"]\n}", "CON-B003"},
		"bad length": {"wait \"w\" { duration = \"soon ${var.v}\" }", "CON-B007"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ds := planner.Plan(input(t, load(t, book(tt.item)), nil))
			require.Nil(t, got)
			require.True(t, ds.HasErrors())
			require.Equal(t, tt.code, ds[0].Code, ds[0].Summary)
			require.Equal(t, `runbook "r"`, ds[0].Context)
		})
	}
}

// big is a runbook of n items over two hosts, in phases of 500, that refer to each other.
func big(n int) string {
	var b strings.Builder
	b.WriteString("runbook \"r\" {\n")
	for k := range n {
		if k%500 == 0 {
			if k > 0 {
				b.WriteString("}\n")
			}
			fmt.Fprintf(&b, "phase \"p%d\" {\nhosts = group.all\n", k/500)
		}
		switch k % 3 {
		case 0:
			fmt.Fprintf(&b, "check \"i%d\" { script = \"echo ${self.name}\" }\n", k)
		case 1:
			fmt.Fprintf(&b, "step \"i%d\" { argv = [\"true\"] }\n", k)
		default:
			fmt.Fprintf(&b, "step \"i%d\" { script = check.i%d.ok }\n", k, k-2)
		}
	}
	b.WriteString("}\n}\n")
	return b.String()
}

func BenchmarkPlan_10000(b *testing.B) {
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: []byte(inventory)}, "r.hcl": &fstest.MapFile{Data: []byte(big(10000))}},
		"/p", loader.Options{})
	require.NoError(b, err)
	require.NoError(b, ds.Err())
	in := planner.Input{Project: p, Runbook: p.Runbooks[0]}
	require.Len(b, in.Runbook.AllItems(), 10000)
	b.ReportAllocs()
	for b.Loop() {
		if _, ds := planner.Plan(in); ds.HasErrors() {
			b.Fatal(ds.Err())
		}
	}
}

func TestPlan_call(t *testing.T) {
	t.Parallel()
	p := load(t, `
runbook "r" {
  phase "p" {
    check "c" {
      hosts = host.a
      argv  = ["c"]
    }
    call "db" {
      runbook   = runbook.child
      variables = { site = "x", lag = tonumber(check.c.stdout) }
    }
    step "after" {
      hosts = host.a
      argv  = ["after"]
    }
  }
}
runbook "child" {
  variable "site" { type = string }
  variable "lag" { type = number }
  mark "up" {}
  phase "one" {
    step "s" {
      hosts   = host.b
      argv    = ["s", var.site, tostring(var.lag)]
      timeout = "1m"
      marks   = ["up"]
    }
  }
  phase "two" {
    when = var.lag > 3
    step "u" {
      hosts = host.a
      argv  = ["u"]
    }
  }
}`)
	in := input(t, p, nil)
	in.Runbook = p.Runbook("r")
	got, ds := planner.Plan(in)
	require.NoError(t, ds.Err())
	ids := []runbooks.ItemID{}
	for _, i := range got.Items {
		ids = append(ids, i.ID)
	}
	require.Equal(t, []runbooks.ItemID{"check.c", "call.db", "call.db.step.s", "call.db.step.u", "step.after"}, ids)
	require.Equal(t, ids, got.Phases[0].Items)
	s, u := got.Item("call.db.step.s"), got.Item("call.db.step.u")
	require.Equal(t, []string{"s", "x", "(not known yet)"}, s.Commands[0].Argv)
	require.Equal(t, []runbooks.ItemID{"check.c"}, s.After)
	require.Equal(t, []string{"db/up"}, s.Marks)
	require.Equal(t, []runbooks.ItemID{"call.db.step.s"}, u.After)
	require.Equal(t, engine.RunTime, u.Disposition)
	require.Equal(t, []runbooks.ItemID{"check.c", "call.db", "step.after"}, got.CriticalPath)
	require.Len(t, got.Hosts, 3)
}
