package evidence

import (
	"archive/tar"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
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
	// signers, when not nil, is the verifier's signers file; revoke are keys that it takes as revoked.
	signers func(t *testing.T) string
	revoke  bool
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
		{"1", "a record edited", lines(swapText("alice", "mallo")), false, "integrity", true, nil, false},
		{"1", "a record edited, signed again", lines(swapText("alice", "mallo")), true, "integrity", true, nil, false},
		{"1", "a record edited, chained and signed again", chained(swapText("alice", "mallo")), true, "integrity", true, nil, false},
		{"2", "a record twice", lines(func(l [][]byte) [][]byte { return append(l[:3:3], l[2:]...) }), true, "integrity", true, nil, false},
		{"3", "a record left out", lines(func(l [][]byte) [][]byte { return append(l[:3:3], l[4:]...) }), true, "integrity", true, nil, false},
		{"4", "two records swapped", lines(func(l [][]byte) [][]byte { l[3], l[4] = l[4], l[3]; return l }), true, "integrity", true, nil, false},
		{"6", "the journal's end cut off", lines(cut), false, "integrity", true, nil, false},
		{"6", "the journal's end cut off, signed again", lines(cut), true, "integrity", true, nil, false},
		{"11", "the clock set back in the record", chained(swapText(`"t":"2026-11-21T18:20:01.02`, `"t":"2026-11-21T16:20:01.02`)), true, "integrity", true, nil, false},
		{"12", "an output changed", func(t *testing.T, d string) { t.Helper(); edit(t, d, someArtifact(t, d), replace("please", "thanks")) }, false, "integrity", true, nil, false},
		{"12", "an output changed, signed again", func(t *testing.T, d string) { t.Helper(); edit(t, d, someArtifact(t, d), replace("please", "thanks")) }, true, "integrity", false, nil, false},
		{"12", "an output gone", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.RemoveAll(d+"/artifacts")) }, false, "integrity", true, nil, false},
		{"12", "an output gone, signed again", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.RemoveAll(d+"/artifacts")) }, true, "integrity", false, nil, false},
		{"12", "an extra file", write("extra.txt", "x"), false, "integrity", true, nil, false},
		{"12", "an empty directory", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.Mkdir(d+"/project/empty", 0o700)) }, false, "integrity", false, nil, false},
		{"12", "an extra file, signed again", write("project/extra.txt", "x"), true, "integrity", false, nil, false},
		{"13", "a record of another run", chained(swapText(string(sampleRun), "20261121t182001z-00000000")), true, "integrity", true, nil, false},
		{"13", "a dry-run's word in one line", lines(swapText(`"mode":"live"`, `"mode":"dry-run"`)), true, "integrity", true, nil, false},
		{"13", "a live record shown as a rehearsal, chained and signed again", chained(everywhere(`"mode":"live"`, `"mode":"dry-run"`)), true, "integrity", true, nil, false},
		{"13", "another mode in the seal", func(t *testing.T, d string) { t.Helper(); edit(t, d, SealFile, replace("mode live", "mode dry-run")) }, true, "integrity", true, nil, false},
		{"14", "a field twice", chained(swapText(`"attempt":1,`, `"attempt":1,"attempt":2,`)), true, "integrity", true, nil, false},
		{"14", "a field spelled with an escape", chained(swapText(`"attempt":1,`, `"attempt":1,"\u0061ttempt":2,`)), true, "integrity", true, nil, false},
		{"14", "an unknown field", chained(swapText(`"attempt":1,`, `"attempt":1,"__proto__":{},`)), true, "integrity", true, nil, false},
		{"14", "an unknown type", chained(swapText(`"type":"item.intent"`, `"type":"item.wish"`)), true, "integrity", true, nil, false},
		{"14", "a byte order mark", lines(func(l [][]byte) [][]byte { l[0] = append([]byte("\ufeff"), l[0]...); return l }), true, "integrity", true, nil, false},
		{"14", "CR LF", chained(func(l [][]byte) [][]byte { l[2] = bytes.Replace(l[2], []byte("\n"), []byte("\r\n"), 1); return l }), true, "integrity", true, nil, false},
		{"14", "a lone surrogate", chained(swapText("alice", `al\ud800ice`)), true, "integrity", true, nil, false},
		{"14", "a number in another form", chained(swapText(`"attempt":1,`, `"attempt":1.0,`)), true, "integrity", true, nil, false},
		{"14", "a number with an exponent", chained(swapText(`"attempt":1,`, `"attempt":1e0,`)), true, "integrity", true, nil, false},
		{"14", "a number beyond its type", chained(swapText(`"attempt":1,`, `"attempt":18446744073709551617,`)), true, "integrity", true, nil, false},
		{"14", "minus zero", chained(swapText(`"attempt":1,`, `"attempt":-0,`)), true, "integrity", true, nil, false},
		{"14", "a NUL in a text", chained(swapText("alice", "al\x00ce")), true, "integrity", true, nil, false},
		{"14", "bad UTF-8", chained(swapText("alice", "al\xffce")), true, "integrity", true, nil, false},
		{"14", "a line over 64 KiB", chained(swapText(`"command":"pg_ctl promote"`, `"command":"`+strings.Repeat("x", 70000)+`"`)), true, "integrity", true, nil, false},
		{"14", "no LF at the end", lines(func(l [][]byte) [][]byte { n := len(l) - 2; l[n] = bytes.TrimSuffix(l[n], []byte("\n")); return l }), true, "integrity", true, nil, false},
		{"16", "a signature for another purpose", resignFor(ApprovalNamespace, "executor"), false, "integrity", true, nil, false},
		{"16", "a key that was not valid any more when the run ended", noChange, true, "authenticity", true, expiredSigners, false},
		{"16", "a key that is revoked", noChange, true, "authenticity", false, nil, true},
		{"16", "a key for another purpose by the signers file", noChange, true, "authenticity", true, otherPurpose, false},
		{"16", "a signature of something else", write(SignatureFile, "x"), false, "integrity", true, nil, false},
		{"17", "an attacker's key, in the bundle's own signers", func(t *testing.T, d string) {
			t.Helper()
			line := testKey(t, "mallory").AllowedSigner("executor@ops-1", EvidenceNamespace)
			write("project/allowed_signers", line+"\n")(t, d)
			resign(t, d, testKey(t, "mallory"))
		}, false, "authenticity", true, nil, false},
		{"18", "a symlink for a file", func(t *testing.T, d string) { t.Helper(); require.NoError(t, swapForLink(d)) }, false, "integrity", true, nil, false},
		{"20", "an intent whose outcome is gone, and a verdict that passes", chained(dropOutcomes), true, "meaning", true, nil, false},
		{"19", "the report says other than the journal", func(t *testing.T, d string) { t.Helper(); edit(t, d, "report.html", replace("passed", "x")) }, true, "meaning", false, nil, false},
		{"19", "the seal says other than the journal", func(t *testing.T, d string) {
			t.Helper()
			edit(t, d, SealFile, replace("verdict passed", "verdict failed"))
		}, true, "integrity", false, nil, false},
		{"-", "the verdict claimed in run.closed", chained(swapText(`"verdict":"passed"`, `"verdict":"failed"`)), true, "meaning", true, nil, false},
		{"-", "the signature gone", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.Remove(d+"/"+SignatureFile)) }, false, "authenticity", true, nil, false},
		{"-", "the list gone", func(t *testing.T, d string) { t.Helper(); require.NoError(t, os.Remove(d+"/"+SumsFile)) }, false, "integrity", true, nil, false},
		{"-", "the plan changed, signed again", func(t *testing.T, d string) { t.Helper(); edit(t, d, PlanFile, replace(`"30"`, `"31"`)) }, true, "integrity", false, nil, false},
		{"-", "the project changed, signed again", func(t *testing.T, d string) { t.Helper(); edit(t, d, "project/payments.hcl", replace("payments", "x")) }, true, "integrity", false, nil, false},
	}
}

// everywhere changes a text in every line.
func everywhere(old, with string) func([][]byte) [][]byte {
	return func(ls [][]byte) [][]byte {
		return bytes.SplitAfter(bytes.ReplaceAll(bytes.Join(ls, nil), []byte(old), []byte(with)), []byte("\n"))
	}
}

// dropOutcomes leaves out how the step ended and numbers the lines anew.
func dropOutcomes(ls [][]byte) [][]byte {
	var out [][]byte
	for _, l := range ls {
		if bytes.Contains(l, []byte(`"type":"item.outcome"`)) && bytes.Contains(l, []byte("step.promote")) {
			continue
		}
		if i := bytes.Index(l, []byte(`,"prev"`)); i >= 0 {
			l = append(fmt.Appendf(nil, `{"v":1,"seq":%d`, len(out)), l[i:]...)
		}
		out = append(out, l)
	}
	return out
}

func noChange(*testing.T, string) {}

// expiredSigners and otherPurpose are signers files in which the executor's key does not count for this seal.
func expiredSigners(t *testing.T) string {
	t.Helper()
	return "executor@ops-1 valid-before=\"20260101\" " + publicLine(testKey(t, "executor"))
}

func otherPurpose(t *testing.T) string {
	t.Helper()
	return testKey(t, "executor").AllowedSigner("executor@ops-1", ApprovalNamespace)
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

	var table []string
	row := func(row, attack, key, by, shell, why string) {
		table = append(table, fmt.Sprintf("%4s  %-72s %-5s %-36s %-6s %s", row, attack, key, by, shell, clip(anyPath.ReplaceAllString(why, "$1…/"), 110)))
	}
	row("row", "attack", "key", "caught by verify", "shell", "why, in the words of verify")
	for _, a := range corpus() {
		dir := copyTree(t, good)
		a.do(t, dir)
		key := "no"
		if a.forged {
			key = "held"
			resign(t, dir, testKey(t, "executor"))
		}
		opts, file := verifyOptions(t), signers
		if a.signers != nil {
			file = filepath.Join(t.TempDir(), "signers")
			require.NoError(t, os.WriteFile(file, []byte(a.signers(t)+"\n"), 0o600))
			var err error
			opts.Signers, err = ParseSigners([]byte(a.signers(t)))
			require.NoError(t, err)
		}
		if a.revoke {
			require.NoError(t, opts.Signers.Revoke([]byte(testKey(t, "executor").Fingerprint())))
		}
		res, err := Verify(dir, opts)
		require.NoError(t, err)
		caught := failed(res)
		require.False(t, res.OK(), a.name)
		require.Contains(t, caught, a.layer, "%s: %v", a.name, res.Reasons())
		code, out := shellVerify(t, dir, file, "executor@ops-1")
		require.Equal(t, a.shell, code != 0, "%s: %s", a.name, out)
		row(a.row, a.name, key, strings.Join(caught, " "), yesNo(code != 0), firstReason(res, a.layer))
	}
	for _, r := range elsewhere() {
		why, err := r.try(t)
		require.NoError(t, err, r.name)
		require.NotEmpty(t, why, r.name)
		row(r.row, r.name, "", r.by, "-", why)
	}
	slices.SortStableFunc(table[1:], func(a, b string) int { return strings.Compare(a[:4], b[:4]) })
	t.Log(strings.Join(table, "\n"))
}

// anyPath is a path of the machine on which the test runs.
var anyPath = regexp.MustCompile(`(^|[ "])/[^ ]*/`)

// firstReason is the first problem of a verdict.
func firstReason(res *Result, layer string) string {
	for _, r := range res.Reasons() {
		if why, ok := strings.CutPrefix(r, layer+": "); ok {
			return why
		}
	}
	return ""
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
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

// guard is an attack that something else than verify of one bundle stops. try says how it was stopped, in the words of
// what stopped it, or an error when it was not.
type guard struct {
	row, name, by string
	try           func(t *testing.T) (why string, err error)
}

// elsewhere is what happens before a bundle is there, or beside it.
func elsewhere() []guard {
	return append(append(ledgerGuards(), approvalGuards()...), recordGuards()...)
}

// ledgerSays changes an installation and gives what the ledger says then.
func ledgerSays(change func(t *testing.T, state string), pinned bool) func(*testing.T) (string, error) {
	return func(t *testing.T) (string, error) {
		t.Helper()
		state, _ := installation(t)
		pin := ""
		if pinned {
			pin = checkLedger(t, state, "").Checkpoint.Pin()
		}
		change(t, state)
		res, err := VerifyLedger(state, LedgerOptions{Pin: pin, Signers: sampleSigners(t)})
		switch {
		case err != nil:
			return err.Error(), nil //nolint:nilerr // the refusal is what is asked for
		case len(res.Problems) > 0:
			return res.Problems[0], nil
		case !pinned && !res.Anchored:
			return "NOT CAUGHT without a pin, which verify says: anchor none", errUnseen
		}
		return "", errors.New("not caught")
	}
}

// errUnseen: an attack cannot be seen without what somebody else kept, and that is said.
var errUnseen = errors.New("not seen")

// unseen expects an attack not to be seen.
func unseen(try func(*testing.T) (string, error)) func(*testing.T) (string, error) {
	return func(t *testing.T) (string, error) {
		t.Helper()
		why, err := try(t)
		if errors.Is(err, errUnseen) {
			return why, nil
		}
		return "", fmt.Errorf("seen after all: %s, %w", why, err)
	}
}

func ledgerGuards() []guard {
	cut := func(t *testing.T, s string) {
		t.Helper()
		require.NoError(t, os.RemoveAll(RunDir(s, "r3")))
		dropLines(t, s, 8, 11)
		require.NoError(t, os.Remove(filepath.Join(s, checkpointsDir, "0000000011.txt")))
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
		{"7", "a whole run gone, with its lines in the ledger", "ledger", ledgerSays(func(t *testing.T, s string) {
			t.Helper()
			require.NoError(t, os.RemoveAll(RunDir(s, "r2")))
			dropLines(t, s, 5, 8)
		}, false)},
		{"8", "the newest run and the ledger's end gone", "ledger with --pin", ledgerSays(cut, true)},
		{"8", "the same without a pin", "(nothing can)", unseen(ledgerSays(cut, false))},
		{"9", "all history written anew with the real key", "ledger with --pin", ledgerSays(anew("r1", "r3", "r4"), true)},
		{"9", "the same without a pin", "(nothing can)", unseen(ledgerSays(anew("r1", "r3", "r4"), false))},
		{"10", "two histories of the same size", "ledger with --pin", ledgerSays(anew("r1", "r2", "r4"), true)},
	}
}

// stopped expects an error of that kind.
func stopped(err, want error) (string, error) {
	if !errors.Is(err, want) {
		return "", fmt.Errorf("want %w, got: %w", want, err)
	}
	return err.Error(), nil
}

func approvalGuards() []guard {
	r := request()
	members := []string{"bob@example.org", "carol@example.org", "alice@example.org"}
	try := func(want error, text func() []byte, keys ...string) func(*testing.T) (string, error) {
		return func(t *testing.T) (string, error) {
			t.Helper()
			g := approval.NewGate(r, members, []string{"alice@example.org"})
			v := ApprovalVerifier{Signers: people(t, "bob", "carol", "alice", "dave", "bob=bob-laptop")}
			signed := r.Text()
			if text != nil {
				signed = text()
			}
			var err error
			for _, key := range keys {
				sig, serr := testKey(t, key).Sign(signed, ApprovalNamespace)
				require.NoError(t, serr)
				at := r.Requested
				if errors.Is(want, approval.ErrLate) {
					at = r.ApproveBy.Add(1)
				}
				_, err = g.Add(v, nil, sig, at)
			}
			return stopped(err, want)
		}
	}
	other := func(change func(*approval.Request)) func() []byte {
		return func() []byte {
			o := r
			change(&o)
			return o.Text()
		}
	}
	return []guard{
		{"23", "an approval by the operator", "approval rules", try(approval.ErrOperator, nil, "alice")},
		{"23", "a second by the same person, under another key", "approval rules", try(approval.ErrTwice, nil, "bob", "bob-laptop")},
		{"23", "an approval by somebody without the role", "approval rules", try(approval.ErrMember, nil, "dave")},
		{"23", "an approval of another plan", "approval rules", try(approval.ErrSignature, other(func(o *approval.Request) { o.PlanDigest = "sha256:9" }), "bob")},
		{"23", "an approval of an earlier request", "approval rules", try(approval.ErrSignature, other(func(o *approval.Request) { o.Nonce = strings.Repeat("cd", 16) }), "bob")},
		{"23", "an approval after its time", "approval rules", try(approval.ErrLate, nil, "bob")},
	}
}

func recordGuards() []guard {
	return []guard{
		{"18", "tar: parent directory, absolute name, links, device, the same name twice", "strict tar reader", func(t *testing.T) (string, error) {
			t.Helper()
			why := ""
			for _, e := range []entry{
				{name: "r/../../x", kind: tar.TypeReg}, {name: "/etc/passwd", kind: tar.TypeReg}, {name: "r/l", kind: tar.TypeLink, link: "r/a"},
				{name: "r/s", kind: tar.TypeSymlink, link: "/etc/passwd"}, {name: "r/d", kind: tar.TypeChar}, {name: "r/a", kind: tar.TypeReg},
			} {
				_, err := Verify(writeTar(t, hostile(t, entry{name: "r/a", kind: tar.TypeReg}, e)), verifyOptions(t))
				if !errors.Is(err, ErrTar) {
					return "", fmt.Errorf("%s: %w", e.name, err)
				}
				why = err.Error()
			}
			return why, nil
		}},
		{"20", "a crash between effect and outcome, closed as if nothing were", "completeness, meaning", func(t *testing.T) (string, error) {
			t.Helper()
			s := openSample(t, t.TempDir(), nil)
			s.check()
			s.intent()
			s.add(&engine.RunClosed{Verdict: engine.Passed})
			require.NoError(t, s.run.Close())
			_, err := Seal(s.run.Dir, sealOptions(t))
			require.NoError(t, err)
			res := mustVerify(t, s.run.Dir)
			if res.Meaning.Status != StatusFailed {
				return "", errors.New("not caught")
			}
			return res.Reasons()[0], nil
		}},
		{"21", "two executors on one run", "lock", func(t *testing.T) (string, error) {
			t.Helper()
			s := openSample(t, t.TempDir(), nil)
			_, _, err := Resume(s.run.Dir, RunOptions{}, &engine.RunResumed{})
			require.NoError(t, s.run.Close())
			return stopped(err, fsx.ErrLocked)
		}},
		{"21", "two executors on one run, where the lock holds nobody", "fence of the journal", func(t *testing.T) (string, error) {
			t.Helper()
			s := openSample(t, t.TempDir(), nil)
			require.NoError(t, os.Rename(s.run.Dir, s.run.Dir+".away"))
			require.NoError(t, os.CopyFS(s.run.Dir, os.DirFS(s.run.Dir+".away")))
			_, err := s.run.Journal.Append(t.Context(), &engine.MarkSet{})
			if err == nil {
				_, err = s.run.Journal.Append(t.Context(), &engine.ItemIntent{Unit: engine.Unit{Item: "step.promote", Host: "db-b1"}, AttemptID: "a"})
			}
			_ = s.run.Close()
			return stopped(err, journal.ErrTakenOver)
		}},
		{"22", "fsync fails", "poisoned journal", func(t *testing.T) (string, error) {
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
			_ = j.Close()
			if !errors.Is(first, syscall.EIO) {
				return "", fmt.Errorf("first: %w", first)
			}
			return stopped(second, journal.ErrPoisoned)
		}},
		{"22", "no space on the disk", "poisoned journal", func(t *testing.T) (string, error) {
			t.Helper()
			full := false
			j, err := journal.Create(t.TempDir(), journal.Options{Run: "r", Mode: engine.Live, FS: &faultfs.FS{
				FS: fsx.OS{}, Decide: func(op faultfs.Op) faultfs.Action {
					if op.Name == "write" && full {
						return faultfs.Action{Err: syscall.ENOSPC, Short: true}
					}
					return faultfs.Action{}
				},
			}})
			require.NoError(t, err)
			_, err = j.Append(t.Context(), &engine.RunOpened{Run: "r"})
			require.NoError(t, err)
			full = true
			_, first := j.Append(t.Context(), &engine.ItemIntent{AttemptID: "a"})
			full = false
			_, second := j.Append(t.Context(), &engine.MarkSet{})
			_ = j.Close()
			if !errors.Is(first, syscall.ENOSPC) {
				return "", fmt.Errorf("first: %w", first)
			}
			return stopped(second, journal.ErrPoisoned)
		}},
		{"30", "a secret in an output", "redaction", func(t *testing.T) (string, error) {
			t.Helper()
			r := redact.New()
			require.NoError(t, r.Add("db", "correct-horse"))
			a := newArtifacts(fsx.OS{}, t.TempDir(), r)
			out := writeChunks(t, a, "it is correct-horse", 3)
			if strings.Contains(out.Text, "horse") || out.Redactions != 1 {
				return "", errors.New("leaked")
			}
			return "recorded as: " + out.Text, nil
		}},
		{"30", "a secret that reached a file all the same", "search before the seal", func(t *testing.T) (string, error) {
			t.Helper()
			s := openSample(t, t.TempDir(), nil)
			s.check()
			s.output(engine.Unit{Item: "step.promote", Host: "db-b1"}, "it is "+hex.EncodeToString([]byte("correct-horse")))
			dir := s.close()
			opts := sealOptions(t)
			require.NoError(t, opts.Redactor.Add("db", "correct-horse"))
			_, err := Seal(dir, opts)
			var leak *LeakError
			if !errors.As(err, &leak) {
				return "", fmt.Errorf("not caught: %w", err)
			}
			return leak.Error(), nil
		}},
		{"33", "output without end", "cap, recorded as truncated", func(t *testing.T) (string, error) {
			t.Helper()
			a := newArtifacts(fsx.OS{}, t.TempDir(), nil)
			out := writeChunks(t, a, strings.Repeat("y", 64<<10), 64<<10)
			w, err := a.Create()
			require.NoError(t, err)
			for range 20 << 4 {
				_, err := w.Write(bytes.Repeat([]byte("y"), 64<<10))
				require.NoError(t, err)
			}
			big, err := w.Finish()
			require.NoError(t, err)
			stored, err := a.Get(big.Artifact)
			require.NoError(t, err)
			if out.Truncated || !big.Truncated || big.Size != 20<<20 || len(stored) > MaxArtifact+4096 {
				return "", fmt.Errorf("%d of %d bytes kept, truncated: %v", len(stored), big.Size, big.Truncated)
			}
			return fmt.Sprintf("%d of %d bytes kept; size and digest are of the whole", len(stored), big.Size), nil
		}},
	}
}
