package executor_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/localtransport"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// realWorld is a world whose hosts a and b are a real OpenSSH server, and whose control host is this machine. Host b is
// reached through the proxy.
type realWorld struct {
	*world
	server *transporttest.SSHD
	proxy  *transporttest.Proxy
	disk   *disk
	hook   func(attempt int) // called before each launch on b; nil: nothing
}

func newRealWorld(t *testing.T, src string) *realWorld {
	t.Helper()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	w := &realWorld{world: newWorld(t, engine.Live, src), server: s, disk: &disk{dir: t.TempDir()}}
	w.proxy = transporttest.NewProxy(t, s.Address+":"+strconv.Itoa(s.Port))
	key, err := os.ReadFile(s.HostKeys[0] + ".pub")
	require.NoError(t, err)
	known := filepath.Join(t.TempDir(), "known_hosts")
	require.NoError(t, os.WriteFile(known, []byte("server "+string(key)), 0o600))
	for name, port := range map[string]int{"a": s.Port, "b": w.proxy.Port} {
		h, at := w.project.Host(name), s.Host(name)
		h.Address, h.Port, h.Connection = at.Address, port, at.Connection
		h.Connection.HostKeyAlias = "server"
	}
	limits := hostshell.Limits{ReconnectDelay: 20 * time.Millisecond}
	remote := sshtransport.New(sshtransport.Options{KnownHosts: []string{known}, Limits: limits, Dial: sshtransport.DialLimits{Attempts: 1}})
	home := t.TempDir()
	local := localtransport.New(localtransport.Options{Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}, Limits: limits})
	w.cfg.Prober = localtransport.Router{Control: local, Remote: remote}
	w.cfg.Launcher = beforeLaunch{localtransport.LaunchRouter{Control: local.Launcher(), Remote: remote.Launcher()}, w}
	w.cfg.Scratch = w.disk
	t.Cleanup(func() { require.NoError(t, w.cfg.Prober.Close()) })
	return w
}

// beforeLaunch calls the hook of a world before it launches on host b.
type beforeLaunch struct {
	engine.Launcher
	w *realWorld
}

func (l beforeLaunch) Start(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	if l.w.hook != nil && h.Name == "b" {
		l.w.hook(engine.PlaceOf(ctx).Number)
	}
	return l.Launcher.Start(ctx, h, a, sink)
}

// largeFile makes a file of which most is a hole, with bytes all over it, and returns its digest.
func largeFile(t *testing.T, name string, size int64) string {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Truncate(size))
	r := rand.New(rand.NewPCG(1, uint64(size)))
	piece := make([]byte, 4096)
	for range 64 {
		for i := range piece {
			piece[i] = byte(r.Uint32())
		}
		_, err = f.WriteAt(piece, r.Int64N(max(1, size-int64(len(piece)))))
		require.NoError(t, err)
	}
	require.NoError(t, f.Truncate(size))
	return digestOfFile(t, name)
}

func digestOfFile(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	require.NoError(t, err)
	return hex.EncodeToString(sum.Sum(nil))
}

// peakHeap runs f and returns by how many bytes the live and not yet collected heap grew meanwhile, at most.
func peakHeap(f func()) uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	now := func() uint64 { metrics.Read(sample); return sample[0].Value.Uint64() }
	runtime.GC()
	before, most := now(), uint64(0)
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				most = max(most, now())
			}
		}
	}()
	f()
	close(done)
	<-watched
	return most - min(most, before)
}

// A large file passes from the control host, and from host to host, with memory that does not depend on its size: 48 MiB
// here, and 1 GiB with CONTINUO_LARGE=1.
func TestTransferLarge(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	size, bound := int64(48<<20), uint64(24<<20)
	if os.Getenv("CONTINUO_LARGE") != "" {
		size = 1 << 30
	}
	for _, from := range []string{"control", "host.a"} { //nolint:paralleltest // as above
		t.Run(from, func(t *testing.T) {
			dir := t.TempDir()
			source, dest := filepath.Join(dir, "source"), filepath.Join(dir, "dest")
			digest := largeFile(t, source, size)
			w := newRealWorld(t, fmt.Sprintf(`
phase "p" {
  transfer "big" {
    hosts       = host.b
    destination = %q
    mode        = "0640"
    from {
      host   = %s
      path   = %q
      sha256 = %q
    }
  }
}`, dest, from, source, digest))
			var rec engine.Record
			grew := peakHeap(func() { rec = w.run() })
			require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
			require.Equal(t, digest, digestOfFile(t, dest))
			info, err := os.Stat(dest)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
			require.Less(t, grew, bound, "peak heap grew by that many bytes")
			require.EqualValues(t, 1, w.disk.closed.Load(), "the scratch file is gone")
			t.Logf("%d MiB from %s: the heap grew by %d MiB at most", size>>20, from, grew>>20)
		})
	}
}

// However far an upload came when its connection was cut: nothing half is ever at the target's name, what did not start is
// started anew, and nothing is put twice.
func TestTransferCut(t *testing.T) {
	t.Parallel()
	const size = 3 << 20
	for _, cut := range []int64{0, 4 << 10, 40 << 10, 1 << 20, size, size + 300<<10} {
		t.Run(strconv.FormatInt(cut, 10), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			source, dest := filepath.Join(t.TempDir(), "source"), filepath.Join(dir, "dest")
			digest := largeFile(t, source, size)
			require.NoError(t, os.WriteFile(dest, []byte("before"), 0o600))
			w := newRealWorld(t, fmt.Sprintf(`
phase "p" {
  transfer "big" {
    hosts       = host.b
    destination = %q
    from {
      host = control
      path = %q
    }
  }
}`, dest, source))
			w.hook = func(attempt int) {
				switch attempt {
				case 1:
					w.proxy.CutAfter(cut)
				default:
					if left, err := os.ReadFile(dest); err != nil || string(left) != "before" {
						t.Errorf("before attempt %d the target is %.20q, %v", attempt, left, err)
					}
				}
			}
			rec := w.run()
			u := item(rec, "transfer.big").Units[0]
			require.Equal(t, engine.Passed, orClean(rec), rec.Why)
			require.Equal(t, digest, digestOfFile(t, dest))
			first := u.Parts[0]
			if first.Outcome == engine.NeverStarted {
				require.Len(t, u.Intents, 2)
			} else {
				require.Len(t, u.Intents, 1, "what started is not started again")
			}
			var left []string
			for _, n := range names(t, dir) {
				if n != "dest" {
					left = append(left, n)
				}
			}
			require.Len(t, left, 1, "the backup alone")
			require.Equal(t, "before", read(t, filepath.Join(dir, left[0])))
			require.NoError(t, w.cfg.Prober.Close()) // removes what may be removed
			for _, n := range names(t, filepath.Join(w.server.Home, ".continuo")) {
				require.False(t, strings.HasSuffix(n, ".in"), "half an upload stays on the host: %s", n)
			}
		})
	}
}

// orClean is the verdict, with deviations taken for none: a new attempt of what never started is one.
func orClean(rec engine.Record) engine.Verdict {
	if rec.Verdict == engine.PassedWithDeviations {
		return engine.Passed
	}
	return rec.Verdict
}

// A rollback puts back what a transfer replaced: content, mode and owner; and removes what it made.
func TestTransferRolledBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there, fresh := filepath.Join(dir, "there"), filepath.Join(dir, "fresh")
	require.NoError(t, os.WriteFile(there, []byte("before"), 0o600))
	require.NoError(t, os.Chmod(there, 0o604))
	w := newRealWorld(t, fmt.Sprintf(`
phase "p" {
  on_failure = "rollback"
  transfer "there" {
    hosts       = host.b
    content     = "after"
    destination = %q
    mode        = "0755"
  }
  transfer "fresh" {
    hosts       = host.b
    content     = "new"
    destination = %q
  }
  step "look" {
    hosts  = host.b
    script = "stat -c %%a %s; cat %s %s; exit 1"
  }
}`, there, fresh, there, there, fresh))
	rec := w.run()
	require.Equal(t, engine.VerdictFailed, rec.Verdict)
	require.Len(t, rec.Rollback.Done, 2)
	require.Contains(t, mustJSON(t, item(rec, "step.look")), `755\nafternew`, "both were there meanwhile")
	require.Equal(t, "before", read(t, there))
	info, err := os.Stat(there)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o604), info.Mode().Perm())
	require.Equal(t, []string{"there"}, names(t, dir))
}
