package planner

import (
	"fmt"
	"slices"

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
	hosts, known := p.itemHosts(i)
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
	seen := map[string]bool{}
	for _, names := range p.batchNames(i.ForEach) {
		v, ds := i.ForEach.Eval(names)
		if ds.HasErrors() {
			p.diags = append(p.diags, ds...)
			return turn{disposition: engine.RunTime}
		}
		if !v.Known() {
			out.Elements = nil
			return turn{disposition: engine.RunTime, waits: p.waitsFor(i.ForEach)}
		}
		es, err := v.Elements()
		if err != nil {
			p.fail(i.ForEach.Range(), "CON-B004", "for_each: "+err.Error(), "for_each takes a list, a set or a map")
			return turn{disposition: engine.RunTime}
		}
		for _, e := range es {
			if !seen[e.Key] {
				out.Elements = append(out.Elements, e.Key)
				seen[e.Key] = true
			}
		}
	}
	return turn{disposition: engine.WillRun}
}

// resolve gives the hosts of an expression, or its candidates when it depends on results: all hosts that it mentions.
// Items of a phase share its expression, which is evaluated once, and so is what several write of the inventory alone.
func (p *planner) resolve(e *expr.Expr) (hosts []*runbooks.Host, known bool) {
	if r, ok := p.resolved[e]; ok {
		return r.hosts, r.known
	}
	same := ""
	if scope.OfInventory(e) {
		same = e.Text()
		if r, ok := p.static[same]; ok {
			return r.hosts, true
		}
	}
	before := len(p.diags)
	hosts, known = p.resolveNew(e)
	p.resolved[e] = resolved{hosts, known}
	if same != "" && known && len(p.diags) == before {
		p.static[same] = resolved{hosts, true}
	}
	return hosts, known
}

type resolved struct {
	hosts []*runbooks.Host
	known bool
}

func (p *planner) resolveNew(e *expr.Expr) (hosts []*runbooks.Host, known bool) {
	if p.mentions(e, "each", "self") {
		return p.candidates(e), false
	}
	seen := map[string]bool{}
	for _, names := range p.batchNames(e) {
		v, ds := e.Eval(names)
		switch {
		case ds.HasErrors():
			p.diags = append(p.diags, ds...)
			return nil, false // it is not without hosts: nobody knows
		case !v.Known():
			return p.candidates(e), false
		}
		here, err := scope.Hosts(p.in.Project, v)
		if err != nil {
			p.fail(e.Range(), "CON-B005", "hosts: "+err.Error(), "hosts are values such as host.NAME and group.NAME, not texts; a variable of type list(host) takes names")
			return nil, false
		}
		for _, h := range here {
			if !seen[h.Name] {
				hosts = append(hosts, h)
				seen[h.Name] = true
			}
		}
	}
	return hosts, true
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

// itemHosts are those of all elements together, where they differ.
func (p *planner) itemHosts(i *runbooks.Item) (hosts []*runbooks.Host, known bool) {
	if i.ForEach == nil || !p.mentions(i.Hosts, "each") {
		return p.resolve(i.Hosts)
	}
	seen := map[string]bool{}
	for _, names := range p.batchNames(i.ForEach) {
		v, ds := i.ForEach.Eval(names)
		es, err := v.Elements()
		if ds.HasErrors() || err != nil {
			return p.candidates(i.Hosts, i.ForEach), false
		}
		for _, e := range es {
			each := expr.Object(map[string]expr.Value{"key": expr.String(e.Key), "value": e.Value})
			v, ds := i.Hosts.Eval(names.With(map[string]expr.Value{"each": each}))
			here, err := scope.Hosts(p.in.Project, v)
			if ds.HasErrors() || err != nil {
				return p.candidates(i.Hosts, i.ForEach), false
			}
			for _, h := range here {
				if !seen[h.Name] {
					hosts = append(hosts, h)
					seen[h.Name] = true
				}
			}
		}
	}
	return hosts, true
}

// candidates are the hosts that the expressions mention, less those that a filter leaves out whatever the results are, in
// order of the inventory, the control host last.
func (p *planner) candidates(es ...*expr.Expr) []*runbooks.Host {
	all := p.mentioned(es...)
	if len(es) != 1 || p.mentions(es[0], "each", "self", "batch") {
		return all
	}
	return slices.DeleteFunc(all, func(h *runbooks.Host) bool { return p.leftOut(es[0], h) })
}

// leftOut reports whether the expression, over an inventory of this host alone, comes to no host already now.
func (p *planner) leftOut(e *expr.Expr, h *runbooks.Host) bool {
	if h.Control {
		return false
	}
	only := map[string]expr.Value{"inventory": scope.HostList([]*runbooks.Host{h})}
	groups := map[string]expr.Value{}
	for _, ref := range p.refs.Of(e) {
		switch ref.Root {
		case "host", "var", "local":
			return false // it may be named in another way than by a list
		case "group":
			here := []*runbooks.Host{}
			if slices.Contains(p.group(ref.Name), h) {
				here = append(here, h)
			}
			groups[ref.Name] = scope.HostList(here)
		}
	}
	only["group"] = expr.Object(groups)
	v, ds := e.Eval(p.names.With(only))
	if ds.HasErrors() || !v.Known() {
		return false
	}
	hosts, err := scope.Hosts(p.in.Project, v)
	return err == nil && len(hosts) == 0
}

func (p *planner) mentioned(es ...*expr.Expr) []*runbooks.Host {
	named := map[string]bool{}
	for _, ref := range p.refs.Of(es...) {
		switch ref.Root {
		case "host":
			named[ref.Name] = true
		case "control":
			named[runbooks.ControlName] = true
		case "batch", "each":
			if p.batches != nil {
				for _, h := range p.batches.hosts {
					named[h.Name] = true
				}
			}
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
