package sshtransport_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// whole is a step that says ten lines on both streams, waits for a word, and says ten more: however its connection is lost
// between, everything it said arrives once.
func (r *rig) whole(change ...func(*engine.Command)) *wholeStep {
	r.t.Helper()
	file, count := counter(r.t)
	w := &wholeStep{r: r, goOn: file + ".go", count: count}
	c := engine.Command{Script: "echo x >>" + file + "; f() { i=0; while [ $i -lt 10 ]; do i=$((i+1)); echo $1 $i; echo err $1 $i >&2; done; }\n" +
		"f first; while [ ! -e " + w.goOn + " ]; do sleep 0.05; done; f second; exit 7", Timeout: time.Minute}
	for _, f := range change {
		f(&c)
	}
	w.attempt = r.attempt(c)
	w.launch = r.start(r.tr, w.attempt)
	eventually(r.t, "it runs", func() bool { return count() == 1 })
	return w
}

type wholeStep struct {
	r       *rig
	attempt engine.Attempt
	launch  *launched
	goOn    string
	count   func() int
}

// end lets the step end and holds what came to what it said.
func (w *wholeStep) end() transporttest.Result {
	t := w.r.t
	t.Helper()
	write(t, w.goOn, "")
	got := w.launch.wait()
	w.holds(got)
	return got
}

func (w *wholeStep) holds(got transporttest.Result) {
	t := w.r.t
	t.Helper()
	require.NoError(t, got.Err)
	require.Equal(t, 7, got.Status.Code)
	require.False(t, got.Status.TimedOut)
	require.Equal(t, lines("", "first")+lines("", "second"), got.Stdout)
	require.Equal(t, lines("err ", "first")+lines("err ", "second"), got.Stderr)
	require.Equal(t, 1, w.count())
}

func lines(before, word string) string {
	var b strings.Builder
	for i := range 10 {
		fmt.Fprintf(&b, "%s%s %d\n", before, word, i+1)
	}
	return b.String()
}

// The process of the server that serves the connection is killed, or frozen, in the middle of a step. Only the connection
// is lost: the step goes on, and is taken up again.
func TestSessionProcess(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "terminated": syscall.SIGTERM, "frozen": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.host.Connection.Keepalive = 200 * time.Millisecond
			r.host.Connection.HandshakeTimeout = time.Minute
			w := r.whole()
			before := r.proxy.Accepted()
			require.Positive(t, r.server.SignalConnections(t, sig))
			if sig == syscall.SIGSTOP {
				frozen := r.server.Connections(t)
				t.Cleanup(func() {
					for _, pid := range frozen {
						_ = syscall.Kill(pid, syscall.SIGKILL)
					}
				})
			}
			eventually(t, "it connects again", func() bool { return r.proxy.Accepted() > before })
			got := w.end()
			require.Equal(t, 1, got.Status.Reattached)
		})
	}
}

// A line on which a handshake takes longer than a channel is waited for: the step is taken up again all the same.
func TestReattachOverASlowLine(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.host.Connection.HandshakeTimeout = time.Minute
	w := r.whole()
	r.proxy.Delay(120 * time.Millisecond)
	r.proxy.Reset()
	got := w.end()
	require.Equal(t, 1, got.Status.Reattached)
}

// Half an end of a connection is an end.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.whole()
	r.proxy.HalfClose()
	eventually(t, "it connects again", func() bool { return r.proxy.Accepted() > 1 })
	got := w.end()
	require.Equal(t, 1, got.Status.Reattached)
}

// A jump host that lives does not hide a target that is frozen: the target's own keepalive finds it out.
func TestKeepaliveThroughAJump(t *testing.T) {
	t.Parallel()
	hop, target := transporttest.StartSSHD(t, transporttest.SSHDOptions{}), transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	tr := open(t, hop, func(o *sshtransport.Options) { o.KnownHosts = []string{hop.KnownHosts, target.KnownHosts} })
	h := target.Host("db-1")
	h.Connection.Via = hop.Host("bastion-1")
	h.Connection.Keepalive = 200 * time.Millisecond
	require.NoError(t, observe(t, tr, h, echo).Err)
	frozen := target.Connections(t)
	require.NotEmpty(t, frozen)
	file, count := counter(t)
	go func() {
		for count() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		target.SignalConnections(t, syscall.SIGSTOP)
	}()
	got := observe(t, tr, h, engine.Command{Script: "echo x >>" + file + "; sleep 20"})
	requireHostError(t, got.Err, engine.ErrUnreachable, "lost-connection", "lost while the command ran", "")
	require.NoError(t, observe(t, tr, h.Connection.Via, echo).Err, "the jump host lives")
	for _, pid := range frozen {
		transporttest.SignalServer(pid, syscall.SIGKILL)
	}
	require.NoError(t, observe(t, tr, h, echo).Err)
}
