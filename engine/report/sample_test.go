package report_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// sampleStart is when every sample begins: an hour in which London and UTC differ.
var sampleStart = time.Date(2026, 6, 13, 1, 30, 0, 0, time.UTC)

// story writes the events of a run, with a clock that only moves when told to.
type story struct {
	mode   engine.Mode
	plan   *engine.Plan
	at     time.Duration
	events []engine.Event
}

func newStory(mode engine.Mode, plan *engine.Plan) *story {
	s := &story{mode: mode, plan: plan}
	s.say(&engine.RunOpened{
		Run: "20260613t013000z-4k7q", Nonce: "00112233445566778899aabbccddeeff", Project: plan.Project, Runbook: plan.Runbook,
		Title: plan.Title, Operator: "carol@example.org", OperatorHost: "ops-laptop-3",
		Tool:   engine.Tool{Version: "0.1.0", Commit: "06df15a", Go: "go1.26.0", OS: "linux"},
		BootID: "6c1e0f9a", PlanSHA256: digest("plan.json"), PlanDigest: "sha256:" + digest("plan"),
		ProjectSHA256: digest("project"), VariablesSHA256: digest("variables"), Variables: plan.Variables,
		Hosts: len(plan.Hosts), Items: len(plan.Items), Exercise: "switchover", Impact: "switchover", Change: "CHG-20417",
		Participants: []engine.Participant{{Name: "Dana Okafor", Role: "observer"}}, ClockSource: "ntp",
	})
	return s
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// say writes events at the present moment.
func (s *story) say(ps ...engine.Payload) *story {
	for _, p := range ps {
		s.events = append(s.events, engine.Event{
			Seq: uint64(len(s.events)), Time: sampleStart.Add(s.at), Mono: s.at, Mode: s.mode, Payload: p,
		})
	}
	return s
}

// wait lets time pass.
func (s *story) wait(d time.Duration) *story {
	s.at += d
	return s
}

func (s *story) now() time.Time { return sampleStart.Add(s.at) }

func (s *story) connect(hosts ...string) *story {
	for n, h := range hosts {
		offset := int64(n*3 - 2)
		s.say(&engine.HostConnected{
			Host: h, Address: fmt.Sprintf("10.2.0.%d:22", 11+n), User: "recovery", HostKey: "SHA256:" + digest(h)[:43],
			HostKeyType: "ssh-ed25519", Kex: "sntrup761x25519-sha512", Cipher: "chacha20-poly1305@openssh.com",
			ServerVersion: "SSH-2.0-OpenSSH_9.2p1", AuthMethod: "publickey", Via: []string{"bastion"},
		}, &engine.PreflightResult{
			Host: h, OK: true, Hostname: h, OS: "Debian GNU/Linux 12", BootID: "b" + h, ClockOffsetMS: &offset,
			Checks: []engine.PreflightCheck{{Name: "reach", OK: true}, {Name: "host-key", OK: true}},
		})
	}
	return s
}

// result is what a unit came to.
type result struct {
	outcome  engine.Outcome
	reason   string
	cause    string
	took     time.Duration
	exit     int
	signal   string
	stdout   string
	stderr   string
	captures []engine.Captured
	expects  []engine.Expectation
	attempts int
	rounds   int
}

func (s *story) output(u engine.Unit, attempt int, r result) {
	for stream, text := range map[string]string{"stdout": r.stdout} {
		if text != "" {
			s.say(&engine.ItemOutput{Unit: u, Part: engine.PartCommand, Attempt: attempt, Stream: stream, Size: int64(len(text)),
				SHA256: digest(text), Text: text})
		}
	}
	if r.stderr != "" {
		s.say(&engine.ItemOutput{Unit: u, Part: engine.PartCommand, Attempt: attempt, Stream: "stderr", Size: int64(len(r.stderr)),
			SHA256: digest(r.stderr), Text: r.stderr})
	}
}

func (s *story) unitOutcome(u engine.Unit, r result, start time.Time) *engine.ItemOutcome {
	o := &engine.ItemOutcome{Unit: u, Outcome: r.outcome, Reason: r.reason, Cause: r.cause, Signal: r.signal, Captures: r.captures,
		Expectations: r.expects, Attempts: r.attempts, Rounds: r.rounds, StartedAt: start, DurationNS: r.took}
	if o.Outcome == "" {
		o.Outcome = engine.Succeeded
	}
	if r.signal == "" && slices.Contains([]engine.Outcome{engine.Succeeded, engine.Failed, engine.Exercised}, o.Outcome) {
		o.ExitCode = &r.exit
	}
	return o
}

// check runs a check on hosts, at the same time; each unit ends when it has taken its time.
func (s *story) check(item, command string, hosts []string, of func(n int) result) *story {
	start, begin := s.now(), s.at
	s.say(&engine.ItemStarted{Item: runbooks.ItemID(item), Hosts: hosts})
	whole := engine.Succeeded
	if s.mode == engine.DryRun {
		whole = engine.Exercised
	}
	order := make([]int, len(hosts))
	results := make([]result, len(hosts))
	for n, h := range hosts {
		order[n], results[n] = n, of(n)
		s.output(engine.Unit{Item: runbooks.ItemID(item), Host: h}, 0, results[n])
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(results[a].took - results[b].took) })
	done, reason := 0, ""
	for _, n := range order {
		r := results[n]
		s.at = begin + r.took
		o := s.unitOutcome(engine.Unit{Item: runbooks.ItemID(item), Host: hosts[n]}, r, start)
		o.Command = command
		if o.Outcome == engine.Succeeded && s.mode == engine.DryRun {
			o.Outcome = engine.Exercised
		}
		if o.Outcome.Standing() == engine.Done {
			done++
		} else if r.cause != engine.CauseTolerated {
			whole, reason = o.Outcome, r.reason
		}
		s.say(o)
	}
	return s.say(&engine.ItemOutcome{Unit: engine.Unit{Item: runbooks.ItemID(item)}, Outcome: whole, Reason: reason,
		Hosts: &engine.HostCount{Expected: len(hosts), Reached: len(hosts), Done: done}})
}

// step runs a step on one host; each result but the last is an attempt that failed.
func (s *story) step(item, command, host string, results ...result) *story {
	u := engine.Unit{Item: runbooks.ItemID(item), Host: host}
	begin, start := s.at, s.now()
	s.say(&engine.ItemStarted{Item: u.Item, Hosts: []string{host}})
	for n, r := range results {
		id := engine.NewAttemptID("n", item, engine.PartCommand, "", host, n+1)
		s.say(&engine.ItemIntent{Unit: u, Part: engine.PartCommand, Attempt: n + 1, AttemptID: id, User: "recovery", Become: "postgres",
			CommandSHA256: digest(command), Command: command, TimeoutS: 120, Transport: "durable"})
		began := s.now()
		s.wait(r.took)
		s.output(u, n+1, r)
		o := s.unitOutcome(u, r, began)
		o.Part, o.Attempt, o.AttemptID = engine.PartCommand, n+1, id
		s.say(o)
	}
	last := results[len(results)-1]
	last.attempts, last.took = len(results), s.at-begin
	o := s.unitOutcome(u, last, start)
	s.say(o)
	done := 0
	if o.Outcome.Standing() == engine.Done {
		done = 1
	}
	return s.say(&engine.ItemOutcome{Unit: engine.Unit{Item: u.Item}, Outcome: o.Outcome, Reason: o.Reason,
		Hosts: &engine.HostCount{Expected: 1, Reached: 1, Done: done}})
}

// manual waits for a person.
func (s *story) manual(item, by, note string, waited time.Duration) *story {
	id := runbooks.ItemID(item)
	s.say(&engine.ItemStarted{Item: id}).wait(waited)
	s.say(&engine.ManualDone{Item: id, By: by, Done: true, Note: note, WaitedNS: waited})
	return s.say(&engine.ItemOutcome{Unit: engine.Unit{Item: id}, Outcome: engine.Succeeded})
}

func (s *story) mark(name, source string, at time.Time) *story {
	return s.say(&engine.MarkSet{Mark: name, At: at, Source: source})
}

// never ends an item that had no turn.
func (s *story) never(item string, o engine.Outcome, cause, why string) *story {
	return s.say(&engine.ItemOutcome{Unit: engine.Unit{Item: runbooks.ItemID(item)}, Outcome: o, Cause: cause, Reason: why})
}

// closed ends the run with the verdict that Fold gives it.
func (s *story) closed(tb testing.TB) *story {
	tb.Helper()
	f := engine.NewFolder(s.plan)
	for _, e := range s.events {
		require.NoError(tb, f.Apply(e))
	}
	v, why, unknown := f.Preview()
	return s.say(&engine.RunClosed{Verdict: v, Unknown: unknown, Reason: why})
}

func (s *story) record(tb testing.TB) *engine.Record {
	tb.Helper()
	rec, err := engine.Fold(s.plan, s.events)
	require.NoError(tb, err)
	return rec
}

func (s *story) report(tb testing.TB) *report.Report {
	tb.Helper()
	r, err := report.Build(s.record(tb), report.Options{})
	require.NoError(tb, err)
	return r
}
