package planner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/planner"
)

const fleet = `
fleet "web" {
  for_each = ["1", "2", "3", "4", "5"]
  name     = "web-${each.value}"
  address  = "10.0.1.${each.value}"
  site     = each.value == "5" ? "y" : "x"
}
`

const rolling = fleet + `
runbook "r" {
  phase "roll" {
    hosts = group.web
    rollout {
      batch        = [1, "40%"]
      parallel     = 2
      pause        = "30s"
      max_failures = [0, "20%"]
      after_batch {
        hosts = host.a
        argv  = ["errors"]
      }
    }
    gate "go" {
      question = "Go on?"
      role     = role.dba
    }
    step "drain" {
      for_each = batch
      hosts    = group.all
      argv     = ["drain", each.value.name]
    }
    step "restart" { argv = ["restart"] }
    check "ready" {
      hosts = batch
      argv  = ["ready"]
    }
    assert "small" {
      condition = length(batch) < 3
      message   = "too many"
    }
  }
}
role "dba" { members = ["alice@example.org", "bob@example.org"] }
`

func TestPlan_phaseRollout(t *testing.T) {
	t.Parallel()
	got := plan(t, rolling, nil)
	web := []string{"web-1", "web-2", "web-3", "web-4", "web-5"}
	require.Equal(t, &engine.PlanRollout{
		Hosts: web, Batches: []int{1, 2, 2}, Sizes: []string{"1", "40%"}, Parallel: 2, PauseS: 30, MaxFailures: []string{"0", "20%"}, AfterBatch: true,
	}, got.Phases[0].Rollout)
	var ids []string
	for _, i := range got.Items {
		ids = append(ids, string(i.ID))
		require.Equal(t, engine.WillRun, i.Disposition, i.ID)
		require.Equal(t, &engine.PlanRollout{Phase: true, Batches: []int{1, 2, 2}}, i.Rollout, i.ID)
	}
	require.Equal(t, []string{"gate.go", "step.drain", "step.restart", "check.ready", "assert.small", "check.after_batch"}, ids,
		"the check after a batch is the last item of the phase")
	require.Equal(t, web, got.Item("step.drain").Elements)
	require.Equal(t, []string{"a", "b"}, got.Item("step.drain").Hosts)
	require.Equal(t, web, got.Item("step.restart").Hosts)
	require.Equal(t, web, got.Item("check.ready").Hosts)
	require.Equal(t, []string{"a"}, got.Item("check.after_batch").Hosts)
	require.Len(t, got.Hosts, 8, "all of them, and the jump host")
}

// Which hosts there are is decided by an earlier check: the batches are not known, the candidates are.
func TestPlan_phaseRolloutAtRunTime(t *testing.T) {
	t.Parallel()
	got := plan(t, fleet+`
runbook "r" {
  phase "find" {
    check "old" {
      hosts = group.web
      argv  = ["version"]
    }
  }
  phase "roll" {
    hosts = [for h in group.web : h if h.site == "x" && check.old.by_host[h.name].ok]
    rollout { batch = 1 }
    step "restart" { argv = ["restart"] }
    step "drain" {
      for_each = batch
      hosts    = host.a
      argv     = ["drain", each.value.name]
    }
  }
}
`, nil)
	require.Equal(t, &engine.PlanRollout{Sizes: []string{"1"}}, got.Phases[1].Rollout)
	restart := got.Item("step.restart")
	require.Equal(t, engine.RunTime, restart.Disposition)
	require.Equal(t, []string{"check.old"}, restart.WaitsFor)
	require.Equal(t, []string{"web-1", "web-2", "web-3", "web-4"}, restart.Hosts, "less what a static filter leaves out")
	require.Equal(t, engine.RunTime, got.Item("step.drain").Disposition)
}

func TestPlan_itemRollout(t *testing.T) {
	t.Parallel()
	got := plan(t, fleet+book("step \"s\" {\n hosts = group.web\n argv = [\"true\"]\n rollout { batch = \"50%\" }\n}"), nil)
	require.Equal(t, &engine.PlanRollout{Batches: []int{3, 2}, Sizes: []string{"50%"}}, got.Item("step.s").Rollout)
	require.Nil(t, got.Phases[0].Rollout)
}

func TestPlan_emptyRollout(t *testing.T) {
	t.Parallel()
	_, ds := planner.Plan(input(t, load(t, "runbook \"r\" {\n phase \"roll\" {\n hosts = [for h in inventory : h if h.site == \"z\"]\n rollout { batch = 1 }\n wait \"a\" { duration = \"1s\" }\n }\n}\n"), nil))
	require.Len(t, ds, 1)
	require.Equal(t, "CON-B003", ds[0].Code)
}

// A step on several production hosts says how: one that is found at run time among several may well be one.
func TestPlan_productionStatesItsRollout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		item string
		want string
	}{
		"two":              {"hosts = group.prod", "CON-B008"},
		"stated":           {"hosts = group.prod\nrollout { batch = \"100%\" }", ""},
		"one of them":      {"hosts = sole([for h in group.prod : h if check.c.by_host[h.name].ok])", ""},
		"some of them":     {"hosts = [for h in group.prod : h if check.c.by_host[h.name].ok]", "CON-B008"},
		"one in the lab":   {"hosts = [host.p1, host.a, host.b]", ""},
		"skipped":          {"hosts = group.prod\nwhen = var.v == \"y\"", ""},
		"each of them":     {"for_each = group.prod\nhosts = each.value", "CON-B008"},
		"the control host": {"hosts = [control, host.p1]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := "host \"p1\" {\n address = \"10.0.2.1\"\n environment = \"production\"\n}\nhost \"p2\" {\n address = \"10.0.2.2\"\n environment = \"production\"\n}\ngroup \"prod\" { hosts = [host.p1, host.p2] }\n" +
				book("check \"c\" {\n hosts = group.prod\n argv = [\"true\"]\n}\nstep \"s\" {\n"+tt.item+"\nargv = [\"true\"]\n}")
			_, ds := planner.Plan(input(t, load(t, src), nil))
			if tt.want == "" {
				require.Empty(t, ds)
				return
			}
			require.Len(t, ds, 1)
			require.Equal(t, tt.want, ds[0].Code)
			require.NotEmpty(t, ds[0].Hint)
		})
	}
}

func TestPlan_hostsOfEachElement(t *testing.T) {
	t.Parallel()
	got := plan(t, book("step \"s\" {\n for_each = { one = host.a, two = host.b }\n hosts = each.value\n argv = [\"true\"]\n}"), nil)
	require.Equal(t, engine.WillRun, got.Item("step.s").Disposition)
	require.Equal(t, []string{"a", "b"}, got.Item("step.s").Hosts)
	require.Equal(t, []string{"one", "two"}, got.Item("step.s").Elements)
}

func TestPlan_updateEvery(t *testing.T) {
	t.Parallel()
	got := plan(t, "runbook \"r\" {\n update_every = \"30m\"\n phase \"p\" {\n wait \"a\" { duration = \"1s\" }\n }\n}\n", nil)
	require.InDelta(t, 1800, got.UpdateEveryS, 0)
}
