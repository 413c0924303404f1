package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func guardBinary(x *hclsyntax.BinaryOpExpr) hclsyntax.Expression {
	c := *x
	c.LHS, c.RHS = guard(x.LHS), guard(x.RHS)
	if x.Op == hclsyntax.OpEqual || x.Op == hclsyntax.OpNotEqual {
		return &equality{&c}
	}
	if x.Op == hclsyntax.OpModulo {
		return &checked{&modulo{&c}}
	}
	return &checked{&c}
}

// operands are the values of both sides, each evaluated once.
func operands(e *hclsyntax.BinaryOpExpr, ctx *hcl.EvalContext) (l, r cty.Value, ds hcl.Diagnostics) {
	l, ds = e.LHS.Value(ctx)
	r, more := e.RHS.Value(ctx)
	return l, r, append(ds, more...)
}

// modulo is %. cty gives X for X % 0; a wrong number in a condition is worse than an error.
type modulo struct{ *hclsyntax.BinaryOpExpr }

// Value implements hcl.Expression.
func (e *modulo) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	l, r, ds := operands(e.BinaryOpExpr, ctx)
	if ds.HasErrors() {
		return cty.UnknownVal(cty.Number), ds
	}
	if n, _ := r.Unmark(); n.Type() == cty.Number && n.IsKnown() && !n.IsNull() && n.RawEquals(cty.Zero) {
		return cty.UnknownVal(cty.Number), byZero().asHCL(e.SrcRange)
	}
	c := *e.BinaryOpExpr
	c.LHS = &hclsyntax.LiteralValueExpr{Val: l, SrcRange: e.LHS.Range()}
	c.RHS = &hclsyntax.LiteralValueExpr{Val: r, SrcRange: e.RHS.Range()}
	return c.Value(ctx)
}

func byZero() *problem {
	return &problem{code: CodeType, summary: "division by zero", hint: "ask for zero first: N == 0 ? 0 : X / N"}
}

// equality is == and !=. hcl says that "1" == 1 and quietly gives false for what can never be equal; in a condition of a
// failover both are traps, so comparing different types is an error.
type equality struct{ *hclsyntax.BinaryOpExpr }

// Value implements hcl.Expression.
func (e *equality) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	l, r, ds := operands(e.BinaryOpExpr, ctx)
	if ds.HasErrors() {
		return cty.UnknownVal(cty.Bool), ds
	}
	l, lm := l.UnmarkDeep()
	r, rm := r.UnmarkDeep()
	if !canEqual(l, r) {
		return cty.UnknownVal(cty.Bool), incomparable(l.Type(), r.Type()).asHCL(e.SrcRange)
	}
	v := equal(l, r)
	if e.Op == hclsyntax.OpNotEqual {
		v = v.Not()
	}
	return v.WithMarks(lm, rm), nil
}

// canEqual reports whether the two can be equal at all. A null can be compared with everything.
func canEqual(l, r cty.Value) bool {
	if l.IsNull() || r.IsNull() {
		return true
	}
	return sameKind(l.Type(), r.Type())
}

// sameKind is true for equal types, for collections of the same shape, and as long as one of them is not known.
func sameKind(l, r cty.Type) bool {
	switch {
	case l == cty.DynamicPseudoType || r == cty.DynamicPseudoType:
		return true
	case l.IsPrimitiveType() || r.IsPrimitiveType():
		return l.Equals(r)
	}
	return isSequence(l) && isSequence(r) || isMapping(l) && isMapping(r)
}

func isSequence(t cty.Type) bool { return t.IsListType() || t.IsTupleType() || t.IsSetType() }

func isMapping(t cty.Type) bool { return t.IsMapType() || t.IsObjectType() }

// equal compares two values of one kind: a list and a tuple, or a map and an object, are equal when their elements are.
func equal(l, r cty.Value) cty.Value {
	if l.IsNull() || r.IsNull() {
		return nullEqual(l, r)
	}
	if l.Type().Equals(r.Type()) || !l.IsKnown() || !r.IsKnown() {
		return plainEqual(l, r)
	}
	if l.Type().IsSetType() != r.Type().IsSetType() {
		return cty.False
	}
	if l.LengthInt() != r.LengthInt() {
		return cty.False
	}
	all := cty.True
	for li, ri := l.ElementIterator(), r.ElementIterator(); li.Next() && ri.Next(); {
		lk, lv := li.Element()
		rk, rv := ri.Element()
		if isMapping(l.Type()) && !lk.RawEquals(rk) || !sameKind(lv.Type(), rv.Type()) && !lv.IsNull() && !rv.IsNull() {
			return cty.False
		}
		all = all.And(equal(lv, rv))
	}
	return all
}

func nullEqual(l, r cty.Value) cty.Value {
	switch {
	case l.IsNull() && r.IsNull():
		return cty.True
	case l.IsNull() && r.IsKnown(), r.IsNull() && l.IsKnown():
		return cty.False
	}
	// One is null and nothing is known of the other but, perhaps, that it is not null.
	other := l
	if l.IsNull() {
		other = r
	}
	if other.Type() != cty.DynamicPseudoType && other.Range().DefinitelyNotNull() {
		return cty.False
	}
	return cty.UnknownVal(cty.Bool).RefineNotNull()
}

func plainEqual(l, r cty.Value) cty.Value {
	if !l.IsWhollyKnown() || !r.IsWhollyKnown() {
		if l.Type().Equals(r.Type()) {
			return l.Equals(r)
		}
		return cty.UnknownVal(cty.Bool).RefineNotNull()
	}
	return l.Equals(r)
}

func incomparable(l, r cty.Type) *problem {
	ln, rn := Type{l}.String(), Type{r}.String()
	p := &problem{code: CodeEquality, summary: "a " + ln + " is never equal to a " + rn,
		detail: "Values of different types are not compared, because what looks equal may not be."}
	switch {
	case l == cty.String && r == cty.Number || l == cty.Number && r == cty.String:
		p.hint = "convert one side: tonumber(…) or tostring(…); captures take type = number"
	case l == cty.Bool || r == cty.Bool:
		p.hint = "a boolean needs no comparison: write CONDITION or !CONDITION; convert a text with tobool(…)"
	case isSequence(l) != isSequence(r):
		p.hint = "compare an element, list[0], or ask contains(list, VALUE)"
	case isMapping(l) != isMapping(r):
		p.hint = "compare one of its values, as in self.name"
	}
	return p
}
