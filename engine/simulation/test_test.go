package simulation_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

const failover = `
project "p" { environment = "lab" }
host "a" { address = "10.0.0.1" }
host "b" { address = "10.0.0.2" }

runbook "failover" {
  variable "max_lag" {
    type    = number
    default = 30
  }
  objective "outage" {
    target = "2h"
    from   = "frozen"
    to     = "recovered"
  }
  phase "assess" {
    check "replication" {
      hosts = host.b
      argv  = ["lag"]
      capture "lag" {
        value = split("|", result.stdout)[0]
        type  = number
      }
      expect {
        condition = result.lag <= var.max_lag
        message   = "standby is ${result.lag} s behind"
      }
    }
  }
  phase "move" {
    step "freeze" {
      hosts       = host.a
      argv        = ["freeze"]
      marks_start = ["frozen"]
      timeout     = "1m"
    }
    wait "settle" { duration = "30m" }
    step "promote" {
      hosts   = host.b
      argv    = ["promote"]
      timeout = "2m"
      marks   = ["recovered"]
      verify {
        argv = ["in-recovery"]
        expect {
          condition = result.stdout == "f"
          message   = "still in recovery"
        }
        poll {
          every  = "2s"
          within = "60s"
        }
      }
    }
    manual "smoke" { instructions = "Look at it." }
  }
  cleanup {
    step "unlock" {
      hosts = [host.a, host.b]
      argv  = ["unlock"]
    }
  }
}
`

const sound = `
  on "check.replication"   { stdout = "3|x" }
  on "step.promote.verify" { stdout = ["t", "t", "f"] }
`

func project(t *testing.T, runbook, tests string) *runbooks.Project {
	t.Helper()
	p, ds, err := loader.LoadFS(fstest.MapFS{
		"p.hcl": &fstest.MapFile{Data: []byte(runbook)}, "p.test.hcl": &fstest.MapFile{Data: []byte(tests)},
	}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err())
	return p
}

// testOf is a test of the failover with this body.
func testOf(t *testing.T, body string) *simulation.TestResult {
	t.Helper()
	p := project(t, failover, "test \"t\" {\n  runbook = \"failover\"\n"+body+"\n}\n")
	require.Len(t, p.Tests, 1)
	return simulation.Test(p, p.Tests[0])
}

func TestTest_whatHolds(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"a sound failover": sound + `
  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.outage.met && run.objectives.outage.achieved_s >= 1800 }
  expect { condition = check.replication.lag == 3 }
  expect { condition = step.promote.ok && step.promote.started }
  expect { condition = contains(run.cleaned_up, "step.unlock") }
  expect { condition = length(run.deviations) == 0 && run.unknown == 0 }
`,
		"a lagging standby stops it": `
  on "check.replication" { stdout = "42|x" }
  expect { condition = run.verdict == "failed" }
  expect { condition = !step.promote.started && !step.freeze.started }
  expect { condition = contains(run.cleaned_up, "step.unlock") }
`,
		"a variable of the test": `
  variables = { max_lag = 50 }
  on "check.replication"   { stdout = "42|x" }
  on "step.promote.verify" { stdout = "f" }
  expect { condition = run.verdict == "passed" }
`,
		"a lost step without a verify is unknown, holds the run, and is not started again": sound + `
  fault "step.freeze" {
    kind    = "lost-connection"
    started = true
  }
  expect { condition = run.verdict == "incomplete" && run.unknown == 1 }
  expect { condition = step.freeze.outcome == "unknown" && !step.promote.started }
  expect { condition = length(run.cleaned_up) == 0 }
`,
		"a lost promotion that verify sees undone has failed": `
  on "check.replication"   { stdout = "3|x" }
  on "step.promote.verify" { stdout = "t" }
  fault "step.promote" {
    kind    = "lost-connection"
    started = true
  }
  expect { condition = run.verdict == "failed" && !step.promote.ok }
`,
		"a lost promotion that verify sees done": sound + `
  fault "step.promote" {
    kind    = "lost-connection"
    started = true
  }
  expect { condition = step.promote.ok && run.verdict == "passed" && run.unknown == 0 }
`,
		"a connection lost before the launch is no deviation": sound + `
  fault "step.promote" { kind = "lost-connection" }
  expect { condition = run.verdict == "passed" }
`,
		"a connection lost after the end": sound + `
  fault "step.promote" {
    kind     = "lost-connection"
    finished = true
  }
  expect { condition = run.verdict == "passed" }
`,
		"a timeout": sound + `
  fault "step.freeze" { kind = "timeout" }
  expect { condition = step.freeze.outcome == "timed-out" && run.verdict == "failed" }
`,
		"one host of two out of reach": sound + `
  fault "step.unlock" {
    kind = "unreachable"
    host = "b"
  }
  expect { condition = run.verdict == "failed" && !contains(run.cleaned_up, "step.unlock") }
  expect { condition = step.unlock.by_host["a"].ok && !step.unlock.by_host["b"].ok }
`,
		"a person who cannot": sound + `
  fault "manual.smoke" { kind = "rejected" }
  expect { condition = run.verdict == "failed" && !manual.smoke.ok }
`,
		"a full disk proves that nothing ran": sound + `
  fault "step.promote" { kind = "disk-full" }
  expect { condition = step.promote.outcome == "never-started" && run.verdict == "failed" }
`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := testOf(t, body)
			require.Empty(t, res.Failures)
			require.Equal(t, engine.Simulate, res.Ended.Record.Mode)
		})
	}
}

func TestTest_whatFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body, message, hint string
		values              []string
	}{
		"a wrong expectation shows the values": {
			body: sound + `expect { condition = run.verdict == "failed" }`, message: `does not hold: run.verdict == "failed"`,
			values: []string{"run.verdict = passed", "run.why = every item is done, without a deviation"},
		},
		"data of what never ran": {
			body:    "on \"check.replication\" { stdout = \"42|x\" }\n" + `expect { condition = step.promote.exit_code == 0 }`,
			message: "cannot be judged", values: []string{"step.promote.exit_code is not there"},
		},
		"a missing answer says what to write": {
			body: `expect { condition = true }`, message: "check.replication has no answer in this test", hint: `on "check.replication" { stdout = "…" }`,
		},
		"a missing answer of a verify": {
			body:    "on \"check.replication\" { stdout = \"1|x\" }\n" + `expect { condition = true }`,
			message: "step.promote.verify has no answer in this test", hint: `on "step.promote.verify" { stdout = "…" }`,
		},
		"an outcome that no host can have": {
			body: sound + "on \"step.freeze\" { outcome = \"skipped\" }\n" + `expect { condition = true }`, message: `outcome "skipped"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := testOf(t, tt.body)
			require.NotEmpty(t, res.Failures)
			f := res.Failures[0]
			require.Contains(t, f.Message, tt.message)
			require.Equal(t, tt.values, f.Values)
			require.Equal(t, tt.hint, f.Hint)
			if tt.values != nil {
				require.Equal(t, "p.test.hcl", f.Range.File)
				require.NotZero(t, f.Range.Start.Line)
			}
		})
	}
}

func TestTest_people(t *testing.T) {
	t.Parallel()
	const runbook = `
project "p" { environment = "lab" }
host "a" { address = "10.0.0.1" }
role "mim" { members = ["alice", "bob"] }
runbook "child" {
  phase "x" {
    step "y" {
      hosts = host.a
      argv  = ["y"]
    }
  }
}
runbook "r" {
  phase "p" {
    gate "go" {
      question  = "Go?"
      role      = role.mim
      approvals = 2
      expires   = "1h"
    }
    decision "how" {
      question = "How?"
      role     = role.mim
      options  = ["stop", "fast", "slow"]
      stops    = ["stop"]
    }
    call "c" { runbook = runbook.child }
    step "slow" {
      when     = decision.how.choice == "slow"
      hosts    = host.a
      argv     = ["slow"]
      requires = [gate.go]
    }
  }
}
`
	tests := map[string]string{
		"willing people": `
  expect { condition = run.verdict == "passed" && decision.how.choice == "fast" && step.slow.outcome == "skipped" }`,
		"a choice": `
  on "decision.how" { choose = "slow" }
  expect { condition = run.verdict == "passed" && step.slow.ok }`,
		"named approvers, the second after half an hour": `
  on "gate.go" {
    approve = ["alice", "bob"]
    delay   = "15m"
  }
  expect { condition = gate.go.ok && run.verdict == "passed" }`,
		"the same person twice does not open it": `
  on "gate.go" { approve = ["alice", "alice"] }
  expect { condition = run.verdict != "passed" && !step.slow.started && !gate.go.ok }`,
		"denied": `
  on "gate.go" { deny = ["bob"] }
  expect { condition = run.verdict == "failed" && !gate.go.ok }`,
		"a fault inside a call": `
  fault "call.c.step.y" { kind = "exit" }
  expect { condition = run.verdict == "failed" }`,
		"an operator who is in the role cannot approve": `
  operator = "alice"
  on "gate.go" { approve = ["alice", "bob"] }
  expect { condition = run.verdict != "passed" && !gate.go.ok }`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := project(t, runbook, "test \"t\" {\n  runbook = \"r\"\n"+body+"\n}\n")
			require.Empty(t, simulation.Test(p, p.Tests[0]).Failures)
		})
	}
}

// An hour of waits and polls takes no time that anybody waits; the run's own clock says how long it was.
func TestTest_anHourOfWaitsAndPolls(t *testing.T) {
	t.Parallel()
	body := `
  on "check.replication"   { stdout = "3|x" }
  on "step.promote.verify" { stdout = "f" }
  on "step.freeze"         { delay = "50s" }
  on "manual.smoke"        { delay = "45m" }
  expect { condition = run.verdict == "passed" }
`
	res := testOf(t, body)
	require.Empty(t, res.Failures)
	require.Equal(t, 75*time.Minute+50*time.Second, res.Lasted)
}

func TestTable(t *testing.T) {
	t.Parallel()
	p := project(t, failover, `
test "lag" {
  runbook   = "failover"
  each      = { near = 3, far = 42 }
  variables = { max_lag = 10 }
  on "check.replication" { stdout = "${each.value}|x" }
  on "step.promote.verify" { stdout = "f" }
  expect { condition = (run.verdict == "passed") == (each.key == "near") }
}
test "nothing" {
  runbook = "failover"
  each    = []
}
test "list" {
  runbook = "failover"
  each    = ["a", "b"]
  on "check.replication" { stdout = "99|${each.value}" }
  expect { condition = each.value == "a" }
}
`)
	rows := simulation.Table(p, p.Tests[0])
	require.Len(t, rows, 2)
	require.Equal(t, []string{"lag [far]", "lag [near]"}, []string{rows[0].Name, rows[1].Name})
	for _, r := range rows {
		require.Empty(t, r.Failures)
	}
	require.ErrorContains(t, errors.New(simulation.Test(p, p.Tests[1]).Failures[0].Message), "nothing is tested")
	list := simulation.Table(p, p.Tests[2])
	require.Equal(t, "list [a]", list[0].Name)
	require.True(t, list[0].Passed())
	require.Equal(t, []string{"each.value = b"}, list[1].Failures[0].Values)
}

func TestTest_before(t *testing.T) {
	t.Parallel()
	res := testOf(t, `
  before {
    started_at = "2026-11-21T03:10:00Z"
    marks      = { frozen = "-20m" }
    from       = "step.promote"
    incident   = "INC-7"
  }
  on "step.promote.verify" { stdout = "f" }
  expect { condition = run.started_at == "2026-11-21T03:10:00Z" && run.incident == "INC-7" }
  expect { condition = !step.freeze.started && step.promote.ok && contains(run.deviations, "from") }
  expect { condition = run.objectives.outage.achieved_s == 1200 }
`)
	require.Empty(t, res.Failures)
}

func TestTest_crash(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"before the launch: it never started, and is started by who resumes": `fault "step.promote" { kind = "crash" }
  expect { condition = step.promote.ok && run.deviations == tolist(["resumed"]) }`,
		"after the end: the result is collected": `fault "step.promote" {
    kind     = "crash"
    finished = true
  }
  expect { condition = step.promote.ok && contains(run.deviations, "resumed") }`,
		"the result is lost, and nothing can tell": `fault "step.freeze" {
    kind    = "crash"
    started = true
  }
  expect { condition = run.verdict == "incomplete" && run.unknown == 1 && !step.promote.started }`,
		"while somebody does a manual item": `fault "manual.smoke" { kind = "crash" }
  expect { condition = manual.smoke.ok && contains(run.deviations, "resumed") }`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := testOf(t, sound+body)
			require.Empty(t, res.Failures)
			require.True(t, res.Ended.Crashed)
		})
	}
	res := testOf(t, `
  on "check.replication" { stdout = "99|x" }
  fault "step.promote" { kind = "crash" }
`)
	require.Contains(t, res.Failures[0].Message, "continuo was not killed: step.promote was never at that point")
}

func replaceOnce(s, from, to string) string { return strings.Replace(s, from, to, 1) }
