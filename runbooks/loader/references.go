package loader

import (
	"fmt"
	"maps"
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// need is one item that another waits for, and where that is said.
type need struct {
	id  runbooks.ItemID
	why diag.Range
}

// references resolves what the expressions of a runbook refer to, and the order that follows.
func (b *book) references() {
	needs := make([][]need, len(b.order))
	for k, e := range b.order {
		for _, r := range e.after {
			if id, ok := b.itemRef(e, r, false); ok {
				needs[k] = append(needs[k], need{id, r.Range})
			}
		}
		needs[k] = append(needs[k], b.listed(e)...)
		for _, p := range placed(e.item) {
			if !b.batches(e.phase) {
				p.names = slices.DeleteFunc(slices.Clone(p.names), func(s string) bool { return s == "batch" })
			}
			needs[k] = append(needs[k], b.names(e, p)...)
		}
	}
	b.inputRefs()
	b.phaseRefs()
	b.order2After(needs)
	b.itemCycles(needs)
	b.markNames()
	b.closingRefs()
}

// batches reports whether the phase runs batch by batch.
func (b *book) batches(phase int) bool {
	return phase < len(b.rb.Phases) && b.rb.Phases[phase].Rollout != nil
}

// listed resolves requires and recheck.
func (b *book) listed(e *entry) []need {
	var out []need
	take := func(name string, into *[]runbooks.ItemID) {
		refs, _ := b.refs(e.node, name)
		for _, r := range refs {
			if id, ok := b.itemRef(e, r, false); ok {
				*into = append(*into, id)
				out = append(out, need{id, r.Range})
			}
		}
	}
	if e.node.schema.attr("requires") != nil {
		take("requires", &e.item.Requires)
	}
	if e.node.schema.attr("recheck") != nil {
		take("recheck", &e.item.Recheck)
	}
	return out
}

// itemRef resolves a reference to an item, as seen from another. own allows the item itself.
func (b *book) itemRef(from *entry, r expr.Ref, own bool) (runbooks.ItemID, bool) {
	id := runbooks.ItemID(r.Root + "." + r.Name)
	to := b.items[id]
	if to == nil {
		d := b.reportAt("CON-R012", b.nameOf(r), "%s refers to an unknown %s", refererName(from), r.Root)
		d.Hint = b.itemHint(r)
		return "", false
	}
	if from == nil {
		return id, true
	}
	switch {
	case to == from && own:
		return "", false
	case to == from:
		b.reportAt("CON-R015", r.Range, "%s refers to itself", from.node.title()).Hint = "its own result is called result, in capture and expect"
	case to.phase == len(b.rb.Phases) && from.phase != to.phase:
		b.reportAt("CON-R014", r.Range, "%s refers to %s, which stands in cleanup", from.node.title(), id).Hint = "cleanup runs after everything else"
	case to.phase > from.phase:
		d := b.reportAt("CON-R013", r.Range, "%s refers to %s, which stands in a later phase", from.node.title(), id)
		d.Hint = fmt.Sprintf("phase %q runs before phase %q", b.rb.Phases[from.phase].Name, b.rb.Phases[to.phase].Name)
		d.Related = []diag.Related{{Message: "declared here", Range: to.item.Range}}
	default:
		return id, true
	}
	return "", false
}

func refererName(e *entry) string {
	if e == nil {
		return "this"
	}
	return e.node.title()
}

// itemHint suggests an item of the same kind, then one of that name of another kind.
func (b *book) itemHint(r expr.Ref) string {
	var same []string
	for id, e := range b.items {
		if string(e.item.Kind) == r.Root {
			same = append(same, e.item.Name)
		}
		if e.item.Name == r.Name && string(e.item.Kind) != r.Root {
			return fmt.Sprintf("did you mean %s%s?", id, placeOf(e.node))
		}
	}
	slices.Sort(same)
	if s := diag.Suggest(r.Name, same); s != "" {
		e := b.items[runbooks.ItemID(r.Root+"."+s)]
		return fmt.Sprintf("did you mean %s%s?", refText(r.Root, s), placeOf(e.node))
	}
	if len(same) == 0 {
		return fmt.Sprintf("runbook %q has no %s", b.rb.Name, r.Root)
	}
	return "declared: " + shortList(same)
}

// names checks the references of one expression and returns the items that it needs. Locals are followed.
func (b *book) names(e *entry, p placedExpr) []need {
	var out []need
	seen := map[string]bool{}
	for _, r := range p.e.Refs() {
		out = append(out, b.name(e, r, r.Range, p, seen)...)
	}
	return out
}

// name checks one reference. why is the place in the item, when the reference stands in a local. Each local is followed
// once for an expression: ten that name the one before ten times would be ten thousand million ways.
func (b *book) name(e *entry, r expr.Ref, why diag.Range, p placedExpr, locals map[string]bool) []need {
	switch r.Root {
	case "var":
		b.varRef(r)
	case "local":
		return b.localRef(e, r, why, p, locals)
	case "host":
		b.exists(r, "CON-R004")
	case "group":
		b.exists(r, "CON-R005")
	case "role":
		b.exists(r, "CON-R006")
	case "secret":
		b.exists(r, "CON-R007")
	case "runbook":
		b.reportAt("CON-R019", r.Range, "%s cannot be used in an expression", r).Hint = "runbook and failback take it"
	case "self", "each", "result", "results", "batch":
		if !slices.Contains(p.names, r.Root) {
			b.notHere(r, why)
		}
	case "inventory", "control", "run":
	default:
		if id, ok := b.itemRef(e, r, p.own); ok {
			return []need{{id, why}}
		}
	}
	return nil
}

func (b *book) notHere(r expr.Ref, why diag.Range) {
	d := b.reportAt("CON-R019", r.Range, "%s has no meaning here", r.Root)
	if why != r.Range {
		d.Related = []diag.Related{{Message: "used from here", Range: why}}
	}
	switch r.Root {
	case "self":
		d.Hint = "self is the host that a command runs on, known in the command and what judges it"
	case "each":
		d.Hint = "each is the element of the item's for_each; this item has none, or the place is evaluated once"
	case "result":
		d.Hint = "result is known in capture and expect; elsewhere name the item: check.NAME.stdout"
	case "results":
		d.Hint = "results is known in expect_all"
	case "batch":
		d.Hint = "batch is the list of hosts of a phase with hosts and rollout"
	}
}

func (b *book) varRef(r expr.Ref) {
	if b.variables[r.Name] != nil {
		return
	}
	all := slices.Sorted(maps.Keys(b.variables))
	b.reportAt("CON-R002", b.nameOf(r), "there is no variable %q", r.Name).Hint =
		undeclared(r, all, fmt.Sprintf("declare it in the runbook: variable %q { type = string }", r.Name))
}

// undeclared is the hint about a name that is none of those declared: what was meant, those that there are, or without any
// how to declare it.
func undeclared(r expr.Ref, all []string, declare string) string {
	switch s := diag.Suggest(r.Name, all); {
	case minus(r.Name, all) != "":
		return "for a subtraction put spaces around the minus: " + r.Root + "." + minus(r.Name, all)
	case s != "":
		return "did you mean " + r.Root + "." + s + "?"
	case len(all) > 0:
		return "declared: " + shortList(all)
	}
	return declare
}

// minus writes a name such as lag-1 as the subtraction that was meant, or gives "".
func minus(name string, declared []string) string {
	for i, c := range name {
		if c == '-' && slices.Contains(declared, name[:i]) {
			return name[:i] + " - " + name[i+1:]
		}
	}
	return ""
}

func (b *book) localRef(e *entry, r expr.Ref, why diag.Range, p placedExpr, seen map[string]bool) []need {
	local := b.local(r.Name)
	if local == nil {
		b.unknownLocal(r, append(slices.Clone(b.rb.Locals), b.project.Locals...))
		return nil
	}
	if seen[r.Name] {
		return nil
	}
	seen[r.Name] = true
	if b.inv.locals[r.Name] == local.Value { // the runbook's own win
		b.inv.used[r.Name] = true
	}
	var out []need
	for _, inner := range local.Value.Refs() {
		out = append(out, b.name(e, inner, why, p, seen)...)
	}
	return out
}

// local is the shared expression of that name; the runbook's own win.
func (b *book) local(name string) *runbooks.Local {
	if b.locals == nil {
		b.locals = map[string]*runbooks.Local{}
		for _, set := range [][]runbooks.Local{b.project.Locals, b.rb.Locals} {
			for i := range set {
				b.locals[set[i].Name] = &set[i]
			}
		}
	}
	return b.locals[name]
}

// phaseRefs checks the expressions of phases themselves. They may need items of earlier phases.
func (b *book) phaseRefs() {
	for k, p := range b.rb.Phases {
		at := &entry{phase: k, node: &node{schema: &Block{Type: "phase"}, label: p.Name}, pos: -1}
		check := func(e *expr.Expr, names ...string) {
			for _, need := range b.names(at, placedExpr{e: e, names: names}) {
				if to := b.items[need.id]; to.phase == k {
					b.reportAt("CON-R013", need.why, "phase %q refers to %s, which stands in it", p.Name, need.id).Hint =
						"it is evaluated before the phase begins"
				}
			}
		}
		check(p.When)
		if p.Rollout != nil {
			check(p.Hosts)
		}
	}
}

// closingRefs checks expressions that are evaluated when the run has ended, and those of variables.
func (b *book) closingRefs() {
	for _, m := range b.rb.Marks {
		b.names(nil, placedExpr{e: m.At})
	}
	for _, o := range b.rb.Objectives {
		b.names(nil, placedExpr{e: o.Point})
		b.names(nil, placedExpr{e: o.Value})
	}
	for _, o := range b.rb.Outputs {
		b.names(nil, placedExpr{e: o.Value})
	}
	for _, v := range b.rb.Variables {
		b.onlyItself(v.Name, v.Default, false)
		for _, val := range v.Validations {
			b.onlyItself(v.Name, val.Condition, true)
			b.onlyItself(v.Name, val.Message, true)
		}
	}
	for _, local := range b.rb.Locals {
		for _, r := range local.Value.Refs() { // also of locals that nothing uses
			if r.Root == "local" && b.local(r.Name) != nil {
				continue // it is looked at itself
			}
			b.name(nil, r, r.Range, placedExpr{names: []string{"self", "each", "result", "results", "batch"}}, map[string]bool{local.Name: true})
		}
	}
}

// inputRefs checks the validations of what people type: like those of variables they see the value only, as var.NAME.
func (b *book) inputRefs() {
	for _, e := range b.order {
		for _, in := range e.item.Inputs {
			for _, val := range in.Validations {
				b.onlyItself(in.Name, val.Condition, true)
				b.onlyItself(in.Name, val.Message, true)
			}
		}
	}
}

// onlyItself: a variable's default is the same in every run, and its validation sees its value only.
func (b *book) onlyItself(name string, e *expr.Expr, itself bool) {
	for _, r := range e.Refs() {
		if itself && r.Root == "var" && r.Name == name {
			continue
		}
		d := b.reportAt("CON-R019", r.Range, "%s cannot be used here", r)
		d.Hint = "a default is a value that is the same in every run"
		if itself {
			d.Hint = "a validation sees var." + name + " only"
		}
	}
}
