package sshtransport_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// whoRuns is a step that says which process runs it (its runner) and which shell that is a child of.
var whoRuns = engine.Command{Script: `read -r p c s up x </proc/$PPID/stat; echo $PPID $up`}

// runs launches a step and returns the runner and the shell behind it.
func (r *rig) runs(c engine.Command) (runner, shell string) {
	r.t.Helper()
	got := r.start(r.tr, r.attempt(c)).wait()
	require.NoError(r.t, got.Err)
	f := strings.Fields(got.Stdout)
	require.Len(r.t, f, 2, got.Stdout)
	return f[0], f[1]
}

// Steps one after another share a shell, and each has a runner of its own.
func TestKeptShell(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	runner, shell := r.runs(whoRuns)
	for range 3 {
		next, same := r.runs(whoRuns)
		require.Equal(t, shell, same)
		require.NotEqual(t, runner, next)
		require.NotEqual(t, shell, next)
		runner = next
	}
}

// Nothing of a step is left to the next: no variable, no function of the shell, no directory, no umask, no locale.
func TestKeptShellForgets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	show := engine.Command{Script: `pwd; umask; echo "${A-none} ${CONTINUO_0-none} ${CONTINUO_IN-none} ${D-none}"; env | grep -c ^CONTINUO_`}
	first := r.start(r.tr, r.attempt(show)).wait()
	require.NoError(t, first.Err)
	_, shell := r.runs(whoRuns)
	loud := engine.Command{Script: "cd /; umask 0; cat; echo $A; exit 3", Env: []engine.Env{{Name: "A", Value: "secret"}},
		Stdin: []byte("input\n"), WorkingDir: t.TempDir()}
	got := r.start(r.tr, r.attempt(loud)).wait()
	require.NoError(t, got.Err)
	require.Equal(t, 3, got.Status.Code)
	require.Equal(t, "input\nsecret\n", got.Stdout)
	again := r.start(r.tr, r.attempt(show)).wait()
	require.NoError(t, again.Err)
	require.Equal(t, first.Stdout, again.Stdout)
	_, same := r.runs(whoRuns)
	require.Equal(t, shell, same)
}

// A kept shell that was killed while it had no work is not missed.
func TestKeptShellKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, shell := r.runs(whoRuns)
	require.NoError(t, observe(t, r.tr, r.host, engine.Command{Argv: []string{"kill", "-9", shell}}).Err)
	require.NoError(t, observe(t, r.tr, r.host, engine.Command{Script: "while kill -0 " + shell + " 2>/dev/null; do sleep 0.02; done"}).Err)
	_, other := r.runs(whoRuns)
	require.NotEqual(t, shell, other)
}

// The shell is killed, and its runner is not: the step goes on, and its result is collected.
func TestKeptShellKilledAtWork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	a := r.attempt(engine.Command{Script: fmt.Sprintf("echo x >>%s\nread -r p c s up x </proc/$PPID/stat; kill -9 $up; sleep 0.5; echo $up; exit 7", file)})
	got := r.start(r.tr, a).wait()
	require.NoError(t, got.Err)
	require.Equal(t, 7, got.Status.Code)
	require.NotEmpty(t, got.Stdout)
	require.Positive(t, got.Status.Reattached)
	require.Equal(t, 1, count())
	_, shell := r.runs(whoRuns)
	require.NotEqual(t, strings.TrimSpace(got.Stdout), shell)
}

// Steps at the same time have shells of their own.
func TestKeptShellsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.runs(whoRuns)
	var mu sync.Mutex
	shells := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 3 {
		a := r.attempt(engine.Command{Script: fmt.Sprintf("sleep 0.3\nread -r p c s up x </proc/$PPID/stat; echo $up; exit %d", i)})
		wg.Go(func() {
			got := r.start(r.tr, a).wait()
			if got.Err != nil || got.Status.Code != i {
				t.Errorf("%d: %+v", i, got)
			}
			mu.Lock()
			defer mu.Unlock()
			shells[got.Stdout] = true
		})
	}
	wg.Wait()
	require.Len(t, shells, 3)
}

// A kept shell makes room for whoever needs its channel.
func TestKeptShellMakesRoom(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"MaxSessions 1"}})
	var f facts
	tr := open(t, s, quick, func(o *sshtransport.Options) { o.Connected = f.add })
	suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: s.Host("db-1"), Durable: true}
	for range 3 {
		require.NoError(t, suite.Start(t.Context(), t, echo).Err)
		require.NoError(t, observe(t, tr, s.Host("db-1"), echo).Err)
	}
	require.Equal(t, 1, f.count(), "one connection")
}
