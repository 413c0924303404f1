// Package diag holds diagnostics: what is wrong with an author's files, where, and what to do about it.
//
// A diagnostic is about a file that a person wrote and always has a place and a stable code. An error about the world
// (a host that does not answer, a full disk) is an ordinary Go error and never a diagnostic.
//
// The package is a leaf: it imports nothing of continuo.
package diag

import (
	"fmt"
	"slices"
	"strings"
)

// Severity tells whether a diagnostic stops the command.
type Severity uint8

const (
	// Error makes the project invalid; nothing is planned or run.
	Error Severity = iota + 1
	// Warning is advice; `validate --strict` turns it into an error.
	Warning
)

// String returns the word used in text and JSON.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "invalid"
}

// MarshalText writes the word of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Pos is a place in a file. Line and Column count from 1; Column counts grapheme clusters as hcl does. Byte counts from 0.
type Pos struct {
	Line, Column, Byte int
}

// Range is the half-open region from Start to End of File. File is relative to the project, with slashes.
type Range struct {
	File       string
	Start, End Pos
}

// Zero reports whether the range names no place.
func (r Range) Zero() bool { return r.File == "" && r.Start.Line == 0 }

// String returns file:line:column.
func (r Range) String() string {
	if r.Zero() {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
}

// Related is a second place that explains the first, such as the earlier of two duplicates.
type Related struct {
	Message string
	Range   Range
}

// Diagnostic is one finding about a file. Summary is one line, lower case after the code, without a full stop.
// Hint says what to do. Context names what encloses the place, for example `runbook "payments"`.
type Diagnostic struct {
	Severity Severity
	Code     string
	Summary  string
	Detail   string
	Hint     string
	Context  string
	Range    Range
	Related  []Related
}

// List is a set of diagnostics. The zero value is ready to use.
type List []Diagnostic

// HasErrors reports whether any member is an Error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sorted returns the list ordered by file, byte, code and summary, with exact repetitions (same code, range and summary)
// removed, so that the order never depends on the iteration of a map.
func (l List) Sorted() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, compare)
	return slices.CompactFunc(out, func(a, b Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b Diagnostic) int {
	if c := strings.Compare(a.Range.File, b.Range.File); c != 0 {
		return c
	}
	if c := a.Range.Start.Byte - b.Range.Start.Byte; c != 0 {
		return c
	}
	if c := strings.Compare(a.Code, b.Code); c != 0 {
		return c
	}
	return strings.Compare(a.Summary, b.Summary)
}

// Err returns nil for a list without errors, and otherwise an error that carries the list.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return &ListError{List: l.Sorted()}
}

// ListError is a list of diagnostics as a Go error. Views render the list; Error is only a fallback for logs.
type ListError struct{ List List }

// Error names the first finding and how many more there are.
func (e *ListError) Error() string {
	if len(e.List) == 0 {
		return "invalid project"
	}
	d := e.List[0]
	msg := fmt.Sprintf("%s: %s (%s)", d.Range, d.Summary, d.Code)
	if n := len(e.List) - 1; n > 0 {
		msg += fmt.Sprintf(" and %d more", n)
	}
	return msg
}
