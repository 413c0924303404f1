package scope

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// The codes of this package.
const (
	CodeVariable   = "CON-E020" // a variable's value does not fit
	CodeLocalCycle = "CON-E021" // locals need one another
)

// localKind says what a local needs, itself or by the locals it uses.
type localKind uint8

const (
	staticLocal localKind = iota // nothing of a run
	resultLocal                  // results of items
	unitLocal                    // self, each, batch, result, results: another value at each place
	brokenLocal                  // it needs itself
)

// locals serves local.NAME: each is evaluated when first met, and kept.
type locals struct {
	defs  map[string]runbooks.Local
	kind  map[string]localKind
	names []string
	scope *expr.Scope // where they are evaluated; holds this resolver
	cells map[string]*cell
	outer *locals // keeps the static ones; nil: this one does
}

type cell struct {
	once sync.Once
	answer
}

// maxLocalChain bounds how many locals may need one another in a row.
const maxLocalChain = 200

// newLocals takes the locals of project and runbook; a runbook's own hide the project's.
func newLocals(in Inputs) (*locals, diag.List) {
	l := &locals{defs: map[string]runbooks.Local{}, kind: map[string]localKind{}, cells: map[string]*cell{}}
	all := slices.Clone(in.Project.Locals)
	if in.Runbook != nil {
		all = append(all, in.Runbook.Locals...)
	}
	for _, d := range all {
		if _, hidden := l.defs[d.Name]; !hidden {
			l.names = append(l.names, d.Name)
		}
		l.defs[d.Name] = d
	}
	slices.Sort(l.names)
	ds := l.classify()
	for _, name := range l.names {
		if l.kind[name] == staticLocal || l.kind[name] == resultLocal {
			l.cells[name] = &cell{}
		}
	}
	return l, ds
}

// inner gives locals for a scope with results: the static ones are shared, the others are evaluated anew.
func (l *locals) inner() *locals {
	out := &locals{defs: l.defs, kind: l.kind, names: l.names, cells: map[string]*cell{}, outer: l}
	for name, k := range l.kind {
		if k == resultLocal {
			out.cells[name] = &cell{}
		}
	}
	return out
}

// Serves implements expr.Resolver.
func (l *locals) Serves(root string) bool { return root == "local" }

// Names implements expr.Resolver.
func (l *locals) Names(string) []string { return l.names }

// Resolve implements expr.Resolver.
func (l *locals) Resolve(_, name string) (expr.Value, diag.List) {
	d, ok := l.defs[name]
	if !ok {
		return expr.Value{}, nil
	}
	if l.kind[name] == brokenLocal {
		return expr.Value{}, diag.List{{Severity: diag.Error, Code: CodeLocalCycle, Range: d.Range,
			Summary: fmt.Sprintf("local.%s needs itself", name)}}
	}
	if l.kind[name] == staticLocal && l.outer != nil {
		return l.outer.Resolve("local", name)
	}
	c := l.cells[name]
	if c == nil {
		return expr.Value{}, nil
	}
	c.once.Do(func() { c.v, c.ds = d.Value.Eval(l.scope) })
	return c.v, c.ds
}

// Defer implements expr.Deferrer: a local that depends on the place is evaluated there.
func (l *locals) Defer(_, name string) *expr.Expr {
	if l.kind[name] == unitLocal {
		return l.defs[name].Value
	}
	return nil
}

// classify finds what each local needs, following references, and the circles among them.
func (l *locals) classify() diag.List {
	c := classifier{l: l, state: map[string]int{}, depth: map[string]int{}}
	for _, name := range l.names {
		c.visit(name)
	}
	return c.ds.Sorted()
}

type classifier struct {
	l     *locals
	state map[string]int // 0 new, 1 on the path, 2 done
	depth map[string]int
	path  []string
	ds    diag.List
}

func (c *classifier) visit(name string) {
	c.state[name] = 1
	c.path = append(c.path, name)
	kind, depth := staticLocal, 1
	for _, ref := range c.l.defs[name].Value.Refs() {
		k := rootKind(ref.Root)
		if ref.Root == "local" {
			k = c.follow(name, ref)
			depth = max(depth, c.depth[ref.Name]+1)
		}
		kind = max(kind, k)
	}
	if depth > maxLocalChain && kind != brokenLocal {
		kind = c.tooLong(name)
	}
	c.l.kind[name], c.depth[name] = max(kind, c.l.kind[name]), depth
	c.path = c.path[:len(c.path)-1]
	c.state[name] = 2
}

// follow goes on to another local and says what it makes of the one that needs it.
func (c *classifier) follow(name string, ref expr.Ref) localKind {
	if _, ok := c.l.defs[ref.Name]; !ok {
		return staticLocal // reported when it is met
	}
	switch c.state[ref.Name] {
	case 0:
		if len(c.path) > maxLocalChain {
			return c.tooLong(name)
		}
		c.visit(ref.Name)
	case 1:
		c.circle(ref)
		return brokenLocal
	}
	return c.l.kind[ref.Name]
}

func (c *classifier) tooLong(name string) localKind {
	c.ds = append(c.ds, diag.Diagnostic{Severity: diag.Error, Code: CodeLocalCycle, Range: c.l.defs[name].Range,
		Summary: fmt.Sprintf("local.%s needs too many others in a row", name), Hint: "put parts together"})
	return brokenLocal
}

// circle reports the locals from the one that is needed again, with every step.
func (c *classifier) circle(back expr.Ref) {
	start := slices.Index(c.path, back.Name)
	round := append(slices.Clone(c.path[start:]), back.Name)
	d := diag.Diagnostic{
		Severity: diag.Error, Code: CodeLocalCycle, Range: c.l.defs[back.Name].Range,
		Summary: "locals need one another: " + strings.Join(round, " → "), Hint: "break the circle",
	}
	for i, name := range round[:len(round)-1] {
		c.l.kind[name] = brokenLocal
		for _, ref := range c.l.defs[name].Value.Refs() {
			if ref.Root == "local" && ref.Name == round[i+1] {
				d.Related = append(d.Related, diag.Related{Message: fmt.Sprintf("%s needs %s", name, ref.Name), Range: ref.Range})
				break
			}
		}
	}
	c.ds = append(c.ds, d)
}

func rootKind(root string) localKind {
	switch root {
	case "self", "each", "batch", "result", "results":
		return unitLocal
	}
	if isResult(root) {
		return resultLocal
	}
	return staticLocal
}
