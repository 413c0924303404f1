package executor

import (
	"errors"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// trial is one execution or observation and what came of it.
type trial struct {
	outcome       engine.Outcome
	cause, reason string
	hint          string // what to do about it
	began         bool   // something was sent, or may have been
	exit          *int
	signal        string
	killConfirmed *bool
	survivors     []string
	reattached    int
	intended      bool  // there is an intent
	lost          bool  // unknown, and nothing of it can run any more
	retryable     bool  // proven not to have started, by a race that a new attempt may win
	changed       *bool // of a transfer
	command       string
	digest        string
	data          map[string]expr.Value
	captured      []engine.Captured
	expects       []engine.Expectation
	outputs       []engine.ItemOutput
	startedAt     time.Time
	endedAt       time.Time
}

// Causes of ItemOutcome that the executor gives. Transports add those of HostError.
const (
	causeExit         = "exit"
	causeSignal       = "signal"
	causeKilled       = "killed"
	causeExpectation  = "expectation"
	causeCapture      = "capture"
	causeInconclusive = "inconclusive"
	causeNoHosts      = "no-hosts"
	causeWhen         = "when"
	causePhase        = "phase"
	causeUnless       = "unless"
	causeLimit        = "limit"
	causeFrom         = "from"
	causeStopped      = "stopped"
	causeExpression   = "expression"
	causeSecret       = "secret"
	causeRollout      = engine.CauseRollout
	causeDependency   = "dependency"
	causeLost         = "lost"
	causeVerify       = "verify"
	causeGate         = "gate"
	causeUnreachable  = "dial"
)

func (t *trial) ok() bool { return t.outcome == engine.Succeeded || t.outcome == engine.Exercised }

func (t *trial) fail(o engine.Outcome, cause, reason string) {
	t.outcome, t.cause, t.reason = o, cause, reason
}

// take turns what a transport said into an outcome; the exit code is judged later.
func (t *trial) take(st engine.ExitStatus, err error) {
	if err == nil {
		t.exited(st)
		return
	}
	var host *engine.HostError
	cause := ""
	if errors.As(err, &host) {
		cause = host.Kind
	}
	reason := err.Error()
	if host != nil {
		// The record names the host beside the reason.
		reason, t.hint = host.Err.Error(), host.Hint
	}
	switch {
	case errors.Is(err, engine.ErrOutcomeUnknown):
		t.lost, t.began = errors.Is(err, engine.ErrLost), true
		t.fail(engine.Unknown, reasonOr(cause, causeLost), reason)
	case errors.Is(err, engine.ErrNeverStarted):
		t.retryable = true
		t.fail(engine.NeverStarted, cause, reason)
	case errors.Is(err, engine.ErrRefused):
		t.fail(engine.NeverStarted, cause, reason)
	case errors.Is(err, engine.ErrUnreachable):
		t.fail(engine.Unreachable, reasonOr(cause, causeUnreachable), reason)
	default:
		// A launch whose error says nothing may have been sent.
		t.began = true
		t.fail(engine.Unknown, reasonOr(cause, causeLost), reason)
	}
}

func (t *trial) exited(st engine.ExitStatus) {
	t.began = true
	t.survivors, t.reattached, t.signal = st.Survivors, st.Reattached, st.Signal
	t.startedAt, t.endedAt = st.StartedAt, st.EndedAt
	if st.Signal == "" {
		code := st.Code
		t.exit = &code
	}
	switch {
	case st.TimedOut:
		confirmed := st.KillConfirmed
		t.killConfirmed = &confirmed
		reason := "did not end in time and was killed"
		if !confirmed {
			reason = "did not end in time, and the kill is not confirmed: it may still run"
		}
		t.fail(engine.TimedOut, "timeout", reason)
	case st.Signal != "":
		t.fail(engine.Failed, causeSignal, "ended by signal "+st.Signal)
	default:
		t.outcome = engine.Succeeded
	}
	if len(st.Survivors) > 0 {
		t.reason = reasonOr(t.reason, "ended") + fmt.Sprintf("; left running: %s", list(st.Survivors))
	}
}

// result is the trial as data for expressions, with what is missing left out.
func (t *trial) result() map[string]expr.Value {
	if t.data == nil {
		t.data = map[string]expr.Value{}
	}
	return t.data
}

// fill makes the data of an execution that ended: exit code, times and what may be read of the output.
func (t *trial) fill(o *output, reads interest) {
	d := t.result()
	if t.exit != nil {
		d["exit_code"] = expr.Int(int64(*t.exit))
	}
	stamp := func(name string, at time.Time) {
		if !at.IsZero() {
			d[name] = expr.String(at.UTC().Format(time.RFC3339Nano))
		}
	}
	stamp("started_at", t.startedAt)
	stamp("ended_at", t.endedAt)
	if text, ok := o.stdout.text(); ok && reads.stdout {
		d["stdout"] = expr.String(text)
	}
	if text, ok := o.stderr.text(); ok && reads.stderr {
		d["stderr"] = expr.String(text)
	}
}
