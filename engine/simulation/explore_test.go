package simulation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
)

const hosts = `
project "p" { environment = "lab" }
host "a" { address = "10.0.0.1" }
host "b" { address = "10.0.0.2" }
host "w1" {
  address = "10.0.1.1"
  labels  = { tier = "web" }
}
host "w2" {
  address = "10.0.1.2"
  labels  = { tier = "web" }
}
host "w3" {
  address = "10.0.1.3"
  labels  = { tier = "web" }
}
group "web" { hosts = [for h in inventory : h if try(h.labels.tier, "") == "web"] }
role "mim" { members = ["alice", "bob"] }
`

// whole is a runbook without a hole; tests cut one into it.
const whole = `
runbook "r" {
  phase "look" {
    check "ready" {
      hosts = host.b
      argv  = ["ready"]
      expect {
        condition = result.stdout == "yes"
        message   = "not ready"
      }
    }
  }
  phase "do" {
    step "freeze" {
      hosts   = host.a
      argv    = ["freeze"]
      timeout = "1m"
      verify { argv = ["is-frozen"] }
      rollback { argv = ["thaw"] }
    }
    step "promote" {
      hosts        = host.b
      argv         = ["promote"]
      timeout      = "1m"
      irreversible = true
      verify { argv = ["is-promoted"] }
    }
    step "restart" {
      hosts      = group.web
      argv       = ["restart"]
      timeout    = "1m"
      idempotent = true
      rollback { argv = ["restart"] }
    }
  }
  cleanup {
    step "tidy" {
      hosts      = host.a
      argv       = ["tidy"]
      idempotent = true
    }
  }
}
`

const soundAnswers = `
test "all is well" {
  runbook = "r"
  on "check.ready" { stdout = "yes" }
  expect { condition = run.verdict == "passed" }
}
`

func explore(t *testing.T, runbook string) *simulation.Exploration {
	t.Helper()
	p := project(t, hosts+runbook, soundAnswers)
	x, err := simulation.Explore(t.Context(), p, p.Runbook("r"), simulation.Options{})
	require.NoError(t, err)
	require.Equal(t, len(x.Cases), x.Safe+x.Held+countFound(x))
	return x
}

func countFound(x *simulation.Exploration) int {
	n := 0
	for _, c := range x.Cases {
		if len(c.Holes) > 0 {
			n++
		}
	}
	return n
}

func TestExplore_aSoundRunbookHasNoFinding(t *testing.T) {
	t.Parallel()
	x := explore(t, whole)
	for _, f := range x.Findings {
		t.Errorf("%s %s %s %s: %s\n%s", f.Code, f.Item, f.Case.Host, f.Case.Fault, f.Why, strings.Join(f.Case.Story, "\n"))
	}
	require.Equal(t, "all is well", x.Baseline)
	require.Greater(t, x.Safe, 10)
	require.Greater(t, x.Held, 3, "past the point of no return a person decides")
	seen := map[string]int{}
	for _, c := range x.Cases {
		require.NotEmpty(t, c.Story)
		seen[string(c.Item)+" "+c.Fault]++
		if c.Item == "step.restart" && c.Host != "" {
			require.Equal(t, 3, c.Alike, "three web hosts are one class")
		}
	}
	for key, n := range seen {
		require.Equal(t, 1, n, key)
	}
	for _, want := range []string{"check.ready expectation", "check.ready exit", "step.freeze lost-connection (lost)", "step.promote timeout",
		"step.promote verify exit", "step.restart host-key", "step.tidy disk-full"} {
		require.Contains(t, seen, want)
	}
}

func TestExplore_findsPlantedHolesAndTheyGoAfterTheRepair(t *testing.T) {
	t.Parallel()
	cut := func(from, to string) string {
		out := strings.Replace(whole, from, to, 1)
		if out == whole {
			panic("nothing was cut: " + from)
		}
		return out
	}
	tests := map[string]struct {
		holed string
		code  string
		about string
	}{
		"a step without a way back": {cut("rollback { argv = [\"thaw\"] }", ""), simulation.CodeNoRollback, "step.freeze"},
		"an irreversible step after a failed check": {
			cut("check \"ready\" {\n", "check \"ready\" {\n      on_failure = \"continue\"\n"), simulation.CodeIrreversibleAfterFailure, "step.promote",
		},
		"an unknown outcome that nothing can settle": {
			cut("verify { argv = [\"is-frozen\"] }", ""), simulation.CodeUnsettled, "step.freeze",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := explore(t, tt.holed)
			require.Len(t, x.Findings, 1, "%+v", x.Findings)
			f := x.Findings[0]
			require.Equal(t, tt.code, f.Code)
			require.Contains(t, f.Why, tt.about)
			require.NotEmpty(t, f.Case.Story)
		})
	}
}

func TestExplore_needsASoundRun(t *testing.T) {
	t.Parallel()
	p := project(t, hosts+whole, strings.Replace(soundAnswers, `stdout = "yes"`, `stdout = "no"`, 1))
	_, err := simulation.Explore(t.Context(), p, p.Runbook("r"), simulation.Options{})
	require.ErrorIs(t, err, simulation.ErrBaseline)
	require.ErrorContains(t, err, "not ready")
}

func TestExplore_pairs(t *testing.T) {
	t.Parallel()
	p := project(t, hosts+whole, soundAnswers)
	one, err := simulation.Explore(t.Context(), p, p.Runbook("r"), simulation.Options{})
	require.NoError(t, err)
	two, err := simulation.Explore(t.Context(), p, p.Runbook("r"), simulation.Options{Pairs: true})
	require.NoError(t, err)
	require.Greater(t, len(two.Cases), 2*len(one.Cases))
	for _, c := range two.Cases[len(one.Cases):] {
		require.NotEmpty(t, c.With)
	}
}

// gated is the whole runbook with a gate before the point of no return, in a project whose role has this many members.
func gated(members string) string {
	return strings.Replace(whole, "    step \"promote\" {\n", `    gate "go" {
      question  = "Promote?"
      role      = role.deciders
      approvals = 2
      expires   = "30m"
    }
    decision "how" {
      question = "Now?"
      role     = role.deciders
      options  = ["now", "not now"]
      stops    = ["not now"]
      expires  = "10m"
    }
    step "promote" {
`, 1) + "\nrole \"deciders\" { members = [" + members + "] }\n"
}

func TestExplore_people(t *testing.T) {
	t.Parallel()
	x := explore(t, gated(`"alice", "bob", "carol"`))
	require.Empty(t, x.Findings)
	ended := map[string]simulation.End{}
	for _, c := range x.Cases {
		ended[string(c.Item)+" "+c.Fault] = c.End
	}
	for _, want := range []string{"gate.go rejected", "gate.go expired", "gate.go wrong-approver", "decision.how rejected", "decision.how expired"} {
		require.Equal(t, simulation.Safe, ended[want], "%s: %v", want, ended)
	}

	few := explore(t, gated(`"alice", "bob"`))
	require.Len(t, few.Findings, 1)
	require.Equal(t, simulation.CodeGateOutOfReach, few.Findings[0].Code)
}

// What runs side by side would end in the same instant of simulated time: an exploration takes one order, always the same.
func TestExplore_twiceTheSame(t *testing.T) {
	t.Parallel()
	const lanes = `
runbook "r" {
  on_failure = "rollback"
  phase "move" {
    lane "one" {
      step "promote" {
        hosts        = host.a
        argv         = ["promote"]
        irreversible = true
        verify { argv = ["is-promoted"] }
      }
    }
    lane "two" {
      step "route" {
        hosts = host.b
        argv  = ["route"]
        verify { argv = ["is-routed"] }
        rollback { argv = ["route", "back"] }
      }
    }
  }
}
`
	p := project(t, hosts+lanes, "")
	first, err := simulation.Explore(t.Context(), p, p.Runbook("r"), simulation.Options{})
	require.NoError(t, err)
	require.Positive(t, first.Held)
	for range 5 {
		again, err := simulation.Explore(t.Context(), p, p.Runbook("r"), simulation.Options{})
		require.NoError(t, err)
		require.Equal(t, first.Cases, again.Cases)
	}
}
