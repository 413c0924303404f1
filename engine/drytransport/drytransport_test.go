package drytransport_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/drytransport"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// The wrapped transport can launch; what a dry-run is given cannot.
func TestTransport_cannotLaunch(t *testing.T) {
	t.Parallel()
	inner := simtransport.New()
	var launcher any = inner
	require.Implements(t, (*engine.Launcher)(nil), launcher)

	var dry any = drytransport.New(inner)
	_, launches := dry.(engine.Launcher)
	require.False(t, launches)

	// Nothing leads to the wrapped transport either: no exported field, and no method beyond those of a Prober.
	typ := reflect.TypeOf(dry)
	prober := reflect.TypeFor[engine.Prober]()
	require.Equal(t, prober.NumMethod(), typ.NumMethod())
	for n := range typ.NumMethod() {
		_, ok := prober.MethodByName(typ.Method(n).Name)
		require.True(t, ok, typ.Method(n).Name)
	}
	for n := range typ.Elem().NumField() {
		require.False(t, typ.Elem().Field(n).IsExported())
		require.False(t, typ.Elem().Field(n).Anonymous)
	}
}

func TestTransport_observes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind    runbooks.Kind
		part    engine.PartName
		refused bool
	}{
		{runbooks.Check, engine.PartCommand, false},
		{runbooks.Step, engine.PartUnless, false},
		{runbooks.Transfer, engine.PartUnless, false},
		{runbooks.Step, engine.PartVerify, true},
		{runbooks.Transfer, engine.PartVerify, true},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind)+"."+string(tt.part), func(t *testing.T) {
			t.Parallel()
			inner := simtransport.New()
			o, err := engine.NewObservation(tt.kind, tt.part, engine.Command{Argv: []string{"true"}})
			require.NoError(t, err)
			_, err = drytransport.New(inner).Observe(t.Context(), &runbooks.Host{Name: "a"}, o, engine.OutputSink{})
			if tt.refused {
				require.ErrorIs(t, err, drytransport.ErrNotInDryRun)
				require.Empty(t, inner.Calls())
				return
			}
			require.NoError(t, err)
			require.Len(t, inner.Calls(), 1)
		})
	}
}

// A step's command cannot even be made into an observation.
func TestTransport_stepIsNoObservation(t *testing.T) {
	t.Parallel()
	for _, kind := range []runbooks.Kind{runbooks.Step, runbooks.Transfer, runbooks.Manual, runbooks.Call} {
		_, err := engine.NewObservation(kind, engine.PartCommand, engine.Command{})
		require.ErrorIs(t, err, engine.ErrNotAnObservation, kind)
	}
	_, err := engine.NewObservation(runbooks.Step, engine.PartRollback, engine.Command{})
	require.ErrorIs(t, err, engine.ErrNotAnObservation)
}

func TestTransport_close(t *testing.T) {
	t.Parallel()
	inner := simtransport.New()
	require.NoError(t, drytransport.New(inner).Close())
	require.True(t, inner.Closed())
}
