package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Code is an exit code. The set is a contract: scripts depend on it.
type Code int

// The exit codes.
const (
	// OK: passed, passed with deviations and no objective missed, ready, ready with gaps, verified, valid.
	OK Code = 0
	// Fail: failed, an objective missed, not ready, a gate denied or expired; a test failed; explore has findings.
	Fail Code = 1
	// Usage: the command line is wrong.
	Usage Code = 2
	// Invalid: the project is not valid.
	Invalid Code = 3
	// Refused: before the first intent; not confirmed, or no change reference.
	Refused Code = 4
	// Held: an outcome is unknown or waits for a person, or the run was left.
	Held Code = 5
	// BadEvidence: it does not verify, is unsigned, or could not be written.
	BadEvidence Code = 6
	// Aborted: by the operator.
	Aborted Code = 7
	// Defect: continuo itself is wrong.
	Defect Code = 70
)

// precedence is which code wins where several apply, the strongest first.
func precedence() []Code {
	return []Code{Defect, Held, Aborted, Fail, BadEvidence, Refused, Invalid, Usage}
}

// worst is the code that wins among those that apply; none at all is OK.
func worst(codes ...Code) Code {
	for _, p := range precedence() {
		if slices.Contains(codes, p) {
			return p
		}
	}
	return OK
}

// Error is a failure with its exit code and what to do about it. Where Err is nil everything has been said already.
type Error struct {
	Code Code
	Err  error
	Hint string
}

// Error is the cause's text.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// exit ends a command with a code and nothing more to say. OK gives nil.
func exit(c Code) error {
	if c == OK {
		return nil
	}
	return &Error{Code: c}
}

// fail makes an Error from a cause.
func fail(c Code, err error, hint string) error { return &Error{Code: c, Err: err, Hint: hint} }

// failf makes an Error from a text.
func failf(c Code, hint, format string, args ...any) error {
	return fail(c, fmt.Errorf(format, args...), hint)
}

// classify finds the code and the hint of any error that a command returned.
func classify(err error) (Code, string) {
	var own *Error
	var list *diag.ListError
	var host *engine.HostError
	switch {
	case errors.As(err, &own):
		return own.Code, own.Hint
	case errors.As(err, &list):
		return Invalid, ""
	case errors.As(err, &host):
		return Fail, host.Hint
	}
	return Fail, ""
}

// runCode is the exit code of a run's record.
func runCode(rec *engine.Record) Code {
	codes := []Code{OK}
	switch rec.Verdict {
	case engine.VerdictFailed, engine.NotReady:
		codes = append(codes, Fail)
	case engine.Aborted:
		codes = append(codes, Aborted)
	case engine.Incomplete:
		codes = append(codes, Held)
	case engine.Passed, engine.PassedWithDeviations, engine.Ready, engine.ReadyWithGaps: // OK, unless what follows is worse
	}
	if rec.Unknown > 0 {
		codes = append(codes, Held)
	}
	for _, o := range rec.Objectives {
		if o.Met != nil && !*o.Met {
			codes = append(codes, Fail)
		}
	}
	return worst(codes...)
}
