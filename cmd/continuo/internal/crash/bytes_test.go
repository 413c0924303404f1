package crash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

// finished is the state directory of a run that came to its end undisturbed, with its journal.
func finished(t *testing.T) (state, dir string, data []byte) {
	t.Helper()
	state = filepath.Join(t.TempDir(), "state")
	s, _ := simulated(t, newWork(t, "/p", "22", "/witness"), newSigner(t), state, noSync{})
	require.NoError(t, s.life.begin(t.Context(), firstRun))
	dir = opened(t, state)
	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	return state, dir, data
}

// damages are what can become of one byte, each with the text around it.
func damages(data []byte, n int) [][]byte {
	var out [][]byte
	for _, b := range [][]byte{{data[n] ^ 1}, {0}, {0xff}, {data[n], data[n]}, {}} {
		if len(b) == 1 && b[0] == data[n] {
			continue
		}
		out = append(out, bytes.Join([][]byte{data[:n], b, data[n+1:]}, nil))
	}
	return out
}

// TestCrashTruncation cuts the journal of an unsealed run at every byte, and takes it up. What is left is exactly the lines
// that are whole; what was torn is kept; and at a sample of the cuts a controller goes on from there.
func TestCrashTruncation(t *testing.T) {
	t.Parallel()
	w, signer := newWork(t, "/p", "22", "/witness"), newSigner(t)
	_, _, data := finished(t)
	count, wrong := 0, 0
	for n := 0; n < len(data); n += every(17) {
		count++
		p, err := journal.ReadPrefix(bytes.NewReader(data[:n]))
		whole := bytes.Count(data[:n], []byte("\n"))
		rest := data[bytes.LastIndexByte(data[:n], '\n')+1 : n]
		if whole > 0 && err != nil || len(p.Events) != whole || !bytes.Equal(p.Torn, rest) {
			wrong++
			t.Logf("cut at byte %d: %d events, %d bytes torn: %v", n, len(p.Events), len(p.Torn), err)
		}
	}
	require.Zero(t, wrong)
	var f figures
	for at := 2; at < 2*(bytes.Count(data, []byte("\n"))-1); at += every(11) { // halves of lines: not in the first, nor in the last
		state := filepath.Join(t.TempDir(), "state")
		s, sim := simulated(t, w, signer, state, noSync{})
		require.NoError(t, s.life.begin(t.Context(), firstRun))
		unseal(t, state, at)
		again, world := simulated(t, w, signer, state, nil)
		left, err := os.ReadFile(filepath.Join(opened(t, state), journal.FileName))
		require.NoError(t, err)
		relive(t, w, sim, world, left)
		f.recovers(t, again)
	}
	f.report(t, "cuts taken up")
	t.Logf("%-26s %d: 0 not as the whole lines before the cut", "truncations", count)
}

// unseal makes of a finished run one that was left when its journal had so many half lines. Journals of two runs are not the
// same bytes.
func unseal(t *testing.T, state string, halves int) {
	t.Helper()
	dir := opened(t, state)
	for _, name := range []string{evidence.SumsFile, evidence.SignatureFile, evidence.SealFile, evidence.ReadmeFile, "report.json"} {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	name := filepath.Join(dir, journal.FileName)
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	lines := bytes.SplitAfter(data, []byte("\n"))
	n := len(bytes.Join(lines[:halves/2], nil)) + halves%2*len(lines[halves/2])/2
	require.NoError(t, os.Truncate(name, int64(n)))
	// The ledger saw the run opened, and neither its end nor its seal.
	ledger := filepath.Join(state, evidence.LedgerFile)
	data, err = os.ReadFile(ledger)
	require.NoError(t, err)
	kept := bytes.SplitAfter(data, []byte("\n"))[:2]
	require.Contains(t, string(kept[1]), `"run.opened"`)
	require.NoError(t, os.WriteFile(ledger, bytes.Join(kept, nil), 0o600))
	require.NoError(t, os.RemoveAll(filepath.Join(state, "checkpoints")))
}

// TestCrashDamage damages every byte of a journal, in five ways. Of a sealed run nothing of that passes. Of an unsealed one
// nothing before the last line does; the last line can look torn, and is kept then, or be another well-formed line: that
// shows against the seal, and before that only against a head in the ledger.
func TestCrashDamage(t *testing.T) {
	t.Parallel()
	_, dir, data := finished(t)
	seal, err := os.ReadFile(filepath.Join(dir, evidence.SealFile))
	require.NoError(t, err)
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	count, torn, formed, undetected := 0, 0, 0, 0
	for n := 0; n < len(data); n += every(97) {
		for _, bad := range damages(data, n) {
			count++
			sum := sha256.Sum256(bad)
			if strings.Contains(string(seal), "journal-sha256 "+hex.EncodeToString(sum[:])+"\n") {
				undetected++
			}
			p, err := journal.ReadPrefix(bytes.NewReader(bad))
			switch {
			case err != nil:
			case n >= last-1 && len(p.Torn) > 0 && bytes.HasSuffix(bad, p.Torn):
				torn++
			case n >= last:
				formed++
			default:
				undetected++
				t.Logf("byte %d: taken up as if nothing had happened", n)
			}
		}
	}
	t.Logf("%-26s %d: %d undetected (of an unsealed run %d look like a torn last line and are kept, %d in the last line are well formed)",
		"damaged bytes", count, undetected, torn, formed)
	require.Zero(t, undetected)
}

// TestCrashDamageOfABundle damages a byte of every file of a sealed run, as verify sees it.
func TestCrashDamageOfABundle(t *testing.T) {
	t.Parallel()
	state, dir, _ := finished(t)
	files := snapshot(t, dir)
	require.Greater(t, len(files), 5)
	count, undetected := 0, 0
	for name, text := range files {
		for _, n := range []int{0, len(text) / 2, len(text) - 1} {
			if len(text) == 0 {
				continue
			}
			bad := []byte(text)
			bad[n] ^= 1
			require.NoError(t, os.WriteFile(dir+name, bad, 0o600))
			res, err := evidence.Verify(dir, evidence.VerifyOptions{Renderers: renderers()})
			count++
			if err == nil && res.Integrity.Status == evidence.StatusOK {
				undetected++
				t.Logf("%s: byte %d", name, n)
			}
		}
		require.NoError(t, os.WriteFile(dir+name, []byte(text), 0o600))
	}
	t.Logf("%-26s %d: %d undetected", "damaged bytes of files", count, undetected)
	require.Zero(t, undetected)
	_, err := evidence.VerifyLedger(state, evidence.LedgerOptions{})
	require.NoError(t, err)
}
