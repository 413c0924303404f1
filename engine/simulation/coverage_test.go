package simulation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
)

const forked = `
project "p" { environment = "lab" }
host "a" { address = "10.0.0.1" }
role "mim" { members = ["alice", "bob"] }
runbook "r" {
  phase "p" {
    on_failure = "rollback"
    decision "how" {
      question = "How?"
      role     = role.mim
      options  = ["stop", "fast"]
      stops    = ["stop"]
    }
    gate "go" {
      question = "Go?"
      role     = role.mim
    }
    step "freeze" {
      hosts = host.a
      argv  = ["freeze"]
      rollback { argv = ["thaw"] }
    }
    step "slow" {
      when  = decision.how.choice == "stop"
      hosts = host.a
      argv  = ["slow"]
    }
    step "install" {
      hosts = host.a
      argv  = ["install"]
      unless { argv = ["installed"] }
    }
  }
  cleanup {
    step "tidy" {
      hosts = host.a
      argv  = ["tidy"]
    }
  }
}
`

func TestCoverage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		bodies  []string
		percent int
		never   map[simulation.PointKind][]string
	}{
		"one sound run": {
			bodies:  []string{""},
			percent: 60,
			never: map[simulation.PointKind][]string{
				simulation.PointItem:     {"step.slow"},
				simulation.PointBranch:   {"decision.how chooses stop", "gate.go is not approved", "when of step.slow is true", "unless of step.install does not hold"},
				simulation.PointRollback: {"step.freeze"},
				simulation.PointCleanup:  nil,
			},
		},
		"and what goes wrong": {
			bodies: []string{
				"", "on \"decision.how\" { choose = \"stop\" }", "on \"gate.go\" { deny = [\"alice\"] }",
				"on \"step.install.unless\" { exit_code = 1 }\nfault \"step.install\" { kind = \"exit\" }",
			},
			percent: 86,
			never: map[simulation.PointKind][]string{
				simulation.PointItem: {"step.slow"}, simulation.PointBranch: {"when of step.slow is true"}, simulation.PointRollback: nil,
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var results []*simulation.TestResult
			for _, body := range tt.bodies {
				p := project(t, forked, "test \"t\" {\n  runbook = \"r\"\n"+body+"\n}\n")
				results = append(results, simulation.Test(p, p.Tests[0]))
			}
			all := simulation.CoverageOf(project(t, forked, ""), results)
			require.Len(t, all, 1)
			require.Equal(t, tt.percent, all[0].Percent())
			for kind, never := range tt.never {
				require.Equal(t, never, all[0].Never(kind), kind)
			}
		})
	}
}
