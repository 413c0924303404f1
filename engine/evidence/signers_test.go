package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

func publicLine(s *Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.ssh.PublicKey())))
}

func cryptoSigner(t testing.TB, name string, key any) *Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return &Signer{ssh: s, name: name}
}

// TestSignersAgreeWithOpenSSH asks ssh-keygen the same questions.
func TestSignersAgreeWithOpenSSH(t *testing.T) {
	t.Parallel()
	keygen := tool(t, "ssh-keygen")
	alice, bob := testKey(t, "alice"), testKey(t, "bob")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	carol, dave := cryptoSigner(t, "carol", ec), cryptoSigner(t, "dave", rsaKey)
	a, b := publicLine(alice), publicLine(bob)
	files := map[string]string{
		"plain":             "alice@example.org " + a + "\n",
		"comment":           "# who\n\nalice@example.org " + a + " laptop of alice\n",
		"several":           "alice@example.org,al@example.org " + a + "\nbob@example.org " + b + "\n",
		"quoted":            `"alice@example.org" ` + a + "\n",
		"wildcard":          "*@example.org " + a + "\n",
		"one letter":        "alic?@example.org " + a + "\n",
		"negated":           "!alice@example.org,*@example.org " + a + "\n",
		"other's key":       "bob@example.org " + a + "\nalice@example.org " + b + "\n",
		"namespace":         `alice@example.org namespaces="evidence@continuo" ` + a + "\n",
		"namespaces":        `alice@example.org namespaces="git,evid*@continuo" ` + a + "\n",
		"other namespace":   `alice@example.org namespaces="git" ` + a + "\n",
		"capitals":          `alice@example.org NAMESPACES="evidence@continuo" ` + a + "\n",
		"not yet":           `alice@example.org valid-after="20270101Z" ` + a + "\n",
		"not any more":      `alice@example.org valid-before="20260101Z" ` + a + "\n",
		"valid":             `alice@example.org valid-after="20260101Z",valid-before="202612312359Z" ` + a + "\n",
		"valid to a second": `alice@example.org valid-before="20261121182001Z" ` + a + "\n",
		"valid in another":  `alice@example.org valid-before="2020010100Z" ` + a + "\n",
		"second line holds": `alice@example.org valid-before="20200101Z" ` + a + "\nalice@example.org " + a + "\n",
		"authority":         "alice@example.org cert-authority " + a + "\n",
		"all options":       `al*@example.org namespaces="evidence@continuo",valid-after="20260101Z",valid-before="20270101Z" ` + a + " x y\n",
		"tabs":              "alice@example.org\t" + a + "\n",
		"nobody":            "bob@example.org " + b + "\n",
		"empty":             "",
		"unknown option":    "alice@example.org no-touch-required " + a + "\n",
		"malformed key":     "alice@example.org ssh-ed25519 AAAA\n",
		"type and key":      "alice@example.org ssh-rsa " + strings.Fields(a)[1] + "\n",
		"twice an option":   `alice@example.org namespaces="git",namespaces="evidence@continuo" ` + a + "\n",
		"ecdsa":             "alice@example.org " + publicLine(carol) + "\n",
		"rsa":               "alice@example.org " + publicLine(dave) + "\n",
	}
	at := time.Date(2026, 11, 21, 18, 20, 1, 0, time.UTC)
	accepted := 0
	for name, text := range files {
		for _, signer := range []*Signer{alice, bob, carol, dave} {
			for _, namespace := range []string{EvidenceNamespace, ApprovalNamespace} {
				want := askOpenSSH(t, keygen, text, signer, namespace, at)
				got := ask(text, signer, namespace, at)
				require.Equal(t, want, got == nil, "%s: key %s for %s: %v", name, signer.name, namespace, got)
				if want {
					accepted++
				}
			}
		}
	}
	require.Greater(t, accepted, 20)
}

func ask(text string, signer *Signer, namespace string, at time.Time) error {
	s, err := ParseSigners([]byte(text))
	if err != nil {
		return err
	}
	sig, err := signer.Sign([]byte("message\n"), namespace)
	if err != nil {
		return err
	}
	key, err := checkSignature([]byte("message\n"), sig, namespace)
	if err != nil {
		return err
	}
	return s.Check("alice@example.org", key, namespace, at)
}

func askOpenSSH(t *testing.T, keygen, text string, signer *Signer, namespace string, at time.Time) bool {
	t.Helper()
	dir := t.TempDir()
	sig, err := signer.Sign([]byte("message\n"), namespace)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "signers"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sig"), sig, 0o600))
	cmd := exec.Command(keygen, "-Y", "verify", "-f", "signers", "-I", "alice@example.org", "-n", namespace, "-s", "sig",
		"-Overify-time="+at.Format("20060102150405")+"Z")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.Stdin = strings.NewReader("message\n")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit, "%s", out)
	}
	return err == nil
}

func TestSignersSayWhyNot(t *testing.T) {
	t.Parallel()
	alice, bob := testKey(t, "alice"), testKey(t, "bob")
	a := publicLine(alice)
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"unknown":        {"bob@example.org " + publicLine(bob), ErrUnknownKey},
		"someone else's": {"bob@example.org " + a, ErrPrincipal},
		"not yet":        {`alice@example.org valid-after="20270101" ` + a, ErrNotYetValid},
		"expired":        {`alice@example.org valid-before="20260101" ` + a, ErrExpired},
		"namespace":      {`alice@example.org namespaces="git" ` + a, ErrNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := ParseSigners([]byte(c.file + "\n"))
			require.NoError(t, err)
			require.ErrorIs(t, s.Check("alice@example.org", alice.ssh.PublicKey(), EvidenceNamespace, at), c.want)
		})
	}
	s, err := ParseSigners([]byte("alice@example.org,*@example.com " + a + "\n"))
	require.NoError(t, err)
	who, err := s.Principals(alice.ssh.PublicKey(), EvidenceNamespace, at)
	require.NoError(t, err)
	require.Equal(t, []string{"alice@example.org"}, who, "patterns name nobody")
	_, err = s.Principals(bob.ssh.PublicKey(), EvidenceNamespace, at)
	require.ErrorIs(t, err, ErrUnknownKey)

	for _, list := range []string{alice.Fingerprint(), a + " old laptop"} {
		require.NoError(t, s.Revoke([]byte("# gone\n"+list+"\n")))
		_, err = s.Principals(alice.ssh.PublicKey(), EvidenceNamespace, at)
		require.ErrorIs(t, err, ErrRevoked)
		require.ErrorIs(t, s.Check("alice@example.org", alice.ssh.PublicKey(), EvidenceNamespace, at), ErrRevoked)
	}
	require.Error(t, s.Revoke([]byte("SSHKRL\n\x00\x00")), "a binary list is not guessed at")
}

func TestMalformedSignersFilesNameTheirLine(t *testing.T) {
	t.Parallel()
	a := publicLine(testKey(t, "alice"))
	for _, bad := range []string{
		"alice", "alice ", `"alice ` + a, "alice ssh-ed25519", "alice,, " + a, `alice namespaces=evidence ` + a,
		`alice namespaces="" ` + a, `alice valid-after="2026" ` + a, `alice valid-after="20261301" ` + a,
		`alice valid-after="20270101",valid-before="20260101" ` + a, "alice namespaces=\"x " + a,
	} {
		_, err := ParseSigners([]byte("# one\nbob " + a + "\n" + bad + "\n"))
		require.ErrorContains(t, err, "signers file line 3:", "%q", bad)
	}
}

func TestSignaturesAreTakenInOneFormOnly(t *testing.T) {
	t.Parallel()
	s := testKey(t, "alice")
	msg := []byte("message\n")
	sig, err := s.Sign(msg, EvidenceNamespace)
	require.NoError(t, err)
	_, err = checkSignature(msg, sig, EvidenceNamespace)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		data, sig []byte
		namespace string
		want      error
	}{
		"other data":        {[]byte("massage\n"), sig, EvidenceNamespace, ErrSignature},
		"other namespace":   {msg, sig, ApprovalNamespace, ErrNamespace},
		"no namespace":      {msg, sig, "", ErrNamespace},
		"empty":             {msg, nil, EvidenceNamespace, ErrArmor},
		"text before":       {msg, append([]byte("x\n"), sig...), EvidenceNamespace, ErrArmor},
		"text after":        {msg, append(sig[:len(sig):len(sig)], "x\n"...), EvidenceNamespace, ErrArmor},
		"CRLF":              {msg, []byte(strings.ReplaceAll(string(sig), "\n", "\r\n")), EvidenceNamespace, ErrArmor},
		"other line breaks": {msg, rebreak(sig), EvidenceNamespace, ErrArmor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := checkSignature(c.data, c.sig, c.namespace)
			require.ErrorIs(t, err, c.want)
		})
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	sig, err = cryptoSigner(t, "weak", weak).Sign(msg, EvidenceNamespace)
	require.NoError(t, err)
	_, err = checkSignature(msg, sig, EvidenceNamespace)
	require.ErrorIs(t, err, ErrWeakKey)
}

// rebreak moves one line break of the armor.
func rebreak(sig []byte) []byte {
	lines := strings.Split(string(sig), "\n")
	lines[2], lines[1] = lines[1][60:]+lines[2], lines[1][:60]
	return []byte(strings.Join(lines, "\n"))
}

func TestSignaturesOfOlderOpenSSHAreTaken(t *testing.T) {
	t.Parallel()
	s := testKey(t, "alice")
	sig, err := sshsig.Sign(strings.NewReader("m"), s.ssh, sshsig.HashSHA256, EvidenceNamespace)
	require.NoError(t, err)
	for _, armored := range [][]byte{sshsig.Armor(sig), []byte(strings.TrimSuffix(string(armor(sig.Marshal())), "\n"))} {
		_, err := checkSignature([]byte("m"), armored, EvidenceNamespace)
		require.NoError(t, err)
	}
}

func FuzzParseSigners(f *testing.F) {
	a := publicLine(testKey(f, "alice"))
	for _, seed := range []string{
		"alice " + a, `"a b",c namespaces="x,y",valid-after="20260101Z" ` + a, "alice cert-authority " + a, `alice x="` + a,
	} {
		f.Add([]byte(seed + "\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSigners(data)
		if err != nil {
			require.Contains(t, err.Error(), "signers file line")
			return
		}
		_, err = s.Principals(testKey(t, "nobody").ssh.PublicKey(), EvidenceNamespace, time.Now())
		require.ErrorIs(t, err, ErrUnknownKey)
	})
}

func TestExecutorKeyIsMadeOnceAndKeptPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "continuo")
	first, made, err := ExecutorKey(dir, "executor@ops-1")
	require.NoError(t, err)
	require.True(t, made)
	second, made, err := ExecutorKey(dir, "executor@ops-1")
	require.NoError(t, err)
	require.False(t, made)
	require.Equal(t, first.Fingerprint(), second.Fingerprint())

	name := filepath.Join(dir, executorKeyFile)
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	out, err := exec.Command(tool(t, "ssh-keygen"), "-l", "-f", name+".pub").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), first.Fingerprint()+" executor@ops-1 (ED25519)")

	require.NoError(t, os.Chmod(name, 0o644))
	_, _, err = ExecutorKey(dir, "x")
	require.ErrorIs(t, err, ErrKey)
	require.ErrorContains(t, err, "chmod 600")
	require.NoError(t, os.WriteFile(name, []byte("garbage"), 0o600))
	require.NoError(t, os.Chmod(name, 0o600))
	_, _, err = ExecutorKey(dir, "x")
	require.ErrorIs(t, err, ErrKey, "a damaged key is never replaced by a new one")
}

func TestSignerFromFile(t *testing.T) {
	t.Parallel()
	keygen := tool(t, "ssh-keygen")
	name := filepath.Join(t.TempDir(), "id")
	out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "open sesame", "-f", name).CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, err = SignerFromFile(name, nil)
	require.ErrorIs(t, err, ErrKey)
	refused := errors.New("nobody")
	_, err = SignerFromFile(name, func() ([]byte, error) { return nil, refused })
	require.ErrorIs(t, err, refused)
	_, err = SignerFromFile(name, func() ([]byte, error) { return []byte("wrong"), nil })
	require.ErrorIs(t, err, ErrKey)
	s, err := SignerFromFile(name, func() ([]byte, error) { return []byte("open sesame"), nil })
	require.NoError(t, err)
	require.Equal(t, name, s.Name())
	_, err = SignerFromFile(filepath.Join(t.TempDir(), "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestSignerFromAgent(t *testing.T) {
	t.Parallel()
	agentPath, keygen, add := tool(t, "ssh-agent"), tool(t, "ssh-keygen"), tool(t, "ssh-add")
	dir := t.TempDir()
	key, sock := filepath.Join(dir, "id"), filepath.Join(dir, "agent.sock")
	out, err := exec.Command(keygen, "-q", "-t", "ecdsa", "-N", "", "-f", key).CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(agentPath, "-D", "-a", sock)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		conn, err := net.Dial("unix", sock)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 20*time.Second, 5*time.Millisecond)

	_, err = SignerFromAgent(sock, key+".pub")
	require.ErrorIs(t, err, ErrKey)
	load := exec.Command(add, "-q", key)
	load.Env = append(os.Environ(), "SSH_AUTH_SOCK="+sock)
	out, err = load.CombinedOutput()
	require.NoError(t, err, "%s", out)
	s, err := SignerFromAgent(sock, key+".pub")
	require.NoError(t, err)
	sig, err := s.Sign([]byte("m"), EvidenceNamespace)
	require.NoError(t, err)
	_, err = checkSignature([]byte("m"), sig, EvidenceNamespace)
	require.NoError(t, err)

	_, err = SignerFromAgent(sock, key)
	require.ErrorIs(t, err, ErrKey)
	_, err = SignerFromAgent(filepath.Join(dir, "none"), key+".pub")
	require.Error(t, err)
	_, err = SignerFromAgent(sock, filepath.Join(dir, "none.pub"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
