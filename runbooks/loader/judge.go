package loader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
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

// words checks that an item compares decisions with their options only, and outcomes with outcomes.
func (c *checker) words(i *runbooks.Item) {
	for _, p := range placed(i) {
		c.compared(p.e)
	}
}

// compared checks the comparisons of an expression with what is one of a few words.
func (c *checker) compared(e *expr.Expr) {
	if e == nil {
		return
	}
	for _, cmp := range e.Comparisons() {
		switch {
		case scope.IsOutcome(cmp.Ref):
			c.word(cmp, "outcome", "outcomes are", scope.Outcomes())
		case cmp.Ref.Root == string(runbooks.Decision) && slices.Equal(cmp.Ref.Path, []string{"choice"}):
			if d := c.items[runbooks.ItemID("decision."+cmp.Ref.Name)]; d != nil {
				c.word(cmp, fmt.Sprintf("option of decision %q", cmp.Ref.Name), "its options:", d.item.Options)
			}
		}
	}
}

func (c *checker) word(cmp expr.Comparison, what, list string, words []string) {
	if slices.Contains(words, cmp.Literal) {
		return
	}
	d := c.reportAt("CON-T010", cmp.Range, "%q is no %s", cmp.Literal, what)
	d.Hint = list + " " + strings.Join(words, ", ")
	if s := diag.Suggest(cmp.Literal, words); s != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", s)
	}
}
