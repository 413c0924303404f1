// Package expr is the only door to expressions: nothing outside it evaluates HCL or touches a cty value.
//
// An Expr is an unevaluated expression with its place. A Scope holds what an expression may refer to. A Value is the
// result: known, unknown with a type, or sensitive. Callers leave the package through the conversion methods of Value,
// which check known, null and sensitive in that order, so that no caller can trip over an unknown or print a secret.
//
// Evaluation is bounded: expressions come from files that may be hostile or simply wrong, and a recovery must not hang
// or die on one. The Limit constants are the bounds.
package expr

import (
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Expr is an unevaluated expression of a project file. A nil *Expr is an attribute that was not given.
// It is immutable and safe for concurrent use.
type Expr struct {
	src   hcl.Expression // as parsed, for questions about its form
	hcl   hcl.Expression // the same with our rules and limits, for evaluation
	rng   diag.Range
	text  string
	refs  []Ref
	nodes int // weight of the syntax tree

	parts  sync.Once // makes pieces
	pieces []*Expr   // of a list literal or a template, for Show
}

// New takes a parsed expression. src is the whole file that it was parsed from and file the file's name relative to the
// project. The diagnostics are what can be known to be wrong from the form alone: names that are not static, roots
// without a name, functions that do not exist, a nesting beyond the limits. The Expr is usable even then; evaluating it
// gives at least one error.
func New(e hcl.Expression, src []byte, file string) (*Expr, diag.List) {
	out := &Expr{src: e, hcl: e, rng: rangeOf(e.Range(), file)}
	out.text = normalText(e.Range(), src)
	root, ok := e.(hclsyntax.Expression)
	if !ok {
		return out, nil
	}
	c := &checker{file: file}
	c.check(root)
	out.refs, out.nodes = c.refs, c.nodes
	if c.tooDeep {
		out.hcl = refused{root}
		return out, c.diags.Sorted()
	}
	out.hcl = guard(root)
	return out, c.diags.Sorted()
}

// Parse is New for a text that stands alone, such as an answer that a person typed. Places are relative to the text.
func Parse(text, file string) (*Expr, diag.List) {
	if ds := lexLimits(text, file); ds.HasErrors() {
		return nil, ds
	}
	e, ds := hclsyntax.ParseExpression([]byte(text), file, hcl.InitialPos)
	if ds.HasErrors() {
		return nil, syntaxErrors(ds, file)
	}
	return New(e, []byte(text), file)
}

// Range is the place of the expression in its file.
func (e *Expr) Range() diag.Range {
	if e == nil {
		return diag.Range{}
	}
	return e.rng
}

// Text is the expression as written, with comments and white space normalised, so that formatting a file never changes
// it. It is what reports show as "expected".
func (e *Expr) Text() string {
	if e == nil {
		return ""
	}
	return e.text
}

// Refs are the names that the expression refers to, in order of appearance, repetitions included.
func (e *Expr) Refs() []Ref {
	if e == nil {
		return nil
	}
	return e.refs
}

// rangeOf converts a place. The file name is ours: what hcl was told may be absolute.
func rangeOf(r hcl.Range, file string) diag.Range {
	pos := func(p hcl.Pos) diag.Pos { return diag.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }
	return diag.Range{File: file, Start: pos(r.Start), End: pos(r.End)}
}
