package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestPlanChange(t *testing.T) {
	t.Parallel()
	p := failover()
	p.Title, p.Owner, p.Failback, p.UpdateEveryS = "Move the shop", "sre@example.org", "move-back", 900
	p.Items = append(p.Items,
		engine.PlanItem{ID: "gate.go", Kind: runbooks.Gate, Phase: "act", Effect: runbooks.Human, Commands: []engine.PlanCommand{{Probe: "Shall it go?"}}},
		engine.PlanItem{
			ID: "step.dns", Kind: runbooks.Step, Phase: "act", Hosts: []string{"db-1"}, Effect: runbooks.Change, HasRollback: true,
			Commands: []engine.PlanCommand{{Argv: []string{"set", "b"}}, {Part: engine.PartRollback, Argv: []string{"set", "a"}}},
		},
		engine.PlanItem{ID: "step.tidy", Kind: runbooks.Step, Phase: "act", Effect: runbooks.Change, Disposition: engine.RunTime, WaitsFor: []string{"decision.way"}})
	s, out := screen()
	s.PlanChange(p, PlanOutlook{
		Runs: 3, Known: true, Takes: 4 * time.Minute, Path: []runbooks.ItemID{"check.lag", "step.promote"},
		Items: map[runbooks.ItemID]time.Duration{"check.lag": time.Minute, "step.promote": 3 * time.Minute},
	})
	got := out.String()
	for _, want := range []string{
		"# Request for change: Move the shop\n",
		"| Expected duration | 4m00s, by the median of 3 earlier runs |\n",
		"| Requested by | ________________________ |\n",
		"- stakeholders are told how it stands every 15m00s\n",
		"- **cannot be taken back:** `step.promote`.",
		"- no rollback is written: `step.tidy`\n",
		"- [ ] gate `gate.go`\n  Shall it go?\n",
		"The length is decided by check.lag (1m00s) → step.promote (3m00s).\n",
		"| 2 | act | step.promote | db-2 | IRREVERSIBLE | 3m00s |\n",
		"The runbook for the way back after success is `move-back`.\n",
		"1. `step.tidy`: stays as it is; no rollback is written\n",
		"2. `step.dns` on db-1\n\n   ```\n   $ set a\n   ```\n",
		"3. `step.promote` on db-2: **the point of no return**",
		"- [ ] approved  - [ ] approved with conditions  - [ ] refused\n",
	} {
		require.Contains(t, got, want)
	}
}

func TestPlanChangeOfAPlanThatOnlyReads(t *testing.T) {
	t.Parallel()
	p := failover()
	p.Items = p.Items[:1]
	s, out := screen()
	s.PlanChange(p, PlanOutlook{})
	for _, want := range []string{
		"not known: there is no earlier live run", "Everything is known before it starts", "Nothing is changed, so nothing goes back.", "None.\n",
	} {
		require.Contains(t, out.String(), want)
	}
}

func TestOutlook(t *testing.T) {
	t.Parallel()
	s, out := screen()
	s.Outlook(PlanOutlook{Runs: 2})
	s.Outlook(PlanOutlook{
		Runs: 1, Known: true, Takes: 90 * time.Second, Path: []runbooks.ItemID{"step.a"}, Items: map[runbooks.ItemID]time.Duration{"step.a": 90 * time.Second},
	})
	require.Equal(t, `expected duration: not known: an item of the plan was never done in 2 earlier runs
expected duration: 1m30s, by the median of 1 earlier run
decided by: step.a (1m30s)
`, out.String())
}
