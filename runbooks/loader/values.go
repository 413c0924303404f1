package loader

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// Given is a value that somebody gives to a variable: text from the command line or the environment, or an expression
// from a variable file. Later ones override earlier ones of the same name.
type Given struct {
	Name string
	Text string
	Expr *expr.Expr // from a file; nil: Text holds
	// Range is its place; File alone names the source, such as "--var".
	Range diag.Range
}

// ParseVar reads NAME=VALUE as given on the command line.
func ParseVar(s string) (Given, error) {
	name, text, ok := strings.Cut(s, "=")
	if !ok || strings.TrimSpace(name) == "" {
		return Given{}, fmt.Errorf("variable %q: NAME=VALUE wanted", s)
	}
	return Given{Name: strings.TrimSpace(name), Text: text, Range: diag.Range{File: "--var"}}, nil
}

// ReadVarFile reads a file of lines NAME = VALUE in the syntax of the language. Values are constants: no references.
func ReadVarFile(name string, src []byte) ([]Given, diag.List) {
	if ds := guard(name, src, DefaultLimits()); len(ds) > 0 {
		return nil, ds
	}
	l := &loader{parsed: map[string][]byte{name: src}, exprs: map[*hclsyntax.Attribute]*expr.Expr{}}
	if trimmed := bytes.TrimSpace(src); len(trimmed) > 0 && trimmed[0] == '{' {
		return l.jsonVars(name, src)
	}
	body, ok := l.parse(name, src)
	if !ok || body == nil {
		return nil, l.diags.Sorted()
	}
	for _, b := range body.Blocks {
		l.report("CON-S010", b.TypeRange, "a variable file has no blocks").Hint = "it holds lines NAME = VALUE"
	}
	var out []Given
	for _, a := range sortedAttrs(body.Attributes) {
		e := l.expr(a)
		if refs := e.Refs(); len(refs) > 0 {
			l.reportAt("CON-S021", refs[0].Range, "the value of %s must be a constant, and %s is not", a.Name, refs[0]).Hint = "write the value itself"
			continue
		}
		out = append(out, Given{Name: a.Name, Expr: e, Range: place(a.NameRange)})
	}
	return out, l.diags.Sorted()
}

// jsonVars reads a JSON object, which is an expression of the language too.
func (l *loader) jsonVars(name string, src []byte) ([]Given, diag.List) {
	e, ds := hclsyntax.ParseExpression(src, name, hcl.InitialPos)
	obj, ok := e.(*hclsyntax.ObjectConsExpr)
	if ds.HasErrors() || !ok {
		l.report("CON-S001", startOf(name), "the file is no JSON object").Hint = `write { "NAME": VALUE } or lines NAME = VALUE`
		return nil, l.diags
	}
	var out []Given
	for _, kv := range obj.Items {
		key, ok := mapKey(kv.KeyExpr)
		if !ok {
			l.report("CON-S001", kv.KeyExpr.Range(), "a name in quotes is expected here").Hint = `write { "NAME": VALUE }`
			continue
		}
		if x := l.newExpr(kv.ValueExpr); len(x.Refs()) == 0 {
			out = append(out, Given{Name: key, Expr: x, Range: place(kv.KeyExpr.Range())})
			continue
		}
		l.report("CON-S021", kv.ValueExpr.Range(), "the value of %s must be a constant", key).Hint = "write the value itself; ${ in a text is written $${"
	}
	return out, l.diags.Sorted()
}

// Values gives every variable of the runbook its value: what was given, else its default. What is undeclared, missing, of
// the wrong type or refused by a validation is an error. Sensitive variables give sensitive values, and no message shows
// what was given for them. With errors the map is nil.
func Values(p *runbooks.Project, rb *runbooks.Runbook, given []Given) (map[string]expr.Value, diag.List) {
	v := values{rb: rb, out: map[string]expr.Value{}, scope: expr.NewScope(nil)}
	last := map[string]Given{}
	for _, g := range given {
		if v.variable(g.Name) == nil {
			v.undeclared(g)
			continue
		}
		last[g.Name] = g
	}
	var place diag.Range
	for _, x := range rb.Variables {
		if g, ok := last[x.Name]; ok {
			v.value(x, g)
			place = g.Range
		}
	}
	if v.diags.HasErrors() {
		return nil, v.diags.Sorted()
	}
	return scope.Variables(scope.Inputs{Project: p, Runbook: rb}, v.out, place)
}

type values struct {
	rb    *runbooks.Runbook
	scope *expr.Scope
	out   map[string]expr.Value
	diags diag.List
}

func (v *values) report(code string, at diag.Range, hint, format string, args ...any) {
	v.diags = append(v.diags, diag.Diagnostic{
		Severity: diag.Error, Code: code, Summary: fmt.Sprintf(format, args...), Hint: hint, Range: at,
		Context: fmt.Sprintf("runbook %q", v.rb.Name),
	})
}

func (v *values) variable(name string) *runbooks.Variable {
	for _, x := range v.rb.Variables {
		if x.Name == name {
			return x
		}
	}
	return nil
}

func (v *values) undeclared(g Given) {
	var all []string
	for _, x := range v.rb.Variables {
		all = append(all, x.Name)
	}
	hint := "it declares none"
	if s := diag.Suggest(g.Name, all); s != "" {
		hint = "did you mean " + s + "?"
	} else if len(all) > 0 {
		hint = "it declares: " + shortList(all)
	}
	v.report("CON-V001", g.Range, hint, "runbook %q has no variable %q", v.rb.Name, g.Name)
}

// value takes one given value, as far as it can be read; whether it fits the declaration is judged with the others.
func (v *values) value(x *runbooks.Variable, g Given) {
	value := v.fromText(x, g)
	if g.Expr != nil {
		var ds diag.List
		value, ds = g.Expr.Eval(v.scope)
		v.diags = append(v.diags, ds...)
	}
	if value.Absent() {
		return
	}
	if !fits(value, x.Type) {
		v.report("CON-V002", g.Range, shapeHint(x), "variable %q is %s, not %s", x.Name, x.Type, value.Type())
		return
	}
	if x.Sensitive {
		value = value.AsSensitive()
	}
	v.out[x.Name] = value
}

// fromText reads what a person typed: text as it is, everything else in the syntax of the language.
func (v *values) fromText(x *runbooks.Variable, g Given) expr.Value {
	if g.Expr != nil {
		return expr.Value{}
	}
	if t := x.Type; t.IsHost() || t.Equal(expr.StringType()) || t.IsAny() {
		return expr.String(g.Text)
	}
	if x.Type.IsHostList() && !strings.HasPrefix(strings.TrimSpace(g.Text), "[") {
		var names []expr.Value
		for name := range strings.SplitSeq(g.Text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, expr.String(name))
			}
		}
		return expr.Tuple(names...)
	}
	e, ds := expr.Parse(g.Text, orElse(g.Range.File, "--var"))
	if ds.HasErrors() || e == nil || len(e.Refs()) > 0 {
		what := fmt.Sprintf("%q is", g.Text)
		if x.Sensitive {
			what = "what was given is"
		}
		v.report("CON-V002", g.Range, shapeHint(x), "variable %q: %s no %s", x.Name, what, x.Type)
		return expr.Value{}
	}
	out, ds := e.Eval(v.scope)
	if ds.HasErrors() {
		v.report("CON-V002", g.Range, shapeHint(x), "variable %q: what was given cannot be read as %s", x.Name, x.Type)
		return expr.Value{}
	}
	return out
}

func shapeHint(x *runbooks.Variable) string {
	switch t := x.Type; {
	case t.Equal(expr.NumberType()):
		return fmt.Sprintf("write %s=30", x.Name)
	case t.Equal(expr.BoolType()):
		return fmt.Sprintf("write %s=true or %s=false", x.Name, x.Name)
	case t.IsSequence():
		return fmt.Sprintf(`write %s='["a", "b"]'`, x.Name)
	}
	return fmt.Sprintf(`write %s='{ key = "value" }'`, x.Name)
}
