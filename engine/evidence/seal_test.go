package evidence

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/redact"
)

func TestASealedRunVerifies(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	res := mustVerify(t, dir)
	require.Empty(t, res.Reasons())
	require.True(t, res.OK())
	require.Equal(t, sampleRun, res.Run)
	require.Equal(t, engine.Live, res.Mode)
	require.Equal(t, engine.Passed, res.Verdict)
	require.Equal(t, []string{"executor@ops-1"}, res.Principals)
	require.Equal(t, "none", res.Anchor)
}

func TestStandardToolsVerifyABundle(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	run := func(dir, stdin, name string, args ...string) string {
		cmd := exec.Command(tool(t, name), args...)
		cmd.Dir = dir
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	run(dir, "", "sha256sum", "--strict", "-c", SumsFile)
	signers := filepath.Join(t.TempDir(), "signers")
	line := testKey(t, "executor").AllowedSigner("executor@ops-1", EvidenceNamespace)
	require.NoError(t, os.WriteFile(signers, []byte(line+"\n"), 0o600))
	sums, err := os.ReadFile(filepath.Join(dir, SumsFile))
	require.NoError(t, err)
	out := run(dir, string(sums), "ssh-keygen", "-Y", "verify", "-f", signers, "-I", "executor@ops-1",
		"-n", EvidenceNamespace, "-s", SignatureFile)
	require.Contains(t, out, `Good "evidence@continuo" signature for executor@ops-1`)
	out = run(dir, "", "sh", "README.txt", signers, "executor@ops-1")
	require.Contains(t, out, "integrity: ok")
	require.Contains(t, out, "authenticity: ok")
}

// shellVerify runs the bundle's own script and returns its exit code and output.
func shellVerify(t testing.TB, dir string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(tool(t, "sh"), append([]string{"README.txt"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return 0, string(out)
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return exit.ExitCode(), string(out)
}

func TestShellVerifierIsHonestAboutWhatItDidNotCheck(t *testing.T) {
	t.Parallel()
	code, out := shellVerify(t, sealedSample(t))
	require.Equal(t, 3, code)
	require.Contains(t, out, "authenticity: UNCHECKED")
}

func TestOneByteChangedInAnyFileIsNamed(t *testing.T) {
	t.Parallel()
	good := sealedSample(t)
	var names []string
	require.NoError(t, filepath.WalkDir(good, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(good, p)
			names = append(names, rel)
		}
		return err
	}))
	require.Greater(t, len(names), 12)
	cases := 0
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(good, name))
		require.NoError(t, err)
		if len(data) == 0 {
			continue
		}
		dir := copyTree(t, good)
		for _, at := range []int{0, len(data) / 3, len(data) / 2, len(data) - 2, len(data) - 1} {
			bad := bytes.Clone(data)
			bad[max(at, 0)] ^= 1
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), bad, 0o600))
			res := mustVerify(t, dir)
			require.False(t, res.OK())
			require.Equal(t, StatusFailed, res.Integrity.Status, "%s at %d", name, at)
			require.Contains(t, strings.Join(res.Reasons(), "\n"), filepath.ToSlash(name), "byte %d", at)
			cases++
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
		require.True(t, mustVerify(t, dir).OK(), "whole again")
	}
	t.Logf("%d files, %d changes", len(names), cases)
}

func TestEveryByteOfTheSignatureAndTheListCounts(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	for _, name := range []string{SignatureFile, SumsFile, SealFile} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		step := 1
		if name != SignatureFile {
			step = 7
		}
		for at := 0; at < len(data); at += step {
			bad := bytes.Clone(data)
			bad[at] ^= 0x20
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			require.False(t, mustVerify(t, dir).OK(), "%s byte %d", name, at)
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
}

func TestTheSetOfFilesIsExact(t *testing.T) {
	t.Parallel()
	good := sealedSample(t)
	for name, c := range map[string]struct {
		change func(dir string) error
		want   string
		shell  bool // whether the shell verifier sees it too
	}{
		"extra file":         {func(d string) error { return os.WriteFile(filepath.Join(d, "extra"), nil, 0o600) }, "extra is not in SHA256SUMS", true},
		"extra hidden file":  {func(d string) error { return os.WriteFile(filepath.Join(d, "project/.x"), nil, 0o600) }, "project/.x is not in", true},
		"missing file":       {func(d string) error { return os.Remove(filepath.Join(d, "report.html")) }, "report.html is missing", true},
		"missing journal":    {func(d string) error { return os.Remove(filepath.Join(d, journal.FileName)) }, "journal.jsonl is missing", true},
		"missing plan":       {func(d string) error { return os.Remove(filepath.Join(d, PlanFile)) }, "plan.json is missing", true},
		"symlink":            {func(d string) error { return os.Symlink("plan.json", filepath.Join(d, "link")) }, "link: not a regular file", true},
		"symlink for a file": {swapForLink, "report.html: not a regular file", true},
		"empty directory":    {func(d string) error { return os.Mkdir(filepath.Join(d, "empty"), 0o700) }, "empty: an empty directory", false},
		"strange name":       {func(d string) error { return os.WriteFile(filepath.Join(d, "a\nb"), nil, 0o600) }, `"a\nb"`, true},
		"file renamed":       {func(d string) error { return os.Rename(d+"/report.html", d+"/report.htm") }, "report.htm is not in", true},
		"two names by case":  {func(d string) error { return os.WriteFile(filepath.Join(d, "PLAN.json"), nil, 0o600) }, "differ only in case", true},
		"a socket": {func(d string) error {
			l, err := net.Listen("unix", filepath.Join(d, "s"))
			if err == nil {
				t.Cleanup(func() { _ = l.Close() })
			}
			return err
		}, "s: not a regular file", true},
		"no list":      {func(d string) error { return os.Remove(filepath.Join(d, SumsFile)) }, "the run is not sealed", true},
		"no signature": {func(d string) error { return os.Remove(filepath.Join(d, SignatureFile)) }, "the bundle is unsigned", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := copyTree(t, good)
			require.NoError(t, c.change(dir))
			res := mustVerify(t, dir)
			require.False(t, res.OK())
			require.Contains(t, strings.Join(res.Reasons(), "\n"), c.want)
			code, out := shellVerify(t, dir)
			require.Equal(t, c.shell, code == 1, "shell verifier: exit %d\n%s", code, out)
		})
	}
}

func swapForLink(dir string) error {
	other := filepath.Join(filepath.Dir(dir), "outside.html")
	if err := os.Rename(filepath.Join(dir, "report.html"), other); err != nil {
		return err
	}
	return os.Symlink(other, filepath.Join(dir, "report.html"))
}

func TestSealIsRepeatableWithTheSameBytes(t *testing.T) {
	t.Parallel()
	first, second := sealedSample(t), sealedSample(t)
	for _, name := range []string{SumsFile, SignatureFile, SealFile, ReadmeFile, journal.FileName} {
		a, err := os.ReadFile(filepath.Join(first, name))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(second, name))
		require.NoError(t, err)
		require.Equal(t, string(a), string(b), name)
	}
	out, err := Seal(first, sealOptions(t))
	require.NoError(t, err)
	require.True(t, out.Already)
	require.True(t, mustVerify(t, first).OK())
}

func TestAnUnsignedSealIsSignedLater(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	s.check()
	s.step()
	dir := s.close()
	opts := sealOptions(t)
	opts.Signer = nil
	out, err := Seal(dir, opts)
	require.NoError(t, err)
	require.False(t, out.Signed)
	res := mustVerify(t, dir)
	require.Equal(t, StatusOK, res.Integrity.Status)
	require.Equal(t, StatusFailed, res.Authenticity.Status)
	require.Contains(t, res.Reasons()[0], "unsigned")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "report.html"), []byte("forged"), 0o600))
	_, err = Seal(dir, sealOptions(t))
	require.ErrorContains(t, err, "report.html was changed after the seal; it will not be signed")
	html, err := renderHTML(loadSample(t, dir).Record)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "report.html"), html, 0o600))

	out, err = Seal(dir, sealOptions(t))
	require.NoError(t, err)
	require.True(t, out.Signed && out.Already)
	require.True(t, mustVerify(t, dir).OK())
}

func loadSample(t testing.TB, dir string) *Loaded {
	t.Helper()
	l, err := Load(dir)
	require.NoError(t, err)
	return l
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	t.Run("an open run", func(t *testing.T) {
		t.Parallel()
		s := openSample(t, t.TempDir(), nil)
		_, err := Seal(s.run.Dir, sealOptions(t))
		require.ErrorContains(t, err, "locked by another process")
		require.NoError(t, s.run.Close())
		_, err = Seal(s.run.Dir, sealOptions(t))
		require.ErrorIs(t, err, ErrNotClosed)
	})
	t.Run("a broken journal", func(t *testing.T) {
		t.Parallel()
		s := openSample(t, t.TempDir(), nil)
		dir := s.close()
		name := filepath.Join(dir, journal.FileName)
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, bytes.Replace(data, []byte("alice"), []byte("mallo"), 1), 0o600))
		_, err = Seal(dir, sealOptions(t))
		require.ErrorIs(t, err, journal.ErrChain)
	})
	t.Run("a symlink in the directory", func(t *testing.T) {
		t.Parallel()
		s := openSample(t, t.TempDir(), nil)
		dir := s.close()
		require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "x")))
		_, err := Seal(dir, sealOptions(t))
		require.ErrorContains(t, err, "x: not a regular file")
	})
}

func TestADefectiveReportDoesNotCostTheSeal(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	dir := s.close()
	opts := sealOptions(t)
	opts.Renderers = map[string]Renderer{
		"report.html": func(*engine.Record) ([]byte, error) { panic("oops") },
		"report.json": renderJSON,
		"report.md":   func(*engine.Record) ([]byte, error) { return nil, fs.ErrInvalid },
	}
	out, err := Seal(dir, opts)
	require.NoError(t, err)
	require.Len(t, out.Problems, 2)
	require.Contains(t, out.Problems[0], "report.html: defect in the report: oops")
	require.True(t, mustVerify(t, dir).OK())
}

func TestALeakStopsTheSealAndLosesNothing(t *testing.T) {
	t.Parallel()
	red := redact.New()
	s := openSample(t, t.TempDir(), func(o *RunOptions) {
		o.Redactor = red
		o.Files = append(o.Files, sampleFile("config/app.env", "TOKEN=correct-horse\n"))
	})
	u := engine.Unit{Item: "check.lag", Host: "db-b1"}
	leaked := s.output(u, strings.Repeat("x", 5000)+"correct-horse")
	require.NoError(t, red.Add("token", "correct-horse")) // too late for that output
	kept := s.output(u, strings.Repeat("y", 5000)+"correct-horse")
	require.Equal(t, 1, kept.Redactions)
	s.step()
	dir := s.close()

	opts := sealOptions(t)
	opts.Redactor = red
	_, err := Seal(dir, opts)
	var leak *LeakError
	require.ErrorAs(t, err, &leak)
	require.Len(t, leak.Leaks, 2)
	require.ErrorContains(t, err, `project/config/app.env holds secret "token" (raw, at byte 6)`)
	require.NotContains(t, err.Error(), "correct-horse")
	require.NoFileExists(t, filepath.Join(dir, SumsFile))

	opts.By, opts.Reason = "alice@example.org", "holds the token\nof the portal"
	for _, l := range leak.Leaks {
		opts.Withhold = append(opts.Withhold, l.File)
	}
	require.Contains(t, opts.Withhold, artifactName(leaked.Artifact))
	_, err = Seal(dir, opts)
	require.NoError(t, err)
	res := mustVerify(t, dir)
	require.Empty(t, res.Reasons())
	require.Contains(t, strings.Join(res.Integrity.Notes, "\n"), "project/config/app.env was withheld before the seal")
	text, err := os.ReadFile(filepath.Join(dir, "project/config/app.env"))
	require.NoError(t, err)
	require.Equal(t, "continuo-withheld v1\nfile project/config/app.env\nby alice@example.org\nreason holds the token?of the portal\n", string(text))

	opts.Withhold = []string{journal.FileName}
	_, err = Seal(dir, opts)
	require.ErrorIs(t, err, ErrSealed)
}

func TestTheChainAndTheSealCannotBeWithheld(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	dir := s.close()
	for _, name := range []string{journal.FileName, PlanFile, SealFile, "../x", "project/none"} {
		opts := sealOptions(t)
		opts.Withhold = []string{name}
		_, err := Seal(dir, opts)
		require.Error(t, err, name)
		require.NoFileExists(t, filepath.Join(dir, SumsFile))
	}
}

func TestSealTidiesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	w, err := s.run.Artifacts.Create()
	require.NoError(t, err)
	_, err = w.Write(bytes.Repeat([]byte("x"), 10_000)) // never finished
	require.NoError(t, err)
	dir := s.close()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, sealingDir), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, sealingDir, SealFile), []byte("half"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.jsonl.new"), []byte("half"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "artifacts", "sha256", "ab"), 0o700))
	l, err := net.Listen("unix", filepath.Join(dir, "control.sock"))
	require.NoError(t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	_, err = Seal(dir, sealOptions(t))
	require.NoError(t, err)
	require.Empty(t, mustVerify(t, dir).Reasons())
	require.NoDirExists(t, filepath.Join(dir, "artifacts"))
}

func ExampleVerify() {
	_, err := Verify("testdata/none", VerifyOptions{})
	fmt.Println(err)
	// Output: verify testdata/none: stat testdata/none: no such file or directory
}
