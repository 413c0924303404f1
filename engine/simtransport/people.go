package simtransport

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// People are persons who answer as scripted and otherwise are not there. Safe for concurrent use.
type People struct {
	mu      sync.Mutex
	manuals map[runbooks.ItemID][]ManualAnswer
	gates   map[runbooks.ItemID][]GateWord
	choices map[runbooks.ItemID][]Choice
	typed   map[runbooks.ItemID]engine.ConfirmAnswer
	undos   map[runbooks.ItemID][]ManualAnswer
	typist  string
	// repeats are items that are asked about in every batch of a rollout; whole are the lists as they were scripted.
	repeats map[runbooks.ItemID]bool
	whole   map[any]any
	asked   []runbooks.ItemID
	refused []string
}

// ManualAnswer is what a person says to a manual item, after a delay.
type ManualAnswer struct {
	engine.ManualAnswer
	After time.Duration
	// Silent: asked, and never answering.
	Silent bool
}

var _ engine.People = (*People)(nil)

// GateWord is what a person says to a gate, after a delay.
type GateWord struct {
	engine.GateWord
	After  time.Duration
	Silent bool
}

// Choice is what a person decides, after a delay.
type Choice struct {
	engine.DecisionAnswer
	After  time.Duration
	Silent bool
}

var _ engine.Approver = (*People)(nil)

// Approve is the word of a person who signs what a gate asks; Verifier takes it as theirs.
func Approve(who string) GateWord {
	return GateWord{GateWord: engine.GateWord{By: who, Signature: []byte(who)}}
}

// Deny is the word of a person who denies.
func Deny(who, reason string) GateWord {
	return GateWord{GateWord: engine.GateWord{By: who, Deny: true, Reason: reason}}
}

// Verifier takes a signature for what it says: the principal's name. It is for simulated people only.
type Verifier struct{}

// Verify implements approval.Verifier.
func (Verifier) Verify(_, signature []byte, _ time.Time) (approval.Signer, error) {
	if len(signature) == 0 {
		return approval.Signer{}, errors.New("no signature")
	}
	return approval.Signer{Principal: string(signature), Fingerprint: "simulated"}, nil
}

// OnManual scripts the answers to a manual item, in order; then nobody is there.
func (p *People) OnManual(item runbooks.ItemID, as ...ManualAnswer) { put(p, &p.manuals, item, as) }

// OnUndo scripts what is said when a manual item is to be undone, in order; then nobody is there.
func (p *People) OnUndo(item runbooks.ItemID, as ...ManualAnswer) { put(p, &p.undos, item, as) }

// OnGate scripts the words to a gate, in order; then nobody is there.
func (p *People) OnGate(item runbooks.ItemID, ws ...GateWord) { put(p, &p.gates, item, ws) }

// OnDecision scripts the answers to a decision, in order; then nobody is there.
func (p *People) OnDecision(item runbooks.ItemID, cs ...Choice) { put(p, &p.choices, item, cs) }

// OnConfirm scripts what is typed before an item.
func (p *People) OnConfirm(item runbooks.ItemID, a engine.ConfirmAnswer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.typed == nil {
		p.typed = map[runbooks.ItemID]engine.ConfirmAnswer{}
	}
	p.typed[item] = a
}

// Repeat has people asked about the item again and again, in every batch of a rollout: when its script has come to its end
// and the question is a new one, it begins anew; of a decision the last answer repeats.
func (p *People) Repeat(item runbooks.ItemID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.repeats == nil {
		p.repeats = map[runbooks.ItemID]bool{}
	}
	p.repeats[item] = true
}

// script names a list by its kind of answer and item.
type script[T any] struct{ item runbooks.ItemID }

func put[T any](p *People, m *map[runbooks.ItemID][]T, item runbooks.ItemID, list []T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *m == nil {
		*m = map[runbooks.ItemID][]T{}
	}
	(*m)[item] = list
	if p.whole == nil {
		p.whole = map[any]any{}
	}
	p.whole[script[T]{item}] = list
}

// take is the next scripted answer, and whether there is one. begun: the question has had an answer already.
func take[T any](p *People, m map[runbooks.ItemID][]T, item runbooks.ItemID, refused string, begun bool) (T, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, item)
	if refused != "" {
		p.refused = append(p.refused, refused)
	}
	list := m[item]
	if len(list) == 0 && !begun && refused == "" && p.repeats[item] {
		list, _ = p.whole[script[T]{item}].([]T)
		if _, choice := any(list).([]Choice); choice && len(list) > 0 {
			list = list[len(list)-1:]
		}
	}
	if len(list) == 0 {
		var none T
		return none, false
	}
	m[item] = list[1:]
	return list[0], true
}

// Typist types whatever is asked for where OnConfirm says nothing else.
func (p *People) Typist(who string) { p.typist = who }

// Refused is why answers did not count, in order.
func (p *People) Refused() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.refused...)
}

// Asked are the items that somebody was asked about, in order.
func (p *People) Asked() []runbooks.ItemID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]runbooks.ItemID(nil), p.asked...)
}

// Manual implements engine.People.
func (p *People) Manual(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, error) {
	from := p.manuals
	if q.Part == engine.PartRollback {
		from = p.undos
	}
	a, ok := take(p, from, q.Item, q.Refused, q.Part == engine.PartRollback)
	if !ok {
		return engine.ManualAnswer{}, engine.ErrNobody
	}
	return a.ManualAnswer, think(ctx, a.After, a.Silent)
}

// Gate implements engine.Approver.
func (p *People) Gate(ctx context.Context, q engine.GateQuestion) (engine.GateWord, error) {
	w, ok := take(p, p.gates, q.Item, q.Refused, len(q.Granted) > 0)
	if !ok {
		return engine.GateWord{}, engine.ErrNobody
	}
	return w.GateWord, think(ctx, w.After, w.Silent)
}

// Decide implements engine.Approver.
func (p *People) Decide(ctx context.Context, q engine.DecisionQuestion) (engine.DecisionAnswer, error) {
	c, ok := take(p, p.choices, q.Item, q.Refused, false)
	if !ok {
		return engine.DecisionAnswer{}, engine.ErrNobody
	}
	return c.DecisionAnswer, think(ctx, c.After, c.Silent)
}

// Confirm implements engine.Approver.
func (p *People) Confirm(_ context.Context, q engine.ConfirmQuestion) (engine.ConfirmAnswer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.typed[q.Item]
	switch {
	case ok:
		return a, nil
	case p.typist != "":
		return engine.ConfirmAnswer{By: p.typist, Typed: q.Text}, nil
	}
	return a, engine.ErrNobody
}

// think takes a person's time; a silent one never answers.
func think(ctx context.Context, d time.Duration, silent bool) error {
	if silent {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return sleep(ctx, d)
}
