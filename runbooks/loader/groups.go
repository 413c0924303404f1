package loader

import (
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// groups evaluates groups, those that others need first.
func (l *loader) groups(fleets map[string][]*runbooks.Host) {
	byName := map[string]*runbooks.Group{}
	l.inv.groupOf = func(name string) bool { return l.group(name, fleets, byName) }
	for _, n := range l.root.blocks {
		if n.schema.Type != "group" && n.schema.Type != "fleet" {
			continue
		}
		l.inv.groupOf(n.label)
		if g := byName[n.label]; g != nil && l.names["group"][n.label] == n {
			l.project.Groups = append(l.project.Groups, g)
		}
	}
}

func (l *loader) group(name string, fleets map[string][]*runbooks.Host, byName map[string]*runbooks.Group) bool {
	key := "group." + name
	n := l.names["group"][name]
	switch l.inv.state[key] {
	case done:
		return true
	case visiting:
		l.report("CON-R021", n.rng(), "group %q needs itself", name).Hint = "break the circle of groups and locals"
		return false
	case unusable:
		return false
	case unvisited:
	}
	l.inv.state[key] = visiting
	hosts, ok := fleets[name], true
	if n.schema.Type == "group" {
		l.within(n.title(), func() { hosts, ok = l.groupHosts(n) })
	}
	if !ok {
		l.inv.state[key] = unusable
		return false
	}
	l.inv.state[key] = done
	byName[name] = &runbooks.Group{Name: name, Hosts: hosts, Range: place(n.rng())}
	l.inv.groups[name] = scope.HostList(hosts)
	return true
}

func (l *loader) groupHosts(n *node) ([]*runbooks.Host, bool) {
	s, ok := l.attrScope(n, "hosts", nil)
	if !ok {
		return nil, false
	}
	v, ok := l.constant(n.attr("hosts"), s)
	if !ok {
		return nil, false
	}
	hosts, err := scope.Hosts(l.project, v)
	if err != nil {
		l.report("CON-T003", n.attr("hosts").Expr.Range(), "hosts: %s", err).Hint = "write a host, a list of hosts, or lists of lists"
		return nil, false
	}
	return hosts, true
}
