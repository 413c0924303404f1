package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func buildRun(rec *engine.Record) RunPart {
	o, p := &rec.Opened, rec.Plan
	r := RunPart{
		ID: o.Run, Mode: rec.Mode, Project: o.Project, Runbook: o.Runbook, Title: o.Title,
		Service: p.Service, Owner: p.Owner, Version: p.Version,
		Exercise: o.Exercise, Impact: o.Impact, Change: o.Change, Incident: o.Incident, RollbackOf: o.RollbackOf,
		Limit: o.Limit, From: o.From, StartedAt: rec.StartedAt.UTC(), EndedAt: rec.EndedAt.UTC(),
		Elapsed: Seconds(rec.Elapsed), Exact: rec.ElapsedExact,
		Machine: Seconds(rec.Machine), People: Seconds(rec.PeopleTime), Waiting: Seconds(rec.Waiting),
		Segments: rec.Segments, Events: rec.Events, Hosts: len(p.Hosts),
	}
	if rec.EndedAt.IsZero() {
		r.EndedAt = time.Time{}
	}
	if r.Title == "" {
		r.Title = p.Title
	}
	if r.Title == "" {
		r.Title = r.Runbook
	}
	return r
}

func buildActions(rec *engine.Record) []Action {
	var out []Action
	for _, a := range rec.Actions {
		out = append(out, Action{At: a.At.UTC(), OperatorAction: a.OperatorAction})
	}
	return out
}

func buildHosts(rec *engine.Record) []Host {
	seen := make(map[string]engine.HostRecord, len(rec.Hosts))
	for _, h := range rec.Hosts {
		seen[h.Name] = h
	}
	var out []Host
	for _, p := range rec.Plan.Hosts {
		h := seen[p.Name]
		out = append(out, Host{PlanHost: p, Connected: h.Connected, Preflight: h.Preflight})
		delete(seen, p.Name)
	}
	for _, h := range rec.Hosts { // touched, yet not of the plan: jump hosts
		if _, left := seen[h.Name]; left {
			out = append(out, Host{PlanHost: engine.PlanHost{Name: h.Name}, Connected: h.Connected, Preflight: h.Preflight})
		}
	}
	return out
}

func buildDigests(rec *engine.Record) []Digest {
	o := &rec.Opened
	all := []Digest{
		{"plan.json as it is in the bundle", o.PlanSHA256},
		{"plan (the digest that approvals name)", hexOnly(o.PlanDigest)},
		{"project files", o.ProjectSHA256},
		{"variables", o.VariablesSHA256},
	}
	return slices.DeleteFunc(all, func(d Digest) bool { return d.SHA256 == "" })
}

func hexOnly(digest string) string {
	const prefix = "sha256:"
	if len(digest) > len(prefix) && digest[:len(prefix)] == prefix {
		return digest[len(prefix):]
	}
	return digest
}

func buildPhases(rec *engine.Record) []Phase {
	var out []Phase
	planned := make(map[runbooks.ItemID]bool)
	for _, p := range rec.Plan.Phases {
		out = append(out, Phase{Name: p.Name, Title: p.Title, Owner: p.Owner, Items: p.Items})
		for _, id := range p.Items {
			planned[id] = true
		}
	}
	for _, i := range rec.Items { // items of calls belong to the phase that their plan entry names
		if i.Plan == nil || planned[i.Plan.ID] {
			continue
		}
		n := slices.IndexFunc(out, func(p Phase) bool { return p.Name == i.Plan.Phase })
		if n < 0 {
			out = append(out, Phase{Name: i.Plan.Phase})
			n = len(out) - 1
		}
		out[n].Items = append(slices.Clone(out[n].Items), i.Plan.ID)
	}
	return out
}

func buildRollback(rec *engine.Record) *Rollback {
	b := rec.Rollback
	if b == nil {
		return nil
	}
	return &Rollback{Verdict: b.Verdict(), Settled: b.Settled, Reason: b.Reason, By: b.By, Units: b.Units, Until: b.Until, Ended: b.Ended, Done: b.Done, Failed: b.Failed,
		Left: b.Left, Held: b.Held}
}

func buildCleanup(rec *engine.Record) Cleanup {
	c := Cleanup{Ran: rec.CleanupRan, Failed: rec.CleanupFailed}
	for _, i := range rec.Plan.Items {
		if i.Phase == runbooks.CleanupPhase {
			c.Planned++
		}
	}
	return c
}

func buildObjectives(rec *engine.Record) []Objective {
	byHand := make(map[string]bool)
	for _, m := range rec.Marks {
		byHand[m.Mark] = byHand[m.Mark] || m.Source == engine.MarkByOperator
	}
	var out []Objective
	for _, o := range rec.Objectives {
		v := Objective{
			Name: o.Name, Kind: o.Kind, AtMost: o.AtMost, AtLeast: o.AtLeast, Met: o.Met, From: o.From, To: o.To,
			FromAt: o.FromAt, ToAt: o.ToAt, Point: o.Point, Clock: o.Clock, Problem: o.Problem,
		}
		if o.TargetS != nil {
			v.Target = seconds(*o.TargetS)
		}
		if o.AchievedS != nil {
			if o.Kind == engine.GoalMeasured {
				v.Value = o.AchievedS
			} else {
				v.Achieved = seconds(*o.AchievedS)
			}
		}
		for _, m := range []string{o.From, o.To} {
			if m != "" && byHand[m] {
				v.ByHand = append(v.ByHand, m)
			}
		}
		if o.AchievedS == nil && v.Problem == "" {
			v.Problem = "the record does not say why"
		}
		out = append(out, v)
	}
	return out
}

func seconds(s float64) *Seconds {
	d := Seconds(math.Round(s * 1e9))
	return &d
}

func buildNotExecuted(rec *engine.Record) []NotExecuted {
	if rec.Mode == engine.DryRun {
		return notExercised(rec)
	}
	var out []NotExecuted
	for _, i := range rec.Items {
		if i.Plan == nil {
			continue
		}
		switch i.Outcome {
		case engine.Skipped, engine.NotReached, engine.NeverStarted:
			out = append(out, NotExecuted{Item: i.Plan.ID, Outcome: i.Outcome, Why: reasonOr(i.Reason, i.Outcome)})
			continue
		case "":
			if !i.Started {
				out = append(out, NotExecuted{Item: i.Plan.ID, Outcome: engine.NotReached, Why: "the record ends before its turn came"})
				continue
			}
		default:
		}
		for _, u := range i.Units {
			if notRun(u.Outcome) {
				out = append(out, NotExecuted{Item: i.Plan.ID, Host: u.Host, Outcome: u.Outcome, Why: reasonOr(u.Reason, u.Outcome)})
			}
		}
	}
	return out
}

// notExercised lists what a dry-run left out: the gaps that count first, then what no dry-run does.
func notExercised(rec *engine.Record) []NotExecuted {
	var gaps, rest []NotExecuted
	for _, g := range rec.Gaps {
		n := NotExecuted{Item: g.Item, Host: g.Host, Outcome: engine.NotExercised, Why: g.Why, Gap: g.Real}
		if g.Real {
			gaps = append(gaps, n)
		} else {
			rest = append(rest, n)
		}
	}
	return append(gaps, rest...)
}

func reasonOr(reason string, o engine.Outcome) string {
	if reason != "" {
		return reason
	}
	return OutcomeWords(o) + "; the record gives no reason"
}

func notRun(o engine.Outcome) bool {
	return slices.Contains([]engine.Outcome{engine.Skipped, engine.NotReached, engine.NeverStarted, engine.Unreachable}, o)
}

// buildLimits says in words how far the figures reach.
func buildLimits(rec *engine.Record) []string {
	var out []string
	if !rec.Closed {
		out = append(out, "The run is not closed: this is its state at the last event of the journal.")
	}
	if rec.Segments > 1 {
		out = append(out, fmt.Sprintf("%d controllers worked on the run one after another; lengths that cross from one to the next "+
			"are from the wall clock.", rec.Segments))
	}
	for _, a := range rec.Anomalies {
		out = append(out, fmt.Sprintf("The controller's wall clock jumped by %+d ms against its monotonic clock; nothing was corrected.", a.StepMS))
	}
	switch rec.Opened.ClockSource {
	case "ntp":
	case "unsynced":
		out = append(out, "The controller's clock was not synchronised when the run was opened.")
	default:
		out = append(out, "Whether the controller's clock was synchronised is not known.")
	}
	if len(rec.Opened.Limit) > 0 {
		out = append(out, fmt.Sprintf("The run was limited to the hosts %s.", joinWords(rec.Opened.Limit)))
	}
	if rec.Opened.From != "" {
		out = append(out, fmt.Sprintf("The run began at %s; what comes before it was not executed.", rec.Opened.From))
	}
	return out
}
