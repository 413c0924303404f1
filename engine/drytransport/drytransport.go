// Package drytransport is what a dry-run reaches hosts with: it observes and cannot execute.
//
// It has no method that launches anything, whatever it wraps, and it refuses the one observation that only makes sense
// after a step: its verify. That a check only reads is its author's word; that no step runs is a property of this type.
package drytransport

import (
	"context"
	"errors"
	"fmt"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// ErrNotInDryRun is returned for an observation that a dry-run never makes.
var ErrNotInDryRun = errors.New("not in a dry-run")

// Transport is an engine.Prober and nothing else.
type Transport struct{ prober engine.Prober }

var _ engine.Prober = (*Transport)(nil)

// New wraps a prober and takes it over: Close closes it.
func New(p engine.Prober) *Transport { return &Transport{prober: p} }

// Preflight implements engine.Prober.
func (t *Transport) Preflight(ctx context.Context, h *runbooks.Host, req engine.PreflightRequest) (engine.PreflightResult, error) {
	return t.prober.Preflight(ctx, h, req)
}

// Observe implements engine.Prober for checks and unless. A verify is refused with ErrNotInDryRun; nothing is sent.
func (t *Transport) Observe(ctx context.Context, h *runbooks.Host, o engine.Observation, sink engine.OutputSink) (engine.ExitStatus, error) {
	if p := o.Part(); p != engine.PartCommand && p != engine.PartUnless {
		return engine.ExitStatus{}, fmt.Errorf("observe %q: %w", p, ErrNotInDryRun)
	}
	return t.prober.Observe(ctx, h, o, sink)
}

// ProbeTCP implements engine.Prober.
func (t *Transport) ProbeTCP(ctx context.Context, h *runbooks.Host, address string) (engine.TCPState, error) {
	return t.prober.ProbeTCP(ctx, h, address)
}

// Close implements engine.Prober.
func (t *Transport) Close() error { return t.prober.Close() }
