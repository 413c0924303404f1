package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func buildItems(rec *engine.Record) []Item {
	out := make([]Item, 0, len(rec.Items))
	for n := range rec.Items {
		r := &rec.Items[n]
		if r.Plan == nil {
			continue
		}
		p := r.Plan
		i := Item{
			ID: p.ID, Kind: p.Kind, Phase: p.Phase, Lane: p.Lane, Title: p.Title, Owner: p.Owner, Effect: p.Effect,
			Irreversible: p.Irreversible, Severity: p.Severity, After: p.After, Outcome: r.Outcome, Standing: r.Standing, Reason: r.Reason,
			Cause: r.Cause, StartedAt: utc(r.StartedAt), Offset: Seconds(r.Offset), Time: timeOf(p.Kind),
			Expects: p.Expects, Expectations: r.Expectations, Count: r.Count, Planned: p.Commands,
		}
		if r.Started && ran(r.Outcome) {
			i.Took = took(r.Duration)
		}
		if m := r.Manual; m != nil {
			i.Manual = &Manual{By: m.By, Signed: m.Signed, Done: m.Done, Inputs: m.Inputs, Note: m.Note, Waited: Seconds(m.WaitedNS)}
		}
		i.people(r)
		for k := range r.Units {
			i.Units = append(i.Units, buildUnit(&r.Units[k]))
		}
		i.Queued = queued(&i)
		out = append(out, i)
	}
	return out
}

// people takes what persons said about a gate or a decision.
func (i *Item) people(r *engine.ItemRecord) {
	for _, a := range r.Approvals {
		i.Approvals = append(i.Approvals, Approval{By: a.By, Fingerprint: a.Fingerprint, Void: a.Void})
	}
	if d := r.Denied; d != nil {
		i.Denied = &Denial{By: d.By, Reason: d.Reason}
	}
	if d := r.Decision; d != nil {
		i.Decision = &Decision{Choice: d.Choice, By: d.By, Signed: d.Signed, Reason: d.Reason, Waited: Seconds(d.WaitedNS)}
	}
}

// peopleLines say in words what persons said about a gate or a decision.
func (i *Item) peopleLines() []string {
	var out []string
	for _, a := range i.Approvals {
		text := "Approved by " + a.By
		if a.Void != "" {
			text = "Void, did not count: an approval by " + a.By + ", because " + a.Void
		}
		if a.Fingerprint != "" {
			text += " (signed with " + a.Fingerprint + ")"
		}
		out = append(out, text+".")
	}
	if d := i.Denied; d != nil {
		out = append(out, "Denied by "+d.By+": "+d.Reason+".")
	}
	if d := i.Decision; d != nil {
		text := fmt.Sprintf("%s chose %q (%s), after %s.", d.By, d.Choice, signedWord(d.Signed), human(d.Waited.Duration()))
		if d.Reason != "" {
			text += " Reason: " + d.Reason + "."
		}
		out = append(out, text)
	}
	return out
}

func signedWord(signed bool) string {
	if signed {
		return "signed"
	}
	return "claimed, not signed"
}

// timeOf says whose time an item of the kind takes.
func timeOf(k runbooks.Kind) string {
	switch k {
	case runbooks.Manual, runbooks.Gate, runbooks.Decision:
		return PeopleTime
	case runbooks.Wait:
		return WaitingTime
	default:
		return MachineTime
	}
}

// queued is how long an item waited between its turn and the beginning of its first unit.
func queued(i *Item) Seconds {
	first := Seconds(-1)
	for _, u := range i.Units {
		if u.Took != nil && (first < 0 || u.Offset < first) {
			first = u.Offset
		}
	}
	if first <= i.Offset || i.Took == nil {
		return 0
	}
	return min(first-i.Offset, *i.Took)
}

func buildUnit(u *engine.UnitRecord) Unit {
	out := Unit{
		Batch: u.Batch, Host: u.Host, Key: u.Key, Outcome: u.Outcome, Standing: u.Standing, Reason: u.Reason, Cause: u.Cause, Hint: u.Hint,
		SettledBy: u.SettledBy, Attempts: u.Attempts, ExitCode: u.ExitCode, Signal: u.Signal, Command: u.Command,
		StartedAt: utc(u.StartedAt), Offset: Seconds(u.Offset), Captures: u.Captures, Expectations: u.Expectations,
		Reattached: u.Reattached, Rounds: u.Rounds, KillConfirmed: u.KillConfirmed, Survivors: u.Survivors,
	}
	switch {
	case u.Outcome == "" && u.Standing == engine.Open:
		out.Outcome, out.Reason = engine.Unknown, "its attempt has no outcome in the record"
	case !u.StartedAt.IsZero() && ran(u.Outcome) && (u.Duration > 0 || u.Outcome != engine.Unreachable):
		out.Took = took(u.Duration)
	}
	for _, o := range u.Outputs {
		out.Outputs = append(out.Outputs, Output{
			Part: o.Part, Attempt: o.Attempt, Stream: o.Stream, Size: o.Size, SHA256: o.SHA256, Text: o.Text,
			Artifact: artifactPath(o.Artifact), Truncated: o.Truncated, Redactions: o.Redactions, BackgroundOpen: o.BackgroundOpen,
		})
	}
	commands := make(map[engine.AttemptID]string, len(u.Intents))
	for _, in := range u.Intents {
		commands[in.AttemptID] = in.Command
		if in.Part == engine.PartCommand {
			out.User, out.Become, out.Transport = in.User, in.Become, in.Transport
			if out.Command == "" {
				out.Command = in.Command
			}
		}
	}
	for _, p := range u.Parts {
		part := Part{
			Part: p.Part, Attempt: p.Attempt, ID: p.AttemptID, Outcome: p.Outcome, Reason: p.Reason, ExitCode: p.ExitCode,
			Signal: p.Signal, Command: p.Command, Expects: p.Expectations,
		}
		if part.Command == "" {
			part.Command = commands[p.AttemptID]
		}
		if !p.StartedAt.IsZero() || p.DurationNS > 0 {
			part.Took = took(p.DurationNS)
		}
		out.Parts = append(out.Parts, part)
	}
	return out
}

// ran reports whether an outcome is of something that ran, so that it has a length.
func ran(o engine.Outcome) bool {
	return !slices.Contains([]engine.Outcome{"", engine.Skipped, engine.NotReached, engine.NotExercised}, o)
}

func artifactPath(sha string) string {
	if len(sha) < 2 {
		return ""
	}
	return "artifacts/sha256/" + sha[:2] + "/" + sha
}

func took(d time.Duration) *Seconds {
	s := Seconds(d)
	return &s
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

func buildFailures(items []Item) []Failure {
	var out []Failure
	for _, i := range items {
		n := len(out)
		for _, u := range i.Units {
			if u.Outcome.Standing() == engine.Done || u.Outcome == "" || u.Outcome == engine.NotReached {
				continue
			}
			f := Failure{Item: i.ID, Key: u.Key, Host: u.Host, Outcome: u.Outcome, Reason: u.Reason,
				Tolerated: u.Cause == engine.CauseTolerated}
			if u.SettledBy != "" {
				f.Settled = string(u.Standing) + ", by " + u.SettledBy
			}
			out = append(out, f)
		}
		failed := i.Outcome.Standing() != engine.Done && i.Outcome != "" && i.Outcome != engine.NotReached
		if failed && len(out) == n {
			out = append(out, Failure{Item: i.ID, Outcome: i.Outcome, Reason: i.Reason})
		}
	}
	return out
}

// markCriticalPath marks the chain of items that decided how long the run took: from the item that ended last, back to
// the one that it waited for last, and so on. An item waits for what its plan says and for every earlier phase.
func markCriticalPath(items []Item) {
	at := func(i *Item) Seconds { return i.Offset + *i.Took }
	index := make(map[runbooks.ItemID]int, len(items))
	var last = -1
	for n := range items {
		index[items[n].ID] = n
		if items[n].Took != nil && (last < 0 || at(&items[n]) > at(&items[last])) {
			last = n
		}
	}
	before := lastOfEarlierPhases(items)
	for n := last; n >= 0 && !items[n].Critical; {
		i := &items[n]
		i.Critical = true
		next := before[i.Phase]
		for _, k := range waitedFor(items, index, i) {
			if next < 0 || at(&items[k]) >= at(&items[next]) {
				next = k
			}
		}
		n = next
	}
}

// waitedFor are the items with a length that the plan puts before one; what has none is looked through.
func waitedFor(items []Item, index map[runbooks.ItemID]int, i *Item) []int {
	var out []int
	seen := map[runbooks.ItemID]bool{i.ID: true}
	todo := i.After
	for len(todo) > 0 {
		id := todo[0]
		todo = todo[1:]
		k, ok := index[id]
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		if items[k].Took == nil {
			todo = append(todo[:len(todo):len(todo)], items[k].After...)
			continue
		}
		out = append(out, k)
	}
	return out
}

// lastOfEarlierPhases gives, for each phase, the item that ended last in any phase before it, or -1.
func lastOfEarlierPhases(items []Item) map[string]int {
	out := make(map[string]int)
	last := -1
	for n := 0; n < len(items); {
		phase := items[n].Phase
		if _, seen := out[phase]; !seen {
			out[phase] = last
		}
		for ; n < len(items) && items[n].Phase == phase; n++ {
			if items[n].Took == nil {
				continue
			}
			if last < 0 || items[n].Offset+*items[n].Took >= items[last].Offset+*items[last].Took {
				last = n
			}
		}
	}
	return out
}
