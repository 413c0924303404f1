package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// phaseTurn is what a phase's own condition means for its items.
type phaseTurn struct {
	skip, undecided, broken bool
	reason                  string
}

// schedule runs the items of one phase: an item starts when all that it comes after have ended.
type schedule struct {
	r       *run
	cleanup bool
	turn    phaseTurn
	tasks   []*task
	waiting map[runbooks.ItemID]int // how many it still waits for
	next    map[runbooks.ItemID][]*task
	ready   []*task
	running int
	// done takes each task as it ends; it has room for all, so that no task ever waits for the schedule.
	done chan taskEnd
	err  error
	roll *rolling // of a batch; nil elsewhere
}

type taskEnd struct {
	t   *task
	err error
}

// phase runs a phase to its end. errLeft: the run is held or left, and what did not start has no outcome.
func (r *run) phase(p *runbooks.Phase, cleanup bool) error {
	if p.Rollout != nil {
		return r.rollOut(p)
	}
	s := r.schedule(p, r.tasks, cleanup)
	if err := s.decide(p); err != nil {
		return err
	}
	return s.run()
}

// schedule prepares the items of a phase: those of the run, or of one batch.
func (r *run) schedule(p *runbooks.Phase, tasks map[runbooks.ItemID]*task, cleanup bool) *schedule {
	s := &schedule{
		r: r, cleanup: cleanup, waiting: map[runbooks.ItemID]int{}, next: map[runbooks.ItemID][]*task{},
		done: make(chan taskEnd, len(p.Items)),
	}
	here := make(map[runbooks.ItemID]bool, len(p.Items))
	for _, i := range p.Items {
		here[i.ID()] = true
	}
	for _, i := range p.Items {
		t := tasks[i.ID()]
		s.tasks = append(s.tasks, t)
		for _, a := range i.After {
			if here[a] {
				s.waiting[i.ID()]++
				s.next[a] = append(s.next[a], t)
			}
		}
		if s.waiting[i.ID()] == 0 {
			s.ready = append(s.ready, t)
		}
	}
	return s
}

// decide evaluates the phase's condition, once.
func (s *schedule) decide(p *runbooks.Phase) error {
	if p.When == nil {
		return nil
	}
	if turn, ok := s.pastTurn(); ok {
		s.turn = turn
		return nil
	}
	names, err := s.r.names.scopeFor(s.r.stay, s.r.book, []*expr.Expr{p.When})
	if err == nil {
		var truth bool
		if truth, err = evalTruth(p.When, names); err == nil {
			s.turn = phaseTurn{skip: !truth, reason: "the condition of its phase does not hold: " + p.When.Text()}
			return nil
		}
	}
	if s.r.dry && unknown(err) {
		s.turn = phaseTurn{undecided: true, reason: "whether its phase runs is decided at run time: " + p.When.Text()}
		return nil
	}
	s.turn = phaseTurn{broken: true, reason: "when of its phase: " + s.r.clip(errText(err))}
	return nil
}

func (s *schedule) run() error {
	s.carry()
	for len(s.ready) > 0 || s.running > 0 {
		may, ever, changed := s.may()
		s.start(may)
		if may {
			// all that are ready run
		} else if !ever && s.running == 0 {
			break
		}
		select {
		case e := <-s.done:
			s.end(e)
		case <-changed:
		}
	}
	if s.err != nil {
		return s.err
	}
	if err := s.r.valve.flow(s.r.stay); err != nil {
		return err
	}
	if st, _, _ := s.r.valve.standing(); st >= held {
		return errLeft
	}
	return s.notReached()
}

// may reports whether items may start now, and whether they ever may. Cleanup goes on after a stop and an abort.
func (s *schedule) may() (may, ever bool, changed <-chan struct{}) {
	may, ever, changed = s.r.valve.items(s.cleanup)
	if why := s.r.stoppedHere(); why != "" && !s.cleanup {
		return false, false, changed
	}
	if fatal(s.err) || s.roll != nil && s.roll.why != "" {
		return false, false, changed
	}
	return may, ever, changed
}

// carry takes up the items whose outcome is on record, before anything new starts: what they mean for the run holds.
func (s *schedule) carry() {
	ctx, _ := s.r.working()
	for n := 0; n < len(s.ready); {
		t := s.ready[n]
		if t.before.whole == nil {
			n++
			continue
		}
		s.ready = slices.Delete(s.ready, n, n+1)
		s.running++
		s.roll.join(t)
		s.end(taskEnd{t, t.run(ctx, s.turn)})
		n = 0
	}
}

// start starts the items that are ready. While nothing new may start, those that an earlier controller had begun go on: they
// are under way.
func (s *schedule) start(may bool) {
	ctx, _ := s.r.working()
	stand, _, _ := s.r.valve.standing()
	var later []*task
	for _, t := range s.ready {
		if !may && (!t.before.known() || t.redo != nil || stand >= held || fatal(s.err)) {
			later = append(later, t)
			continue
		}
		s.running++
		s.roll.join(t)
		s.taint(t)
		go func() { s.done <- taskEnd{t, t.run(ctx, s.turn)} }()
	}
	s.ready = later
}

// end takes a task that has ended: what waited for it may start, unless its failure stops the run.
func (s *schedule) end(e taskEnd) {
	s.running--
	if errors.Is(e.err, errStopped) {
		return // notReached says so
	}
	s.err = worse(s.err, e.err)
	if e.err != nil {
		return
	}
	if s.mustAnswer(e.t) {
		again, err := s.answer(e.t)
		s.err = worse(s.err, err)
		if again {
			s.roll.again(e.t)
			e.t.again()
			s.ready = append(s.ready, e.t)
			return
		}
	}
	for _, t := range s.next[e.t.item.ID()] {
		id := t.item.ID()
		if s.waiting[id]--; s.waiting[id] == 0 {
			s.ready = append(s.ready, t)
		}
	}
}

// mustAnswer reports whether the end of an item calls for what the runbook or a person says about failures. In a batch that
// is so when more has failed than may.
func (s *schedule) mustAnswer(t *task) bool {
	if s.roll != nil {
		return s.roll.tooMuch(t)
	}
	return t.outcome.fails && !t.outcome.open
}

// answer does what is said about a failure. In a batch the rollout goes no further, unless a person has settled it.
func (s *schedule) answer(t *task) (again bool, err error) {
	again, err = s.failed(t)
	if s.roll != nil && !again {
		s.roll.answered(t)
	}
	return again, err
}

// failed does what the runbook says about a failure. Nothing new starts meanwhile. again: a person has the item tried
// once more.
func (s *schedule) failed(t *task) (again bool, err error) {
	if s.cleanup || s.r.dry || t.item.Severity == "finding" {
		return false, nil
	}
	why := fmt.Sprintf("%s: %s", t.id, reasonOr(t.outcome.reason, string(t.outcome.outcome)))
	if s.roll != nil {
		why = fmt.Sprintf("%s: %s", t.id, s.roll.reason(t))
	}
	if a := t.before.answer; a != nil && t.before.whole != nil {
		return false, s.r.answeredFailure(t, engine.FailureAnswer{Action: a.Action, By: a.By, Reason: a.Reason}, why)
	}
	if t.before.whole != nil && t.outcome.outcome == engine.NotReached && t.outcome.cause == causeStopped {
		return false, nil // it was the run that had stopped
	}
	policy := s.r.policy(t)
	if stand, _, _ := s.r.valve.standing(); policy == runbooks.Ask && (s.r.hadStopped() || stand >= aborted) {
		policy = runbooks.Stop // what that failure means was decided then
	}
	switch policy {
	case runbooks.Continue:
	case runbooks.Rollback:
		s.r.back(why, "")
	case runbooks.Ask:
		return s.r.askFailed(t, why)
	default:
		s.r.stop(why, "")
	}
	return false, nil
}

// back stops the run and has it rolled back.
func (r *run) back(why, by string) {
	r.trail.want(why, by)
	r.valve.halt(stopped, why, by) // a called runbook's too: the way back is that of the whole run
}

// policy is the nearest on_failure of item, phase, runbook and run.
func (r *run) policy(t *task) runbooks.OnFailure {
	if t.item.Kind == runbooks.Gate && t.nearest() == runbooks.Continue {
		return runbooks.Stop // nobody goes past a gate that did not open
	}
	return t.nearest()
}

func (t *task) nearest() runbooks.OnFailure {
	r := t.r
	last := r.cfg.OnFailure
	if r.up != nil {
		last = runbooks.Stop // what that means for the rest, the caller says about the call
	}
	for _, p := range []runbooks.OnFailure{t.item.OnFailure, t.phase.OnFailure, r.cfg.Runbook.OnFailure, last} {
		if p != "" {
			return p
		}
	}
	return runbooks.Stop
}

// askFailed asks the operator what to do about a failure. With nobody there, the run stops.
func (r *run) askFailed(t *task, why string) (again bool, err error) {
	if r.cfg.Operator == nil {
		r.stop(why, "")
		return false, nil
	}
	ctx, done := t.asking(r.stay)
	defer done()
	a, err := r.cfg.Operator.Failed(ctx, engine.FailureQuestion{
		Item:    t.id,
		Outcome: engine.ItemOutcome{Unit: t.self(), Outcome: t.outcome.outcome, Cause: t.outcome.cause, Reason: t.outcome.reason},
		Units:   t.failing(20),
		Options: t.options(),
	})
	switch {
	case err != nil && errors.Is(context.Cause(ctx), errAborted):
		return false, nil // whoever aborted the run has said what becomes of it
	case errors.Is(err, context.Canceled) || r.stay.Err() != nil:
		return false, errLeft
	case err != nil:
		r.stop(why, "")
		return false, nil // who cannot be asked is not there: the run stops for the failure itself
	}
	if !slices.Contains(t.options(), a.Action) {
		a.Action = ""
	}
	return a.Action == engine.ActionRetry, r.answeredFailure(t, a, why)
}

// options are what may be done about the item's failure. A gate can be asked again, never skipped or done by hand.
func (t *task) options() []string {
	var out []string
	if t.batch > 0 || t.phase.Rollout == nil || t.r.batch > 0 { // what has gone through its batches is not begun again
		out = append(out, engine.ActionRetry)
	}
	if t.item.Kind != runbooks.Gate {
		out = append(out, engine.ActionSkip, engine.ActionByHand)
	}
	return append(out, engine.ActionRollback, engine.ActionAbort, engine.ActionLeave)
}

func (r *run) answeredFailure(t *task, a engine.FailureAnswer, why string) error {
	act := &engine.OperatorAction{Action: reasonOr(a.Action, "stop"), By: a.By, Item: t.id, Batch: t.batch, Reason: r.cfg.Redactor.Redact(a.Reason)}
	if t.before.whole == nil || t.before.answer == nil {
		if err := r.emit(act); err != nil {
			return err
		}
	}
	r.gates.steered(a.By)
	switch a.Action {
	case engine.ActionSkip, engine.ActionContinue, engine.ActionRetry:
		return nil
	case engine.ActionByHand:
		return t.byHand(a)
	case engine.ActionRollback:
		r.back(reasonOr(a.Reason, why), a.By)
	case engine.ActionAbort:
		r.abort(reasonOr(a.Reason, why), a.By)
	case engine.ActionLeave:
		r.depart(reasonOr(a.Reason, why), a.By)
		return errLeft
	default:
		r.stop(why, a.By)
	}
	return nil
}

// byHand takes a person's word that a failed item is done.
func (t *task) byHand(a engine.FailureAnswer) error {
	settled := &engine.ItemSettled{Unit: t.self(), As: engine.Done, By: a.By, Signed: a.Signed, Reason: t.r.cfg.Redactor.Redact(a.Reason)}
	if t.before.byHand == nil {
		if err := t.r.emit(settled); err != nil {
			return err
		}
	}
	t.outcome.fails, t.outcome.byHand = false, true
	for n := range t.units {
		if t.units[n].fails() {
			t.units[n].settled = engine.Done
		}
	}
	t.keep(t.outcome)
	t.r.ends.settled(t)
	if t.batch > 0 {
		return nil
	}
	if t.r.past.markedAll(t.r.markPrefix(), t.item.Marks, t.id, t.before.wholeSeq) && t.before.whole != nil {
		return nil
	}
	return t.r.marks.set(t.item.Marks, t.id)
}

// hadStopped reports whether an earlier controller had stopped the run, or this called runbook, and gone on to its end.
func (r *run) hadStopped() bool {
	if r.past == nil {
		return false
	}
	if r.past.cleaning || r.past.wayBack != nil {
		return true
	}
	for _, t := range r.tasks {
		if w := t.before.whole; w != nil && w.Outcome == engine.NotReached && w.Cause == causeStopped {
			return true
		}
	}
	return false
}

// failing are the first outcomes of units that failed.
func (t *task) failing(most int) []engine.ItemOutcome {
	var out []engine.ItemOutcome
	for n := range t.units {
		if u := &t.units[n]; u.fails() && len(out) < most {
			out = append(out, engine.ItemOutcome{Unit: u.id, Outcome: u.outcome, Cause: u.cause, Reason: u.reason})
		}
	}
	return out
}

// notReached gives every item that never started because the run stopped its outcome.
func (s *schedule) notReached() error {
	why := s.r.whyStopped()
	where, _, _ := strings.Cut(why, ": ") // the item; its own outcome says the rest
	for _, t := range s.tasks {
		if t.outcome.outcome != "" {
			continue
		}
		if t.before.whole == nil && t.before.intended() {
			return t.hold(fmt.Sprintf("%s had begun, and nobody has found out what became of it", t.id))
		}
		v := verdict{outcome: engine.NotReached, cause: causeStopped, reason: s.r.clip("the run stopped at " + where), fails: true}
		if s.roll != nil && s.roll.why != "" {
			v.cause, v.reason = causeRollout, s.roll.why
		}
		if err := t.whole(v, nil); err != nil {
			return err
		}
	}
	return nil
}

// before reports whether --from leaves the item out.
func (r *run) before(id runbooks.ItemID) bool {
	if r.cfg.From == "" || r.up != nil {
		return false
	}
	for _, i := range r.cfg.Runbook.AllItems() {
		switch i.ID() {
		case r.cfg.From:
			return false
		case id:
			return !r.needed(id)
		}
	}
	return false
}

// needed reports whether a gate is required by an item that --from does not leave out: it must be approved all the same.
func (r *run) needed(id runbooks.ItemID) bool {
	reached := false
	for _, i := range r.cfg.Runbook.AllItems() {
		reached = reached || i.ID() == r.cfg.From
		if reached && slices.Contains(i.Requires, id) {
			return true
		}
	}
	return false
}
