// Package expr is the only door to expressions: nothing outside it evaluates HCL or touches a cty value.
//
// An Expr is an unevaluated expression with its place. A Scope holds what an expression may refer to. A Value is the
// result: known, unknown with a type, or sensitive. Callers leave the package through the conversion methods of Value,
// which check known, null and sensitive in that order, so that no caller can trip over an unknown or print a secret.
package expr

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Expr is an unevaluated expression of a project file. A nil *Expr is an attribute that was not given.
// It is immutable and safe for concurrent use.
type Expr struct {
	hcl  hcl.Expression
	rng  diag.Range
	text string
	refs []Ref
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

// Ref is one reference, such as check.replication.lag: Root "check", Name "replication", Path ["lag"].
// Root alone (self, each, run, control, inventory, batch) has an empty Name where the language has none.
// Call is set for call.x.step.y: then Root is "call", Name "x" and Path begins with kind and item.
type Ref struct {
	Root  string
	Name  string
	Path  []string
	Range diag.Range
}
