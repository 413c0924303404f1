package sshtransport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// TestSoak runs steps on many hosts while their networks fail at random. CONTINUO_SOAK=10m (that is `make soak`) makes it
// long; CONTINUO_SEED repeats a run's faults.
func TestSoak(t *testing.T) { //nolint:paralleltest // it wants the machine for itself
	length, hosts := 4*time.Second, 6
	if v := os.Getenv("CONTINUO_SOAK"); v != "" {
		var err error
		length, err = time.ParseDuration(v)
		require.NoError(t, err)
		hosts = 50
	}
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("CONTINUO_SEED"); v != "" {
		var err error
		seed, err = strconv.ParseUint(v, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("CONTINUO_SEED=%d", seed)
	s := newSoak(t, hosts)
	transporttest.RequireNoGoroutines(t, func() { s.run(length, seed) })
	for _, m := range s.marks {
		require.Equal(t, m.want, m.count(), "what came late: %s", m.id)
	}
	for _, srv := range s.servers {
		srv.RequireNothingLeft(t)
	}
	t.Logf("%d hosts, %v: %d steps; %d ended, %d re-attached, %d never started, %d unreachable", hosts, length,
		s.steps.Load(), s.ended.Load(), s.reattached.Load(), s.never.Load(), s.unreachable.Load())
	t.Logf("%d double executions, %d false successes, %d lost results, 0 goroutines and 0 remote processes left",
		s.doubles.Load(), s.false.Load(), s.lost.Load())
	require.Zero(t, s.doubles.Load()+s.false.Load()+s.lost.Load())
	require.NotZero(t, s.ended.Load())
}

// run lets every host work and break for a time. Then nothing of the transport may be left.
func (s *soak) run(length time.Duration, seed uint64) {
	ctx, cancel := context.WithTimeout(s.t.Context(), length)
	defer cancel()
	var wg sync.WaitGroup
	for i := range s.hosts {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() { s.work(ctx, i, rand.New(rand.NewPCG(seed, uint64(i)+1000))) })
		wg.Go(func() { s.faults(ctx, s.proxies[i], rng) })
	}
	wg.Wait()
	require.NoError(s.t, s.tr.Close())
}

type soak struct {
	t       *testing.T
	tr      *sshtransport.Transport
	hosts   []*runbooks.Host
	servers []*transporttest.SSHD
	proxies []*transporttest.Proxy
	dir     string

	mu    sync.Mutex
	marks []soakMark

	steps, ended, reattached, never, unreachable atomic.Int64
	// What must not be: executed other than as often as was said, an end that is not the command's, an end that is not known.
	doubles, false, lost atomic.Int64
}

type soakMark struct {
	id    engine.AttemptID
	want  int
	count func() int
}

func newSoak(t *testing.T, hosts int) *soak {
	t.Helper()
	s := &soak{t: t, dir: t.TempDir()}
	var known []string
	for range 2 {
		srv := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
		data, err := os.ReadFile(srv.KnownHosts)
		require.NoError(t, err)
		f := strings.Fields(string(data))
		known = append(known, fmt.Sprintf("server-%d %s %s", len(s.servers), f[1], f[2]))
		s.servers = append(s.servers, srv)
	}
	file := filepath.Join(s.dir, "known_hosts")
	write(t, file, strings.Join(known, "\n")+"\n")
	for i := range hosts {
		n := i % len(s.servers)
		p := transporttest.NewProxy(t, addr(s.servers[n]))
		h := s.servers[n].Host(fmt.Sprintf("host-%d", i))
		h.Port = p.Port
		h.Connection.HostKeyAlias = fmt.Sprintf("server-%d", n)
		h.Connection.HandshakeTimeout, h.Connection.Keepalive = 20*time.Second, 500*time.Millisecond
		s.hosts, s.proxies = append(s.hosts, h), append(s.proxies, p)
	}
	s.tr = sshtransport.New(sshtransport.Options{KnownHosts: []string{file}, Dial: sshtransport.DialLimits{Attempts: 3, Backoff: 50 * time.Millisecond, Penalty: 100 * time.Millisecond},
		Limits: hostshell.Limits{KillGrace: time.Second, ReconnectDelay: 50 * time.Millisecond, ReconnectFor: 3 * time.Minute, Follow: 200 * time.Millisecond}})
	t.Cleanup(func() { _ = s.tr.Close() })
	return s
}

// work runs steps on one host until the time is over.
func (s *soak) work(ctx context.Context, i int, rng *rand.Rand) {
	for ctx.Err() == nil {
		s.step(i, rng)
	}
}

func (s *soak) step(i int, rng *rand.Rand) {
	deadline, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	s.steps.Add(1)
	l := s.tr.Launcher()
	p, err := l.Prepare(deadline, s.hosts[i], "")
	if err != nil {
		s.unreachable.Add(1)
		return
	}
	id := transporttest.NewID()
	file := filepath.Join(s.dir, string(id))
	code, lines := rng.IntN(200), rng.IntN(40)
	script := fmt.Sprintf("echo x >>%s; i=0; while [ $i -lt %d ]; do i=$((i+1)); echo line $i; sleep 0.0%d; done; exit %d", file, lines, rng.IntN(10), code)
	var out bytes.Buffer
	st, release, err := l.Start(deadline, s.hosts[i], engine.Attempt{ID: id, Command: engine.Command{Script: script, Timeout: time.Minute}, Incarnation: p.Incarnation},
		engine.OutputSink{Stdout: &out})
	release()
	m := soakMark{id: id, count: func() int { data, _ := os.ReadFile(file); return len(data) / 2 }}
	switch {
	case err == nil && st.Code == code && strings.Count(out.String(), "\n") == lines:
		s.ended.Add(1)
		m.want = 1
		if st.Reattached > 0 {
			s.reattached.Add(1)
		}
	case errors.Is(err, engine.ErrNeverStarted):
		s.never.Add(1)
	case errors.Is(err, engine.ErrUnreachable):
		s.unreachable.Add(1)
	default:
		if err == nil {
			s.false.Add(1)
		} else {
			s.lost.Add(1)
		}
		m.want = m.count()
		s.t.Errorf("%s on %s: code %d %v, wanted code %d and %d lines, got %d bytes", id, s.hosts[i].Name, st.Code, err, code, lines, out.Len())
	}
	if got := m.count(); got != m.want {
		s.doubles.Add(1)
		s.t.Errorf("%s on %s: %v, and it ran %d times", id, s.hosts[i].Name, err, got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, m)
}

// faults breaks one host's network now and then, and leaves it whole.
func (s *soak) faults(ctx context.Context, p *transporttest.Proxy, rng *rand.Rand) {
	sleep := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
		switch rng.IntN(7) {
		case 0, 1:
			p.Reset()
		case 2:
			p.CutNext(int64(rng.IntN(12000)))
			p.Reset()
		case 3:
			p.Blackhole(true)
			sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
			p.Blackhole(false)
			p.Reset() // what was swallowed does not come back
		case 4:
			p.Refuse(true)
			p.Reset()
			sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
			p.Refuse(false)
		case 5:
			p.Delay(time.Duration(rng.IntN(50)) * time.Millisecond)
			sleep(time.Second)
			p.Delay(0)
		case 6:
			p.HalfClose()
		}
	}
	p.Blackhole(false)
	p.Refuse(false)
	p.Delay(0)
}
