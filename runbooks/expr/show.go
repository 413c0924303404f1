package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Shown is an expression rendered for people as far as it is known: "(sensitive)" and "(not known yet)" stand in the
// place of what must not or cannot be shown, part by part.
type Shown struct {
	// Text is a string, number or boolean as text, and the whole otherwise.
	Text string
	// List holds the elements of a list; nil for anything else.
	List []string
	// Known: nothing is missing that only the run will tell.
	Known bool
	// Sensitive: something is hidden.
	Sensitive bool
}

// Show renders the expression. Templates and list literals are rendered piece by piece, so that one unknown part does
// not hide the others. A nil expression is an empty known text.
func (e *Expr) Show(s *Scope) (Shown, diag.List) {
	if e == nil {
		return Shown{Known: true}, nil
	}
	v, ds := e.Eval(s)
	if ds.HasErrors() {
		return Shown{}, ds
	}
	if v.Known() && !v.IsSensitive() {
		return showValue(v), nil
	}
	switch form := inner(e.src).(type) {
	case *hclsyntax.TupleConsExpr:
		return e.showTuple(s, form)
	case *hclsyntax.TemplateExpr:
		return e.showTemplate(s, form)
	}
	return showValue(v), nil
}

func (e *Expr) showTuple(s *Scope, tuple *hclsyntax.TupleConsExpr) (Shown, diag.List) {
	out := Shown{Known: true, List: make([]string, 0, len(tuple.Exprs))}
	for _, x := range tuple.Exprs {
		one, ds := e.piece(x).Show(s)
		if ds.HasErrors() {
			return Shown{}, ds
		}
		out.List = append(out.List, one.Text)
		out.Known = out.Known && one.Known
		out.Sensitive = out.Sensitive || one.Sensitive
	}
	out.Text = "[" + strings.Join(out.List, ", ") + "]"
	return out, nil
}

func (e *Expr) showTemplate(s *Scope, template *hclsyntax.TemplateExpr) (Shown, diag.List) {
	out := Shown{Known: true}
	var text strings.Builder
	for _, x := range template.Parts {
		one, ds := e.piece(x).Show(s)
		if ds.HasErrors() {
			return Shown{}, ds
		}
		text.WriteString(one.Text)
		out.Known = out.Known && one.Known
		out.Sensitive = out.Sensitive || one.Sensitive
	}
	out.Text = text.String()
	return out, nil
}

// piece is a part of the expression as an expression under the same rules.
func (e *Expr) piece(x hclsyntax.Expression) *Expr {
	return &Expr{src: x, hcl: guard(x), rng: e.rng, text: e.text}
}

func showValue(v Value) Shown {
	out := Shown{Text: v.String(), Known: v.Known(), Sensitive: v.IsSensitive()}
	if v.Absent() {
		return out
	}
	u, _ := v.v.Unmark()
	sequence := u.Type().IsTupleType() || u.Type().IsListType() || u.Type().IsSetType()
	if !sequence || !u.IsKnown() || u.IsNull() {
		return out
	}
	out.List = make([]string, 0, u.LengthInt())
	for it := u.ElementIterator(); it.Next(); {
		_, element := it.Element()
		if v.v.IsMarked() {
			element = element.Mark(sensitiveMark{})
		}
		out.List = append(out.List, Value{element}.String())
	}
	return out
}

// inner is the form without parentheses and without a template that only wraps one interpolation.
func inner(x hcl.Expression) hcl.Expression {
	for {
		switch t := x.(type) {
		case *hclsyntax.ParenthesesExpr:
			x = t.Expression
		case *hclsyntax.TemplateWrapExpr:
			x = t.Wrapped
		default:
			return x
		}
	}
}
