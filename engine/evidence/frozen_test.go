package evidence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

const frozenDir = "testdata/v1"

// frozen makes the bundle that testdata/v1 holds: every kind of file that the format knows.
func frozen(t testing.TB) string {
	t.Helper()
	s := openSample(t, t.TempDir(), withGate)
	s.add(
		&engine.HostConnected{Host: "db-b1", Address: "10.2.0.11:22", HostKey: "SHA256:abc", Via: []string{"bastion"}},
		&engine.PreflightResult{Host: "db-b1", OK: true, Checks: []engine.PreflightCheck{{Name: "reach", OK: true}}},
		&engine.MarkSet{Mark: "declared", At: reviewedAt, Source: "operator"},
	)
	s.check()
	r := request()
	s.gate(requested(r), granted(t, r, "bob", "bob"), granted(t, r, "carol", "carol"), used(r, "bob", "carol"))
	s.step()
	s.add(&engine.OperatorAction{Action: engine.ActionNote, By: "alice@example.org", Reason: "naïve “quotes” & <tags>\u2028\x01"})
	dir := s.close()
	_, err := Seal(dir, sealOptions(t))
	require.NoError(t, err)
	addReview(t, dir, "rita", people(t, "rita"))
	return dir
}

// TestFrozenBundle holds every later version to the first format. The files are written once; CONTINUO_FREEZE=1 writes
// them anew, which is right only as long as nothing was released.
func TestFrozenBundle(t *testing.T) {
	t.Parallel()
	name, signersName := filepath.Join(frozenDir, string(sampleRun)+".tar"), filepath.Join(frozenDir, "allowed_signers")
	if os.Getenv("CONTINUO_FREEZE") == "1" {
		require.NoError(t, os.MkdirAll(frozenDir, 0o755))
		require.NoError(t, os.WriteFile(name, exported(t, frozen(t)), 0o644))
		lines := []string{
			testKey(t, "executor").AllowedSigner("executor@ops-1", EvidenceNamespace),
			testKey(t, "bob").AllowedSigner("bob@example.org", ApprovalNamespace),
			testKey(t, "carol").AllowedSigner("carol@example.org", ApprovalNamespace),
			testKey(t, "rita").AllowedSigner("rita@example.org", ReviewNamespace),
		}
		require.NoError(t, os.WriteFile(signersName, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	}
	data, err := os.ReadFile(signersName)
	require.NoError(t, err)
	signers, err := ParseSigners(data)
	require.NoError(t, err)
	res, err := Verify(name, VerifyOptions{Signers: signers, Tool: "9.9.9"})
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	require.True(t, res.OK())
	require.Equal(t, engine.Passed, res.Verdict)
	require.Len(t, res.After, 1)
	require.Equal(t, []string{"executor@ops-1"}, res.Principals)

	out := unpack(t, name)
	code, text := shellVerify(t, filepath.Join(out, string(sampleRun)), absolute(t, signersName), "executor@ops-1")
	require.Zero(t, code, "%s", text)
}

func absolute(t testing.TB, name string) string {
	t.Helper()
	abs, err := filepath.Abs(name)
	require.NoError(t, err)
	return abs
}

// unpack writes the files of a bundle's tar with our own reader.
func unpack(t testing.TB, name string) string {
	t.Helper()
	out := t.TempDir()
	src, err := openTar(name)
	require.NoError(t, err)
	defer src.Close()
	for _, f := range src.files() {
		data, err := readWhole(src, f.name, maxFile)
		require.NoError(t, err)
		to := filepath.Join(out, string(sampleRun), f.name)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
		require.NoError(t, os.WriteFile(to, data, 0o600))
	}
	return out
}
