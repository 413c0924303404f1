package sshtransport_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

var echo = engine.Command{Argv: []string{"echo", "hi"}}

func write(t testing.TB, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

func TestHostKeyErrors(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	other := transporttest.StartSSHD(t, transporttest.SSHDOptions{KeyTypes: []string{"ed25519", "ecdsa"}})
	keyLine := func(s *transporttest.SSHD, i int) string {
		data, err := os.ReadFile(s.HostKeys[i] + ".pub")
		require.NoError(t, err)
		return strings.Join(strings.Fields(string(data))[:2], " ")
	}
	here := shown(s)
	fingerprint := func(file string) string {
		out, err := exec.Command("ssh-keygen", "-l", "-f", file).Output()
		require.NoError(t, err)
		return strings.Fields(string(out))[1]
	}
	cases := map[string]struct{ known, says, hint string }{
		"unknown": {"", "host key unknown: known_hosts has no key for " + here + ", the server presents ssh-ed25519 " + fingerprint(s.HostKeys[0]), "continuo trust add db-1"},
		"changed": {"# a comment\n" + here + " " + keyLine(other, 0) + "\n", "host key changed: the server presents ssh-ed25519 " + fingerprint(s.HostKeys[0]) +
			", known_hosts:2 has ssh-ed25519 " + fingerprint(other.HostKeys[0]), "continuo trust remove db-1"},
		"other type": {here + " " + keyLine(other, 1) + "\n", "known_hosts has only ecdsa-sha2-nistp256 for " + here + ", the server offers ssh-ed25519", "continuo trust add db-1"},
		"revoked":    {here + " " + keyLine(s, 0) + "\n@revoked * " + keyLine(s, 0) + "\n", "host key revoked (known_hosts:2)", "do not connect"},
		"only an authority": {"@cert-authority * " + keyLine(s, 0) + "\n", "known_hosts has only certificates of an authority with ssh-ed25519 for " + here,
			"continuo trust add db-1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "known_hosts")
			write(t, file, c.known)
			tr := open(t, s, func(o *sshtransport.Options) { o.KnownHosts = []string{file} })
			r := observe(t, tr, s.Host("db-1"), echo)
			requireHostError(t, r.Err, engine.ErrUnreachable, "host-key", c.says, c.hint)
			pre, err := tr.Preflight(context.Background(), s.Host("db-1"), engine.PreflightRequest{})
			require.NoError(t, err)
			require.False(t, pre.OK)
			last := pre.Checks[len(pre.Checks)-1]
			require.Equal(t, "host-key", last.Name)
			require.Contains(t, last.Detail, c.says)
			require.Contains(t, last.Hint, c.hint)
		})
	}
	require.NotContains(t, s.Log(), "Accepted")
}

func shown(s *transporttest.SSHD) string {
	return "[" + s.Address + "]:" + strings.TrimPrefix(addr(s), s.Address+":")
}

func addr(s *transporttest.SSHD) string { return net.JoinHostPort(s.Address, strconv.Itoa(s.Port)) }

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		tr := open(t, s)
		h := s.Host("db-1")
		h.Address = "127.0.0.199"
		r := observe(t, tr, h, echo)
		requireHostError(t, r.Err, engine.ErrUnreachable, "dial", "connection refused", "sshd")
	})
	t.Run("no such name", func(t *testing.T) {
		t.Parallel()
		h := s.Host("db-1")
		h.Address = "nosuch.invalid"
		r := observe(t, open(t, s), h, echo)
		requireHostError(t, r.Err, engine.ErrUnreachable, "dial", "nosuch.invalid", "address")
	})
	t.Run("silent server", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		h := s.Host("db-1")
		h.Port = l.Addr().(*net.TCPAddr).Port
		h.Connection.HandshakeTimeout = 300 * time.Millisecond
		start := time.Now()
		r := observe(t, open(t, s), h, echo)
		requireHostError(t, r.Err, engine.ErrUnreachable, "handshake", "no SSH handshake within 300ms", "no healthy sshd")
		require.Less(t, time.Since(start), 10*time.Second)
	})
	t.Run("ends before the banner", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		var calls atomic.Int32
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				calls.Add(1)
				_ = c.Close()
			}
		}()
		h := s.Host("db-1")
		h.Port = l.Addr().(*net.TCPAddr).Port
		tr := open(t, s, func(o *sshtransport.Options) {
			o.Dial = sshtransport.DialLimits{Attempts: 3, Backoff: time.Millisecond, Penalty: time.Millisecond}
		})
		r := observe(t, tr, h, echo)
		requireHostError(t, r.Err, engine.ErrUnreachable, "dial", "ended 3 connections before it said who it is", "MaxStartups")
		require.EqualValues(t, 3, calls.Load())
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r := transporttest.Observe(ctx, t, open(t, s), s.Host("db-1"), echo)
		require.ErrorIs(t, r.Err, context.Canceled)
	})
	t.Run("legacy algorithm that nobody knows", func(t *testing.T) {
		t.Parallel()
		h := s.Host("db-1")
		h.Connection.LegacyAlgorithms = []string{"rot13"}
		r := observe(t, open(t, s), h, echo)
		requireHostError(t, r.Err, engine.ErrUnreachable, "configuration", `"rot13" is not known`, "")
	})
}

func TestAuthenticationErrors(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	dir := t.TempDir()
	transporttest.Keygen(t, "ed25519", filepath.Join(dir, "stranger"))
	transporttest.Keygen(t, "ed25519", filepath.Join(dir, "locked"), "-N", "open sesame")
	write(t, filepath.Join(dir, "text"), "hello")
	cases := map[string]struct {
		files      []string
		says, hint string
	}{
		"refused":    {[]string{"stranger"}, "authentication of " + s.User + " refused", "authorized_keys"},
		"nothing":    {nil, "nothing to authenticate", "identity_files"},
		"missing":    {[]string{"nosuch"}, "nosuch does not exist", ""},
		"no key":     {[]string{"text"}, "this is no private key", ""},
		"encrypted":  {[]string{"locked"}, "encrypted and nobody can be asked", ""},
		"public key": {[]string{"stranger.pub"}, "this is no private key", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := open(t, s, func(o *sshtransport.Options) { o.BaseDir = dir })
			h := s.Host("db-1")
			h.Connection.IdentityFiles = c.files
			r := observe(t, tr, h, echo)
			requireHostError(t, r.Err, engine.ErrUnreachable, "auth", c.says, c.hint)
		})
	}
	t.Run("never tried twice", func(t *testing.T) {
		t.Parallel()
		s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
		tr := open(t, s, func(o *sshtransport.Options) {
			o.BaseDir, o.Dial = dir, sshtransport.DialLimits{Attempts: 5, Backoff: time.Millisecond}
		})
		h := s.Host("db-1")
		h.Connection.IdentityFiles = []string{"stranger"}
		require.Error(t, observe(t, tr, h, echo).Err)
		require.Equal(t, 1, strings.Count(s.Log(), "Connection from"))
	})
}

func TestRefusedCommands(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	tr := open(t, s)
	cases := map[string]struct {
		c                engine.Command
		kind, says, hint string
	}{
		"program":     {engine.Command{Argv: []string{"nonsuch", "-x"}}, "program", `program "nonsuch" not found`, "absolute path"},
		"interpreter": {engine.Command{Script: "x", Interpreter: []string{"/no/python"}}, "program", `"/no/python" not found`, "install"},
		"directory":   {engine.Command{Argv: []string{"pwd"}, WorkingDir: "/no/dir"}, "working-directory", `"/no/dir"`, ""},
		"nul":         {engine.Command{Argv: []string{"echo", "a\x00b"}}, "command", "NUL", ""},
		"dash":        {engine.Command{Argv: []string{"-c"}}, "command", `"-c" is not the name of a program`, ""},
		"env name":    {engine.Command{Argv: []string{"ls"}, Env: []engine.Env{{Name: "A B", Value: "secret"}}}, "command", "A B", ""},
		"env of sh":   {engine.Command{Argv: []string{"ls"}, Env: []engine.Env{{Name: "UID", Value: "0"}}}, "command", "UID", ""},
		"both":        {engine.Command{Argv: []string{"ls"}, Script: "ls"}, "command", "not both", ""},
		"user":        {engine.Command{Argv: []string{"ls"}, Become: "-s"}, "command", `"-s" is not the name of a user`, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := observe(t, tr, s.Host("db-1"), c.c)
			requireHostError(t, r.Err, engine.ErrRefused, c.kind, c.says, c.hint)
			require.NotContains(t, r.Err.Error(), "secret")
			require.Empty(t, r.Stdout+r.Stderr)
		})
	}
}

func TestLoginShellThatRunsNothing(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"ForceCommand echo This account is not available.; exit 1"}})
	r := observe(t, open(t, s), s.Host("router-1"), echo)
	requireHostError(t, r.Err, engine.ErrRefused, "login-shell", "did not run /bin/sh (exit code 1): This account is not available.", "login shell")
}

// A connection that is lost while a credential is offered is no refusal: it may be tried again by whoever waits for a
// result, but not by the dial itself.
func TestLostDuringAuthentication(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *sshtransport.Options) {
		o.Dial = sshtransport.DialLimits{Attempts: 3, Backoff: time.Millisecond}
	})
	require.NoError(t, observe(t, r.tr, r.host, echo).Err)
	whole := r.proxy.Up()
	cut := 0
	for n := int64(1000); n < whole; n += 100 {
		tr := r.transport(func(o *sshtransport.Options) { o.Dial = sshtransport.DialLimits{Attempts: 1} })
		r.proxy.CutNext(n)
		got := observe(t, tr, r.host, echo)
		if got.Err == nil {
			continue // dialled again on open: nothing had been sent
		}
		require.ErrorIs(t, got.Err, engine.ErrUnreachable)
		var he *engine.HostError
		require.ErrorAs(t, got.Err, &he)
		require.NotEqual(t, "auth", he.Kind, "cut after %d: %v", n, got.Err)
		cut++
	}
	require.NotZero(t, cut)
}
