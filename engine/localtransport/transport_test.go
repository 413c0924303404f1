package localtransport_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/localtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func control() *runbooks.Host { return &runbooks.Host{Name: runbooks.ControlName, Control: true} }

// The control host's steps are durable attempts as well: another process of ours finds out how they ended.
func TestAnotherControllerCollects(t *testing.T) {
	t.Parallel()
	first := open(t, []string{"/bin/sh"})
	p, err := first.Launcher().Prepare(t.Context(), control(), "")
	require.NoError(t, err)
	require.Equal(t, "control", p.Transport)
	file := filepath.Join(t.TempDir(), "count")
	a := engine.Attempt{ID: transporttest.NewID(), Incarnation: p.Incarnation, Command: engine.Command{Script: "echo x >>" + file + "; sleep 1; echo out; exit 4"}}
	done := make(chan error, 1)
	go func() {
		_, _, err := first.Launcher().Start(context.Background(), control(), a, engine.OutputSink{})
		done <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(file); return err == nil }, time.Minute, 10*time.Millisecond)
	second := open(t, []string{"/bin/sh"})
	var out strings.Builder
	status, release, err := second.Launcher().Collect(t.Context(), control(), a, engine.OutputSink{Stdout: &out})
	require.NoError(t, err)
	require.Equal(t, 4, status.Code)
	require.Equal(t, "out\n", out.String())
	require.NoError(t, <-done)
	release()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "x\n", string(data))
}

// What a dry-run is given cannot launch.
func TestTransportCannotLaunch(t *testing.T) {
	t.Parallel()
	_, launches := any(localtransport.New(localtransport.Options{})).(engine.Launcher)
	require.False(t, launches)
}

func TestEnvironmentIsTheOneGiven(t *testing.T) {
	t.Setenv("CONTINUO_TEST_LEAK", "yes")
	tr := localtransport.New(localtransport.Options{Env: []string{"HOME=/", "PATH=/usr/bin:/bin", "MINE=1"}})
	r := transporttest.Observe(t.Context(), t, tr, control(), engine.Command{Argv: []string{"env"}})
	require.NoError(t, r.Err)
	require.Contains(t, r.Stdout, "MINE=1\n")
	require.NotContains(t, r.Stdout, "LEAK")
}

func TestProbeTCP(t *testing.T) {
	t.Parallel()
	tr := open(t, []string{"/bin/sh"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for address, want := range map[string]engine.TCPState{l.Addr().String(): engine.TCPOpen, "127.0.0.1:1": engine.TCPRefused} {
		state, err := tr.ProbeTCP(t.Context(), control(), address)
		require.NoError(t, err)
		require.Equal(t, want, state)
	}
	_, err = tr.ProbeTCP(t.Context(), control(), "nosuch.invalid:1")
	var he *engine.HostError
	require.ErrorAs(t, err, &he)
	require.Equal(t, "resolve", he.Kind)
	require.ErrorIs(t, err, engine.ErrRefused)
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	tr := open(t, []string{"/bin/sh"})
	r, err := tr.Preflight(t.Context(), control(), engine.PreflightRequest{Programs: []string{"sh"}, Steps: true})
	require.NoError(t, err)
	require.True(t, r.OK, "%+v", r.Checks)
	require.NotEmpty(t, r.Hostname)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = tr.Preflight(ctx, control(), engine.PreflightRequest{})
	require.ErrorIs(t, err, context.Canceled)
}

// named answers every probe with its name.
type named struct {
	name   string
	closed error
}

func (n named) Preflight(context.Context, *runbooks.Host, engine.PreflightRequest) (engine.PreflightResult, error) {
	return engine.PreflightResult{Hostname: n.name}, nil
}

func (n named) Observe(context.Context, *runbooks.Host, engine.Observation, engine.OutputSink) (engine.ExitStatus, error) {
	return engine.ExitStatus{Signal: n.name}, nil
}

func (n named) ProbeTCP(context.Context, *runbooks.Host, string) (engine.TCPState, error) {
	return engine.TCPState(n.name), nil
}

func (n named) Close() error { return n.closed }

func (n named) Prepare(context.Context, *runbooks.Host, string) (engine.Prepared, error) {
	return engine.Prepared{Transport: n.name}, nil
}

func (n named) Start(context.Context, *runbooks.Host, engine.Attempt, engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return engine.ExitStatus{Signal: n.name}, func() {}, nil
}

func (n named) Collect(context.Context, *runbooks.Host, engine.Attempt, engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	return engine.ExitStatus{Signal: n.name}, func() {}, nil
}

func TestRouters(t *testing.T) {
	t.Parallel()
	errA, errB := errors.New("a"), errors.New("b")
	local, remote := named{"local", errA}, named{"remote", errB}
	r, l := localtransport.Router{Control: local, Remote: remote}, localtransport.LaunchRouter{Control: local, Remote: remote}
	for want, h := range map[string]*runbooks.Host{"local": control(), "remote": {Name: "db-1"}} {
		pre, err := r.Preflight(t.Context(), h, engine.PreflightRequest{})
		require.NoError(t, err)
		require.Equal(t, want, pre.Hostname)
		status, err := r.Observe(t.Context(), h, engine.Observation{}, engine.OutputSink{})
		require.NoError(t, err)
		require.Equal(t, want, status.Signal)
		state, err := r.ProbeTCP(t.Context(), h, "")
		require.NoError(t, err)
		require.EqualValues(t, want, state)
		p, err := l.Prepare(t.Context(), h, "")
		require.NoError(t, err)
		require.Equal(t, want, p.Transport)
		status, _, err = l.Start(t.Context(), h, engine.Attempt{}, engine.OutputSink{})
		require.NoError(t, err)
		require.Equal(t, want, status.Signal)
		status, _, err = l.Collect(t.Context(), h, engine.Attempt{}, engine.OutputSink{})
		require.NoError(t, err)
		require.Equal(t, want, status.Signal)
	}
	err := r.Close()
	require.ErrorIs(t, err, errA)
	require.ErrorIs(t, err, errB)
}

// sudo without a password for nobody: what must be given is said.
func TestBecomeIsRefusedInWords(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "sudo"), []byte("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n"), 0o755))
	tr := localtransport.New(localtransport.Options{Env: []string{"PATH=" + bin + ":/usr/bin:/bin", "HOME=/"}, Limits: hostshell.Limits{}})
	r := transporttest.Observe(t.Context(), t, tr, control(), engine.Command{Argv: []string{"id"}, Become: "postgres"})
	var he *engine.HostError
	require.ErrorAs(t, r.Err, &he)
	require.Equal(t, "become", he.Kind)
	require.Contains(t, he.Error(), "sudo on control wants a password to become postgres")
	require.Contains(t, he.Hint, "become { password = secret.")
}
