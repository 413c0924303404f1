package localtransport

import (
	"context"
	"errors"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Router is an engine.Prober that gives the control host to one and all other hosts to another.
type Router struct {
	Control, Remote engine.Prober
}

var _ engine.Prober = Router{}

func (r Router) of(h *runbooks.Host) engine.Prober {
	if h.Control {
		return r.Control
	}
	return r.Remote
}

// Preflight implements engine.Prober.
func (r Router) Preflight(ctx context.Context, h *runbooks.Host, req engine.PreflightRequest) (engine.PreflightResult, error) {
	return r.of(h).Preflight(ctx, h, req)
}

// Observe implements engine.Prober.
func (r Router) Observe(ctx context.Context, h *runbooks.Host, o engine.Observation, sink engine.OutputSink) (engine.ExitStatus, error) {
	return r.of(h).Observe(ctx, h, o, sink)
}

// ProbeTCP implements engine.Prober.
func (r Router) ProbeTCP(ctx context.Context, h *runbooks.Host, address string) (engine.TCPState, error) {
	return r.of(h).ProbeTCP(ctx, h, address)
}

// Close closes both.
func (r Router) Close() error { return errors.Join(r.Control.Close(), r.Remote.Close()) }

// LaunchRouter is an engine.Launcher that gives the control host to one and all other hosts to another.
type LaunchRouter struct {
	Control, Remote engine.Launcher
}

var _ engine.Launcher = LaunchRouter{}

func (r LaunchRouter) of(h *runbooks.Host) engine.Launcher {
	if h.Control {
		return r.Control
	}
	return r.Remote
}

// Prepare implements engine.Launcher.
func (r LaunchRouter) Prepare(ctx context.Context, h *runbooks.Host, become string) (engine.Prepared, error) {
	return r.of(h).Prepare(ctx, h, become)
}

// Start implements engine.Launcher.
func (r LaunchRouter) Start(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return r.of(h).Start(ctx, h, a, sink)
}

// Collect implements engine.Launcher.
func (r LaunchRouter) Collect(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return r.of(h).Collect(ctx, h, a, sink)
}
