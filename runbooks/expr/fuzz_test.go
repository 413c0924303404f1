package expr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`1 + 2 * 3`, `"${var.s}-${var.n}"`, `check.later.exit_code == 0 ? host.db-b1 : self`, `[for h in inventory : h.name if h.site == "b"]`,
		`{for k, v in self.labels : k => upper(v)...}`, `inventory[*].name`, `try(check.away.stdout, var.pw)`, `"%{ for x in var.list ~}${x}%{ endfor }"`,
		`"x${1e30000000}"`, `var.pw == var.later && !var.b`, `<<-EOT` + "\n  ${var.s}\n  EOT\n", `step["odd.name"].lag`, `[[[[1]]]]`, `-(-1)`,
		`jsondecode("{\"a\": [1, {}]}").a[1]`, `merge(var, { (var.s) = 1 })`, `sole([for x in var.list : x if x > 1])`, `null`, `format("%s", null)`,
	} {
		f.Add(s)
	}
	for _, cases := range known() {
		for _, c := range cases {
			f.Add(c[0])
		}
	}
	for _, name := range []string{"exponent", "exponent in a text", "power", "number from JSON", "format converts", "format width", "setproduct"} {
		f.Add(hostile()[name]) // those that are refused at once
	}
}

// check is what holds for every text: nothing panics, whatever is refused has a code and a place inside the text, no
// secret is shown, and the normal text means the same as the text.
func check(t *testing.T, text string) {
	t.Helper()
	e, ds := expr.Parse(text, "x.hcl")
	wellFormed(t, text, ds)
	if e == nil {
		require.True(t, ds.HasErrors())
		return
	}
	v, eds := e.Eval(testScope())
	wellFormed(t, text, eds)
	require.Equal(t, eds.HasErrors(), v.Absent())
	if ds.HasErrors() {
		return
	}
	for _, r := range e.Refs() {
		require.NotEmpty(t, r.Root)
		require.NotEmpty(t, r.String())
	}
	e.Comparisons()
	e.RefList()
	e.ParseType()
	if v.Absent() {
		return
	}
	if !strings.Contains(text, "hunter2") && !v.IsSensitive() && v.Known() {
		require.NotContains(t, v.String(), "hunter2")
	}
	v.Len()
	require.NotEmpty(t, v.Type().String())
	if _, err := v.Elements(); err == nil {
		require.True(t, v.IsSequence() || v.IsMapping())
	}
	sameNormal(t, e, v)
}

func wellFormed(t *testing.T, text string, ds diag.List) {
	t.Helper()
	for _, d := range ds {
		require.NotEqual(t, expr.CodeDefect, d.Code, "%q: %v", text, d)
		require.Regexp(t, `^CON-(E[0-9]{3}|S001|R019)$`, d.Code)
		require.NotEmpty(t, d.Summary)
		require.GreaterOrEqual(t, d.Range.Start.Byte, 0)
		require.LessOrEqual(t, d.Range.End.Byte, len(text)+1)
		require.LessOrEqual(t, d.Range.Start.Byte, d.Range.End.Byte)
		if !strings.Contains(text, "hunter2") {
			require.NotContains(t, d.Summary+d.Detail+d.Hint, "hunter2", text)
		}
		require.NotContains(t, d.Detail, "panic")
		require.NotContains(t, d.Detail, "goroutine")
	}
}

// sameNormal evaluates the normal text. A text of heredocs has its line breaks where a list would not allow them.
func sameNormal(t *testing.T, e *expr.Expr, v expr.Value) {
	t.Helper()
	if strings.Contains(e.Text(), "<<") {
		return
	}
	again, ds := expr.Parse(e.Text(), "x.hcl")
	require.Empty(t, ds, "normal text %q", e.Text())
	require.Equal(t, e.Text(), again.Text())
	w, ds := again.Eval(testScope())
	require.Empty(t, ds)
	require.Equal(t, v.String(), w.String())
}

func FuzzEval(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 10_000 {
			check(t, text)
		}
	})
}

// FuzzFunctions calls a function with texts, lists and numbers made of the input.
func FuzzFunctions(f *testing.F) {
	names := expr.FunctionNames()
	for i := range names {
		f.Add(i, "a", "b", 1.5, uint8(i))
	}
	f.Add(3, "a: &a [*a]", "%", 1e300, uint8(7))
	f.Fuzz(func(t *testing.T, which int, a, b string, n float64, shape uint8) {
		if len(a)+len(b) > 10_000 || n != n || n > 1e308 || n < -1e308 {
			return
		}
		name := names[int(uint(which)%uint(len(names)))]
		values := map[string]expr.Value{
			"a": expr.String(a), "b": expr.String(b), "n": expr.Number(n),
			"l": expr.ListOf(expr.StringType(), expr.String(a), expr.String(b)), "t": expr.Tuple(expr.String(a), expr.Number(n)),
			"m": expr.Object(map[string]expr.Value{"x": expr.String(b)}), "u": expr.Unknown(expr.StringType()),
			"s": expr.String("hunter2" + a).AsSensitive(), "d": expr.Unknown(expr.AnyType()), "z": expr.Bool(true),
		}
		words := []string{"var.a", "var.b", "var.n", "var.l", "var.t", "var.m", "var.u", "var.s", "var.d", "var.z", "null"}
		var args []string
		for i := range int(shape)%3 + 1 {
			args = append(args, words[(int(shape)/3+i*7)%len(words)])
		}
		e, ds := expr.Parse(name+"("+strings.Join(args, ", ")+")", "x.hcl")
		require.Empty(t, ds)
		v, ds := e.Eval(expr.NewScope(files{a: b}).With(map[string]expr.Value{"var": expr.Object(values)}))
		for _, d := range ds {
			require.NotEqual(t, expr.CodeDefect, d.Code, "%s: %v", e.Text(), d)
			require.NotContains(t, d.Detail, "panic", e.Text())
			require.NotContains(t, d.Summary+d.Detail, "hunter2", e.Text())
		}
		if !v.Absent() && !v.IsSensitive() {
			require.NotContains(t, v.String(), "hunter2", e.Text())
		}
	})
}
