package expr

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// composed bounds a value that is put together from others.
type composed struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (e *composed) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(ctx)
	if b.over() {
		return cty.DynamicVal, nil
	}
	v, ds := e.Expression.Value(ctx)
	if ds.HasErrors() {
		return v, ds
	}
	if p := b.measure(v); p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	if p := b.hold(bytesPerElement * width(v)); p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return v, ds
}

// measure counts the values in a value, no further than the limit.
func (b *budget) measure(v cty.Value) *problem {
	if b == nil {
		return nil
	}
	if b.spent != nil {
		return b.spent
	}
	left := LimitNodes
	count(v, &left)
	visited := LimitNodes - max(left, 0)
	if b.visits -= visited; left < 0 || b.visits < 0 {
		b.spent = &problem{code: CodeTooComplex, summary: "value is too large",
			detail: fmt.Sprintf("A list or object holds %d values at most, all levels together.", LimitNodes)}
		return b.spent
	}
	return b.step(visited / valuesPerStep)
}

// count subtracts from left the number of values in v, and stops below zero.
func count(v cty.Value, left *int) {
	if *left--; *left < 0 || v == cty.NilVal {
		return
	}
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return
	}
	if t := v.Type(); t.IsCollectionType() {
		if n, flat := flatSize(t.ElementType()); flat {
			*left -= n * v.LengthInt()
			return
		}
	}
	for it := v.ElementIterator(); it.Next() && *left >= 0; {
		_, e := it.Element()
		count(e, left)
	}
}

// flatSize is the size of every value of a type that holds no lists. Small maps in objects, such as the labels of hosts,
// count as one.
func flatSize(t cty.Type) (int, bool) {
	switch {
	case t.IsPrimitiveType():
		return 1, true
	case t.IsObjectType():
		for _, a := range t.AttributeTypes() {
			if !a.IsPrimitiveType() && (!a.IsMapType() || !a.ElementType().IsPrimitiveType()) {
				return 0, false
			}
		}
		return 1 + len(t.AttributeTypes()), true
	}
	return 0, false
}
