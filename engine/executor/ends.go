package executor

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// ends keeps how the items of phases that roll out ended in each batch, those of called runbooks too.
type ends struct {
	mu    sync.Mutex
	items map[runbooks.ItemID]*itemEnds
}

type itemEnds struct {
	last  *task
	by    map[int]verdict
	hosts map[int]engine.HostCount
}

// put takes how an item ended in its batch; outside of batches it does nothing.
func (e *ends) put(t *task, hosts *engine.HostCount) {
	if t.batch == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.items[t.id]
	if i == nil {
		i = &itemEnds{by: map[int]verdict{}, hosts: map[int]engine.HostCount{}}
		e.items[t.id] = i
	}
	i.last, i.by[t.batch] = t, t.outcome
	if hosts != nil {
		i.hosts[t.batch] = *hosts
	}
}

// settled takes a person's later word about an item in its batch.
func (e *ends) settled(t *task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := e.items[t.id]; i != nil && t.batch > 0 {
		i.by[t.batch] = t.outcome
	}
}

func (e *ends) has(id runbooks.ItemID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.items[id] != nil
}

// last is the item's task in the last batch that it came to; nil: in none.
func (e *ends) last(id runbooks.ItemID) *task {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := e.items[id]; i != nil {
		return i.last
	}
	return nil
}

// total is how an item ended over all batches, and on how many hosts. why is the reason for batches that never came.
func (e *ends) total(id runbooks.ItemID, batches int, why string) (verdict, *engine.HostCount) {
	e.mu.Lock()
	defer e.mu.Unlock()
	hosts := &engine.HostCount{}
	i := e.items[id]
	if i == nil {
		return verdict{outcome: engine.NotReached, cause: causeRollout, reason: why, fails: true}, hosts
	}
	for _, h := range i.hosts {
		hosts.Expected, hosts.Reached, hosts.Done = hosts.Expected+h.Expected, hosts.Reached+h.Reached, hosts.Done+h.Done
	}
	numbers := slices.Sorted(maps.Keys(i.by))
	worst, failures, reached, skipped := verdict{}, 0, 0, 0
	for _, n := range numbers {
		v := i.by[n]
		switch {
		case v.outcome == engine.NotReached && v.fails:
			continue
		case v.outcome == engine.Skipped:
			skipped++
		}
		reached++
		if v.fails {
			failures++
			if worst.outcome == "" || v.open && !worst.open {
				worst = v
				worst.reason = fmt.Sprintf("in batch %d: %s", n, reasonOr(v.reason, string(v.outcome)))
			}
		}
	}
	switch {
	case failures > 0:
		return worst, hosts
	case reached == 0:
		return i.by[numbers[0]], hosts
	case reached < batches:
		return verdict{
			outcome: engine.Failed, cause: causeRollout, fails: true, reason: fmt.Sprintf("done in %d of %d batches; %s", reached, batches, why),
		}, hosts
	case skipped == reached:
		return i.by[numbers[0]], hosts
	}
	best := i.by[numbers[0]]
	for _, n := range numbers {
		if v := i.by[n]; v.outcome == engine.Succeeded || v.outcome == engine.Exercised {
			best = v
			break
		}
	}
	return verdict{outcome: best.outcome, cause: best.cause, reason: best.reason, byHand: best.byHand}, hosts
}
