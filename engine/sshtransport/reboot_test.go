package sshtransport_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// rebooted is the rig's host after a reboot, as far as a test can have one: a server with the same HOME that sees another
// boot id. Only root can give it one.
func (r *rig) rebooted() *transporttest.SSHD {
	t := r.t
	if os.Geteuid() != 0 {
		t.Skip("only root can show another boot id")
	}
	fake := filepath.Join(t.TempDir(), "boot_id")
	write(t, fake, "00000000-1111-4222-8333-444444444444\n")
	mount := "mount --bind " + fake + " /proc/sys/kernel/random/boot_id"
	if out, err := exec.Command("unshare", "-m", "/bin/sh", "-c", mount).CombinedOutput(); err != nil {
		t.Skipf("unshare: %s", out)
	}
	return transporttest.StartSSHD(t, transporttest.SSHDOptions{Env: []string{"HOME=" + r.server.Home}, Config: []string{"AuthorizedKeysFile " + r.server.Identity + ".pub"},
		Under: []string{"unshare", "-m", "/bin/sh", "-c", mount + ` && exec "$@"`, "sh"}})
}

// reboot has the rig's address lead to the rebooted host.
func (r *rig) reboot(to *transporttest.SSHD) {
	r.proxy.Target(addr(to))
	r.proxy.Reset()
}

// knowing is a controller that knows the key of both.
func (r *rig) knowing(s *transporttest.SSHD) *sshtransport.Transport {
	return r.transport(func(o *sshtransport.Options) {
		key, err := os.ReadFile(s.HostKeys[0] + ".pub")
		require.NoError(r.t, err)
		more := filepath.Join(r.t.TempDir(), "known_hosts")
		write(r.t, more, "server "+string(key))
		o.KnownHosts = append(o.KnownHosts, more)
	})
}

// Case 26: the host restarts in the middle of a step, and says so itself. Nothing is started again by anybody.
func TestReboot(t *testing.T) {
	t.Parallel()
	t.Run("while it ran", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		after := r.rebooted()
		r.tr = r.knowing(after)
		w := r.whole()
		// What a reboot leaves of it: the claim, and nothing that runs.
		claim, err := os.ReadFile(filepath.Join(w.attempt.Incarnation.StateDir, string(w.attempt.ID)+".go"))
		require.NoError(t, err)
		f := strings.Fields(string(claim))
		require.Equal(t, "session", f[5])
		r.proxy.Refuse(true)
		r.proxy.Reset()
		for _, pid := range []string{f[1], "-" + f[6]} {
			var n int
			_, err := fmt.Sscan(pid, &n)
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(n, syscall.SIGKILL))
		}
		r.reboot(after)
		r.proxy.Refuse(false)
		got := w.launch.wait()
		requireHostError(t, got.Err, engine.ErrOutcomeUnknown, "lost", "the process that kept its result is gone", "settle")
		require.NotErrorIs(t, got.Err, engine.ErrLost, "another boot may be another machine")
		require.Equal(t, 1, w.count())
		require.Error(t, r.start(r.tr, w.attempt).wait().Err)
		require.Equal(t, 1, w.count(), "nobody starts it again")
	})
	t.Run("after its end", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		after := r.rebooted()
		a := r.attempt(engine.Command{Script: "echo out; exit 5"})
		require.Equal(t, 5, r.start(r.tr, a).wait().Status.Code)
		r.reboot(after)
		got := r.collect(r.knowing(after), a)
		require.NoError(t, got.Err)
		require.Equal(t, 5, got.Status.Code)
		require.Equal(t, "out\n", got.Stdout)
	})
	t.Run("before the launch", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		after := r.rebooted()
		file, count := counter(t)
		c := engine.Command{Script: "echo x >>" + file}
		a := r.attempt(c)
		r.reboot(after)
		r.tr = r.knowing(after) // who sends it over the connection that is lost cannot know whether it came before the reboot
		requireHostError(t, r.start(r.tr, a).wait().Err, engine.ErrNeverStarted, "incarnation", "restarted or replaced", "")
		requireHostError(t, r.collect(r.tr, a).Err, engine.ErrOutcomeUnknown, "incarnation", "does not know the attempt", "settle")
		require.Zero(t, count())
		b := r.attempt(c)
		require.NotEqual(t, a.Incarnation.BootID, b.Incarnation.BootID)
		require.NoError(t, r.start(r.tr, b).wait().Err)
		require.Equal(t, 1, count())
	})
}
