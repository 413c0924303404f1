package expr

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

func guardCall(x *hclsyntax.FunctionCallExpr) hclsyntax.Expression {
	c := *x
	c.Args = make([]hclsyntax.Expression, len(x.Args))
	for i, a := range x.Args {
		c.Args[i] = guard(a)
	}
	if !isSpecial(x.Name) || x.ExpandFinal {
		payingArgs(&c)
	}
	switch {
	case x.Name == "try" && !x.ExpandFinal:
		return &try{&c}
	case x.Name == "can" && !x.ExpandFinal:
		return &can{&c}
	}
	return &call{&c}
}

// call is a function call within the budget.
type call struct{ *hclsyntax.FunctionCallExpr }

// Value implements hcl.Expression.
func (e *call) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if !isFunction(e.Name) || isSpecial(e.Name) {
		return cty.DynamicVal, unknownFunction(e.Name).asHCL(e.NameRange)
	}
	b := budgetOf(ctx)
	if b.over() {
		return cty.DynamicVal, nil
	}
	v, ds := e.FunctionCallExpr.Value(ctx)
	if ds.HasErrors() {
		return v, ds
	}
	p := b.charge(textLength(v))
	if p == nil {
		p = b.result(e.Name, v)
	}
	if p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return v, ds
}

// try gives the first of its arguments that can be evaluated. It is a form of its own and no function, because a function
// would evaluate its arguments three times, and nested ones three times three.
type try struct{ *hclsyntax.FunctionCallExpr }

// Value implements hcl.Expression.
func (e *try) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if len(e.Args) == 0 {
		p := &problem{code: CodeFunction, summary: "try needs more arguments", hint: functionUsage("try")}
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	var failed hcl.Diagnostics
	for i, a := range e.Args {
		v, ds := a.Value(ctx)
		if ds.HasErrors() {
			failed = append(failed, ds...)
			continue
		}
		if v.IsWhollyKnown() {
			return v, nil
		}
		return e.undetermined(ctx, v, e.Args[i+1:]), nil
	}
	return cty.DynamicVal, failed
}

// undetermined is the result while the first working argument is not known: it may still turn out to be an error. The
// type is kept when the other arguments agree with it, so that a typing error further on is found now.
func (e *try) undetermined(ctx *hcl.EvalContext, v cty.Value, rest []hclsyntax.Expression) cty.Value {
	u, m := v.UnmarkDeep()
	t, marks := u.Type(), []cty.ValueMarks{m}
	for _, a := range rest {
		other, ds := a.Value(ctx)
		if ds.HasErrors() {
			continue
		}
		o, m := other.UnmarkDeep()
		marks = append(marks, m)
		if !o.Type().Equals(t) {
			t = cty.DynamicPseudoType
		}
	}
	return cty.UnknownVal(t).WithMarks(marks...)
}

// can tells whether its argument can be evaluated.
type can struct{ *hclsyntax.FunctionCallExpr }

// Value implements hcl.Expression.
func (e *can) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if len(e.Args) != 1 {
		p := &problem{code: CodeFunction, summary: "can takes one argument", hint: functionUsage("can")}
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	v, ds := e.Args[0].Value(ctx)
	if ds.HasErrors() {
		return cty.False, nil
	}
	u, marks := v.UnmarkDeep()
	if !u.IsWhollyKnown() {
		return cty.UnknownVal(cty.Bool).RefineNotNull().WithMarks(marks), nil
	}
	return cty.True.WithMarks(marks), nil
}

// unknownFunction explains a function that does not exist, above all those that people know from elsewhere.
func unknownFunction(name string) *problem {
	p := &problem{code: CodeUnknownFunction, summary: fmt.Sprintf("there is no function %s", name)}
	switch name {
	case "timestamp", "now", "plantimestamp", "uuid", "uuidv4", "uuidv7", "random", "env", "getenv", "templatefile", "pathexpand",
		"abspath", "fileset", "filebase64", "bcrypt":
		p.detail = "Expressions depend on nothing but the project and the run: no clock, random numbers, environment or network."
		p.hint = "for the time use run.started_at, for an id run.id, for an environment variable a variable or a secret"
	case "replaceall", "gsub":
		p.hint = "did you mean replace?"
	case "sha1", "md5", "sha512":
		p.hint = "did you mean sha256?"
	case "len", "size", "count":
		p.hint = "did you mean length?"
	case "int":
		p.hint = "did you mean floor?"
	default:
		if s := diag.Suggest(name, FunctionNames()); s != "" {
			p.hint = fmt.Sprintf("did you mean %s?", s)
		}
	}
	return p
}
