package journal

import (
	"errors"
	"fmt"
)

// What can be wrong with a journal. Test with errors.Is; LineError says where.
var (
	ErrSyntax      = errors.New("not a line of a journal")
	ErrHead        = errors.New("head of the line is malformed")
	ErrChain       = errors.New("chain is broken: prev is not the digest of the line before")
	ErrSeq         = errors.New("sequence number is not the next one")
	ErrMode        = errors.New("mode differs from the journal's first line")
	ErrClock       = errors.New("monotonic clock runs backwards")
	ErrTooLong     = errors.New("line is longer than 64 KiB")
	ErrTorn        = errors.New("last line is torn: it does not end with LF")
	ErrUnknownType = errors.New("unknown event type")
	ErrOrder       = errors.New("event out of place")
	ErrEmpty       = errors.New("journal is empty")

	// ErrClosed is returned by Append and Resume after run.closed.
	ErrClosed = errors.New("run is closed")
	// ErrTakenOver poisons a journal whose file is another one now, or that somebody else wrote to.
	ErrTakenOver = errors.New("another process has taken this run over")
	// ErrPoisoned is in the error of every Append after a failed one.
	ErrPoisoned = errors.New("journal is poisoned by an earlier failure; resume the run")
)

// LineError is what is wrong with one line of a journal. Lines count from 1.
type LineError struct {
	Line int
	Err  error
}

// Error names the line and the cause.
func (e *LineError) Error() string { return fmt.Sprintf("journal line %d: %v", e.Line, e.Err) }

// Unwrap gives the cause.
func (e *LineError) Unwrap() error { return e.Err }
