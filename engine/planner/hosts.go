package planner

import (
	"fmt"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// place fills where an item runs: hosts (or candidates) and elements. It returns the hosts and what is still decided at
// run time.
func (p *planner) place(out *engine.PlanItem, i *runbooks.Item) ([]*runbooks.Host, turn) {
	t := turn{disposition: engine.WillRun}
	if i.ForEach != nil {
		t = t.and(p.elements(out, i))
	}
	if i.Hosts == nil {
		return nil, t
	}
	hosts, known := p.resolve(i.Hosts)
	if !known {
		t = t.and(turn{disposition: engine.RunTime, waits: p.waitsFor(i.Hosts)})
	}
	if known && len(hosts) == 0 && !i.AllowNoHosts {
		p.fail(i.Hosts.Range(), "CON-B003", fmt.Sprintf("%s has no hosts", i.ID()),
			"allow_no_hosts = true says that this may be so")
	}
	for _, h := range hosts {
		out.Hosts = append(out.Hosts, h.Name)
		p.hosts[h.Name] = true
	}
	for _, part := range []*runbooks.Part{i.Unless, i.Verify, i.Rollback} {
		p.touchPart(i, part)
	}
	return hosts, t
}

// touchPart notes the hosts of a part that does not run on its item's hosts.
func (p *planner) touchPart(i *runbooks.Item, part *runbooks.Part) []*runbooks.Host {
	if part == nil || part.Hosts == nil || part.Hosts == i.Hosts {
		return nil
	}
	hosts, _ := p.resolve(part.Hosts)
	for _, h := range hosts {
		p.hosts[h.Name] = true
	}
	return hosts
}

func (p *planner) elements(out *engine.PlanItem, i *runbooks.Item) turn {
	v, ds := i.ForEach.Eval(p.names)
	if ds.HasErrors() {
		p.diags = append(p.diags, ds...)
		return turn{disposition: engine.RunTime}
	}
	if !v.Known() {
		return turn{disposition: engine.RunTime, waits: p.waitsFor(i.ForEach)}
	}
	es, err := v.Elements()
	if err != nil {
		p.fail(i.ForEach.Range(), "CON-B004", "for_each: "+err.Error(), "for_each takes a list, a set or a map")
		return turn{disposition: engine.RunTime}
	}
	for _, e := range es {
		out.Elements = append(out.Elements, e.Key)
	}
	return turn{disposition: engine.WillRun}
}

// resolve gives the hosts of an expression, or its candidates when it depends on results: all hosts that it mentions.
// Items of a phase share its expression, which is evaluated once.
func (p *planner) resolve(e *expr.Expr) (hosts []*runbooks.Host, known bool) {
	if r, ok := p.resolved[e]; ok {
		return r.hosts, r.known
	}
	hosts, known = p.resolveNew(e)
	p.resolved[e] = resolved{hosts, known}
	return hosts, known
}

type resolved struct {
	hosts []*runbooks.Host
	known bool
}

func (p *planner) resolveNew(e *expr.Expr) (hosts []*runbooks.Host, known bool) {
	if !p.mentions(e, "each", "self", "batch") {
		v, ds := e.Eval(p.names)
		switch {
		case ds.HasErrors():
			p.diags = append(p.diags, ds...)
			return nil, true
		case v.Known():
			hosts, err := scope.Hosts(p.in.Project, v)
			if err != nil {
				p.fail(e.Range(), "CON-B005", "hosts: "+err.Error(), "")
			}
			return hosts, true
		}
	}
	return p.candidates(e), false
}

func (p *planner) mentions(e *expr.Expr, roots ...string) bool {
	for _, ref := range p.refs.Of(e) {
		for _, r := range roots {
			if ref.Root == r {
				return true
			}
		}
	}
	return false
}

// candidates are the hosts that the expression mentions, in order of the inventory, the control host last.
func (p *planner) candidates(e *expr.Expr) []*runbooks.Host {
	named := map[string]bool{}
	for _, ref := range p.refs.Of(e) {
		switch ref.Root {
		case "host":
			named[ref.Name] = true
		case "control":
			named[runbooks.ControlName] = true
		case "inventory":
			for _, h := range p.in.Project.Hosts {
				named[h.Name] = true
			}
		case "group":
			for _, h := range p.group(ref.Name) {
				named[h.Name] = true
			}
		case "var":
			if hosts, err := scope.Hosts(p.in.Project, p.in.Variables[ref.Name]); err == nil {
				for _, h := range hosts {
					named[h.Name] = true
				}
			}
		}
	}
	var out []*runbooks.Host
	for _, h := range p.in.Project.Hosts {
		if named[h.Name] {
			out = append(out, h)
		}
	}
	if named[runbooks.ControlName] {
		out = append(out, &runbooks.Host{Name: runbooks.ControlName, Control: true})
	}
	return out
}

func (p *planner) group(name string) []*runbooks.Host {
	for _, g := range p.in.Project.Groups {
		if g.Name == name {
			return g.Hosts
		}
	}
	return nil
}

// touched are all hosts of the plan with the jump hosts that lead to them, in order of the inventory, control last.
func (p *planner) touched() []engine.PlanHost {
	for _, h := range p.in.Project.Hosts {
		if !p.hosts[h.Name] {
			continue
		}
		for via := h.Connection.Via; via != nil; via = via.Connection.Via {
			p.hosts[via.Name] = true
		}
	}
	out := []engine.PlanHost{}
	for _, h := range p.in.Project.Hosts {
		if p.hosts[h.Name] {
			out = append(out, planHost(h))
		}
	}
	if p.hosts[runbooks.ControlName] {
		out = append(out, engine.PlanHost{Name: runbooks.ControlName, Control: true})
	}
	return out
}

func planHost(h *runbooks.Host) engine.PlanHost {
	out := engine.PlanHost{
		Name: h.Name, Address: h.Address, Port: h.Port, User: h.Connection.User, Site: h.Site, Environment: string(h.Environment),
		CI: h.CI, Owner: h.Owner, Plain: h.Connection.Plain, Control: h.Control,
	}
	if h.Connection.Via != nil {
		out.Via = h.Connection.Via.Name
	}
	return out
}
