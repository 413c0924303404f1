package executor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// rendered is a command with all its values, and what of it may be shown and hashed.
type rendered struct {
	engine.Command
	text   string // redacted; over 4 KiB a reference to an artifact
	digest string // of argv or script with interpreter; never of secrets, stdin or environment
}

const maxShown = 4 << 10

// render evaluates a command. An error that wraps expr.ErrUnknown says that a value is not known yet.
func (r *run) render(w work, names *expr.Scope) (rendered, error) {
	c := engine.Command{Interpreter: w.command.Interpreter, Timeout: w.timeout}
	var err error
	if w.command.Argv != nil {
		c.Argv, err = evalStrings(w.command.Argv, names)
		if err == nil && len(c.Argv) == 0 {
			err = fmt.Errorf("%s: argv is empty", w.command.Argv.Range())
		}
	} else {
		c.Script, err = evalText(w.command.Script, names)
	}
	if err != nil {
		return rendered{}, err
	}
	if c.Env, err = evalEnv(w, names); err != nil {
		return rendered{}, err
	}
	if w.command.Stdin != nil {
		v, err := eval(w.command.Stdin, names)
		if err != nil {
			return rendered{}, err
		}
		text, err := v.Reveal()
		if err != nil {
			return rendered{}, at(w.command.Stdin, err)
		}
		c.Stdin = []byte(text)
	}
	if c.WorkingDir, err = evalText(w.dir, names); err != nil {
		return rendered{}, err
	}
	if c.Become, err = evalText(w.become, names); err != nil {
		return rendered{}, err
	}
	return r.show(c)
}

func (r *run) show(c engine.Command) (rendered, error) {
	digest := sha256.New()
	enc := json.NewEncoder(digest)
	err := enc.Encode(struct {
		Argv        []string `json:"argv,omitempty"`
		Script      string   `json:"script,omitempty"`
		Interpreter []string `json:"interpreter,omitempty"`
	}{c.Argv, c.Script, c.Interpreter})
	if err != nil {
		return rendered{}, fmt.Errorf("digest of a command: %w", err)
	}
	text := c.Script
	if c.Argv != nil {
		text = shellJoin(c.Argv)
	}
	if text, err = r.short(r.cfg.Redactor.Redact(text)); err != nil {
		return rendered{}, err
	}
	return rendered{Command: c, text: text, digest: hex.EncodeToString(digest.Sum(nil))}, nil
}

// short puts a text that is too long for a line of the journal into an artifact and returns the reference.
func (r *run) short(text string) (string, error) {
	if len(text) <= maxShown {
		return text, nil
	}
	sum, err := r.cfg.Artifacts.Put([]byte(text))
	if err != nil {
		return "", &recordError{err}
	}
	return "artifact:" + sum, nil
}

// recordError: evidence could not be written. It ends the run before its next effect, as a failing journal does.
type recordError struct{ err error }

func (e *recordError) Error() string { return "record output: " + e.err.Error() }
func (e *recordError) Unwrap() error { return e.err }

func evalEnv(w work, names *expr.Scope) ([]engine.Env, error) {
	var out []engine.Env
	for _, e := range w.env {
		v, err := eval(e.Value, names)
		if err != nil {
			return nil, err
		}
		text, err := v.Reveal()
		if err != nil {
			return nil, at(e.Value, fmt.Errorf("env %s: %w", e.Name, err))
		}
		// A later entry of the same name overrides an earlier one.
		out = slices.DeleteFunc(out, func(o engine.Env) bool { return o.Name == e.Name })
		out = append(out, engine.Env{Name: e.Name, Value: text, Secret: v.IsSensitive()})
	}
	return out, nil
}

func eval(e *expr.Expr, names *expr.Scope) (expr.Value, error) {
	v, ds := e.Eval(names)
	if err := ds.Err(); err != nil {
		return expr.Value{}, err
	}
	return v, nil
}

func at(e *expr.Expr, err error) error { return fmt.Errorf("%s: %w", e.Range(), err) }

// evalText is the text of an expression; "" for one that is not given.
func evalText(e *expr.Expr, names *expr.Scope) (string, error) {
	if e == nil {
		return "", nil
	}
	s, state, ds := e.EvalText(names, "value")
	return s, ready(e, state, ds)
}

func evalStrings(e *expr.Expr, names *expr.Scope) ([]string, error) {
	s, state, ds := e.EvalStrings(names, "value")
	return s, ready(e, state, ds)
}

func evalTruth(e *expr.Expr, names *expr.Scope) (bool, error) {
	b, state, ds := e.EvalBool(names)
	return b, ready(e, state, ds)
}

// ready is the error of an evaluation: expr.ErrUnknown when it depends on what is not known yet.
func ready(e *expr.Expr, state expr.State, ds diag.List) error {
	switch {
	case state == expr.Ready:
		return nil
	case state == expr.Undetermined:
		return at(e, expr.ErrUnknown)
	case ds.HasErrors():
		return ds.Err()
	}
	return at(e, errors.New("it has no value"))
}

func unknown(err error) bool { return errors.Is(err, expr.ErrUnknown) }

// shellJoin shows an argv so that it could be pasted into a shell.
func shellJoin(argv []string) string {
	out := make([]string, len(argv))
	for n, a := range argv {
		plain := a != "" && strings.Trim(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%") == ""
		if plain {
			out[n] = a
		} else {
			out[n] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

func list(words []string) string { return strings.Join(words, ", ") }

func reasonOr(reason, otherwise string) string {
	if reason == "" {
		return otherwise
	}
	return reason
}
