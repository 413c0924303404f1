package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// turn is what is known about whether an item's turn will come.
type turn struct {
	disposition engine.Disposition
	waits       []string
	when        []string // the conditions that are not known yet, as written
	reason      string
}

// and is the turn of what needs both: a skip wins, then a wait.
func (t turn) and(u turn) turn {
	switch {
	case t.disposition == engine.WillSkip:
		return t
	case u.disposition == engine.WillSkip:
		return u
	case t.disposition == engine.WillRun && u.disposition == engine.WillRun:
		return t
	}
	waits := append(slices.Clone(t.waits), u.waits...)
	slices.Sort(waits)
	return turn{disposition: engine.RunTime, waits: slices.Compact(waits), when: append(slices.Clone(t.when), u.when...)}
}

// decide evaluates a `when`. what names it in the reason of a skip.
func (p *planner) decide(when *expr.Expr, what string) turn {
	if when == nil {
		return turn{disposition: engine.WillRun}
	}
	truth, state, ds := when.EvalBool(p.names)
	p.diags = append(p.diags, ds...)
	switch {
	case state == expr.Undetermined:
		return turn{disposition: engine.RunTime, waits: p.waitsFor(when), when: []string{when.Text()}}
	case state == expr.Ready && !truth:
		return turn{disposition: engine.WillSkip, reason: what + " does not hold: " + when.Text()}
	}
	return turn{disposition: engine.WillRun}
}

// waitsFor names the results and run data that the expressions need, in order of first appearance.
func (p *planner) waitsFor(es ...*expr.Expr) []string {
	var out []string
	for _, ref := range p.refs.Of(es...) {
		name := ref.Root
		if id, ok := runbooks.ReferredItem(ref); ok {
			name = string(id)
		} else if ref.Root != "run" && ref.Root != "secret" && ref.Root != "batch" {
			continue
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (p *planner) item(phase *runbooks.Phase, i *runbooks.Item, inherited turn) engine.PlanItem {
	out := engine.PlanItem{
		ID: i.ID(), Kind: i.Kind, Phase: phase.Name, Lane: i.Lane, Title: p.text(i.Title), Owner: p.text(i.Owner),
		Hosts: []string{}, After: []runbooks.ItemID{}, Severity: i.Severity, Irreversible: i.Irreversible, Effect: i.Kind.Effect(),
		ForEach: i.ForEach != nil, Marks: i.Marks, MarksStart: i.MarksStart,
		HasVerify: i.Verify != nil, HasRollback: i.Rollback != nil || i.Kind == runbooks.Transfer && i.Backup, TimeoutS: i.Timeout.Seconds(), Fingerprint: p.fingerprint(i),
	}
	if phase == p.in.Runbook.Cleanup {
		out.Phase = runbooks.CleanupPhase
	}
	out.After = append(out.After, i.After...)
	t := inherited.and(p.decide(i.When, "its condition"))
	var hosts []*runbooks.Host
	if t.disposition != engine.WillSkip {
		var more turn
		hosts, more = p.place(&out, i)
		t = t.and(more)
	}
	out.Disposition, out.WaitsFor, out.SkipReason = t.disposition, t.waits, t.reason
	if t.disposition == engine.WillSkip {
		return out
	}
	out.When, out.Options, out.Stops = t.when, i.Options, i.Stops
	p.rollout(&out, i, hosts)
	p.render(&out, i, hosts)
	for _, v := range append(slices.Clone(i.Expects), i.ExpectAll...) {
		out.Expects = append(out.Expects, v.Condition.Text())
	}
	if i.Condition != nil {
		out.Expects = append(out.Expects, i.Condition.Text())
	}
	return out
}

// text renders a shown attribute. What is wrong with it is a diagnostic of its own.
func (p *planner) text(e *expr.Expr) string { return p.show(e, p.names).Text }

func (p *planner) show(e *expr.Expr, names *expr.Scope) expr.Shown {
	s, ds := e.Show(names)
	p.diags = append(p.diags, ds...)
	return s
}

// fingerprint is the item's own, together with the locals that it uses: their meaning is the item's.
func (p *planner) fingerprint(i *runbooks.Item) string {
	var locals []string
	for _, ref := range p.refs.Of(i.Exprs()...) {
		if ref.Root == "local" {
			locals = append(locals, ref.Name)
		}
	}
	if len(locals) == 0 {
		return i.Fingerprint
	}
	slices.Sort(locals)
	h := sha256.New()
	h.Write([]byte(i.Fingerprint))
	for _, name := range slices.Compact(locals) {
		h.Write([]byte("\n" + name + "=" + p.refs.Local(name).Text()))
	}
	return hex.EncodeToString(h.Sum(nil))
}
