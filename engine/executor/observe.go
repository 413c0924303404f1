package executor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// observe makes one observation of one place and judges it. The error is fatal or says that nothing was observed because
// the run is stopped or left; what went wrong with the host is in the trial.
func (r *run) observe(ctx context.Context, w work, u engine.Unit, h *runbooks.Host, names *expr.Scope, round int) (*trial, error) {
	t := &trial{}
	if pf, down := r.down[hostName(h)]; down {
		t.fail(engine.Unreachable, "preflight", preflightReason(pf))
		return t, nil
	}
	look, err := r.prepare(w, h, names, t)
	if err != nil {
		return t, r.unrendered(t, err)
	}
	o, err := r.newOutput(w)
	if err != nil {
		return t, err
	}
	if err := r.valve.enter(ctx, w.cleanup); err != nil {
		return t, err
	}
	t.startedAt = r.cfg.Clock.Now()
	began := t.startedAt
	place := engine.Place{Unit: u, Part: w.part, Number: round}
	within, cancel := context.WithTimeout(engine.WithPlace(ctx, place), w.timeout)
	look(within, o)
	r.deadline(within, ctx, w, t)
	cancel()
	r.valve.exit()
	if t.startedAt.IsZero() {
		t.startedAt = began
	}
	if t.endedAt.IsZero() {
		t.endedAt = r.cfg.Clock.Now()
	}
	if errors.Is(context.Cause(ctx), engine.ErrLeft) {
		return t, errLeft
	}
	t.fill(o, w.reads)
	r.judge(w, t, o, names)
	return t, r.keep(w, t, o, u, round)
}

// keep ends the output of an observation. Its events wait for the outcome.
func (r *run) keep(w work, t *trial, o *output, u engine.Unit, round int) error {
	recordable := !w.held || len(t.captured) == len(w.captures)
	outs, withheld, err := o.finish(u, w.part, round, recordable, false)
	t.outputs = outs
	if withheld {
		t.reason = reasonOr(t.reason, "ended") + "; its output is not recorded, because it may hold what is sensitive"
	}
	return err
}

// deadline turns an observation that did not end in time, or was killed, into its outcome.
func (r *run) deadline(within, outer context.Context, w work, t *trial) {
	// A reader that could not be seen dead is no reason to hold a recovery.
	t.killConfirmed = nil
	switch {
	case t.outcome == engine.Succeeded:
	case t.outcome == engine.TimedOut:
		// Whether the host's clock or ours was first makes no difference to the record.
		t.signal = ""
		t.fail(engine.TimedOut, "timeout", fmt.Sprintf("did not end within %s", w.timeout))
	case errors.Is(context.Cause(outer), errKilled):
		t.fail(engine.Failed, causeKilled, errKilled.Error())
	case errors.Is(within.Err(), context.DeadlineExceeded):
		t.fail(engine.TimedOut, "timeout", fmt.Sprintf("did not end within %s", w.timeout))
	}
	if t.outcome == engine.Unknown || t.outcome == engine.NeverStarted {
		// An observation changes nothing: whatever became of it, it may be made again.
		t.outcome = engine.Unreachable
	}
}

// look makes one observation.
type look func(ctx context.Context, o *output)

// prepare renders what to look at.
func (r *run) prepare(w work, h *runbooks.Host, names *expr.Scope, t *trial) (look, error) {
	switch {
	case w.tcp != nil:
		return r.prepareTCP(w, h, names, t)
	case w.http != nil:
		return r.prepareHTTP(w, names, t)
	}
	c, err := r.render(w, names)
	if err != nil {
		return nil, err
	}
	t.command, t.digest = c.text, c.digest
	obs, err := engine.NewObservation(w.kind, w.part, c.Command)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, o *output) {
		st, err := r.cfg.Prober.Observe(ctx, h, obs, o.sink())
		t.take(st, err)
	}, nil
}

func (r *run) prepareTCP(w work, h *runbooks.Host, names *expr.Scope, t *trial) (look, error) {
	address, err := evalText(w.tcp.Address, names)
	if err != nil {
		return nil, err
	}
	witness, err := evalText(w.tcp.Witness, names)
	if err != nil {
		return nil, err
	}
	t.command = r.cfg.Redactor.Redact("tcp " + address)
	if h == nil {
		h = scope.Control()
	}
	return func(ctx context.Context, _ *output) {
		if witness != "" {
			at := engine.PlaceOf(ctx)
			at.Part = engine.PartWitness
			state, err := r.cfg.Prober.ProbeTCP(engine.WithPlace(ctx, at), h, witness)
			if err != nil || state != engine.TCPOpen {
				t.began = err == nil
				t.inconclusive(tcpProblem("witness "+witness, state, err))
				return
			}
		}
		state, err := r.cfg.Prober.ProbeTCP(ctx, h, address)
		if err != nil {
			t.inconclusive(tcpProblem(address, state, err))
			return
		}
		t.began, t.outcome = true, engine.Succeeded
		t.result()["state"] = expr.String(string(state))
		t.want(w, fmt.Sprintf("%s is %s", address, w.tcp.Want), string(state), w.tcp.Want == "" || wanted(w.tcp.Want, state))
	}, nil
}

func tcpProblem(what string, state engine.TCPState, err error) string {
	if err != nil {
		return fmt.Sprintf("%s cannot be seen from there: %v", what, err)
	}
	return fmt.Sprintf("%s is %s, so nothing can be concluded", what, state)
}

func wanted(want string, state engine.TCPState) bool {
	if want == "closed" {
		return state == engine.TCPRefused || state == engine.TCPNoAnswer
	}
	return want == string(state)
}

func (t *trial) inconclusive(reason string) {
	t.fail(engine.Failed, causeInconclusive, "inconclusive: "+reason)
	t.expects = append(t.expects, engine.Expectation{Condition: t.command, Result: inconclusive, Message: reason})
}

// want judges what a probe met against what was wanted.
func (t *trial) want(w work, condition, observed string, ok bool) {
	e := engine.Expectation{Condition: condition, Result: holds, Observed: observed}
	if w.unjudged {
		e.Result = notJudged
	} else if !ok {
		e.Result = fails
		t.fail(engine.Failed, causeExpectation, fmt.Sprintf("%s wanted, but it is %s", condition, observed))
	}
	t.expects = append(t.expects, e)
}

func (r *run) prepareHTTP(w work, names *expr.Scope, t *trial) (look, error) {
	p := w.http
	q := engine.HTTPRequest{Method: p.Method, Timeout: w.timeout}
	if q.Method == "" {
		q.Method = "GET"
	}
	var err error
	if q.URL, err = evalText(p.URL, names); err != nil {
		return nil, err
	}
	if q.Headers, err = evalEnv(work{env: p.Headers}, names); err != nil {
		return nil, err
	}
	if p.CAFile != "" {
		q.CAFile = filepath.Join(r.cfg.Project.Dir, filepath.FromSlash(p.CAFile))
	}
	t.command = r.cfg.Redactor.Redact(q.Method + " " + q.URL)
	return func(ctx context.Context, o *output) {
		if r.cfg.HTTP == nil {
			t.inconclusive("this run cannot ask http questions")
			return
		}
		answer, err := r.cfg.HTTP.ProbeHTTP(ctx, q, &o.stdout)
		if err != nil {
			t.take(engine.ExitStatus{}, err)
			return
		}
		t.began, t.outcome = true, engine.Succeeded
		t.result()["status"] = expr.Int(int64(answer.Status))
		t.want(w, "status is "+statusWords(p.WantStatus), fmt.Sprint(answer.Status), statusHolds(p.WantStatus, answer.Status))
	}, nil
}

func statusWords(want []int) string {
	if len(want) == 0 {
		return "2xx"
	}
	out := ""
	for n, s := range want {
		if n > 0 {
			out += " or "
		}
		out += fmt.Sprint(s)
	}
	return out
}

func statusHolds(want []int, got int) bool {
	for _, s := range want {
		if s == got {
			return true
		}
	}
	return len(want) == 0 && got >= 200 && got < 300
}

// unrendered gives a trial whose command cannot be made its outcome. A failing record is fatal.
func (r *run) unrendered(t *trial, err error) error {
	var fatal *recordError
	if errors.As(err, &fatal) {
		return err
	}
	if r.dry && unknown(err) {
		t.fail(engine.NotExercised, engine.CauseDryRun, "what it needs is not known in a dry-run")
		return nil
	}
	reason := r.clip(errText(err))
	if r.past != nil && unknown(err) {
		reason += "; it was captured or told before the run was resumed, and what is sensitive is not on record"
	}
	t.fail(engine.NotReached, causeExpression, reason)
	return nil
}

func hostName(h *runbooks.Host) string {
	if h == nil {
		return ""
	}
	return h.Name
}

func preflightReason(p engine.PreflightResult) string {
	for _, c := range p.Checks {
		if !c.OK {
			return "its preflight failed at " + c.Name // which said why
		}
	}
	return "the preflight does not hold"
}

// pause waits, unless the work ends before.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return cut(ctx)
	}
}
