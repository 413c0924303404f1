package loader

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// inventory is what is known while the inventory is read: locals that need nothing else, then hosts, then groups.
type inventory struct {
	locals map[string]*expr.Expr
	values map[string]expr.Value // locals evaluated so far
	groups map[string]expr.Value // groups evaluated so far
	hosts  map[string]expr.Value // nil until all hosts are read
	list   expr.Value            // inventory
	state  map[string]visit      // "local.x", "group.x"
	used   map[string]bool       // locals of the project that something uses
	// groupOf evaluates a group that is needed; set once hosts are known.
	groupOf func(name string) bool
}

type visit uint8

const (
	unvisited visit = iota
	visiting
	done
	unusable // depends on what the inventory cannot know, or is wrong
)

// projectLocals collects the shared expressions. They are evaluated when something static needs them, and again with
// everything in the runbooks' scopes.
func (l *loader) projectLocals() {
	l.inv = inventory{
		locals: map[string]*expr.Expr{}, values: map[string]expr.Value{}, groups: map[string]expr.Value{}, state: map[string]visit{},
		used: map[string]bool{},
	}
	l.project.Locals = l.locals(l.root, l.inv.locals)
	l.localCycles(l.project.Locals)
}

// locals reads all locals blocks of a node.
func (l *loader) locals(parent *node, into map[string]*expr.Expr) []runbooks.Local {
	var out []runbooks.Local
	places := map[string]*hclsyntax.Attribute{}
	for _, n := range parent.of("locals") {
		for _, a := range sortedAttrs(n.attrs) {
			if first := places[a.Name]; first != nil {
				d := l.report("CON-S040", a.NameRange, "local %q is declared twice", a.Name)
				d.Related = []diag.Related{{Message: "the first one", Range: place(first.NameRange)}}
				d.Hint = "rename or remove one"
				continue
			}
			places[a.Name] = a
			if !validName(a.Name) {
				l.report("CON-S020", a.NameRange, "%q is not a name", a.Name).Hint = suggestName(a.Name)
			}
			e := l.expr(a)
			if into != nil {
				into[a.Name] = e
			}
			out = append(out, runbooks.Local{Name: a.Name, Value: e, Range: place(a.NameRange)})
		}
	}
	return out
}

// localCycles reports locals that need each other.
func (l *loader) localCycles(locals []runbooks.Local) {
	var g graph
	index := map[string]int{}
	for i, x := range locals {
		index[x.Name] = i
		g.add("local." + x.Name)
	}
	for i, x := range locals {
		for _, r := range x.Value.Refs() {
			if j, ok := index[r.Name]; ok && r.Root == "local" {
				g.edge(i, j, r.Range)
			}
		}
	}
	l.cycles(&g, "CON-R021", "these locals need each other")
}

// staticScope gives the scope in which an inventory expression is evaluated. names are those of the place (each). ok is
// false when the expression needs what is not known there, which has been reported.
func (l *loader) staticScope(e *expr.Expr, names map[string]expr.Value) (*expr.Scope, bool) {
	if len(e.Refs()) == 0 {
		return l.plain, true
	}
	ok := true
	for _, r := range e.Refs() {
		if _, here := names[r.Root]; here {
			continue
		}
		if !l.need(r) {
			ok = false
		}
	}
	if !ok {
		return nil, false
	}
	s := l.plain.With(l.staticNames())
	if names != nil {
		s = s.With(names)
	}
	return s, true
}

func (l *loader) staticNames() map[string]expr.Value {
	out := map[string]expr.Value{"local": expr.Object(l.inv.values)}
	if l.inv.hosts != nil {
		out["host"] = expr.Object(l.inv.hosts)
		out["inventory"] = l.inv.list
		out["group"] = expr.Object(l.inv.groups)
		out["control"] = scope.HostValue(scope.Control())
	}
	return out
}

// need makes sure that what a reference names has been evaluated, and reports it when it cannot be.
func (l *loader) need(r expr.Ref) bool {
	switch r.Root {
	case "local":
		if l.inv.locals[r.Name] == nil {
			l.unknownLocal(r, l.project.Locals)
			return false
		}
		if !l.staticLocal(r.Name) {
			d := l.reportAt("CON-R019", r.Range, "local.%s is not known while the inventory is read", r.Name)
			d.Hint = "the inventory can use locals that need no variable and no result"
			return false
		}
		return true
	case "host", "inventory", "control", "group":
		if l.inv.hosts == nil {
			l.reportAt("CON-R019", r.Range, "%s cannot be used here", r).Hint = "hosts cannot be defined by other hosts; groups can"
			return false
		}
		if r.Root == "host" {
			return l.exists(r, "CON-R004")
		}
		if r.Root == "group" {
			return l.exists(r, "CON-R005") && l.inv.groupOf(r.Name)
		}
		return true
	}
	d := l.reportAt("CON-R019", r.Range, "%s cannot be used here", r)
	d.Hint = "the inventory is the same in every run: it can use local, file() and, in a fleet, each"
	return false
}

func (l *loader) unknownLocal(r expr.Ref, locals []runbooks.Local) {
	var all []string
	for _, x := range locals {
		all = append(all, x.Name)
	}
	l.reportAt("CON-R003", l.nameOf(r), "there is no local %q", r.Name).Hint = undeclared(r, all, "declare it in a locals block")
}

// staticLocal evaluates a local of the project if it needs nothing that only a run knows.
func (l *loader) staticLocal(name string) bool {
	key := "local." + name
	l.inv.used[name] = true
	switch l.inv.state[key] {
	case done:
		return true
	case visiting, unusable:
		return false
	case unvisited:
	}
	e := l.inv.locals[name]
	l.inv.state[key] = visiting
	if !l.allStatic(e.Refs()) {
		if delete(l.inv.state, key); l.inv.hosts != nil {
			l.inv.state[key] = unusable // else hosts may be known the next time
		}
		return false
	}
	v, ds := e.Eval(l.plain.With(l.staticNames()))
	l.addAll(ds)
	if ds.HasErrors() || v.Absent() {
		l.inv.state[key] = unusable
		return false
	}
	l.inv.values[name], l.inv.state[key] = v, done
	return true
}

// allStatic reports whether everything that is referred to is known before a run.
func (l *loader) allStatic(refs []expr.Ref) bool {
	for _, r := range refs {
		var ok bool
		switch r.Root {
		case "local":
			ok = l.inv.locals[r.Name] != nil && l.staticLocal(r.Name)
		case "host":
			ok = l.inv.hosts != nil && (l.names["host"][r.Name] != nil || !l.inv.hosts[r.Name].Absent())
		case "inventory", "control":
			ok = l.inv.hosts != nil
		case "group":
			ok = l.inv.hosts != nil && l.names["group"][r.Name] != nil && l.inv.groupOf(r.Name)
		}
		if !ok {
			return false
		}
	}
	return true
}
