package sshtransport_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// Case 6: whatever the login shell is, the results are the same. Case 7: rc files that print change nothing.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, sh := range []string{"bash", "dash", "zsh", "fish", "csh", "busybox sh"} {
		t.Run(sh, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(strings.Fields(sh)[0])
			if err != nil {
				transporttest.Missing(t, sh+" is not installed")
			}
			s := transporttest.StartSSHD(t, transporttest.SSHDOptions{
				LoginShell: "printf 'motd \\0 %s\\n' " + strings.Repeat("x", 500) + "; echo noise >&2; " + strings.Join(append([]string{path}, strings.Fields(sh)[1:]...), " ")})
			tr := open(t, s, quick)
			transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: s.Host("db-1"), Durable: true}.Run(t)
		})
	}
	t.Run("an account that runs programs only", func(t *testing.T) {
		t.Parallel()
		s := transporttest.StartSSHD(t, transporttest.SSHDOptions{LoginShell: programsOnly(t)})
		tr := open(t, s, quick)
		transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: s.Host("db-1"), Durable: true}.Run(t)
	})
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
		tr := open(t, s, quick)
		h := s.Host("router-1")
		h.Connection.Plain = true
		p, err := tr.Launcher().Prepare(t.Context(), h, "")
		require.NoError(t, err)
		require.Equal(t, "plain", p.Transport)
		require.Nil(t, p.Incarnation)
		transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: h}.Run(t)
	})
}

// programsOnly is a login shell that executes a program with its words, and knows no builtin.
func programsOnly(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755)) // for users that the test makes
	login := filepath.Join(dir, "login")
	require.NoError(t, os.WriteFile(login, []byte("#!/bin/sh\nexec $2\n"), 0o755))
	return login
}

func quick(o *sshtransport.Options) {
	o.Limits = hostshell.Limits{KillGrace: time.Second, ReconnectDelay: 50 * time.Millisecond}
}
