package evidence

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

func TestPruneKeepsTheDigests(t *testing.T) {
	t.Parallel()
	state, l := installation(t)
	sums, err := os.ReadFile(filepath.Join(RunDir(state, "r1"), SumsFile))
	require.NoError(t, err)
	require.ErrorIs(t, Prune(state, "r1", l, "alice@example.org", ""), ErrNoReason)
	require.NoError(t, Prune(state, "r1", l, "alice@example.org", "seven years have passed"))
	require.NoDirExists(t, RunDir(state, "r1"))
	kept, err := os.ReadFile(filepath.Join(state, prunedDir, "r1", SumsFile))
	require.NoError(t, err)
	require.Equal(t, sums, kept)
	require.FileExists(t, filepath.Join(state, prunedDir, "r1", SignatureFile))
	res := checkLedger(t, state, "")
	require.Empty(t, res.Problems)
	require.Equal(t, "pruned", res.Runs[0].State)

	require.ErrorIs(t, Prune(state, "r1", l, "a", "again"), os.ErrNotExist)
	require.ErrorIs(t, Prune(state, "../r2", l, "a", "x"), ErrName)
}

func TestPruneFinishesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	state, l := installation(t)
	_, err := l.Append(LedgerEntry{Type: LedgerPruned, Run: "r2", Reason: "old"})
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(RunDir(state, "r2"), SumsFile)))
	require.NoError(t, Prune(state, "r2", l, "a", "old"))
	require.NoDirExists(t, RunDir(state, "r2"))
}

func TestAnUnsealedRunIsNotPruned(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	run, err := Create(state, RunOptions{Run: "r1", Nonce: "n", Mode: engine.Live, Plan: samplePlan()})
	require.NoError(t, err)
	l := testLedger(state)
	require.ErrorContains(t, Prune(state, "r1", l, "a", "old"), "locked by another process")
	require.NoError(t, run.Close())
	require.ErrorIs(t, Prune(state, "r1", l, "a", "old"), ErrNotSealed)
	require.DirExists(t, run.Dir)
}
