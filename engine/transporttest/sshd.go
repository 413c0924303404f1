package transporttest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// SSHD is a real OpenSSH server on loopback that runs as the user of the test and lets that user in with Identity.
type SSHD struct {
	Address    string // 127.0.0.x
	Port       int
	User       string
	Identity   string // private key file
	KnownHosts string // file with the server's keys
	HostKeys   []string
	Dir        string
	Home       string // HOME of the user's sessions: no rc files of the machine, a state directory of its own
	PID        int
}

// SSHDOptions vary a server.
type SSHDOptions struct {
	// LoginShell runs what a client asks for, as that user's login shell would. Empty: the user's own.
	LoginShell string
	// Config are further lines of sshd_config.
	Config []string
	// KeyTypes are the host keys to make. Empty: ed25519.
	KeyTypes []string
	// Address to listen on; empty: 127.0.0.1.
	Address string
	// Env are variables of the user's sessions.
	Env []string
	// Under is a command that starts the server, which is given to it as further arguments. Empty: it is started directly.
	Under []string
	// Users may log in besides the test's own, which only a server that root started allows.
	Users []string
}

// NeedProgram ends the test when a program is missing: in CI as a failure, elsewhere it is skipped with the reason.
func NeedProgram(t testing.TB, name string) string {
	t.Helper()
	for _, p := range []string{name, filepath.Join("/usr/sbin", name), filepath.Join("/usr/local/sbin", name)} {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
	}
	Missing(t, name+" is not installed")
	return ""
}

// Missing ends a test that lacks something of its surroundings: in CI as a failure, elsewhere it is skipped.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why + ", and CI must have it")
	}
	t.Skip(why)
}

// StartSSHD starts a server, which ends with the test.
func StartSSHD(t testing.TB, o SSHDOptions) *SSHD {
	t.Helper()
	sshd := NeedProgram(t, "sshd")
	me, err := user.Current()
	require.NoError(t, err)
	s := &SSHD{Address: o.Address, User: me.Username, Dir: shortDir(t)}
	if s.Address == "" {
		s.Address = "127.0.0.1"
	}
	s.Home = filepath.Join(s.Dir, "home")
	require.NoError(t, os.Mkdir(s.Home, 0o700))
	s.Identity = filepath.Join(s.Dir, "id")
	Keygen(t, "ed25519", s.Identity)
	s.writeKeys(t, o.KeyTypes)
	for range 5 { // somebody else may take the port between our look and sshd's
		s.Port = freePort(t, s.Address)
		s.write(t, "sshd_config", s.config(t, o))
		if s.start(t, append(slices.Clone(o.Under), sshd)) {
			s.write(t, "known_hosts", s.knownHosts(t))
			s.KnownHosts = filepath.Join(s.Dir, "known_hosts")
			return s
		}
	}
	t.Fatalf("sshd did not start: %s", s.Log())
	return nil
}

// Host is the inventory's view of the server.
func (s *SSHD) Host(name string) *runbooks.Host {
	return &runbooks.Host{Name: name, Address: s.Address, Port: s.Port, Connection: runbooks.Connection{
		User: s.User, IdentityFiles: []string{s.Identity}, Agent: "none"}}
}

// Log is what the server has logged.
func (s *SSHD) Log() string {
	data, err := os.ReadFile(filepath.Join(s.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Stop ends the server; connections that stand live on.
func (s *SSHD) Stop() {
	if s.PID != 0 {
		_ = syscall.Kill(s.PID, syscall.SIGTERM)
	}
}

// Keygen makes a key pair without a passphrase.
func Keygen(t testing.TB, kind, file string, more ...string) {
	t.Helper()
	args := append([]string{"-q", "-t", kind, "-f", file, "-C", "test"}, more...)
	if len(more) == 0 {
		args = append(args, "-N", "")
	}
	out, err := exec.Command(NeedProgram(t, "ssh-keygen"), args...).CombinedOutput()
	require.NoError(t, err, string(out))
}

func (s *SSHD) writeKeys(t testing.TB, kinds []string) {
	if len(kinds) == 0 {
		kinds = []string{"ed25519"}
	}
	for _, k := range kinds {
		file := filepath.Join(s.Dir, "host_"+k)
		Keygen(t, k, file)
		s.HostKeys = append(s.HostKeys, file)
	}
}

func (s *SSHD) knownHosts(t testing.TB) string {
	var b strings.Builder
	for _, f := range s.HostKeys {
		data, err := os.ReadFile(f + ".pub")
		require.NoError(t, err)
		f := strings.Fields(string(data))
		fmt.Fprintf(&b, "[%s]:%d %s %s\n", s.Address, s.Port, f[0], f[1])
	}
	return b.String()
}

func (s *SSHD) config(t testing.TB, o SSHDOptions) string {
	users := strings.Join(append([]string{s.User}, o.Users...), " ")
	lines := []string{
		"Port " + strconv.Itoa(s.Port), "ListenAddress " + s.Address, "PidFile " + filepath.Join(s.Dir, "pid"),
		"AuthorizedKeysFile " + s.Identity + ".pub", "StrictModes no", "UsePAM no", "PermitRootLogin yes", "AllowUsers " + users,
		"KbdInteractiveAuthentication no", "PrintMotd no", "PrintLastLog no", "LogLevel DEBUG1", "UseDNS no",
	}
	for _, f := range s.HostKeys {
		lines = append(lines, "HostKey "+f)
	}
	if o.LoginShell != "" {
		lines = append(lines, "ForceCommand "+o.LoginShell+` -c "$SSH_ORIGINAL_COMMAND"`)
	}
	for name, value := range map[string]string{"PasswordAuthentication": "no", "MaxStartups": "1000"} { // of the latter the last counts
		if !slices.ContainsFunc(o.Config, func(l string) bool { return strings.HasPrefix(l, name+" ") }) {
			lines = append(lines, name+" "+value)
		}
	}
	env := append(append([]string(nil), o.Env...), "HOME="+s.Home) // the first of a name counts
	lines = append(lines, "Match User "+s.User, "SetEnv "+strings.Join(env, " "))
	// The first value counts in sshd_config: what a test wants comes first.
	return strings.Join(append(append([]string(nil), o.Config...), lines...), "\n") + "\n"
}

func (s *SSHD) start(t testing.TB, sshd []string) bool {
	if os.Geteuid() == 0 {
		require.NoError(t, os.MkdirAll("/run/sshd", 0o755))
	}
	cmd := exec.Command(sshd[0], append(sshd[1:], "-D", "-e", "-f", filepath.Join(s.Dir, "sshd_config"))...)
	log, err := os.Create(filepath.Join(s.Dir, "log"))
	require.NoError(t, err)
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	_ = log.Close()
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if strings.Contains(s.Log(), "Server listening on") {
			s.PID = cmd.Process.Pid
			t.Cleanup(func() { _ = cmd.Process.Kill(); <-done })
			return true
		}
		select {
		case <-done:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	_ = cmd.Process.Kill()
	<-done
	return false
}

func (s *SSHD) write(t testing.TB, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600))
}

func freePort(t testing.TB, address string) int {
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return atoi(port)
}

// shortDir is a directory of the test that every user may enter: servers that root started read it as other users.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "sshd")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { removeAll(dir) })
	return dir
}

var removing sync.Mutex

func removeAll(dir string) {
	removing.Lock()
	defer removing.Unlock()
	_ = os.RemoveAll(dir)
}
