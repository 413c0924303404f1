package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func ptr[T any](v T) *T { return &v }

func after(ids ...string) []runbooks.ItemID {
	out := []runbooks.ItemID{}
	for _, id := range ids {
		out = append(out, runbooks.ItemID(id))
	}
	return out
}

func argv(words ...string) []engine.PlanCommand {
	return []engine.PlanCommand{{Argv: words, Known: true}}
}

// failoverPlan is a small failover with three objectives.
func failoverPlan() *engine.Plan {
	db := []string{"db-b1"}
	p := &engine.Plan{
		Schema: engine.PlanSchema, Runbook: "payments-failover", Project: "payments", Digest: "sha256:" + digest("plan"),
		Title: "Fail the payments database over to site B", Service: "payments", Owner: "payments-sre@example.org",
		Version: "2.1.0", Timezone: "Europe/London",
		Scenario:  &engine.PlanScenario{Title: "Loss of site A", Severity: "severe", Assumptions: []string{"site B has power and transit"}},
		Variables: []engine.PlanVariable{{Name: "max_lag", Value: "30"}, {Name: "token", Value: "(sensitive)", Sensitive: true}},
		Hosts: []engine.PlanHost{
			{Name: "db-b1", Address: "10.2.0.11", Site: "b", Environment: "staging", CI: "CI-20417", Owner: "payments-sre@example.org", Via: "bastion"},
			{Name: "app-b1", Address: "10.2.0.12", Site: "b", Environment: "staging", Via: "bastion"},
			{Name: "app-b2", Address: "10.2.0.13", Site: "b", Environment: "staging", Via: "bastion"},
		},
		Goals: []engine.PlanObjective{
			{Name: "rto", Kind: engine.GoalElapsed, TargetS: ptr(900.0), From: "declared", To: "verified"},
			{Name: "rpo", Kind: engine.GoalRecoveryPoint, TargetS: ptr(60.0), From: "disruption"},
			{Name: "rows-lost", Kind: engine.GoalMeasured, AtMost: ptr(0.0)},
		},
		Phases: []engine.PlanPhase{
			{Name: "assess", Items: after("check.replication", "check.disk")},
			{Name: "fail over", Title: "Promote the standby and move the writers", Owner: "database team",
				Items: after("step.freeze", "step.promote", "step.repoint", "wait.settle", "manual.smoke", "check.rows")},
			{Name: runbooks.CleanupPhase, Items: after("step.release-lock")},
		},
	}
	add := func(i engine.PlanItem) { p.Items = append(p.Items, i) }
	add(engine.PlanItem{ID: "check.replication", Kind: runbooks.Check, Phase: "assess", Hosts: db, Effect: runbooks.Read,
		Title: "The standby is close behind", Expects: []string{"result.lag <= var.max_lag"},
		Commands: argv("psql", "-XAtqc", "select lag_seconds, replayed_at from ops.replication")})
	add(engine.PlanItem{ID: "check.disk", Kind: runbooks.Check, Phase: "assess", Hosts: []string{"db-b1", "app-b1", "app-b2"},
		Effect: runbooks.Read, After: after("check.replication"), Commands: argv("df", "-P", "/var")})
	add(engine.PlanItem{ID: "step.freeze", Kind: runbooks.Step, Phase: "fail over", Hosts: []string{"app-b1"}, Effect: runbooks.Change,
		HasRollback: true, Commands: argv("systemctl", "stop", "payments-writer")})
	add(engine.PlanItem{ID: "step.promote", Kind: runbooks.Step, Phase: "fail over", Hosts: db, Effect: runbooks.Change, Irreversible: true,
		After: after("step.freeze"), Commands: argv("pg_ctlcluster", "15", "main", "promote"), Become: "postgres"})
	add(engine.PlanItem{ID: "step.repoint", Kind: runbooks.Step, Phase: "fail over", Hosts: []string{"app-b1"}, Effect: runbooks.Change,
		After: after("step.promote"), Commands: []engine.PlanCommand{{Script: "sed -i 's/db-a1/db-b1/' /etc/payments.conf\nsystemctl start payments-writer\n", Known: true}}})
	add(engine.PlanItem{ID: "wait.settle", Kind: runbooks.Wait, Phase: "fail over", Effect: runbooks.None, After: after("step.repoint"),
		Commands: []engine.PlanCommand{{Probe: "10s", Known: true}}})
	add(engine.PlanItem{ID: "manual.smoke", Kind: runbooks.Manual, Phase: "fail over", Effect: runbooks.Human, Owner: "service desk",
		After: after("wait.settle"), Marks: []string{"verified"}, Commands: []engine.PlanCommand{{Known: true,
			Probe: "# Smoke test\n\nPay **one penny** in the [portal](https://pay.example.org).\n\n1. log in\n2. pay\n\nSee ![logo](https://evil.example/x.png) and <b>look</b>.\n\n<script>alert(1)</script>"}}})
	add(engine.PlanItem{ID: "check.rows", Kind: runbooks.Check, Phase: "fail over", Hosts: db, Effect: runbooks.Read,
		After: after("manual.smoke"), Expects: []string{"result.missing == 0"}, Commands: argv("psql", "-XAtqc", "select ops.missing_rows()")})
	add(engine.PlanItem{ID: "step.release-lock", Kind: runbooks.Step, Phase: runbooks.CleanupPhase, Hosts: db, Effect: runbooks.Change,
		Commands: argv("rm", "-f", "/run/lock/failover")})
	return p
}

const lagQuery = `psql -XAtqc 'select lag_seconds, replayed_at from ops.replication'`

func (s *story) assess(lag string) *story {
	s.check("check.replication", lagQuery, []string{"db-b1"}, func(int) result {
		return result{took: 412 * time.Millisecond, stdout: lag + "|2026-06-13T01:29:48Z\n",
			captures: []engine.Captured{{Name: "lag", Value: lag}, {Name: "replayed_at", Value: "2026-06-13T01:29:48Z"}},
			expects:  []engine.Expectation{{Condition: "result.lag <= var.max_lag", Result: "holds", Observed: lag + " <= 30"}}}
	})
	return s.check("check.disk", "df -P /var", []string{"db-b1", "app-b1", "app-b2"}, func(n int) result {
		return result{took: time.Duration(90+n*20) * time.Millisecond,
			stdout: "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 41152736 9213100 30017492 24% /\n"}
	})
}

// passedDrill is a live run in which everything holds and three objectives are measured.
func passedDrill(tb testing.TB) *story {
	tb.Helper()
	s := newStory(engine.Live, failoverPlan()).wait(900*time.Millisecond).connect("db-b1", "app-b1", "app-b2")
	s.mark("disruption", engine.MarkByOperator, sampleStart)
	s.mark("declared", engine.MarkByItem, s.now()).wait(300 * time.Millisecond)
	s.assess("12")
	s.step("step.freeze", "systemctl stop payments-writer", "app-b1", result{took: 2100 * time.Millisecond})
	s.step("step.promote", "pg_ctlcluster 15 main promote", "db-b1", result{took: 6400 * time.Millisecond, stdout: "server promoted\n"})
	s.step("step.repoint", "sed -i 's/db-a1/db-b1/' /etc/payments.conf\nsystemctl start payments-writer\n", "app-b1", result{took: 3300 * time.Millisecond})
	s.say(&engine.ItemStarted{Item: "wait.settle"}).wait(10*time.Second).never("wait.settle", engine.Succeeded, "", "")
	s.manual("manual.smoke", "erin@example.org", "Receipt 88-1 received.", 94*time.Second)
	s.mark("verified", engine.MarkByItem, s.now())
	s.say(&engine.ObjectiveMeasured{Objective: "rpo", RecoveryPoint: sampleStart.Add(-12 * time.Second)},
		&engine.ObjectiveMeasured{Objective: "rows-lost", Value: ptr(0.0)})
	s.check("check.rows", "psql -XAtqc 'select ops.missing_rows()'", []string{"db-b1"}, func(int) result {
		return result{took: 1900 * time.Millisecond, stdout: "0\n", captures: []engine.Captured{{Name: "missing", Value: "0"}},
			expects: []engine.Expectation{{Condition: "result.missing == 0", Result: "holds", Observed: "0 == 0"}}}
	})
	return s.cleanup().closed(tb)
}

func (s *story) cleanup() *story {
	s.say(&engine.CleanupStarted{Items: 1})
	s.step("step.release-lock", "rm -f /run/lock/failover", "db-b1", result{took: 150 * time.Millisecond})
	return s.say(&engine.CleanupEnded{})
}

// failedDrill has a retry, a lost connection that nobody settled, a wrong password in hostile bytes, and items that were not reached.
func failedDrill(tb testing.TB) *story {
	tb.Helper()
	s := newStory(engine.Live, failoverPlan()).wait(900*time.Millisecond).connect("db-b1", "app-b1", "app-b2")
	s.mark("declared", engine.MarkByOperator, sampleStart.Add(-4*time.Minute))
	s.assess("28")
	s.step("step.freeze", "systemctl stop payments-writer", "app-b1",
		result{took: 1200 * time.Millisecond, outcome: engine.Failed, exit: 1, cause: "exit", reason: "exit code 1", stderr: "Job for payments-writer.service canceled.\n"},
		result{took: 2100 * time.Millisecond})
	s.step("step.promote", "pg_ctlcluster 15 main promote", "db-b1", result{took: 31 * time.Second, outcome: engine.Unknown,
		cause: "lost-connection", reason: "connection lost after the launch; no result was found afterwards",
		stdout: "waiting for server to promote\x1b[31m ....\x1b[0m\u202e dehsinif\n<script>alert('x')</script>\n"})
	for _, id := range []string{"step.repoint", "wait.settle", "manual.smoke", "check.rows"} {
		s.never(id, engine.NotReached, "stopped", "step.promote is unknown")
	}
	s.say(&engine.OperatorAction{Action: engine.ActionAbort, By: "carol@example.org", Reason: "promotion cannot be confirmed"})
	return s.cleanup().closed(tb)
}

// rolledBackDrill fails after the freeze and goes back.
func rolledBackDrill(tb testing.TB) *story {
	tb.Helper()
	s := newStory(engine.Live, failoverPlan()).wait(900*time.Millisecond).connect("db-b1", "app-b1", "app-b2").assess("12")
	s.step("step.freeze", "systemctl stop payments-writer", "app-b1", result{took: 2100 * time.Millisecond})
	s.step("step.promote", "pg_ctlcluster 15 main promote", "db-b1", result{took: 400 * time.Millisecond, outcome: engine.Failed, exit: 2,
		cause: "exit", reason: "exit code 2", stderr: "Error: cluster is not a standby\n"})
	for _, id := range []string{"step.repoint", "wait.settle", "manual.smoke", "check.rows"} {
		s.never(id, engine.NotReached, "stopped", "step.promote failed")
	}
	freeze, promote := engine.Unit{Item: "step.freeze", Host: "app-b1"}, engine.Unit{Item: "step.promote", Host: "db-b1"}
	id := engine.NewAttemptID("n", "step.freeze", engine.PartRollback, "", "app-b1", 1)
	s.say(&engine.RollbackStarted{Reason: "step.promote failed", By: "carol@example.org", Units: 2}, &engine.ItemIntent{Unit: freeze,
		Part: engine.PartRollback, Attempt: 1, AttemptID: id, User: "recovery", Command: "systemctl start payments-writer", Transport: "durable"})
	s.wait(1800 * time.Millisecond).say(&engine.ItemOutcome{Unit: freeze, Part: engine.PartRollback, Attempt: 1, AttemptID: id,
		Outcome: engine.Succeeded, ExitCode: ptr(0), DurationNS: 1800 * time.Millisecond})
	s.say(&engine.RollbackEnded{Done: []engine.Unit{freeze}, Left: []engine.Unit{promote}})
	return s.cleanup().closed(tb)
}

// readyDryRun is a dry-run that a tolerated host leaves with a gap.
func readyDryRun(tb testing.TB) *story {
	tb.Helper()
	s := newStory(engine.DryRun, failoverPlan()).wait(700*time.Millisecond).connect("db-b1", "app-b1", "app-b2")
	s.check("check.replication", lagQuery, []string{"db-b1"}, func(int) result {
		return result{took: 388 * time.Millisecond, stdout: "3|2026-06-13T01:29:57Z\n", captures: []engine.Captured{{Name: "lag", Value: "3"}},
			expects: []engine.Expectation{{Condition: "result.lag <= var.max_lag", Result: "holds", Observed: "3 <= 30"}}}
	})
	s.check("check.disk", "df -P /var", []string{"db-b1", "app-b1", "app-b2"}, func(n int) result {
		if n == 2 {
			return result{outcome: engine.Unreachable, cause: engine.CauseTolerated, reason: "dial app-b2 (10.2.0.13:22): no route to host"}
		}
		return result{took: 90 * time.Millisecond, stdout: "/dev/vda1 41152736 9213100 30017492 24% /\n"}
	})
	for _, id := range []string{"step.freeze", "step.promote", "step.repoint", "step.release-lock"} {
		s.never(id, engine.NotExercised, engine.CauseDryRun, "a dry-run executes no step")
	}
	s.never("wait.settle", engine.NotExercised, engine.CauseDryRun, "a dry-run does not wait")
	s.never("manual.smoke", engine.NotExercised, engine.CauseDryRun, "a dry-run asks nobody")
	s.never("check.rows", engine.NotExercised, "expression", "its inputs come from a step")
	return s.closed(tb)
}

// fleetDrill patches a hundred hosts; three of them fail.
func fleetDrill(tb testing.TB) *story {
	tb.Helper()
	p := &engine.Plan{Schema: engine.PlanSchema, Runbook: "fleet-restart", Project: "web", Title: "Restart the web fleet", Timezone: "UTC",
		Phases: []engine.PlanPhase{{Name: "restart"}}}
	var hosts []string
	for n := range 100 {
		name := fmt.Sprintf("web-%03d", n+1)
		hosts = append(hosts, name)
		p.Hosts = append(p.Hosts, engine.PlanHost{Name: name, Address: fmt.Sprintf("10.9.0.%d", n+1), Environment: "lab"})
	}
	for n := range 10 {
		id := fmt.Sprintf("check.health-%02d", n+1)
		i := engine.PlanItem{ID: runbooks.ItemID(id), Kind: runbooks.Check, Phase: "restart", Hosts: hosts, Effect: runbooks.Read,
			Expects: []string{"result.exit_code == 0", `startswith(result.stdout, "ok")`}}
		if n > 0 {
			i.After = after(fmt.Sprintf("check.health-%02d", n))
		}
		p.Items = append(p.Items, i)
		p.Phases[0].Items = append(p.Phases[0].Items, i.ID)
	}
	s := newStory(engine.Live, p).wait(2 * time.Second)
	s.say(&engine.HostConnected{Host: "web-001", Address: "10.9.0.1:22", User: "ops", HostKey: "SHA256:abc", Legacy: []string{"ssh-rsa"}})
	for n := range 10 {
		s.check(fmt.Sprintf("check.health-%02d", n+1), "curl -fsS http://127.0.0.1/health", hosts, func(h int) result {
			r := result{took: time.Duration(80+h*7) * time.Millisecond, stdout: "ok " + strings.Repeat("x", h%5) + "\n",
				expects: []engine.Expectation{{Condition: "result.exit_code == 0", Result: "holds", Observed: "0 == 0"},
					{Condition: `startswith(result.stdout, "ok")`, Result: "holds", Observed: "true"}}}
			if n == 4 && h >= 40 && h < 43 {
				r.outcome, r.exit, r.cause, r.reason = engine.Failed, 22, "exit", "exit code 22"
				r.stdout, r.stderr = "", "curl: (22) The requested URL returned error: 503\n"
				r.expects[0].Result, r.expects[0].Observed, r.expects[0].Message = "fails", "22 == 0", "the health page does not answer"
				r.expects = r.expects[:1]
			}
			return r
		})
	}
	return s.closed(tb)
}

// longDrill has n items in phases of twenty-five.
func longDrill(tb testing.TB, n int) *story {
	tb.Helper()
	p := &engine.Plan{Schema: engine.PlanSchema, Runbook: "long", Project: "long", Title: "A long procedure", Timezone: "Asia/Kolkata",
		Hosts: []engine.PlanHost{{Name: "h1"}}}
	for k := range n {
		phase := fmt.Sprintf("part %d", k/25+1)
		id := runbooks.ItemID(fmt.Sprintf("step.number-%03d", k+1))
		i := engine.PlanItem{ID: id, Kind: runbooks.Step, Phase: phase, Hosts: []string{"h1"}, Effect: runbooks.Change}
		if k%25 == 0 {
			p.Phases = append(p.Phases, engine.PlanPhase{Name: phase})
		}
		last := &p.Phases[len(p.Phases)-1]
		if len(last.Items) > 0 {
			i.After = last.Items[len(last.Items)-1:]
		}
		last.Items = append(last.Items, id)
		p.Items = append(p.Items, i)
	}
	s := newStory(engine.Live, p)
	for k := range n {
		s.step(fmt.Sprintf("step.number-%03d", k+1), "true", "h1", result{took: time.Duration(500+(k*7919)%9000) * time.Millisecond})
	}
	return s.closed(tb)
}

func samples(tb testing.TB) map[string]*story {
	tb.Helper()
	return map[string]*story{
		"passed": passedDrill(tb), "failed": failedDrill(tb), "dry-run": readyDryRun(tb), "rolled-back": rolledBackDrill(tb), "fleet": fleetDrill(tb), "long": longDrill(tb, 70),
	}
}
