package crash

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx/faultfs"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx/memfs"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const firstRun = "run-1"

// simulated is a case on simulated hosts, which keep their attempts whatever becomes of the controller.
func simulated(t *testing.T, w *work, signer *evidence.Signer, state string, fsys fsx.FS) (*scene, *simtransport.Transport) {
	t.Helper()
	sim := simtransport.New()
	sim.On("step.one", engine.PartCommand, simtransport.Answer{Stdout: strings.Repeat("one has something to say\n", 400)})
	a := &acks{}
	s := &scene{acks: a, alive: sim.Live, ran: func() []string { return executed(sim) }}
	s.life = life{
		work: w, fs: fsys, state: state, prober: sim, launcher: sim, http: sim, signer: signer,
		nonce: "00112233445566778899aabbccddeeff", acked: a.take,
	}
	return s, sim
}

// executed is what really ran on the simulated hosts.
func executed(sim *simtransport.Transport) []string {
	var out []string
	seen := map[engine.AttemptID]bool{} // a host runs an attempt once, however often it is sent
	for _, c := range sim.Calls() {
		if c.What == "start" && sim.Executed(c.Attempt) == 1 && !seen[c.Attempt] {
			seen[c.Attempt] = true
			out = append(out, strings.TrimPrefix(string(c.Item), "step."))
		}
	}
	return out
}

func newSigner(t *testing.T) *evidence.Signer {
	t.Helper()
	s, _, err := evidence.ExecutorKey(t.TempDir(), "test")
	require.NoError(t, err)
	return s
}

// TestCrashErrors lets every operation fail once, in each way in which disks do.
func TestCrashErrors(t *testing.T) {
	t.Parallel()
	w, signer := newWork(t, "/p", "22", "/witness"), newSigner(t)
	var f figures
	for _, action := range []faultfs.Action{
		{Err: syscall.EIO}, {Err: syscall.ENOSPC}, {Err: syscall.ENOSPC, Short: true}, {Err: syscall.EDQUOT},
	} {
		for n, reached := 1, true; reached; n += every(29) {
			reached = false
			fsys := &faultfs.FS{FS: noSync{}, Decide: func(op faultfs.Op) faultfs.Action {
				if op.N == n {
					reached = true
					return action
				}
				return faultfs.Action{}
			}}
			s, _ := simulated(t, w, signer, filepath.Join(t.TempDir(), "state"), fsys)
			err := s.life.begin(t.Context(), firstRun)
			if !reached {
				require.NoError(t, err)
				break
			}
			f.recovers(t, s)
		}
	}
	require.Zero(t, f.refused)
	f.report(t, "error points")
}

// TestCrashPowerLoss cuts the power after every operation and tries several of the images that may be left: of what was not
// synced, nothing, a quarter, half, or all is lost.
func TestCrashPowerLoss(t *testing.T) {
	t.Parallel()
	w, signer := newWork(t, "/p", "22", "/witness"), newSigner(t)
	var f figures
	seeds := 1
	if every(2) == 1 {
		seeds = 3
	}
	for n := 1; ; n += every(29) {
		mem := memfs.New()
		off, done := make(chan struct{}), make(chan error, 1)
		fsys := &faultfs.FS{FS: mem}
		s, sim := simulated(t, w, signer, "/state", fsys)
		dark := make(chan struct{}) // never closed: whoever comes here is gone
		fsys.Decide = func(op faultfs.Op) faultfs.Action {
			switch {
			case op.N < n:
				return faultfs.Action{}
			case op.N > n:
				return faultfs.Action{Before: func() { <-dark }}
			}
			return faultfs.Action{After: func() {
				sim.Die()
				close(off)
				<-dark
			}}
		}
		go func() { done <- s.life.begin(context.Background(), firstRun) }()
		select {
		case err := <-done:
			require.NoError(t, err)
			f.report(t, "power-loss images")
			return
		case <-off:
		}
		known := s.acks.list()
		written, err := fsx.ReadFile(mem, filepath.Join(evidence.RunDir("/state", firstRun), journal.FileName), 1<<20)
		if !errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, err)
		}
		for _, loss := range []float64{0, 0.25, 0.5, 1} {
			for seed := range seeds {
				root := t.TempDir()
				require.NoError(t, mem.Image(root, loss, rand.New(rand.NewPCG(uint64(n), uint64(seed)))))
				// Each image has a world of its own, in which the same has run.
				again, world := simulated(t, w, signer, filepath.Join(root, "state"), nil)
				again.acks.all, again.written = append(again.acks.all, known...), append([]byte{}, written...)
				relive(t, w, sim, world, nil)
				f.recovers(t, again)
			}
		}
	}
}

// relive lets the hosts of one world run what those of another ran; with a journal, as far as that has intents for it.
func relive(t *testing.T, w *work, from, to *simtransport.Transport, data []byte) {
	t.Helper()
	for _, c := range from.Calls() {
		if c.What != "start" || from.Executed(c.Attempt) == 0 || data != nil && !bytes.Contains(data, []byte(c.Attempt)) {
			continue
		}
		on := slices.IndexFunc(w.project.Hosts, func(h *runbooks.Host) bool { return h.Name == c.On })
		_, _, err := to.Start(engine.WithPlace(context.Background(), c.Place), w.project.Hosts[on],
			engine.Attempt{ID: c.Attempt, Command: c.Command}, engine.OutputSink{Stdout: io.Discard, Stderr: io.Discard})
		require.NoError(t, err)
	}
}
