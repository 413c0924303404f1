package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx/faultfs"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// place is where one case with real processes and a real sshd happens. It travels to the child in its environment.
type place struct {
	project string // key, known hosts
	port    string
	user    string
	dir     string // state, witness, acknowledgements
	signer  string // directory of the executor key
	number  int
}

func (p place) environ() []string {
	return []string{
		"CRASH_PROJECT=" + p.project, "CRASH_PORT=" + p.port, "CRASH_USER=" + p.user, "CRASH_DIR=" + p.dir,
		"CRASH_SIGNER=" + p.signer, "CRASH_NUMBER=" + strconv.Itoa(p.number),
	}
}

func placeOf(t *testing.T) place {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("CRASH_NUMBER"))
	require.NoError(t, err)
	return place{
		project: os.Getenv("CRASH_PROJECT"), port: os.Getenv("CRASH_PORT"), user: os.Getenv("CRASH_USER"), dir: os.Getenv("CRASH_DIR"),
		signer: os.Getenv("CRASH_SIGNER"), number: n,
	}
}

func (p place) state() string   { return filepath.Join(p.dir, "state") }
func (p place) witness() string { return filepath.Join(p.dir, "witness") }
func (p place) ackLog() string  { return filepath.Join(p.dir, "acks") }

// life is a controller at this place. Its transport is closed when the test ends.
func (p place) life(t *testing.T) life {
	t.Helper()
	w := newWork(t, p.project, p.port, p.witness())
	signer, _, err := evidence.ExecutorKey(p.signer, "test")
	require.NoError(t, err)
	remote := sshtransport.New(sshtransport.Options{
		KnownHosts: []string{"known_hosts"}, User: p.user, HomeDir: p.dir, BaseDir: p.project,
	})
	t.Cleanup(func() { _ = remote.Close() })
	return life{
		work: w, fs: noSync{}, state: p.state(), prober: remote, launcher: remote.Launcher(), signer: signer,
		nonce: fmt.Sprintf("%032x", p.number),
	}
}

// lines are the whole lines of a file; none where it is not there.
func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

// TestCrashChild is not a test: it is the controller that the harness kills, at CRASH_AT=N:VARIANT. With CRASH_RESUME it takes
// up what an earlier one left.
func TestCrashChild(t *testing.T) { //nolint:paralleltest // alone in its process
	at, variant, ok := strings.Cut(os.Getenv("CRASH_AT"), ":")
	if !ok {
		t.Skip("only as a child of TestCrashKill")
	}
	n, err := strconv.Atoi(at)
	require.NoError(t, err)
	p := placeOf(t)
	l := p.life(t)
	die := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	l.fs = &faultfs.FS{FS: noSync{}, Decide: func(op faultfs.Op) faultfs.Action {
		switch {
		case op.N != n:
			return faultfs.Action{}
		case variant == "before":
			return faultfs.Action{Before: die}
		case variant == "torn":
			return faultfs.Action{Torn: die}
		}
		return faultfs.Action{After: die}
	}}
	log, err := os.OpenFile(p.ackLog(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	require.NoError(t, err)
	l.acked = func(seq uint64, typ string) { _, _ = fmt.Fprintf(log, "%d %s\n", seq, typ) }
	if os.Getenv("CRASH_RESUME") != "" {
		err = l.takeUp(t.Context())
		if errors.Is(err, errHeld) {
			err = nil
		}
	} else {
		err = l.begin(t.Context(), firstRun)
	}
	require.NoError(t, err)
}

// child runs a controller to its death. killed is false when it came to its end. One that ended with an error of its own (a
// connection that took too long) left something to take up as well.
func (p place) child(t *testing.T, at string, env ...string) (killed bool) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "-test.run=^TestCrashChild$")
	cmd.Env = slices.Concat(os.Environ(), p.environ(), env, []string{"CRASH_AT=" + at})
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Logf("it ended by itself: %s", out)
	}
	return true
}

// scene is what the parent needs to recover at this place.
func (p place) scene(t *testing.T) *scene {
	t.Helper()
	a := &acks{}
	for _, l := range lines(t, p.ackLog()) {
		seq, typ, _ := strings.Cut(l, " ")
		n, err := strconv.ParseUint(seq, 10, 64)
		require.NoError(t, err)
		a.take(n, typ)
	}
	return &scene{life: p.life(t), acks: a, alive: func() {}, ran: func() []string { return lines(t, p.witness()) }}
}

// TestCrashKill kills the controller with SIGKILL before, in and after every operation on the file system, while it works on
// a real sshd. What ran there is the hosts' own word: each step appends a line. Every other case is killed a second time,
// while it takes up what the first left.
func TestCrashKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts many processes")
	}
	srv := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"MaxStartups 100", "MaxSessions 100"}})
	base := place{project: t.TempDir(), port: strconv.Itoa(srv.Port), user: srv.User, signer: t.TempDir()}
	for from, to := range map[string]string{srv.KnownHosts: "known_hosts", srv.Identity: "id"} {
		data, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(base.project, to), data, 0o600))
	}
	_, _, err := evidence.ExecutorKey(base.signer, "test")
	require.NoError(t, err)
	total := operations(t, base)
	var f figures
	t.Run("points", func(t *testing.T) {
		t.Parallel()
		for n := 1; n <= total; n += every(31) {
			for v, variant := range []string{"before", "torn", "after"} {
				p := base
				p.number = 4*n + v
				t.Run(fmt.Sprintf("%d-%s", n, variant), func(t *testing.T) {
					t.Parallel()
					p.dir = t.TempDir()
					if !p.child(t, fmt.Sprintf("%d:%s", n, variant)) {
						return // fewer operations than in the run that was counted: group commit shares some
					}
					if p.number%2 == 1 {
						p.child(t, fmt.Sprintf("%d:after", 1+n*13%60), "CRASH_RESUME=1")
					}
					f.recovers(t, p.scene(t))
				})
			}
		}
	})
	t.Cleanup(func() {
		if !t.Failed() {
			require.Zero(t, f.refused)
			f.report(t, "kill points (real sshd)")
		}
	})
}

// operations counts how many there are in a run that is not disturbed, and some that are shared now and then.
func operations(t *testing.T, p place) int {
	t.Helper()
	p.dir = t.TempDir()
	l := p.life(t)
	counting := &faultfs.FS{FS: noSync{}}
	l.fs, l.acked = counting, func(uint64, string) {}
	require.NoError(t, l.begin(context.Background(), engine.RunID(firstRun)))
	require.Equal(t, []string{"one", "two", "three"}, lines(t, p.witness()))
	return counting.Count() + 5
}
