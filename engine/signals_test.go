package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

func TestSignalNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "KILL", engine.SignalName(9))
	require.Equal(t, "number-40", engine.SignalName(40))
	require.Equal(t, 15, engine.SignalNumber("TERM"))
	require.Zero(t, engine.SignalNumber(""))
	require.Zero(t, engine.SignalNumber("NONSUCH"))
}
