package simulation_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

const rollingProject = `
project "p" { environment = "lab" }
fleet "web" {
  for_each = ["1", "2", "3"]
  name     = "w${each.value}"
  address  = "10.0.1.${each.value}"
}
host "lb" { address = "10.0.0.1" }
role "dba" { members = ["alice@example.org", "bob@example.org"] }
runbook "roll" {
  phase "roll" {
    hosts = group.web
    rollout {
      batch        = 1
      max_failures = 1
      after_batch { argv = ["up"] }
    }
    gate "go" {
      question = "Batch ${batch[0].name}?"
      role     = role.dba
    }
    manual "look" { instructions = "Look at ${batch[0].name}." }
    decision "next" {
      question = "Go on?"
      options  = ["yes", "no"]
      stops    = ["no"]
    }
    step "drain" {
      hosts      = host.lb
      for_each   = batch
      argv       = ["drain", each.value.name]
      idempotent = true
      rollback { argv = ["undrain", each.value.name] }
    }
    step "restart" {
      argv       = ["restart"]
      idempotent = true
      rollback { argv = ["restart", "old"] }
    }
  }
}
`

// People who were scripted once are asked in every batch; a decision's last answer repeats.
func TestRollout_inTests(t *testing.T) {
	t.Parallel()
	tests := `
test "all of it" {
  runbook = "roll"
  on "decision.next" { choose = "yes" }
  expect { condition = run.verdict == "passed" }
  expect { condition = length(step.restart.by_host) == 3 }
}
test "not beyond the second" {
  runbook = "roll"
  on "decision.next" { choose = ["yes", "no"] }
  expect { condition = run.verdict == "failed" }
  expect { condition = step.restart.by_host["w1"].ok && step.restart.by_host["w3"].outcome == "not-reached" }
}
test "a crash after the first approval" {
  runbook = "roll"
  on "decision.next" { choose = "yes" }
  fault "gate.go" { kind = "crash" }
  expect { condition = run.verdict == "passed-with-deviations" }
}
test "a denied gate" {
  runbook = "roll"
  on "gate.go" { deny = "alice@example.org" }
  expect { condition = run.verdict == "failed" && !step.drain.started }
}
`
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": {Data: []byte(rollingProject)}, "p.test.hcl": {Data: []byte(tests)}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err())
	for _, test := range p.Tests {
		res := simulation.Test(p, test)
		require.Empty(t, res.Failures, test.Name)
	}
}

// Everything that can go wrong in a rollout, crashes of the controller included, ends safely or waits for a person.
func TestRollout_explored(t *testing.T) {
	t.Parallel()
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": {Data: []byte(rollingProject)}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err())
	x, err := simulation.Explore(t.Context(), p, p.Runbook("roll"), simulation.Options{})
	require.NoError(t, err)
	require.Greater(t, len(x.Cases), 30)
	for _, f := range x.Findings {
		t.Errorf("%+v", f)
	}
}
