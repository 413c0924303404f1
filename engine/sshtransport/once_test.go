package sshtransport_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// The tests of this file are the proof that a step runs at most once and is never misreported. CONTINUO_ONCE=1000 (that
// is `make once`) makes them complete: that many races, and a cut at every byte. Otherwise they are samples.

func rounds(t testing.TB, sample int) (n int, all bool) {
	t.Helper()
	v := os.Getenv("CONTINUO_ONCE")
	if v == "" {
		return sample, false
	}
	n, err := strconv.Atoi(v)
	require.NoError(t, err)
	return n, true
}

// counted is a command that leaves a mark each time that it runs.
func counted(dir string, id engine.AttemptID) (engine.Command, func() int) {
	file := filepath.Join(dir, string(id))
	return engine.Command{Script: "echo x >>" + file + "\necho done\nexit 7"}, func() int {
		data, _ := os.ReadFile(file)
		return len(data) / 2
	}
}

// each runs f for 0 … n-1, w at a time.
func each(n, w int, f func(worker, i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for worker := range w {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(worker, i)
			}
		})
	}
	wg.Wait()
}

// Case 25: a launch against a fence. Whoever wins, what is said is what happened.
func TestOnceLaunchAgainstFence(t *testing.T) { //nolint:paralleltest // races want the machine for themselves
	n, _ := rounds(t, 40)
	r := newRig(t)
	other := r.transport()
	dir := t.TempDir()
	var never, ran, wrong atomic.Int64
	marks := make([]func() int, n)
	each(n, 4, func(_, i int) {
		a := r.attempt(engine.Command{})
		a.Command, marks[i] = counted(dir, a.ID)
		collected := make(chan transporttest.Result, 1)
		look := func() { collected <- r.collect(other, a) }
		if i%2 == 0 { // a fence takes a login's shell first, which a launch need not
			go look()
			time.Sleep(rand.N(40 * time.Millisecond)) // the race's skew
		}
		l := r.start(r.tr, a)
		if i%2 == 1 {
			time.Sleep(rand.N(20 * time.Millisecond))
			go look()
		}
		got, first := <-collected, l.wait()
		switch {
		case errors.Is(got.Err, engine.ErrNeverStarted):
			never.Add(1)
			if marks[i]() != 0 || first.Err == nil {
				wrong.Add(1)
				t.Errorf("round %d: never started, but ran %d times; launch: %v", i, marks[i](), first.Err)
			}
		case got.Err == nil && got.Status.Code == 7 && got.Stdout == "done\n" && first.Err == nil && first.Status.Code == 7 && marks[i]() == 1:
			ran.Add(1)
		default:
			wrong.Add(1)
			t.Errorf("round %d: collected %v, launched %v, ran %d times", i, got.Err, first.Err, marks[i]())
		}
	})
	for i, m := range marks {
		require.LessOrEqual(t, m(), 1, "round %d", i)
	}
	t.Logf("%d launches against fences: %d never started, %d ran once, %d inconsistent", n, never.Load(), ran.Load(), wrong.Load())
}

// Duplicate launches at the same time: one runs.
func TestOnceDuplicateLaunches(t *testing.T) { //nolint:paralleltest // races want the machine for themselves
	n, _ := rounds(t, 20)
	r := newRig(t)
	trs := []*sshtransport.Transport{r.tr, r.transport(), r.transport()}
	dir := t.TempDir()
	var double, launches atomic.Int64
	each(n, 2, func(_, i int) {
		a := r.attempt(engine.Command{})
		cmd, mark := counted(dir, a.ID)
		a.Command = cmd
		var ok atomic.Int64
		var wg sync.WaitGroup
		for _, tr := range trs {
			launches.Add(1)
			wg.Go(func() {
				if got := r.start(tr, a).wait(); got.Err == nil && got.Status.Code == 7 {
					ok.Add(1)
				} else if got.Err != nil && !errors.Is(got.Err, engine.ErrOutcomeUnknown) {
					t.Errorf("round %d: %v", i, got.Err)
				}
			})
		}
		wg.Wait()
		if mark() != 1 || ok.Load() != 1 {
			double.Add(1)
			t.Errorf("round %d: ran %d times, %d launches say so", i, mark(), ok.Load())
		}
	})
	t.Logf("%d attempts, %d launches: %d executed other than once", n, launches.Load(), double.Load())
}

// Done-when 3: the connection is cut at every byte that the client sends for a step.
func TestOnceCutAtEveryByte(t *testing.T) { //nolint:paralleltest // races want the machine for themselves
	cutEverywhere(t, "bytes sent", (*transporttest.Proxy).Up, (*transporttest.Proxy).CutNext)
}

// And at every byte that the server sends for it: what began is then known to have ended, however little was heard of it.
func TestOnceCutAtEveryByteOfTheAnswer(t *testing.T) { //nolint:paralleltest // races want the machine for themselves
	cutEverywhere(t, "bytes received", (*transporttest.Proxy).Down, (*transporttest.Proxy).CutNextDown)
}

func cutEverywhere(t *testing.T, what string, passed func(*transporttest.Proxy) int64, cut func(*transporttest.Proxy, int64)) {
	t.Helper()
	_, all := rounds(t, 0)
	r := newRig(t)
	dir := t.TempDir()
	first, last := r.bytesOfStep(dir, passed)
	step := int64(1)
	if !all {
		step = max(1, (last-first)/30)
	}
	points := int((last-first)/step) + 1
	const workers = 4
	proxies := make([]*transporttest.Proxy, workers)
	for i := range proxies {
		proxies[i] = transporttest.NewProxy(t, addr(r.server))
	}
	var never, succeeded, uncut, wrong atomic.Int64
	marks := make([]func() int, points)
	states := make([]bool, points)
	each(points, workers, func(w, i int) {
		n := first + int64(i)*step
		got, mark := r.cut(proxies[w], dir, func(p *transporttest.Proxy) { cut(p, n) })
		marks[i] = mark
		switch {
		case errors.Is(got.Err, engine.ErrNeverStarted) && mark() == 0:
			never.Add(1)
		case got.Err == nil && got.Status.Code == 7 && got.Stdout == "done\n" && mark() == 1:
			states[i] = true
			succeeded.Add(1)
			if got.Status.Reattached == 0 {
				uncut.Add(1)
			}
		default:
			wrong.Add(1)
			t.Errorf("cut at byte %d of %d to %d: %v, ran %d times", n, first, last, got.Err, mark())
		}
	})
	for i, m := range marks { // also what came late
		want := 0
		if states[i] {
			want = 1
		}
		require.Equal(t, want, m(), "cut %d", i)
	}
	t.Logf("%d cut points in %s %d to %d: %d never started, %d ended (%d of them before the cut was felt), %d wrong",
		points, what, first, last, never.Load(), succeeded.Load(), uncut.Load(), wrong.Load())
}

// bytesOfStep measures which bytes of a connection belong to a step.
func (r *rig) bytesOfStep(dir string, passed func(*transporttest.Proxy) int64) (first, last int64) {
	a := r.attempt(engine.Command{})
	a.Command, _ = counted(dir, a.ID)
	first = passed(r.proxy)
	require.NoError(r.t, r.start(r.tr, a).wait().Err)
	return first, passed(r.proxy)
}

// cut runs a step on a connection that is to be cut.
func (r *rig) cut(p *transporttest.Proxy, dir string, arm func(*transporttest.Proxy)) (transporttest.Result, func() int) {
	tr := r.transport(func(o *sshtransport.Options) {
		o.Limits = hostshell.Limits{KillGrace: time.Second, ReconnectDelay: 5 * time.Millisecond, ReconnectFor: time.Minute, Follow: time.Hour}
	})
	defer tr.Close()
	sub := *r
	h := *r.host
	h.Port = p.Port
	sub.host, sub.tr = &h, tr
	arm(p)
	prepared, err := tr.Launcher().Prepare(r.t.Context(), &h, "")
	if errors.Is(err, engine.ErrUnreachable) { // sizes vary by a few bytes: it was cut before the step's own
		prepared, err = tr.Launcher().Prepare(r.t.Context(), &h, "")
	}
	if err != nil {
		return transporttest.Result{Err: err}, func() int { return 0 }
	}
	a := engine.Attempt{ID: transporttest.NewID(), Incarnation: prepared.Incarnation}
	cmd, mark := counted(dir, a.ID)
	a.Command = cmd
	l := sub.start(tr, a)
	return l.wait(), mark
}
