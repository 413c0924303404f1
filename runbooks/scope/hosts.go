package scope

import (
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Control is the control host: commands run as local processes, nothing is dialled. Each call gives a new one.
func Control() *runbooks.Host {
	return &runbooks.Host{Name: runbooks.ControlName, Environment: runbooks.Lab, Control: true}
}

// HostValue is a host as expressions see it: name, address, port, site, environment, ci, owner, labels.
func HostValue(h *runbooks.Host) expr.Value {
	return expr.Object(map[string]expr.Value{
		"name": expr.String(h.Name), "address": expr.String(h.Address), "port": expr.Int(int64(h.Port)),
		"site": expr.String(h.Site), "environment": expr.String(string(h.Environment)), "ci": expr.String(h.CI),
		"owner": expr.String(h.Owner), "labels": expr.StringMap(h.Labels),
	})
}

// HostList is a list of hosts. Whatever its length, it has one type.
func HostList(hosts []*runbooks.Host) expr.Value {
	values := make([]expr.Value, len(hosts))
	for i, h := range hosts {
		values[i] = HostValue(h)
	}
	return expr.ListOf(expr.HostType(), values...)
}

// Hosts turns the value of a `hosts` expression (a host, a list of hosts, lists of lists) into hosts of the inventory,
// flattened, first kept. The control host is returned as a Host with Control set. The error of what is not known yet is
// expr.ErrUnknown, of a secret expr.ErrSensitive, of anything else that is no host expr.ErrNotHosts.
func Hosts(p *runbooks.Project, v expr.Value) ([]*runbooks.Host, error) {
	return hostsOf(v, func() map[string]*runbooks.Host { return index(p) })
}

func hostsOf(v expr.Value, inventory func() map[string]*runbooks.Host) ([]*runbooks.Host, error) {
	names, err := expr.HostNames(v)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	byName := inventory()
	seen := make(map[string]bool, len(names))
	out := make([]*runbooks.Host, 0, len(names))
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		switch h := byName[name]; {
		case h != nil:
			out = append(out, h)
		case name == runbooks.ControlName:
			out = append(out, Control())
		default:
			return nil, unknownHost(name, byName)
		}
	}
	return out, nil
}

func index(p *runbooks.Project) map[string]*runbooks.Host {
	out := make(map[string]*runbooks.Host, len(p.Hosts))
	for _, h := range p.Hosts {
		out[h.Name] = h
	}
	return out
}

func unknownHost(name string, byName map[string]*runbooks.Host) error {
	names := make([]string, 0, len(byName))
	for n := range byName {
		names = append(names, n)
	}
	if s := diag.Suggest(name, names); s != "" {
		return fmt.Errorf("there is no host %q; did you mean %s?", name, s)
	}
	return fmt.Errorf("there is no host %q", name)
}

// OfInventory reports whether an expression refers to nothing but the inventory: within a project, all that have the same
// text have the same value, in all places.
func OfInventory(e *expr.Expr) bool {
	return e != nil && !slices.ContainsFunc(e.Refs(), func(r expr.Ref) bool {
		return r.Root != "inventory" && r.Root != "group" && r.Root != "host" && r.Root != "control"
	})
}

// Single reports whether a `hosts` expression is one host by its form: then the short form of results exists. s has the
// types of everything that it may refer to; a form that nothing is known of counts as a list. A nil expression is one
// place: the control host, or none.
func Single(s *expr.Scope, hosts *expr.Expr) bool {
	if hosts == nil {
		return true
	}
	if hosts.Call() == "sole" {
		return true
	}
	if branches := hosts.Branches(); len(branches) > 0 {
		return !slices.ContainsFunc(branches, func(b *expr.Expr) bool { return !Single(s, b) })
	}
	v, ds := hosts.Eval(s)
	return !ds.HasErrors() && v.Type().IsHost()
}
