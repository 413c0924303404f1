package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Board is what a person sees of a run at one glance, made of its plan and its events: where it stands, what runs where,
// what failed, whom it waits for, what comes next. It is not safe for concurrent use; see Console.
type Board struct {
	plan  *engine.Plan
	mode  engine.Mode
	run   engine.RunID
	by    string // the operator
	clock *objectiveClock
	items map[runbooks.ItemID]*boardItem
	order []*boardItem // of the plan

	began, ended time.Time
	verdict      engine.Verdict
	phase        string
	gate         map[runbooks.ItemID]*gateState
	paused       string // by whom; empty: it is not
	stopping     string // interrupt, kill, abort, rollback, leave: nothing new starts
	back         *engine.RollbackStarted
	backEnded    *engine.RollbackEnded
	undone       int
	undoing      map[engine.Unit]bool // whose way back is under way
	events       []engine.Event       // but for output
	cleaning     bool
	batch        *engine.BatchStarted // of the rollout that goes on
	ready, bad   []string             // hosts by preflight
	failed       []trouble
	forecast     Forecaster
	told         time.Time // when stakeholders were last told how it stands: the beginning, or a note
	asks         []string  // what is asked of whoever leads the run
}

// Outlook is when a run is expected to end, and to come to its marks.
type Outlook struct {
	End   time.Time
	Marks map[string]time.Time
}

// Forecaster tells the outlook from what has begun and ended; false where nobody knows.
type Forecaster func(now time.Time, started map[runbooks.ItemID]time.Time, ended map[runbooks.ItemID]bool) (Outlook, bool)

// boardItem is one item as the board shows it.
type boardItem struct {
	plan    *engine.PlanItem
	started time.Time
	outcome engine.Outcome
	hosts   []string
	running map[string]bool // hosts with an intent and no outcome
	done    int
	bad     []string // hosts that failed
	tails   map[engine.Unit][]engine.ItemOutput
}

type gateState struct {
	asked engine.ApprovalRequested
	by    []string
}

// trouble is a unit or an item that did not end well.
type trouble struct {
	unit    engine.Unit
	outcome engine.Outcome
	why     string
}

// NewBoard makes the board of a plan.
func NewBoard(plan *engine.Plan, mode engine.Mode) *Board {
	b := &Board{
		plan: plan, mode: mode, clock: newObjectiveClock(plan), items: make(map[runbooks.ItemID]*boardItem, len(plan.Items)),
		gate: map[runbooks.ItemID]*gateState{}, undoing: map[engine.Unit]bool{},
	}
	for n := range plan.Items {
		i := &boardItem{plan: &plan.Items[n], running: map[string]bool{}, tails: map[engine.Unit][]engine.ItemOutput{}}
		b.items[i.plan.ID] = i
		b.order = append(b.order, i)
	}
	return b
}

// Forecast has the board say when the run is expected to end.
func (b *Board) Forecast(f Forecaster) { b.forecast = f }

// item is an item of the plan; nil for one that is not in it.
func (b *Board) item(id runbooks.ItemID) *boardItem { return b.items[id] }

// Event takes the next event of the run.
func (b *Board) Event(e engine.Event) {
	if _, output := e.Payload.(*engine.ItemOutput); !output {
		b.events = append(b.events, e)
	}
	switch v := e.Payload.(type) {
	case *engine.RunOpened:
		b.run, b.by, b.began, b.told = v.Run, v.Operator, e.Time, e.Time
	case *engine.PreflightResult:
		if v.OK {
			b.ready = append(b.ready, v.Host)
		} else {
			b.bad = append(b.bad, v.Host)
		}
	case *engine.MarkSet:
		b.clock.mark(v)
	case *engine.ItemStarted:
		b.started(e, v)
	case *engine.ItemIntent:
		switch i := b.item(v.Item); {
		case v.Part == engine.PartRollback:
			b.undoing[v.Unit] = true
		case i != nil:
			i.running[v.Host] = true
		}
	case *engine.ItemOutput:
		if i := b.item(v.Item); i != nil {
			i.tails[v.Unit] = append(i.tails[v.Unit], *v)
		}
	case *engine.ItemOutcome:
		b.outcome(v)
	case *engine.ItemSettled:
		b.settled(v)
	default:
		b.people(e)
	}
}

func (b *Board) people(e engine.Event) {
	switch v := e.Payload.(type) {
	case *engine.ApprovalRequested:
		b.gate[v.Item] = &gateState{asked: *v}
	case *engine.ApprovalGranted:
		if g := b.gate[v.Item]; g != nil && v.Void == "" {
			g.by = append(g.by, v.By)
		}
	case *engine.OperatorAction:
		if v.Action == engine.ActionNote {
			b.told = e.Time
		}
		b.action(v)
	case *engine.RollbackStarted:
		b.back, b.backEnded, b.undone, b.stopping = v, nil, 0, ""
	case *engine.RollbackEnded:
		b.backEnded = v
	case *engine.BatchStarted:
		b.batch = v
	case *engine.CleanupStarted:
		b.cleaning, b.stopping = true, ""
	case *engine.CleanupEnded:
		b.cleaning = false
	case *engine.RunInterrupted:
		b.stopping = engine.ActionLeave
	case *engine.RunResumed:
		b.stopping, b.paused = "", ""
	case *engine.RunClosed:
		b.ended, b.verdict = e.Time, v.Verdict
	default: // of no weight at a glance
	}
}

func (b *Board) started(e engine.Event, v *engine.ItemStarted) {
	i := b.item(v.Item)
	if i == nil {
		return
	}
	if i.started.IsZero() {
		i.started = e.Time
	}
	i.hosts, i.done = v.Hosts, 0
	b.phase = i.plan.Phase
}

func (b *Board) outcome(v *engine.ItemOutcome) {
	i := b.item(v.Item)
	if i == nil {
		return
	}
	switch {
	case v.Part == engine.PartRollback:
		delete(b.undoing, v.Unit)
		if good(v.Outcome) {
			b.undone++
		}
	case v.Part != "":
	case v.Whole() && v.Batch > 0:
		clear(i.running) // the item goes on with the next batch
	case v.Whole():
		i.outcome = v.Outcome
		clear(i.running)
		if !good(v.Outcome) && v.Outcome != engine.NotReached && len(i.bad) == 0 {
			b.failed = append(b.failed, trouble{v.Unit, v.Outcome, v.Reason})
		}
	default:
		delete(i.running, v.Host)
		if good(v.Outcome) {
			i.done++
			delete(i.tails, v.Unit)
			return
		}
		if v.Outcome != engine.NotReached {
			i.bad = append(i.bad, v.Host)
			b.failed = append(b.failed, trouble{v.Unit, v.Outcome, reasonOf(v)})
		}
	}
}

func reasonOf(v *engine.ItemOutcome) string {
	if v.Reason == "" && v.ExitCode != nil {
		return fmt.Sprintf("exit code %d", *v.ExitCode)
	}
	return v.Reason
}

// settled forgets a trouble that a person or a verify has settled as done.
func (b *Board) settled(v *engine.ItemSettled) {
	if v.As != engine.Done {
		return
	}
	b.failed = slices.DeleteFunc(b.failed, func(t trouble) bool { return t.unit == v.Unit })
	if i := b.item(v.Item); i != nil {
		i.bad = slices.DeleteFunc(i.bad, func(h string) bool { return h == v.Host })
	}
}

func (b *Board) action(v *engine.OperatorAction) {
	switch v.Action {
	case engine.ActionPause:
		b.paused = v.By
	case engine.ActionContinue:
		b.paused, b.stopping = "", ""
	case engine.ActionInterrupt, engine.ActionKill, engine.ActionAbort, engine.ActionRollback, engine.ActionLeave:
		b.stopping, b.paused = v.Action, ""
	case engine.ActionRetry:
		b.retried(v.Item)
	default: // a remark
	}
}

// retried lets an item begin again where it failed.
func (b *Board) retried(id runbooks.ItemID) {
	i := b.item(id)
	if i == nil {
		return
	}
	b.failed = slices.DeleteFunc(b.failed, func(t trouble) bool { return t.unit.Item == id })
	i.outcome, i.bad = "", nil
	clear(i.tails)
	delete(b.gate, id)
}

// active are the items that have begun and not ended, in order of the plan; people's and machines' apart.
func (b *Board) active() (machines, people []*boardItem) {
	for _, i := range b.order {
		switch {
		case i.started.IsZero() || i.outcome != "" || i.plan.Kind == runbooks.Call:
		case i.plan.Effect == runbooks.Human:
			people = append(people, i)
		default:
			machines = append(machines, i)
		}
	}
	return machines, people
}

// next are the items that have not begun, in order of the plan.
func (b *Board) next() []*boardItem {
	var out []*boardItem
	for _, i := range b.order {
		if i.started.IsZero() && i.outcome == "" && i.plan.Disposition != engine.WillSkip {
			out = append(out, i)
		}
	}
	return out
}

// progress counts the items that have ended.
func (b *Board) progress() (ended, all int) {
	for _, i := range b.order {
		if i.outcome != "" {
			ended++
		}
	}
	return ended, len(b.order)
}

// tail is the last lines that a unit wrote, of its last attempt.
func (b *Board) tail(u engine.Unit, most int) []string {
	i := b.item(u.Item)
	if i == nil {
		return nil
	}
	outputs := i.tails[u]
	var out []string
	for _, o := range outputs {
		if last := outputs[len(outputs)-1]; o.Part != last.Part || o.Attempt != last.Attempt {
			continue
		}
		for _, l := range lines(o.Text) {
			out = append(out, o.Stream+"| "+Clean(l))
		}
	}
	return out[max(0, len(out)-most):]
}

// way is the way back from where the run stands. Not ok: the events do not tell.
func (b *Board) way() (engine.WayBack, bool) {
	w, err := engine.FindWayBack(b.plan, b.events)
	return w, err == nil
}

// backRows say what a rollback from here would do.
func (b *Board) backRows() []row {
	w, ok := b.way()
	if !ok {
		return nil
	}
	return backRows(w)
}

// beforeRows say what lies before the point of no return.
func (b *Board) beforeRows() []row {
	w, ok := b.way()
	if !ok {
		return nil
	}
	var with, without []engine.Unit
	for _, k := range w.Kept {
		switch {
		case k.Item == w.Until:
		case k.Reversible:
			with = append(with, k.Unit)
		default:
			without = append(without, k.Unit)
		}
	}
	var out []row
	for _, name := range gathered(with) {
		out = append(out, row{{"  before it: ", plainInk}, {name, bold}, {", which can be undone", plainInk}})
	}
	for _, name := range gathered(without) {
		out = append(out, row{{"  before it: ", plainInk}, {name, bold}, {", which has no rollback", red}})
	}
	return out
}

// outlook asks the forecaster.
func (b *Board) outlook(now time.Time) (Outlook, bool) {
	if b.forecast == nil || !b.ended.IsZero() {
		return Outlook{}, false
	}
	started, ended := map[runbooks.ItemID]time.Time{}, map[runbooks.ItemID]bool{}
	for _, i := range b.order {
		if !i.started.IsZero() {
			started[i.plan.ID] = i.started
		}
		if i.outcome != "" {
			ended[i.plan.ID] = true
		}
	}
	return b.forecast(now, started, ended)
}
