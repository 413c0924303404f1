package transporttest

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Result is what a command did.
type Result struct {
	Status         engine.ExitStatus
	Stdout, Stderr string
	Err            error
}

// Observe runs c as a check would.
func Observe(ctx context.Context, t testing.TB, p engine.Prober, h *runbooks.Host, c engine.Command) Result {
	t.Helper()
	o, err := engine.NewObservation(runbooks.Check, engine.PartCommand, c)
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	status, err := p.Observe(ctx, h, o, engine.OutputSink{Stdout: &stdout, Stderr: &stderr})
	return Result{Status: status, Stdout: stdout.String(), Stderr: stderr.String(), Err: err}
}
