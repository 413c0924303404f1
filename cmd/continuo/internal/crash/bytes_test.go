package crash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	taken := f.cases
	f.cases, f.undetected = count, f.undetected+wrong
	f.report(t, "truncations", fmt.Sprintf("after each exactly the whole lines before the cut are left, and the torn bytes; %d taken up to the end", taken))
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
	f := figures{cases: count, undetected: undetected}
	f.report(t, "damaged bytes", fmt.Sprintf("in the last line of an unsealed run %d look torn and are kept, and %d are another well-formed "+
		"line, which shows only against the seal or a head in the ledger", torn, formed))
}

// TestCrashDamagedEnd damages the last line of a run that was left, at each of its lines, and takes up what is not refused. A
// last line that is another well-formed line by accident cannot be told from what was written before it is sealed; but nothing
// starts twice for it.
func TestCrashDamagedEnd(t *testing.T) {
	t.Parallel()
	w, signer := newWork(t, "/p", "22", "/witness"), newSigner(t)
	_, _, data := finished(t)
	var f figures
	var formed, refused int
	lines := bytes.Count(data, []byte("\n"))
	for k := 2; k < lines; k += 3 * every(3) {
		state := filepath.Join(t.TempDir(), "state")
		s, sim := simulated(t, w, signer, state, noSync{})
		require.NoError(t, s.life.begin(t.Context(), firstRun))
		unseal(t, state, 2*k)
		name := filepath.Join(opened(t, state), journal.FileName)
		left, err := os.ReadFile(name)
		require.NoError(t, err)
		last := bytes.LastIndexByte(left[:len(left)-1], '\n') + 1
		for n := last + k%7; n < len(left); n += 7 * every(9) {
			for _, bad := range damages(left, n) {
				p, err := journal.ReadPrefix(bytes.NewReader(bad))
				if err != nil {
					refused++
					continue
				}
				if len(p.Torn) == 0 {
					formed++
				}
				at := filepath.Join(t.TempDir(), "state")
				require.NoError(t, os.CopyFS(at, os.DirFS(state)))
				require.NoError(t, os.WriteFile(filepath.Join(opened(t, at), journal.FileName), bad, 0o600))
				again, world := simulated(t, w, signer, at, nil)
				relive(t, w, sim, world, left)
				f.damaged(t, again)
			}
		}
	}
	require.Positive(t, f.refused)
	t.Logf("%-26s %d: %d steps started twice (of an unsealed run; %d held for a person, %d refused, %d more refused by the reader); "+
		"%d are another well-formed line, which shows only against the seal or a head in the ledger",
		"damaged last lines", f.cases, f.twice, f.unknown, f.refused, refused, formed)
	require.Zero(t, f.twice)
}

// damaged has a controller take up a run whose last line is damaged in a way that the reader takes for a line or for a torn one.
func (f *figures) damaged(t *testing.T, s *scene) {
	t.Helper()
	f.cases++
	s.life.fs, s.life.acked = noSync{}, func(uint64, string) {}
	s.alive()
	switch err := s.life.takeUp(t.Context()); {
	case errors.Is(err, errHeld):
		f.unknown++
	case err != nil:
		f.refused++
	}
	ran := s.ran()
	slices.Sort(ran)
	f.twice += len(ran) - len(slices.Compact(slices.Clone(ran)))
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
	f := figures{cases: count, undetected: undetected}
	f.report(t, "damaged files of a bundle")
	_, err := evidence.VerifyLedger(state, evidence.LedgerOptions{})
	require.NoError(t, err)
}
