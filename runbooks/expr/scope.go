package expr

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Scope is what an expression may refer to. It is immutable: With returns a scope inside this one. It is safe for
// concurrent use.
type Scope struct {
	ctx    *hcl.EvalContext
	shared *Meter // of all evaluations; nil: none
	frames *sync.Pool
}

// frame is what an evaluation needs for itself. Frames serve one evaluation after another: a plan of a thousand hosts makes
// tens of thousands, and a map for the budget of each was what cost most about the cheap ones.
type frame struct {
	budget budget
	names  map[string]cty.Value // the budget, under its name
}

func newFrame() any {
	f := &frame{}
	f.names = map[string]cty.Value{budgetName: cty.CapsuleVal(budgetType(), &f.budget)}
	return f
}

// inside is a scope in this one with these names.
func (s *Scope) inside(names map[string]cty.Value) *Scope {
	c := s.ctx.NewChild()
	c.Variables = names
	return &Scope{ctx: c, shared: s.shared, frames: s.frames}
}

// Files reads material inside the project for file() and its relatives. Path is relative, with slashes. Implementations
// refuse whatever lies or leads outside the project, and remember what was read for the evidence.
type Files interface {
	ReadFile(path string) ([]byte, error)
}

// NewScope is a scope with the functions of the language and no names. With nil Files, file() is an error.
func NewScope(files Files) *Scope {
	return &Scope{
		ctx:    &hcl.EvalContext{Functions: functions(files), Variables: map[string]cty.Value{}},
		frames: &sync.Pool{New: newFrame},
	}
}

// With returns a scope that also has these names; they hide outer ones. Absent values are left out.
func (s *Scope) With(names map[string]Value) *Scope {
	given := make(map[string]cty.Value, len(names))
	for k, v := range names {
		if !v.Absent() {
			given[k] = v.v
		}
	}
	return s.inside(given)
}

// Resolver serves references of the form root.name when they are met, so that what nobody refers to costs nothing.
// Implementations are safe for concurrent use and give the same answer each time.
type Resolver interface {
	// Serves reports whether the resolver answers for the root. What it does not serve is looked for further out.
	Serves(root string) bool
	// Resolve gives the value of root.name, an absent Value when there is no such name, or why it has none.
	Resolve(root, name string) (Value, diag.List)
	// Names are the names that root has, for suggestions.
	Names(root string) []string
}

// Deferrer is a Resolver that may have no value of its own for a name, but an expression that is evaluated where the
// name is met. Defer gives it, or nil. Such expressions must not lead back to themselves.
type Deferrer interface {
	Defer(root, name string) *Expr
}

// WithResolver returns a scope in which the resolver serves its roots; it hides outer ones.
func (s *Scope) WithResolver(r Resolver) *Scope {
	return s.inside(map[string]cty.Value{resolverName: cty.CapsuleVal(resolverCapsule, &r)})
}

// resolverName hides a resolver in an evaluation context, as budgetName does.
const resolverName = " resolver"

//nolint:gochecknoglobals // immutable: cty compares capsule types by identity
var resolverCapsule = cty.Capsule("resolver", reflect.TypeFor[Resolver]())

func resolverOf(ctx *hcl.EvalContext) Resolver {
	v, ok := ctx.Variables[resolverName]
	if !ok || v.Type() != resolverCapsule {
		return nil
	}
	r, ok := v.EncapsulatedValue().(*Resolver)
	if !ok {
		return nil
	}
	return *r
}

// ResolverOf is the resolver that serves the root here, or nil.
func (s *Scope) ResolverOf(root string) Resolver {
	_, r := find(s.ctx, root)
	return r
}

// Lookup is the value of a root, or of root.name; absent when the scope has none.
func (s *Scope) Lookup(root, name string) Value {
	v, r := find(s.ctx, root)
	switch {
	case r != nil:
		got, ds := r.Resolve(root, name)
		if ds.HasErrors() {
			return Value{}
		}
		return got
	case v == cty.NilVal:
		return Value{}
	case name == "":
		return Value{v}
	}
	return Value{v}.Attr(name)
}

// Eval evaluates the expression. The Value may be unknown; it is absent when the diagnostics have errors.
// A nil Expr gives an absent Value and no diagnostics.
func (e *Expr) Eval(s *Scope) (v Value, ds diag.List) {
	if e == nil {
		return Value{}, nil
	}
	defer func() {
		// cty panics on combinations that its authors did not think of. In the middle of a recovery that must be an
		// error of one expression, with its place, and not the end of the run.
		if r := recover(); r != nil {
			v, ds = Value{}, diag.List{{Severity: diag.Error, Code: CodeDefect, Summary: "evaluation broke down",
				Detail: "This is a defect of continuo, not of the runbook.", Range: e.rng,
				Hint: "report it with this expression; a simpler one may avoid it"}}
		}
	}()
	f, _ := s.frames.Get().(*frame)
	v, ds = e.evalIn(s.ctx, f, s.shared)
	s.frames.Put(f) // not after a panic
	return v, ds
}

func (e *Expr) evalIn(outer *hcl.EvalContext, f *frame, m *Meter) (Value, diag.List) {
	b := &f.budget
	*b = newBudget(m)
	ctx := outer.NewChild()
	ctx.Variables = f.names
	if p := b.step(e.nodes); p != nil {
		return Value{}, e.problemAt(p)
	}
	got, hds := e.hcl.Value(ctx)
	if b.spent != nil && !hds.HasErrors() {
		// try and can may have hidden it.
		hds = append(hds, b.spent.asHCL(e.src.Range())...)
	}
	if hds.HasErrors() {
		return Value{}, fromHCL(hds, e.rng.File, e.rng)
	}
	return Value{got}, nil
}

// problemAt is a diagnostic about the whole expression.
func (e *Expr) problemAt(p *problem) diag.List {
	return diag.List{{Severity: diag.Error, Code: p.code, Summary: p.summary, Detail: p.detail, Hint: p.hint, Range: e.rng}}
}

// State says what an evaluation came to.
type State uint8

// The states. Only Ready comes with a value.
const (
	// Wrong: the diagnostics say why.
	Wrong State = iota
	// Undetermined: it depends on what is not known yet. At run time that is inconclusive, never passed.
	Undetermined
	// Ready: the value is known.
	Ready
)

// EvalBool evaluates a condition. Whether it holds may depend on a sensitive value; only true or false leaves. A null is
// an error.
func (e *Expr) EvalBool(s *Scope) (bool, State, diag.List) {
	v, ds := e.Eval(s)
	if ds.HasErrors() {
		return false, Wrong, ds
	}
	b, err := v.truth()
	st, ds := e.state(err, "condition", "true or false")
	return b, st, ds
}

// EvalText evaluates to a string that may be shown: a sensitive one is an error. what names the attribute in messages.
func (e *Expr) EvalText(s *Scope, what string) (string, State, diag.List) {
	v, ds := e.Eval(s)
	if ds.HasErrors() {
		return "", Wrong, ds
	}
	t, err := v.Text()
	st, ds := e.state(err, what, "a string")
	return t, st, ds
}

// EvalStrings evaluates to a list of strings that may be shown.
func (e *Expr) EvalStrings(s *Scope, what string) ([]string, State, diag.List) {
	v, ds := e.Eval(s)
	if ds.HasErrors() {
		return nil, Wrong, ds
	}
	t, err := v.Strings()
	st, ds := e.state(err, what, "a list of strings")
	return t, st, ds
}

// EvalFloat evaluates to a number.
func (e *Expr) EvalFloat(s *Scope, what string) (float64, State, diag.List) {
	v, ds := e.Eval(s)
	if ds.HasErrors() {
		return 0, Wrong, ds
	}
	f, err := v.Float()
	st, ds := e.state(err, what, "a number")
	return f, st, ds
}

// EvalWhole evaluates to a whole number.
func (e *Expr) EvalWhole(s *Scope, what string) (int64, State, diag.List) {
	v, ds := e.Eval(s)
	if ds.HasErrors() {
		return 0, Wrong, ds
	}
	i, err := v.Whole()
	st, ds := e.state(err, what, "a whole number")
	return i, st, ds
}

// state turns the error of a conversion into a diagnostic about the expression.
func (e *Expr) state(err error, what, want string) (State, diag.List) {
	if err == nil {
		return Ready, nil
	}
	p := conversionProblem(err, what, want)
	if p == nil {
		return Undetermined, nil
	}
	return Wrong, e.problemAt(p)
}

// conversionProblem is nil for what is merely not known yet.
func conversionProblem(err error, what, want string) *problem {
	switch {
	case isUnknown(err):
		return nil
	case isNull(err):
		return &problem{code: CodeNull, summary: fmt.Sprintf("%s is null", what), detail: fmt.Sprintf("It must be %s.", want),
			hint: "use coalesce(…, DEFAULT)"}
	case isSensitive(err):
		return &problem{code: CodeSensitive, summary: fmt.Sprintf("%s is sensitive", what),
			detail: "It would be shown in plans, on the screen and in the evidence.",
			hint:   "hand secrets over with env or stdin"}
	}
	return &problem{code: CodeType, summary: fmt.Sprintf("%s is not %s", what, want), detail: upperFirst(err.Error()) + "."}
}
