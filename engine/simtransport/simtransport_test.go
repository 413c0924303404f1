package simtransport_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func at(t *testing.T, host string) (context.Context, *runbooks.Host) {
	t.Helper()
	p := engine.Place{Unit: engine.Unit{Item: "step.s", Host: host}, Part: engine.PartCommand}
	return engine.WithPlace(t.Context(), p), &runbooks.Host{Name: host}
}

// Each host goes through the answers by itself, the last one repeats, and one for a host comes before one for all.
func TestTransport_sequence(t *testing.T) {
	t.Parallel()
	sim := simtransport.New()
	sim.On("step.s", engine.PartCommand, simtransport.Answer{ExitCode: 1}, simtransport.Answer{ExitCode: 2})
	sim.OnHost("step.s", engine.PartCommand, "c", simtransport.Answer{ExitCode: 9})
	got := map[string][]int{}
	for n := range 3 {
		for _, host := range []string{"a", "b", "c"} {
			ctx, h := at(t, host)
			id := engine.AttemptID(fmt.Sprintf("%d on %s", n, host))
			st, release, err := sim.Start(ctx, h, engine.Attempt{ID: id}, engine.OutputSink{})
			require.NoError(t, err)
			release()
			require.Equal(t, 1, sim.Released(id))
			got[host] = append(got[host], st.Code)
		}
	}
	require.Equal(t, map[string][]int{"a": {1, 2, 2}, "b": {1, 2, 2}, "c": {9, 9, 9}}, got)
	require.Len(t, sim.Calls(), 9)
}

func TestTransport_timeAndKill(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end  error // of the context after 2 s; nil: it does not end
		want engine.ExitStatus
		err  error
		took time.Duration
	}{
		"its timeout":     {nil, engine.ExitStatus{Code: 143, Signal: "TERM", TimedOut: true, KillConfirmed: true}, nil, 5 * time.Second},
		"a kill":          {context.Canceled, engine.ExitStatus{Code: 143, Signal: "TERM", KillConfirmed: true}, nil, 2 * time.Second},
		"the run is left": {engine.ErrLeft, engine.ExitStatus{}, engine.ErrLeft, 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := simtransport.New()
				sim.On("step.s", engine.PartCommand, simtransport.Answer{Delay: time.Hour, Stdout: "late"})
				ctx, h := at(t, "a")
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				if tt.end != nil {
					time.AfterFunc(2*time.Second, func() { cancel(tt.end) })
				}
				began := time.Now()
				st, _, err := sim.Start(ctx, h, engine.Attempt{Command: engine.Command{Timeout: 5 * time.Second}}, engine.OutputSink{})
				require.ErrorIs(t, err, tt.err)
				require.Equal(t, tt.want, st)
				require.Equal(t, tt.took, time.Since(began))
			})
		})
	}
}

func TestPeople_inOrderThenNobody(t *testing.T) {
	t.Parallel()
	var p simtransport.People
	p.OnGate("gate.go", simtransport.Approve("alice"), simtransport.Deny("bob", "no"))
	w, err := p.Gate(t.Context(), engine.GateQuestion{Item: "gate.go"})
	require.NoError(t, err)
	who, err := simtransport.Verifier{}.Verify(nil, w.Signature, time.Time{})
	require.NoError(t, err)
	require.Equal(t, "alice", who.Principal)
	w, err = p.Gate(t.Context(), engine.GateQuestion{Item: "gate.go", Refused: "why"})
	require.NoError(t, err)
	require.True(t, w.Deny)
	_, err = p.Gate(t.Context(), engine.GateQuestion{Item: "gate.go"})
	require.ErrorIs(t, err, engine.ErrNobody)
	require.Equal(t, []string{"why"}, p.Refused())
	require.Len(t, p.Asked(), 3)
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	a := simtransport.Artifacts{Redact: func(s string) string { return strings.ReplaceAll(s, "secret", "[redacted]") }}
	w, err := a.Create()
	require.NoError(t, err)
	_, err = w.Write([]byte("a sec"))
	require.NoError(t, err)
	_, err = w.Write([]byte("ret"))
	require.NoError(t, err)
	out, err := w.Finish()
	require.NoError(t, err)
	require.Equal(t, "a [redacted]", out.Text)
	require.Empty(t, out.Artifact)

	w, err = a.Create()
	require.NoError(t, err)
	_, err = w.Write([]byte(strings.Repeat("x", 5000)))
	require.NoError(t, err)
	out, err = w.Finish()
	require.NoError(t, err)
	require.Empty(t, out.Text)
	require.Len(t, a.Stored(out.Artifact), 5000)
}

// A durable host keeps what it knows of an attempt while its controller is gone: it runs on and is collected, once; what was
// never launched never will be.
func TestTransport_attemptsOutliveTheirController(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simtransport.New()
		sim.On("step.s", engine.PartCommand, simtransport.Answer{Stdout: "done", ExitCode: 3, Delay: 10 * time.Second})
		ctx, h := at(t, "a")
		started := make(chan error, 1)
		go func() {
			_, _, err := sim.Start(ctx, h, engine.Attempt{ID: "1"}, engine.OutputSink{})
			started <- err
		}()
		time.Sleep(4 * time.Second)
		sim.Die()
		_, _, err := sim.Start(ctx, h, engine.Attempt{ID: "2"}, engine.OutputSink{})
		require.ErrorIs(t, err, engine.ErrLeft, "a dead controller launches nothing")
		require.ErrorIs(t, <-started, engine.ErrLeft, "and sees no end")
		sim.Live()

		var out strings.Builder
		st, _, err := sim.Collect(ctx, h, engine.Attempt{ID: "1"}, engine.OutputSink{Stdout: &out})
		require.NoError(t, err)
		require.Equal(t, 3, st.Code)
		require.Equal(t, "done", out.String())
		_, _, err = sim.Start(ctx, h, engine.Attempt{ID: "1"}, engine.OutputSink{})
		require.ErrorIs(t, err, engine.ErrOutcomeUnknown)
		require.Equal(t, 1, sim.Executed("1"))

		_, _, err = sim.Collect(ctx, h, engine.Attempt{ID: "2"}, engine.OutputSink{})
		require.ErrorIs(t, err, engine.ErrNeverStarted)
		_, _, err = sim.Start(ctx, h, engine.Attempt{ID: "2"}, engine.OutputSink{})
		require.ErrorIs(t, err, engine.ErrNeverStarted, "it is fenced")
		require.Zero(t, sim.Executed("2"))

		h.Connection.Plain = true
		_, _, err = sim.Collect(ctx, h, engine.Attempt{ID: "1"}, engine.OutputSink{})
		require.ErrorIs(t, err, engine.ErrOutcomeUnknown, "a plain connection leaves nothing that tells")
	})
}
