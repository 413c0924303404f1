package sshtransport

import (
	"context"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Launcher launches steps over the connections of a Transport: engine.Launcher. A dry-run is not given one.
type Launcher struct{ t *Transport }

var _ engine.Launcher = (*Launcher)(nil)

// Launcher returns the launching half of t. It lives as long as t.
func (t *Transport) Launcher() *Launcher { return &Launcher{t} }

// Prepare implements engine.Launcher.
func (l *Launcher) Prepare(ctx context.Context, h *runbooks.Host, become string) (engine.Prepared, error) {
	g, err := l.t.target(h)
	if err != nil {
		return engine.Prepared{}, err
	}
	return g.talker.Prepare(ctx, become)
}

// Start implements engine.Launcher.
func (l *Launcher) Start(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	g, err := l.t.target(h)
	if err != nil {
		return engine.ExitStatus{}, func() {}, err
	}
	return g.talker.Start(ctx, a, sink)
}

// Collect implements engine.Launcher.
func (l *Launcher) Collect(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	g, err := l.t.target(h)
	if err != nil {
		return engine.ExitStatus{}, func() {}, err
	}
	return g.talker.Collect(ctx, a, sink)
}
