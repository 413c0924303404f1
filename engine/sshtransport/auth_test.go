package sshtransport_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh/agent"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// facts collects what Connected was told.
type facts struct {
	mu  sync.Mutex
	all []engine.HostConnected
}

func (f *facts) add(c engine.HostConnected) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, c)
}

func (f *facts) last() engine.HostConnected {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all[len(f.all)-1]
}

func (f *facts) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.all)
}

func keygen(t testing.TB, args ...string) {
	t.Helper()
	out, err := exec.Command("ssh-keygen", append([]string{"-q"}, args...)...).CombinedOutput()
	require.NoError(t, err, string(out))
}

// startAgent serves an agent with one key, whose public half is returned.
func startAgent(t testing.TB) (socket string, public string) {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ring := agent.NewKeyring()
	require.NoError(t, ring.Add(agent.AddedKey{PrivateKey: priv}))
	keys, err := ring.List()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _ = agent.ServeAgent(ring, c) }()
		}
	}()
	return socket, keys[0].String()
}

// Case 11: encrypted keys, agent, certificates.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	transporttest.Keygen(t, "ed25519", at("locked"), "-N", "open sesame")
	transporttest.Keygen(t, "rsa", at("pem"), "-b", "2048", "-m", "PEM", "-N", "open sesame")
	transporttest.Keygen(t, "ed25519", at("ca"))
	transporttest.Keygen(t, "ed25519", at("user"))
	transporttest.Keygen(t, "ed25519", at("late"))
	socket, agentKey := startAgent(t)
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{
		"TrustedUserCAKeys " + at("ca.pub"), "AuthorizedKeysFile " + at("authorized")}})
	keygen(t, "-s", at("ca"), "-I", "alice", "-n", s.User, "-V", "-1m:+1h", at("user.pub"))
	keygen(t, "-s", at("ca"), "-I", "alice", "-n", s.User, "-V", "-2h:-1h", at("late.pub"))
	var authorized strings.Builder
	for _, f := range []string{"locked.pub", "pem.pub"} {
		data, err := os.ReadFile(at(f))
		require.NoError(t, err)
		authorized.Write(data)
	}
	write(t, at("authorized"), authorized.String()+agentKey+"\n")
	var asked atomic.Int32
	ask := func(_ context.Context, file string) (string, error) { asked.Add(1); return "open sesame", nil }
	cases := map[string]struct {
		files       []string
		agent, cert string
		method      string
	}{
		"encrypted":             {[]string{"locked"}, "none", "", "publickey ssh-ed25519"},
		"encrypted PEM":         {[]string{"pem"}, "none", "", "publickey ssh-rsa"},
		"agent":                 {nil, socket, "", "publickey ssh-ed25519"},
		"certificate beside":    {[]string{"user"}, "none", "", "publickey ssh-ed25519-cert-v01@openssh.com"},
		"certificate named":     {[]string{"user"}, "none", "user-cert.pub", "publickey ssh-ed25519-cert-v01@openssh.com"},
		"several, one is right": {[]string{"late", "ca", "locked"}, "none", "", "publickey ssh-ed25519"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f facts
			tr := open(t, s, func(o *sshtransport.Options) { o.BaseDir, o.Passphrase, o.Connected = dir, ask, f.add })
			h := s.Host("db-1")
			h.Connection.IdentityFiles, h.Connection.Agent, h.Connection.CertificateFile = c.files, c.agent, c.cert
			require.NoError(t, observe(t, tr, h, echo).Err)
			require.NoError(t, observe(t, tr, h, echo).Err)
			require.Equal(t, 1, f.count())
			got := f.last()
			require.True(t, strings.HasPrefix(got.AuthMethod, c.method+" SHA256:"), got.AuthMethod)
			require.Equal(t, s.User, got.User)
			require.NotEmpty(t, got.Kex)
			require.NotEmpty(t, got.Cipher)
			require.Contains(t, got.ServerVersion, "OpenSSH")
			require.Equal(t, "ssh-ed25519", got.HostKeyType)
			require.Empty(t, got.Legacy)
		})
	}
	t.Run("a passphrase is asked for once", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		tr := open(t, s, func(o *sshtransport.Options) {
			o.BaseDir = dir
			o.Passphrase = func(context.Context, string) (string, error) { asked.Add(1); return "open sesame", nil }
		})
		var wg sync.WaitGroup
		for _, name := range []string{"a", "b", "c", "d"} {
			wg.Go(func() {
				h := s.Host(name)
				h.Connection.IdentityFiles = []string{"locked"}
				if r := observe(t, tr, h, echo); r.Err != nil {
					t.Error(r.Err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, asked.Load())
	})
	t.Run("wrong passphrase", func(t *testing.T) {
		t.Parallel()
		tr := open(t, s, func(o *sshtransport.Options) {
			o.BaseDir = dir
			o.Passphrase = func(context.Context, string) (string, error) { return "wrong", nil }
		})
		h := s.Host("db-1")
		h.Connection.IdentityFiles = []string{"locked"}
		requireHostError(t, observe(t, tr, h, echo).Err, engine.ErrUnreachable, "auth", "wrong passphrase", "")
	})
	t.Run("expired certificate", func(t *testing.T) {
		t.Parallel()
		tr := open(t, s, func(o *sshtransport.Options) { o.BaseDir = dir })
		h := s.Host("db-1")
		h.Connection.IdentityFiles = []string{"late"}
		requireHostError(t, observe(t, tr, h, echo).Err, engine.ErrUnreachable, "credential-expired", `certificate "alice" expired`, "new certificate")
	})
	t.Run("agent that is not there", func(t *testing.T) {
		t.Parallel()
		h := s.Host("db-1")
		h.Connection.IdentityFiles, h.Connection.Agent = nil, "/nonsuch/agent"
		requireHostError(t, observe(t, open(t, s), h, echo).Err, engine.ErrUnreachable, "auth", "ssh agent", "")
	})
}

// Case 11: passwords, keyboard-interactive, two factors. Real passwords need PAM or shadow, so root.
func TestPasswords(t *testing.T) {
	t.Parallel()
	u := transporttest.MakeUser(t, "sshpw")
	start := func(config ...string) *transporttest.SSHD {
		return transporttest.StartSSHD(t, transporttest.SSHDOptions{Users: []string{u.Name}, Config: config})
	}
	plain := start("PasswordAuthentication yes")
	pam := start("PasswordAuthentication no", "KbdInteractiveAuthentication yes", "UsePAM yes")
	two := start("PasswordAuthentication yes", "AuthenticationMethods publickey,password")
	both := start("PasswordAuthentication no", "KbdInteractiveAuthentication yes", "UsePAM yes", "AuthenticationMethods publickey,keyboard-interactive:pam")
	for name, c := range map[string]struct {
		s      *transporttest.SSHD
		secret string
		method string
	}{
		"password":    {plain, "good", "password"},
		"keyboard":    {pam, "good", "keyboard-interactive"},
		"two factors": {two, "good", "password"},
		"key and PAM": {both, "good", "keyboard-interactive"},
		"wrong":       {plain, "bad", ""},
		"wrong, PAM":  {pam, "bad", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f facts
			tr := open(t, c.s, func(o *sshtransport.Options) {
				o.Secrets, o.Connected = secrets{"good": u.Password, "bad": "not the password"}, f.add
			})
			h := c.s.Host("db-1")
			h.Connection.User, h.Connection.Password = u.Name, c.secret
			if c.s != two && c.s != both {
				h.Connection.IdentityFiles = nil
			}
			r := observe(t, tr, h, echo)
			if c.method == "" {
				requireHostError(t, r.Err, engine.ErrUnreachable, "auth", "authentication of "+u.Name+" refused", "")
				require.NotContains(t, r.Err.Error(), "not the password")
				return
			}
			require.NoError(t, r.Err)
			require.Equal(t, c.method, f.last().AuthMethod)
		})
	}
}
