package executor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// unit is a step on one host (and element): the smallest thing that has an outcome. It is a state machine; each state
// does one thing and names the next.
type unit struct {
	t     *task
	id    engine.Unit
	host  *runbooks.Host
	each  expr.Value
	names *expr.Scope
	began time.Time
	// stamp is the wall clock's began.
	stamp    time.Time
	trial    *trial // the last attempt of the command
	attempts int    // launched, with those that provably never started
	tries    int    // begun by the runbook's rules: 1 + retries
	onTrail  bool
	// unsure is an attempt whose end nobody knows and that an idempotent step is started again for. Until a later attempt
	// has run, it stays the last word.
	unsure   *trial
	settled  engine.Standing
	settleBy string
	past     *pastUnit // what is on record of it; nil: nothing
}

// unitState names what a unit does next.
type unitState int

const (
	unitUnless unitState = iota
	unitCommand
	unitVerify
	unitSettle
	unitRetry
	unitEnded
)

// run takes the unit to its end and records its outcome. An error is fatal, or says that the unit has no outcome because
// the run is left.
func (u *unit) run(ctx context.Context) error {
	u.began, u.stamp = time.Now(), u.t.r.cfg.Clock.Now()
	steps := map[unitState]func(context.Context) (unitState, error){
		unitUnless: u.unless, unitCommand: u.command, unitVerify: u.verify, unitSettle: u.settle, unitRetry: u.retry,
	}
	for state := u.takeUp(); state != unitEnded; {
		next, err := steps[state](ctx)
		if err != nil {
			return u.cut(ctx, err)
		}
		state = next
	}
	return u.record(ctx)
}

// cut gives a unit that was stopped before anything of it began its outcome.
func (u *unit) cut(ctx context.Context, err error) error {
	if err != errStopped { //nolint:errorlint // a sentinel of this package that is never wrapped
		return err
	}
	if u.trial == nil {
		u.trial = &trial{}
		u.trial.fail(engine.NotReached, causeStopped, "the run was stopped before it began")
	}
	return u.record(ctx)
}

func (u *unit) unless(ctx context.Context) (unitState, error) {
	part := u.t.item.Unless
	if part == nil {
		return unitCommand, nil
	}
	s, err := u.observe(ctx, u.t.unlessWork, part)
	if err != nil {
		return unitEnded, err
	}
	worst := s.worst()
	switch {
	case s.holds() && u.unsure != nil:
		u.trial, u.settled, u.settleBy = u.unsure, engine.Done, "unless holds"
		return unitEnded, nil
	case s.holds():
		u.trial = &trial{}
		u.trial.fail(engine.Skipped, causeUnless, "unless holds already")
		return unitEnded, nil
	case worst == nil || worst.cause == causeExit || worst.cause == causeExpectation:
		return unitCommand, nil
	}
	// Whether it is needed cannot be told, so it is not done.
	u.trial = &trial{}
	u.trial.fail(worst.outcome, worst.cause, "unless: "+worst.reason)
	u.stillUnsure()
	return unitRetry, nil
}

func (u *unit) command(ctx context.Context) (unitState, error) {
	l := launch{w: u.t.work, unit: u.id, host: u.host, names: u.names, first: u.attempts + 1, started: u.started}
	if u.t.item.Kind == runbooks.Transfer {
		p, err := u.t.parcel(ctx, u.id, u.names)
		defer p.done()
		if err != nil && !u.past.attempted(u.attempts+1) {
			u.trial = &trial{}
			err = u.t.r.unsendable(u.trial, err)
			u.stillUnsure()
			return unitRetry, err
		}
		l.make = func() (rendered, error) { return u.t.put(p, u.id, u.names) }
		l.judged = func(t *trial, o *output) { t.transferred(o, p) }
	}
	t, n, err := u.t.r.perform(ctx, l)
	u.attempts += n
	if err != nil {
		return unitEnded, err
	}
	u.trial = t
	if u.stillUnsure() {
		return unitRetry, nil
	}
	switch {
	case t.outcome == engine.Unknown:
		u.unsure = t
		return unitSettle, nil
	case t.outcome == engine.Succeeded && u.t.item.Verify != nil:
		return unitVerify, nil
	case t.ok():
		return unitEnded, nil
	}
	return unitRetry, nil
}

// stillUnsure puts the unknown attempt back when what followed it did not run at all, and so says nothing about it.
func (u *unit) stillUnsure() bool {
	if u.unsure == nil || u.trial.intended && u.trial.began {
		return false
	}
	u.unsure.reason = reasonOr(u.unsure.reason, "unknown") + "; started again: " + reasonOr(u.trial.reason, string(u.trial.outcome))
	u.trial = u.unsure
	return true
}

// started notes the unit on the way that a rollback goes back, and sets the item's marks_start.
func (u *unit) started() error {
	if !u.onTrail {
		u.onTrail = true
		u.t.r.trail.add(trailStep{t: u.t, id: u.id, host: u.host, each: u.each})
	}
	return u.t.started()
}

func (u *unit) verify(ctx context.Context) (unitState, error) {
	s, err := u.observe(ctx, u.t.verifyWork, u.t.item.Verify)
	if err != nil {
		return unitEnded, err
	}
	if s.holds() {
		return unitEnded, nil
	}
	u.trial.fail(engine.Failed, causeVerify, "verify: "+s.reason())
	return unitRetry, nil
}

// settle asks the step's verify what became of an attempt that nobody knows the end of, when nothing of it can run any
// more. The outcome stays unknown; what verify says is a further word.
func (u *unit) settle(ctx context.Context) (unitState, error) {
	if u.t.item.Verify == nil || !u.trial.lost {
		return unitRetry, nil
	}
	s, err := u.observe(ctx, u.t.verifyWork, u.t.item.Verify)
	if err != nil {
		return unitEnded, err
	}
	worst := s.worst()
	switch {
	case s.holds():
		u.settled, u.settleBy = engine.Done, "verify holds"
		return unitEnded, nil
	case worst == nil || worst.cause == causeExpectation || worst.cause == causeExit:
		u.settled, u.settleBy = engine.Fails, "verify does not hold: "+s.reason()
	}
	return unitRetry, nil
}

// retry decides whether the unit starts again, and waits until it does.
func (u *unit) retry(ctx context.Context) (unitState, error) {
	if !u.again() {
		return unitEnded, nil
	}
	wait, err := u.next()
	if err == nil {
		err = pause(ctx, wait)
	}
	if err != nil {
		return unitEnded, err
	}
	u.tries++
	u.settled = ""
	return unitUnless, nil
}

// next says in the journal when the unit starts again, unless it says so already, and how long that is from now.
func (u *unit) next() (time.Duration, error) {
	now := u.t.r.cfg.Clock.Now()
	if x := u.past.retry(u.tries); x != nil {
		return x.At.Sub(now), nil
	}
	wait := u.jittered(u.t.item.Retry.Wait(u.tries))
	return wait, u.t.r.emit(&engine.ItemRetry{Unit: u.id, Tries: u.tries, After: u.trial.outcome, DelayNS: wait, At: now.Add(wait).UTC()})
}

// jittered shortens a delay by up to a quarter, so that hosts that failed together do not come back together. It comes
// from the run's nonce: a simulated run is the same each time.
func (u *unit) jittered(d time.Duration) time.Duration {
	const digits = 8
	id := engine.NewAttemptID(u.t.r.cfg.Opened.Nonce, string(u.id.Item), "retry", u.id.AttemptKey(), u.id.Host, u.tries)
	n, err := strconv.ParseUint(string(id[:digits]), 16, 64)
	if err != nil {
		return d
	}
	return d - time.Duration(float64(d)/4*float64(n)/(1<<(4*digits)))
}

// again reports whether the runbook lets the unit start again after its outcome.
func (u *unit) again() bool {
	most := 1
	if u.t.item.Retry != nil {
		most = u.t.item.Retry.Attempts
	}
	switch t := u.trial; {
	case t.cause == causeKilled:
		return false
	case t.outcome == engine.Unknown:
		// An idempotent step may always be started once more to end an uncertainty.
		return u.t.item.Idempotent && u.tries < max(most, 2)
	case t.outcome == engine.TimedOut || t.cause == causeVerify:
		return u.t.item.Idempotent && u.tries < most
	case t.outcome == engine.NeverStarted || t.outcome == engine.Unreachable || t.outcome == engine.Failed:
		return u.tries < most
	}
	return false
}

// observe surveys for a part of the step: on the step's host, or on those that the part names.
func (u *unit) observe(ctx context.Context, w work, part *runbooks.Part) (*survey, error) {
	sites, err := u.sites(part)
	if err != nil {
		t := &trial{}
		t.fail(engine.NotReached, causeExpression, errText(err))
		return &survey{sites: []*site{{trial: t}}}, nil
	}
	began := time.Now()
	s, err := u.t.r.survey(ctx, w, sites, u.t.parallel(), u.names)
	if err != nil {
		return s, err
	}
	for _, x := range s.sites {
		p := x.trial.payload(u.id)
		p.Part, p.Rounds, p.DurationNS = w.part, x.rounds, time.Since(began)
		if len(s.sites) > 1 || hostName(x.host) != u.id.Host {
			p.Reason = "on " + hostName(x.host) + ": " + reasonOr(p.Reason, string(p.Outcome))
		}
		p.Expectations = append(slices.Clip(p.Expectations), s.all...)
		if err := u.t.r.emit(p); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (u *unit) sites(part *runbooks.Part) ([]*site, error) {
	if part.Hosts == nil || part.Hosts == u.t.item.Hosts {
		return []*site{{unit: u.id, host: u.host, names: u.names}}, nil
	}
	hosts, _, err := u.t.hostsOf(part.Hosts, u.names)
	if err != nil {
		return nil, err
	}
	var out []*site
	for _, h := range hosts {
		out = append(out, &site{unit: u.id, host: h, names: u.t.r.onHost(u.names, h)})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no hosts", part.Hosts.Range())
	}
	return out, nil
}

// record writes the outcome of the unit, and what settled it. What nobody knows is a person's to say.
func (u *unit) record(ctx context.Context) error {
	out := u.trial.payload(u.id)
	out.Attempts, out.StartedAt, out.DurationNS = u.attempts, u.stamp, time.Since(u.began)
	out.Cause = u.t.tolerated(out)
	u.t.excuse(out)
	if err := u.t.r.emit(out); err != nil {
		return err
	}
	switch {
	case u.settled != "" && u.trial.outcome == engine.Unknown:
		settled := &engine.ItemSettled{Unit: u.id, As: u.settled, By: engine.SettledByVerify, Reason: u.t.r.clip(u.settleBy)}
		if err := u.t.r.emit(settled); err != nil {
			return err
		}
	case opens(out, u.settled):
		retry, err := u.askPeople(out)
		if err != nil {
			return err
		}
		if retry != nil {
			return u.anew(ctx, retry)
		}
	}
	u.t.close(out, u.trial, u.settled)
	return nil
}

// worst is the trial that decides why a survey does not hold; nil when only expect_all does not.
func (s *survey) worst() *trial {
	for _, x := range s.sites {
		if !x.trial.ok() {
			return x.trial
		}
	}
	return nil
}

func (s *survey) reason() string {
	if t := s.worst(); t != nil {
		return t.reason
	}
	return s.failed
}
