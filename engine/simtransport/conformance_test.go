package simtransport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// TestConformance: simulated hosts pass the suite of the real ones, durable and plain.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string]bool{"durable": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transporttest.RunInBubbles(t, func(t *testing.T) transporttest.Suite {
				t.Helper()
				sim := simtransport.New()
				t.Cleanup(func() { require.NoError(t, sim.Close()) })
				return transporttest.Suite{Prober: sim, Launcher: sim, Durable: !plain, Tell: teller(sim),
					Host: &runbooks.Host{Name: "db-1", Connection: runbooks.Connection{Plain: plain}}}
			})
		})
	}
}

// teller tells simulated hosts what a command of the suite does.
func teller(sim *simtransport.Transport) func(engine.Command, transporttest.Does) {
	return func(_ engine.Command, d transporttest.Does) {
		a := simtransport.Answer{Stdout: d.Stdout, Stderr: d.Stderr, ExitCode: d.Code, Signal: d.Signal, Delay: d.Lasts, Background: d.Background}
		if d.Refused != "" {
			a = simtransport.Answer{Err: &engine.HostError{Kind: d.Refused, Err: engine.ErrRefused}}
		}
		sim.On(transporttest.Unit, transporttest.Part, a)
	}
}
