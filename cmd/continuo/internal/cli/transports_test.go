package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/drytransport"
)

// A dry-run is given what cannot execute, and nothing that launches.
func TestTransports_aDryRunGetsTheDryTransport(t *testing.T) {
	t.Parallel()
	dry := transports{}.proberFor(engine.DryRun)
	require.IsType(t, &drytransport.Transport{}, dry)
	_, launches := dry.(engine.Launcher)
	require.False(t, launches)
	require.NotEqual(t, dry, transports{}.proberFor(engine.Live))
}
