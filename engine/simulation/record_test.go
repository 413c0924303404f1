package simulation_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/format"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

const varied = `
project "p" { environment = "lab" }
host "a" { address = "10.0.0.1" }
host "b" { address = "10.0.0.2" }
role "mim" { members = ["alice", "bob", "carol"] }
secret "token" { env = "TOKEN" }
runbook "r" {
  variable "limit" {
    type    = number
    default = 3
  }
  variable "note" {
    type    = string
    default = ""
  }
  mark "declared" {}
  objective "rto" {
    target = "30m"
    from   = "declared"
    to     = "done"
  }
  objective "rpo" {
    target         = "1h"
    from           = "declared"
    recovery_point = check.newest.at
  }
  phase "p" {
    on_failure = "rollback"
    check "newest" {
      hosts = host.a
      argv  = ["newest"]
      capture "at" { value = result.stdout }
    }
    check "lag" {
      hosts = [host.a, host.b]
      argv  = ["lag"]
      expect { condition = tonumber(result.stdout) < var.limit }
      poll {
        every  = "1s"
        within = "1m"
      }
    }
    check "dark" {
      tcp {
        address = "10.0.0.9:1"
        from    = host.a
        want    = "closed"
        witness = "10.0.0.8:1"
      }
    }
    gate "go" {
      question  = "Go?"
      role      = role.mim
      approvals = 2
      expires   = "1h"
    }
    decision "how" {
      question = "How?"
      role     = role.mim
      options  = ["fast", "slow"]
    }
    manual "ask" {
      instructions = "Ask."
      role         = role.mim
      people       = 2
      input "ticket" { type = string }
    }
    step "each" {
      hosts    = host.b
      for_each = ["x", "y"]
      argv     = ["do", each.value]
      expect { condition = result.stdout == "did ${each.value}" }
      rollback { argv = ["undo", each.value] }
    }
    step "slow" {
      hosts      = host.b
      argv       = ["slow"]
      idempotent = true
      retry { attempts = 3 }
      marks = ["done"]
      env   = { TOKEN = secret.token }
      rollback { argv = ["unslow"] }
    }
  }
  cleanup {
    step "tidy" {
      hosts = host.a
      argv  = ["tidy", run.id]
      expect { condition = strcontains(result.stdout, run.id) }
    }
  }
}
`

const variedGood = `
  runbook   = "r"
  variables = { limit = 5, note = "it's \"odd\" $${x} %%{y}" }
  before {
    started_at = "2026-11-21T03:00:00Z"
    marks      = { declared = "-5m" }
    incident   = "INC-1"
  }
  on "check.newest" { stdout = "2026-11-21T02:50:00Z" }
  on "check.lag" {
    stdout = ["9", "2"]
    host   = "a"
  }
  on "check.lag" { stdout = "1" }
  on "check.dark" { state = "closed" }
  on "gate.go" {
    approve = ["alice", "alice", "carol"]
    delay   = "2m"
  }
  on "decision.how" {
    choose  = "slow"
    done_by = "bob"
  }
  on "manual.ask" {
    done_by = ["bob", "carol"]
    inputs  = { ticket = "T-1" }
    delay   = "90s"
  }
  on "step.each" {
    stdout = "did x"
    key    = "0"
  }
  on "step.each" {
    stdout = "did y\nand \t more"
    key    = "1"
  }
  on "step.slow" {
    exit_code = [1, 0]
    stderr    = ["no ${"$"}{luck}", ""]
    delay     = "4s"
  }
  on "step.tidy" { stdout = "tidied simulated" }
`

// A run that is recorded, whatever happened in it, gives a test that passes unchanged, and records as itself again.
func TestRecord(t *testing.T) {
	t.Parallel()
	one := "did y\\nand \\t more"
	sound := replaced(variedGood, one, "did y")
	tests := map[string]string{
		"everything works, with polls, retries, people and elements": sound + "\nexpect { condition = startswith(run.verdict, \"passed\") }",
		"an expectation fails, and all is rolled back":               variedGood,
		"denied":                  sound + "\nfault \"gate.go\" { kind = \"rejected\" }",
		"expired":                 sound + "\nfault \"gate.go\" { kind = \"expired\" }",
		"nobody there":            replaced(sound, "delay   = \"90s\"", "silent = true"),
		"lost without a word":     sound + "\nfault \"step.each\" {\n kind = \"lost-connection\"\n started = true\n}",
		"out of reach":            sound + "\nfault \"step.each\" {\n kind = \"unreachable\"\n host = \"b\"\n}",
		"too slow":                sound + "\nfault \"step.each\" { kind = \"timeout\" }",
		"killed by a signal":      replaced(sound, "stdout = \"did x\"", "signal = \"KILL\""),
		"says a secret":           replaced(sound, "exit_code = [1, 0]", "exit_code = [1, 0]\n stdout = \"it is simulated-secret-token\""),
		"the witness is not seen": sound + "\non \"check.dark.witness\" { state = \"refused\" }",
		"the way back fails":      variedGood + "\non \"step.each.rollback\" { exit_code = 3 }",
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := project(t, varied, "test \"t\" {\n"+body+"\n}\n")
			first := simulation.Test(p, p.Tests[0])
			require.Empty(t, first.Failures)
			again := recorded(t, p, first.Ended, name == "says a secret")
			result := simulation.Test(again, again.Tests[0])
			require.Empty(t, result.Failures)
			require.Equal(t, endsOf(first.Ended), endsOf(result.Ended))
			require.Equal(t, first.Ended.Record.Objectives, result.Ended.Record.Objectives)
		})
	}
}

func replaced(s, from, to string) string {
	out := replaceOnce(s, from, to)
	if out == s {
		panic("nothing replaced: " + from)
	}
	return out
}

// recorded is the project with the test that a run gives.
func recorded(t *testing.T, p *runbooks.Project, e *simulation.Ended, secret bool) *runbooks.Project {
	t.Helper()
	store, _ := e.Artifacts.(*simtransport.Artifacts)
	rec, err := simulation.Record(p, simulation.Past{
		Record: e.Record, Events: e.Events,
		Output: func(o engine.ItemOutput) ([]byte, error) {
			if o.Artifact != "" {
				return store.Get(o.Artifact)
			}
			return []byte(o.Text), nil
		},
		Text: func(s string) (string, error) { return s, nil },
	})
	require.NoError(t, err)
	src, ds, err := format.Source("x.test.hcl", rec.Source)
	require.NoError(t, err)
	require.NoError(t, ds.Err(), string(rec.Source))
	require.NotContains(t, string(src), "simulated-secret")
	require.Equal(t, secret, strings.Contains(string(src), "[redacted:token]"))
	if secret {
		require.Contains(t, string(src), "secrets in it were not recorded")
		require.Contains(t, strings.Join(rec.Notes, "\n"), "step.slow on b: secrets in its output were not recorded")
	}
	again, ds, err := loader.LoadFS(fstest.MapFS{
		"p.hcl": &fstest.MapFile{Data: []byte(varied)}, "x.test.hcl": &fstest.MapFile{Data: src},
	}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err(), string(src))
	require.Len(t, again.Tests, 1)
	return again
}

// endsOf are the outcomes of all units and parts.
func endsOf(e *simulation.Ended) []string {
	out := []string{string(e.Record.Verdict)}
	for _, i := range e.Record.Items {
		out = append(out, string(i.Plan.ID)+" "+string(i.Outcome))
		for _, u := range i.Units {
			out = append(out, u.Key+"@"+u.Host+" "+string(u.Outcome))
			for _, x := range u.Parts {
				out = append(out, "  "+string(x.Part)+" "+string(x.Outcome))
			}
		}
	}
	slices.Sort(out)
	return out
}
