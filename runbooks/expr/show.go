package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

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
func (e *Expr) Show(s *Scope) (Shown, diag.List) { return e.show(s, true) }

// ShowWords is Show for who reads the elements of a list: where there is a List, Text is left empty.
func (e *Expr) ShowWords(s *Scope) (Shown, diag.List) { return e.show(s, false) }

func (e *Expr) show(s *Scope, whole bool) (Shown, diag.List) {
	if e == nil {
		return Shown{Known: true}, nil
	}
	v, ds := e.Eval(s)
	if ds.HasErrors() {
		return Shown{}, ds
	}
	if v.Clear() {
		return showClear(v.v, whole), nil
	}
	switch form := inner(e.src).(type) {
	case *hclsyntax.TupleConsExpr:
		return e.showTuple(s, form, whole)
	case *hclsyntax.TemplateExpr:
		return e.showTemplate(s, form)
	}
	return showValue(v), nil
}

func (e *Expr) showTuple(s *Scope, tuple *hclsyntax.TupleConsExpr, whole bool) (Shown, diag.List) {
	out := Shown{Known: true, List: make([]string, 0, len(tuple.Exprs))}
	for _, x := range e.piecesOf(tuple.Exprs) {
		one, ds := x.Show(s)
		if ds.HasErrors() {
			return Shown{}, ds
		}
		out.List = append(out.List, one.Text)
		out.Known = out.Known && one.Known
		out.Sensitive = out.Sensitive || one.Sensitive
	}
	if whole {
		out.Text = "[" + strings.Join(out.List, ", ") + "]"
	}
	return out, nil
}

func (e *Expr) showTemplate(s *Scope, template *hclsyntax.TemplateExpr) (Shown, diag.List) {
	out := Shown{Known: true}
	var text strings.Builder
	for _, x := range e.piecesOf(template.Parts) {
		one, ds := x.Show(s)
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

// piecesOf are the parts of the expression as expressions, made once.
func (e *Expr) piecesOf(parts []hclsyntax.Expression) []*Expr {
	e.parts.Do(func() {
		e.pieces = make([]*Expr, len(parts))
		for i, x := range parts {
			e.pieces[i] = e.piece(x)
		}
	})
	return e.pieces
}

// piece is a part of the expression as an expression under the same rules.
func (e *Expr) piece(x hclsyntax.Expression) *Expr {
	return &Expr{src: x, hcl: guard(x), rng: e.rng, text: e.text}
}

func showClear(v cty.Value, whole bool) Shown {
	out := Shown{Known: true}
	if isSequence(v.Type()) && !v.IsNull() {
		out.List = make([]string, 0, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			out.List = append(out.List, plainString(element))
		}
		if !whole {
			return out
		}
	}
	out.Text = plainString(v)
	return out
}

// showValue shows a value of which something is not known, or sensitive.
func showValue(v Value) Shown {
	out := Shown{Text: v.String(), Known: v.Known(), Sensitive: v.IsSensitive()}
	if v.Absent() {
		return out
	}
	u, _ := v.v.Unmark()
	if !isSequence(u.Type()) || !u.IsKnown() || u.IsNull() {
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
