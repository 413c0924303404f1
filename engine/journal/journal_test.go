package journal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

const (
	testRun   = engine.RunID("20261121t182001z-7f3a")
	testNonce = "00112233445566778899aabbccddeeff"
)

// ticker is a clock that moves one millisecond with every reading.
type ticker struct {
	mu  sync.Mutex
	now time.Time
}

func newTicker() *ticker { return &ticker{now: time.Date(2026, 11, 21, 18, 20, 1, 0, time.UTC)} }

func (c *ticker) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func options() journal.Options {
	return journal.Options{Run: testRun, Nonce: testNonce, Mode: engine.Live, Clock: newTicker()}
}

func opened() *engine.RunOpened {
	return &engine.RunOpened{
		Run: testRun, Nonce: testNonce, Project: "payments", Runbook: "failover", Operator: "alice@example.org",
		OperatorHost: "ops-1", Tool: engine.Tool{Version: "0.1.0", Go: "go1.26", OS: "linux/amd64"}, Hosts: 2, Items: 3,
	}
}

func intent(n int) *engine.ItemIntent {
	u := engine.Unit{Item: "step.promote", Host: "db-b1"}
	return &engine.ItemIntent{
		Unit: u, Part: engine.PartCommand, Attempt: n,
		AttemptID: engine.NewAttemptID(testNonce, string(u.Item), engine.PartCommand, "", u.Host, n),
		Command:   `pg_ctl "promote" <&> 'été'`, TimeoutS: 120.5, Transport: "durable",
		Incarnation: &engine.Incarnation{BootID: "b", InitTime: "1", StateDir: "/x", StateID: "y"},
	}
}

func outcome(n int) *engine.ItemOutcome {
	code, changed := 3, false
	return &engine.ItemOutcome{
		Unit: engine.Unit{Item: "step.promote", Host: "db-b1"}, Part: engine.PartCommand, Attempt: n,
		AttemptID: intent(n).AttemptID, Outcome: engine.Failed, Reason: "exit code 3", Cause: "exit", ExitCode: &code,
		Changed: &changed, StartedAt: time.Date(2026, 11, 21, 18, 20, 1, 5, time.UTC), DurationNS: 42,
		Expectations: []engine.Expectation{{Condition: "result.exit_code == 0", Result: "fails", Observed: "3"}},
	}
}

// workload appends a small run and returns what Append returned.
func workload(t *testing.T, j engine.Journal) []engine.Event {
	t.Helper()
	var out []engine.Event
	for _, p := range []engine.Payload{
		opened(),
		&engine.HostConnected{Host: "db-b1", Address: "10.2.0.11:22", HostKey: "SHA256:abc", Via: []string{"bastion"}},
		&engine.PreflightResult{Host: "db-b1", OK: true},
		&engine.ItemStarted{Item: "step.promote", Hosts: []string{"db-b1"}},
		intent(1),
		&engine.ItemOutput{Unit: engine.Unit{Item: "step.promote", Host: "db-b1"}, Stream: "stdout", Size: 2, Text: "x\u2028\x01"},
		outcome(1),
		&engine.CleanupStarted{}, &engine.CleanupEnded{},
		&engine.RunClosed{Verdict: engine.VerdictFailed},
	} {
		ev, err := j.Append(context.Background(), p)
		require.NoError(t, err, p.EventType())
		out = append(out, ev)
	}
	return out
}

func journalFile(t *testing.T) (dir string, data []byte) {
	t.Helper()
	dir = t.TempDir()
	j, err := journal.Create(dir, options())
	require.NoError(t, err)
	workload(t, j)
	require.NoError(t, j.Close())
	data, err = os.ReadFile(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	return dir, data
}

func TestAppendedEventsAreReadBackAsTheyWereReturned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, err := journal.Create(dir, options())
	require.NoError(t, err)
	want := workload(t, j)
	require.NoError(t, j.Close())

	f, err := os.Open(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	defer f.Close()
	got, err := journal.Read(f)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, outcome(1), got[6].Payload)
}

func TestLinesHaveTheFixedHeadAndTheChain(t *testing.T) {
	t.Parallel()
	_, data := journalFile(t)
	genesis := sha256.Sum256([]byte("continuo-journal-v1\n" + string(testRun) + "\n" + testNonce + "\n"))
	prev := hex.EncodeToString(genesis[:])
	for i, line := range bytes.SplitAfter(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			line = append(line, '\n')
		}
		want := `{"v":1,"seq":` + string(rune('0'+i)) + `,"prev":"` + prev + `","t":"2026-11-21T18:20:`
		require.Equal(t, want, string(line[:len(want)]))
		require.Contains(t, string(line), `,"mode":"live","type":"`)
		sum := sha256.Sum256(line)
		prev = hex.EncodeToString(sum[:])
	}
	require.Contains(t, string(data), `"command":"pg_ctl \"promote\" <&> 'été'"`, "no HTML escapes")
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	t.Run("a second holder", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		j, err := journal.Create(dir, options())
		require.NoError(t, err)
		_, err = journal.Create(dir, options())
		require.ErrorIs(t, err, fsx.ErrLocked)
		_, _, err = journal.Resume(dir, journal.Options{}, &engine.RunResumed{})
		require.ErrorIs(t, err, fsx.ErrLocked)
		require.NoError(t, j.Close())
	})
	t.Run("a journal that is there", func(t *testing.T) {
		t.Parallel()
		dir, _ := journalFile(t)
		_, err := journal.Create(dir, options())
		require.ErrorIs(t, err, os.ErrExist)
	})
	t.Run("a directory that is not there", func(t *testing.T) {
		t.Parallel()
		_, err := journal.Create(filepath.Join(t.TempDir(), "none"), options())
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}

type foreign struct{}

func (*foreign) EventType() string { return "foreign.event" }
func (*foreign) Durable() bool     { return false }

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	other := opened()
	other.Run = "another"
	var none *engine.RunClosed
	long := make([]string, 0, 9000)
	for range cap(long) {
		long = append(long, "host.example.org")
	}
	for name, c := range map[string]struct {
		before []engine.Payload
		p      engine.Payload
		want   error
	}{
		"an event before run.opened": {nil, intent(1), journal.ErrOrder},
		"run.opened of another run":  {nil, other, journal.ErrOrder},
		"a second run.opened":        {[]engine.Payload{opened()}, opened(), journal.ErrOrder},
		"an event after run.closed":  {[]engine.Payload{opened(), &engine.RunClosed{}}, intent(1), journal.ErrClosed},
		"an unknown type":            {[]engine.Payload{opened()}, &foreign{}, journal.ErrUnknownType},
		"a nil payload":              {[]engine.Payload{opened()}, none, journal.ErrUnknownType},
		"a line over 64 KiB":         {[]engine.Payload{opened()}, &engine.ItemStarted{Hosts: long}, journal.ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, err := journal.Create(t.TempDir(), options())
			require.NoError(t, err)
			for _, p := range c.before {
				_, err := j.Append(t.Context(), p)
				require.NoError(t, err)
			}
			_, err = j.Append(t.Context(), c.p)
			require.ErrorIs(t, err, c.want)
			if !errors.Is(err, journal.ErrClosed) {
				_, err = j.Append(t.Context(), intent(1))
				require.ErrorIs(t, err, journal.ErrPoisoned)
				require.ErrorIs(t, j.Close(), c.want)
			}
		})
	}
}

func TestConcurrentAppendsKeepOneChain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, err := journal.Create(dir, options())
	require.NoError(t, err)
	_, err = j.Append(t.Context(), opened())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for n := range 20 {
				_, err := j.Append(context.Background(), intent(n))
				require.NoError(t, err)
				_, err = j.Append(context.Background(), &engine.MarkSet{Mark: "m"})
				require.NoError(t, err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, j.Close())
	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	events, err := journal.Read(bytes.NewReader(data))
	require.NoError(t, err)
	require.Len(t, events, 1+16*20*2)
}

// stuckFS counts syncs and holds each of them until it is let go.
type stuckFS struct {
	fsx.OS
	hold  chan struct{}
	begun chan struct{}
}

func (s *stuckFS) OpenFile(name string, flag int, perm os.FileMode) (fsx.File, error) {
	f, err := s.OS.OpenFile(name, flag, perm)
	return stuckFile{f, s}, err
}

type stuckFile struct {
	fsx.File
	fs *stuckFS
}

func (f stuckFile) Sync() error {
	f.fs.begun <- struct{}{}
	<-f.fs.hold
	return f.File.Sync()
}

func TestDurableAppendsShareAnFsyncAndNoneSkipsIt(t *testing.T) {
	t.Parallel()
	fsys := &stuckFS{hold: make(chan struct{}), begun: make(chan struct{}, 100)}
	opts := options()
	opts.FS = fsys
	j, err := journal.Create(t.TempDir(), opts)
	require.NoError(t, err)
	done := make(chan error, 100)
	appendAsync := func(p engine.Payload) {
		go func() { _, err := j.Append(context.Background(), p); done <- err }()
	}
	appendAsync(opened())
	<-fsys.begun
	// While the first fsync hangs, events that need none return at once; durable ones wait.
	_, err = j.Append(t.Context(), &engine.MarkSet{Mark: "m"})
	require.NoError(t, err)
	const waiting = 50
	for n := range waiting {
		appendAsync(intent(n))
	}
	require.Empty(t, done, "nothing durable returned before its fsync")
	fsys.hold <- struct{}{}
	require.NoError(t, <-done)
	syncs := 1
	for got := 0; got < waiting; {
		select {
		case <-fsys.begun:
			syncs++
			fsys.hold <- struct{}{}
		case err := <-done:
			require.NoError(t, err)
			got++
		}
	}
	require.Less(t, syncs, waiting, "%d events took %d fsyncs", waiting+1, syncs)
	go func() { <-fsys.begun; fsys.hold <- struct{}{} }()
	require.NoError(t, j.Close())
}

// countedFS counts syncs, which take a millisecond of the test's time.
type countedFS struct {
	fsx.OS
	syncs *int
}

func (c countedFS) OpenFile(name string, flag int, perm os.FileMode) (fsx.File, error) {
	f, err := c.OS.OpenFile(name, flag, perm)
	return countedFile{f, c.syncs}, err
}

type countedFile struct {
	fsx.File
	syncs *int
}

func (f countedFile) Sync() error {
	time.Sleep(time.Millisecond)
	*f.syncs++ // one leader at a time
	return nil
}

// Hosts of a fleet that take turns come a little after each other; one sync serves all that come within a moment. Two hosts
// wait for no crowd.
func TestACrowdIsWaitedFor(t *testing.T) {
	t.Parallel()
	const steps = 10
	run := func(t *testing.T, hosts int) (syncs int, took time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			opts := options()
			opts.FS = countedFS{syncs: &syncs}
			j, err := journal.Create(t.TempDir(), opts)
			require.NoError(t, err)
			_, err = j.Append(t.Context(), opened())
			require.NoError(t, err)
			began := time.Now()
			var wg sync.WaitGroup
			for h := range hosts {
				wg.Go(func() {
					time.Sleep(time.Duration(h) * 100 * time.Microsecond)
					for n := range steps {
						_, err := j.Append(t.Context(), intent(h*steps+n))
						require.NoError(t, err)
						time.Sleep(time.Duration(h%17) * 100 * time.Microsecond) // its work
					}
				})
			}
			wg.Wait()
			took = time.Since(began)
			require.NoError(t, j.Close())
		})
		return syncs, took
	}
	syncs, _ := run(t, 100)
	require.Less(t, syncs, 3*steps, "%d lines took %d syncs", 100*steps, syncs)
	_, took := run(t, 2)
	require.Less(t, took, 2*steps*2*time.Millisecond, "a sync a line and no moment, in simulated time")
}

type upper struct{}

func (upper) Redact(s string) string { return strings.ReplaceAll(s, "hunter22", "[redacted:db]") }

func TestFreeTextsAreRedactedAndNamesAreNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opts := options()
	opts.Redactor = upper{}
	j, err := journal.Create(dir, opts)
	require.NoError(t, err)
	_, err = j.Append(t.Context(), opened())
	require.NoError(t, err)
	o := outcome(1)
	o.Host, o.Reason, o.Expectations[0].Observed = "hunter22", "password hunter22 refused", "hunter22"
	ev, err := j.Append(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	got, ok := ev.Payload.(*engine.ItemOutcome)
	require.True(t, ok)
	require.Equal(t, "password [redacted:db] refused", got.Reason)
	require.Equal(t, "[redacted:db]", got.Expectations[0].Observed)
	require.Equal(t, "hunter22", got.Host)
	require.Equal(t, "password hunter22 refused", o.Reason, "the caller's payload is its own")
}

func TestLongTextsAndListsBecomeArtifacts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stored := map[string][]byte{}
	opts := options()
	opts.Put = func(data []byte) (string, error) {
		sum := sha256.Sum256(data)
		stored[hex.EncodeToString(sum[:])] = bytes.Clone(data)
		return hex.EncodeToString(sum[:]), nil
	}
	j, err := journal.Create(dir, opts)
	require.NoError(t, err)
	_, err = j.Append(t.Context(), opened())
	require.NoError(t, err)
	o := outcome(1)
	o.Reason = strings.Repeat("r", journal.MaxString+1)
	ev, err := j.Append(t.Context(), o)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(o.Reason))
	require.Equal(t, journal.ArtifactRef+hex.EncodeToString(sum[:]), ev.Payload.(*engine.ItemOutcome).Reason)

	hosts := make([]string, 5000)
	for i := range hosts {
		hosts[i] = "web-" + strings.Repeat("x", 20)
	}
	ev, err = j.Append(t.Context(), &engine.ItemStarted{Item: "check.a", Hosts: hosts})
	require.NoError(t, err)
	require.Equal(t, hosts, ev.Payload.(*engine.ItemStarted).Hosts, "the engine goes on with the whole list")
	require.NoError(t, j.Close())

	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	events, err := journal.Read(bytes.NewReader(data))
	require.NoError(t, err)
	require.Len(t, events[2].Payload.(*engine.ItemStarted).Hosts, 1)
	require.NoError(t, journal.Expand(events, func(sum string) ([]byte, error) { return stored[sum], nil }))
	require.Equal(t, hosts, events[2].Payload.(*engine.ItemStarted).Hosts)
}

// jumpy is a wall clock that is moved by hand, beside a monotonic one that is too.
type jumpy struct {
	wall time.Time
	mono time.Duration
}

func (c *jumpy) Now() time.Time { return c.wall }

func TestAClockThatJumpsIsRecorded(t *testing.T) {
	t.Parallel()
	c := &jumpy{wall: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)}
	opts := options()
	opts.Clock, opts.Mono = c, func() time.Duration { return c.mono }
	dir := t.TempDir()
	j, err := journal.Create(dir, opts)
	require.NoError(t, err)
	for _, move := range []struct{ wall, mono time.Duration }{
		{0, 0}, {time.Second, time.Second}, {90 * time.Millisecond, 0}, {-2 * time.Hour, time.Minute}, {time.Hour, time.Hour},
	} {
		c.wall, c.mono = c.wall.Add(move.wall), c.mono+move.mono
		p := engine.Payload(&engine.MarkSet{Mark: "m"})
		if c.mono == 0 {
			p = opened()
		}
		_, err := j.Append(t.Context(), p)
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	events, err := journal.Read(bytes.NewReader(data))
	require.NoError(t, err)
	var steps []int64
	for _, ev := range events {
		if a, ok := ev.Payload.(*engine.ClockAnomaly); ok {
			steps = append(steps, a.StepMS)
		}
	}
	require.Equal(t, []int64{-(2*time.Hour + time.Minute).Milliseconds()}, steps)
	require.Len(t, events, 6)
}

// quick is the real file system without its fsyncs, for tests that make thousands of journals.
type quick struct{ fsx.OS }

func (q quick) OpenFile(name string, flag int, perm os.FileMode) (fsx.File, error) {
	f, err := q.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return quickFile{f}, nil
}

func (quick) SyncDir(string) error { return nil }

type quickFile struct{ fsx.File }

func (quickFile) Sync() error { return nil }

// A lock that does not keep a second holder out is not the last line of defence.
func TestASecondHolderFencesTheFirst(t *testing.T) {
	t.Parallel()
	for name, intrude := range map[string]func(t *testing.T, dir string){
		"the run was moved away and copied back": func(t *testing.T, dir string) {
			t.Helper()
			require.NoError(t, os.Rename(dir, dir+".moved"))
			require.NoError(t, os.CopyFS(dir, os.DirFS(dir+".moved")))
		},
		"the run was moved away": func(t *testing.T, dir string) {
			t.Helper()
			require.NoError(t, os.Rename(dir, dir+".moved"))
		},
		"somebody else appends": func(t *testing.T, dir string) {
			t.Helper()
			f, err := os.OpenFile(filepath.Join(dir, journal.FileName), os.O_WRONLY|os.O_APPEND, 0)
			require.NoError(t, err)
			_, err = f.WriteString("{}\n")
			require.NoError(t, err)
			require.NoError(t, f.Close())
		},
		"somebody else took it up": func(t *testing.T, dir string) {
			t.Helper()
			other, _, err := journal.Resume(dir, journal.Options{FS: unlocked{}}, &engine.RunResumed{By: "bob"})
			require.NoError(t, err)
			require.NoError(t, other.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "r")
			require.NoError(t, os.Mkdir(dir, 0o700))
			j, err := journal.Create(dir, journal.Options{Run: "r", Nonce: "n", Mode: engine.Live})
			require.NoError(t, err)
			_, err = j.Append(t.Context(), &engine.RunOpened{Run: "r", Nonce: "n"})
			require.NoError(t, err)
			intrude(t, dir)
			_, err = j.Append(t.Context(), &engine.ItemIntent{Unit: engine.Unit{Item: "step.x"}, Part: engine.PartCommand, AttemptID: "a"})
			require.ErrorIs(t, err, journal.ErrTakenOver, "an intent that is not in the run's journal begins nothing")
			_, err = j.Append(t.Context(), &engine.MarkSet{})
			require.ErrorIs(t, err, journal.ErrPoisoned)
			require.ErrorIs(t, j.Close(), journal.ErrTakenOver)
		})
	}
}

// unlocked is a file system whose locks keep nobody out.
type unlocked struct{ fsx.OS }

func (unlocked) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }
