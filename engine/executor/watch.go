package executor

import (
	"context"
	"errors"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// watch serves Control until the run is over. The channel is closed when it has ended.
func (r *run) watch() <-chan struct{} {
	over := make(chan struct{})
	var wake <-chan struct{}
	if r.cfg.Control != nil {
		wake = r.cfg.Control.wake
	}
	go func() {
		defer close(over)
		for r.stay.Err() == nil {
			idle, changed := r.valve.idle()
			if idle {
				r.drained()
				continue
			}
			select {
			case <-r.stay.Done():
				return
			case <-changed:
			case <-wake:
				for _, a := range r.cfg.Control.take() {
					r.steer(a)
				}
			}
		}
	}()
	return over
}

// steer journals what a person did and does it. A journal that fails has halted the run already.
func (r *run) steer(a engine.OperatorAction) {
	a.Reason = r.cfg.Redactor.Redact(a.Reason)
	if r.emit(&a) != nil {
		return
	}
	if a.Action != engine.ActionNote {
		r.gates.steered(a.By)
	}
	switch a.Action {
	case engine.ActionPause:
		r.valve.set(true, false)
	case engine.ActionContinue:
		r.valve.set(false, false)
	case engine.ActionInterrupt:
		r.valve.set(false, true)
	case engine.ActionKill:
		r.valve.set(false, true)
		_, kill := r.working()
		kill(errKilled)
	case engine.ActionLeave:
		r.depart(reasonOr(a.Reason, "left by the operator"), a.By)
	case engine.ActionRollback:
		r.back(reasonOr(a.Reason, "rolled back by the operator"), a.By)
		r.valve.set(false, false)
	case engine.ActionAbort:
		r.abort(reasonOr(a.Reason, "aborted by the operator"), a.By)
		r.valve.set(false, false)
	}
}

// drained asks what to do now that nothing runs. Without anyone to ask, the run is left.
func (r *run) drained() {
	answer, err := r.askInterrupted()
	if err != nil {
		why := "interrupted, and nobody to ask"
		if !errors.Is(err, engine.ErrNobody) {
			why = "interrupted: " + err.Error()
		}
		r.depart(why, "")
		return
	}
	r.newWork()
	r.steer(engine.OperatorAction{Action: answer.Action, By: answer.By, Reason: answer.Reason})
	switch answer.Action {
	case engine.ActionContinue, engine.ActionAbort, engine.ActionRollback:
	default:
		r.depart(reasonOr(answer.Reason, "left by the operator"), answer.By)
	}
}

func (r *run) askInterrupted() (engine.InterruptAnswer, error) {
	if r.cfg.Operator == nil {
		return engine.InterruptAnswer{}, engine.ErrNobody
	}
	// A further Ctrl-C while the question stands leaves at once.
	ctx, cancel := context.WithCancel(r.stay)
	defer cancel()
	if r.cfg.Control == nil {
		return r.cfg.Operator.Interrupted(ctx, r.interruptQuestion())
	}
	type reply struct {
		a   engine.InterruptAnswer
		err error
	}
	got := make(chan reply, 1)
	go func() {
		a, err := r.cfg.Operator.Interrupted(ctx, r.interruptQuestion())
		got <- reply{a, err}
	}()
	for {
		select {
		case x := <-got:
			return x.a, x.err
		case <-r.cfg.Control.wake:
			for _, a := range r.cfg.Control.take() {
				switch a.Action {
				case engine.ActionNote, engine.ActionPause:
					r.steer(a)
				case engine.ActionContinue, engine.ActionAbort, engine.ActionRollback:
					return engine.InterruptAnswer{Action: a.Action, By: a.By, Reason: a.Reason}, nil
				default:
					return engine.InterruptAnswer{Action: engine.ActionLeave, By: a.By, Reason: a.Reason}, nil
				}
			}
		}
	}
}

// interruptQuestion says what would start next: the items that have not started, the first few.
func (r *run) interruptQuestion() engine.InterruptQuestion {
	var next []runbooks.ItemID
	for _, i := range r.cfg.Runbook.AllItems() {
		if !r.tasks[i.ID()].begun.Load() && len(next) < 5 {
			next = append(next, i.ID())
		}
	}
	return engine.InterruptQuestion{Next: next}
}
