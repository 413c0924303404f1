package loader

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

func commandResult() map[string]expr.Type {
	return map[string]expr.Type{
		"exit_code": expr.NumberType(), "stdout": expr.StringType(), "stderr": expr.StringType(),
		"started_at": expr.StringType(), "ended_at": expr.StringType(),
	}
}

// resultTypes are the data of an item's result before its captures.
func resultTypes(i *runbooks.Item) map[string]expr.Type {
	times := map[string]expr.Type{"started_at": expr.StringType(), "ended_at": expr.StringType()}
	switch {
	case i.TCP != nil:
		times["state"] = expr.StringType()
		return times
	case i.HTTP != nil:
		times["status"], times["stdout"] = expr.NumberType(), expr.StringType()
		return times
	case i.Kind == runbooks.Transfer:
		times["sha256"], times["changed"] = expr.StringType(), expr.BoolType()
		return times
	}
	return commandResult()
}

// judge checks captures in order, each seeing the earlier ones, then the expectations.
func (c *checker) judge(data map[string]expr.Type, captures []runbooks.Capture, expects, all []runbooks.Validation, unit *expr.Scope) {
	values := map[string]expr.Value{}
	for name, t := range data {
		values[name] = expr.Unknown(t)
	}
	for _, k := range captures {
		s := unit.With(map[string]expr.Value{"result": expr.Object(values)})
		v := c.want(k.Value, s, wantAnySensitive)
		if !v.Absent() && !v.Type().IsAny() {
			if _, err := v.ConvertTo(k.Type); err != nil {
				c.reportAt("CON-T007", k.Value.Range(), "capture %q is %s, not %s", k.Name, v.Type(), k.Type).Hint =
					fmt.Sprintf("say what it is: type = %s", v.Type())
			}
		}
		values[k.Name] = expr.Unknown(k.Type)
		if k.Sensitive {
			values[k.Name] = values[k.Name].AsSensitive()
		}
	}
	result := expr.Object(values)
	s := unit.With(map[string]expr.Value{"result": result})
	for _, v := range expects {
		c.validation(v, s)
	}
	if len(all) == 0 {
		return
	}
	s = unit.With(map[string]expr.Value{"results": expr.Unknown(expr.MapType(result.Type()))})
	for _, v := range all {
		c.validation(v, s)
	}
}

// choices checks that an item compares decisions with their options only.
func (c *checker) choices(i *runbooks.Item) {
	for _, p := range placed(i) {
		c.compared(p.e)
	}
}

// compared checks the comparisons of an expression with decisions.
func (c *checker) compared(e *expr.Expr) {
	if e == nil {
		return
	}
	for _, cmp := range e.Comparisons() {
		if cmp.Ref.Root != string(runbooks.Decision) || len(cmp.Ref.Path) != 1 || cmp.Ref.Path[0] != "choice" {
			continue
		}
		d := c.items[runbooks.ItemID("decision."+cmp.Ref.Name)]
		if d == nil {
			continue
		}
		c.choice(cmp, d.item.Options)
	}
}

func (c *checker) choice(cmp expr.Comparison, options []string) {
	for _, o := range options {
		if o == cmp.Literal {
			return
		}
	}
	d := c.reportAt("CON-T010", cmp.Range, "%q is no option of decision %q", cmp.Literal, cmp.Ref.Name)
	d.Hint = "its options: " + strings.Join(options, ", ")
	if s := diag.Suggest(cmp.Literal, options); s != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", s)
	}
}
