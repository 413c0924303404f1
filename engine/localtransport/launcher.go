package localtransport

import (
	"context"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Launcher launches steps on the control host: engine.Launcher. A dry-run is not given one.
type Launcher struct{ t *Transport }

var _ engine.Launcher = (*Launcher)(nil)

// Launcher returns the launching half of t.
func (t *Transport) Launcher() *Launcher { return &Launcher{t} }

// Prepare implements engine.Launcher.
func (l *Launcher) Prepare(ctx context.Context, h *runbooks.Host, become string) (engine.Prepared, error) {
	return l.t.host(h).Prepare(ctx, become)
}

// Start implements engine.Launcher.
func (l *Launcher) Start(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return l.t.host(h).Start(ctx, a, sink)
}

// Collect implements engine.Launcher.
func (l *Launcher) Collect(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return l.t.host(h).Collect(ctx, a, sink)
}
