package loader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// The check after a batch is the last item of its phase, whatever is written where, and waits for all others.
func TestLoad_afterBatch(t *testing.T) {
	t.Parallel()
	p := valid(t, `
host "a" { address = "10.0.0.1" }
runbook "r" {
  phase "one" {
    rollout {
      batch = 1
      after_batch { argv = ["up"] }
    }
    hosts = host.a
    lane "x" {
      step "s" { argv = ["s"] }
    }
    lane "y" {
      step "t" { argv = ["t"] }
    }
  }
  phase "two" {
    hosts = host.a
    rollout {
      after_batch {
        hosts = batch
        argv  = ["up", tostring(length(batch))]
      }
    }
    step "u" { argv = ["u"] }
    assert "known" { condition = check.after_batch.ok }
  }
}`)
	rb := p.Runbook("r")
	for n, id := range []runbooks.ItemID{"check.after_batch", "check.after_batch-2"} {
		ph := rb.Phases[n]
		last := ph.Items[len(ph.Items)-1]
		require.Equal(t, id, last.ID())
		require.Same(t, ph.AfterBatch, last)
		require.Nil(t, ph.Rollout.AfterBatch)
	}
	require.Equal(t, []runbooks.ItemID{"step.s", "step.t"}, rb.Item("check.after_batch").After)
	require.Same(t, rb.Phases[0].Hosts, rb.Item("check.after_batch").Hosts, "on the hosts of the batch")
}

func TestLoad_whatCannotRollOut(t *testing.T) {
	t.Parallel()
	const host = "host \"a\" { address = \"10.0.0.1\" }\n"
	for name, tt := range map[string]struct{ src, code string }{
		"its name is taken":      {`runbook "r" {; phase "p" {; hosts = host.a; rollout {; after_batch { argv = ["x"] }; }; check "after_batch" { argv = ["y"] }; }; }`, "CON-S040"},
		"refers to itself":       {`runbook "r" {; phase "p" {; hosts = host.a; rollout {; after_batch { argv = [check.after_batch.stdout] }; }; step "s" { argv = ["y"] }; }; }`, "CON-R015"},
		"what it needs is in it": {`runbook "r" {; phase "p" {; hosts = [for h in inventory : h if step.s.by_host[h.name].ok]; rollout { batch = 1 }; step "s" { argv = ["y"] }; }; }`, "CON-R013"},
		"a call that rolls out":  {`runbook "r" {; phase "p" {; hosts = host.a; rollout { batch = 1 }; call "c" { runbook = runbook.o }; }; }; runbook "o" {; phase "p" {; hosts = host.a; rollout { batch = 1 }; step "s" { argv = ["y"] }; }; }`, "CON-R023"},
		"a choice in a local":    {`runbook "r" {; locals { x = decision.d.choice == "c" }; phase "p" {; decision "d" {; question = "?"; options = ["a", "b"]; }; assert "a" { condition = local.x }; }; }`, "CON-T010"},
		"a choice of a phase":    {`runbook "r" {; phase "p" {; decision "d" {; question = "?"; options = ["a", "b"]; }; }; phase "q" {; when = decision.d.choice == "c"; wait "w" { duration = "1s" }; }; }`, "CON-T010"},
		"a cleanup that asks":    {`runbook "r" {; phase "p" {; wait "w" { duration = "1s" }; }; cleanup {; call "c" { runbook = runbook.o }; }; }; runbook "o" {; phase "p" {; decision "d" {; question = "?"; options = ["a", "b"]; }; }; }`, "CON-S034"},
		"a cleanup of a cleanup": {`runbook "r" {; phase "p" {; wait "w" { duration = "1s" }; }; cleanup {; call "c" { runbook = runbook.o }; }; }; runbook "o" {; phase "p" {; call "d" { runbook = runbook.q }; }; }; runbook "q" {; phase "p" {; step "s" {; hosts = host.a; argv = ["x"]; irreversible = true; }; }; }`, "CON-S034"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := load(t, host+strings.ReplaceAll(tt.src, "; ", "\n"), loader.Options{})
			require.NotEmpty(t, ds)
			require.Equal(t, tt.code, ds[0].Code, "%v", ds)
		})
	}
}
