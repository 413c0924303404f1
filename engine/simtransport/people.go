package simtransport

import (
	"context"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// People are persons who answer as scripted and otherwise are not there. Safe for concurrent use.
type People struct {
	mu      sync.Mutex
	manuals map[runbooks.ItemID]ManualAnswer
	asked   []runbooks.ItemID
}

// ManualAnswer is what a person says to a manual item, after a delay.
type ManualAnswer struct {
	engine.ManualAnswer
	After time.Duration
	// Silent: asked, and never answering.
	Silent bool
}

var _ engine.People = (*People)(nil)

// OnManual scripts the answer to a manual item.
func (p *People) OnManual(item runbooks.ItemID, a ManualAnswer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.manuals == nil {
		p.manuals = map[runbooks.ItemID]ManualAnswer{}
	}
	p.manuals[item] = a
}

// Asked are the items that somebody was asked about, in order.
func (p *People) Asked() []runbooks.ItemID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]runbooks.ItemID(nil), p.asked...)
}

// Manual implements engine.People.
func (p *People) Manual(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, error) {
	p.mu.Lock()
	a, ok := p.manuals[q.Item]
	p.asked = append(p.asked, q.Item)
	p.mu.Unlock()
	switch {
	case !ok:
		return engine.ManualAnswer{}, engine.ErrNobody
	case a.Silent:
		<-ctx.Done()
		return engine.ManualAnswer{}, context.Cause(ctx)
	}
	if err := sleep(ctx, a.After); err != nil {
		return engine.ManualAnswer{}, err
	}
	return a.ManualAnswer, nil
}
