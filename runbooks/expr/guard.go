package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// guard copies a syntax tree and puts our nodes in place of those whose meaning or cost differs from hcl's: the tree
// that was parsed stays as it is. Each of our nodes embeds the one it stands for, so that ranges and forms remain.
func guard(e hclsyntax.Expression) hclsyntax.Expression {
	switch x := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return &reference{x}
	case *hclsyntax.RelativeTraversalExpr:
		return &relative{&hclsyntax.RelativeTraversalExpr{Source: guard(x.Source), Traversal: x.Traversal, SrcRange: x.SrcRange}}
	case *hclsyntax.FunctionCallExpr:
		return guardCall(x)
	case *hclsyntax.BinaryOpExpr:
		return guardBinary(x)
	case *hclsyntax.UnaryOpExpr:
		c := *x
		c.Val = guard(x.Val)
		return &checked{&c}
	case *hclsyntax.TemplateExpr:
		c := *x
		c.Parts = make([]hclsyntax.Expression, len(x.Parts))
		for i, p := range x.Parts {
			c.Parts[i] = guardPart(p)
		}
		if text, ok := literalString(x); ok {
			return &literal{&c, cty.StringVal(text)}
		}
		return &template{&c}
	case *hclsyntax.TemplateJoinExpr:
		return &template{&hclsyntax.TemplateJoinExpr{Tuple: guard(x.Tuple)}}
	case *hclsyntax.ForExpr:
		return guardFor(x)
	case *hclsyntax.SplatExpr:
		c := *x
		c.Source, c.Each = guard(x.Source), newBody(x.Each)
		return &composed{&c}
	}
	return guardPlain(e)
}

// guardPlain copies the nodes that keep their meaning.
func guardPlain(e hclsyntax.Expression) hclsyntax.Expression {
	switch x := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return &hclsyntax.ParenthesesExpr{Expression: guard(x.Expression), SrcRange: x.SrcRange}
	case *hclsyntax.ConditionalExpr:
		c := *x
		c.Condition, c.TrueResult, c.FalseResult = guard(x.Condition), guard(x.TrueResult), guard(x.FalseResult)
		return &c
	case *hclsyntax.IndexExpr:
		c := *x
		c.Collection, c.Key = guard(x.Collection), guard(x.Key)
		return &c
	case *hclsyntax.TupleConsExpr:
		c := *x
		c.Exprs = make([]hclsyntax.Expression, len(x.Exprs))
		for i, v := range x.Exprs {
			c.Exprs[i] = guard(v)
		}
		return &composed{&c}
	case *hclsyntax.ObjectConsExpr:
		c := *x
		c.Items = make([]hclsyntax.ObjectConsItem, len(x.Items))
		for i, it := range x.Items {
			c.Items[i] = hclsyntax.ObjectConsItem{KeyExpr: &key{guard(it.KeyExpr)}, ValueExpr: guard(it.ValueExpr)}
		}
		return &composed{&c}
	case *hclsyntax.ObjectConsKeyExpr:
		c := *x
		// A bare name is a literal key; hcl recognises it by the type of the node, which must stay.
		if _, bare := x.Wrapped.(*hclsyntax.ScopeTraversalExpr); !bare || x.ForceNonLiteral {
			c.Wrapped = guard(x.Wrapped)
		}
		return &c
	case *hclsyntax.TemplateWrapExpr:
		return &hclsyntax.TemplateWrapExpr{Wrapped: guard(x.Wrapped), SrcRange: x.SrcRange}
	}
	return e // literals, the symbol of a splat, syntax errors
}

func guardFor(x *hclsyntax.ForExpr) hclsyntax.Expression {
	c := *x
	c.CollExpr = guard(x.CollExpr)
	c.ValExpr = newBody(x.ValExpr)
	if x.KeyExpr != nil {
		c.KeyExpr = &key{newBody(x.KeyExpr)}
	}
	if x.CondExpr != nil {
		c.CondExpr = newBody(x.CondExpr)
	}
	return &composed{&c}
}

// guardPart keeps literal parts as they are: hcl asks for their type.
func guardPart(p hclsyntax.Expression) hclsyntax.Expression {
	if _, ok := p.(*hclsyntax.LiteralValueExpr); ok {
		return p
	}
	return &part{guard(p)}
}

// body is evaluated once for each element of a loop, within the budget.
type body struct {
	hclsyntax.Expression
	steps int
}

func newBody(e hclsyntax.Expression) *body { return &body{guard(e), loopSteps + nodes(e)} }

// Value implements hcl.Expression.
func (e *body) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(ctx)
	if b.over() {
		return cty.DynamicVal, nil
	}
	p := b.iterate()
	if p == nil {
		p = b.step(e.steps)
	}
	if p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return e.Expression.Value(ctx)
}

// key is the key of an object: it becomes part of a type, where nothing hides it, so it cannot be sensitive.
type key struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (e *key) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, ds := e.Expression.Value(ctx)
	if !ds.HasErrors() && v.ContainsMarked() {
		p := &problem{code: CodeSensitive, summary: "key is sensitive",
			detail: "The keys of a map are shown in plans and records.", hint: "use the secret as a value, not as a key"}
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return v, ds
}

// checked bounds the number that an operation gives.
type checked struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (e *checked) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, ds := e.Expression.Value(ctx)
	if !ds.HasErrors() && !numberInLimits(v) {
		if op, ok := e.Expression.(*hclsyntax.BinaryOpExpr); ok && op.Op == hclsyntax.OpDivide {
			return cty.DynamicVal, byZero().asHCL(e.Range())
		}
		return cty.DynamicVal, tooLarge().asHCL(e.Range())
	}
	return v, ds
}

// part is one interpolation of a template: its text is paid for before it is joined.
type part struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (e *part) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, ds := e.Expression.Value(ctx)
	if ds.HasErrors() {
		return v, ds
	}
	if !numberInLimits(v) {
		return cty.DynamicVal, tooLarge().asHCL(e.Range())
	}
	if p := budgetOf(ctx).charge(textLength(v)); p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return v, ds
}

func textLength(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return 0
	}
	return len(v.AsString())
}

// template bounds a text, and drops the known prefix that hcl notes on a text that is not known yet: the prefix could
// hold a secret.
type template struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (e *template) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, ds := e.Expression.Value(ctx)
	if ds.HasErrors() {
		return v, ds
	}
	if !v.IsKnown() {
		_, marks := v.Unmark()
		return cty.UnknownVal(v.Type()).RefineNotNull().WithMarks(marks), ds
	}
	if p := budgetOf(ctx).charge(textLength(v)); p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return v, ds
}

// literal is a text without interpolation: most of what a runbook says.
type literal struct {
	*hclsyntax.TemplateExpr
	text cty.Value
}

// Value implements hcl.Expression.
func (e *literal) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if p := budgetOf(ctx).charge(textLength(e.text)); p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return e.text, nil
}

// IsStringLiteral keeps hcl's question about the form working.
func (e *template) IsStringLiteral() bool {
	t, ok := e.Expression.(*hclsyntax.TemplateExpr)
	return ok && t.IsStringLiteral()
}

// refused stands for an expression that is too complex to be evaluated at all.
type refused struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (e refused) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	p := &problem{code: CodeTooComplex, summary: "expression is too complex", hint: "move parts of it into locals"}
	return cty.DynamicVal, p.asHCL(e.Range())
}
