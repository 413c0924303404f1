package journal_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

func digest(b []byte) journal.Digest { return sha256.Sum256(b) }

// seedJournal writes an unfinished journal into dir and returns its bytes.
func seedJournal(t testing.TB, dir string) []byte {
	t.Helper()
	j, err := journal.Create(dir, options())
	require.NoError(t, err)
	for _, p := range []engine.Payload{opened(), intent(1), outcome(1), intent(2)} {
		_, err := j.Append(t.Context(), p)
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	return data
}

func TestResumeGoesOnAtEveryTruncation(t *testing.T) {
	t.Parallel()
	data := seedJournal(t, t.TempDir())
	first := bytes.IndexByte(data, '\n') + 1
	for n := first; n <= len(data); n += 3 {
		dir := t.TempDir()
		name := filepath.Join(dir, journal.FileName)
		require.NoError(t, os.WriteFile(name, data[:n], 0o600))
		var kept []byte
		opts := journal.Options{FS: quick{}, Clock: newTicker(), Put: func(b []byte) (string, error) { kept = bytes.Clone(b); return "sum", nil }}
		j, res, err := journal.Resume(dir, opts, &engine.RunResumed{By: "bob@example.org"})
		require.NoError(t, err)
		whole := bytes.LastIndexByte(data[:n], '\n') + 1
		require.Equal(t, string(data[whole:n]), string(kept))
		require.Equal(t, int64(n-whole), res.Cut)
		ev, err := j.Append(t.Context(), &engine.RunClosed{Verdict: engine.Incomplete})
		require.NoError(t, err)
		require.NoError(t, j.Close())

		after, err := os.ReadFile(name)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(after, data[:whole]), "what was whole is untouched")
		events, err := journal.Read(bytes.NewReader(after))
		require.NoError(t, err)
		require.Equal(t, append(res.Events, ev), events)
	}
}

func TestResumeSaysWhatItFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := seedJournal(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, journal.FileName), data[:len(data)-9], 0o600))
	back := &ticker{now: time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)}
	opts := journal.Options{Clock: back, Put: func([]byte) (string, error) { return "5eed", nil }}
	j, res, err := journal.Resume(dir, opts, &engine.RunResumed{By: "bob@example.org", BootID: "other"})
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.Len(t, res.Events, 6)
	require.Equal(t, "run.resumed", res.Events[3].Payload.EventType())
	require.Less(t, res.Events[3].Mono, 5*time.Millisecond, "a new segment begins at zero")
	anomaly, ok := res.Events[4].Payload.(*engine.ClockAnomaly)
	require.True(t, ok)
	require.Negative(t, anomaly.StepMS)
	recovered, ok := res.Events[5].Payload.(*engine.JournalRecovered)
	require.True(t, ok)
	require.Equal(t, "5eed", recovered.Artifact)
	require.Positive(t, recovered.CutBytes)
}

func TestResumeRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func([]byte) []byte
		opts   journal.Options
		want   error
	}{
		"another run":           {nil, journal.Options{Run: "other"}, journal.ErrOrder},
		"another nonce":         {nil, journal.Options{Nonce: "other"}, journal.ErrOrder},
		"a dry-run as live":     {nil, journal.Options{Mode: engine.DryRun}, journal.ErrMode},
		"damage":                {func(b []byte) []byte { b[200] ^= 1; return b }, journal.Options{}, journal.ErrChain},
		"a torn first line":     {func(b []byte) []byte { return b[:100] }, journal.Options{}, journal.ErrEmpty},
		"an empty file":         {func([]byte) []byte { return nil }, journal.Options{}, journal.ErrEmpty},
		"no place for the tail": {func(b []byte) []byte { return b[:len(b)-1] }, journal.Options{}, journal.ErrTorn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := seedJournal(t, dir)
			if c.change != nil {
				data = c.change(data)
				require.NoError(t, os.WriteFile(filepath.Join(dir, journal.FileName), data, 0o600))
			}
			_, _, err := journal.Resume(dir, c.opts, &engine.RunResumed{})
			require.ErrorIs(t, err, c.want)
			after, err := os.ReadFile(filepath.Join(dir, journal.FileName))
			require.NoError(t, err)
			require.Equal(t, string(data), string(after), "a refused journal is left as it was")
			// The lock is free again.
			_, _, err = journal.Resume(dir, c.opts, &engine.RunResumed{})
			require.ErrorIs(t, err, c.want)
		})
	}
	t.Run("a closed run", func(t *testing.T) {
		t.Parallel()
		dir, _ := journalFile(t)
		_, _, err := journal.Resume(dir, journal.Options{}, &engine.RunResumed{})
		require.ErrorIs(t, err, journal.ErrClosed)
	})
	t.Run("no journal", func(t *testing.T) {
		t.Parallel()
		_, _, err := journal.Resume(t.TempDir(), journal.Options{}, &engine.RunResumed{})
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}
