package executor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// judge takes an execution that ended through exit code, captures and expectations. The first that does not hold decides.
func (r *run) judge(w work, t *trial, o *output, names *expr.Scope) {
	if t.outcome != engine.Succeeded {
		return
	}
	if t.exit != nil && !w.success(*t.exit) {
		t.fail(engine.Failed, causeExit, r.exitReason(w, *t.exit, o))
		r.unjudge(w, t)
		return
	}
	if !r.capture(w, t, o, names) {
		r.unjudge(w, t)
		return
	}
	if w.unjudged {
		r.unjudge(w, t)
		return
	}
	var failed string
	t.expects, failed = r.expect(w.expects, names.With(map[string]expr.Value{"result": expr.Object(t.result())}), t.expects)
	if failed != "" {
		t.fail(engine.Failed, causeOf(t.expects), failed)
	}
}

// unjudge marks an observation that only shows: nothing about it is held against the runbook.
func (r *run) unjudge(w work, t *trial) {
	if !w.unjudged || t.outcome != engine.Succeeded && t.outcome != engine.Failed {
		return
	}
	t.reason = reasonOr(t.reason, "observed") + "; not judged, because it comes after something that a dry-run leaves out"
	t.outcome, t.cause = engine.Succeeded, ""
	t.expects = nil
	for _, j := range w.expects {
		t.expects = append(t.expects, engine.Expectation{Condition: j.Condition.Text(), Result: notJudged})
	}
}

// The results of an Expectation.
const (
	holds        = "holds"
	fails        = "fails"
	inconclusive = "inconclusive"
	notJudged    = "not-judged"
)

func (r *run) exitReason(w work, code int, o *output) string {
	reason := fmt.Sprintf("exit code %d", code)
	if w.held {
		return reason
	}
	if line := r.clip(o.stderr.lastLine()); line != "" {
		return reason + ": " + line
	}
	return reason
}

// clipped ends a text that was shortened.
const clipped = "…"

// clip redacts a text and bounds it for a reason.
func (r *run) clip(text string) string {
	const bound = 300
	text = r.cfg.Redactor.Redact(text)
	if len(text) <= bound {
		return text
	}
	return strings.ToValidUTF8(text[:bound], "") + clipped
}

// capture evaluates the captures in order; each may use those before it.
func (r *run) capture(w work, t *trial, o *output, names *expr.Scope) bool {
	d := t.result()
	for _, c := range w.captures {
		v, err := r.captured(c, d, names)
		if err != nil {
			why := "it cannot be shown why, because the output may hold what is sensitive"
			if !w.held {
				why = r.clip(describe(err, o, w.reads))
			}
			t.fail(engine.Failed, causeCapture, fmt.Sprintf("capture %s: %s", c.Name, why))
			return false
		}
		d[c.Name] = v
		shown := engine.Captured{Name: c.Name, Sensitive: v.IsSensitive()}
		if !shown.Sensitive {
			shown.Value = r.clip(v.String())
		}
		t.captured = append(t.captured, shown)
	}
	return true
}

func (r *run) captured(c runbooks.Capture, d map[string]expr.Value, names *expr.Scope) (expr.Value, error) {
	v, err := eval(c.Value, names.With(map[string]expr.Value{"result": expr.Object(d)}))
	if err != nil {
		return expr.Value{}, err
	}
	if !v.Known() {
		return expr.Value{}, expr.ErrUnknown
	}
	if v, err = v.ConvertTo(c.Type); err != nil {
		return expr.Value{}, err
	}
	if !c.Sensitive {
		return v, nil
	}
	return v.AsSensitive(), r.learn(c.Name, v)
}

// learn teaches the redactor every text in a sensitive value.
func (r *run) learn(name string, v expr.Value) error {
	if text, err := v.Reveal(); err == nil {
		return r.cfg.Redactor.Add(name, text)
	}
	parts, err := v.Elements()
	if err != nil {
		return fmt.Errorf("a sensitive value that cannot be redacted: %w", err)
	}
	for _, p := range parts {
		if err := r.learn(name, p.Value); err != nil {
			return err
		}
	}
	return nil
}

// describe adds to an error about missing output why it is missing.
func describe(err error, o *output, reads interest) string {
	text := errText(err)
	if o != nil && (reads.stdout && o.stdout.size > maxText || reads.stderr && o.stderr.size > maxText) {
		text += "; the output is longer than the 1 MiB that expressions can read"
	}
	return text
}

// errText is an error in one line; a diagnostic gives its place, summary, detail and the code that explain knows.
func errText(err error) string {
	var l *diag.ListError
	if !errors.As(err, &l) || len(l.List) == 0 {
		return err.Error()
	}
	d := l.List[0]
	text := d.Summary
	if d.Detail != "" {
		text += ": " + strings.TrimSuffix(d.Detail, ".")
	}
	text += " (" + d.Code + ")"
	if !d.Range.Zero() {
		text = d.Range.String() + ": " + text
	}
	return strings.Join(strings.Fields(text), " ")
}

// expect evaluates conditions and appends what each came to. failed is the message of the first that does not hold.
func (r *run) expect(js []judgement, names *expr.Scope, list []engine.Expectation) (out []engine.Expectation, failed string) {
	for _, j := range js {
		e := engine.Expectation{Condition: j.Condition.Text(), Observed: r.observed(j, names)}
		truth, err := evalTruth(j.Condition, names)
		switch {
		case err != nil:
			e.Result, e.Message = inconclusive, r.clip(errText(err))
		case truth:
			e.Result = holds
		default:
			e.Result, e.Message = fails, r.message(j.Message, names)
		}
		list = append(list, e)
		if e.Result != holds && failed == "" {
			failed = reasonOr(e.Message, "expectation "+e.Result+": "+e.Condition)
			if e.Result == inconclusive {
				failed = "inconclusive: " + failed
			}
		}
	}
	return list, failed
}

// causeOf is the cause of the first expectation that does not hold.
func causeOf(list []engine.Expectation) string {
	for _, e := range list {
		switch e.Result {
		case fails:
			return causeExpectation
		case inconclusive:
			return causeInconclusive
		}
	}
	return ""
}

func (r *run) message(e *expr.Expr, names *expr.Scope) string {
	if e == nil {
		return ""
	}
	v, err := eval(e, names)
	if err != nil {
		return r.clip("the message cannot be shown: " + errText(err))
	}
	return r.clip(v.String())
}

// observed shows the values that a condition refers to.
func (r *run) observed(j judgement, names *expr.Scope) string {
	var parts []string
	for _, e := range j.seen {
		v, ds := e.Eval(names)
		if ds.HasErrors() || v.Absent() {
			continue
		}
		parts = append(parts, e.Text()+" = "+r.clip(v.String()))
	}
	return r.clip(list(parts))
}
