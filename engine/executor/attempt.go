package executor

import (
	"context"
	"errors"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// neverStartedMost is how often a launch that provably did not start is launched anew by itself.
const neverStartedMost = 3

// launch is what changes one host: a command of an item or one of its parts, in one or more attempts.
type launch struct {
	w     work
	unit  engine.Unit
	host  *runbooks.Host
	names *expr.Scope
	// first is the number of the first attempt of this launch; each attempt of a unit and part has its own.
	first int
	// make renders what is not a command of the runbook: a transfer. nil: w's command.
	make func() (rendered, error)
	// judged is called with an execution that ended, before its expectations are judged; nil: nothing to do.
	judged func(*trial, *output)
	// started is called once an intent is on disk.
	started func() error
}

// perform runs the command and returns how its last attempt ended, judged, with the number of attempts. A command that
// provably never started is attempted again; nothing else is.
func (r *run) perform(ctx context.Context, l launch) (t *trial, attempts int, err error) {
	for {
		t, err = r.attempt(ctx, l, l.first+attempts)
		if t.intended {
			attempts++
		}
		if err != nil || !t.retryable || !t.intended || attempts >= neverStartedMost {
			return t, attempts, err
		}
	}
}

// attempt is one launch: prepared, intended on disk, launched, its outcome on disk, then released.
func (r *run) attempt(ctx context.Context, l launch, number int) (*trial, error) {
	id := engine.NewAttemptID(r.cfg.Opened.Nonce, string(l.unit.Item), l.w.part, l.unit.AttemptKey(), l.unit.Host, number)
	if a := r.past.attempt(id); a != nil {
		return r.known(ctx, l, a)
	}
	t := &trial{}
	c, err := l.render(r)
	if err != nil {
		return t, r.unrendered(t, err)
	}
	t.command, t.digest = c.text, c.digest
	o, err := r.newOutput(l.w)
	if err != nil {
		return t, err
	}
	if err := r.valve.enter(ctx, l.w.cleanup); err != nil {
		return t, err
	}
	defer r.valve.exit()
	ctx = engine.WithPlace(ctx, engine.Place{Unit: l.unit, Part: l.w.part, Number: number})
	prepared, err := r.cfg.Launcher.Prepare(ctx, l.host, c.Become)
	if err != nil {
		if ctx.Err() != nil {
			return t, cut(ctx)
		}
		t.take(engine.ExitStatus{}, unsent(err))
		return t, nil
	}
	intent := &engine.ItemIntent{
		Unit: l.unit, Part: l.w.part, Attempt: number, User: l.host.Connection.User, Become: c.Become, CommandSHA256: c.digest,
		Command: c.text, TimeoutS: l.w.timeout.Seconds(), Transport: prepared.Transport, Incarnation: prepared.Incarnation,
		AttemptID: id,
	}
	if ctx.Err() != nil {
		return t, cut(ctx)
	}
	if err := r.emit(intent); err != nil {
		return t, err
	}
	t.intended = true
	if err := l.started(); err != nil {
		return t, err
	}
	return t, r.launch(ctx, l, intent, c, o, t)
}

func (l *launch) render(r *run) (rendered, error) {
	if l.make != nil {
		return l.make()
	}
	return r.render(l.w, l.names)
}

// unsent is an error of Prepare: nothing was launched, so it is never an unknown outcome.
func unsent(err error) error {
	if errors.Is(err, engine.ErrRefused) || errors.Is(err, engine.ErrUnreachable) {
		return err
	}
	return errors.Join(engine.ErrUnreachable, err)
}

func (r *run) launch(ctx context.Context, l launch, intent *engine.ItemIntent, c rendered, o *output, t *trial) error {
	began := r.cfg.Clock.Now()
	st, release, err := r.cfg.Launcher.Start(ctx, l.host,
		engine.Attempt{ID: intent.AttemptID, Command: c.Command, Incarnation: intent.Incarnation}, o.sink())
	if errors.Is(err, engine.ErrLeft) || err != nil && errors.Is(context.Cause(ctx), engine.ErrLeft) {
		// It runs on; a resumed controller collects it. Nothing is said about it now.
		return errLeft
	}
	r.came(ctx, l, st, err, o, t)
	if t.startedAt.IsZero() {
		t.startedAt = began
	}
	if err := r.record(l, intent, st, o, t); err != nil {
		return err
	}
	if release != nil {
		release()
	}
	return nil
}

// came takes what a host said about an attempt and judges it.
func (r *run) came(ctx context.Context, l launch, st engine.ExitStatus, err error, o *output, t *trial) {
	t.take(st, err)
	if err == nil && errors.Is(context.Cause(ctx), errKilled) && t.outcome == engine.Failed {
		confirmed := st.KillConfirmed
		t.killConfirmed, t.cause, t.reason = &confirmed, causeKilled, errKilled.Error()
	}
	if t.endedAt.IsZero() {
		t.endedAt = r.cfg.Clock.Now()
	}
	t.fill(o, l.w.reads)
	if l.judged != nil {
		l.judged(t, o)
	}
	r.judge(l.w, t, o, l.names)
}

// record writes the output and the outcome of an attempt. The outcome is on disk when it returns without an error.
func (r *run) record(l launch, intent *engine.ItemIntent, st engine.ExitStatus, o *output, t *trial) error {
	recordable := l.w.recordable(t)
	outs, withheld, lost := o.finish(l.unit, l.w.part, intent.Attempt, recordable, st.BackgroundOpen)
	if withheld {
		t.reason = reasonOr(t.reason, "ended") + "; its output is not recorded, because it may hold what is sensitive"
	}
	for n := range outs {
		if err := r.emit(&outs[n]); err != nil {
			return err
		}
	}
	out := t.payload(l.unit)
	out.Part, out.Attempt, out.AttemptID = l.w.part, intent.Attempt, intent.AttemptID
	out.Command, out.CommandSHA256 = "", ""
	if err := r.emit(out); err != nil {
		return err
	}
	return lost
}

// payload is the trial as an outcome.
func (t *trial) payload(u engine.Unit) *engine.ItemOutcome {
	return &engine.ItemOutcome{
		Unit: u, Outcome: t.outcome, Reason: t.reason, Cause: t.cause, Hint: t.hint, ExitCode: t.exit, Signal: t.signal, Command: t.command,
		CommandSHA256: t.digest, Captures: t.captured, Expectations: t.expects, KillConfirmed: t.killConfirmed,
		Survivors: t.survivors, Reattached: t.reattached, Changed: t.changed, StartedAt: t.startedAt,
	}
}
