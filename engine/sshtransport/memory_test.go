package sshtransport_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// inMemory is a transport to a server in memory, both in the test's bubble.
func inMemory(t *testing.T, change ...func(*sshtransport.Options)) (*transporttest.Memory, *sshtransport.Transport) {
	t.Helper()
	m := transporttest.NewMemory(t)
	o := sshtransport.Options{KnownHosts: []string{m.KnownHosts}, DialTCP: m.Dial}
	for _, c := range change {
		c(&o)
	}
	tr := sshtransport.New(o)
	t.Cleanup(func() { require.NoError(t, tr.Close()) })
	return m, tr
}

// TestConformanceInMemory is the suite over a connection in memory, in simulated time.
func TestConformanceInMemory(t *testing.T) {
	t.Parallel()
	transporttest.RunInBubbles(t, func(t *testing.T) transporttest.Suite {
		t.Helper()
		m, tr := inMemory(t)
		return transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: m.Host,
			Tell: func(_ engine.Command, d transporttest.Does) { m.Tell(d) }}
	})
}

// look runs a check that lasts for d and says how long it took, in simulated time.
func look(t *testing.T, m *transporttest.Memory, tr *sshtransport.Transport, d time.Duration) (transporttest.Result, time.Duration) {
	t.Helper()
	m.Tell(transporttest.Does{Lasts: d})
	began := time.Now()
	r := transporttest.Observe(t.Context(), t, tr, m.Host, engine.Command{Argv: []string{"true"}})
	return r, time.Since(began)
}

// A connection that falls silent ends after three keepalives without an answer, and one that answers never does.
func TestKeepaliveInTime(t *testing.T) {
	t.Parallel()
	t.Run("silent", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, tr := inMemory(t)
			time.AfterFunc(100*time.Second, m.Freeze)
			r, took := look(t, m, tr, 24*time.Hour)
			requireHostError(t, r.Err, engine.ErrUnreachable, "lost-connection", "lost", "")
			require.Greater(t, took, 100*time.Second+2*sshtransport.DefaultKeepalive)
			require.LessOrEqual(t, took, 100*time.Second+4*sshtransport.DefaultKeepalive)
			r, _ = look(t, m, tr, 0)
			require.NoError(t, r.Err, "the next one has a new connection")
			require.Len(t, m.Dials(), 2)
		})
	})
	t.Run("alive", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, tr := inMemory(t)
			r, took := look(t, m, tr, 24*time.Hour)
			require.NoError(t, r.Err)
			require.Equal(t, 24*time.Hour, took)
			require.Len(t, m.Dials(), 1)
		})
	})
	t.Run("as the host says", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, tr := inMemory(t)
			m.Host.Connection.Keepalive = time.Minute
			time.AfterFunc(time.Second, m.Freeze)
			r, took := look(t, m, tr, 24*time.Hour)
			require.ErrorIs(t, r.Err, engine.ErrUnreachable)
			require.Greater(t, took, 2*time.Minute)
			require.LessOrEqual(t, took, 4*time.Minute+time.Second)
		})
	})
}

// A server that takes the connection and says nothing is given up after the handshake's time, once for each try.
func TestHandshakeInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, tr := inMemory(t, func(o *sshtransport.Options) { o.Dial.Attempts = 1 })
		m.Mute(true)
		r, took := look(t, m, tr, 0)
		requireHostError(t, r.Err, engine.ErrUnreachable, "handshake", "no SSH handshake within 30s", "")
		require.Equal(t, sshtransport.DefaultHandshakeTimeout, took)
		m.Mute(false)
		r, _ = look(t, m, tr, 0)
		require.NoError(t, r.Err)
	})
}

// A server that answers keepalives and opens no channel is given up, once on each of two connections.
func TestOpenInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, tr := inMemory(t)
		m.MuteChannels(true)
		r, took := look(t, m, tr, 0)
		requireHostError(t, r.Err, engine.ErrUnreachable, "lost-connection", "before anything was launched", "")
		require.Equal(t, 2*sshtransport.DefaultHandshakeTimeout, took)
		require.Len(t, m.Dials(), 2)
		m.MuteChannels(false)
		r, _ = look(t, m, tr, 0)
		require.NoError(t, r.Err)
	})
}

// A TCP connection that nobody answers is given up after its own time.
func TestConnectInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nobody := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		m, tr := inMemory(t, func(o *sshtransport.Options) { o.DialTCP = nobody; o.Dial.Attempts = 1 })
		r, took := look(t, m, tr, 0)
		requireHostError(t, r.Err, engine.ErrUnreachable, "dial", "no answer", "firewall")
		require.Equal(t, sshtransport.DefaultConnectTimeout, took)
	})
}

// Tries to connect are spread by full jitter under bounds that double, five of them at most; what is refused by a person's
// decision (a login, a key) is tried once.
func TestBackoffInTime(t *testing.T) {
	t.Parallel()
	t.Run("comes back", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, tr := inMemory(t)
			m.EndNext(3)
			r, took := look(t, m, tr, 0)
			require.NoError(t, r.Err)
			require.LessOrEqual(t, took, (500+1000+2000)*time.Millisecond+2*15*time.Second)
			requireSpread(t, m.Dials(), 4)
		})
	})
	t.Run("stays away", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, tr := inMemory(t)
			m.EndNext(100)
			r, _ := look(t, m, tr, 0)
			requireHostError(t, r.Err, engine.ErrUnreachable, "dial", "ended 5 connections", "MaxStartups")
			requireSpread(t, m.Dials(), 5)
		})
	})
	t.Run("bounds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, tr := inMemory(t, func(o *sshtransport.Options) {
				o.Dial = sshtransport.DialLimits{Attempts: 12, Backoff: 10 * time.Second, MaxBackoff: 30 * time.Second}
			})
			m.EndNext(100)
			_, took := look(t, m, tr, 0)
			require.Len(t, m.Dials(), 12)
			require.LessOrEqual(t, took, (10+20+9*30+10*15)*time.Second)
		})
	})
	t.Run("a refused login is tried once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, tr := inMemory(t)
			m.RefuseLogins()
			r, took := look(t, m, tr, 0)
			require.ErrorIs(t, r.Err, engine.ErrUnreachable)
			var he *engine.HostError
			require.True(t, errors.As(r.Err, &he) && he.Kind == "auth", "%v", r.Err)
			require.Len(t, m.Dials(), 1)
			require.Zero(t, took)
		})
	})
}

// requireSpread holds the delays between n dials to their bounds. The server ends each connection before it says who it is:
// from the second on it is given 15 s more.
func requireSpread(t *testing.T, dials []time.Time, n int) {
	t.Helper()
	require.Len(t, dials, n)
	bound := 500 * time.Millisecond
	for i := 1; i < n; i++ {
		delay := dials[i].Sub(dials[i-1])
		if i >= 2 {
			require.GreaterOrEqual(t, delay, 15*time.Second)
			delay -= 15 * time.Second
		}
		require.LessOrEqual(t, delay, bound)
		bound *= 2
	}
}

// A stopped caller does not wait: neither for a connection nor for the next try.
func TestStoppedInTime(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*transporttest.Memory){
		"in the handshake": func(m *transporttest.Memory) { m.Mute(true) },
		"between tries":    func(m *transporttest.Memory) { m.EndNext(1000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, tr := inMemory(t, func(o *sshtransport.Options) {
					o.Dial = sshtransport.DialLimits{Attempts: 1000, Backoff: time.Hour, MaxBackoff: time.Hour}
				})
				prepare(m)
				ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
				defer cancel()
				began := time.Now()
				r := transporttest.Observe(ctx, t, tr, m.Host, engine.Command{Argv: []string{"true"}})
				require.ErrorIs(t, r.Err, context.DeadlineExceeded)
				require.Equal(t, 7*time.Second, time.Since(began))
			})
		})
	}
}
