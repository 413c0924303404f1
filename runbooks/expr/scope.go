package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Scope is what an expression may refer to. It is immutable: With returns a scope inside this one.
type Scope struct{ ctx *hcl.EvalContext }

// Files reads material inside the project for file() and its relatives. Path is relative, with slashes. Implementations
// refuse whatever lies or leads outside the project, and remember what was read for the evidence.
type Files interface {
	ReadFile(path string) ([]byte, error)
}

// NewScope is a scope with the functions of the language and no names.
func NewScope(files Files) *Scope {
	return &Scope{&hcl.EvalContext{Functions: functions(files), Variables: map[string]cty.Value{}}}
}

// With returns a scope that also has these names; they hide outer ones. Absent values are left out.
func (s *Scope) With(names map[string]Value) *Scope {
	c := s.ctx.NewChild()
	c.Variables = make(map[string]cty.Value, len(names))
	for k, v := range names {
		if !v.Absent() {
			c.Variables[k] = v.v
		}
	}
	return &Scope{c}
}

// Eval evaluates the expression. The Value may be unknown; it is absent when the diagnostics have errors.
func (e *Expr) Eval(s *Scope) (Value, diag.List) {
	v, ds := e.hcl.Value(s.ctx)
	if ds.HasErrors() {
		return Value{}, fromHCL(ds, e)
	}
	return Value{v}, nil
}

func functions(Files) map[string]function.Function { return nil }

func fromHCL(hcl.Diagnostics, *Expr) diag.List { return nil }
