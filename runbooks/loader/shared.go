package loader

import (
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// sharedLocals looks at the locals of the project that nothing uses, so that a mistake in one is found today and not on
// the day when somebody begins to use it. The others have been looked at where they are used.
func (l *loader) sharedLocals() {
	for k := range l.project.Locals {
		x := &l.project.Locals[k]
		x.Used = l.inv.used[x.Name]
	}
	for _, x := range l.project.Locals {
		if x.Used || l.staticLocal(x.Name) {
			continue
		}
		if l.inv.state["local."+x.Name] == unusable && l.allStatic(x.Value.Refs()) {
			continue // it is known and wrong, which has been said
		}
		l.sharedLocal(x)
	}
}

// sharedLocal looks at a local that needs what only a runbook has. One that has all of it must make sense of the local.
func (l *loader) sharedLocal(x runbooks.Local) {
	refs := l.allRefs(x, map[string]bool{})
	if !l.sharedNames(refs) {
		return
	}
	var wrong diag.List
	for _, b := range l.inOrder() {
		if b.scope == nil || !b.declares(refs) {
			continue
		}
		_, ds := x.Value.Eval(b.scope.With(anyPlace()))
		if !ds.HasErrors() {
			return
		}
		if wrong == nil {
			wrong = ds
		}
	}
	l.addAll(wrong)
}

// allRefs are the references of a local and of those that it needs.
func (l *loader) allRefs(x runbooks.Local, seen map[string]bool) []expr.Ref {
	seen[x.Name] = true
	var out []expr.Ref
	for _, r := range x.Value.Refs() {
		out = append(out, r)
		k := slices.IndexFunc(l.project.Locals, func(o runbooks.Local) bool { return o.Name == r.Name })
		if r.Root == "local" && k >= 0 && !seen[r.Name] {
			out = append(out, l.allRefs(l.project.Locals[k], seen)...)
		}
	}
	return out
}

// sharedNames checks names that exist in the project or nowhere, and those that no runbook has.
func (l *loader) sharedNames(refs []expr.Ref) bool {
	codes := map[string]string{"host": "CON-R004", "group": "CON-R005", "role": "CON-R006", "secret": "CON-R007"}
	ok := true
	for _, r := range refs {
		switch r.Root {
		case "host", "group", "role", "secret":
			ok = l.exists(r, codes[r.Root]) && ok
		case "local":
			if l.inv.locals[r.Name] == nil {
				l.unknownLocal(r, l.project.Locals)
				ok = false
			}
		case "runbook":
			l.reportAt("CON-R019", r.Range, "%s cannot be used in an expression", r).Hint = "runbook and failback take it"
			ok = false
		default:
			ok = l.someRunbookHas(r) && ok
		}
	}
	return ok
}

// someRunbookHas reports a variable or an item that no runbook of the project declares.
func (l *loader) someRunbookHas(r expr.Ref) bool {
	var all []string
	for _, b := range l.inOrder() {
		if b.declares([]expr.Ref{r}) {
			return true
		}
		all = append(all, b.namesOf(r.Root)...)
	}
	slices.Sort(all)
	code, what := "CON-R012", r.Root
	if r.Root == "var" {
		code, what = "CON-R002", "variable"
	}
	d := l.reportAt(code, l.nameOf(r), "no runbook has a %s %q", what, r.Name)
	if s := diag.Suggest(r.Name, all); s != "" {
		d.Hint = "did you mean " + refText(r.Root, s) + "?"
	} else {
		d.Hint = "declare it, or remove the local: nothing uses it"
	}
	return false
}

// declares reports whether the runbook has all the variables and items that are named.
func (b *book) declares(refs []expr.Ref) bool {
	for _, r := range refs {
		switch r.Root {
		case "var":
			if b.variables[r.Name] == nil {
				return false
			}
		case "local", "host", "group", "role", "secret", "inventory", "control", "run", "self", "each", "batch", "result", "results":
		default:
			if b.items[runbooks.ItemID(r.Root+"."+r.Name)] == nil {
				return false
			}
		}
	}
	return true
}

// namesOf are the variables, or the items of a kind, that the runbook declares.
func (b *book) namesOf(root string) []string {
	var out []string
	if root == "var" {
		for name := range b.variables {
			out = append(out, name)
		}
	}
	for _, e := range b.order {
		if string(e.item.Kind) == root {
			out = append(out, e.item.Name)
		}
	}
	return out
}

// inOrder are the runbooks as they were read.
func (l *loader) inOrder() []*book {
	out := make([]*book, 0, len(l.books))
	for _, rb := range l.project.Runbooks {
		if b := l.books[rb.Name]; b != nil {
			out = append(out, b)
		}
	}
	return out
}

// anyPlace has every name that some place has. What a host has is known, all else may be anything.
func anyPlace() map[string]expr.Value {
	unknown := expr.Unknown(expr.AnyType())
	return map[string]expr.Value{
		"self": expr.Unknown(expr.HostType()), "batch": expr.Unknown(expr.ListType(expr.HostType())), "each": eachValue(expr.Value{}),
		"result": unknown, "results": expr.Unknown(expr.MapType(expr.AnyType())),
	}
}
