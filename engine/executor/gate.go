package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// mostRefused is how many answers that do not count are taken for one question before the run is held.
const mostRefused = 50

// gates are the requests of a run that were answered, and who operates it.
type gates struct {
	mu        sync.Mutex
	operators []string
	open      map[runbooks.ItemID]*approval.Gate
	asked     map[runbooks.ItemID]int // requests so far: each has a nonce of its own
	turns     map[runbooks.ItemID]chan struct{}
}

// turn is held by the item that spends a gate's approvals: of several that begin at once behind one gate, the first spends
// them, and the others find that it did.
func (g *gates) turn(id runbooks.ItemID) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turns == nil {
		g.turns = map[runbooks.ItemID]chan struct{}{}
	}
	if g.turns[id] == nil {
		g.turns[id] = make(chan struct{}, 1) // no mutex: simulated time passes while somebody waits
	}
	return g.turns[id]
}

// steered makes a person an operator: their approvals do not count, also those given before.
func (g *gates) steered(by string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if by != "" && !slices.Contains(g.operators, by) {
		g.operators = append(g.operators, by)
	}
}

func (g *gates) ask(id runbooks.ItemID) (number int, operators []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked[id]++
	return g.asked[id], slices.Clone(g.operators)
}

func (g *gates) opened(id runbooks.ItemID, gate *approval.Gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[id] = gate
}

// gate asks for approvals until there are enough, one person denies, or the time is over.
func (t *task) gate(ctx context.Context, names *expr.Scope) error {
	g, q, err := t.posed(names)
	if err != nil {
		return t.lacks(causeExpression, err)
	}
	if err := t.started(); err != nil {
		return err
	}
	if req := g.Request; !g.Reachable() {
		return t.whole(verdict{outcome: engine.Failed, cause: causeGate, fails: true,
			reason: fmt.Sprintf("role %s has too few members who are not operators of this run for %d approvals", req.Role, req.Approvals)}, nil)
	}
	ctx, cancel := t.until(ctx, g)
	defer cancel()
	v, err := t.gather(ctx, g, q)
	if err != nil {
		return err
	}
	if v.outcome == "" {
		v = t.recheck(ctx, g)
	}
	return t.whole(v, nil)
}

// posed is the gate's question: the one that an earlier controller asked and that is still open, or a new one. An error
// that is not fatal says that it cannot be put.
func (t *task) posed(names *expr.Scope) (*approval.Gate, engine.GateQuestion, error) {
	req, q, err := t.request(names)
	if err != nil {
		return nil, q, err
	}
	if g := t.openRequest(); g != nil {
		q.Request, q.ApproveBy = g.Request.Text(), g.Request.ApproveBy
		return g, q, nil
	}
	number, operators := t.r.gates.ask(t.id)
	req.Nonce = string(engine.NewAttemptID(t.r.cfg.Opened.Nonce, string(t.id), "approval", "", "", number))
	q.Request = req.Text()
	return approval.NewGate(req, q.Members, operators), q, t.requested(req, q.Members)
}

// request is what approvers are asked, and how it is shown.
func (t *task) request(names *expr.Scope) (approval.Request, engine.GateQuestion, error) {
	o := t.r.cfg.Opened
	q := engine.GateQuestion{Item: t.id, Role: t.item.Role, Members: t.r.members(t.item.Role)}
	for _, x := range []struct {
		e  *expr.Expr
		to *string
	}{{t.item.Title, &q.Title}, {t.item.Question, &q.Question}, {t.item.Typed, &q.Typed}} {
		text, err := evalText(x.e, names)
		if err != nil {
			return approval.Request{}, q, err
		}
		*x.to = text
	}
	now := t.r.cfg.Clock.Now().UTC().Truncate(time.Second)
	req := approval.Request{
		Run: o.Run, Mode: t.r.cfg.Mode, Runbook: t.r.cfg.Runbook.Name, PlanDigest: t.r.cfg.Plan.Digest, Gate: t.id,
		Question: q.Question, Hosts: t.opensFor(), Role: t.item.Role, Approvals: max(1, t.item.Approvals), Operator: o.Operator,
		Requested: now, StartWithin: t.item.StartWithin,
	}
	if t.item.Expires > 0 {
		req.ApproveBy = now.Add(t.item.Expires)
		q.ApproveBy = req.ApproveBy
	}
	return req, q, nil
}

// opensFor are the hosts of the items that require the gate.
func (t *task) opensFor() []string {
	var out []string
	for _, i := range t.r.cfg.Runbook.AllItems() {
		if !slices.Contains(i.Requires, t.item.ID()) {
			continue
		}
		hosts := t.r.cfg.Plan.Item(t.r.full(i.ID())).Hosts
		if t.total != nil && i.Hosts != nil && i.Hosts == t.phase.Hosts {
			hosts = hostNames(t.members) // it is asked for each batch, and opens no other
		}
		for _, h := range hosts {
			if !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}

func (r *run) members(role string) []string {
	for _, x := range r.cfg.Project.Roles {
		if x.Name == role {
			return x.Members
		}
	}
	return nil
}

func (t *task) requested(req approval.Request, members []string) error {
	if !t.before.begun {
		if err := t.r.emit(&engine.ItemStarted{Item: t.id, Batch: t.batch}); err != nil {
			return err
		}
	}
	text := req.Text()
	sum := sha256.Sum256(text)
	short, err := t.r.short(string(text))
	if err != nil {
		return err
	}
	return t.r.emit(&engine.ApprovalRequested{
		Item: t.id, Batch: t.batch, Role: req.Role, Approvals: req.Approvals, ApproveBy: req.ApproveBy, Request: short, SHA256: hex.EncodeToString(sum[:]),
		Members: members,
	})
}

// gather takes words until the gate is open (an empty verdict) or has ended.
func (t *task) gather(ctx context.Context, g *approval.Gate, q engine.GateQuestion) (verdict, error) {
	if t.r.cfg.Approver == nil || t.r.cfg.Verifier == nil {
		return verdict{}, t.hold(fmt.Sprintf("nobody to ask for %s", t.id))
	}
	ctx, done := t.asking(ctx)
	defer done()
	for refused := 0; refused < mostRefused; {
		if g.State(t.r.cfg.Clock.Now()) == approval.Open {
			return verdict{}, nil
		}
		q.Missing, q.Granted = g.Missing(), principals(g)
		word, err := t.r.cfg.Approver.Gate(ctx, q)
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return t.expired(g, "nobody approved in time")
		case errors.Is(context.Cause(ctx), errAborted):
			return withdrawn(), nil
		case ctx.Err() != nil, err != nil:
			return verdict{}, t.hold(fmt.Sprintf("%s waits for %d approvals of role %s", t.id, q.Missing, q.Role))
		case word.Deny:
			return t.denied(g, word)
		}
		if q.Refused, err = t.granted(g, word); err != nil {
			return verdict{}, err
		}
		if q.Refused != "" {
			refused++
		}
	}
	return verdict{}, t.hold(fmt.Sprintf("%s: too many approvals that do not count", t.id))
}

func principals(g *approval.Gate) []string {
	var out []string
	for _, x := range g.Counting() {
		out = append(out, x.Principal)
	}
	return out
}

// granted takes a signature. refused says why it does not count.
func (t *task) granted(g *approval.Gate, word engine.GateWord) (refused string, err error) {
	grant, bad := g.Add(t.r.cfg.Verifier, word.Text, word.Signature, t.r.cfg.Clock.Now())
	out := &engine.ApprovalGranted{Item: t.id, Batch: t.batch, By: grant.Principal, Fingerprint: grant.Fingerprint}
	if bad != nil {
		out.By, out.Void = word.By, t.r.clip(bad.Error())
	}
	if out.Signature, err = t.r.short(string(word.Signature)); err != nil {
		return "", err
	}
	return out.Void, t.r.emit(out)
}

func (t *task) denied(g *approval.Gate, word engine.GateWord) (verdict, error) {
	if err := g.Deny(word.By, t.r.cfg.Clock.Now()); err != nil {
		return verdict{}, t.hold(fmt.Sprintf("%s: %v", t.id, err))
	}
	reason := t.r.clip(word.Reason)
	err := t.r.emit(&engine.ApprovalDenied{Item: t.id, Batch: t.batch, By: word.By, Reason: reason})
	return verdict{outcome: engine.Failed, cause: causeGate, reason: fmt.Sprintf("denied by %s: %s", word.By, reason), fails: true}, err
}

func (t *task) expired(g *approval.Gate, why string) (verdict, error) {
	g.Expire()
	err := t.r.emit(&engine.ApprovalExpired{Item: t.id, Batch: t.batch, Reason: why})
	return verdict{outcome: engine.TimedOut, cause: causeGate, reason: "expired: " + why, fails: true}, err
}

// recheck makes the gate's checks again now that it is approved: what was true when it was asked must be true now.
func (t *task) recheck(ctx context.Context, g *approval.Gate) verdict {
	for _, id := range t.item.Recheck {
		if why := t.sibling(id).holdsNow(ctx); why != "" {
			return verdict{outcome: engine.Failed, cause: causeGate, reason: fmt.Sprintf("%s does not hold any more: %s", id, why), fails: true}
		}
	}
	t.r.gates.opened(t.id, g)
	values := []expr.Value{}
	for _, p := range principals(g) {
		values = append(values, expr.String(p))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.units = append(t.units, unitEnd{
		id: t.self(), outcome: engine.Succeeded, began: true, data: map[string]expr.Value{"approved_by": expr.Tuple(values...)},
	})
	return verdict{outcome: engine.Succeeded}
}

// pass spends the approvals that an item requires, at its start. why is not empty when one of them does not let it start.
func (r *run) pass(ctx context.Context, t *task) (why string, err error) {
	for _, local := range t.item.Requires {
		if why, err := r.passOne(ctx, t, local); why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

func (r *run) passOne(ctx context.Context, t *task, local runbooks.ItemID) (why string, err error) {
	id := r.full(local)
	turn := r.gates.turn(id)
	turn <- struct{}{}
	defer func() { <-turn }()
	r.gates.mu.Lock()
	g := r.gates.open[id]
	operators := slices.Clone(r.gates.operators)
	r.gates.mu.Unlock()
	if g == nil {
		return fmt.Sprintf("%s was not approved", id), nil
	}
	for _, o := range operators {
		g.Steered(o)
	}
	now := r.cfg.Clock.Now()
	switch state := g.State(now); state {
	case approval.Used:
		return "", nil
	case approval.Open:
	default:
		reason := fmt.Sprintf("the approval of %s is %s at the start of %s", id, state, t.id)
		if state == approval.Expired {
			g.Expire()
			err = r.emit(&engine.ApprovalExpired{Item: id, Batch: t.sibling(local).batch, Reason: reason})
		}
		if err != nil || state != approval.Expired || t.sibling(local).before.whole == nil {
			return reason, err
		}
		// It was given to an earlier controller, and its time ran out while nobody worked on the run.
		if why, err := t.sibling(local).askAgain(ctx); why != "" || err != nil {
			return why, err
		}
		r.gates.mu.Lock()
		g = r.gates.open[id]
		r.gates.mu.Unlock()
	}
	by := principals(g)
	if err := g.Use(now); err != nil {
		return fmt.Sprintf("%s: %v", id, err), nil
	}
	if err := r.emit(&engine.ApprovalUsed{Item: id, Batch: t.sibling(local).batch, For: t.id, By: by}); err != nil {
		return "", err
	}
	return "", nil
}

// holdsNow makes a check that has ended again, over the hosts that it ran on, and says why it does not hold. What it sees
// is recorded with the check; its outcome stands.
func (t *task) holdsNow(ctx context.Context) (why string) {
	names, err := t.scopeFor(ctx, t.item.Exprs())
	if err != nil {
		return errText(err)
	}
	elements, err := t.elements(names)
	if err != nil {
		return errText(err)
	}
	w := t.work
	w.poll = nil
	for _, e := range elements {
		if err := t.place(&e); err != nil {
			return errText(err)
		}
		var sites []*site
		for _, h := range e.hosts {
			sites = append(sites, &site{unit: t.unit(e, h), host: h, names: t.r.onHost(e.names, h)})
		}
		s, err := t.r.survey(ctx, w, sites, t.parallel(), e.names)
		if err != nil {
			return errText(err)
		}
		for _, x := range s.sites {
			p := x.trial.payload(x.unit)
			p.Part, p.Reason = engine.PartCommand, "checked again for a gate: "+reasonOr(p.Reason, string(p.Outcome))
			if err := t.r.emit(p); err != nil {
				return errText(err)
			}
		}
		if !s.holds() {
			return s.reason()
		}
	}
	return ""
}
