package engine

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

const severityFinding = "finding"

// count fills what is counted: unknowns, coverage, gaps and items that were not reached.
func (f *Folder) count(r *Record) {
	r.Coverage.Items = len(r.Items)
	if r.Exploration != nil {
		return // no item of it was to run
	}
	for n := range r.Items {
		i := &r.Items[n]
		for _, u := range i.Units {
			if u.Standing == Open {
				r.Unknown++
			}
		}
		if r.Opened.RollbackOf == "" && (i.Outcome == NotReached || i.Outcome == "" && r.Closed) {
			r.NotReached = append(r.NotReached, i.Plan.ID)
		}
		if exercised(i) {
			r.Coverage.Exercised++
		}
		if r.Mode == DryRun {
			r.Gaps = append(r.Gaps, gaps(i)...)
		}
	}
}

// exercised reports whether the item really did what it is for, well or badly.
func exercised(i *ItemRecord) bool {
	switch i.Outcome {
	case Succeeded, Failed, TimedOut, Unknown, Exercised:
		return true
	default:
		return false
	}
}

func gaps(i *ItemRecord) []Gap {
	var out []Gap
	for _, u := range i.Units {
		switch {
		case u.Outcome == NotExercised || u.Outcome == NotReached:
			out = append(out, Gap{Item: i.Plan.ID, Host: u.Host, Why: u.Reason, Real: u.Cause != CauseDryRun})
		case u.Outcome == Unreachable && u.Cause == CauseTolerated:
			out = append(out, Gap{Item: i.Plan.ID, Host: u.Host, Why: u.Reason, Real: true})
		}
	}
	return out
}

// verdict is the rule book: the first rule that applies decides.
func (f *Folder) verdict(r *Record) (Verdict, string) {
	if r.Mode == DryRun {
		return readiness(r, f.aborted)
	}
	if r.Exploration != nil {
		return exploredVerdict(r.Exploration)
	}
	if r.Unknown > 0 {
		return Incomplete, fmt.Sprintf("%s has an outcome that nobody knows", first(r, func(u *UnitRecord) bool { return u.Standing == Open }))
	}
	if f.left {
		return Incomplete, "the run was left before its end"
	}
	if f.aborted {
		return Aborted, "a person aborted the run"
	}
	if r.Opened.RollbackOf != "" {
		return undoVerdict(r)
	}
	if i := firstFailure(r); i != nil {
		return VerdictFailed, fmt.Sprintf("%s: %s", i.Plan.ID, reasonOr(i.Reason, string(i.Outcome)))
	}
	if len(r.NotReached) > 0 {
		return VerdictFailed, fmt.Sprintf("%s was not reached", r.NotReached[0])
	}
	if r.Rollback != nil {
		return VerdictFailed, "what was changed was rolled back: " + reasonOr(r.Rollback.Reason, "no reason on record")
	}
	if len(r.Deviations) > 0 {
		return PassedWithDeviations, "every item is done; " + plural(len(r.Deviations), "deviation")
	}
	return Passed, "every item is done, without a deviation"
}

// undoVerdict is that of a run that rolls back another one: what the rollback came to.
func undoVerdict(r *Record) (Verdict, string) {
	if r.Rollback == nil {
		return VerdictFailed, "nothing was rolled back"
	}
	switch r.Rollback.Verdict() {
	case RolledBack:
		if len(r.Deviations) > 0 {
			return PassedWithDeviations, "everything that was changed is rolled back; " + plural(len(r.Deviations), "deviation")
		}
		return Passed, "everything that was changed is rolled back"
	case RolledBackInPart:
		return PassedWithDeviations, plural(len(r.Rollback.Left), "unit") + " that may have been changed cannot be rolled back and is left to people"
	default:
		return VerdictFailed, reasonOr(r.Rollback.Held, "the rollback did not come to its end")
	}
}

// firstFailure is the item that explains a failed run: the first that failed, before one that a rollout's stop cut short.
func firstFailure(r *Record) *ItemRecord {
	var cut *ItemRecord
	for n := range r.Items {
		i := &r.Items[n]
		switch {
		case i.Standing != Fails || i.Plan.Severity == severityFinding:
		case i.Cause != CauseRollout:
			return i
		case cut == nil:
			cut = i
		}
	}
	return cut
}

func readiness(r *Record, aborted bool) (Verdict, string) {
	if aborted {
		return NotReady, "the dry-run was stopped before its end"
	}
	for _, h := range r.Hosts {
		if h.Preflight == nil || h.Preflight.OK || tolerated(r, h.Name) {
			continue
		}
		return NotReady, fmt.Sprintf("preflight of %s: %s", h.Name, firstProblem(h.Preflight))
	}
	for n := range r.Items {
		i := &r.Items[n]
		if i.Standing == Fails && i.Outcome != NotReached && i.Plan.Severity != severityFinding {
			return NotReady, fmt.Sprintf("%s: %s", i.Plan.ID, reasonOr(i.Reason, string(i.Outcome)))
		}
		if i.Outcome == "" {
			return NotReady, fmt.Sprintf("%s was not reached", i.Plan.ID)
		}
	}
	for _, g := range r.Gaps {
		if g.Real {
			return ReadyWithGaps, fmt.Sprintf("%s could not be exercised: %s", g.Item, g.Why)
		}
	}
	return Ready, "the preflight holds on every host, and every check that a dry-run can judge holds"
}

// tolerated reports whether every unit of the host that was out of reach is one that the runbook tolerates.
func tolerated(r *Record, host string) bool {
	seen := false
	for n := range r.Items {
		for _, u := range r.Items[n].Units {
			if u.Host != host || u.Outcome == NotExercised && u.Cause == CauseDryRun {
				continue
			}
			if u.Cause != CauseTolerated {
				return false
			}
			seen = true
		}
	}
	return seen
}

func firstProblem(p *PreflightResult) string {
	for _, c := range p.Checks {
		if !c.OK {
			return reasonOr(c.Detail, c.Name)
		}
	}
	return "does not hold"
}

func first(r *Record, is func(*UnitRecord) bool) string {
	for n := range r.Items {
		for k := range r.Items[n].Units {
			u := &r.Items[n].Units[k]
			if !is(u) {
				continue
			}
			if u.Host == "" {
				return string(u.Item)
			}
			return fmt.Sprintf("%s on %s", u.Item, u.Host)
		}
	}
	return "an item"
}

func reasonOr(reason, otherwise string) string {
	if reason != "" {
		return reason
	}
	return otherwise
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// deviations are those that events state and those that follow from them, in order of time where there is one.
func (f *Folder) deviations(r *Record) []Deviation {
	out := slices.Clone(f.settled)
	for _, a := range r.Actions {
		switch a.Action {
		case ActionFrom, ActionLimit, ActionRetry, ActionSkip, ActionByHand, ActionAbort, ActionKnownHosts:
			out = append(out, Deviation{Kind: a.Action, Item: a.Item, Host: a.Host, By: a.By, Reason: a.Reason, At: a.At})
		}
	}
	for _, h := range r.Hosts {
		if h.Connected != nil && len(h.Connected.Legacy) > 0 {
			out = append(out, Deviation{Kind: "legacy-algorithm", Host: h.Name, At: r.StartedAt,
				Reason: fmt.Sprintf("connected with %v", h.Connected.Legacy)})
		}
	}
	if r.Opened.RollbackOf != "" && r.Rollback != nil {
		for _, u := range r.Rollback.Left {
			out = append(out, Deviation{Kind: "not-rolled-back", Item: u.Item, Host: u.Host, Reason: "it has no way back, or nobody knows how it ended"})
		}
	}
	for n := range r.Items {
		out = append(out, itemDeviations(&r.Items[n])...)
	}
	for _, o := range r.Objectives {
		switch {
		case o.AchievedS == nil:
			out = append(out, Deviation{Kind: "not-measured", Reason: fmt.Sprintf("objective %s: %s", o.Name, o.Problem)})
		case o.Met != nil && !*o.Met:
			out = append(out, Deviation{Kind: "objective-missed", Reason: "objective " + o.Name})
		}
	}
	sort.SliceStable(out, func(a, b int) bool {
		if out[a].At.IsZero() || out[b].At.IsZero() {
			return !out[a].At.IsZero() && out[b].At.IsZero()
		}
		return out[a].At.Before(out[b].At)
	})
	return out
}

func itemDeviations(i *ItemRecord) []Deviation {
	var out []Deviation
	for _, u := range i.Units {
		at := u.StartedAt
		if n := retries(&u); n > 0 {
			out = append(out, Deviation{Kind: "retry", Item: u.Item, Host: u.Host, At: at, By: "engine", Reason: plural(n, "further attempt")})
		}
		if u.Cause == CauseTolerated {
			out = append(out, Deviation{Kind: "tolerated", Item: u.Item, Host: u.Host, At: at,
				Reason: fmt.Sprintf("%s: %s", u.Outcome, u.Reason)})
		}
		if i.Plan.Severity == severityFinding && u.Standing == Fails && u.Cause != CauseTolerated {
			out = append(out, Deviation{Kind: severityFinding, Item: u.Item, Host: u.Host, At: at, Reason: reasonOr(u.Reason, string(u.Outcome))})
		}
	}
	return out
}

// retries counts attempts that followed one which may have done something. After a proven never-started a new attempt
// is no retry.
func retries(u *UnitRecord) int {
	n := 0
	for _, p := range u.Parts {
		if p.Part == PartCommand && p.AttemptID != "" && p.Outcome != NeverStarted && p.Attempt < u.Attempts {
			n++
		}
	}
	return n
}

// objectives compares each agreed level with what was achieved.
func (f *Folder) objectives() []ObjectiveRecord {
	out := make([]ObjectiveRecord, 0, len(f.plan.Goals))
	for _, g := range f.plan.Goals {
		o := ObjectiveRecord{PlanObjective: g}
		switch g.Kind {
		case GoalElapsed:
			f.elapsed(&o)
		case GoalRecoveryPoint:
			f.recoveryPoint(&o)
		case GoalMeasured:
			f.value(&o)
		default:
			o.Problem = fmt.Sprintf("kind %q is not known", g.Kind)
		}
		out = append(out, o)
	}
	return out
}

// The kinds of PlanObjective.
const (
	GoalElapsed       = "elapsed"
	GoalRecoveryPoint = "recovery-point"
	GoalMeasured      = "measured"
)

// mark is the instant of a mark: the earliest when it begins a span, the latest when it ends one.
func (f *Folder) mark(name string, latest bool) (markAt, bool) {
	var got markAt
	found := false
	for _, m := range f.marks {
		if m.Mark != name {
			continue
		}
		if !found || latest && m.At.After(got.At) || !latest && m.At.Before(got.At) {
			got, found = m, true
		}
	}
	return got, found
}

func (f *Folder) elapsed(o *ObjectiveRecord) {
	from, okFrom := f.mark(o.From, false)
	to, okTo := f.mark(o.To, true)
	switch {
	case !okFrom:
		o.Problem = fmt.Sprintf("mark %q was not set", o.From)
		return
	case !okTo:
		o.Problem = fmt.Sprintf("mark %q was not set", o.To)
		return
	}
	o.FromAt, o.ToAt = from.At, to.At
	d := to.At.Sub(from.At)
	o.Clock = "wall"
	if from.Source == MarkByItem && to.Source == MarkByItem && from.segment == to.segment {
		d, o.Clock = to.offset-from.offset, "monotonic"
	}
	if d < 0 {
		o.Problem = fmt.Sprintf("mark %q lies before mark %q", o.To, o.From)
		return
	}
	o.within(d.Seconds())
}

// The sources of a MarkSet.
const (
	MarkByItem     = "item"     // an item set it; the event's own time
	MarkComputed   = "computed" // an expression gave the time
	MarkByOperator = "operator" // --at, or asked
)

func (f *Folder) recoveryPoint(o *ObjectiveRecord) {
	m, measured := f.measured[o.Name]
	from, ok := f.mark(o.From, false)
	switch {
	case measured && m.Problem != "":
		o.Problem = m.Problem
		return
	case !measured || m.RecoveryPoint.IsZero():
		o.Problem = "no recovery point was reported"
		return
	case !ok:
		o.Problem = fmt.Sprintf("mark %q was not set", o.From)
		return
	}
	o.FromAt, o.Point, o.Clock = from.At, m.RecoveryPoint, "host"
	// Data newer than the disruption means that nothing before it was lost.
	o.within(max(0, from.At.Sub(m.RecoveryPoint)).Seconds())
}

func (f *Folder) value(o *ObjectiveRecord) {
	m, measured := f.measured[o.Name]
	switch {
	case measured && m.Problem != "":
		o.Problem = m.Problem
	case !measured || m.Value == nil:
		o.Problem = "no value was reported"
	default:
		v := *m.Value
		o.AchievedS = &v
		met := (o.AtMost == nil || v <= *o.AtMost) && (o.AtLeast == nil || v >= *o.AtLeast)
		o.Met = &met
	}
}

func (o *ObjectiveRecord) within(seconds float64) {
	o.AchievedS = &seconds
	if o.TargetS != nil {
		met := seconds <= *o.TargetS
		o.Met = &met
	}
}

// spans are when the item was at work: from its start to its outcome, or that for each batch.
func (i *ItemRecord) spans(now time.Duration) [][2]time.Duration {
	if len(i.Batches) == 0 {
		if i.Outcome == "" {
			return [][2]time.Duration{{i.Offset, now}}
		}
		return [][2]time.Duration{{i.Offset, i.Offset + i.Duration}}
	}
	var out [][2]time.Duration
	for _, b := range i.Batches {
		switch {
		case b.StartedAt.IsZero():
		case b.Outcome == "":
			out = append(out, [2]time.Duration{b.Offset, now})
		default:
			out = append(out, [2]time.Duration{b.Offset, b.Offset + b.Duration})
		}
	}
	return out
}

// split divides the elapsed time: machine while any item works on hosts, else people while one waits for a person, else
// waiting. The three add up to Elapsed.
func split(r *Record) (machine, people, waiting time.Duration) {
	type edge struct {
		at    time.Duration
		kind  runbooks.Effect
		delta int
	}
	var edges []edge
	for n := range r.Items {
		i := &r.Items[n]
		e := i.Plan.Effect
		if !i.Started || e == runbooks.None {
			continue
		}
		if e == runbooks.Change {
			e = runbooks.Read
		}
		for _, span := range i.spans(r.Elapsed) {
			edges = append(edges, edge{span[0], e, 1}, edge{span[1], e, -1})
		}
	}
	sort.SliceStable(edges, func(a, b int) bool { return edges[a].at < edges[b].at })
	at, busy, asked := time.Duration(0), 0, 0
	spend := func(until time.Duration) {
		d := until - at
		switch {
		case d <= 0:
			return
		case busy > 0:
			machine += d
		case asked > 0:
			people += d
		default:
			waiting += d
		}
		at = until
	}
	for _, e := range edges {
		spend(min(e.at, r.Elapsed))
		if e.kind == runbooks.Human {
			asked += e.delta
		} else {
			busy += e.delta
		}
	}
	spend(r.Elapsed)
	return machine, people, waiting
}
