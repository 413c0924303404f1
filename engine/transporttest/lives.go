package transporttest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

// lives are the cases about the life of an attempt: how it is ended, left and collected.
func lives() []suiteCase {
	return []suiteCase{
		{"attempt/the end of the context kills", killed},
		{"attempt/who leaves kills nothing", leaving},
		{"attempt/what was not launched is fenced", fenced},
		{"attempt/what has ended is collected as it was", collected},
		{"attempt/it is launched once", launchedOnce},
		{"attempt/an ended context launches nothing", nothingLaunched},
	}
}

// flight is a Start that goes on.
type flight struct {
	attempt engine.Attempt
	started string // a file that a real command makes
	goOn    string // a file that it waits for
	cancel  context.CancelCauseFunc
	result  chan Result
}

// fly starts a command that says that it runs, waits until it is told to go on, and ends with code 7.
func (s Suite) fly(ctx context.Context, t *testing.T) *flight {
	t.Helper()
	dir := t.TempDir()
	f := &flight{started: filepath.Join(dir, "started"), goOn: filepath.Join(dir, "go"), result: make(chan Result, 1)}
	c := engine.Command{Script: ": >>" + f.started + "; echo x >>" + f.started + "; while [ ! -e " + f.goOn + " ]; do sleep 0.05; done; echo done; exit 7"}
	s.tell(c, Does{Stdout: "done\n", Code: 7, Lasts: time.Minute})
	ctx, f.cancel = context.WithCancelCause(s.at(ctx))
	t.Cleanup(func() { f.cancel(nil); _ = os.WriteFile(f.goOn, nil, 0o600) })
	p, err := s.Launcher.Prepare(ctx, s.Host, "")
	require.NoError(t, err)
	f.attempt = engine.Attempt{ID: NewID(), Command: c, Incarnation: p.Incarnation}
	go func() {
		var stdout, stderr bytes.Buffer
		st, release, err := s.Launcher.Start(ctx, s.Host, f.attempt, engine.OutputSink{Stdout: &stdout, Stderr: &stderr})
		if err == nil {
			release()
		}
		f.result <- Result{Status: st, Stdout: stdout.String(), Stderr: stderr.String(), Err: err}
	}()
	return f
}

// runs waits until the command runs.
func (f *flight) runs(t *testing.T, s Suite) {
	t.Helper()
	if s.Tell != nil {
		time.Sleep(time.Second) // of simulated time
		return
	}
	require.Eventually(t, func() bool { return f.count() > 0 }, time.Minute, 5*time.Millisecond, "it runs")
}

// count is how often a real command has run.
func (f *flight) count() int {
	data, err := os.ReadFile(f.started)
	if err != nil {
		return 0
	}
	return bytes.Count(data, []byte("x"))
}

// ranOnce holds for real commands.
func (f *flight) ranOnce(t *testing.T, s Suite) {
	t.Helper()
	if s.Tell == nil {
		require.Equal(t, 1, f.count())
	}
}

func (s Suite) collect(ctx context.Context, a engine.Attempt) Result {
	var stdout, stderr bytes.Buffer
	st, _, err := s.Launcher.Collect(s.at(ctx), s.Host, a, engine.OutputSink{Stdout: &stdout, Stderr: &stderr})
	return Result{Status: st, Stdout: stdout.String(), Stderr: stderr.String(), Err: err}
}

func killed(ctx context.Context, t *testing.T, s Suite) {
	f := s.fly(ctx, t)
	f.runs(t, s)
	f.cancel(context.Canceled)
	r := <-f.result
	if errors.Is(r.Err, engine.ErrOutcomeUnknown) && !s.Durable {
		return // a plain one is not waited for
	}
	require.NoError(t, r.Err)
	require.Contains(t, []string{"TERM", ""}, r.Status.Signal, "zsh forgets how a child ended that it saw die")
	require.True(t, r.Status.KillConfirmed)
	require.False(t, r.Status.TimedOut)
	f.ranOnce(t, s)
}

func leaving(ctx context.Context, t *testing.T, s Suite) {
	f := s.fly(ctx, t)
	f.runs(t, s)
	f.cancel(engine.ErrLeft)
	r := <-f.result
	require.ErrorIs(t, r.Err, engine.ErrLeft)
	require.NoError(t, os.WriteFile(f.goOn, nil, 0o600))
	if !s.Durable {
		require.ErrorIs(t, s.collect(ctx, f.attempt).Err, engine.ErrOutcomeUnknown)
		return
	}
	r = s.collect(ctx, f.attempt)
	require.NoError(t, r.Err, "it ran on")
	require.Equal(t, 7, r.Status.Code)
	require.Equal(t, "done\n", r.Stdout)
	f.ranOnce(t, s)
}

func fenced(ctx context.Context, t *testing.T, s Suite) {
	c := engine.Command{Argv: []string{"true"}}
	s.tell(c, Does{})
	p, err := s.Launcher.Prepare(s.at(ctx), s.Host, "")
	require.NoError(t, err)
	a := engine.Attempt{ID: NewID(), Command: c, Incarnation: p.Incarnation}
	if !s.Durable {
		require.ErrorIs(t, s.collect(ctx, a).Err, engine.ErrOutcomeUnknown)
		return
	}
	for range 2 {
		require.ErrorIs(t, s.collect(ctx, a).Err, engine.ErrNeverStarted)
	}
	_, _, err = s.Launcher.Start(s.at(ctx), s.Host, a, engine.OutputSink{})
	require.Error(t, err, "and it never will")
}

func collected(ctx context.Context, t *testing.T, s Suite) {
	if !s.Durable {
		t.Skip("nothing is left of a plain attempt")
	}
	c := engine.Command{Script: "echo out; echo err >&2; exit 5"}
	s.tell(c, Does{Stdout: "out\n", Stderr: "err\n", Code: 5})
	p, err := s.Launcher.Prepare(s.at(ctx), s.Host, "")
	require.NoError(t, err)
	a := engine.Attempt{ID: NewID(), Command: c, Incarnation: p.Incarnation}
	st, _, err := s.Launcher.Start(s.at(ctx), s.Host, a, engine.OutputSink{})
	require.NoError(t, err)
	require.Equal(t, 5, st.Code)
	for range 2 {
		r := s.collect(ctx, a)
		require.NoError(t, r.Err)
		require.Equal(t, 5, r.Status.Code)
		require.Equal(t, []string{"out\n", "err\n"}, []string{r.Stdout, r.Stderr})
	}
}

func launchedOnce(ctx context.Context, t *testing.T, s Suite) {
	if !s.Durable {
		t.Skip("who launches a plain attempt twice runs it twice")
	}
	f := s.fly(ctx, t)
	f.runs(t, s)
	require.NoError(t, os.WriteFile(f.goOn, nil, 0o600))
	require.Equal(t, 7, (<-f.result).Status.Code)
	_, _, err := s.Launcher.Start(s.at(ctx), s.Host, f.attempt, engine.OutputSink{})
	require.ErrorIs(t, err, engine.ErrOutcomeUnknown)
	f.ranOnce(t, s)
}

func nothingLaunched(ctx context.Context, t *testing.T, s Suite) {
	file := filepath.Join(t.TempDir(), "ran")
	c := engine.Command{Script: ": >" + file}
	s.tell(c, Does{Lasts: time.Second})
	p, err := s.Launcher.Prepare(s.at(ctx), s.Host, "")
	require.NoError(t, err)
	ended, cancel := context.WithCancel(s.at(ctx))
	cancel()
	_, _, err = s.Launcher.Start(ended, s.Host, engine.Attempt{ID: NewID(), Command: c, Incarnation: p.Incarnation}, engine.OutputSink{})
	require.ErrorIs(t, err, engine.ErrUnreachable)
	require.NoFileExists(t, file)
}
