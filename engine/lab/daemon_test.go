package lab

import (
	"context"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// serveFlag makes the test binary the daemon: `lab.test serveFlag DIR`.
const serveFlag = "lab-serve-for-tests"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == serveFlag {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		err := Serve(ctx, os.Args[2], os.NewFile(ReadyFD, "ready"))
		stop()
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// daemonConfig has one host on a port that was free a moment ago.
func daemonConfig(t *testing.T) (Config, []string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	dir := t.TempDir()
	cfg := Config{
		Dir: filepath.Join(dir, Dir), KnownHosts: filepath.Join(dir, "known_hosts"),
		Hosts: []Host{{Name: "app-a", Address: "127.0.0.1", Port: port, User: "drill"}},
	}
	t.Cleanup(func() { _, _ = Down(context.Background(), cfg.Dir) })
	return cfg, []string{os.Args[0], serveFlag, cfg.Dir}
}

func TestUpAndDown(t *testing.T) {
	t.Parallel()
	cfg, serve := daemonConfig(t)
	st, err := Read(cfg.Dir)
	require.NoError(t, err)
	require.Equal(t, Status{Dir: cfg.Dir, Key: filepath.Join(cfg.Dir, "id_ed25519"), Log: filepath.Join(cfg.Dir, "log")}, st)

	st, err = Up(t.Context(), cfg, serve)
	require.NoError(t, err)
	require.True(t, st.Running)
	require.NotEqual(t, os.Getpid(), st.PID)
	require.Equal(t, cfg.Hosts, st.Hosts)

	again, err := Up(t.Context(), cfg, serve)
	require.NoError(t, err)
	require.Equal(t, st.PID, again.PID, "up again leaves it as it is")

	l := &Lab{layout: layout(cfg.Dir)}
	client := clientConfig(t, l)
	c, err := ssh.Dial("tcp", cfg.Hosts[0].Endpoint(), client)
	require.NoError(t, err)
	out, err := newSession(t, c).Output("pwd; setsid sleep 1000 >/dev/null 2>&1 & echo $!")
	require.NoError(t, err)
	lines := strings.Fields(string(out))
	require.Equal(t, filepath.Join(cfg.Dir, "hosts", "app-a"), lines[0])

	other := cfg
	other.Hosts = append(other.Hosts[:1:1], Host{Name: "b", Address: "127.0.0.1", Port: 1})
	_, err = Up(t.Context(), other, serve)
	require.ErrorContains(t, err, "others than the project now has")
	fresh := cfg
	fresh.Fresh = true
	_, err = Up(t.Context(), fresh, serve)
	require.ErrorContains(t, err, "take them down before")

	before, err := Down(t.Context(), cfg.Dir)
	require.NoError(t, err)
	require.True(t, before.Running)
	data, err := os.ReadFile("/proc/" + lines[1] + "/stat")
	require.True(t, err != nil || strings.Contains(string(data), ") Z"), "what the host left running ends with it")

	before, err = Down(t.Context(), cfg.Dir)
	require.NoError(t, err)
	require.False(t, before.Running)

	st, err = Up(t.Context(), cfg, serve)
	require.NoError(t, err)
	require.True(t, st.Running, "up after down, with the same keys")
	_, err = ssh.Dial("tcp", cfg.Hosts[0].Endpoint(), client)
	require.NoError(t, err)
}

func TestUp_portTaken(t *testing.T) {
	t.Parallel()
	cfg, serve := daemonConfig(t)
	ln, err := net.Listen("tcp", cfg.Hosts[0].Endpoint())
	require.NoError(t, err)
	defer ln.Close()
	_, err = Up(t.Context(), cfg, serve)
	require.ErrorContains(t, err, "practice host app-a: listen tcp")
	require.ErrorContains(t, err, "address already in use")
	st, err := Read(cfg.Dir)
	require.NoError(t, err)
	require.False(t, st.Running)
}

func TestUp_daemonThatDies(t *testing.T) {
	t.Parallel()
	cfg, _ := daemonConfig(t)
	_, err := Up(t.Context(), cfg, []string{"/bin/sh", "-c", "exit 1"})
	require.ErrorContains(t, err, "ended before it was ready")
	_, err = Up(t.Context(), cfg, []string{"/nonexistent/continuo"})
	require.ErrorContains(t, err, "no such file or directory")
}

func TestUp_refusesBeforeItWrites(t *testing.T) {
	t.Parallel()
	cfg, serve := daemonConfig(t)
	cfg.Hosts[0].Port = 0
	_, err := Up(t.Context(), cfg, serve)
	require.ErrorContains(t, err, "needs a port")
	cfg.Hosts = nil
	_, err = Up(t.Context(), cfg, serve)
	require.ErrorIs(t, err, ErrNoHosts)
	require.NoDirExists(t, cfg.Dir)
}

func TestRead_staleLockFile(t *testing.T) {
	t.Parallel()
	cfg, serve := daemonConfig(t)
	st, err := Up(t.Context(), cfg, serve)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(st.PID, syscall.SIGKILL)) // as a crash: nothing is tidied up
	require.NoError(t, retry(t.Context(), stopTimeout, func() error {
		f, err := tryLock(layout(cfg.Dir), syscall.LOCK_SH)
		if err != nil {
			return err
		}
		return f.Close()
	}))
	st, err = Read(cfg.Dir)
	require.NoError(t, err)
	require.False(t, st.Running, "a process id in the file is not taken for a running lab")
	require.Zero(t, st.PID)
	st, err = Up(t.Context(), cfg, serve)
	require.NoError(t, err)
	require.True(t, st.Running)
}
