package evidence

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx/faultfs"
	"github.com/continuo-runbooks/continuo/engine/redact"
)

// attack is one row of the corpus. do damages the bundle (or what else it makes) and returns where to look; forged says
// that the attacker holds the executor's key and signs again.
type attack struct {
	row    string
	name   string
	do     func(t *testing.T, dir string)
	forged bool
	layer  string // of verify: integrity, authenticity, completeness, meaning
	shell  bool   // whether the shell verifier catches it, given the signers file
}

// lines gives the journal's lines to change; the chain is left as it is.
func lines(change func([][]byte) [][]byte) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		edit(t, dir, journal.FileName, func(b []byte) []byte {
			return bytes.Join(change(bytes.SplitAfter(bytes.Clone(b), []byte("\n"))), nil)
		})
	}
}

// chained is lines with the chain written anew.
func chained(change func([][]byte) [][]byte) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		edit(t, dir, journal.FileName, func(b []byte) []byte {
			prev := journal.Genesis(sampleRun, sampleNonce)
			var out []byte
			for _, l := range change(bytes.SplitAfter(bytes.Clone(b), []byte("\n"))) {
				if i := bytes.Index(l, []byte(`"prev":"`)); i >= 0 {
					copy(l[i+8:], fmt.Sprintf("%x", prev))
				}
				out = append(out, l...)
				digest := sum(l)
				for i := range prev {
					_, _ = fmt.Sscanf(digest[2*i:2*i+2], "%02x", &prev[i])
				}
			}
			return out
		})
	}
}

func swapText(old, with string) func([][]byte) [][]byte {
	return func(ls [][]byte) [][]byte {
		joined := bytes.Replace(bytes.Join(ls, nil), []byte(old), []byte(with), 1)
		return bytes.SplitAfter(joined, []byte("\n"))
	}
}

func write(name, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}

func corpus() []attack {
	cut := func(ls [][]byte) [][]byte { return ls[:len(ls)-2] }
	return []attack{
		{"1", "a record edited", lines(swapText("alice", "mallo")), false, "integrity", true},
		{"1", "a record edited, signed again", lines(swapText("alice", "mallo")), true, "integrity", true},
		{"1", "a record edited, chained and signed again", chained(swapText("alice", "mallo")), true, "integrity", true},
		{"2", "a record twice", lines(func(l [][]byte) [][]byte { return append(l[:3:3], l[2:]...) }), true, "integrity", true},
		{"3", "a record left out", lines(func(l [][]byte) [][]byte { return append(l[:3:3], l[4:]...) }), true, "integrity", true},
		{"4", "two records swapped", lines(func(l [][]byte) [][]byte { l[3], l[4] = l[4], l[3]; return l }), true, "integrity", true},
		{"6", "the journal's end cut off", lines(cut), false, "integrity", true},
		{"6", "the journal's end cut off, signed again", lines(cut), true, "integrity", true},
		{"11", "the clock set back in the record", chained(swapText(`"t":"2026-11-21T18:20:01.02`, `"t":"2026-11-21T16:20:01.02`)), true, "integrity", true},
		{"12", "an output changed", func(t *testing.T, d string) { t.Helper(); edit(t, d, someArtifact(t, d), replace("please", "thanks")) }, false, "integrity", true},
		{"12", "an output changed, signed again", func(t *testing.T, d string) { t.Helper(); edit(t, d, someArtifact(t, d), replace("please", "thanks")) }, true, "integrity", false},
		{"12", "an output gone", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.RemoveAll(d+"/artifacts")) }, false, "integrity", true},
		{"12", "an output gone, signed again", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.RemoveAll(d+"/artifacts")) }, true, "integrity", false},
		{"12", "an extra file", write("extra.txt", "x"), false, "integrity", true},
		{"12", "an extra file, signed again", write("project/extra.txt", "x"), true, "integrity", false},
		{"13", "a record of another run", chained(swapText(string(sampleRun), "20261121t182001z-00000000")), true, "integrity", true},
		{"13", "a dry-run's word in one line", lines(swapText(`"mode":"live"`, `"mode":"dry-run"`)), true, "integrity", true},
		{"13", "another mode in the seal", func(t *testing.T, d string) { t.Helper(); edit(t, d, SealFile, replace("mode live", "mode dry-run")) }, true, "integrity", true},
		{"14", "a field twice", chained(swapText(`"attempt":1,`, `"attempt":1,"attempt":2,`)), true, "integrity", true},
		{"14", "a field spelled with an escape", chained(swapText(`"attempt":1,`, `"attempt":1,"\u0061ttempt":2,`)), true, "integrity", true},
		{"14", "an unknown field", chained(swapText(`"attempt":1,`, `"attempt":1,"__proto__":{},`)), true, "integrity", true},
		{"14", "an unknown type", chained(swapText(`"type":"item.intent"`, `"type":"item.wish"`)), true, "integrity", true},
		{"14", "a byte order mark", lines(func(l [][]byte) [][]byte { l[0] = append([]byte("\ufeff"), l[0]...); return l }), true, "integrity", true},
		{"14", "CR LF", chained(func(l [][]byte) [][]byte { l[2] = bytes.Replace(l[2], []byte("\n"), []byte("\r\n"), 1); return l }), true, "integrity", true},
		{"14", "a lone surrogate", chained(swapText("alice", `al\ud800ice`)), true, "integrity", true},
		{"14", "a number in another form", chained(swapText(`"attempt":1,`, `"attempt":1.0,`)), true, "integrity", true},
		{"14", "no LF at the end", lines(func(l [][]byte) [][]byte { n := len(l) - 2; l[n] = bytes.TrimSuffix(l[n], []byte("\n")); return l }), true, "integrity", true},
		{"16", "a signature for another purpose", resignFor(ApprovalNamespace, "executor"), false, "integrity", true},
		{"16", "a signature of something else", write(SignatureFile, "x"), false, "integrity", true},
		{"17", "an attacker's key, in the bundle's own signers", func(t *testing.T, d string) {
			t.Helper()
			line := testKey(t, "mallory").AllowedSigner("executor@ops-1", EvidenceNamespace)
			write("project/allowed_signers", line+"\n")(t, d)
			resign(t, d, testKey(t, "mallory"))
		}, false, "authenticity", true},
		{"18", "a symlink for a file", func(t *testing.T, d string) { t.Helper(); require.NoError(t, swapForLink(d)) }, false, "integrity", true},
		{"19", "the report says other than the journal", func(t *testing.T, d string) { t.Helper(); edit(t, d, "report.html", replace("passed", "x")) }, true, "meaning", false},
		{"19", "the seal says other than the journal", func(t *testing.T, d string) {
			t.Helper()
			edit(t, d, SealFile, replace("verdict passed", "verdict failed"))
		}, true, "integrity", false},
		{"-", "the verdict claimed in run.closed", chained(swapText(`"verdict":"passed"`, `"verdict":"failed"`)), true, "meaning", true},
		{"-", "the signature gone", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.Remove(d+"/"+SignatureFile)) }, false, "authenticity", true},
		{"-", "the list gone", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.Remove(d+"/"+SumsFile)) }, false, "integrity", true},
		{"-", "the plan changed, signed again", func(t *testing.T, d string) { t.Helper(); edit(t, d, PlanFile, replace(`"30"`, `"31"`)) }, true, "integrity", false},
		{"-", "the project changed, signed again", func(t *testing.T, d string) { t.Helper(); edit(t, d, "project/payments.hcl", replace("payments", "x")) }, true, "integrity", false},
	}
}

func resignFor(namespace, key string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		sums, err := os.ReadFile(filepath.Join(dir, SumsFile))
		require.NoError(t, err)
		sig, err := testKey(t, key).Sign(sums, namespace)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, SignatureFile), sig, 0o600))
	}
}

// TestTamper tries every attack on a sealed bundle, with and without the executor's key, and prints which verdict of
// verify catches it and whether the shell verifier does too.
func TestTamper(t *testing.T) { //nolint:paralleltest // it prints a table
	good := sealedSample(t)
	signers := filepath.Join(t.TempDir(), "signers")
	line := testKey(t, "executor").AllowedSigner("executor@ops-1", EvidenceNamespace)
	require.NoError(t, os.WriteFile(signers, []byte(line+"\n"), 0o600))
	code, out := shellVerify(t, good, signers, "executor@ops-1")
	require.Zero(t, code, "%s", out)

	t.Logf("%-4s %-48s %-7s %-26s %s", "row", "attack", "key", "caught by verify", "by the shell verifier")
	for _, a := range corpus() {
		dir := copyTree(t, good)
		a.do(t, dir)
		key := "no"
		if a.forged {
			key = "held"
			resign(t, dir, testKey(t, "executor"))
		}
		res := mustVerify(t, dir)
		caught := failed(res)
		require.False(t, res.OK(), a.name)
		require.Contains(t, caught, a.layer, "%s: %v", a.name, res.Reasons())
		code, out := shellVerify(t, dir, signers, "executor@ops-1")
		require.Equal(t, a.shell, code != 0, "%s: %s", a.name, out)
		t.Logf("%-4s %-48s %-7s %-26s %s", a.row, a.name, key, strings.Join(caught, " "), yesNo(code != 0))
	}
	for _, r := range elsewhere() {
		require.NoError(t, r.try(t), r.name)
		t.Logf("%-4s %-48s %-7s %-26s %s", r.row, r.name, "", r.by, "-")
	}
}

func failed(res *Result) []string {
	var out []string
	for name, f := range map[string]Finding{
		"integrity": res.Integrity, "authenticity": res.Authenticity, "completeness": res.Completeness, "meaning": res.Meaning,
	} {
		if f.Status != StatusOK {
			out = append(out, name)
		}
	}
	return sortedWords(out)
}

func sortedWords(words []string) []string {
	m := map[string]bool{}
	for _, w := range words {
		m[w] = true
	}
	return sortedKeys(m)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// guard is an attack that something else than verify of one bundle stops. try returns nil when it was stopped.
type guard struct {
	row, name, by string
	try           func(t *testing.T) error
}

func elsewhere() []guard {
	ledgerSays := func(change func(t *testing.T, state string), pinned bool) func(*testing.T) error {
		return func(t *testing.T) error {
			t.Helper()
			state, _ := installation(t)
			pin := ""
			if pinned {
				pin = checkLedger(t, state, "").Checkpoint.Pin()
			}
			change(t, state)
			res, err := VerifyLedger(state, LedgerOptions{Pin: pin, Signers: sampleSigners(t)})
			if err == nil && len(res.Problems) == 0 {
				return errors.New("not caught")
			}
			return nil
		}
	}
	anew := func(ids ...engine.RunID) func(*testing.T, string) {
		return func(t *testing.T, state string) {
			t.Helper()
			require.NoError(t, os.RemoveAll(state))
			for _, id := range ids {
				ledgeredRun(t, state, testLedger(state), id)
			}
		}
	}
	return []guard{
		{"5", "the end of an unsealed journal cut off", "ledger", ledgerSays(func(t *testing.T, s string) {
			t.Helper()
			for _, n := range []string{SumsFile, SignatureFile} {
				require.NoError(t, os.Remove(filepath.Join(RunDir(s, "r3"), n)))
			}
			lines(func(l [][]byte) [][]byte { return l[:40] })(t, RunDir(s, "r3"))
		}, false)},
		{"7", "a whole run gone", "ledger", ledgerSays(func(t *testing.T, s string) { t.Helper(); require.NoError(t, os.RemoveAll(RunDir(s, "r2"))) }, false)},
		{"8", "the newest run and the ledger's end gone", "ledger with --pin", ledgerSays(func(t *testing.T, s string) {
			t.Helper()
			require.NoError(t, os.RemoveAll(RunDir(s, "r3")))
			dropLines(t, s, 8, 11)
			require.NoError(t, os.Remove(filepath.Join(s, checkpointsDir, "0000000011.txt")))
		}, true)},
		{"9", "all history written anew with the real key", "ledger with --pin", ledgerSays(anew("r1", "r3", "r4"), true)},
		{"10", "two histories of the same size", "ledger with --pin", ledgerSays(anew("r1", "r2", "r4"), true)},
		{"18", "tar: parent directory, link, the same name twice", "strict tar reader", func(t *testing.T) error {
			t.Helper()
			for _, e := range []entry{
				{name: "r/../../x", kind: tar.TypeReg}, {name: "r/l", kind: tar.TypeLink, link: "r/a"}, {name: "r/a", kind: tar.TypeReg},
			} {
				_, err := Verify(writeTar(t, hostile(t, entry{name: "r/a", kind: tar.TypeReg}, e)), verifyOptions(t))
				if !errors.Is(err, ErrTar) {
					return fmt.Errorf("%s: %w", e.name, err)
				}
			}
			return nil
		}},
		{"21", "two executors on one run", "lock", func(t *testing.T) error {
			t.Helper()
			s := openSample(t, t.TempDir(), nil)
			_, _, err := Resume(s.run.Dir, RunOptions{}, &engine.RunResumed{})
			if !errors.Is(err, fsx.ErrLocked) {
				return fmt.Errorf("want a lock: %w", err)
			}
			return s.run.Close()
		}},
		{"22", "fsync fails", "poisoned journal", func(t *testing.T) error {
			t.Helper()
			j, err := journal.Create(t.TempDir(), journal.Options{Run: "r", Mode: engine.Live, FS: &faultfs.FS{
				FS: fsx.OS{}, Decide: func(op faultfs.Op) faultfs.Action {
					if op.Name == "sync" {
						return faultfs.Action{Err: syscall.EIO}
					}
					return faultfs.Action{}
				},
			}})
			require.NoError(t, err)
			_, first := j.Append(t.Context(), &engine.RunOpened{Run: "r"})
			_, second := j.Append(t.Context(), &engine.MarkSet{})
			if !errors.Is(first, syscall.EIO) || !errors.Is(second, journal.ErrPoisoned) {
				return fmt.Errorf("first %w, then %w", first, second)
			}
			_ = j.Close()
			return nil
		}},
		{"30", "a secret in an output", "redaction, search before the seal", func(t *testing.T) error {
			t.Helper()
			r := redact.New()
			require.NoError(t, r.Add("db", "correct-horse"))
			a := newArtifacts(fsx.OS{}, t.TempDir(), r)
			if out := writeChunks(t, a, "it is correct-horse", 3); strings.Contains(out.Text, "horse") {
				return errors.New("leaked")
			}
			return nil
		}},
	}
}
