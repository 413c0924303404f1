package sshtransport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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

// TestSoak runs steps on many hosts while their networks, their servers and the controller fail at random. CONTINUO_SOAK=10m
// (that is `make soak`) makes it long; CONTINUO_SEED repeats a run's faults.
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
	defer s.report(length) // whatever else fails
	transporttest.RequireNoGoroutines(t, func() { s.run(length, seed) })
}

// report waits until nothing runs on the hosts and holds what ran, also late, to what was said.
func (s *soak) report(length time.Duration) {
	t := s.t
	t.Helper()
	for _, srv := range s.servers {
		srv.RequireNothingLeft(t)
	}
	for _, m := range s.marks {
		if got := m.ran(); !slices.Equal(got, m.want) {
			s.doubles.Add(1)
			t.Errorf("what came late: %v ran, wanted %v", got, m.want)
		}
	}
	t.Logf("%d hosts, %v: %d steps, %d attempts; %d ended once, %d of them re-attached, %d collected later; %d attempts never started, %d steps gave up unreached",
		len(s.hosts), length, s.steps.Load(), s.attempts.Load(), s.ended.Load(), s.reattached.Load(), s.collected.Load(), s.never.Load(), s.unreachable.Load())
	t.Logf("faults: %s", s.faults.String())
	left := "0"
	if t.Failed() {
		left = "look above for"
	}
	t.Logf("%d double executions, %d false successes, %d lost results, %s goroutines and 0 remote processes left",
		s.doubles.Load(), s.wrong.Load(), s.lost.Load(), left)
	require.Zero(t, s.doubles.Load()+s.wrong.Load()+s.lost.Load())
	require.NotZero(t, s.ended.Load())
}

// run lets every host work and break for a time. Then nothing of the transports may be left.
func (s *soak) run(length time.Duration, seed uint64) {
	ctx, cancel := context.WithTimeout(s.t.Context(), length)
	defer cancel()
	var wg sync.WaitGroup
	for i := range s.hosts {
		faults := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() { s.work(ctx, i, rand.New(rand.NewPCG(seed, uint64(i)+1000))) })
		wg.Go(func() { s.breakNetwork(ctx, i, faults) })
	}
	for i, srv := range s.servers {
		wg.Go(func() { s.breakServer(ctx, srv, rand.New(rand.NewPCG(seed, uint64(i)+2000))) })
	}
	wg.Wait()
	for _, tr := range s.trs {
		require.NoError(s.t, tr.Close())
	}
}

type soak struct {
	t       *testing.T
	trs     [2]*sshtransport.Transport // two controllers: when one dies the other goes on
	hosts   []*runbooks.Host
	servers []*transporttest.SSHD
	proxies []*transporttest.Proxy
	dir     string
	faults  tally
	done    []atomic.Int64 // by host: steps that came to their end

	mu    sync.Mutex
	marks []soakMark

	steps, attempts, ended, reattached, collected, never, unreachable atomic.Int64
	// What must not be: executed other than as often as was said, an end that is not the command's, an end that is not known.
	doubles, wrong, lost atomic.Int64
}

// soakMark is a step, and which of its attempts may have left a mark.
type soakMark struct {
	file string
	want []string
}

// ran are the attempts that were executed, each as often as it was.
func (m soakMark) ran() []string {
	data, _ := os.ReadFile(m.file)
	return strings.Fields(string(data))
}

func newSoak(t *testing.T, hosts int) *soak {
	t.Helper()
	s := &soak{t: t, dir: t.TempDir(), done: make([]atomic.Int64, hosts)}
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
	for i := range s.trs {
		s.trs[i] = sshtransport.New(sshtransport.Options{KnownHosts: []string{file}, Dial: sshtransport.DialLimits{Attempts: 3, Backoff: 50 * time.Millisecond, Penalty: 100 * time.Millisecond},
			Limits: hostshell.Limits{KillGrace: time.Second, ReconnectDelay: 50 * time.Millisecond, ReconnectFor: 3 * time.Minute, Follow: 200 * time.Millisecond}})
		t.Cleanup(func() { _ = s.trs[i].Close() })
	}
	return s
}

// work runs steps on one host until the time is over.
func (s *soak) work(ctx context.Context, i int, rng *rand.Rand) {
	for ctx.Err() == nil {
		s.step(i, rng)
		s.done[i].Add(1)
	}
}

// soakStep is a step and what its command says when it ran whole.
type soakStep struct {
	host   *runbooks.Host
	mark   soakMark
	script string
	code   int
	stdout string
	rng    *rand.Rand
}

// step runs a step as a run does: what never started is started anew, three times at most; what is unknown is asked for
// again. A new attempt is only made when it is proven that none before it ran.
func (s *soak) step(i int, rng *rand.Rand) {
	s.steps.Add(1)
	st := soakStep{host: s.hosts[i], code: rng.IntN(200), rng: rng, mark: soakMark{file: filepath.Join(s.dir, string(transporttest.NewID()))}}
	n := rng.IntN(40)
	for k := range n {
		st.stdout += fmt.Sprintf("line %d\n", k+1)
	}
	st.script = fmt.Sprintf("echo $CONTINUO_ATTEMPT >>%s; i=0; while [ $i -lt %d ]; do i=$((i+1)); echo line $i; sleep 0.0%d; done; exit %d", st.mark.file, n, rng.IntN(10), st.code)
	for again, try := true, 0; again && try < 3; try++ {
		again = s.attempt(&st)
		if got := st.mark.ran(); !slices.Equal(got, st.mark.want) {
			s.doubles.Add(1)
			s.t.Errorf("%s: %v ran, wanted %v", st.host.Name, got, st.mark.want)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, st.mark)
}

// attempt makes one attempt, holds what is said of it to what happened, and says whether another one is to be made: it is
// proven that this one never started.
func (s *soak) attempt(st *soakStep) (again bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	p, err := s.trs[0].Launcher().Prepare(ctx, st.host, "")
	if err != nil {
		s.unreachable.Add(1)
		return false
	}
	s.attempts.Add(1)
	id := transporttest.NewID()
	a := engine.Attempt{ID: id, Command: engine.Command{Script: st.script, Timeout: 2 * time.Minute}, Incarnation: p.Incarnation}
	got := s.launch(ctx, st, a)
	for again := 1; errors.Is(got.Err, engine.ErrLeft) || isLost(got.Err) && ctx.Err() == nil; again++ {
		s.collected.Add(1)
		got = collectWith(ctx, s.trs[again%2], st.host, a)
	}
	switch {
	case errors.Is(got.Err, engine.ErrNeverStarted):
		s.never.Add(1)
		return true
	case errors.Is(got.Err, engine.ErrUnreachable):
		s.unreachable.Add(1)
		return false
	case got.Err != nil:
		s.lost.Add(1)
		st.mark.want = st.mark.ran() // nobody knows
	default:
		st.mark.want = []string{string(id)}
		if got.Status.Reattached > 0 {
			s.reattached.Add(1)
		}
		if got.Status.Code == st.code && got.Stdout == st.stdout && got.Stderr == "" {
			s.ended.Add(1)
			return false
		}
		s.wrong.Add(1)
	}
	s.t.Errorf("%s on %s: code %d %v, wanted code %d; said %q %q, wanted %q", id, st.host.Name, got.Status.Code, got.Err, st.code, got.Stdout, got.Stderr, st.stdout)
	return false
}

// isLost: the connection was lost and did not come back in time. The attempt waits on its host for whoever asks again.
func isLost(err error) bool {
	var he *engine.HostError
	return errors.Is(err, engine.ErrOutcomeUnknown) && errors.As(err, &he) && he.Kind == "lost-connection"
}

// launch starts the attempt. One in eight controllers leaves, or dies, while it runs.
func (s *soak) launch(ctx context.Context, st *soakStep, a engine.Attempt) transporttest.Result {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	if st.rng.IntN(8) == 0 {
		s.faults.add("controller left")
		timer := time.AfterFunc(time.Duration(st.rng.IntN(1000))*time.Millisecond, func() { leave(engine.ErrLeft) })
		defer timer.Stop()
	}
	var out, errs bytes.Buffer
	status, release, err := s.trs[0].Launcher().Start(ctx, st.host, a, engine.OutputSink{Stdout: &out, Stderr: &errs})
	release()
	return transporttest.Result{Status: status, Stdout: out.String(), Stderr: errs.String(), Err: err}
}

func collectWith(ctx context.Context, tr *sshtransport.Transport, h *runbooks.Host, a engine.Attempt) transporttest.Result {
	var out, errs bytes.Buffer
	status, release, err := tr.Launcher().Collect(ctx, h, a, engine.OutputSink{Stdout: &out, Stderr: &errs})
	release()
	return transporttest.Result{Status: status, Stdout: out.String(), Stderr: errs.String(), Err: err}
}
