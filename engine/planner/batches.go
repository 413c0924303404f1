package planner

import (
	"fmt"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// division is how a phase that rolls out divides its hosts.
type division struct {
	hosts []*runbooks.Host // its candidates while they are decided at run time
	known bool
	sizes []int // empty while the hosts are not known
}

// divide prepares the planner for the items of a phase: in one that rolls out they may refer to batch. The function that
// it returns ends that.
func (p *planner) divide(phase *runbooks.Phase) (leave func()) {
	if phase.Rollout == nil {
		return func() {}
	}
	outside := p.names
	d := &division{}
	if d.hosts, d.known = p.resolve(phase.Hosts); d.known {
		d.sizes = phase.Rollout.Batches(len(d.hosts))
		if len(d.hosts) == 0 {
			p.fail(phase.Hosts.Range(), "CON-B003", fmt.Sprintf("phase %q has no hosts to roll out over", phase.Name), "look at the filter; a phase that may have none gets a when")
		}
	}
	for _, h := range d.hosts {
		p.hosts[h.Name] = true
	}
	p.names = outside.With(map[string]expr.Value{"batch": expr.Unknown(expr.ListType(expr.HostType()))})
	p.batches = d
	return func() { p.names, p.batches = outside, nil }
}

// batchNames are the scopes in which an expression is planned: that of each batch where it refers to batch and the batches
// are known, else one.
func (p *planner) batchNames(e *expr.Expr) []*expr.Scope {
	if p.batches == nil || !p.batches.known || !p.mentions(e, "batch") {
		return []*expr.Scope{p.names}
	}
	var out []*expr.Scope
	first := 0
	for _, size := range p.batches.sizes {
		hosts := p.batches.hosts[first : first+size]
		first += size
		out = append(out, p.names.With(map[string]expr.Value{"batch": scope.HostList(hosts)}))
	}
	return out
}

// shown is the division as a plan shows it.
func (d *division) shown(r *runbooks.Rollout) *engine.PlanRollout {
	out := shownRollout(r)
	out.Batches = d.sizes
	if d.known {
		for _, h := range d.hosts {
			out.Hosts = append(out.Hosts, h.Name)
		}
	}
	return out
}

func shownRollout(r *runbooks.Rollout) *engine.PlanRollout {
	out := &engine.PlanRollout{Parallel: r.Parallel, PauseS: r.Pause.Seconds(), AfterBatch: r.AfterBatch != nil}
	for _, s := range r.Batch {
		out.Sizes = append(out.Sizes, s.String())
	}
	for _, s := range r.MaxFailures {
		out.MaxFailures = append(out.MaxFailures, s.String())
	}
	return out
}

// rollout shows how an item divides its hosts: by its own rollout, or batch by batch with its phase.
func (p *planner) rollout(out *engine.PlanItem, i *runbooks.Item, hosts []*runbooks.Host) {
	switch {
	case i.Rollout != nil:
		out.Rollout = shownRollout(i.Rollout)
		out.Rollout.Phase = p.batches != nil
		if p.batches == nil && out.Disposition == engine.WillRun && i.Hosts != nil && !p.mentions(i.Hosts, "each") {
			out.Rollout.Batches = i.Rollout.Batches(len(hosts))
		}
	case p.batches != nil:
		out.Rollout = &engine.PlanRollout{Phase: true, Batches: p.batches.sizes}
	default:
		p.mustRollOut(i, hosts)
	}
}

// mustRollOut refuses what changes several production hosts at once without saying so.
func (p *planner) mustRollOut(i *runbooks.Item, hosts []*runbooks.Host) {
	if i.Kind != runbooks.Step && i.Kind != runbooks.Transfer || scope.Single(p.names, i.Hosts) {
		return
	}
	n := 0
	for _, h := range hosts {
		if h.Environment == runbooks.Production && !h.Control {
			n++
		}
	}
	if n > 1 {
		p.fail(i.Range, "CON-B008", fmt.Sprintf("%s changes %d production hosts and states no rollout", i.ID(), n),
			`add rollout { batch = 1 }, or batch = "100%" to mean all at once`)
	}
}
