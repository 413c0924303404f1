package sshtransport_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// Case 30: MaxSessions is found out; a refused channel waits.
func TestMaxSessions(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{fmt.Sprint("MaxSessions ", n)}})
			var f facts
			tr := open(t, s, quick, func(o *sshtransport.Options) { o.Connected = f.add })
			suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: s.Host("db-1"), Durable: true}
			var wg sync.WaitGroup
			for i := range 12 {
				wg.Go(func() {
					c := engine.Command{Script: fmt.Sprintf("sleep 0.2; echo %d", i)}
					r := observe(t, tr, s.Host("db-1"), c)
					if i%3 == 0 {
						r = suite.Start(t.Context(), t, c)
					}
					if r.Err != nil || r.Stdout != fmt.Sprintln(i) {
						t.Errorf("%d: %+v", i, r)
					}
				})
			}
			wg.Wait()
			require.Equal(t, 1, f.count(), "one connection")
		})
	}
}

// Case 30: a server that takes no more unauthenticated connections says so before it says who it is. It is given time.
func TestMaxStartups(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"MaxStartups 1:100:1"}})
	held, err := net.Dial("tcp", addr(s))
	require.NoError(t, err)
	t.Cleanup(func() { _ = held.Close() })
	_, err = held.Read(make([]byte, 1))
	require.NoError(t, err, "it is counted")
	dropped := func() int { return strings.Count(s.Log(), "past MaxStartups") }

	tr := open(t, s, func(o *sshtransport.Options) {
		o.Dial = sshtransport.DialLimits{Attempts: 2, Backoff: time.Millisecond, Penalty: time.Millisecond}
	})
	r := observe(t, tr, s.Host("db-1"), echo)
	requireHostError(t, r.Err, engine.ErrUnreachable, "dial", "takes no connection now (tried twice): Exceeded MaxStartups", "wait a minute")
	_, err = tr.Scan(t.Context(), s.Host("db-1"), "")
	requireHostError(t, err, engine.ErrUnreachable, "dial", "takes no connection now: Exceeded MaxStartups", "wait a minute")
	require.Equal(t, 3, dropped())

	patient := open(t, s, func(o *sshtransport.Options) {
		o.Dial = sshtransport.DialLimits{Attempts: 1000, Backoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond, Penalty: time.Millisecond}
	})
	go func() {
		for dropped() < 5 {
			time.Sleep(5 * time.Millisecond)
		}
		_ = held.Close()
	}()
	require.NoError(t, observe(t, patient, s.Host("db-1"), echo).Err)
	require.GreaterOrEqual(t, dropped(), 5)
}

// What OpenSSH says from 9.8 on to whom it has penalised.
func TestPerSourcePenalties(t *testing.T) {
	t.Parallel()
	tr, h := liar{raw: func(c net.Conn) { say(c, "Not allowed at this time\r\n") }}.start(t)
	r := observe(t, tr, h, echo)
	requireHostError(t, r.Err, engine.ErrUnreachable, "dial", "takes no connection now: Not allowed at this time (PerSourcePenalties)", "do not probe")
}

// Case 17: a connection that ended between two items is made again without a word.
func TestReconnectBetweenItems(t *testing.T) {
	t.Parallel()
	var f facts
	r := newRig(t, func(o *sshtransport.Options) { o.Connected = f.add })
	for i := range 3 {
		require.NoError(t, observe(t, r.tr, r.host, echo).Err)
		require.Equal(t, i+1, f.count())
		r.proxy.Reset()
	}
}

// A lost connection during a check is unreachable, during a plain step unknown.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	c := engine.Command{Script: "echo x >>" + file + "; sleep 5; exit 0"}
	go func() {
		for count() < 1 {
			time.Sleep(10 * time.Millisecond)
		}
		r.proxy.Reset()
	}()
	requireHostError(t, observe(t, r.tr, r.host, c).Err, engine.ErrUnreachable, "lost-connection", "the connection was lost", "")
	plain := *r.host
	plain.Name, plain.Connection.Plain = "router-1", true
	go func() {
		for count() < 2 {
			time.Sleep(10 * time.Millisecond)
		}
		r.proxy.Reset()
	}()
	_, _, err := r.tr.Launcher().Start(t.Context(), &plain, engine.Attempt{ID: transporttest.NewID(), Command: c}, engine.OutputSink{})
	requireHostError(t, err, engine.ErrOutcomeUnknown, "lost-connection", "the connection was lost", "")
	_, _, err = r.tr.Launcher().Collect(t.Context(), &plain, engine.Attempt{ID: transporttest.NewID(), Command: c}, engine.OutputSink{})
	requireHostError(t, err, engine.ErrOutcomeUnknown, "lost", "leaves nothing", "settle")
}

// Case 21: a server that is frozen, or a network that swallows everything, is found out by keepalives.
func TestKeepalive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.host.Connection.Keepalive = 100 * time.Millisecond
	require.NoError(t, observe(t, r.tr, r.host, echo).Err)
	time.AfterFunc(200*time.Millisecond, func() { r.proxy.Blackhole(true) })
	got := observe(t, r.tr, r.host, engine.Command{Script: "sleep 2; echo too late"})
	requireHostError(t, got.Err, engine.ErrUnreachable, "lost-connection", "lost while the command ran", "")
	r.proxy.Blackhole(false)
	r.proxy.Reset()
	require.NoError(t, observe(t, r.tr, r.host, echo).Err)
}

// Case 20 and 21: silence at every stage.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	require.NoError(t, syscall.Kill(s.PID, syscall.SIGSTOP))
	h := s.Host("db-1")
	h.Connection.HandshakeTimeout = 300 * time.Millisecond
	r := observe(t, open(t, s), h, echo)
	require.NoError(t, syscall.Kill(s.PID, syscall.SIGCONT))
	requireHostError(t, r.Err, engine.ErrUnreachable, "handshake", "no SSH handshake within", "")
}

// The end of a context stops waiting, and what ran is killed.
func TestContextEndsACheck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file, count := counter(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for count() < 1 {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	got := transporttest.Observe(ctx, t, r.tr, r.host, engine.Command{Script: "echo x >>" + file + "; sleep 4711"})
	require.ErrorIs(t, got.Err, context.Canceled)
	require.NoError(t, observe(t, r.tr, r.host, echo).Err, "the connection lives on")
}

// Case 3 in small: a sink sees every byte, and memory does not grow with the output.
func TestMuchOutput(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var n countingWriter
	o, err := engine.NewObservation("check", engine.PartCommand, engine.Command{Script: "head -c 100000000 /dev/zero"})
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	st, err := r.tr.Observe(t.Context(), r.host, o, engine.OutputSink{Stdout: &n})
	require.NoError(t, err)
	require.Zero(t, st.Code)
	require.EqualValues(t, 100000000, n)
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapSys-min(after.HeapSys, before.HeapSys), uint64(256<<20))
}

type countingWriter int64

func (n *countingWriter) Write(p []byte) (int, error) {
	*n += countingWriter(len(p))
	return len(p), nil
}

// Nothing is left running, in this process or on the host, when a transport is closed.
func TestNoGoroutinesLeft(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	transporttest.RequireNoGoroutines(t, func() {
		tr := sshtransport.New(sshtransport.Options{KnownHosts: []string{s.KnownHosts}, Dial: fast})
		suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: s.Host("db-1"), Durable: true}
		for range 3 {
			require.NoError(t, observe(t, tr, suite.Host, echo).Err)
			require.NoError(t, suite.Start(t.Context(), t, engine.Command{Script: "sleep 1 >/dev/null 2>&1 & echo hi"}).Err)
			observe(t, tr, suite.Host, engine.Command{Script: "sleep 1 & echo hi"})
		}
		require.NoError(t, tr.Close())
	})
	s.RequireNothingLeft(t)
}

// A step's watchdog goes with the step, however short that was, on whatever shell the host has as /bin/sh.
func TestNoProcessesLeft(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	tr := open(t, s, quick)
	suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: s.Host("db-1"), Durable: true}
	each(100, 8, func(_, i int) {
		c := engine.Command{Argv: []string{"true"}, Timeout: time.Hour}
		if i%10 == 0 {
			c = engine.Command{Argv: []string{"sleep", "300"}, Timeout: time.Second}
		}
		got := suite.Start(t.Context(), t, c)
		if got.Err != nil || got.Status.TimedOut != (i%10 == 0) {
			t.Errorf("%d: %+v", i, got)
		}
	})
	require.NoError(t, tr.Close())
	s.RequireNothingLeft(t)
}
