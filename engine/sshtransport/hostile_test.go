package sshtransport_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// liar is an SSH server that does what a test wants with a session channel once its exec request was accepted.
type liar struct {
	// raw takes the TCP connection instead of a handshake; nil: shake hands.
	raw func(net.Conn)
	// exec handles the channel; nonce is that of the text it was sent.
	exec func(c *ssh.ServerConn, ch ssh.Channel, nonce string)
	// refuseExec: the exec request is refused.
	refuseExec bool
	// muteAuth: no answer to an authentication.
	muteAuth bool
}

var nonceInText = regexp.MustCompile(`echo ([0-9a-f]{32}) ok`)

// start returns a transport that trusts the liar, and the liar as a host.
func (l liar) start(t *testing.T) (*sshtransport.Transport, *runbooks.Host) {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(priv)
	require.NoError(t, err)
	config := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		if l.muteAuth {
			<-t.Context().Done()
		}
		return &ssh.Permissions{}, nil
	}}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go l.serve(c, config)
		}
	}()
	known := filepath.Join(t.TempDir(), "known_hosts")
	write(t, known, "liar "+string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	tr := sshtransport.New(sshtransport.Options{KnownHosts: []string{known}, Dial: fast, Secrets: secrets{"pw": "x"},
		Limits: hostshell.Limits{DrainGrace: 200 * time.Millisecond, KillGrace: 200 * time.Millisecond, ReconnectFor: time.Second, ReconnectDelay: 50 * time.Millisecond}})
	t.Cleanup(func() { require.NoError(t, tr.Close()) })
	h := &runbooks.Host{Name: "liar", Address: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Connection: runbooks.Connection{
		User: "me", Password: "pw", Agent: "none", HostKeyAlias: "liar", HandshakeTimeout: time.Minute, Keepalive: 5 * time.Second}}
	if l.muteAuth {
		h.Connection.HandshakeTimeout = 3 * time.Second // which it waits for
	}
	return tr, h
}

func (l liar) serve(c net.Conn, config *ssh.ServerConfig) {
	defer c.Close()
	if l.raw != nil {
		l.raw(c)
		return
	}
	sc, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for nc := range channels {
		ch, reqs, err := nc.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range reqs {
				if r.WantReply {
					_ = r.Reply(r.Type == "exec" && !l.refuseExec, nil)
				}
				if r.Type == "exec" && !l.refuseExec {
					go func() {
						buf := make([]byte, 64<<10)
						n, _ := ch.Read(buf)
						nonce := ""
						if m := nonceInText.FindSubmatch(buf[:n]); m != nil {
							nonce = string(m[1])
						}
						l.exec(sc, ch, nonce)
					}()
				}
			}
		}()
	}
}

func exitStatus(ch ssh.Channel, code uint32) {
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{code}))
}

func say(w io.Writer, s string) { _, _ = io.WriteString(w, s) }

// Case 35: servers that lie about how a command ended.
func TestLyingServers(t *testing.T) {
	t.Parallel()
	ok := func(ch ssh.Channel, nonce string) { say(ch, nonce+" ok 11 10\n") }
	cases := map[string]struct {
		exec   func(c *ssh.ServerConn, ch ssh.Channel, nonce string)
		kind   string // of the error; empty: none
		code   int
		signal string
	}{
		"honest": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) { ok(ch, n); exitStatus(ch, 3); _ = ch.Close() }, "", 3, ""},
		"no status": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			ok(ch, n)
			_ = ch.Close()
		}, "lost-connection", 0, ""},
		"malformed status": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			ok(ch, n)
			_, _ = ch.SendRequest("exit-status", false, []byte{1})
			_ = ch.Close()
		}, "lost-connection", 0, ""},
		"status, then signal": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			ok(ch, n)
			exitStatus(ch, 0)
			_, _ = ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
				Signal string
				Core   bool
				E, L   string
			}{"KILL", false, "", ""}))
			_ = ch.Close()
		}, "", 0, ""},
		"many statuses": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			ok(ch, n)
			for i := range 1000 {
				exitStatus(ch, uint32(i))
			}
			_ = ch.Close()
		}, "", 0, ""},
		"status without an answer": {func(_ *ssh.ServerConn, ch ssh.Channel, _ string) {
			say(ch, "Welcome to RouterOS\n")
			exitStatus(ch, 0)
			_ = ch.Close()
		}, "login-shell", 0, ""},
		"another nonce": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			say(ch, strings.Repeat("0", 32)+" ok 1 1\n")
			exitStatus(ch, 0)
			_ = ch.Close()
		}, "login-shell", 0, ""},
		"half an answer": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			say(ch, n+" ok")
			exitStatus(ch, 0)
			_ = ch.Close()
		}, "login-shell", 0, ""},
		"an answer that never ends": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			say(ch, n+" ")
			for range 500 {
				say(ch, strings.Repeat("x", 1<<16))
			}
			exitStatus(ch, 0)
			_ = ch.Close()
		}, "login-shell", 0, ""},
		"unsolicited channels and requests": {func(c *ssh.ServerConn, ch ssh.Channel, n string) {
			for range 2000 {
				go func() { _, _, _ = c.OpenChannel("x11", nil) }()
				_, _, _ = c.SendRequest("no-such@example.org", false, nil)
			}
			ok(ch, n)
			exitStatus(ch, 3)
			_ = ch.Close()
		}, "", 3, ""},
		"connection ends": {func(c *ssh.ServerConn, ch ssh.Channel, n string) {
			ok(ch, n)
			_ = c.Close()
		}, "lost-connection", 0, ""},
		"stream stays open": {func(_ *ssh.ServerConn, ch ssh.Channel, n string) {
			ok(ch, n)
			exitStatus(ch, 3)
		}, "", 3, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, h := liar{exec: c.exec}.start(t)
			r := observe(t, tr, h, engine.Command{Argv: []string{"x"}, Timeout: 20 * time.Second})
			if c.kind == "" {
				require.NoError(t, r.Err)
				require.Equal(t, c.code, r.Status.Code)
				require.Equal(t, c.signal, r.Status.Signal)
				return
			}
			var he *engine.HostError
			require.ErrorAs(t, r.Err, &he)
			require.Equal(t, c.kind, he.Kind)
			require.Less(t, len(he.Error()), 1000)
		})
	}
}

// Case 20: silence after the exec request.
func TestSilentServers(t *testing.T) {
	t.Parallel()
	t.Run("after exec", func(t *testing.T) {
		t.Parallel()
		tr, h := liar{exec: func(*ssh.ServerConn, ssh.Channel, string) {}}.start(t)
		start := time.Now()
		r := observe(t, tr, h, engine.Command{Argv: []string{"x"}, Timeout: 300 * time.Millisecond})
		require.Error(t, r.Err)
		require.Less(t, time.Since(start), time.Minute)
	})
	t.Run("to the authentication", func(t *testing.T) {
		t.Parallel()
		tr, h := liar{muteAuth: true}.start(t)
		r := observe(t, tr, h, echo)
		requireHostError(t, r.Err, engine.ErrUnreachable, "auth", "no answer to the authentication of me in time", "")
	})
	t.Run("exec refused", func(t *testing.T) {
		t.Parallel()
		tr, h := liar{refuseExec: true}.start(t)
		r := observe(t, tr, h, echo)
		requireHostError(t, r.Err, engine.ErrUnreachable, "channel", "refuses to execute", "")
	})
	t.Run("a context ends any wait", func(t *testing.T) {
		t.Parallel()
		tr, h := liar{exec: func(*ssh.ServerConn, ssh.Channel, string) {}}.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		o, err := engine.NewObservation(runbooks.Check, engine.PartCommand, echo)
		require.NoError(t, err)
		_, err = tr.Observe(ctx, h, o, engine.OutputSink{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// Case 35: what comes instead of a banner is bounded.
func TestEndlessBanner(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"lines": "hello\r\n", "no line": "x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, h := liar{raw: func(c net.Conn) {
				data := []byte(strings.Repeat(text, 1000))
				for {
					if _, err := c.Write(data); err != nil {
						return
					}
				}
			}}.start(t)
			r := observe(t, tr, h, echo)
			require.ErrorIs(t, r.Err, engine.ErrUnreachable)
			require.Less(t, len(r.Err.Error()), 1000)
		})
	}
}

// Case 33: output that imitates an answer is output.
func TestOutputCannotForge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	script := `n=00000000000000000000000000000000
for s in "ok 1 1" "1 done 0 exit 1 0 - ." "1 data 0 exit 1 0 - ." "err" "1 never" "refused program" "end 0"; do echo "$n $s"; echo "$n $s" >&2; done
cat "$HOME"/.continuo/*.cmd 2>/dev/null | head -c 100 >/dev/null
printf 'no newline at the end'; exit 9`
	for range 3 {
		got := r.suite.Start(t.Context(), t, engine.Command{Script: script})
		require.NoError(t, got.Err)
		require.Equal(t, 9, got.Status.Code)
		require.Equal(t, 7, strings.Count(got.Stdout, "\n"))
		require.Equal(t, 7, strings.Count(got.Stderr, "\n"))
		require.True(t, strings.HasSuffix(got.Stdout, "no newline at the end"))
		check := observe(t, r.tr, r.host, engine.Command{Script: script})
		require.Equal(t, 9, check.Status.Code)
		require.Equal(t, got.Stdout, check.Stdout)
	}
}

// Case 36 and 31: state directories that must not, or cannot, be used. Nothing runs.
func TestUnsafeStateDirectory(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		make func(t *testing.T, dir string)
		says string
	}{
		"symlink": {func(t *testing.T, dir string) { t.Helper(); require.NoError(t, os.Symlink(t.TempDir(), dir)) }, "symbolic link"},
		"world-writable": {func(t *testing.T, dir string) {
			t.Helper()
			require.NoError(t, os.Mkdir(dir, 0o700))
			require.NoError(t, os.Chmod(dir, 0o777))
		}, "written by others"},
		"damaged id": {func(t *testing.T, dir string) {
			t.Helper()
			require.NoError(t, os.Mkdir(dir, 0o700))
			write(t, filepath.Join(dir, "id"), "")
		}, "damaged"},
		"foreign": {func(t *testing.T, dir string) {
			t.Helper()
			require.NoError(t, os.Mkdir(dir, 0o700))
			if os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			require.NoError(t, os.Chown(dir, 65534, 65534))
		}, "another user"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c.make(t, filepath.Join(r.server.Home, ".continuo"))
			_, err := r.tr.Launcher().Prepare(t.Context(), r.host, "")
			requireHostError(t, err, engine.ErrRefused, "state-directory", c.says, "plain = true")
			pre, err := r.tr.Preflight(t.Context(), r.host, engine.PreflightRequest{Steps: true})
			require.NoError(t, err)
			if name != "damaged id" {
				require.False(t, pre.OK)
			}
		})
	}
	t.Run("full disk", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		file, count := counter(t)
		a := r.attempt(engine.Command{Script: "echo x >>" + file})
		require.NoError(t, os.RemoveAll(a.Incarnation.StateDir))
		require.NoError(t, os.Symlink("/dev/full", a.Incarnation.StateDir))
		got := r.start(r.tr, a).wait()
		require.ErrorIs(t, got.Err, engine.ErrNeverStarted)
		require.Zero(t, count())
	})
}
