package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

const testOrigin = "continuo/ops-1/7f3a09bc"

func testLedger(state string) *Ledger {
	l := NewLedger(state, testOrigin)
	l.now = newTicker().Now
	return l
}

// ledgeredRun makes a sealed run of that id, in the ledger.
func ledgeredRun(t testing.TB, state string, l *Ledger, id engine.RunID) *Sealed {
	t.Helper()
	run, err := Create(state, RunOptions{Run: id, Nonce: sampleNonce, Mode: engine.Live, Plan: samplePlan(), Files: sampleFiles(), Clock: newTicker()})
	require.NoError(t, err)
	j := run.Ledgered(l, func(err error) { require.NoError(t, err) })
	o := &engine.RunOpened{Run: id, Nonce: sampleNonce, Project: "payments", Runbook: "failover", Operator: "alice@example.org"}
	run.Digests.Fill(o)
	payloads := []engine.Payload{o}
	for range 120 {
		payloads = append(payloads, &engine.OperatorAction{Action: "note", By: "alice@example.org", Reason: "still waiting"})
	}
	for _, p := range append(payloads, &engine.RunClosed{Verdict: engine.VerdictFailed}) {
		_, err := j.Append(t.Context(), p)
		require.NoError(t, err)
	}
	require.NoError(t, run.Close())
	sealed, err := Seal(run.Dir, sealOptions(t))
	require.NoError(t, err)
	_, err = l.RecordSeal(sealed, testKey(t, "executor"))
	require.NoError(t, err)
	return sealed
}

func installation(t testing.TB) (state string, l *Ledger) {
	t.Helper()
	state = t.TempDir()
	l = testLedger(state)
	for _, id := range []engine.RunID{"r1", "r2", "r3"} {
		ledgeredRun(t, state, l, id)
	}
	return state, l
}

func checkLedger(t testing.TB, state, pin string) *LedgerResult {
	t.Helper()
	res, err := VerifyLedger(state, LedgerOptions{Pin: pin, Signers: sampleSigners(t)})
	require.NoError(t, err)
	return res
}

func TestTheLedgerKnowsEveryRun(t *testing.T) {
	t.Parallel()
	state, _ := installation(t)
	res := checkLedger(t, state, "")
	require.Empty(t, res.Problems)
	require.False(t, res.Anchored)
	require.Len(t, res.Runs, 3)
	require.Equal(t, "sealed", res.Runs[0].State)
	require.Equal(t, engine.VerdictFailed, res.Runs[0].Verdict)
	rec, err := ReadLedger(filepath.Join(state, LedgerFile))
	require.NoError(t, err)
	var types []string
	for _, e := range rec.Entries {
		types = append(types, e.Type)
	}
	require.Equal(t, []string{
		LedgerOpened, LedgerRunOpened, LedgerRunHead, LedgerKeyAdded, LedgerRunSealed, LedgerRunOpened, LedgerRunHead,
		LedgerRunSealed,
		LedgerRunOpened, LedgerRunHead, LedgerRunSealed,
	}, types)
	require.True(t, checkLedger(t, state, res.Checkpoint.Pin()).Anchored)

	opts := verifyOptions(t)
	opts.Ledger = rec
	found, err := Verify(RunDir(state, "r2"), opts)
	require.NoError(t, err)
	require.Empty(t, found.Reasons())
	require.Contains(t, strings.Join(found.Completeness.Notes, "\n"), "the ledger "+testOrigin+" holds this seal")
}

func TestWhatIsMissingShows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, state string)
		// without and with say what is shown without a pin and with one.
		without, with string
	}{
		"a run's directory": {
			func(t *testing.T, s string) { t.Helper(); require.NoError(t, os.RemoveAll(RunDir(s, "r2"))) },
			"run r2: missing", "run r2: missing",
		},
		"a run and its lines": {
			func(t *testing.T, s string) {
				t.Helper()
				require.NoError(t, os.RemoveAll(RunDir(s, "r2")))
				dropLines(t, s, 5, 8)
			},
			"line 6 says that it is number 8 from 0: lines before it were taken out", "lines before it were taken out",
		},
		"the newest run, its lines and its checkpoint": {
			func(t *testing.T, s string) {
				t.Helper()
				require.NoError(t, os.RemoveAll(RunDir(s, "r3")))
				dropLines(t, s, 8, 11)
				require.NoError(t, os.Remove(filepath.Join(s, checkpointsDir, "0000000011.txt")))
			},
			"", "its end was cut off",
		},
		"the newest run and its lines": {
			func(t *testing.T, s string) {
				t.Helper()
				require.NoError(t, os.RemoveAll(RunDir(s, "r3")))
				dropLines(t, s, 8, 11)
			},
			"checkpoint of 11 lines", "its end was cut off",
		},
		"everything, written anew with the real key": {
			func(t *testing.T, s string) {
				t.Helper()
				require.NoError(t, os.RemoveAll(s))
				l := testLedger(s)
				for _, id := range []engine.RunID{"r1", "r3", "r4"} {
					ledgeredRun(t, s, l, id)
				}
			},
			"", "are not those that were pinned",
		},
		"a ledger that never was": {
			func(t *testing.T, s string) {
				t.Helper()
				openSampleIn(t, RunDir(s, "r9"))
			},
			"run r9: lies in the state directory, but the ledger does not know it", "run r9",
		},
		"the end of an unsealed journal": {
			func(t *testing.T, s string) {
				t.Helper()
				for _, n := range []string{SumsFile, SignatureFile} {
					require.NoError(t, os.Remove(filepath.Join(RunDir(s, "r3"), n)))
				}
				edit(t, RunDir(s, "r3"), journal.FileName, func(b []byte) []byte {
					return bytes.Join(bytes.SplitAfter(b, []byte("\n"))[:50], nil)
				})
			},
			"its end was cut off or changed", "its end was cut off or changed",
		},
		"another seal": {
			func(t *testing.T, s string) {
				t.Helper()
				edit(t, RunDir(s, "r1"), "report.html", replace("failed", "passed"))
				resign(t, RunDir(s, "r1"), testKey(t, "executor"))
			},
			"run r1: its seal is not the one that the ledger knows", "run r1",
		},
		"another run under the same id": {
			func(t *testing.T, s string) {
				t.Helper()
				require.NoError(t, os.RemoveAll(RunDir(s, "r1")))
				_, err := Create(s, RunOptions{Run: "r1", Nonce: "ff", Mode: engine.Live, Plan: samplePlan()})
				require.NoError(t, err)
				run := openSampleIn(t, RunDir(s, "r1x"))
				require.NoError(t, os.Rename(filepath.Join(run, journal.FileName), filepath.Join(RunDir(s, "r1"), journal.FileName)))
				require.NoError(t, os.RemoveAll(run))
			},
			"run r1: its journal is not the one that the ledger saw opened", "run r1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, _ := installation(t)
			pin := checkLedger(t, state, "").Checkpoint.Pin()
			c.change(t, state)
			for want, p := range map[string]string{c.without: "", c.with: pin} {
				res, err := VerifyLedger(state, LedgerOptions{Pin: p, Signers: sampleSigners(t)})
				if err != nil {
					require.ErrorContains(t, err, want)
					continue
				}
				if want == "" {
					require.Empty(t, res.Problems, "this shows only against what someone else kept")
					require.False(t, res.Anchored)
					continue
				}
				require.Contains(t, strings.Join(res.Problems, "\n"), want)
			}
		})
	}
}

// openSampleIn makes a journal of run r1 with another nonce somewhere.
func openSampleIn(t testing.TB, dir string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	j, err := journal.Create(dir, journal.Options{Run: "r1", Nonce: "ff", Mode: engine.Live})
	require.NoError(t, err)
	_, err = j.Append(t.Context(), &engine.RunOpened{Run: "r1", Nonce: "ff"})
	require.NoError(t, err)
	require.NoError(t, j.Close())
	return dir
}

func dropLines(t testing.TB, state string, from, to int) {
	t.Helper()
	edit(t, state, LedgerFile, func(b []byte) []byte {
		lines := bytes.SplitAfter(b, []byte("\n"))
		return bytes.Join(append(lines[:from:from], lines[to:]...), nil)
	})
}

func TestVerifyUsesTheLedgerItIsGiven(t *testing.T) {
	t.Parallel()
	state, l := installation(t)
	other := t.TempDir()
	ledgeredRun(t, other, testLedger(other), "r9")
	rec, err := ReadLedger(filepath.Join(state, LedgerFile))
	require.NoError(t, err)
	opts := verifyOptions(t)
	opts.Ledger = rec
	res, err := Verify(RunDir(other, "r9"), opts)
	require.NoError(t, err)
	require.Contains(t, res.Reasons(), "completeness: the ledger does not hold run r9")

	edit(t, RunDir(state, "r1"), "report.html", replace("failed", "passed"))
	resign(t, RunDir(state, "r1"), testKey(t, "executor"))
	res, err = Verify(RunDir(state, "r1"), opts)
	require.NoError(t, err)
	require.Contains(t, strings.Join(res.Reasons(), "\n"), "the ledger does not hold this seal")

	sealed, err := Seal(RunDir(state, "r2"), sealOptions(t))
	require.NoError(t, err)
	_, err = l.RecordSeal(sealed, nil)
	require.NoError(t, err)
	again, err := ReadLedger(filepath.Join(state, LedgerFile))
	require.NoError(t, err)
	require.Len(t, again.Entries, len(rec.Entries), "a seal is recorded once")
}

func TestEveryByteOfTheLedgerCounts(t *testing.T) {
	t.Parallel()
	state, _ := installation(t)
	data, err := os.ReadFile(filepath.Join(state, LedgerFile))
	require.NoError(t, err)
	rec, err := ParseLedger(data)
	require.NoError(t, err)
	c, err := rec.Checkpoint(int64(len(rec.lines)))
	require.NoError(t, err)
	for i := range data {
		bad, err := ParseLedger(flip(data, i))
		if err == nil {
			require.ErrorIs(t, bad.CheckPin(c.Pin()), ErrPin, "byte %d", i)
		}
	}
	for n := range data {
		cut, err := ParseLedger(data[:n])
		if err == nil {
			require.ErrorIs(t, cut.CheckPin(c.Pin()), ErrPin, "cut at %d", n)
		}
	}
}

func TestALedgerLineWithLostSectorsIsTorn(t *testing.T) {
	t.Parallel()
	state, l := installation(t)
	name := filepath.Join(state, LedgerFile)
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	bad := bytes.Clone(data)
	clear(bad[last+10 : last+60]) // the LF survived
	require.NoError(t, os.WriteFile(name, bad, 0o600))
	_, err = ReadLedger(name)
	require.ErrorIs(t, err, ErrLedger)
	e, err := l.Append(LedgerEntry{Type: LedgerKeyAdded, Key: "SHA256:x"})
	require.NoError(t, err)
	rec, err := ReadLedger(name)
	require.NoError(t, err)
	cut := rec.Entries[e.Seq-1]
	require.Equal(t, LedgerRecovered, cut.Type)
	require.Equal(t, sum(bad[last:]), cut.CutSHA256)

	// Damage further inside is no torn end, and nothing is appended to it.
	clear(bad[last-40 : last-20])
	require.NoError(t, os.WriteFile(name, append(bad[:last:last], data[last:]...), 0o600))
	_, err = l.Append(LedgerEntry{Type: LedgerKeyAdded, Key: "SHA256:y"})
	require.ErrorIs(t, err, ErrLedger)
}

func TestATornLedgerLineIsCutAndRecorded(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	l := testLedger(state)
	_, err := l.Append(LedgerEntry{Type: LedgerRunOpened, Run: "r1"})
	require.NoError(t, err)
	name := filepath.Join(state, LedgerFile)
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, append(data, `{"v":1,"se`...), 0o600))
	_, err = l.Append(LedgerEntry{Type: LedgerRunOpened, Run: "r2"})
	require.NoError(t, err)
	rec, err := ReadLedger(name)
	require.NoError(t, err)
	require.Len(t, rec.Entries, 4)
	require.Equal(t, LedgerRecovered, rec.Entries[2].Type)
	require.Equal(t, int64(10), rec.Entries[2].CutBytes)

	require.NoError(t, os.WriteFile(name, flip(data, len(data)/2), 0o600))
	_, err = l.Append(LedgerEntry{Type: LedgerRunOpened, Run: "r3"})
	require.ErrorIs(t, err, ErrLedger, "a damaged ledger is never continued")
	_, err = l.Append(LedgerEntry{Type: "note"})
	require.ErrorIs(t, err, ErrLedger)
}

func TestManyAppendToOneLedger(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			l := NewLedger(state, testOrigin)
			_, err := l.Append(LedgerEntry{Type: LedgerRunOpened, Run: engine.RunID(fmt.Sprintf("r%d", n))})
			require.NoError(t, err)
		})
	}
	wg.Wait()
	rec, err := ReadLedger(filepath.Join(state, LedgerFile))
	require.NoError(t, err)
	require.Len(t, rec.Entries, 9)
}

func TestALedgerThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	blocked := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	run, err := Create(state, RunOptions{Run: "r1", Nonce: "n", Mode: engine.Live, Plan: samplePlan()})
	require.NoError(t, err)
	l := testLedger(blocked)
	var told []error
	j := run.Ledgered(l, func(err error) { told = append(told, err) })
	_, err = j.Append(t.Context(), &engine.RunOpened{Run: "r1", Nonce: "n"})
	require.Error(t, err, "before anything has happened it stops the run")
	for range headEvents + 1 {
		_, err = j.Append(t.Context(), &engine.OperatorAction{Action: "note"})
		require.NoError(t, err, "later it never stops a recovery")
	}
	require.Len(t, told, 1)
	require.NoError(t, run.Close())
}

// rootOf is RFC 6962's Merkle tree hash, written from its definition.
func rootOf(lines [][]byte) [32]byte {
	if len(lines) == 1 {
		return sha256.Sum256(append([]byte{0}, lines[0]...))
	}
	k := 1
	for k*2 < len(lines) {
		k *= 2
	}
	left, right := rootOf(lines[:k]), rootOf(lines[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	state, l := installation(t)
	rec, err := ReadLedger(filepath.Join(state, LedgerFile))
	require.NoError(t, err)
	for size := 1; size <= len(rec.lines); size++ {
		c, err := rec.Checkpoint(int64(size))
		require.NoError(t, err)
		want := rootOf(rec.lines[:size])
		require.Equal(t, base64.StdEncoding.EncodeToString(want[:]), c.Root)
	}
	c, err := l.Checkpoint(testKey(t, "executor"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(c.Text, fmt.Sprintf("%s\n%d\n%s\n\n— %s ", testOrigin, c.Size, c.Root, testOrigin)), c.Text)
	got, err := ParseCheckpoint([]byte(c.Text), sampleSigners(t))
	require.NoError(t, err)
	require.Equal(t, c.Pin(), got.Pin())
	_, err = ParseCheckpoint([]byte(strings.Replace(c.Text, "\n11\n", "\n12\n", 1)), sampleSigners(t))
	require.Error(t, err)
	nobody, err := ParseSigners(nil)
	require.NoError(t, err)
	_, err = ParseCheckpoint([]byte(c.Text), nobody)
	require.Error(t, err)

	for _, bad := range []string{"", "3", "x:y", "0:" + c.Root, "3:" + c.Root + "A", "-1:" + c.Root} {
		err := rec.CheckPin(bad)
		require.Error(t, err, bad)
		require.NotErrorIs(t, err, ErrPin, "a malformed pin says nothing about the ledger")
	}
	_, err = rec.Checkpoint(99)
	require.ErrorIs(t, err, ErrPin)
}
