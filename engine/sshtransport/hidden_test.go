package sshtransport_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// requireHidden looks at every process of the machine: the secret is in no argument list, and in no environment but those
// of user's own processes. It reports in how many of those it is.
func requireHidden(t *testing.T, secret string, user int) (owners int) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, d := range dirs {
		args, _ := os.ReadFile(filepath.Join(d, "cmdline")) // processes end
		require.NotContains(t, string(args), secret, d)
		env, _ := os.ReadFile(filepath.Join(d, "environ"))
		info, err := os.Stat(filepath.Join(d, "environ"))
		if err != nil || !bytes.Contains(env, []byte(secret)) {
			continue
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		require.True(t, ok)
		require.EqualValues(t, user, stat.Uid, "%s %s", d, args)
		owners++
	}
	return owners
}

// requireNoTrace reads what is left in a state directory.
func requireNoTrace(t *testing.T, secret, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		require.NotContains(t, string(data), secret, f.Name())
	}
}

// A step under become: all of it is that user's, its result and its end too, and the login user sees nothing of it.
func TestBecomeStep(t *testing.T) {
	t.Parallel()
	u := transporttest.MakeUser(t, "step")
	target := transporttest.MakeUser(t, "into")
	u.Sudoers(t, "ALL=(ALL) NOPASSWD: ALL")
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Users: []string{u.Name}})
	tr := open(t, s, quick)
	h := s.Host("db-1")
	h.Connection.User = u.Name
	suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: h, Durable: true}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, os.Chmod(dir, 0o777))
	const secret = "s3cr3t-of-become-40417"
	uid, state := ids(t, target.Name)
	for name, in := range map[string]string{"small": secret, "big": strings.Repeat(secret+"\n", 5000)} {
		begun := filepath.Join(dir, name)
		done := make(chan transporttest.Result, 1)
		go func() {
			done <- suite.Start(t.Context(), t, engine.Command{Become: target.Name, Stdin: []byte(in), Timeout: time.Minute,
				Script: "id -un; cat | wc -c; printf %s \"$TOKEN\" | wc -c; : >" + begun + "; while [ -e " + begun + " ]; do sleep 0.1; done; exit 7",
				Env:    []engine.Env{{Name: "TOKEN", Value: secret, Secret: true}}})
		}()
		eventually(t, "it runs", func() bool { _, err := os.Stat(begun); return err == nil })
		require.Positive(t, requireHidden(t, secret, uid), "the command itself has it")
		require.NoError(t, os.Remove(begun))
		got := <-done
		require.NoError(t, got.Err)
		require.Equal(t, 7, got.Status.Code)
		require.Equal(t, []string{target.Name, strconv.Itoa(len(in)), strconv.Itoa(len(secret))}, strings.Fields(got.Stdout))
	}
	late := suite.Start(t.Context(), t, engine.Command{Become: target.Name, Script: "echo before; sleep 300", Timeout: time.Second})
	require.NoError(t, late.Err)
	require.True(t, late.Status.TimedOut)
	require.True(t, late.Status.KillConfirmed)
	require.Equal(t, "before\n", late.Stdout)
	require.NoError(t, tr.Close())
	requireNoTrace(t, secret, state)
}

// ids are the uid of a user that MakeUser made and the user's state directory.
func ids(t *testing.T, name string) (uid int, state string) {
	t.Helper()
	state = filepath.Join("/home", name)
	info, err := os.Stat(state)
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	return int(stat.Uid), filepath.Join(state, ".continuo")
}
