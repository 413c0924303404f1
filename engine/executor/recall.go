package executor

import (
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// artifactRef begins a text that stands in an artifact.
const artifactRef = "artifact:"

// redactedMark begins what stands for a secret in the record. It is never taken for a value.
const redactedMark = "[redacted:"

// remember turns an attempt whose outcome is on record into the trial that it was.
func (r *run) remember(w work, a *pastAttempt, names *expr.Scope) *trial {
	t := trialOf(a.outcome)
	t.intended, t.command, t.digest, t.endedAt = true, a.intent.Command, a.intent.CommandSHA256, a.endedAt
	// What provably never started may be started anew, whatever the reason was.
	t.retryable = t.outcome == engine.NeverStarted
	t.data = r.recollect(w, a.outcome, a.endedAt, a.outputs, names)
	return t
}

// trialOf is the trial that an outcome was written from.
func trialOf(o *engine.ItemOutcome) *trial {
	t := &trial{
		outcome: o.Outcome, cause: o.Cause, reason: o.Reason, hint: o.Hint, exit: o.ExitCode, signal: o.Signal,
		killConfirmed: o.KillConfirmed, survivors: o.Survivors, reattached: o.Reattached, changed: o.Changed,
		captured: o.Captures, expects: o.Expectations, startedAt: o.StartedAt,
	}
	switch o.Outcome {
	case engine.Succeeded, engine.Failed, engine.TimedOut, engine.Unknown, engine.Exercised:
		t.began = true
	default: // nothing of it ran
	}
	return t
}

// recollect makes the data of an execution that is on record as expressions saw it, from what was recorded. What the
// record does not hold, because it was redacted or withheld, is unknown.
func (r *run) recollect(w work, o *engine.ItemOutcome, ended time.Time, outs []engine.ItemOutput, names *expr.Scope) map[string]expr.Value {
	d := map[string]expr.Value{}
	if o.ExitCode != nil {
		d["exit_code"] = expr.Int(int64(*o.ExitCode))
	}
	for name, at := range map[string]time.Time{"started_at": o.StartedAt, "ended_at": ended} {
		if !at.IsZero() {
			d[name] = expr.String(at.UTC().Format(time.RFC3339Nano))
		}
	}
	if w.tcp != nil && len(o.Expectations) > 0 && o.Outcome != engine.Unreachable {
		d["state"] = expr.String(o.Expectations[0].Observed)
	}
	if w.http != nil && len(o.Expectations) > 0 {
		if v, err := expr.String(o.Expectations[0].Observed).ConvertTo(expr.NumberType()); err == nil {
			d["status"] = v
		}
	}
	withheld := w.held && len(o.Captures) < len(w.captures) || o.Outcome == engine.Unknown
	for name, read := range map[string]bool{"stdout": w.reads.stdout, "stderr": w.reads.stderr} {
		if !read {
			continue
		}
		if v, ok := r.streamAgain(outs, name, withheld); ok {
			d[name] = v
		}
	}
	for _, c := range w.captures {
		for _, shown := range o.Captures {
			if shown.Name == c.Name {
				d[c.Name] = r.captureAgain(c, shown, d, names)
			}
		}
	}
	return d
}

// streamAgain is a stream as the record holds it. Not ok: it was longer than expressions may see.
func (r *run) streamAgain(outs []engine.ItemOutput, name string, withheld bool) (v expr.Value, ok bool) {
	var last *engine.ItemOutput
	for n := range outs {
		if outs[n].Stream == name {
			last = &outs[n]
		}
	}
	switch {
	case last == nil && withheld:
		return expr.Unknown(expr.StringType()), true
	case last == nil:
		return expr.String(""), true
	case last.Truncated || last.Size > maxText:
		return expr.Value{}, false
	case last.Redactions > 0:
		return expr.Unknown(expr.StringType()), true
	}
	text := last.Text
	if last.Artifact != "" {
		data, ok := r.artifact(last.Artifact)
		if !ok {
			return expr.Unknown(expr.StringType()), true
		}
		text = data
	}
	return expr.String(strings.TrimRight(strings.ToValidUTF8(text, "\uFFFD"), "\r\n")), true
}

// artifact reads a text of the record.
func (r *run) artifact(sum string) (string, bool) {
	data, err := r.stored(sum)
	return string(data), err == nil
}

// captureAgain is a captured value. It is captured once more from the recorded output, and taken when it is what was
// recorded; else a plain value is read from its text.
func (r *run) captureAgain(c runbooks.Capture, shown engine.Captured, d map[string]expr.Value, names *expr.Scope) expr.Value {
	if c.Sensitive || shown.Sensitive {
		return expr.Unknown(c.Type).AsSensitive()
	}
	if names != nil {
		if v, err := r.captured(c, d, names); err == nil && !v.IsSensitive() && r.clip(v.String()) == shown.Value {
			return v
		}
	}
	return readBack(c.Type, shown.Value)
}

// readBack reads a value from the text that it was recorded as. One that was shortened or redacted, or whose text does not
// say what it was, is unknown.
func readBack(t expr.Type, text string) expr.Value {
	whole := !strings.HasSuffix(text, clipped) && !strings.Contains(text, redactedMark)
	switch t.String() {
	case "string", "number", "bool":
		if v, err := expr.String(text).ConvertTo(t); err == nil && whole {
			return v
		}
	}
	return expr.Unknown(t)
}
