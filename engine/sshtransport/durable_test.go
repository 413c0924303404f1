package sshtransport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// rig is a server behind a proxy and a transport that reaches it through that.
type rig struct {
	t      testing.TB
	server *transporttest.SSHD
	proxy  *transporttest.Proxy
	tr     *sshtransport.Transport
	host   *runbooks.Host
	suite  transporttest.Suite
}

func newRig(t testing.TB, change ...func(*sshtransport.Options)) *rig {
	t.Helper()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	r := &rig{t: t, server: s, proxy: transporttest.NewProxy(t, addr(s))}
	r.tr = r.transport(change...)
	r.host = s.Host("db-1")
	r.host.Port = r.proxy.Port
	r.host.Connection.HostKeyAlias = "server"
	r.suite = transporttest.Suite{Prober: r.tr, Launcher: r.tr.Launcher(), Host: r.host, Durable: true}
	return r
}

// transport is another controller.
func (r *rig) transport(change ...func(*sshtransport.Options)) *sshtransport.Transport {
	data, err := os.ReadFile(r.server.HostKeys[0] + ".pub")
	require.NoError(r.t, err)
	file := filepath.Join(r.t.TempDir(), "known_hosts")
	write(r.t, file, "server "+string(data))
	o := sshtransport.Options{KnownHosts: []string{file}, Dial: sshtransport.DialLimits{Attempts: 1},
		Limits: hostshell.Limits{KillGrace: time.Second, ReconnectDelay: 20 * time.Millisecond, ReconnectFor: 30 * time.Second, Follow: 100 * time.Millisecond}}
	for _, c := range change {
		c(&o)
	}
	tr := sshtransport.New(o)
	r.t.Cleanup(func() { require.NoError(r.t, tr.Close()) })
	return tr
}

// attempt prepares an attempt of c.
func (r *rig) attempt(c engine.Command) engine.Attempt {
	r.t.Helper()
	p, err := r.tr.Launcher().Prepare(r.t.Context(), r.host, c.Become)
	require.NoError(r.t, err)
	require.Equal(r.t, "durable", p.Transport)
	return engine.Attempt{ID: transporttest.NewID(), Command: c, Incarnation: p.Incarnation}
}

// launched is a running Start.
type launched struct {
	result chan transporttest.Result
	cancel context.CancelFunc
}

func (r *rig) start(tr *sshtransport.Transport, a engine.Attempt) *launched {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	l := &launched{result: make(chan transporttest.Result, 1), cancel: cancel}
	r.t.Cleanup(cancel)
	go func() {
		var out, errs bytes.Buffer
		status, release, err := tr.Launcher().Start(ctx, r.host, a, engine.OutputSink{Stdout: &out, Stderr: &errs})
		if err == nil {
			release()
		}
		l.result <- transporttest.Result{Status: status, Stdout: out.String(), Stderr: errs.String(), Err: err}
	}()
	return l
}

func (l *launched) wait() transporttest.Result { return <-l.result }

func (r *rig) collect(tr *sshtransport.Transport, a engine.Attempt) transporttest.Result {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	status, _, err := tr.Launcher().Collect(ctx, r.host, a, engine.OutputSink{Stdout: &out, Stderr: &errs})
	return transporttest.Result{Status: status, Stdout: out.String(), Stderr: errs.String(), Err: err}
}

// counter is a file that counts how often a command ran, and a command that counts.
func counter(t testing.TB) (file string, count func() int) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755)) // for those whom a step becomes
	require.NoError(t, os.Chmod(dir, 0o777))
	file = filepath.Join(dir, "count")
	return file, func() int {
		data, _ := os.ReadFile(file)
		return strings.Count(string(data), "x")
	}
}

// eventually waits for something that another process does.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, time.Minute, 10*time.Millisecond, what)
}

// claim is what the claim of an attempt says: pid of the runner, or 0.
func (r *rig) runner(a engine.Attempt) int {
	data, err := os.ReadFile(filepath.Join(a.Incarnation.StateDir, string(a.ID)+".go"))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(data))
	if len(f) < 5 || f[0] != "run" {
		return 0
	}
	pid, _ := strconv.Atoi(f[1])
	return pid
}

// Case 22 and Done-when 1: a reset in the middle of a step.
func TestResetInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	a := r.attempt(engine.Command{Script: "echo x >>" + file + "; i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; echo err $i >&2; sleep 0.1; done; exit 7"})
	l := r.start(r.tr, a)
	eventually(t, "it runs", func() bool { return count() == 1 })
	time.AfterFunc(500*time.Millisecond, r.proxy.Reset)
	got := l.wait()
	require.NoError(t, got.Err)
	require.Equal(t, 7, got.Status.Code)
	require.Equal(t, 1, got.Status.Reattached)
	require.Equal(t, 1, count())
	var out, errs strings.Builder
	for i := 1; i <= 30; i++ {
		fmt.Fprintf(&out, "line %d\n", i)
		fmt.Fprintf(&errs, "err %d\n", i)
	}
	require.Equal(t, out.String(), got.Stdout)
	require.Equal(t, errs.String(), got.Stderr)
}

// Case 27: the controller dies; another one collects what ended, and what still runs.
func TestAnotherControllerCollects(t *testing.T) {
	t.Parallel()
	for name, seconds := range map[string]string{"ended": "0", "running": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			file, count := counter(t)
			a := r.attempt(engine.Command{Script: "echo x >>" + file + "; sleep " + seconds + "; echo out; echo err >&2; exit 3"})
			first := r.start(r.tr, a)
			eventually(t, "it runs", func() bool { return count() == 1 })
			if name == "ended" {
				first.wait()
			}
			second := r.transport()
			got := r.collect(second, a)
			require.NoError(t, got.Err)
			require.Equal(t, 3, got.Status.Code)
			require.Equal(t, "out\n", got.Stdout)
			require.Equal(t, "err\n", got.Stderr)
			require.Equal(t, 1, count())
		})
	}
}

// Case 24: what was claimed is never claimed again, and a second launch says so.
func TestSecondLaunchRunsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	a := r.attempt(engine.Command{Script: "echo x >>" + file})
	require.NoError(t, r.start(r.tr, a).wait().Err)
	for range 2 {
		got := r.start(r.tr, a).wait()
		requireHostError(t, got.Err, engine.ErrOutcomeUnknown, "claimed", "launched before", "journal")
	}
	require.Equal(t, 1, count())
}

// Case 23: a fence proves that an attempt never started, and makes it so for ever.
func TestFenceComesFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	a := r.attempt(engine.Command{Script: "echo x >>" + file})
	got := r.collect(r.tr, a)
	requireHostError(t, got.Err, engine.ErrNeverStarted, "never-started", "never starts", "")
	require.Error(t, r.start(r.tr, a).wait().Err)
	requireHostError(t, r.collect(r.tr, a).Err, engine.ErrNeverStarted, "never-started", "never starts", "")
	require.Zero(t, count())
}

// Case 26: another incarnation of the host proves nothing.
func TestAnotherIncarnation(t *testing.T) {
	t.Parallel()
	change := map[string]func(*engine.Incarnation){
		"rebooted":            func(i *engine.Incarnation) { i.BootID = "00000000-0000-4000-8000-000000000000" },
		"container recreated": func(i *engine.Incarnation) { i.InitTime = "1" },
		"directory replaced":  func(i *engine.Incarnation) { i.StateID = strings.Repeat("0", 32) },
		"directory missing":   func(i *engine.Incarnation) { i.StateDir += "-elsewhere" },
	}
	for name, c := range change {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			file, count := counter(t)
			a := r.attempt(engine.Command{Script: "echo x >>" + file})
			c(a.Incarnation)
			got := r.start(r.tr, a).wait()
			requireHostError(t, got.Err, engine.ErrNeverStarted, "incarnation", "restarted or replaced", "")
			got = r.collect(r.tr, a)
			requireHostError(t, got.Err, engine.ErrOutcomeUnknown, "incarnation", "does not know the attempt", "settle")
			require.Zero(t, count())
		})
	}
	t.Run("rebooted, but the result is there", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		a := r.attempt(engine.Command{Script: "echo out; exit 5"})
		l := r.start(r.tr, a)
		require.Equal(t, 5, l.wait().Status.Code)
		b := a
		i := *a.Incarnation
		i.BootID = "00000000-0000-4000-8000-000000000000"
		b.Incarnation = &i
		got := r.collect(r.tr, b)
		require.NoError(t, got.Err)
		require.Equal(t, 5, got.Status.Code)
	})
}

// Done-when 4: runner and command killed on the host.
func TestRunnerKilledOnTheHost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	a := r.attempt(engine.Command{Script: "echo $$ >>" + file + ".pid; echo x >>" + file + "; sleep 300"})
	l := r.start(r.tr, a)
	eventually(t, "it runs", func() bool { return count() == 1 && r.runner(a) > 0 })
	require.NoError(t, syscall.Kill(r.runner(a), syscall.SIGKILL))
	data, err := os.ReadFile(file + ".pid")
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(-pid, syscall.SIGKILL))
	got := l.wait()
	requireHostError(t, got.Err, engine.ErrLost, "lost", "nothing of it runs any more", "settle")
	got = r.collect(r.transport(), a)
	require.ErrorIs(t, got.Err, engine.ErrOutcomeUnknown)
	require.ErrorIs(t, got.Err, engine.ErrLost)
	require.Equal(t, 1, count())
}

// What a killed runner left behind runs on: nobody may take it for gone. Nor what another boot started, which may be
// another machine with the same files.
func TestLostIsNotGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	a := r.attempt(engine.Command{Script: "env -i setsid sleep 304 & echo $! >" + file + ".left; echo x >>" + file + "; sleep 300"})
	l := r.start(r.tr, a)
	eventually(t, "it runs", func() bool { return count() == 1 && r.runner(a) > 0 })
	require.NoError(t, syscall.Kill(r.runner(a), syscall.SIGKILL))
	got := l.wait()
	requireHostError(t, got.Err, engine.ErrOutcomeUnknown, "lost", "runs on", "settle")
	require.NotErrorIs(t, got.Err, engine.ErrLost)
	claim := filepath.Join(a.Incarnation.StateDir, string(a.ID)+".go")
	data, err := os.ReadFile(claim)
	require.NoError(t, err)
	f := strings.Fields(string(data))
	require.Equal(t, []string{"session", "."}, []string{f[5], f[7]})
	session, err := strconv.Atoi(f[6])
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(-session, syscall.SIGKILL))
	left, err := os.ReadFile(file + ".left")
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(left)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "it is seen gone", func() bool { return errors.Is(r.collect(r.tr, a).Err, engine.ErrLost) })
	require.NoError(t, os.WriteFile(claim, []byte(strings.Replace(string(data), f[2], "00000000-0000-4000-8000-000000000000", 1)), 0o600))
	got = r.collect(r.tr, a)
	requireHostError(t, got.Err, engine.ErrOutcomeUnknown, "lost", "the process that kept its result is gone", "settle")
	require.NotErrorIs(t, got.Err, engine.ErrLost)
}

// Done-when 5 and case 32: the host ends a step by itself when nobody is there any more.
func TestTimeoutOnTheHost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	a := r.attempt(engine.Command{Script: "echo $$ >" + file + ".pid; echo x >>" + file + "; sleep 300", Timeout: time.Second})
	r.start(r.tr, a)
	eventually(t, "it runs", func() bool { return count() == 1 })
	r.proxy.Refuse(true)
	r.proxy.Reset()
	data, err := os.ReadFile(file + ".pid")
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	eventually(t, "the host ended it", func() bool { return syscall.Kill(-pid, 0) == syscall.ESRCH })
	eventually(t, "the result is written", func() bool {
		rc, _ := os.ReadFile(filepath.Join(a.Incarnation.StateDir, string(a.ID)+".rc"))
		return strings.Contains(string(rc), "timeout")
	})
	r.proxy.Refuse(false)
	got := r.collect(r.transport(), a)
	require.NoError(t, got.Err)
	require.True(t, got.Status.TimedOut)
	require.True(t, got.Status.KillConfirmed)
	require.Equal(t, "TERM", got.Status.Signal)
}

// Done-when 6 and case 28: the end of a context kills, and says what it could not kill.
func TestKill(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		script    string
		signal    string
		survivors bool
	}{
		"plain":         {"echo x >>@; sleep 300", "TERM", false},
		"pipeline":      {"echo x >>@; sleep 300 | sleep 301", "TERM", false},
		"child":         {"sleep 300 & echo x >>@; wait", "TERM", false},
		"trap TERM":     {"trap '' TERM; echo x >>@; sleep 300; sleep 300", "KILL", false},
		"setsid child":  {"setsid sleep 302 & echo $! >@.pid; echo x >>@; sleep 300", "TERM", true},
		"graceful exit": {"trap 'echo bye; exit 9' TERM; echo x >>@; sleep 300 & wait", "", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			file, count := counter(t)
			a := r.attempt(engine.Command{Script: strings.ReplaceAll(c.script, "@", file)})
			l := r.start(r.tr, a)
			eventually(t, "it runs", func() bool { return count() == 1 })
			var child int
			if c.survivors {
				data, err := os.ReadFile(file + ".pid")
				require.NoError(t, err)
				child, err = strconv.Atoi(strings.TrimSpace(string(data)))
				require.NoError(t, err)
				eventually(t, "the child is out of reach", func() bool {
					comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", child))
					return string(comm) == "sleep\n"
				})
			}
			l.cancel()
			got := l.wait()
			require.NoError(t, got.Err)
			require.False(t, got.Status.TimedOut)
			require.Equal(t, c.signal, got.Status.Signal)
			require.Equal(t, !c.survivors, got.Status.KillConfirmed)
			require.Equal(t, c.survivors, len(got.Status.Survivors) == 1, "%v", got.Status.Survivors)
			if c.survivors {
				require.Equal(t, fmt.Sprintf("%d:sleep", child), got.Status.Survivors[0])
				require.NoError(t, syscall.Kill(child, syscall.SIGKILL))
			}
		})
	}
}

// Done-when 7 and case 39: secrets in env and stdin.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	const secret = "s3cr3t-value-91755"
	big := []byte(strings.Repeat(secret+"\n", 5000))
	for name, in := range map[string][]byte{"small": []byte(secret), "big": big} {
		seen := file + "." + name
		a := r.attempt(engine.Command{Script: "cat >/dev/null; printf %s \"$TOKEN\" | wc -c; echo x >>" + file + "; until [ -e " + seen + " ]; do sleep 0.05; done", Stdin: in,
			Env: []engine.Env{{Name: "TOKEN", Value: secret, Secret: true}}})
		before := count()
		l := r.start(r.tr, a)
		eventually(t, "it runs", func() bool { return count() > before })
		require.Positive(t, requireHidden(t, secret, os.Getuid()), "the command itself has it")
		write(t, seen, "")
		got := l.wait()
		require.NoError(t, got.Err)
		require.Equal(t, strconv.Itoa(len(secret)), strings.TrimSpace(got.Stdout))
	}
	require.NoError(t, r.tr.Close())
	requireNoTrace(t, secret, filepath.Join(r.server.Home, ".continuo"))
}

// What stays on the host after the release: claim and result, nothing else.
func TestReleaseKeepsTombstones(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.attempt(engine.Command{Script: "echo out", Stdin: bytes.Repeat([]byte{0}, 100)})
	require.NoError(t, r.start(r.tr, a).wait().Err)
	require.NoError(t, r.tr.Close())
	files, err := filepath.Glob(filepath.Join(a.Incarnation.StateDir, "*"))
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
		info, err := os.Stat(f)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f)
	}
	require.ElementsMatch(t, []string{"id", "swept", string(a.ID) + ".go", string(a.ID) + ".rc"}, names)
	info, err := os.Stat(a.Incarnation.StateDir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// Case 15: an input that is in nobody's memory. What is not whole starts nothing.
func TestLargeInput(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const size = 64<<20 + 1
	dest := filepath.Join(t.TempDir(), "dest")
	zeros := func(n int64) *engine.Input {
		return &engine.Input{Size: size, Open: func() (io.ReadCloser, error) {
			f, err := os.Open("/dev/zero")
			return struct {
				io.Reader
				io.Closer
			}{io.LimitReader(f, n), f}, err
		}}
	}
	a := r.attempt(engine.Command{Script: "cat >" + dest, Input: zeros(size)})
	require.NoError(t, r.start(r.tr, a).wait().Err)
	info, err := os.Stat(dest)
	require.NoError(t, err)
	require.EqualValues(t, size, info.Size())
	files, err := filepath.Glob(filepath.Join(a.Incarnation.StateDir, "*.in"))
	require.NoError(t, err)
	require.Empty(t, files, "the input does not wait for the release")
	require.NoError(t, os.Remove(dest))
	got := r.start(r.tr, r.attempt(engine.Command{Script: "cat >" + dest, Input: zeros(size - 1)})).wait()
	requireHostError(t, got.Err, engine.ErrRefused, "input", "did not arrive whole", "")
	require.NoFileExists(t, dest)
	require.NoError(t, observe(t, r.tr, r.host, engine.Command{Script: "test $(wc -c) -eq " + strconv.Itoa(size), Input: zeros(size)}).Err)
}

// Case 15: inputs of every size at which something changes arrive as they are: none, one byte, a packet of SSH, what travels
// inside the launch.
func TestInputSizes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, size := range []int{0, 1, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1} {
		in := make([]byte, size)
		for i := range in {
			in[i] = byte(i * 31)
		}
		got := r.suite.Start(t.Context(), t, engine.Command{Script: "wc -c; exit 4", Stdin: in})
		require.NoError(t, got.Err, size)
		require.Equal(t, strconv.Itoa(size), strings.TrimSpace(got.Stdout))
		got = r.suite.Start(t.Context(), t, engine.Command{Argv: []string{"cat"}, Stdin: in})
		require.NoError(t, got.Err, size)
		require.Equal(t, in, []byte(got.Stdout), size)
	}
}

// A command that takes the only channel there is can still be ended.
func TestKillWithOneSession(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"MaxSessions 1"}})
	var f facts
	tr := open(t, s, quick, func(o *sshtransport.Options) { o.Connected = f.add })
	h := s.Host("db-1")
	p, err := tr.Launcher().Prepare(t.Context(), h, "")
	require.NoError(t, err)
	file, count := counter(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for count() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	a := engine.Attempt{ID: transporttest.NewID(), Incarnation: p.Incarnation, Command: engine.Command{Script: "echo x >>" + file + "; sleep 300"}}
	status, _, err := tr.Launcher().Start(ctx, h, a, engine.OutputSink{})
	require.NoError(t, err)
	require.Equal(t, "TERM", status.Signal)
	require.True(t, status.KillConfirmed)
	require.Equal(t, 2, f.count(), "another connection ended it")
	r := observe(t, tr, h, echo)
	require.NoError(t, r.Err)
}
