package lab

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// openLab starts hosts of these names on ports that the system chooses.
func openLab(t *testing.T, names ...string) *Lab {
	t.Helper()
	cfg := Config{Dir: filepath.Join(t.TempDir(), Dir)}
	for _, n := range names {
		cfg.Hosts = append(cfg.Hosts, Host{Name: n, Address: "127.0.0.1", User: "drill"})
	}
	l, err := Open(cfg, zerolog.New(io.Discard))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

// clientConfig checks host keys against the lab's own known_hosts, as every client should.
func clientConfig(t *testing.T, l *Lab) *ssh.ClientConfig {
	t.Helper()
	key, err := os.ReadFile(l.Key())
	require.NoError(t, err)
	signer, err := ssh.ParsePrivateKey(key)
	require.NoError(t, err)
	check, err := knownhosts.New(l.KnownHosts())
	require.NoError(t, err)
	return &ssh.ClientConfig{
		User: "drill", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: check, Timeout: 5 * time.Second,
	}
}

func dial(t *testing.T, l *Lab, n int) *ssh.Client {
	t.Helper()
	c, err := ssh.Dial("tcp", l.Hosts()[n].Endpoint(), clientConfig(t, l))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func newSession(t *testing.T, c *ssh.Client) *ssh.Session {
	t.Helper()
	s, err := c.NewSession()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestExec_streamsAndStatus(t *testing.T) {
	t.Parallel()
	l := openLab(t, "app-a")
	c := dial(t, l, 0)
	tests := []struct {
		name, command, stdin, stdout, stderr string
		code                                 int
		signal                               string
	}{
		{name: "output", command: "echo out; echo err >&2", stdout: "out\n", stderr: "err\n"},
		{name: "exit code", command: "exit 3", code: 3},
		{name: "255 is a code like any other", command: "exit 255", code: 255},
		{name: "stdin", command: "tr a-z A-Z", stdin: "abc", stdout: "ABC"},
		{name: "script on stdin", command: "/bin/sh -s", stdin: "echo one\nexit 7\n", stdout: "one\n", code: 7},
		{name: "unread stdin", command: "true", stdin: strings.Repeat("x", 1<<20)},
		{name: "killed", command: "kill -KILL $$", signal: "KILL"},
		{name: "terminated", command: "kill -TERM $$", signal: "TERM"},
		{name: "missing program", command: "/nonexistent/program 2>/dev/null", code: 127},
		{name: "binary", command: `printf 'a\000b\377'`, stdout: "a\x00b\xff"},
		{name: "home is the sandbox", command: `test "$PWD" = "$HOME" && basename "$HOME"`, stdout: "app-a\n"},
		{name: "who", command: `echo $USER-$LOGNAME $CONTINUO_LAB_HOST`, stdout: "drill-drill app-a\n"},
		{name: "own session", command: `test "$(ps -o sid= -p $$ | tr -d ' ')" = $$ && echo leader`, stdout: "leader\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := c
			if len(tt.stdin) > 1<<10 {
				c = dial(t, l, 0)
			}
			s, err := c.NewSession()
			for errors.As(err, new(*ssh.OpenChannelError)) { // more subtests than MaxSessions: wait for a slot
				s, err = c.NewSession()
			}
			require.NoError(t, err)
			defer s.Close()
			var out, errOut bytes.Buffer
			s.Stdin, s.Stdout, s.Stderr = strings.NewReader(tt.stdin), &out, &errOut
			err = s.Run(tt.command)
			if len(tt.stdin) > 1<<10 && errors.Is(err, io.EOF) {
				err = nil // status 0 has come; the client was still writing what nobody reads
			}
			var exit *ssh.ExitError
			if tt.code == 0 && tt.signal == "" {
				require.NoError(t, err)
			} else {
				require.ErrorAs(t, err, &exit)
				require.Equal(t, tt.signal, exit.Signal())
				if tt.signal == "" {
					require.Equal(t, tt.code, exit.ExitStatus())
				}
			}
			require.Equal(t, tt.stdout, out.String())
			require.Equal(t, tt.stderr, errOut.String())
		})
	}
}

func TestExec_largeOutputOnBothStreams(t *testing.T) {
	t.Parallel()
	s := newSession(t, dial(t, openLab(t, "a"), 0))
	var out, errOut bytes.Buffer
	s.Stdout, s.Stderr = &out, &errOut
	require.NoError(t, s.Run("head -c 3000000 /dev/zero & head -c 5000000 /dev/zero >&2; wait"))
	require.Equal(t, 3000000, out.Len())
	require.Equal(t, 5000000, errOut.Len())
}

func TestExec_exitStatusBeforeBackgroundOutputEnds(t *testing.T) {
	t.Parallel()
	c := dial(t, openLab(t, "a"), 0)
	ch, requests, err := c.OpenChannel("session", nil)
	require.NoError(t, err)
	fifo := filepath.Join(t.TempDir(), "hold")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	// The background reader holds stdout until the test opens the fifo.
	ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ C string }{"cat '" + fifo + "' & exit 4"}))
	require.NoError(t, err)
	require.True(t, ok)
	req := <-requests
	require.Equal(t, "exit-status", req.Type)
	require.Equal(t, []byte{0, 0, 0, 4}, req.Payload)
	require.NoError(t, os.WriteFile(fifo, []byte("late"), 0o600))
	rest, err := io.ReadAll(ch)
	require.NoError(t, err)
	require.Equal(t, "late", string(rest))
}

func TestEnv_onlyWhatSSHDAccepts(t *testing.T) {
	t.Parallel()
	c := dial(t, openLab(t, "a"), 0)
	s := newSession(t, c)
	require.NoError(t, s.Setenv("LC_ALL", "C.UTF-8"))
	require.Error(t, s.Setenv("SECRET", "x"))
	require.Error(t, s.Setenv("PATH", "/tmp"))
	out, err := s.Output("echo $LC_ALL; env | grep -c SECRET")
	require.Error(t, err, "grep -c finds none and says so")
	require.Equal(t, "C.UTF-8\n0\n", string(out))
}

func TestSignal_reachesTheProcessGroup(t *testing.T) {
	t.Parallel()
	c := dial(t, openLab(t, "a"), 0)
	ch, requests, err := c.OpenChannel("session", nil)
	require.NoError(t, err)
	ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ C string }{"sleep 1000 | cat & echo up; wait"}))
	require.NoError(t, err)
	require.True(t, ok)
	up := make([]byte, 3)
	_, err = io.ReadFull(ch, up)
	require.NoError(t, err)
	delivered, err := ch.SendRequest("signal", true, ssh.Marshal(struct{ N string }{"TERM"}))
	require.NoError(t, err)
	require.True(t, delivered)
	req := <-requests
	require.Equal(t, "exit-signal", req.Type)
	_, err = io.ReadAll(ch) // ends only when sleep and cat are gone too
	require.NoError(t, err)
	unknown, err := ch.SendRequest("signal", true, ssh.Marshal(struct{ N string }{"WINCH"}))
	require.True(t, err != nil || !unknown)
}

func TestDisconnect_killsNothing(t *testing.T) {
	t.Parallel()
	l := openLab(t, "a")
	c := dial(t, l, 0)
	s := newSession(t, c)
	out, err := s.StdoutPipe()
	require.NoError(t, err)
	fifo := filepath.Join(l.Sandbox("a"), "go-on")
	done := filepath.Join(l.Sandbox("a"), "done")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	require.NoError(t, syscall.Mkfifo(done, 0o600))
	require.NoError(t, s.Start("echo started; cat go-on >/dev/null; echo survived >done"))
	started := make([]byte, 8)
	_, err = io.ReadFull(out, started)
	require.NoError(t, err)

	require.NoError(t, l.Disconnect("a"))
	require.ErrorAs(t, s.Wait(), new(*ssh.ExitMissingError))

	require.NoError(t, os.WriteFile(fifo, []byte("go\n"), 0o600))
	word, err := os.ReadFile(done)
	require.NoError(t, err)
	require.Equal(t, "survived\n", string(word))

	require.NoError(t, newSession(t, dial(t, l, 0)).Run("true"), "the host takes new connections")
	require.ErrorContains(t, l.Disconnect("nowhere"), "no such practice host")
}

func TestClose_leavesNoProcess(t *testing.T) {
	t.Parallel()
	l := openLab(t, "a")
	s := newSession(t, dial(t, l, 0))
	// One in its process group, one that left it.
	out, err := s.Output(`sleep 1000 >/dev/null 2>&1 & echo $!; setsid sleep 1000 >/dev/null 2>&1 & echo $!`)
	require.NoError(t, err)
	l.Close()
	l.Close()
	for _, pid := range strings.Fields(string(out)) {
		_, err := os.Stat("/proc/" + pid + "/environ")
		if err == nil { // a zombie may wait for its parent; it runs no more
			data, err := os.ReadFile("/proc/" + pid + "/stat")
			require.True(t, err != nil || strings.Contains(string(data), ") Z"), "process %s still runs", pid)
		}
	}
	_, err = net.Dial("tcp", l.Hosts()[0].Endpoint())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestAuth(t *testing.T) {
	t.Parallel()
	l := openLab(t, "a")
	other, err := ensureKey(filepath.Join(t.TempDir(), "other"), "other")
	require.NoError(t, err)
	tests := []struct {
		name   string
		change func(*ssh.ClientConfig)
	}{
		{"another key", func(c *ssh.ClientConfig) { c.Auth = []ssh.AuthMethod{ssh.PublicKeys(other)} }},
		{"another user", func(c *ssh.ClientConfig) { c.User = "root" }},
		{"a password", func(c *ssh.ClientConfig) { c.Auth = []ssh.AuthMethod{ssh.Password("drill")} }},
		{"nothing", func(c *ssh.ClientConfig) { c.Auth = nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := clientConfig(t, l)
			tt.change(cfg)
			_, err := ssh.Dial("tcp", l.Hosts()[0].Endpoint(), cfg)
			require.ErrorContains(t, err, "unable to authenticate")
		})
	}
}

func TestKeepalive_isAnsweredAsOpenSSHDoes(t *testing.T) {
	t.Parallel()
	c := dial(t, openLab(t, "a"), 0)
	ok, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
	require.NoError(t, err)
	require.False(t, ok)
}

func TestSession_limits(t *testing.T) {
	t.Parallel()
	c := dial(t, openLab(t, "a"), 0)
	for range maxSessions {
		newSession(t, c)
	}
	_, err := c.NewSession()
	var open *ssh.OpenChannelError
	require.ErrorAs(t, err, &open)
	require.Equal(t, ssh.ConnectionFailed, open.Reason)
	require.Equal(t, "open failed", open.Message)
}

func TestSession_refuses(t *testing.T) {
	t.Parallel()
	c := dial(t, openLab(t, "a"), 0)
	s := newSession(t, c)
	require.Error(t, s.RequestPty("xterm", 24, 80, nil))
	require.Error(t, s.RequestSubsystem("sftp"))
	require.Error(t, newSession(t, c).Start("true\x00false"))
	_, _, err := c.OpenChannel("x11", nil)
	require.Error(t, err)
}

func TestShell_readsStdin(t *testing.T) {
	t.Parallel()
	s := newSession(t, dial(t, openLab(t, "a"), 0))
	var out bytes.Buffer
	s.Stdin, s.Stdout = strings.NewReader("echo hello; exit 5\n"), &out
	require.NoError(t, s.Shell())
	var exit *ssh.ExitError
	require.ErrorAs(t, s.Wait(), &exit)
	require.Equal(t, 5, exit.ExitStatus())
	require.Equal(t, "hello\n", out.String())
}

func TestForward(t *testing.T) {
	t.Parallel()
	l := openLab(t, "jump", "target")
	jump := dial(t, l, 0)

	t.Run("a jump host leads to another", func(t *testing.T) {
		t.Parallel()
		target := l.Hosts()[1].Endpoint()
		conn, err := jump.Dial("tcp", target)
		require.NoError(t, err)
		sc, channels, requests, err := ssh.NewClientConn(conn, target, clientConfig(t, l))
		require.NoError(t, err)
		c := ssh.NewClient(sc, channels, requests)
		defer c.Close()
		out, err := newSession(t, c).Output("echo $CONTINUO_LAB_HOST")
		require.NoError(t, err)
		require.Equal(t, "target\n", string(out))
	})
	t.Run("a closed port is refused in the words of sshd", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, ln.Close())
		_, err = jump.Dial("tcp", ln.Addr().String())
		require.ErrorContains(t, err, "Connection refused")
	})
	t.Run("not beyond loopback", func(t *testing.T) {
		t.Parallel()
		_, err := jump.Dial("tcp", "192.0.2.1:80")
		var open *ssh.OpenChannelError
		require.ErrorAs(t, err, &open)
		require.Equal(t, ssh.Prohibited, open.Reason)
	})
}

func TestOpen_addressInUse(t *testing.T) {
	t.Parallel()
	l := openLab(t, "a")
	cfg := Config{Dir: filepath.Join(t.TempDir(), Dir), Hosts: []Host{
		{Name: "free", Address: "127.0.0.1"},
		{Name: "b", Address: "127.0.0.1", Port: l.Hosts()[0].Port},
	}}
	_, err := Open(cfg, zerolog.Nop())
	require.ErrorContains(t, err, "practice host b: listen tcp 127.0.0.1:")
	require.ErrorContains(t, err, "address already in use")
}

// keysOf names the key of the host "a".
func keysOf(s ssh.Signer) map[string]ssh.PublicKey {
	return map[string]ssh.PublicKey{"a": s.PublicKey()}
}

// authorized is a key as known_hosts writes it.
func authorized(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}
