package view

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// screen is a Screen without a terminal whose text can be read.
func screen() (*Screen, *bytes.Buffer) {
	var b bytes.Buffer
	return NewScreen(&b, Options{Color: "never", Zone: time.UTC}), &b
}

func failover() *engine.Plan {
	target := 900.0
	return &engine.Plan{
		Runbook: "failover", Hosts: []engine.PlanHost{{Name: "db-1"}, {Name: "db-2"}},
		Goals:  []engine.PlanObjective{{Name: "rto", Kind: "elapsed", TargetS: &target, From: "declared", To: "verified"}},
		Phases: []engine.PlanPhase{{Name: "assess", Items: []runbooks.ItemID{"check.lag"}}, {Name: "act", Items: []runbooks.ItemID{"step.promote"}}},
		Items: []engine.PlanItem{
			{ID: "check.lag", Kind: runbooks.Check, Phase: "assess", Hosts: []string{"db-1"}, Effect: runbooks.Read},
			{ID: "step.promote", Kind: runbooks.Step, Phase: "act", Hosts: []string{"db-2"}, Effect: runbooks.Change, Irreversible: true},
		},
	}
}

// play prints events one second apart.
func play(plan *engine.Plan, mode engine.Mode, payloads ...engine.Payload) string {
	s, out := screen()
	p := NewProgress(s, plan, mode)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for n, v := range payloads {
		p.Event(engine.Event{Seq: uint64(n), Time: at.Add(time.Duration(n) * time.Second), Mode: mode, Payload: v})
	}
	return out.String()
}

func code(n int) *int { return &n }

func TestProgress(t *testing.T) {
	t.Parallel()
	lag := engine.Unit{Item: "check.lag", Host: "db-1"}
	promote := engine.Unit{Item: "step.promote", Host: "db-2"}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := play(failover(), engine.Live,
		&engine.RunOpened{Run: "r1", Runbook: "failover", Items: 2, Hosts: 2},
		&engine.MarkSet{Mark: "declared", At: start, Source: "operator"},
		&engine.ItemStarted{Item: "check.lag", Hosts: []string{"db-1"}},
		&engine.ItemOutcome{
			Unit: lag, Outcome: engine.Succeeded, DurationNS: 210 * time.Millisecond,
			Captures: []engine.Captured{{Name: "lag", Value: "3"}, {Name: "pw", Sensitive: true}},
		},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "check.lag"}, Outcome: engine.Succeeded},
		&engine.ItemStarted{Item: "step.promote", Hosts: []string{"db-2"}},
		&engine.ItemIntent{Unit: promote, Part: engine.PartCommand, Attempt: 1},
		&engine.ItemOutput{Unit: promote, Stream: "stderr", Text: "a\nb\nc\nd\ne\n\x1b[31mno standby\x1b[0m\n", Size: 20},
		&engine.ItemOutcome{Unit: promote, Part: engine.PartCommand, AttemptID: "x", Outcome: engine.Failed, ExitCode: code(1)},
		&engine.ItemOutcome{Unit: promote, Outcome: engine.Failed, DurationNS: 2 * time.Second, ExitCode: code(1)},
		&engine.CleanupStarted{Items: 1},
		&engine.RunClosed{Verdict: engine.VerdictFailed, Reason: "step.promote failed"},
	)
	require.Equal(t, `03:04:05 LIVE run r1 of failover begins: 2 items, 2 hosts
03:04:06 LIVE mark declared set at 03:04:05  [rto 1.0 s of 15m00s]
03:04:07 LIVE phase assess  [rto 2.0 s of 15m00s]
03:04:08 LIVE ok            check.lag on db-1 in 210 ms  [rto 3.0 s of 15m00s]
           lag = 3, pw = (sensitive)
03:04:10 LIVE phase act  [rto 5.0 s of 15m00s]
03:04:10 LIVE starts        step.promote on db-2 (IRREVERSIBLE)  [rto 5.0 s of 15m00s]
03:04:14 LIVE FAILED        step.promote on db-2 in 2.0 s: exit code 1  [rto 9.0 s of 15m00s]
           stderr| b
           stderr| c
           stderr| d
           stderr| e
           stderr| no standby
03:04:15 LIVE cleanup: 1 item, whatever happened before  [rto 10.0 s of 15m00s]
03:04:16 LIVE ends: failed, step.promote failed  [rto 11.0 s of 15m00s]
`, got)
}

func TestProgressCountsManyHosts(t *testing.T) {
	t.Parallel()
	var hosts []string
	events := []engine.Payload{}
	for n := range 100 {
		hosts = append(hosts, fmt.Sprintf("web-%d", n))
	}
	plan := &engine.Plan{Items: []engine.PlanItem{{ID: "step.restart", Phase: "p", Effect: runbooks.Change, Hosts: hosts}}}
	events = append(events, &engine.ItemStarted{Item: "step.restart", Hosts: hosts})
	for n, h := range hosts {
		o := &engine.ItemOutcome{Unit: engine.Unit{Item: "step.restart", Host: h}, Outcome: engine.Succeeded}
		if n == 41 {
			o.Outcome, o.Reason = engine.Unreachable, "dial: no route to host"
		}
		events = append(events, o)
	}
	events = append(events, &engine.ItemOutcome{
		Unit: engine.Unit{Item: "step.restart"}, Outcome: engine.Failed, Hosts: &engine.HostCount{Expected: 100, Reached: 99, Done: 99},
	})
	require.Equal(t, `03:04:05 DRY RUN phase p
03:04:05 DRY RUN starts        step.restart on 100 hosts
03:04:47 DRY RUN UNREACHABLE   step.restart on web-41: dial: no route to host
03:05:46 DRY RUN FAILED        step.restart: 99 of 100 hosts done
`, play(plan, engine.DryRun, events...))
}

func TestProgressSaysMissed(t *testing.T) {
	t.Parallel()
	plan := failover()
	target := 1.0
	plan.Goals[0].TargetS = &target
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := play(plan, engine.Live,
		&engine.MarkSet{Mark: "declared", At: start},
		&engine.RunInterrupted{Reason: "left"},
		&engine.RunResumed{By: "op"},
		&engine.MarkSet{Mark: "verified", At: start.Add(3 * time.Second)},
		&engine.RunClosed{Verdict: engine.PassedWithDeviations},
	)
	require.Contains(t, got, "03:04:07 LIVE taken up again by op  [rto 2.0 s of 1.0 s MISSED]\n")
	require.Contains(t, got, "03:04:09 LIVE ends: passed-with-deviations\n", "an objective that has its end is not shown any more")
}

// TestProgressKnowsEveryEvent: an event type that prints nothing must be on the list of those that a person does not
// need, so that a new type is not forgotten.
func TestProgressKnowsEveryEvent(t *testing.T) {
	t.Parallel()
	quiet := map[string]bool{
		"host.connected": true, "item.intent": true, "item.output": true, "item.started": true, "cleanup.started": true,
		"cleanup.ended": true, "objective.measured": true,
	}
	for name, p := range engine.PayloadTypes() {
		if out := play(&engine.Plan{}, engine.Live, p); !quiet[name] {
			require.NotEmpty(t, out, "%s prints nothing", name)
		}
	}
}
