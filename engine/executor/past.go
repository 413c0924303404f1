package executor

import (
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// past is what the journal says of a run that an earlier controller left: the facts from which this one goes on. A nil
// past is that of a new run. It is read by many and written only before anything starts, but for pastItem, which belongs
// to its task.
type past struct {
	began     time.Time                 // of the run
	items     map[engine.Unit]*pastItem // by item and batch
	attempts  map[engine.AttemptID]*pastAttempt
	marks     []engine.MarkSet
	markSeq   []uint64
	measured  map[string]bool
	rollouts  map[phaseKey]*engine.RolloutStarted
	batches   map[batchKey]pastBatch
	operators []string
	noted     map[string]bool // limit and from are on record
	paused    *engine.OperatorAction
	aborted   *engine.OperatorAction
	back      *engine.OperatorAction // a person has it rolled back
	wayBack   *engine.RollbackStarted
	gone      *engine.RollbackEnded
	// backActions are what people said after the rollback had begun, by item.
	backActions []pastAction
	cleaning    bool
	cleaned     bool
}

// pastItem is what is on record of an item, or of an item in one batch.
type pastItem struct {
	begun    bool
	begunAt  time.Time
	begunSeq uint64
	hosts    []string
	elements []string
	whole    *engine.ItemOutcome
	wholeAt  time.Time
	wholeSeq uint64
	answer   *engine.OperatorAction // what a person chose about its failure
	byHand   *engine.ItemSettled    // a person's word about the item as a whole
	units    map[engine.Unit]*pastUnit
	order    []engine.Unit
	manual   []*engine.ManualDone
	undone   *engine.ManualDone
	decision *engine.DecisionMade
	requests []*pastRequest
	confirm  bool
}

// pastUnit is what is on record of a unit. Attempts and outputs are those of all parts.
type pastUnit struct {
	outcome  *engine.ItemOutcome
	at       time.Time
	settled  *engine.ItemSettled
	undone   *engine.ItemSettled // a person's word about its rollback
	attempts []*pastAttempt
	outputs  []engine.ItemOutput
	retries  []*engine.ItemRetry
	// base is how many attempts of the command came before a person had it tried again.
	base int
}

// pastAttempt is an intent and, when it is known, what became of it.
type pastAttempt struct {
	intent  engine.ItemIntent
	seq     uint64
	at      time.Time
	outcome *engine.ItemOutcome
	endedAt time.Time
	outputs []engine.ItemOutput
}

// pastRequest is a gate's request and what people said to it.
type pastRequest struct {
	request *engine.ApprovalRequested
	grants  []pastGrant
	denied  *engine.ApprovalDenied
	expired bool
	used    bool
}

// pastAction is what a person did, and its place in the journal.
type pastAction struct {
	engine.OperatorAction
	seq uint64
}

type pastGrant struct {
	*engine.ApprovalGranted
	at time.Time
}

// newPast reads the events of a run.
func newPast(events []engine.Event) *past {
	p := &past{
		items: map[engine.Unit]*pastItem{}, attempts: map[engine.AttemptID]*pastAttempt{},
		measured: map[string]bool{}, noted: map[string]bool{},
		rollouts: map[phaseKey]*engine.RolloutStarted{}, batches: map[batchKey]pastBatch{},
	}
	for _, e := range events {
		p.take(e)
	}
	return p
}

func (p *past) take(e engine.Event) {
	switch x := e.Payload.(type) {
	case *engine.RunOpened:
		p.began = e.Time
		p.steered(x.Operator)
	case *engine.RunResumed:
		p.steered(x.By)
	case *engine.RunInterrupted:
		p.paused = nil // who leaves a paused run and takes it up again wants it to go on
	case *engine.ItemStarted:
		i := p.in(x.Item, x.Batch)
		if !i.begun {
			i.begun, i.begunAt, i.begunSeq, i.hosts, i.elements = true, e.Time, e.Seq, x.Hosts, x.Elements
		}
	case *engine.ItemIntent:
		a := &pastAttempt{intent: *x, seq: e.Seq, at: e.Time}
		p.attempts[x.AttemptID] = a
		u := p.of(x.Unit).unit(x.Unit)
		u.attempts = append(u.attempts, a)
	case *engine.ItemOutput:
		p.output(x)
	case *engine.ItemOutcome:
		p.outcome(e, x)
	case *engine.ItemSettled:
		p.settled(x)
	case *engine.ItemRetry:
		u := p.of(x.Unit).unit(x.Unit)
		u.retries = append(u.retries, x)
	case *engine.MarkSet:
		p.marks, p.markSeq = append(p.marks, *x), append(p.markSeq, e.Seq)
	case *engine.ObjectiveMeasured:
		p.measured[x.Objective] = true
	case *engine.OperatorAction:
		p.action(e.Seq, x)
	default:
		p.people(e)
	}
}

// people takes what people said, and the way back and the cleanup.
func (p *past) people(e engine.Event) {
	switch x := e.Payload.(type) {
	case *engine.ManualDone:
		i := p.in(x.Item, x.Batch)
		if x.Part == engine.PartRollback {
			i.undone = x
		} else {
			i.manual = append(i.manual, x)
		}
	case *engine.DecisionMade:
		p.in(x.Item, x.Batch).decision = x
	case *engine.ApprovalRequested:
		i := p.in(x.Item, x.Batch)
		i.requests = append(i.requests, &pastRequest{request: x})
	case *engine.ApprovalGranted:
		if q := p.in(x.Item, x.Batch).request(); q != nil && x.Void == "" {
			q.grants = append(q.grants, pastGrant{x, e.Time})
		}
	case *engine.ApprovalDenied:
		if q := p.in(x.Item, x.Batch).request(); q != nil {
			q.denied = x
		}
	case *engine.ApprovalExpired:
		if q := p.in(x.Item, x.Batch).request(); q != nil {
			q.expired = true
		}
	case *engine.ApprovalUsed:
		if q := p.in(x.Item, x.Batch).request(); q != nil {
			q.used = true
		}
	default:
		p.course(e)
	}
}

// course takes how far rollouts, the way back and the cleanup have come.
func (p *past) course(e engine.Event) {
	switch x := e.Payload.(type) {
	case *engine.RolloutStarted:
		p.rollouts[phaseKey{x.Call, x.Phase}] = x
	case *engine.BatchStarted:
		p.batches[batchKey{phaseKey{x.Call, x.Phase}, x.Batch}] = pastBatch{begun: true}
	case *engine.BatchEnded:
		p.batches[batchKey{phaseKey{x.Call, x.Phase}, x.Batch}] = pastBatch{begun: true, ended: true}
	case *engine.RollbackStarted:
		p.wayBack, p.gone = x, nil
	case *engine.RollbackEnded:
		p.gone = x
	case *engine.CleanupStarted:
		p.cleaning = true
	case *engine.CleanupEnded:
		p.cleaned = true
	}
}

func (p *past) output(x *engine.ItemOutput) {
	u := p.of(x.Unit).unit(x.Unit)
	u.outputs = append(u.outputs, *x)
	for _, a := range u.attempts {
		if a.intent.Part == x.Part && a.intent.Attempt == x.Attempt && a.outcome == nil {
			a.outputs = append(a.outputs, *x)
		}
	}
}

func (p *past) outcome(e engine.Event, x *engine.ItemOutcome) {
	i := p.of(x.Unit)
	switch {
	case x.AttemptID != "":
		if a := p.attempts[x.AttemptID]; a != nil {
			a.outcome, a.endedAt = x, e.Time
		}
	case x.Part != "": // an observation says nothing that cannot be observed again
	case !x.Whole():
		u := i.unit(x.Unit)
		u.outcome, u.at, u.settled = x, e.Time, nil
	default:
		i.whole, i.wholeAt, i.wholeSeq, i.answer = x, e.Time, e.Seq, nil
	}
}

func (p *past) settled(x *engine.ItemSettled) {
	i := p.of(x.Unit)
	switch {
	case x.Part == engine.PartRollback:
		i.unit(x.Unit).undone = x
	case !x.Whole():
		i.unit(x.Unit).settled = x
	default:
		i.byHand = x
		for _, u := range i.units {
			if u.open() {
				u.settled = x
			}
		}
	}
}

func (p *past) action(seq uint64, a *engine.OperatorAction) {
	switch a.Action {
	case engine.ActionLimit, engine.ActionFrom:
		p.noted[a.Action] = true
		return
	case engine.ActionNote:
		return
	}
	p.steered(a.By)
	switch {
	case p.wayBack != nil:
		p.backActions = append(p.backActions, pastAction{*a, seq})
	case a.Action == engine.ActionRetry && a.Item != "":
		p.in(a.Item, a.Batch).retried(a.About())
		return
	case a.Action == engine.ActionConfirm:
		p.in(a.Item, a.Batch).confirm = true
		return
	case a.Item != "" && p.in(a.Item, a.Batch).whole != nil && a.Action != engine.ActionLeave:
		p.in(a.Item, a.Batch).answer = a
	}
	switch a.Action {
	case engine.ActionPause:
		p.paused = a
	case engine.ActionContinue, engine.ActionInterrupt, engine.ActionKill:
		p.paused = nil
	case engine.ActionAbort:
		p.aborted, p.paused = a, nil
	case engine.ActionRollback:
		p.back, p.paused = a, nil
	}
}

func (p *past) steered(by string) {
	if by != "" && by != engine.ByEngine && !slices.Contains(p.operators, by) {
		p.operators = append(p.operators, by)
	}
}

// of is the item of a unit, made when nothing was said of it yet.
func (p *past) of(u engine.Unit) *pastItem { return p.in(u.Item, u.Batch) }

func (p *past) in(id runbooks.ItemID, batch int) *pastItem {
	key := engine.Unit{Item: id, Batch: batch}
	i := p.items[key]
	if i == nil {
		i = &pastItem{units: map[engine.Unit]*pastUnit{}}
		p.items[key] = i
	}
	return i
}

// item is what is on record of an item, in a batch where its phase rolls out: an empty one when nothing is.
func (p *past) item(id runbooks.ItemID, batch int) *pastItem {
	if p != nil {
		if i := p.items[engine.Unit{Item: id, Batch: batch}]; i != nil {
			return i
		}
	}
	return &pastItem{units: map[engine.Unit]*pastUnit{}}
}

// attempt is what is on record of an attempt; nil: nothing.
func (p *past) attempt(id engine.AttemptID) *pastAttempt {
	if p == nil {
		return nil
	}
	return p.attempts[id]
}

// below reports whether anything was intended in the items of a call.
func (p *past) below(call runbooks.ItemID) bool {
	if p == nil {
		return false
	}
	for key, i := range p.items {
		if strings.HasPrefix(string(key.Item), string(call)+".") && i.intended() {
			return true
		}
	}
	return false
}

// said reports whether limit or from is on record.
func (p *past) said(action string) bool { return p != nil && p.noted[action] }

// marked reports whether an item set a mark at or after an event, or a mark without an item is set.
func (p *past) marked(mark string, item runbooks.ItemID, since uint64) bool {
	if p == nil {
		return false
	}
	for n, m := range p.marks {
		if m.Mark == mark && m.Item == item && p.markSeq[n] >= since {
			return true
		}
	}
	return false
}

// markedAll reports whether an item set all these marks at or after an event.
func (p *past) markedAll(prefix string, marks []string, item runbooks.ItemID, since uint64) bool {
	return !slices.ContainsFunc(marks, func(m string) bool { return !p.marked(prefix+m, item, since) })
}

func (i *pastItem) unit(u engine.Unit) *pastUnit {
	x := i.units[u]
	if x == nil {
		x = &pastUnit{}
		i.units[u] = x
		i.order = append(i.order, u)
	}
	return x
}

func (i *pastItem) request() *pastRequest {
	if len(i.requests) == 0 {
		return nil
	}
	return i.requests[len(i.requests)-1]
}

// known reports whether anything of the item is on record that this controller must go on from.
func (i *pastItem) known() bool { return i.whole != nil || i.begun || i.intended() }

// open reports whether nobody knows how some unit of it ended.
func (i *pastItem) open() bool {
	for _, u := range i.units {
		if u.open() {
			return true
		}
	}
	return false
}

func (i *pastItem) intended() bool {
	for _, u := range i.units {
		if len(u.attempts) > 0 {
			return true
		}
	}
	return false
}

// retried lets what failed end again, as engine.Folder does.
func (i *pastItem) retried(only engine.Unit) {
	one := !only.Whole()
	failed := func(u *pastUnit) bool { return u.outcome != nil && u.fails() }
	whole := true
	for _, u := range i.units {
		whole = whole && !failed(u)
	}
	i.whole, i.answer, i.byHand = nil, nil, nil
	i.manual, i.decision = nil, nil
	for id, u := range i.units {
		if one && id == only || !one && (whole || failed(u)) {
			u.outcome, u.settled, u.retries, u.base = nil, nil, nil, u.commands()
		}
	}
}

func (u *pastUnit) fails() bool {
	switch {
	case u.settled != nil:
		return u.settled.As != engine.Done
	case u.outcome.KillConfirmed != nil && !*u.outcome.KillConfirmed || u.outcome.Outcome == engine.Unknown:
		return true
	}
	return u.outcome.Outcome.Standing() == engine.Fails && u.outcome.Cause != engine.CauseTolerated
}

// open reports whether nobody knows how the unit ended, or whether it still runs.
func (u *pastUnit) open() bool {
	o := u.outcome
	return o != nil && u.settled == nil && (o.Outcome == engine.Unknown || o.KillConfirmed != nil && !*o.KillConfirmed)
}

// commands is how many attempts the command of the unit has had.
func (u *pastUnit) commands() int {
	n := 0
	for _, a := range u.attempts {
		if a.intent.Part == engine.PartCommand {
			n = max(n, a.intent.Attempt)
		}
	}
	return n
}

// attempted reports whether an attempt of the command has an intent.
func (u *pastUnit) attempted(number int) bool {
	return u != nil && slices.ContainsFunc(u.current(), func(a *pastAttempt) bool { return a.intent.Attempt == number })
}

// current are the attempts of the command since it was last tried again by a person, in order.
func (u *pastUnit) current() []*pastAttempt {
	var out []*pastAttempt
	for _, a := range u.attempts {
		if a.intent.Part == engine.PartCommand && a.intent.Attempt > u.base {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *pastAttempt) int { return a.intent.Attempt - b.intent.Attempt })
	return out
}

// since is when the first attempt of the command began; seq orders the units of a run. Not ok: it had none.
func (u *pastUnit) since() (at time.Time, seq uint64, ok bool) {
	for _, a := range u.attempts {
		if a.intent.Part == engine.PartCommand {
			return a.at, a.seq, true
		}
	}
	return time.Time{}, 0, false
}

// phaseKey names a phase that rolls out, by the call that it belongs to.
type phaseKey struct {
	call  runbooks.ItemID
	phase string
}

type batchKey struct {
	phaseKey
	batch int
}

// pastBatch is how far a batch had come.
type pastBatch struct{ begun, ended bool }

// rollout is the division of a phase that is on record; nil: none is.
func (p *past) rollout(call runbooks.ItemID, phase string) *engine.RolloutStarted {
	if p == nil {
		return nil
	}
	return p.rollouts[phaseKey{call, phase}]
}

func (p *past) batchOf(call runbooks.ItemID, phase string, n int) pastBatch {
	if p == nil {
		return pastBatch{}
	}
	return p.batches[batchKey{phaseKey{call, phase}, n}]
}

// retry is what is on record of the unit's start after that many tries; nil: nothing.
func (u *pastUnit) retry(tries int) *engine.ItemRetry {
	if u == nil {
		return nil
	}
	for _, x := range slices.Backward(u.retries) {
		if x.Tries == tries {
			return x
		}
	}
	return nil
}
