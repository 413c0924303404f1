package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func item(tb testing.TB, r *report.Report, id string) *report.Item {
	tb.Helper()
	for n := range r.Items {
		if string(r.Items[n].ID) == id {
			return &r.Items[n]
		}
	}
	require.Fail(tb, "no such item", id)
	return nil
}

func TestBuild_passedDrill(t *testing.T) {
	t.Parallel()
	r := passedDrill(t).report(t)
	require.Equal(t, engine.Passed, r.Verdict.Verdict, r.Verdict.Rule)
	require.True(t, r.Verdict.Closed)
	require.Equal(t, "Europe/London", r.Timezone)
	require.Empty(t, r.Failures)
	require.Empty(t, r.NotExecuted)
	require.Empty(t, r.Limits)
	require.Equal(t, r.Run.Elapsed, r.Run.Machine+r.Run.People+r.Run.Waiting)
	require.Equal(t, 94*time.Second, r.Run.People.Duration())
	require.Len(t, r.Digests, 4)

	require.Len(t, r.Objectives, 3)
	rto, rpo, rows := r.Objectives[0], r.Objectives[1], r.Objectives[2]
	require.Equal(t, 116642*time.Millisecond, rto.Achieved.Duration())
	require.Equal(t, "monotonic", rto.Clock)
	require.Empty(t, rto.ByHand)
	require.Equal(t, 12*time.Second, rpo.Achieved.Duration())
	require.Equal(t, []string{"disruption"}, rpo.ByHand)
	require.Nil(t, rows.Achieved, "a value is no length")
	require.Zero(t, *rows.Value)
	for _, o := range r.Objectives {
		require.True(t, *o.Met, o.Name)
	}
	step := item(t, r, "step.promote")
	require.True(t, step.Irreversible)
	require.Equal(t, "postgres", step.Units[0].Become)
	require.Equal(t, "durable", step.Units[0].Transport)
	require.Equal(t, "pg_ctlcluster 15 main promote", step.Units[0].Command)
	require.Equal(t, "erin@example.org", item(t, r, "manual.smoke").Manual.By)
	require.Equal(t, report.PeopleTime, item(t, r, "manual.smoke").Time)
	require.Equal(t, report.WaitingTime, item(t, r, "wait.settle").Time)
}

func TestBuild_criticalPathIsWhatDecidedTheLength(t *testing.T) {
	t.Parallel()
	p := &engine.Plan{Runbook: "r", Phases: []engine.PlanPhase{{Name: "a", Items: after("step.long", "step.short")}, {Name: "b", Items: after("step.last")}}}
	for _, id := range []string{"step.long", "step.short", "step.last"} {
		phase := "a"
		if id == "step.last" {
			phase = "b"
		}
		p.Items = append(p.Items, engine.PlanItem{ID: runbooks.ItemID(id), Kind: runbooks.Step, Phase: phase, Effect: runbooks.Change})
	}
	s := newStory(engine.Live, p)
	outcome := func(id string) { s.never(id, engine.Succeeded, "", "") }
	s.say(&engine.ItemStarted{Item: "step.long"}, &engine.ItemStarted{Item: "step.short"})
	s.wait(time.Second)
	outcome("step.short")
	s.wait(9 * time.Second)
	outcome("step.long")
	s.say(&engine.ItemStarted{Item: "step.last"}).wait(time.Second)
	outcome("step.last")
	r := s.closed(t).report(t)
	require.True(t, item(t, r, "step.long").Critical)
	require.False(t, item(t, r, "step.short").Critical)
	require.True(t, item(t, r, "step.last").Critical)
}

func TestBuild_failedDrill(t *testing.T) {
	t.Parallel()
	r := failedDrill(t).report(t)
	require.Equal(t, engine.Incomplete, r.Verdict.Verdict)
	require.Equal(t, 1, r.Unknown)
	require.Equal(t, []report.Failure{{Item: "step.promote", Host: "db-b1", Outcome: engine.Unknown,
		Reason: "connection lost after the launch; no result was found afterwards"}}, r.Failures)
	var not []string
	for _, n := range r.NotExecuted {
		not = append(not, string(n.Item))
		require.Equal(t, "step.promote is unknown", n.Why)
	}
	require.Equal(t, []string{"step.repoint", "wait.settle", "manual.smoke", "check.rows"}, not)
	for _, o := range r.Objectives {
		require.Nil(t, o.Achieved, "never filled in")
		require.Nil(t, o.Met)
		require.NotEmpty(t, o.Problem)
	}
	require.Nil(t, item(t, r, "step.repoint").Took)
	require.Len(t, item(t, r, "step.freeze").Units[0].Parts, 2)
	page := asHTML(t, r)
	require.Contains(t, page, "not measured</span>, because mark &#34;verified&#34; was not set")
	require.Contains(t, page, "Attempt 1: failed, exit code 1.")
}

func TestBuild_intentWithoutAnOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	s := newStory(engine.Live, failoverPlan())
	s.say(&engine.ItemStarted{Item: "step.promote", Hosts: []string{"db-b1"}}, &engine.ItemIntent{
		Unit: engine.Unit{Item: "step.promote", Host: "db-b1"}, Part: engine.PartCommand, Attempt: 1, AttemptID: "a", Command: "promote"})
	r := s.report(t)
	require.Equal(t, engine.Unknown, item(t, r, "step.promote").Units[0].Outcome)
	require.Len(t, r.Failures, 1)
	require.Contains(t, asHTML(t, r), "The run is not closed.")
	require.Contains(t, strings.Join(r.Limits, " "), "not closed")
	require.Equal(t, "the record ends before its turn came", r.NotExecuted[0].Why)
}

func TestBuild_claimedVerdictThatIsNotTheRecords(t *testing.T) {
	t.Parallel()
	s := failedDrill(t)
	last, ok := s.events[len(s.events)-1].Payload.(*engine.RunClosed)
	require.True(t, ok)
	last.Verdict = engine.Passed
	r := s.report(t)
	require.Equal(t, engine.Incomplete, r.Verdict.Verdict)
	require.Contains(t, asHTML(t, r), "claims another verdict: passed.")
	require.Contains(t, asMarkdown(t, r), "claims another verdict: passed.")
}

func TestBuild_dryRunListsGapsBeforeWhatNoDryRunDoes(t *testing.T) {
	t.Parallel()
	r := readyDryRun(t).report(t)
	require.Equal(t, engine.ReadyWithGaps, r.Verdict.Verdict, r.Verdict.Rule)
	require.True(t, r.NotExecuted[0].Gap)
	require.Equal(t, "app-b2", r.NotExecuted[0].Host)
	require.True(t, r.NotExecuted[1].Gap)
	require.Equal(t, runbooks.ItemID("check.rows"), r.NotExecuted[1].Item)
	for _, n := range r.NotExecuted[2:] {
		require.False(t, n.Gap, n.Item)
	}
	require.True(t, r.Failures[0].Tolerated)
}

func TestBuild_independenceIsComputed(t *testing.T) {
	t.Parallel()
	answers := func(signed ...report.Signed) []string {
		r, err := report.Build(passedDrill(t).record(t), report.Options{Signed: signed})
		require.NoError(t, err)
		var out []string
		for _, s := range r.People.Independence {
			out = append(out, s.Answer)
		}
		return out
	}
	require.Equal(t, []string{"the plan asks for no approval", "not reviewed when this report was made"}, answers())
	require.Equal(t, []string{"yes", "yes", "yes", "yes"}, answers( // the last: owner and reviewer
		report.Signed{Kind: "approval", Principal: "alice@example.org", Verified: true},
		report.Signed{Kind: "review", Principal: "rita@example.org", Verified: true}))
	require.Equal(t, []string{"the plan asks for no approval", "no: Carol@example.org was both", "yes"}, answers(
		report.Signed{Kind: "review", Principal: "Carol@example.org", Verified: true}))
}

func TestBuild_commentaryAndWhatWasTakenBack(t *testing.T) {
	t.Parallel()
	r, err := report.Build(passedDrill(t).record(t), report.Options{Signed: []report.Signed{
		{Kind: "review", Principal: "rita@example.org", Verified: false, Problem: "withdrawn by its author in after/0003-withdrawal.txt"},
		{Kind: "addendum", Role: "author", Principal: "ann@example.org", Verified: true, Path: "after/0002-addendum.txt",
			Text: "The lag was <b>high</b>.\n\nNext time: | first."},
	}})
	require.NoError(t, err)
	require.Empty(t, r.People.Reviewers, "a review that was taken back is none")
	require.Contains(t, asHTML(t, r), "<div class=\"said\">The lag was &lt;b&gt;high&lt;/b&gt;.\n\nNext time: | first.</div><code>after/0002-addendum.txt</code>")
	require.Contains(t, asHTML(t, r), "withdrawn by its author in after/0003-withdrawal.txt")
	require.Contains(t, asMarkdown(t, r), "The lag was \\<b\\>high\\</b\\>.<br><br>Next time: \\| first.")
}

func TestBuild_operatorsAreAllWhoSteered(t *testing.T) {
	t.Parallel()
	s := newStory(engine.Live, failoverPlan())
	s.say(&engine.RunResumed{By: "bob@example.org"},
		&engine.OperatorAction{Action: engine.ActionPause, By: "dan@example.org"},
		&engine.OperatorAction{Action: engine.ActionNote, By: "eve@example.org", Reason: "only watching"})
	require.Equal(t, []string{"carol@example.org", "bob@example.org", "dan@example.org"}, s.report(t).People.Operators)
}

func TestBuild_refuses(t *testing.T) {
	t.Parallel()
	_, err := report.Build(nil, report.Options{})
	require.ErrorContains(t, err, "no plan")
	for _, zone := range []string{"Mars/Olympus", "Local", "../etc/passwd"} {
		_, err = report.Build(passedDrill(t).record(t), report.Options{Timezone: zone})
		require.ErrorContains(t, err, "unknown time zone", zone)
	}
}

func TestBuild_zoneIsShownBesideUTC(t *testing.T) {
	t.Parallel()
	r, err := report.Build(passedDrill(t).record(t), report.Options{Timezone: "Asia/Kathmandu"})
	require.NoError(t, err)
	require.Contains(t, asHTML(t, r), `2026-06-13 01:30:00 UTC</time> <span class="local">(07:15:00 +0545)</span>`)
	r, err = report.Build(passedDrill(t).record(t), report.Options{Timezone: "America/Los_Angeles"})
	require.NoError(t, err)
	require.Contains(t, asMarkdown(t, r), "2026-06-13 01:30:00 UTC (2026-06-12 18:30:00 PDT)", "the date too, where it is another")
}

func TestReport_sameRecordSameBytes(t *testing.T) {
	t.Parallel()
	for name, s := range samples(t) {
		a, b := s.report(t), s.report(t)
		require.Equal(t, asHTML(t, a), asHTML(t, b), name)
		require.Equal(t, asMarkdown(t, a), asMarkdown(t, b), name)
		require.Equal(t, asJSON(t, a), asJSON(t, b), name)
	}
}

func TestRead_givesTheSameReport(t *testing.T) {
	t.Parallel()
	for name, s := range samples(t) {
		text := asJSON(t, s.report(t))
		back, err := report.Read([]byte(text))
		require.NoError(t, err, name)
		require.Equal(t, text, asJSON(t, back), name)
		require.Equal(t, asHTML(t, s.report(t)), asHTML(t, back), name)
	}
	_, err := report.Read([]byte(`{"schema":"continuo/report/v2"}`))
	require.ErrorContains(t, err, "schema")
	_, err = report.Read([]byte(`{"schema":"continuo/report/v1","surprise":1}`))
	require.ErrorContains(t, err, "surprise")
	_, err = report.Read([]byte(`{"schema":"continuo/report/v1","timezone":"Nowhere"}`))
	require.ErrorContains(t, err, "time zone")
}

func TestTimeline_longRunsShowWhatMatters(t *testing.T) {
	t.Parallel()
	page := asHTML(t, longDrill(t, 500).report(t))
	require.Contains(t, page, "Drawn are 40 of 500 items: what failed, the critical path and the longest.")
	require.Equal(t, 2, strings.Count(page, `class="timeline"`), "cut into pieces that fit a sheet")
	page = asHTML(t, longDrill(t, 40).report(t))
	require.NotContains(t, page, "Drawn are")
	for _, id := range []string{"step.number-001", "step.number-040"} {
		require.Contains(t, page, ">◆ "+id+"</text>")
	}
}

func TestRunDocument(t *testing.T) {
	t.Parallel()
	var got map[string]any
	text := func(s *story) string {
		var b strings.Builder
		require.NoError(t, report.NewRunDocument(s.record(t), "/var/lib/continuo/run").JSON(&b))
		return b.String()
	}
	require.NoError(t, json.Unmarshal([]byte(text(passedDrill(t))), &got))
	require.Equal(t, "continuo/run/v1", got["schema"])
	require.Equal(t, "passed", got["verdict"])
	require.Equal(t, "/var/lib/continuo/run", got["bundle"])
	require.NotContains(t, got, "deviations", "absent, not null")
	items, ok := got["items"].([]any)
	require.True(t, ok)
	require.Len(t, items, 11)
	require.Equal(t, map[string]any{"id": "step.promote", "kind": "step", "host": "db-b1", "phase": "fail over", "outcome": "succeeded",
		"standing": "done", "attempts": 1.0, "exit_code": 0.0, "started_at": "2026-06-13T01:30:03.842Z", "ended_at": "2026-06-13T01:30:10.242Z"}, items[5])
	objectives, ok := got["objectives"].([]any)
	require.True(t, ok)
	require.Equal(t, map[string]any{"name": "rto", "target_s": 900.0, "achieved_s": 116.642, "met": true}, objectives[0])

	got = nil
	require.NoError(t, json.Unmarshal([]byte(text(failedDrill(t))), &got))
	require.InDelta(t, 1, got["unknown"], 0)
	require.Equal(t, []any{"step.repoint", "wait.settle", "manual.smoke", "check.rows"}, got["not_reached"])
	objectives, ok = got["objectives"].([]any)
	require.True(t, ok)
	require.NotContains(t, objectives[0], "achieved_s")
	require.NotContains(t, objectives[0], "met")

	dry := text(readyDryRun(t))
	require.NotContains(t, dry, "objectives")
	require.Contains(t, dry, `"verdict": "ready-with-gaps"`)
}

func TestBuild_criticalPathLooksThroughWhatHadNoTurn(t *testing.T) {
	t.Parallel()
	p := &engine.Plan{Runbook: "r", Phases: []engine.PlanPhase{{Name: "a", Items: after("check.first", "step.not", "check.last")}}, Items: []engine.PlanItem{
		{ID: "check.first", Kind: runbooks.Check, Phase: "a", Effect: runbooks.Read},
		{ID: "step.not", Kind: runbooks.Step, Phase: "a", Effect: runbooks.Change, After: after("check.first")},
		{ID: "check.last", Kind: runbooks.Check, Phase: "a", Effect: runbooks.Read, After: after("step.not", "check.last")},
	}}
	run := func(int) result { return result{took: time.Second} }
	s := newStory(engine.DryRun, p).check("check.first", "true", []string{"h"}, run)
	s.never("step.not", engine.NotExercised, engine.CauseDryRun, "a dry-run changes nothing")
	r := s.check("check.last", "true", []string{"h"}, run).closed(t).report(t)
	require.True(t, item(t, r, "check.first").Critical)
	require.False(t, item(t, r, "step.not").Critical)
	require.True(t, item(t, r, "check.last").Critical)
}

func TestBuild_plannedPartsOfWhatDidNotRun(t *testing.T) {
	t.Parallel()
	p := failoverPlan()
	promote := p.Item("step.promote")
	promote.Commands = append(promote.Commands, engine.PlanCommand{Part: engine.PartVerify, Argv: []string{"psql", "-c", "select 1"}, Hosts: []string{"db-b1"}, Known: true})
	promote.Severity = "finding"
	s := newStory(engine.Live, p).never("step.promote", engine.NotReached, "stopped", "stopped before")
	text := asMarkdown(t, s.report(t))
	require.Contains(t, text, "Verify as planned; nothing ran on db-b1:\n\n``` text\npsql -c 'select 1'\n```")
	require.Contains(t, text, "finding: its failure is a deviation")
}

func TestBuild_rollbackSaysWhatWasUndoneAndWhatWasNot(t *testing.T) {
	t.Parallel()
	r := rolledBackDrill(t).report(t)
	require.Equal(t, engine.VerdictFailed, r.Verdict.Verdict)
	for _, text := range []string{asHTML(t, r), asMarkdown(t, r)} {
		require.Contains(t, text, "2 units to roll back. Why: step.promote failed. By carol@example.org.")
		require.Contains(t, text, "Rolled back: step.freeze on app-b1.")
		require.Contains(t, text, "May have changed something and was not rolled back: step.promote on db-b1.")
		require.Contains(t, text, "systemctl start payments-writer")
	}
	rec := rolledBackDrill(t).record(t)
	rec.Rollback.Held, rec.Rollback.Until = "its outcome is unknown", "step.promote"
	r, err := report.Build(rec, report.Options{})
	require.NoError(t, err)
	require.Contains(t, asMarkdown(t, r), "- It stopped and waits for a person: its outcome is unknown.")
	require.Contains(t, asMarkdown(t, r), "- The point of no return was step.promote;")
	rec.Rollback.Held, rec.Rollback.Ended = "", false
	r, err = report.Build(rec, report.Options{})
	require.NoError(t, err)
	require.Contains(t, asMarkdown(t, r), "- It did not come to its end.")
}

func TestBuild_retriedByAPersonKeepsTheFirstEnd(t *testing.T) {
	t.Parallel()
	s := newStory(engine.Live, failoverPlan())
	s.step("step.promote", "promote", "db-b1", result{took: time.Second, outcome: engine.Failed, exit: 2, cause: "exit", reason: "exit code 2"})
	s.say(&engine.OperatorAction{Action: engine.ActionRetry, By: "carol@example.org", Item: "step.promote", Reason: "lock released"})
	u := engine.Unit{Item: "step.promote", Host: "db-b1"}
	s.wait(time.Second).say(&engine.ItemIntent{Unit: u, Part: engine.PartCommand, Attempt: 2, AttemptID: "b", Command: "promote"},
		&engine.ItemOutcome{Unit: u, Part: engine.PartCommand, Attempt: 2, AttemptID: "b", Outcome: engine.Succeeded, ExitCode: ptr(0)},
		&engine.ItemOutcome{Unit: u, Outcome: engine.Succeeded, ExitCode: ptr(0), Attempts: 2, DurationNS: time.Second},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "step.promote"}, Outcome: engine.Succeeded})
	text := asMarkdown(t, s.report(t))
	require.Contains(t, text, "Before a person had it tried again: failed, exit code 2.")
	require.Contains(t, text, "lock released")
}

func TestBuild_whoApprovedAndDecided(t *testing.T) {
	t.Parallel()
	p := &engine.Plan{Runbook: "r", Phases: []engine.PlanPhase{{Name: "a", Items: after("gate.go", "decision.way", "gate.no")}}, Items: []engine.PlanItem{
		{ID: "gate.go", Kind: runbooks.Gate, Phase: "a", Effect: runbooks.Human},
		{ID: "decision.way", Kind: runbooks.Decision, Phase: "a", Effect: runbooks.Human},
		{ID: "gate.no", Kind: runbooks.Gate, Phase: "a", Effect: runbooks.Human},
	}}
	s := newStory(engine.Live, p).say(&engine.ItemStarted{Item: "gate.go"}).wait(time.Minute)
	s.say(&engine.ApprovalGranted{Item: "gate.go", By: "carol@example.org", Void: "the operator may not approve"},
		&engine.ApprovalGranted{Item: "gate.go", By: "alice@example.org", Fingerprint: "SHA256:abc"})
	s.never("gate.go", engine.Succeeded, "", "").say(&engine.ItemStarted{Item: "decision.way"}).wait(30 * time.Second)
	s.say(&engine.DecisionMade{Item: "decision.way", Choice: "replace", By: "bob@example.org", Reason: "no time", WaitedNS: 30 * time.Second})
	s.never("decision.way", engine.Succeeded, "", "").say(&engine.ItemStarted{Item: "gate.no"})
	s.say(&engine.ApprovalDenied{Item: "gate.no", By: "alice@example.org", Reason: "too late"})
	r := s.never("gate.no", engine.Failed, "denied", "denied by alice@example.org").closed(t).report(t)
	require.Equal(t, []string{"alice@example.org"}, r.People.Approvers, "a void approval approves nothing")
	require.Equal(t, []string{"bob@example.org"}, r.People.Decided)
	require.Equal(t, "yes", r.People.Independence[0].Answer)
	text := asMarkdown(t, r)
	require.Contains(t, text, "Void, did not count: an approval by carol@example.org, because the operator may not approve.")
	require.Contains(t, text, "Approved by alice@example.org (signed with SHA256:abc).")
	require.Contains(t, text, `bob@example.org chose "replace" (claimed, not signed), after 30 s. Reason: no time.`)
	require.Contains(t, text, "Denied by alice@example.org: too late.")
	require.Contains(t, asHTML(t, r), "Denied by alice@example.org: too late.")
	require.Equal(t, report.PeopleTime, item(t, r, "gate.go").Time)
	methods := readOSCAL(t, r).Results.Results[0].Observations
	require.Equal(t, []string{"INTERVIEW"}, methods[0].Methods)
}

func TestBuild_aReviewThatIsNotVerifiedDoesNotCount(t *testing.T) {
	t.Parallel()
	r, err := report.Build(passedDrill(t).record(t), report.Options{Signed: []report.Signed{
		{Kind: "review", Principal: "mallory@example.org", Text: "Accepted.", Problem: "the signature does not hold"}}})
	require.NoError(t, err)
	require.Empty(t, r.People.Reviewers)
	require.Contains(t, asHTML(t, r), "not verified</span>: the signature does not hold")
	require.Contains(t, asMarkdown(t, r), "? not verified: the signature does not hold")
}
