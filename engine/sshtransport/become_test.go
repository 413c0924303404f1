package sshtransport_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Case 10: sudo with a password, without one, with a wrong one, without a terminal.
func TestBecome(t *testing.T) {
	t.Parallel()
	var users []transporttest.TestUser
	var names []string
	for _, tag := range []string{"pw", "no", "ban", "tty"} {
		u := transporttest.MakeUser(t, tag)
		users = append(users, u)
		names = append(names, u.Name)
	}
	users[0].Sudoers(t, "ALL=(ALL) ALL")
	users[1].Sudoers(t, "ALL=(ALL) NOPASSWD: ALL")
	users[3].Sudoers(t, "ALL=(ALL) NOPASSWD: ALL\nDefaults:"+names[3]+" requiretty")
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Users: names})
	secret := secrets{"good": users[0].Password, "bad": "wrong password"}
	tr := open(t, s, func(o *sshtransport.Options) { o.Secrets = secret })
	host := func(user int, secret string) *runbooks.Host {
		h := s.Host(names[user] + "-" + secret)
		h.Connection.User = names[user]
		h.Become.Password = secret
		return h
	}
	who := engine.Command{Script: "id -un; pwd; cat; exit 7", Become: "root", Stdin: []byte("in\x00put")}
	works := map[string]*runbooks.Host{"password": host(0, "good"), "no password": host(1, ""), "password not asked for": host(1, "good")}
	for name, h := range works {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := observe(t, tr, h, who)
			require.NoError(t, r.Err)
			require.Equal(t, "root\n/root\nin\x00put", r.Stdout)
			require.Empty(t, r.Stderr)
			require.Equal(t, 7, r.Status.Code)
		})
	}
	t.Run("by an account that runs programs only", func(t *testing.T) {
		t.Parallel()
		s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Users: names, LoginShell: programsOnly(t)})
		h := s.Host("no")
		h.Connection.User = names[1]
		r := observe(t, open(t, s), h, who)
		require.NoError(t, r.Err)
		require.Equal(t, "root\n/root\nin\x00put", r.Stdout)
	})
	refused := map[string]struct {
		h          *runbooks.Host
		become     string
		says, hint string
	}{
		"password missing": {host(0, ""), "root", "wants a password to become root", "become { password = secret."},
		"password wrong":   {host(0, "bad"), "root", "sudo refused the password", "secret.bad"},
		"not in sudoers":   {host(2, ""), "root", "password", "become"}, // sudo says no more before it knows who asks
		"no such user":     {host(1, ""), "nonsuchuser", "no user nonsuchuser", ""},
		"requires a tty":   {host(3, ""), "root", "wants a terminal", "requiretty"},
		"secret missing":   {host(0, "nosecret"), "root", "sudo password", ""},
	}
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := observe(t, tr, c.h, engine.Command{Argv: []string{"touch", "/never"}, Become: c.become})
			requireHostError(t, r.Err, engine.ErrRefused, "become", c.says, c.hint)
			require.NotContains(t, r.Err.Error(), "wrong password")
			require.Zero(t, r.Status)
		})
	}
	t.Run("timeout kills what runs as another user", func(t *testing.T) {
		t.Parallel()
		sleep := fmt.Sprintf("sleep 1000.%d", os.Getpid())
		r := observe(t, tr, host(0, "good"), engine.Command{Script: sleep + "; true", Become: "root", Timeout: time.Second})
		require.NoError(t, r.Err)
		require.True(t, r.Status.TimedOut)
		require.True(t, r.Status.KillConfirmed)
		require.Error(t, exec.Command(transporttest.NeedProgram(t, "pgrep"), "-f", sleep).Run(), "what it had started runs on")
	})
}

// Under become an attempt is as durable: it is taken up again behind a password, killed, fenced, and another controller
// collects it.
func TestBecomeDurable(t *testing.T) {
	t.Parallel()
	u, target := transporttest.MakeUser(t, "dur"), transporttest.MakeUser(t, "as")
	u.Sudoers(t, "ALL=(ALL) ALL")
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Users: []string{u.Name}})
	known := func(o *sshtransport.Options) { o.Secrets = secrets{"good": u.Password} }
	newRig := func(t *testing.T) *rig {
		t.Helper()
		r := &rig{t: t, server: s, proxy: transporttest.NewProxy(t, addr(s))}
		r.host = s.Host("db-1")
		r.host.Port, r.host.Connection.HostKeyAlias, r.host.Connection.User = r.proxy.Port, "server", u.Name
		r.host.Become.Password = "good"
		r.tr = r.transport(known)
		return r
	}
	as := func(c *engine.Command) { c.Become = target.Name; c.Script = "id -un >&2; " + c.Script }
	t.Run("taken up again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		w := r.whole(as)
		r.proxy.Reset()
		write(t, w.goOn, "")
		got := w.launch.wait()
		require.NoError(t, got.Err)
		require.Equal(t, 7, got.Status.Code)
		require.Equal(t, 1, got.Status.Reattached)
		require.Equal(t, lines("", "first")+lines("", "second"), got.Stdout)
		require.Equal(t, target.Name+"\n"+lines("err ", "first")+lines("err ", "second"), got.Stderr)
		require.Equal(t, 1, w.count())
		again := r.collect(r.transport(known), w.attempt)
		require.NoError(t, again.Err, "by another controller")
		require.Equal(t, got.Stdout, again.Stdout)
		requireHostError(t, r.start(r.tr, w.attempt).wait().Err, engine.ErrOutcomeUnknown, "claimed", "launched before", "")
		require.Equal(t, 1, w.count())
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		w := r.whole(as)
		w.launch.cancel()
		got := w.launch.wait()
		require.NoError(t, got.Err)
		require.True(t, got.Status.KillConfirmed)
		require.Equal(t, "TERM", got.Status.Signal)
	})
	t.Run("fenced", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		file, count := counter(t)
		a := r.attempt(engine.Command{Script: "echo x >>" + file, Become: target.Name})
		requireHostError(t, r.collect(r.tr, a).Err, engine.ErrNeverStarted, "never-started", "never starts", "")
		require.Error(t, r.start(r.tr, a).wait().Err)
		require.Zero(t, count())
	})
}
