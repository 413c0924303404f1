package view

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// bigPlan has something of everything that a plan view shows.
func bigPlan() *engine.Plan {
	p := failover()
	p.Title, p.Digest = `Move "it" over`, "sha256:00"
	p.Hosts[0].Environment, p.Hosts[0].Address, p.Hosts[0].User, p.Hosts[0].Port = "production", "10.0.0.1", "ops", 2222
	p.Hosts[1].Control = true
	p.Variables = []engine.PlanVariable{{Name: "max_lag", Value: "30"}}
	p.Items[0].Disposition, p.Items[0].Expects = engine.WillRun, []string{"result.lag < 30"}
	p.Items[0].Commands = []engine.PlanCommand{{Argv: []string{"psql", "-c", "select 'x'; -- \x1b[2J"}, Known: true}}
	p.Items[1].Disposition, p.Items[1].WaitsFor, p.Items[1].HasRollback = engine.RunTime, []string{"check.lag"}, true
	p.Items[1].After, p.Items[1].Become = []runbooks.ItemID{"check.lag"}, "postgres"
	p.Items[1].Commands = []engine.PlanCommand{{Script: "set -e\none\ntwo\nthree\n"}}
	p.Items[1].When = []string{"decision.how.choice == \"promote\"", "check.lag.ok"}
	p.Items[0].Options, p.Items[0].Stops = []string{"promote", "back-out"}, []string{"back-out"}
	p.CriticalPath = []runbooks.ItemID{"check.lag", "step.promote"}
	return p
}

func TestPlanText(t *testing.T) {
	t.Parallel()
	s, out := screen()
	s.PlanText(bigPlan())
	require.Equal(t, `Plan of failover: Move "it" over
Nothing was connected to. 2 items on 2 hosts: 1 will run, 1 decided at run time; 1 read, 1 change, 0 for people.

hosts
  db-1  ops@10.0.0.1:2222  production
  db-2  this machine

variables
  max_lag = 30

objectives
  rto: within 15m00s, from declared to verified

phase assess
  will run      check.lag  on db-1
                $ psql -c 'select '\''x'\''; -- '
                options: promote, back-out (fails it)

phase act
  at run time   step.promote  on db-2; as postgres; waits for check.lag; has a rollback  IRREVERSIBLE
                only when decision.how.choice == "promote"
                only when check.lag.ok
                set -e
                one
                two
                …

point of no return: after the last of these nothing is rolled back unless a person says so: step.promote
critical path: check.lag → step.promote
digest: sha256:00
next: continuo run failover   (a dry-run: checks run, nothing changes)
`, out.String())
}

func TestPlanGraphs(t *testing.T) {
	t.Parallel()
	s, out := screen()
	s.PlanMermaid(bigPlan())
	require.Equal(t, `flowchart TD
  subgraph phase0["assess"]
    n0(["check.lag<br/>db-1"])
  end
  subgraph phase1["act"]
    n1["step.promote<br/>db-2<br/>decided at run time<br/>IRREVERSIBLE"]
  end
  n0 --> n1
  style n1 stroke-width:4px,stroke:#b00020
`, out.String())

	s, out = screen()
	s.PlanDot(bigPlan())
	require.Equal(t, `digraph "failover" {
  rankdir=TB;
  node [fontname="sans-serif"];
  subgraph cluster_0 {
    label="assess";
    n0 [label="check.lag\ndb-1", shape=ellipse];
  }
  subgraph cluster_1 {
    label="act";
    n1 [label="step.promote\ndb-2\ndecided at run time\nIRREVERSIBLE", shape=box, penwidth=3, color="#b00020"];
  }
  n0 -> n1;
}
`, out.String())
}

// TestEdges: an edge that another one implies is left out, and a phase follows the last items of the one before.
func TestEdges(t *testing.T) {
	t.Parallel()
	p := &engine.Plan{
		Phases: []engine.PlanPhase{{Items: []runbooks.ItemID{"a", "b", "c"}}, {Items: []runbooks.ItemID{"d"}}},
		Items: []engine.PlanItem{
			{ID: "a"}, {ID: "b", After: []runbooks.ItemID{"a"}}, {ID: "c", After: []runbooks.ItemID{"a", "b"}}, {ID: "d"},
		},
	}
	require.Equal(t, [][2]runbooks.ItemID{{"a", "b"}, {"b", "c"}, {"c", "d"}}, edges(p))
}

func TestPlanMarkdown(t *testing.T) {
	t.Parallel()
	s, out := screen()
	p := bigPlan()
	p.Items[0].Title = "look *here* | now"
	s.PlanMarkdown(p)
	text := out.String()
	require.Contains(t, text, "- [ ] **check.lag**: look \\*here\\* | now on db-1\n  started ________  ended ________  by ________\n")
	require.Contains(t, text, "  ```\n  set -e\n  one\n  two\n  three\n  ```\n", "on paper every line is needed")
	require.Contains(t, text, "| rto | within 15m00s, from declared to verified | | | |\n")
	require.Contains(t, text, "**IRREVERSIBLE**")
	require.NotContains(t, text, "\x1b")
	require.Equal(t, "`````", fenceFor([]string{"a ```` b"}))
}

func TestLiveWarning(t *testing.T) {
	t.Parallel()
	s, out := screen()
	s.LiveWarning(bigPlan())
	require.Equal(t, `
LIVE failover: Move "it" over
  hosts         2: 1 production, 1 control
  items         2, 1 of them change something, 0 are for people
  IRREVERSIBLE  step.promote
  plan          sha256:00
`, out.String())
}
