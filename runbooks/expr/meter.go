package expr

import (
	"fmt"
	"sync/atomic"
)

// Meter bounds the work of many evaluations together, so that a project of many expensive expressions can neither hold
// up nor exhaust the machine that validates or plans it. At run time there is none: what a runbook may do has been seen
// then, and each evaluation has its own limits. Safe for concurrent use.
type Meter struct {
	steps, bytes         atomic.Int64
	mostSteps, mostBytes int64
}

// ProjectMeter bounds all evaluations of a project for one purpose, such as validating or planning it. It is exhausted
// after seconds and well below 512 MiB.
func ProjectMeter() *Meter { return NewMeter(LimitProjectSteps, LimitProjectBytes) }

// NewMeter allows so many steps, and so many bytes of texts and lists to be built.
func NewMeter(steps, bytes int64) *Meter {
	m := &Meter{mostSteps: steps, mostBytes: bytes}
	m.steps.Store(steps)
	m.bytes.Store(bytes)
	return m
}

// Spent is how many steps and bytes were taken so far, those that were refused included.
func (m *Meter) Spent() (steps, bytes int64) {
	return m.mostSteps - m.steps.Load(), m.mostBytes - m.bytes.Load()
}

func (m *Meter) step(n int) *problem {
	if m == nil || m.steps.Add(-int64(n)) >= 0 {
		return nil
	}
	return &problem{code: CodeTooMuch, summary: "the project computes too much before anything runs",
		detail: fmt.Sprintf("All its expressions together may take %d steps; this one reached the bound.", m.mostSteps),
		hint:   "filter before you combine, compute once in a local what several places use, and keep large data out of expressions"}
}

func (m *Meter) hold(n int) *problem {
	if m == nil || m.bytes.Add(-int64(n)) >= 0 {
		return nil
	}
	return &problem{code: CodeTooMuch, summary: "the project builds too much text and data before anything runs",
		detail: fmt.Sprintf("All its expressions together may build %d MiB; this one reached the bound.", m.mostBytes>>20),
		hint:   "keep large material in files and hand it over with source or stdin"}
}

// WithMeter returns a scope whose evaluations share the meter. With nil it is the same scope.
func (s *Scope) WithMeter(m *Meter) *Scope {
	if m == nil {
		return s
	}
	c := *s
	c.shared = m
	return &c
}
