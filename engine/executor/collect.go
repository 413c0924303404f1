package executor

import (
	"context"
	"errors"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// known is an attempt that is on record: its recorded outcome, or what its host says became of it.
func (r *run) known(ctx context.Context, l launch, a *pastAttempt) (*trial, error) {
	if a.outcome != nil {
		return r.remember(l.w, a, l.names), nil
	}
	t := &trial{intended: true, command: a.intent.Command, digest: a.intent.CommandSHA256}
	return t, r.ask(ctx, l, a, t, func(l launch, st engine.ExitStatus, o *output) (bool, error) {
		t.startedAt = a.at // the host's word about it is that of the collecting, not of the start
		if err := r.record(l, &a.intent, st, o, t); err != nil {
			return false, err
		}
		a.outcome, a.endedAt = t.payload(l.unit), t.endedAt
		return true, nil
	})
}

// ask has the host of an attempt say what became of it. t is what it says, and take records that; it reports whether the
// host may forget the attempt. The error is errLeft when this controller goes before it is known.
func (r *run) ask(ctx context.Context, l launch, a *pastAttempt, t *trial, take func(launch, engine.ExitStatus, *output) (bool, error)) error {
	l.w = r.careful(l)
	o, err := r.newOutput(l.w)
	if err != nil {
		return err
	}
	if err := r.valve.join(ctx); err != nil {
		return err
	}
	defer r.valve.exit()
	st, release, err := r.collect(ctx, l, a, o)
	if errors.Is(err, engine.ErrLeft) || err != nil && errors.Is(context.Cause(ctx), engine.ErrLeft) {
		return errLeft
	}
	r.came(ctx, l, st, err, o, t)
	done, err := take(l, st, o)
	if done && err == nil && release != nil {
		release()
	}
	return err
}

// careful is the work with its output withheld where the command was given a sensitive value that this controller does not
// know: what an earlier one captured, or was told. The redactor could not find it.
func (r *run) careful(l launch) work {
	w := l.w
	if w.command == nil {
		return w
	}
	if _, err := r.render(w, l.names); err != nil && unknown(err) {
		w.held, w.withhold = true, true
	}
	return w
}

// recordable reports whether the output of a trial may be recorded: what it may hold is known to the redactor.
func (w work) recordable(t *trial) bool {
	return !w.withhold && (!w.held || len(t.captured) == len(w.captures))
}

// collect asks the host. The command is not rendered again: the attempt is known by its id.
func (r *run) collect(ctx context.Context, l launch, a *pastAttempt, o *output) (engine.ExitStatus, engine.Release, error) {
	place := engine.Place{Unit: l.unit, Part: l.w.part, Number: a.intent.Attempt}
	c := engine.Command{
		Argv: []string{"true"}, Become: a.intent.Become, Timeout: time.Duration(a.intent.TimeoutS * float64(time.Second)),
	}
	return r.cfg.Launcher.Collect(engine.WithPlace(ctx, place), l.host,
		engine.Attempt{ID: a.intent.AttemptID, Command: c, Incarnation: a.intent.Incarnation}, o.sink())
}

// takeUp brings the unit to where an earlier controller left it, and says what it does next.
func (u *unit) takeUp() unitState {
	u.tries = 1
	if u.past == nil {
		return unitUnless
	}
	attempts := u.past.current()
	if len(attempts) == 0 {
		return unitUnless
	}
	// The last attempt, with those before it that provably never started, is one try.
	last := len(attempts) - 1
	first := last
	for first > 0 && attempts[first-1].outcome != nil && attempts[first-1].outcome.Outcome == engine.NeverStarted {
		first--
	}
	tries := (last - first) / neverStartedMost
	first += tries * neverStartedMost
	u.tries += tries
	for _, a := range attempts[:first] {
		if a.outcome != nil && a.outcome.Outcome != engine.NeverStarted {
			u.tries++
		}
		if a.outcome != nil && a.outcome.Outcome == engine.Unknown {
			u.unsure = u.t.r.remember(u.t.work, a, u.names)
		}
	}
	u.attempts, u.onTrail = attempts[first].intent.Attempt-1, true
	u.stamp = attempts[0].at
	return unitCommand
}

// reopen finds out what became of a unit whose recorded outcome is open. The host may be back and tell; what it tells is a
// further word, the outcome stays. Else verify may settle it, or a person.
func (u *unit) reopen(ctx context.Context) error {
	u.began, u.stamp, u.tries = time.Now(), u.t.r.cfg.Clock.Now(), 1
	u.trial = trialOf(u.past.outcome)
	u.trial.intended = true
	again, err := u.tellAgain(ctx)
	switch {
	case err != nil:
		return u.leftOpen(err)
	case again:
		return u.anew(ctx, &engine.OperatorAction{
			Action: engine.ActionRetry, By: engine.ByEngine, Reason: "the host proves that it never started and never will",
		})
	}
	if u.settled == "" && u.trial.outcome == engine.Unknown {
		if _, err := u.settle(ctx); err != nil {
			return u.leftOpen(err)
		}
		if u.settled != "" {
			err = u.t.r.emit(&engine.ItemSettled{Unit: u.id, As: u.settled, By: engine.SettledByVerify, Reason: u.t.r.clip(u.settleBy)})
		}
	}
	if err == nil && u.settled == "" {
		var retry *engine.OperatorAction
		if retry, err = u.askPeople(u.past.outcome); retry != nil && err == nil {
			return u.anew(ctx, retry)
		}
	}
	if err != nil {
		return err
	}
	u.t.close(u.past.outcome, u.trial, u.settled)
	return nil
}

// leftOpen holds the run for a unit that could not be looked at.
func (u *unit) leftOpen(err error) error {
	if fatal(err) {
		return err
	}
	u.t.close(u.past.outcome, u.trial, "")
	return errLeft
}

// tellAgain collects the attempt whose outcome is unknown once more. again: it never started.
func (u *unit) tellAgain(ctx context.Context) (again bool, err error) {
	attempts := u.past.current()
	if u.past.outcome.Outcome != engine.Unknown || len(attempts) == 0 {
		return false, nil
	}
	a := attempts[len(attempts)-1]
	if a.outcome == nil || a.outcome.Outcome != engine.Unknown || a.outcome.Cause == causeClaimed {
		return false, nil
	}
	t := &trial{intended: true}
	l := launch{w: u.t.work, unit: u.id, host: u.host, names: u.names}
	err = u.t.r.ask(ctx, l, a, t, func(l launch, st engine.ExitStatus, o *output) (bool, error) {
		if err := u.heard(l, a, st, o, t); err != nil {
			return false, err
		}
		switch t.outcome {
		case engine.NeverStarted:
			again = true
			return false, nil
		case engine.Unknown, engine.Unreachable:
			u.trial.lost = t.lost
			return false, nil
		default: // the host knows how it ended
			return true, u.told(ctx, t)
		}
	})
	return again, err
}

// heard records what the host still had of an attempt's output.
func (u *unit) heard(l launch, a *pastAttempt, st engine.ExitStatus, o *output, t *trial) error {
	outs, _, err := o.finish(u.id, l.w.part, a.intent.Attempt, l.w.recordable(t), st.BackgroundOpen)
	for n := range outs {
		if err == nil {
			err = u.t.r.emit(&outs[n])
		}
	}
	return err
}

// told settles the unit by what its host's own record says.
func (u *unit) told(ctx context.Context, t *trial) error {
	u.settled, u.settleBy = engine.Done, "the host tells how it ended: succeeded"
	if !t.ok() {
		u.settled, u.settleBy = engine.Fails, "the host tells how it ended: "+reasonOr(t.reason, string(t.outcome))
	}
	if u.settled == engine.Done && u.t.item.Verify != nil {
		s, err := u.observe(ctx, u.t.verifyWork, u.t.item.Verify)
		if err != nil {
			u.settled = ""
			return err
		}
		if !s.holds() {
			u.settled, u.settleBy = engine.Fails, u.settleBy+", and verify does not hold: "+s.reason()
		}
	}
	u.trial.data = t.data
	return u.t.r.emit(&engine.ItemSettled{Unit: u.id, As: u.settled, By: engine.SettledByHost, Reason: u.t.r.clip(u.settleBy)})
}

// causeClaimed is given by transports when somebody else has launched an attempt: this journal does not know all.
const causeClaimed = "claimed"

// askPeople asks a person what became of the unit. With nobody there it stays open. retry: it is to be started again.
func (u *unit) askPeople(o *engine.ItemOutcome) (retry *engine.OperatorAction, err error) {
	r := u.t.r
	if r.cfg.Settler == nil || o.Cause == causeClaimed {
		return nil, nil //nolint:nilnil // nobody asks for a retry
	}
	r.valve.hush(1)
	ctx, done := u.t.asking(r.stay)
	defer done()
	a, err := r.cfg.Settler.Settle(ctx, engine.SettleQuestion{
		Unit: u.id, Outcome: *o, Options: []string{engine.SettleDone, engine.SettleFailed, engine.SettleRetry, engine.SettleLeave},
	})
	r.valve.hush(-1)
	if err != nil {
		return nil, nil //nolint:nilnil // who cannot be asked is not there: it stays open, and the run is held
	}
	r.gates.steered(a.By)
	reason := r.cfg.Redactor.Redact(a.Reason)
	switch a.As {
	case engine.SettleRetry:
		return &engine.OperatorAction{Action: engine.ActionRetry, By: a.By, Reason: reason}, nil
	case engine.SettleDone:
		u.settled = engine.Done
	case engine.SettleFailed:
		u.settled = engine.Fails
	default:
		return nil, nil //nolint:nilnil // nothing is said yet
	}
	return nil, r.emit(&engine.ItemSettled{Unit: u.id, As: u.settled, By: a.By, Signed: a.Signed, Reason: reason})
}

// anew starts the unit again from its beginning, with further attempts.
func (u *unit) anew(ctx context.Context, why *engine.OperatorAction) error {
	why.Item, why.Batch, why.Key, why.Host = u.id.Item, u.id.Batch, u.id.Key, u.id.Host
	if err := u.t.r.emit(why); err != nil {
		return err
	}
	b := u.t.before
	u.t.mu.Lock()
	b.whole, b.answer = nil, nil
	u.t.outcome = verdict{}
	u.t.mu.Unlock()
	u.attempts = max(u.attempts, u.t.attempted(u.id))
	if u.past != nil {
		u.past.outcome, u.past.settled, u.past.base = nil, nil, u.past.commands()
		u.attempts = max(u.attempts, u.past.base)
	}
	next := &unit{t: u.t, id: u.id, host: u.host, each: u.each, names: u.names, attempts: u.attempts, past: u.past, onTrail: u.onTrail}
	return next.run(ctx)
}
