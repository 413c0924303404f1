package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Ref is one reference, such as check.replication.lag: Root "check", Name "replication", Path ["lag"].
// Root alone (self, each, run, control, inventory, batch) has an empty Name where the language has none.
// Call is set for call.x.step.y: then Root is "call", Name "x" and Path begins with kind and item.
type Ref struct {
	Root  string
	Name  string
	Path  []string // as far as it is static
	Range diag.Range
	// NameRange is the place of Name, for a suggestion; the place of Root without one.
	NameRange diag.Range
}

// String is the reference as one would write it.
func (r Ref) String() string {
	var b strings.Builder
	b.WriteString(r.Root)
	if r.Name != "" {
		writeStep(&b, r.Name)
	}
	for _, p := range r.Path {
		writeStep(&b, p)
	}
	return b.String()
}

func writeStep(b *strings.Builder, name string) {
	if hclsyntax.ValidIdentifier(name) {
		b.WriteByte('.')
		b.WriteString(name)
		return
	}
	fmt.Fprintf(b, "[%q]", name)
}

// isRoot reports whether references begin with the word, and whether a name must follow.
func isRoot(word string) (known, needsName bool) {
	switch word {
	case "var", "local", "host", "group", "role", "secret", "runbook",
		"check", "assert", "step", "transfer", "wait", "manual", "gate", "decision", "call":
		return true, true
	case "inventory", "control", "self", "each", "batch", "run", "result", "results":
		return true, false
	}
	return false, false
}

// RootNames are the words that references begin with, sorted.
func RootNames() []string {
	return []string{
		"assert", "batch", "call", "check", "control", "decision", "each", "gate", "group", "host", "inventory", "local",
		"manual", "result", "results", "role", "run", "runbook", "secret", "self", "step", "transfer", "var", "wait",
	}
}

// checker finds what is wrong with the form of an expression, and its references.
type checker struct {
	file    string
	refs    []Ref
	diags   diag.List
	depth   int
	nodes   int
	tooDeep bool
	dynamic map[hcl.Range]bool // roots that were already reported
	scopes  []map[string]struct{}
}

func (c *checker) check(root hclsyntax.Expression) {
	c.dynamic = map[hcl.Range]bool{}
	_ = hclsyntax.Walk(root, c) // the walker itself returns no diagnostics
}

// Enter implements hclsyntax.Walker.
func (c *checker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	c.nodes += weight(n)
	if c.depth++; c.depth > LimitDepth && !c.tooDeep {
		c.tooDeep = true
		c.add(n.Range(), CodeTooComplex, "expression is nested too deeply",
			fmt.Sprintf("Expressions nest %d levels at most.", LimitDepth), "move parts of it into locals")
	}
	switch e := n.(type) {
	case hclsyntax.ChildScope:
		c.scopes = append(c.scopes, e.LocalNames)
	case *hclsyntax.ForExpr:
		if len(c.scopes) >= LimitForDepth && !c.tooDeep {
			c.tooDeep = true
			c.add(e.SrcRange, CodeTooComplex, "for expressions are nested too deeply",
				fmt.Sprintf("A for expression may stand inside %d other at most.", LimitForDepth-1),
				"move the inner one into a local")
		}
	case *hclsyntax.IndexExpr:
		c.index(e)
	case *hclsyntax.SplatExpr:
		c.splat(e)
	case *hclsyntax.FunctionCallExpr:
		c.function(e)
	case *hclsyntax.LiteralValueExpr:
		if !numberInLimits(e.Val) {
			c.add(e.SrcRange, CodeTooComplex, "number is too large",
				fmt.Sprintf("Numbers have %d bits before and after the point at most.", LimitNumberBits), "")
		}
	case *hclsyntax.ScopeTraversalExpr:
		c.traversal(e.Traversal)
	}
	return nil
}

// Exit implements hclsyntax.Walker.
func (c *checker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	c.depth--
	if _, ok := n.(hclsyntax.ChildScope); ok {
		c.scopes = c.scopes[:len(c.scopes)-1]
	}
	return nil
}

func (c *checker) add(r hcl.Range, code, summary, detail, hint string) {
	c.diags = append(c.diags, diag.Diagnostic{
		Severity: diag.Error, Code: code, Summary: summary, Detail: detail, Hint: hint, Range: rangeOf(r, c.file),
	})
}

// bound reports whether a for expression around this place has introduced the name.
func (c *checker) bound(name string) bool {
	return slices.ContainsFunc(c.scopes, func(s map[string]struct{}) bool { _, ok := s[name]; return ok })
}

// index reports step[var.k]: without a static name, what it waits for would be invisible.
func (c *checker) index(e *hclsyntax.IndexExpr) {
	if root, ok := c.bareRoot(e.Collection); ok {
		c.dynamic[e.Collection.Range()] = true
		c.add(e.SrcRange, CodeDynamicName, fmt.Sprintf("name of the %s is not static", root),
			"What an item waits for must be known before anything runs, so names in references cannot be computed.",
			fmt.Sprintf("write %s.NAME, or choose between two of them: COND ? %s.a : %s.b", root, root, root))
	}
}

func (c *checker) splat(e *hclsyntax.SplatExpr) {
	if root, ok := c.bareRoot(e.Source); ok {
		c.dynamic[e.Source.Range()] = true
		c.add(e.SrcRange, CodeDynamicName, fmt.Sprintf("%s[*] names none in particular", root),
			"What an item waits for must be known before anything runs, so references name what they mean.",
			fmt.Sprintf("name them: [%s.a.ATTRIBUTE, %s.b.ATTRIBUTE]", root, root))
	}
}

// bareRoot reports whether the expression is a root alone that must be followed by a name.
func (c *checker) bareRoot(e hclsyntax.Expression) (string, bool) {
	st, ok := e.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(st.Traversal) != 1 {
		return "", false
	}
	name := st.Traversal.RootName()
	_, needsName := isRoot(name)
	return name, needsName && !c.bound(name)
}

func (c *checker) function(e *hclsyntax.FunctionCallExpr) {
	if isFunction(e.Name) {
		return
	}
	p := unknownFunction(e.Name)
	c.add(e.NameRange, p.code, p.summary, p.detail, p.hint)
}

func (c *checker) traversal(t hcl.Traversal) {
	root := t.RootName()
	if c.bound(root) {
		return
	}
	known, needsName := isRoot(root)
	r := t.SourceRange()
	if !known {
		p := unknownRoot(t)
		c.add(t[0].SourceRange(), p.code, p.summary, p.detail, p.hint)
		return
	}
	ref := Ref{Root: root, Range: rangeOf(r, c.file), NameRange: rangeOf(t[0].SourceRange(), c.file)}
	steps := t[1:]
	if needsName {
		if len(steps) == 0 {
			if !c.dynamic[r] {
				c.add(r, CodeBareRoot, fmt.Sprintf("%s alone means nothing", root),
					fmt.Sprintf("A reference to a %s says which one.", root), fmt.Sprintf("write %s.NAME", root))
			}
			return
		}
		name, ok := staticStep(steps[0])
		if !ok {
			c.add(r, CodeDynamicName, fmt.Sprintf("name of the %s is not a name", root), "",
				fmt.Sprintf("write %s.NAME or %s[\"NAME\"]", root, root))
			return
		}
		ref.Name, ref.NameRange = name, rangeOf(steps[0].SourceRange(), c.file)
		steps = steps[1:]
	}
	for _, s := range steps {
		name, ok := staticStep(s)
		if !ok {
			break
		}
		ref.Path = append(ref.Path, name)
	}
	c.refs = append(c.refs, ref)
}

// staticStep is the name in .x, ["x"] or [0].
func staticStep(t hcl.Traverser) (string, bool) {
	switch s := t.(type) {
	case hcl.TraverseAttr:
		return s.Name, true
	case hcl.TraverseIndex:
		switch {
		case s.Key.IsNull() || !s.Key.IsKnown():
			return "", false
		case s.Key.Type() == cty.String:
			return s.Key.AsString(), s.Key.AsString() != ""
		case s.Key.Type() == cty.Number:
			return s.Key.AsBigFloat().Text('f', -1), true
		}
	}
	return "", false
}

// AsRef reports whether the expression is nothing but one reference, and which.
func (e *Expr) AsRef() (Ref, bool) {
	if e == nil || len(e.refs) != 1 {
		return Ref{}, false
	}
	if _, ok := unwrap(e.src).(*hclsyntax.ScopeTraversalExpr); !ok {
		return Ref{}, false
	}
	return e.refs[0], true
}

// RefList takes the expression as a written list of references, such as after = [step.a, check.b]. ok is false when it
// is anything else; nothing is evaluated.
func (e *Expr) RefList() (refs []Ref, ok bool) {
	if e == nil {
		return nil, false
	}
	tuple, ok := unwrap(e.src).(*hclsyntax.TupleConsExpr)
	if !ok || len(tuple.Exprs) != len(e.refs) {
		return nil, false
	}
	for _, x := range tuple.Exprs {
		if _, ok := unwrap(x).(*hclsyntax.ScopeTraversalExpr); !ok {
			return nil, false
		}
	}
	return e.refs, true
}

// Keyword is the expression's only word, such as continue in on_failure = continue, or "".
func (e *Expr) Keyword() string {
	if e == nil {
		return ""
	}
	return hcl.ExprAsKeyword(e.src)
}

// unwrap removes parentheses.
func unwrap(e hcl.Expression) hcl.Expression {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return e
		}
		e = p.Expression
	}
}

// Comparison is a reference that is compared with a literal string by == or !=.
type Comparison struct {
	Ref     Ref
	Literal string
	Range   diag.Range // of the literal
}

// Comparisons are the comparisons of one reference with one literal string, such as decision.x.choice == "wait", so that
// a choice that does not exist is found before anything runs.
func (e *Expr) Comparisons() []Comparison {
	if e == nil {
		return nil
	}
	root, ok := e.src.(hclsyntax.Expression)
	if !ok {
		return nil
	}
	var out []Comparison
	_ = hclsyntax.VisitAll(root, func(n hclsyntax.Node) hcl.Diagnostics {
		op, ok := n.(*hclsyntax.BinaryOpExpr)
		if !ok || op.Op != hclsyntax.OpEqual && op.Op != hclsyntax.OpNotEqual {
			return nil
		}
		for _, sides := range [][2]hclsyntax.Expression{{op.LHS, op.RHS}, {op.RHS, op.LHS}} {
			if c, ok := e.comparison(sides[0], sides[1]); ok {
				out = append(out, c)
			}
		}
		return nil
	})
	return out
}

func (e *Expr) comparison(name, literal hclsyntax.Expression) (Comparison, bool) {
	st, ok := unwrap(name).(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return Comparison{}, false
	}
	text, ok := literalString(literal)
	if !ok {
		return Comparison{}, false
	}
	at := rangeOf(st.Traversal.SourceRange(), e.rng.File)
	for _, r := range e.refs {
		if r.Range == at {
			return Comparison{Ref: r, Literal: text, Range: rangeOf(literal.Range(), e.rng.File)}, true
		}
	}
	return Comparison{}, false
}

// literalString is the text of a quoted string without interpolation.
func literalString(e hcl.Expression) (string, bool) {
	t, ok := unwrap(e).(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return "", false
	}
	v, ds := t.Value(nil)
	if ds.HasErrors() || v.Type() != cty.String || !v.IsKnown() || v.IsNull() {
		return "", false
	}
	return v.AsString(), true
}

// Call is the name of the function that the expression is a call of, or "".
func (e *Expr) Call() string {
	if e == nil {
		return ""
	}
	if c, ok := unwrap(e.src).(*hclsyntax.FunctionCallExpr); ok {
		return c.Name
	}
	return ""
}

// Branches are the two results of a conditional, as expressions; none for anything else.
func (e *Expr) Branches() []*Expr {
	if e == nil {
		return nil
	}
	c, ok := unwrap(e.src).(*hclsyntax.ConditionalExpr)
	if !ok {
		return nil
	}
	out := []*Expr{e.piece(c.TrueResult), e.piece(c.FalseResult)}
	out[0].rng, out[1].rng = rangeOf(c.TrueResult.Range(), e.rng.File), rangeOf(c.FalseResult.Range(), e.rng.File)
	return out
}
