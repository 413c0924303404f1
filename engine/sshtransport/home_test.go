package sshtransport_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// mountHome puts a file system of its own over HOME. Only root can.
func (r *rig) mountHome(options ...string) {
	t := r.t
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	for _, o := range options {
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", o, "continuo-test", r.server.Home).CombinedOutput(); err != nil {
			t.Skipf("mount: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", "-l", r.server.Home).Run() })
	}
}

// Case 31: a HOME that cannot be written is no obstacle, nor one from which nothing may be executed.
func TestHomeMounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ options, dir string }{
		"read-only": {"size=64k,mode=700,ro", "/var/tmp/.continuo-"},
		"noexec":    {"size=1m,mode=700,noexec", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.mountHome(c.options)
			pre, err := r.tr.Preflight(t.Context(), r.host, engine.PreflightRequest{})
			require.NoError(t, err)
			require.True(t, pre.OK)
			file, count := counter(t)
			a := r.attempt(engine.Command{Script: "echo x >>" + file + "; echo out; exit 3"})
			require.True(t, strings.HasPrefix(a.Incarnation.StateDir, c.dir), a.Incarnation.StateDir)
			require.Equal(t, name == "noexec", strings.HasPrefix(a.Incarnation.StateDir, r.server.Home), a.Incarnation.StateDir)
			got := r.start(r.tr, a).wait()
			require.NoError(t, got.Err)
			require.Equal(t, 3, got.Status.Code)
			require.Equal(t, "out\n", got.Stdout)
			require.Equal(t, 1, count())
		})
	}
}

// Case 31: a user who may not write to the own HOME.
func TestHomeOfAnother(t *testing.T) {
	t.Parallel()
	u := transporttest.MakeUser(t, "home")
	uid, _ := ids(t, u.Name)
	home := filepath.Join("/home", u.Name)
	require.NoError(t, os.Chown(home, 0, 0))
	require.NoError(t, os.Chmod(home, 0o755))
	state := "/var/tmp/.continuo-" + strconv.Itoa(uid)
	t.Cleanup(func() { _ = os.RemoveAll(state) }) // the test's own user's
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Users: []string{u.Name}})
	tr := open(t, s, quick)
	h := s.Host("db-1")
	h.Connection.User = u.Name
	suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: h, Durable: true}
	p, err := suite.Launcher.Prepare(t.Context(), h, "")
	require.NoError(t, err)
	require.Equal(t, state, p.Incarnation.StateDir)
	r := suite.Start(t.Context(), t, engine.Command{Script: "id -un; exit 3"})
	require.NoError(t, r.Err)
	require.Equal(t, 3, r.Status.Code)
	require.Equal(t, u.Name+"\n", r.Stdout)
}
