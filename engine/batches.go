package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// BatchRecord is one batch of a phase that rolls out.
type BatchRecord struct {
	Call     runbooks.ItemID // path of the call that the phase belongs to; empty: the run's own runbook
	Phase    string
	Batch    int // from 1
	Of       int
	Hosts    []string
	Started  time.Time // zero: it was not reached
	Offset   time.Duration
	Duration time.Duration
	Ended    bool
	Count    HostCount // Reached and Done are zero while it has not ended
	Failed   []string
	Stopped  string // why the rollout went no further; empty: it did, or this was the last
}

// ItemBatch is an item in one batch.
type ItemBatch struct {
	Batch        int
	Outcome      Outcome // empty: no word yet
	Standing     Standing
	Reason       string
	Cause        string
	StartedAt    time.Time
	Offset       time.Duration
	Duration     time.Duration
	Count        *HostCount
	Manual       *ManualDone
	Decision     *DecisionMade
	Expectations []Expectation
}

// applyBatch takes the events about batches.
func (f *Folder) applyBatch(e Event) error {
	switch p := e.Payload.(type) {
	case *RolloutStarted:
		return f.rolloutStarted(p)
	case *BatchStarted:
		return f.batchStarted(e, p)
	case *BatchEnded:
		return f.batchEnded(p)
	}
	return nil
}

// rolloutStarted lays out the batches. A resumed run says it again; the first word stands.
func (f *Folder) rolloutStarted(p *RolloutStarted) error {
	if f.batch(p.Call, p.Phase, 1) != nil {
		return nil
	}
	first := 0
	for n, size := range p.Batches {
		if size <= 0 || first+size > len(p.Hosts) {
			return fmt.Errorf("batches %v do not divide %d hosts", p.Batches, len(p.Hosts))
		}
		hosts := p.Hosts[first : first+size]
		first += size
		f.batches = append(f.batches, &BatchRecord{
			Call: p.Call, Phase: p.Phase, Batch: n + 1, Of: len(p.Batches), Hosts: hosts, Count: HostCount{Expected: len(hosts)},
		})
	}
	return nil
}

func (f *Folder) batch(call runbooks.ItemID, phase string, n int) *BatchRecord {
	for _, b := range f.batches {
		if b.Call == call && b.Phase == phase && b.Batch == n {
			return b
		}
	}
	return nil
}

func (f *Folder) batchStarted(e Event, p *BatchStarted) error {
	b := f.batch(p.Call, p.Phase, p.Batch)
	if b == nil {
		return fmt.Errorf("batch %d of phase %q is in no rollout", p.Batch, p.Phase)
	}
	if b.Started.IsZero() {
		b.Started, b.Offset = e.Time, f.offset
	}
	return nil
}

func (f *Folder) batchEnded(p *BatchEnded) error {
	b := f.batch(p.Call, p.Phase, p.Batch)
	if b == nil || b.Started.IsZero() || b.Ended {
		return fmt.Errorf("batch %d of phase %q ends and does not run", p.Batch, p.Phase)
	}
	b.Ended, b.Duration, b.Count, b.Failed, b.Stopped = true, f.offset-b.Offset, p.Hosts, p.Failed, p.Stopped
	return nil
}

// inBatch is the item in a batch, made when it is first heard of.
func (i *ItemRecord) inBatch(n int) *ItemBatch {
	for k := range i.Batches {
		if i.Batches[k].Batch == n {
			return &i.Batches[k]
		}
	}
	i.Batches = append(i.Batches, ItemBatch{Batch: n})
	return &i.Batches[len(i.Batches)-1]
}

// batchOutcome takes how an item ended in a batch. One without hosts has a unit in each.
func (f *Folder) batchOutcome(e Event, p *ItemOutcome) error {
	i, err := f.item(p.Item)
	if err != nil {
		return err
	}
	b := i.inBatch(p.Batch)
	if b.Outcome != "" {
		return fmt.Errorf("%s has ended as %s in batch %d already", p.Item, b.Outcome, p.Batch)
	}
	if i.Outcome != "" {
		return fmt.Errorf("%s has ended as %s already", p.Item, i.Outcome)
	}
	b.Outcome, b.Standing, b.Reason, b.Cause, b.Count = p.Outcome, p.Outcome.Standing(), p.Reason, p.Cause, p.Hosts
	b.Expectations = p.Expectations
	if b.StartedAt.IsZero() {
		b.StartedAt, b.Offset = e.Time, f.offset
	} else {
		b.Duration = f.offset - b.Offset
	}
	others := slices.ContainsFunc(f.order[p.Item], func(u *UnitRecord) bool { return u.Batch == p.Batch && u.Unit != p.Unit })
	if others {
		return nil
	}
	u, err := f.unit(p.Unit)
	if err != nil {
		return err
	}
	u.take(p)
	u.StartedAt, u.Offset, u.Duration = b.StartedAt, b.Offset, b.Duration
	return nil
}

// batchesNow copies what is known of the batches.
func (f *Folder) batchesNow() []BatchRecord {
	var out []BatchRecord
	for _, b := range f.batches {
		out = append(out, *b)
	}
	return out
}
