package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// reference is a name with its steps. It finds the same value as hcl does and says better what is missing.
type reference struct{ *hclsyntax.ScopeTraversalExpr }

// Value implements hcl.Expression.
func (e *reference) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	t := e.Traversal
	root := t.RootName()
	v, r := find(ctx, root)
	switch {
	case r != nil:
		return resolve(r, t, ctx)
	case v == cty.NilVal:
		return cty.DynamicVal, notHere(t, ctx).asHCL(t[0].SourceRange())
	}
	return follow(v, Ref{Root: root}, t[1:])
}

// resolve asks a resolver for the name after the root.
func resolve(r Resolver, t hcl.Traversal, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	root := t.RootName()
	name, ok := "", false
	if len(t) > 1 {
		name, ok = staticStep(t[1])
	}
	if !ok {
		p := &problem{code: CodeBareRoot, summary: root + " alone means nothing", hint: "write " + root + ".NAME"}
		return cty.DynamicVal, p.asHCL(t.SourceRange())
	}
	if d, ok := r.(Deferrer); ok {
		if e := d.Defer(root, name); e != nil {
			return deferred(e, ctx, Ref{Root: root, Name: name}, t)
		}
	}
	v, ds := r.Resolve(root, name)
	if ds.HasErrors() {
		at := t.SourceRange()
		return cty.DynamicVal, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: ds[0].Summary, Subject: &at, Extra: &foreign{ds}}}
	}
	if v.Absent() {
		p := &problem{code: CodeNoAttribute, summary: "there is no " + root + " " + quoteIfOdd(name)}
		if s := diag.Suggest(name, r.Names(root)); s != "" {
			p.hint = "did you mean " + Ref{Root: root, Name: s}.String() + "?"
		}
		return cty.DynamicVal, p.asHCL(t[1].SourceRange())
	}
	return follow(v.v, Ref{Root: root, Name: name}, t[2:])
}

// deferred evaluates an expression of another place here. Its diagnostics keep their own places.
func deferred(e *Expr, ctx *hcl.EvalContext, from Ref, t hcl.Traversal) (cty.Value, hcl.Diagnostics) {
	if p := budgetOf(ctx).step(deferSteps + e.nodes); p != nil {
		return cty.DynamicVal, p.asHCL(t.SourceRange())
	}
	v, hds := e.hcl.Value(ctx)
	if hds.HasErrors() {
		ds := fromHCL(hds, e.rng.File, e.rng)
		at := t.SourceRange()
		return cty.DynamicVal, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: ds[0].Summary, Subject: &at, Extra: &foreign{ds}}}
	}
	return follow(v, from, t[2:])
}

// foreign carries the diagnostics of another expression, such as that of a local, through hcl.
type foreign struct{ list diag.List }

// relative is steps after something that is no plain name, such as f(x).y or list[0].z.
type relative struct {
	*hclsyntax.RelativeTraversalExpr
}

// Value implements hcl.Expression.
func (e *relative) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, ds := e.Source.Value(ctx)
	if ds.HasErrors() {
		return cty.DynamicVal, ds
	}
	return follow(v, Ref{Root: "the value"}, e.Traversal)
}

// follow takes one step after another and explains the one that fails.
func follow(v cty.Value, from Ref, steps hcl.Traversal) (cty.Value, hcl.Diagnostics) {
	for i, s := range steps {
		next, ds := s.TraversalStep(v)
		if ds.HasErrors() {
			return cty.DynamicVal, explainStep(ds, walked(from, steps[:i]), v, s)
		}
		v = next
	}
	return v, nil
}

// walked is where the steps have led.
func walked(from Ref, steps hcl.Traversal) string {
	var where strings.Builder
	where.WriteString(from.String())
	for _, s := range steps {
		if name, ok := staticStep(s); ok {
			writeStep(&where, name)
		}
	}
	return where.String()
}

func explainStep(ds hcl.Diagnostics, path string, parent cty.Value, s hcl.Traverser) hcl.Diagnostics {
	name, ok := staticStep(s)
	if !ok || parent.IsNull() {
		return ds
	}
	switch t := parent.Type(); {
	case t.IsObjectType(), t.IsMapType():
		return noAttribute(path, parent, name).asHCL(s.SourceRange())
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		if _, attr := s.(hcl.TraverseAttr); attr {
			p := &problem{code: CodeNoAttribute, summary: path + " is a list and has no " + quoteIfOdd(name),
				detail: "Only its elements may have it.", hint: "write [for x in " + path + " : x." + name + "], or sole(" + path + ")." + name}
			return p.asHCL(s.SourceRange())
		}
	case t == cty.String || t == cty.Number || t == cty.Bool:
		p := &problem{code: CodeNoAttribute, summary: path + " is a " + t.FriendlyName() + " and has no " + quoteIfOdd(name)}
		if base, rest, ok := cutMinus(lastStep(path), nil); ok {
			p.hint = "for a subtraction put spaces around the minus: " + base + " - " + rest
		} else {
			p.hint = "it is read as it stands: " + path
		}
		return p.asHCL(s.SourceRange())
	}
	return ds
}

func lastStep(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// find gives what the nearest scope has for a root: its value, or the resolver that serves it. Neither: nothing has it.
func find(ctx *hcl.EvalContext, root string) (cty.Value, Resolver) {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[root]; ok {
			return v, nil
		}
		if r := resolverOf(ctx); r != nil && r.Serves(root) {
			return cty.NilVal, r
		}
	}
	return cty.NilVal, nil
}

func exists(ctx *hcl.EvalContext, root string) bool {
	v, r := find(ctx, root)
	return v != cty.NilVal || r != nil
}

// notHere explains a root that this place does not have, although others may.
func notHere(t hcl.Traversal, ctx *hcl.EvalContext) *problem {
	name := t.RootName()
	if known, _ := isRoot(name); !known {
		return unknownRoot(t)
	}
	p := &problem{code: CodeNotHere, summary: name + " does not exist here"}
	switch name {
	case "self":
		p.detail = "self is the host of a unit: it exists in what runs on hosts, and in expect."
	case "each":
		p.detail = "each is the element of for_each: it exists only beside one."
	case "batch":
		p.detail = "batch is the list of hosts of a phase that has hosts and rollout."
	case "result":
		p.detail = "result is what one unit left: it exists in capture and expect."
		if exists(ctx, "results") {
			p.hint = "expect_all sees results, by the name of the host"
		}
	case "results":
		p.detail = "results holds every host's result: it exists in expect_all."
		if exists(ctx, "result") {
			p.hint = "did you mean result?"
		}
	default:
		p.detail = "What the inventory and the settings of a project say cannot depend on a run."
	}
	return p
}
