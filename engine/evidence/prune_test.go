package evidence

import (
	"os"
	"path/filepath"
	"strings"
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

func TestAPrunedRunIsVerified(t *testing.T) {
	t.Parallel()
	state, l := installation(t)
	require.NoError(t, Prune(state, "r1", l, "alice@example.org", "seven years have passed"))
	opts := verifyOptions(t)
	var err error
	opts.Ledger, err = ReadLedger(filepath.Join(state, LedgerFile))
	require.NoError(t, err)
	id, err := FindPruned(state, "r1")
	require.NoError(t, err)
	res, err := VerifyPruned(state, id, opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	require.True(t, res.Pruned)
	require.Equal(t, engine.VerdictFailed, res.Verdict)
	require.Contains(t, strings.Join(res.Completeness.Notes, "\n"), "pruned by alice@example.org at ")

	_, err = FindPruned(state, "r")
	require.NoError(t, err, "a prefix of the only one")
	_, err = FindPruned(state, "r2")
	require.ErrorIs(t, err, ErrNoRun)
	require.NoError(t, Prune(state, "r2", l, "alice@example.org", "old"))
	_, err = FindPruned(state, "r")
	require.ErrorIs(t, err, ErrAmbiguous)

	for want, change := range map[string]func(dir string, o *VerifyOptions){
		"integrity: seal.txt is not the one":                      func(d string, _ *VerifyOptions) { edit(t, d, SealFile, replace("failed", "passed")) },
		"integrity: SHA256SUMS.sig is not a signature":            func(d string, _ *VerifyOptions) { edit(t, d, SumsFile, replace(SealFile, "seal.tx_")) },
		"authenticity: the bundle is unsigned":                    func(d string, _ *VerifyOptions) { require.NoError(t, os.Remove(filepath.Join(d, SignatureFile))) },
		"does not belong to what is kept":                         func(d string, _ *VerifyOptions) { write("x", "y")(t, d) },
		"completeness: no ledger was given":                       func(_ string, o *VerifyOptions) { o.Ledger = nil },
		"completeness: the ledger does not hold this seal":        func(_ string, o *VerifyOptions) { o.Ledger = &LedgerRecord{} },
		"the ledger does not say that run r1 was pruned":          func(_ string, o *VerifyOptions) { o.Ledger = &LedgerRecord{Entries: o.Ledger.Entries[:5]} },
		"authenticity: signed by SHA256:":                         func(_ string, o *VerifyOptions) { o.Signers = nil },
		"authenticity: nothing was signed: the run is not sealed": func(d string, _ *VerifyOptions) { require.NoError(t, os.Remove(filepath.Join(d, SumsFile))) },
	} {
		other := t.TempDir()
		require.NoError(t, os.CopyFS(other, os.DirFS(state)))
		o := opts
		change(filepath.Join(other, prunedDir, "r1"), &o)
		res, err := VerifyPruned(other, "r1", o)
		require.NoError(t, err)
		require.False(t, res.OK(), want)
		require.Contains(t, strings.Join(res.Reasons(), "\n"), want)
	}
	_, err = VerifyPruned(state, "r3", opts)
	require.ErrorIs(t, err, os.ErrNotExist)
}
