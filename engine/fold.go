package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Causes that Fold gives a meaning to. The other causes only classify.
const (
	// CauseDryRun: a dry-run never does this (steps, people, waits, cleanup, and what only their results decide). Such an
	// item is listed as not exercised, and is no gap.
	CauseDryRun = "dry-run"
	// CauseTolerated: the runbook tolerates this outcome on this host.
	CauseTolerated = "tolerated"
	// CauseRollout: a rollout stopped before it came to this; what stopped it has failed for a cause of its own.
	CauseRollout = "rollout"
)

// ErrSequence is wrapped by every error of Apply: events that no run of continuo can have produced in this order.
var ErrSequence = errors.New("impossible sequence of events")

// Fold computes the record of a run from its plan and all its events.
func Fold(plan *Plan, events []Event) (*Record, error) {
	f := NewFolder(plan)
	for _, e := range events {
		if err := f.Apply(e); err != nil {
			return nil, err
		}
	}
	return f.Record(), nil
}

// Folder computes a record event by event. It is not safe for concurrent use.
type Folder struct {
	plan  *Plan
	rec   Record
	index map[runbooks.ItemID]int
	units map[Unit]*UnitRecord
	order map[runbooks.ItemID][]*UnitRecord
	items []ItemRecord
	hosts []*HostRecord
	// open are intents without an outcome; closed are attempt ids that have one.
	open     map[AttemptID]*UnitRecord
	closed   map[AttemptID]bool
	measured map[string]ObjectiveMeasured
	batches  []*BatchRecord
	marks    []markAt
	settled  []Deviation
	segBase  time.Duration // offset at which the current segment began
	last     Event
	offset   time.Duration
	aborted  bool
	left     bool
}

type markAt struct {
	MarkSet
	offset  time.Duration
	segment int
}

// NewFolder starts a record for a plan. The plan must not change afterwards.
func NewFolder(plan *Plan) *Folder {
	f := &Folder{
		plan: plan, index: make(map[runbooks.ItemID]int, len(plan.Items)), units: map[Unit]*UnitRecord{},
		order: map[runbooks.ItemID][]*UnitRecord{}, open: map[AttemptID]*UnitRecord{}, closed: map[AttemptID]bool{},
		measured: map[string]ObjectiveMeasured{}, items: make([]ItemRecord, len(plan.Items)),
	}
	for i := range plan.Items {
		f.index[plan.Items[i].ID] = i
		f.items[i].Plan = &plan.Items[i]
	}
	f.rec.Plan = plan
	return f
}

// Apply takes the next event. After an error the folder must not be used any more.
func (f *Folder) Apply(e Event) error {
	if err := f.admit(e); err != nil {
		return err
	}
	f.last = e
	f.rec.Events++
	f.offset = f.segBase + e.Mono
	if err := f.apply(e); err != nil {
		return fmt.Errorf("event %d (%s): %w: %w", e.Seq, e.Payload.EventType(), ErrSequence, err)
	}
	return nil
}

func (f *Folder) admit(e Event) error {
	_, opens := e.Payload.(*RunOpened)
	switch {
	case e.Payload == nil:
		return fmt.Errorf("event %d: %w: no payload", e.Seq, ErrSequence)
	case opens != (f.rec.Events == 0):
		return fmt.Errorf("event %d: %w: run.opened comes first and once", e.Seq, ErrSequence)
	case f.rec.Closed:
		return fmt.Errorf("event %d (%s): %w: it follows run.closed", e.Seq, e.Payload.EventType(), ErrSequence)
	case !opens && e.Mode != f.rec.Mode:
		return fmt.Errorf("event %d: %w: mode %s in a run of mode %s", e.Seq, ErrSequence, e.Mode, f.rec.Mode)
	}
	return nil
}

func (f *Folder) apply(e Event) error {
	switch p := e.Payload.(type) {
	case *RunOpened:
		f.rec.Opened, f.rec.Mode, f.rec.StartedAt, f.rec.Segments, f.rec.ElapsedExact = *p, e.Mode, e.Time, 1, true
	case *HostConnected:
		f.host(p.Host).Connected = p
	case *PreflightResult:
		f.host(p.Host).Preflight = p
	case *ItemStarted:
		return f.itemStarted(e, p)
	case *RolloutStarted, *BatchStarted, *BatchEnded:
		return f.applyBatch(e)
	case *ItemIntent:
		return f.itemIntent(e, p)
	case *ItemOutput:
		return f.itemOutput(p)
	case *ItemOutcome:
		return f.itemOutcome(e, p)
	case *ItemSettled:
		return f.itemSettled(e, p)
	case *ManualDone, *ApprovalGranted, *ApprovalDenied, *DecisionMade:
		return f.applyPeople(e)
	case *MarkSet:
		f.marks = append(f.marks, markAt{*p, f.offset, f.rec.Segments})
	case *ExplorationResult:
		return f.explored(p)
	case *ObjectiveMeasured:
		f.measured[p.Objective] = *p
	default:
		f.applyRun(e)
	}
	return nil
}

// applyPeople takes the events about what people said of an item.
func (f *Folder) applyPeople(e Event) error {
	switch p := e.Payload.(type) {
	case *ManualDone:
		return f.people(p.Item, func(i *ItemRecord) {
			if p.Part != "" {
				return
			}
			i.Manual = p
			if p.Batch > 0 {
				i.inBatch(p.Batch).Manual = p
			}
		})
	case *ApprovalGranted:
		return f.people(p.Item, func(i *ItemRecord) {
			i.Approvals = append(i.Approvals, *p)
			if p.Void != "" {
				f.deviate(Deviation{Kind: "void-approval", Item: p.Item, By: p.By, Reason: p.Void, At: e.Time})
			}
		})
	case *ApprovalDenied:
		return f.people(p.Item, func(i *ItemRecord) { i.Denied = p })
	case *DecisionMade:
		return f.people(p.Item, func(i *ItemRecord) {
			i.Decision = p
			if p.Batch > 0 {
				i.inBatch(p.Batch).Decision = p
			}
		})
	}
	return nil
}

// people notes what people said about an item.
func (f *Folder) people(id runbooks.ItemID, note func(*ItemRecord)) error {
	i, err := f.item(id)
	if err == nil {
		note(i)
	}
	return err
}

// applyRun takes the events about the run as a whole.
func (f *Folder) applyRun(e Event) {
	switch p := e.Payload.(type) {
	case *CleanupEnded:
		f.rec.CleanupRan, f.rec.CleanupFailed = true, p.Failed
	case *RollbackStarted:
		back := &RollbackRecord{RollbackStarted: *p}
		if f.rec.Rollback != nil { // one that failed goes on
			back.Settled = f.rec.Rollback.Settled
		}
		f.rec.Rollback = back
	case *RollbackEnded:
		if f.rec.Rollback == nil {
			f.rec.Rollback = &RollbackRecord{}
		}
		f.rec.Rollback.RollbackEnded, f.rec.Rollback.Ended = *p, true
	case *OperatorAction:
		if p.Action == ActionRetry && p.Item != "" {
			f.retried(Unit{Item: p.Item, Batch: p.Batch, Key: p.Key, Host: p.Host})
		}
		f.rec.Actions = append(f.rec.Actions, ActionRecord{At: e.Time, OperatorAction: *p})
		f.aborted = f.aborted || p.Action == ActionAbort
	case *ClockAnomaly:
		f.rec.Anomalies = append(f.rec.Anomalies, *p)
		f.deviate(Deviation{Kind: "clock-anomaly", At: e.Time,
			Reason: fmt.Sprintf("the wall clock stepped by %d ms against the monotonic one", p.StepMS)})
	case *RunInterrupted:
		f.left = true
	case *RunResumed:
		f.left = false
		f.rec.Segments++
		f.rec.ElapsedExact = false
		f.segBase = e.Time.Sub(f.rec.StartedAt)
		f.offset = f.segBase + e.Mono
		f.deviate(Deviation{Kind: "resumed", By: p.By, At: e.Time, Reason: "another controller process took the run up"})
	case *JournalRecovered:
		f.deviate(Deviation{Kind: "journal-recovered", At: e.Time,
			Reason: fmt.Sprintf("%d bytes of an unfinished last line were cut off and kept", p.CutBytes)})
	case *RunClosed:
		f.rec.Closed, f.rec.Claimed, f.rec.EndedAt = true, p.Verdict, e.Time
	}
}

// retried lets the failed units of an item end again, or the one that is named: a person has it tried once more, or its host
// proves that it never started. What they ended as stays among their parts.
func (f *Folder) retried(only Unit) {
	n, ok := f.index[only.Item]
	if !ok {
		return
	}
	i, one := &f.items[n], !only.Whole()
	outcome, standing := &i.Outcome, &i.Standing
	if only.Batch > 0 {
		b := i.inBatch(only.Batch)
		outcome, standing = &b.Outcome, &b.Standing
	}
	if !one && *standing != Fails && *standing != Open {
		return
	}
	*outcome, *standing = "", ""
	failed := func(u *UnitRecord) bool {
		return u.Standing == Open || u.Standing == Fails && u.Cause != CauseTolerated
	}
	// When no unit failed, the item did as a whole, and all of it is tried again.
	whole := !slices.ContainsFunc(f.order[only.Item], func(u *UnitRecord) bool { return u.Batch == only.Batch && failed(u) })
	for _, u := range f.order[only.Item] {
		if u.Batch != only.Batch || one && u.Unit != only || !one && !whole && !failed(u) {
			continue
		}
		u.Parts = append(u.Parts, ItemOutcome{
			Unit: u.Unit, Outcome: u.Outcome, Reason: u.Reason, Cause: u.Cause, ExitCode: u.ExitCode, Signal: u.Signal,
		})
		u.Outcome, u.Standing, u.Reason, u.Cause, u.SettledBy = "", "", "", "", ""
	}
}

// Words of OperatorAction that Fold gives a meaning to.
const (
	ActionAbort  = "abort"
	ActionFrom   = "from"
	ActionLimit  = "limit"
	ActionRetry  = "retry"
	ActionSkip   = "skip"
	ActionByHand = "done-by-hand"
	// ActionKnownHosts: a run was taken up with other host keys than it was opened with.
	ActionKnownHosts = "known-hosts-changed"
)

func (f *Folder) deviate(d Deviation) { f.settled = append(f.settled, d) }

func (f *Folder) host(name string) *HostRecord {
	for _, h := range f.hosts {
		if h.Name == name {
			return h
		}
	}
	h := &HostRecord{Name: name}
	f.hosts = append(f.hosts, h)
	return h
}

func (f *Folder) item(id runbooks.ItemID) (*ItemRecord, error) {
	i, ok := f.index[id]
	if !ok {
		return nil, fmt.Errorf("item %q is not in the plan", id)
	}
	return &f.items[i], nil
}

func (f *Folder) unit(u Unit) (*UnitRecord, error) {
	if r, ok := f.units[u]; ok {
		return r, nil
	}
	if _, err := f.item(u.Item); err != nil {
		return nil, err
	}
	r := &UnitRecord{Unit: u, Offset: f.offset}
	f.units[u] = r
	f.order[u.Item] = append(f.order[u.Item], r)
	return r, nil
}

func (f *Folder) itemStarted(e Event, p *ItemStarted) error {
	i, err := f.item(p.Item)
	if err != nil {
		return err
	}
	if p.Batch > 0 {
		if b := i.inBatch(p.Batch); b.StartedAt.IsZero() {
			b.StartedAt, b.Offset = e.Time, f.offset
		}
	}
	if i.Started {
		// A resumed run says again which hosts an unfinished item runs on; its first start stands.
		return nil
	}
	i.Started, i.StartedAt, i.Offset = true, e.Time, f.offset
	return nil
}

func (f *Folder) itemIntent(e Event, p *ItemIntent) error {
	u, err := f.unit(p.Unit)
	if err != nil {
		return err
	}
	if f.open[p.AttemptID] != nil || f.closed[p.AttemptID] {
		return fmt.Errorf("attempt %s has an intent already", p.AttemptID)
	}
	if u.Outcome != "" && p.Part != PartRollback {
		return fmt.Errorf("%s on %q has ended as %s", p.Item, p.Host, u.Outcome)
	}
	f.open[p.AttemptID] = u
	u.Intents = append(u.Intents, *p)
	if u.StartedAt.IsZero() {
		u.StartedAt, u.Offset = e.Time, f.offset
	}
	if p.Part == PartCommand {
		u.Attempts = max(u.Attempts, p.Attempt)
	}
	return nil
}

func (f *Folder) itemOutput(p *ItemOutput) error {
	u, err := f.unit(p.Unit)
	if err != nil {
		return err
	}
	u.Outputs = append(u.Outputs, *p)
	return nil
}

func (f *Folder) itemOutcome(e Event, p *ItemOutcome) error {
	if p.Outcome.Standing() == "" {
		return fmt.Errorf("%q is no outcome", p.Outcome)
	}
	if f.rec.Mode != DryRun && (p.Outcome == Exercised || p.Outcome == NotExercised) {
		return fmt.Errorf("%q in a run of mode %s", p.Outcome, f.rec.Mode)
	}
	switch {
	case p.AttemptID != "":
		return f.attemptOutcome(p)
	case p.Part != "":
		u, err := f.unit(p.Unit)
		if err != nil {
			return err
		}
		u.Parts = append(u.Parts, *p)
		return nil
	case !p.Whole():
		return f.unitOutcome(e, p)
	case p.Batch > 0:
		return f.batchOutcome(e, p)
	}
	return f.wholeOutcome(e, p)
}

func (f *Folder) attemptOutcome(p *ItemOutcome) error {
	u := f.open[p.AttemptID]
	switch {
	case f.closed[p.AttemptID]:
		return fmt.Errorf("attempt %s has an outcome already", p.AttemptID)
	case u == nil:
		return fmt.Errorf("attempt %s has no intent", p.AttemptID)
	case u.Unit != p.Unit:
		return fmt.Errorf("attempt %s belongs to %s on %q", p.AttemptID, u.Item, u.Host)
	}
	delete(f.open, p.AttemptID)
	f.closed[p.AttemptID] = true
	u.Parts = append(u.Parts, *p)
	return nil
}

func (f *Folder) unitOutcome(e Event, p *ItemOutcome) error {
	u, err := f.unit(p.Unit)
	if err != nil {
		return err
	}
	if u.Outcome != "" {
		return fmt.Errorf("%s on %q has ended as %s already", p.Item, p.Host, u.Outcome)
	}
	u.take(p)
	if u.StartedAt.IsZero() {
		u.StartedAt = e.Time
	}
	if p.DurationNS > 0 {
		// An observation has no event at its beginning: its end and its length give that.
		u.Offset = max(0, f.offset-p.DurationNS)
	}
	return nil
}

func (u *UnitRecord) take(p *ItemOutcome) {
	u.Outcome, u.Standing, u.Reason, u.Cause = p.Outcome, p.Outcome.Standing(), p.Reason, p.Cause
	u.Hint, u.ExitCode, u.Signal, u.Command = p.Hint, p.ExitCode, p.Signal, p.Command
	u.Captures, u.Expectations, u.Rounds = p.Captures, p.Expectations, p.Rounds
	u.Duration, u.Reattached, u.KillConfirmed, u.Survivors = p.DurationNS, p.Reattached, p.KillConfirmed, p.Survivors
	u.Attempts = max(u.Attempts, p.Attempts)
	if !p.StartedAt.IsZero() {
		u.StartedAt = p.StartedAt
	}
	if p.KillConfirmed != nil && !*p.KillConfirmed {
		u.Standing = Open
	}
}

func (f *Folder) wholeOutcome(e Event, p *ItemOutcome) error {
	i, err := f.item(p.Item)
	if err != nil {
		return err
	}
	if i.Outcome != "" {
		return fmt.Errorf("%s has ended as %s already", p.Item, i.Outcome)
	}
	i.Outcome, i.Standing, i.Reason, i.Cause, i.Count = p.Outcome, p.Outcome.Standing(), p.Reason, p.Cause, p.Hosts
	i.Expectations = p.Expectations
	if i.Started {
		i.Duration = f.offset - i.Offset
	} else {
		i.StartedAt, i.Offset = e.Time, f.offset
	}
	// An item without hosts has one unit, which may have written output already.
	if us := f.order[p.Item]; len(us) == 0 || len(us) == 1 && us[0].Unit == p.Unit {
		u, err := f.unit(p.Unit)
		if err != nil {
			return err
		}
		u.take(p)
		u.StartedAt, u.Offset, u.Duration = i.StartedAt, i.Offset, i.Duration
	}
	return nil
}

func (f *Folder) itemSettled(e Event, p *ItemSettled) error {
	i, err := f.item(p.Item)
	if err != nil {
		return err
	}
	if p.Part == PartRollback {
		f.rollbackSettled(e, p)
		return nil
	}
	if !p.Whole() {
		u, ok := f.units[p.Unit]
		if !ok {
			return fmt.Errorf("%s on %q is settled before it began", p.Item, p.Host)
		}
		u.Standing, u.SettledBy = p.As, p.By
	} else {
		if p.Batch > 0 {
			i.inBatch(p.Batch).Standing = p.As
		} else {
			i.Standing = p.As
		}
		for _, u := range f.order[p.Item] {
			if (p.Batch == 0 || u.Batch == p.Batch) && (u.Standing == Open || u.Standing == Fails) {
				u.Standing, u.SettledBy = p.As, p.By
			}
		}
	}
	if p.By != SettledByVerify && p.By != SettledByHost {
		f.deviate(Deviation{Kind: "settled", Item: p.Item, Host: p.Host, By: p.By, Reason: p.Reason, At: e.Time})
	}
	return nil
}

// The By of an item.settled that no person decided: a verify did, or the host's own record of the attempt, collected later.
const (
	SettledByVerify = "verify"
	SettledByHost   = "host"
)

// ByEngine is the By of an operator.action that follows from a proof and from no person.
const ByEngine = "engine"

// rollbackSettled takes a person's word about the way back of a unit.
func (f *Folder) rollbackSettled(e Event, p *ItemSettled) {
	if f.rec.Rollback == nil {
		f.rec.Rollback = &RollbackRecord{}
	}
	f.rec.Rollback.Settled = append(f.rec.Rollback.Settled, *p)
	f.deviate(Deviation{Kind: "settled", Item: p.Item, Host: p.Host, By: p.By, Reason: "rollback: " + p.Reason, At: e.Time})
}

// Record is the record so far. It may be called at any time.
func (f *Folder) Record() *Record {
	r := f.rec
	r.Items = make([]ItemRecord, len(f.items))
	r.Batches = f.batchesNow()
	for n := range f.items {
		r.Items[n] = f.items[n]
		r.Items[n].Batches = slices.Clone(f.items[n].Batches)
		for _, u := range f.order[f.items[n].Plan.ID] {
			r.Items[n].Units = append(r.Items[n].Units, f.unitNow(u))
		}
		f.standNow(&r.Items[n])
	}
	for _, h := range f.hosts {
		r.Hosts = append(r.Hosts, *h)
	}
	for _, m := range f.marks {
		r.Marks = append(r.Marks, m.MarkSet)
	}
	r.Actions = slices.Clone(f.rec.Actions)
	r.Anomalies = slices.Clone(f.rec.Anomalies)
	r.Elapsed = f.offset
	f.count(&r)
	r.Machine, r.PeopleTime, r.Waiting = split(&r)
	if r.Mode != DryRun && r.Exploration == nil && r.Opened.RollbackOf == "" {
		r.Objectives = f.objectives()
	}
	r.Deviations = f.deviations(&r)
	r.Verdict, r.Why = f.verdict(&r)
	if !r.Closed {
		r.Verdict, r.Why = Incomplete, "the record is not closed"
	}
	return &r
}

// unitNow is the unit with an open intent shown as what it is: unknown.
func (f *Folder) unitNow(u *UnitRecord) UnitRecord {
	out := *u
	if out.Outcome == "" && len(out.Intents) > 0 {
		if last := out.Intents[len(out.Intents)-1]; f.open[last.AttemptID] != nil {
			out.Standing = Open
			if f.rec.Closed {
				out.Outcome, out.Reason = Unknown, "its launch is on record, and nothing after it"
			}
		}
	}
	return out
}

// standNow gives an item the standing that its units have together after they were settled.
func (f *Folder) standNow(i *ItemRecord) {
	if f.rec.Closed && i.Outcome == "" && slices.ContainsFunc(i.Units, func(u UnitRecord) bool { return u.Outcome == Unknown }) {
		i.Outcome = Unknown
	}
	if i.Outcome == "" || len(i.Units) == 0 {
		return
	}
	settled := slices.ContainsFunc(i.Units, func(u UnitRecord) bool { return u.SettledBy != "" })
	open := slices.ContainsFunc(i.Units, func(u UnitRecord) bool { return u.Standing == Open })
	failed := slices.ContainsFunc(i.Units, func(u UnitRecord) bool { return u.Standing == Fails && u.Cause != CauseTolerated })
	switch {
	case open:
		i.Standing = Open
	case settled && failed:
		i.Standing = Fails
	case settled && i.Outcome == Unknown:
		i.Standing = Done
	}
}

// Preview is the verdict that the run would have if it were closed now, with the rule that decides it and the number of
// unsettled units: what run.closed states.
func (f *Folder) Preview() (v Verdict, why string, unknown int) {
	was := f.rec.Closed
	f.rec.Closed = true
	r := f.Record()
	f.rec.Closed = was
	return r.Verdict, r.Why, r.Unknown
}
