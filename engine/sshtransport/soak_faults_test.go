package sshtransport_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// tally counts faults by kind.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (t *tally) add(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[string]int{}
	}
	t.n[kind]++
}

// String lists them, the most frequent first.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var kinds []string
	for k, n := range t.n {
		kinds = append(kinds, fmt.Sprintf("%6d %s", n, k))
	}
	slices.Sort(kinds)
	slices.Reverse(kinds)
	for i, k := range kinds {
		kinds[i] = strings.TrimSpace(k)
	}
	return strings.Join(kinds, ", ")
}

// nap waits for d, or until the faults are over.
func nap(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func upTo(rng *rand.Rand, ms int) time.Duration {
	return time.Duration(rng.IntN(ms)) * time.Millisecond
}

// breakNetwork breaks one host's network in bursts, and leaves it whole. After a burst a step of the host may come to its
// end, however slow the machine is, before the next one.
func (s *soak) breakNetwork(ctx context.Context, i int, rng *rand.Rand) {
	p := s.proxies[i]
	for ctx.Err() == nil {
		for range 1 + rng.IntN(10) {
			nap(ctx, upTo(rng, 1500))
			if ctx.Err() == nil {
				s.faults.add(breakOnce(ctx, p, rng))
			}
		}
		for done := s.done[i].Load(); done == s.done[i].Load() && ctx.Err() == nil; {
			nap(ctx, 50*time.Millisecond)
		}
	}
	p.Blackhole(false)
	p.Refuse(false)
	p.Delay(0)
	p.Slow(0)
}

// breakOnce does one thing to a network and says which.
func breakOnce(ctx context.Context, p *transporttest.Proxy, rng *rand.Rand) string {
	switch rng.IntN(11) {
	case 0, 1:
		p.Reset()
		return "reset"
	case 2:
		p.CutNext(int64(rng.IntN(12000)))
		p.Reset()
		return "reset after some bytes"
	case 3:
		p.CutAfter(int64(rng.IntN(4000)))
		return "reset after some more bytes"
	case 4:
		p.Blackhole(true)
		nap(ctx, upTo(rng, 2000))
		p.Blackhole(false)
		return "blackhole"
	case 5:
		p.Refuse(true)
		p.Reset()
		nap(ctx, upTo(rng, 1000))
		p.Refuse(false)
		return "refused"
	case 6:
		p.Delay(upTo(rng, 50))
		nap(ctx, time.Second)
		p.Delay(0)
		return "late"
	case 7:
		p.Slow(2000 + rng.IntN(20000))
		nap(ctx, time.Second)
		p.Slow(0)
		return "slow"
	case 8, 9:
		p.Hold(upTo(rng, 3000))
		nap(ctx, upTo(rng, 1000))
		p.Orphan()
		return "given up, and delivered late"
	}
	p.HalfClose()
	return "half-closed"
}

// breakServer kills and freezes processes that serve connections. One that thaws reads what was sent to it meanwhile, a
// launch included: long after its controller gave it up.
func (s *soak) breakServer(ctx context.Context, srv *transporttest.SSHD, rng *rand.Rand) {
	var frozen sync.WaitGroup
	defer frozen.Wait()
	for ctx.Err() == nil {
		nap(ctx, upTo(rng, 1000))
		all := srv.Connections(s.t)
		if len(all) == 0 || ctx.Err() != nil {
			continue
		}
		pid := all[rng.IntN(len(all))]
		if rng.IntN(2) == 0 {
			if transporttest.SignalServer(pid, syscall.SIGKILL) {
				s.faults.add("server process killed")
			}
			continue
		}
		if !transporttest.SignalServer(pid, syscall.SIGSTOP) {
			continue
		}
		s.faults.add("server process frozen")
		d := upTo(rng, 5000)
		frozen.Go(func() {
			nap(ctx, d)
			transporttest.SignalServer(pid, syscall.SIGCONT)
		})
	}
}
