package evidence

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

func TestCreateWritesTheProjectAsItWasRead(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	s.check()
	require.NoError(t, s.run.Close())
	l := loadSample(t, s.run.Dir)
	files, err := l.Files()
	require.NoError(t, err)
	require.Len(t, files, len(sampleFiles()))
	for _, want := range sampleFiles() {
		found := false
		for _, f := range files {
			found = found || f.Path == want.Path && bytes.Equal(f.Data, want.Data)
		}
		require.True(t, found, want.Path)
	}
	require.Equal(t, samplePlan(), l.Plan)
	require.Equal(t, s.run.Digests.PlanSHA256, l.Record.Opened.PlanSHA256)
	digest, err := ProjectDigest(files)
	require.NoError(t, err)
	require.Equal(t, s.run.Digests.ProjectSHA256, digest)
	require.False(t, l.Sealed || l.Signed)
	for _, name := range []string{"project/scripts/%C3%BC%20mlaut%25.sh", "project/README.md"} {
		info, err := os.Stat(filepath.Join(s.run.Dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	opts := RunOptions{Run: sampleRun, Nonce: sampleNonce, Mode: engine.Live, Plan: samplePlan()}
	_, err = Create(s.dir, opts)
	require.ErrorIs(t, err, os.ErrExist, "a run's directory is never taken twice")
	opts.Run = "../x"
	_, err = Create(s.dir, opts)
	require.ErrorIs(t, err, ErrName)
}

func TestLongListsComeBackWhole(t *testing.T) {
	t.Parallel()
	hosts := make([]string, 6000)
	for i := range hosts {
		hosts[i] = strings.Repeat("h", 20)
	}
	s := openSample(t, t.TempDir(), nil)
	s.add(&engine.ItemStarted{Item: "check.lag", Hosts: hosts})
	require.NoError(t, s.run.Close())
	l := loadSample(t, s.run.Dir)
	require.Equal(t, hosts, l.Events[1].Payload.(*engine.ItemStarted).Hosts)
}

func TestResumeTakesUpATornRun(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	s.check()
	s.intent()
	require.NoError(t, s.run.Close())
	name := filepath.Join(s.run.Dir, journal.FileName)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"v":1,"seq":9,"pr`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, int64(18), loadSample(t, s.run.Dir).Cut)

	run, l, err := Resume(s.run.Dir, RunOptions{Clock: newTicker()}, &engine.RunResumed{By: "bob@example.org"})
	require.NoError(t, err)
	require.Equal(t, int64(18), l.Cut)
	require.Equal(t, s.run.Digests, run.Digests)
	require.Equal(t, 2, l.Record.Segments)
	s.run = run
	dir := s.close()
	_, err = Seal(dir, sealOptions(t))
	require.NoError(t, err)
	res := mustVerify(t, dir)
	require.Empty(t, res.Reasons(), "an incomplete run can be a complete record")
	require.Equal(t, engine.Incomplete, res.Verdict)
	require.Contains(t, strings.Join(res.Completeness.Notes, "\n"), "1 intents have no outcome; 1 units are unknown")
	text, err := os.ReadFile(filepath.Join(dir, SealFile))
	require.NoError(t, err)
	require.Contains(t, string(text), "recovered-bytes 18\n")

	_, _, err = Resume(dir, RunOptions{}, &engine.RunResumed{})
	require.ErrorIs(t, err, ErrSealed)
}

func TestFindResolvesReferences(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	_, err := Find(state, Latest)
	require.ErrorIs(t, err, ErrNoRun)
	for _, id := range []string{"20261121t182001z-aa", "20261121t182002z-ab", "20261122t000000z-ac"} {
		require.NoError(t, os.MkdirAll(RunDir(state, engine.RunID(id)), 0o700))
	}
	for ref, want := range map[string]engine.RunID{
		"20261121t182001z-aa": "20261121t182001z-aa", "20261121t182001": "20261121t182001z-aa",
		"20261122": "20261122t000000z-ac", Latest: "20261122t000000z-ac",
	} {
		got, err := Find(state, ref)
		require.NoError(t, err, ref)
		require.Equal(t, want, got)
	}
	_, err = Find(state, "20261121")
	require.ErrorIs(t, err, ErrAmbiguous)
	for _, bad := range []string{"", "2027", "../runs", "%2e%2e", "\x00"} {
		_, err = Find(state, bad)
		require.ErrorIs(t, err, ErrNoRun, bad)
	}
}

func TestNamesOfRuns(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 19, 20, 1, 0, time.FixedZone("", 3600))
	id, err := NewRunID(at, strings.NewReader("\x7f\x3a\x09\xbc"))
	require.NoError(t, err)
	require.Equal(t, engine.RunID("20261121t182001000z-7f3a09bc"), id)
	later, err := NewRunID(at.Add(time.Millisecond), strings.NewReader("\x00\x00\x00\x00"))
	require.NoError(t, err)
	require.Greater(t, later, id, "runs sort by their beginning")
	_, err = NewRunID(at, strings.NewReader("x"))
	require.Error(t, err)
	n, err := NewNonce(strings.NewReader("0123456789abcdef"))
	require.NoError(t, err)
	require.Len(t, n, 32)
	_, err = NewNonce(strings.NewReader(""))
	require.Error(t, err)
}
