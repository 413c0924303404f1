package scope

import (
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Variables completes what was given to a runbook: defaults fill in, values become the declared types (hosts by their
// names), validations are judged, and what nobody declared is an error. place says where the given values come from, for
// the diagnostics about them; it may be zero.
func Variables(in Inputs, given map[string]expr.Value, place diag.Range) (map[string]expr.Value, diag.List) {
	c := completer{in: in, place: place, out: make(map[string]expr.Value, len(in.Runbook.Variables))}
	c.undeclared(given)
	for _, v := range in.Runbook.Variables {
		c.one(v, given[v.Name])
	}
	if c.ds.HasErrors() {
		return nil, c.ds.Sorted()
	}
	for _, v := range in.Runbook.Variables {
		c.judge(v)
	}
	return c.out, c.ds.Sorted()
}

// UnknownVariables are the variables of a runbook as unknowns of their types: all that is known of them before a run.
func UnknownVariables(r *runbooks.Runbook) map[string]expr.Value {
	out := make(map[string]expr.Value, len(r.Variables))
	for _, v := range r.Variables {
		value := expr.Unknown(v.Type)
		if v.Sensitive {
			value = value.AsSensitive()
		}
		out[v.Name] = value
	}
	return out
}

type completer struct {
	in    Inputs
	place diag.Range
	out   map[string]expr.Value
	ds    diag.List
}

func (c *completer) fail(at diag.Range, hint, format string, args ...any) {
	if at.Zero() {
		at = c.place
	}
	c.ds = append(c.ds, diag.Diagnostic{
		Severity: diag.Error, Code: CodeVariable, Summary: fmt.Sprintf(format, args...), Hint: hint, Range: at,
		Context: fmt.Sprintf("runbook %q", c.in.Runbook.Name),
	})
}

func (c *completer) undeclared(given map[string]expr.Value) {
	var declared []string
	for _, v := range c.in.Runbook.Variables {
		declared = append(declared, v.Name)
	}
	for name := range given {
		if slices.Contains(declared, name) {
			continue
		}
		hint := "it declares none"
		if s := diag.Suggest(name, declared); s != "" {
			hint = fmt.Sprintf("did you mean %s?", s)
		} else if len(declared) > 0 {
			hint = fmt.Sprintf("it declares %s", joined(declared))
		}
		c.fail(c.place, hint, "the runbook has no variable %s", name)
	}
}

func (c *completer) one(v *runbooks.Variable, value expr.Value) {
	at := c.place
	if value.Absent() {
		if v.Default == nil {
			c.fail(v.Range, fmt.Sprintf("give it: --var %s=…", v.Name), "variable %s has no value", v.Name)
			return
		}
		at = v.Default.Range()
		s, ds := Base(Inputs{Project: c.in.Project})
		if c.ds = append(c.ds, ds...); ds.HasErrors() {
			return
		}
		if value, ds = v.Default.Eval(s); ds.HasErrors() {
			c.ds = append(c.ds, ds...)
			return
		}
	}
	got, err := convertVariable(c.in.Project, v, value)
	if err != nil {
		c.fail(at, "", "variable %s: %s", v.Name, err)
		return
	}
	c.out[v.Name] = got
}

// judge evaluates the validations of a variable, which may refer to the other variables too.
func (c *completer) judge(v *runbooks.Variable) {
	if len(v.Validations) == 0 {
		return
	}
	in := c.in
	in.Variables = c.out
	s, ds := Base(in)
	if ds.HasErrors() {
		c.ds = append(c.ds, ds...)
		return
	}
	for _, val := range v.Validations {
		holds, state, ds := val.Condition.EvalBool(s)
		c.ds = append(c.ds, ds...)
		if state != expr.Ready || holds {
			continue
		}
		message, _, ds := val.Message.EvalText(s, "message")
		if c.ds = append(c.ds, ds...); message == "" {
			message = "the condition does not hold"
		}
		value := c.out[v.Name].String()
		c.fail(val.Condition.Range(), "", "variable %s is %s: %s", v.Name, value, message)
	}
}

// convertVariable makes a value fit the declaration: its type, with hosts given by name, and its sensitivity.
func convertVariable(p *runbooks.Project, v *runbooks.Variable, value expr.Value) (expr.Value, error) {
	if value.IsNull() {
		return expr.Value{}, fmt.Errorf("%s is wanted, not null", v.Type)
	}
	got, err := hostsByName(p, v.Type, value)
	if err == nil && !v.Type.IsAny() {
		if hidesMistake(got, v.Type) {
			return expr.Value{}, fmt.Errorf("%s is wanted, not %s", v.Type, got.Type())
		}
		got, err = got.ConvertTo(v.Type)
	}
	if err != nil {
		return expr.Value{}, err
	}
	if v.Sensitive && !got.IsSensitive() {
		got = got.AsSensitive()
	}
	return got, nil
}

// hidesMistake is true for a number or a truth where the other is wanted; texts convert, because that is what comes from
// a command line.
func hidesMistake(v expr.Value, t expr.Type) bool {
	from := v.Type()
	return from.Equal(expr.NumberType()) && t.Equal(expr.BoolType()) || from.Equal(expr.BoolType()) && t.Equal(expr.NumberType())
}

// hostsByName replaces names by hosts where the type wants hosts.
func hostsByName(p *runbooks.Project, t expr.Type, v expr.Value) (expr.Value, error) {
	if !v.Known() || v.IsSensitive() || !t.IsHost() && !t.IsHostList() {
		return v, nil
	}
	if t.IsHost() {
		return hostByName(p, v)
	}
	elements, err := v.Elements()
	if err != nil {
		return expr.Value{}, fmt.Errorf("a list of names of hosts is wanted, not %s", v.Type())
	}
	out := make([]expr.Value, len(elements))
	for i, e := range elements {
		if out[i], err = hostByName(p, e.Value); err != nil {
			return expr.Value{}, err
		}
	}
	return expr.ListOf(expr.HostType(), out...), nil
}

func hostByName(p *runbooks.Project, v expr.Value) (expr.Value, error) {
	if v.Type().IsHost() {
		return v, nil
	}
	if !v.IsText() {
		return expr.Value{}, fmt.Errorf("the name of a host is wanted, not %s", v.Type())
	}
	name, err := v.Text()
	if err != nil {
		return expr.Value{}, err
	}
	if name == runbooks.ControlName {
		return HostValue(Control()), nil
	}
	if h := p.Host(name); h != nil {
		return HostValue(h), nil
	}
	return expr.Value{}, unknownHost(name, index(p))
}

func joined(names []string) string {
	out := ""
	for i, n := range names {
		if i == 8 {
			return fmt.Sprintf("%s and %d more", out, len(names)-i)
		}
		if i > 0 {
			out += ", "
		}
		out += n
	}
	return out
}
