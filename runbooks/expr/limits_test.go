package expr_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// hostile are expressions that would take minutes, gigabytes or the process without limits. Each is refused.
func hostile() map[string]string {
	ten := "[1,2,3,4,5,6,7,8,9,10]"
	nest := func(n int) string {
		return strings.Repeat("[for a in "+ten+" : ", n) + "1" + strings.Repeat("]", n)
	}
	big := `join("", [for i in range(1000) : "` + strings.Repeat("x", 1000) + `"])`
	return map[string]string{
		"parentheses":           strings.Repeat("(", 60_000),
		"lists":                 strings.Repeat("[", 60_000),
		"not":                   strings.Repeat("!", 60_000) + "true",
		"minus":                 strings.Repeat("-", 60_000) + "1",
		"templates":             strings.Repeat(`"${`, 20_000),
		"objects":               strings.Repeat("{a=", 20_000),
		"conditionals":          strings.Repeat("true?1:", 9_000) + "1",
		"sum":                   "1" + strings.Repeat("+1", 30_000),
		"attributes":            "var" + strings.Repeat(".a", 30_000),
		"for in for in for":     nest(3),
		"for, seven levels":     nest(7),
		"for, a large product":  `[for a in range(1000) : [for b in range(1000) : b]]`,
		"splat in for":          `[for a in range(1000) : range(1000)[*]]`,
		"exponent":              `"x${1e30000000}"`,
		"exponent in a text":    `"x${"1e30000000" + 0}"`,
		"long":                  strings.Repeat(" ", 1<<20),
		"digits":                strings.Repeat("9", 100_000),
		"product":               `1e300 * 1e300 * 1e300`,
		"negative exponent":     `1e-300 * 1e-300 * 1e-300`,
		"power":                 `pow(1e300, 1e300)`,
		"power of power":        `pow(10, 1000)`,
		"number from JSON":      `jsondecode("1e30000000")`,
		"format converts":       `format("%d", "1e30000000")`,
		"format converts lists": `formatlist("%d", ["1e30000000"])`,
		"format width":          `format("%999999999d", 1)`,
		"format precision":      `format("%.999999999f", 1)`,
		"format many":           `format("` + strings.Repeat("%[1]s", 1000) + `", ` + big + `)`,
		"formatlist many":       `formatlist("%s%s", [for i in range(1000) : ` + "local" + `], "x")`,
		"indent":                `indent(1000, join("", [for i in range(1024) : "\n\n"]))`,
		"replace":               `replace(` + big + `, "x", ` + big + `)`,
		"regexreplace":          `regexreplace(` + big + `, "", ` + big + `)`,
		"regexreplace groups":   `regexreplace(` + big + `, "(.*)", "` + strings.Repeat("$1", 1000) + `")`,
		"regex pattern":         `regex("` + strings.Repeat("a: ", 5000) + `", "x")`,
		"regex repetitions":     `regex("` + strings.Repeat("(x{900})?", 100) + `", ` + big + `)`,
		"regexall matches":      `regexall("", ` + big + `)`,
		"split":                 `split("", ` + big + `)`,
		"csvdecode":             `csvdecode(replace(` + big + `, "x", "\n"))`,
		"jsondecode":            `jsondecode("[${replace(` + big + `, "x", "1,")}1]")`,
		"join separator":        `join(` + big + `, range(1024))`,
		"setproduct":            `setproduct(range(1000), range(1000), range(1000))`,
		"template":              `"` + strings.Repeat(`${join("", [for i in range(1024) : "`+strings.Repeat("y", 900)+`"])}`, 3) + `"`,
		"templates in a loop":   `[for i in range(1000) : "${join("", [for i in range(90) : "` + strings.Repeat("y", 10_000) + `"])}"]`,
		"template loop":         `"%{ for a in range(1000) }%{ for b in range(1000) }x%{ endfor }%{ endfor }"`,
		"escapes":               strings.Repeat("jsonencode(", 40) + `"\"\"\"\"\"\"\"\""` + strings.Repeat(")", 40),
		"aliases":               `yamldecode("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n")`,
		"deep YAML":             `yamldecode("` + strings.Repeat("[", 30_000) + `")`,
		"deep YAML, blocks":     `yamldecode("` + strings.Repeat("- ", 30_000) + `")`,
		"deep JSON":             `jsondecode("` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `")`,
		"inventory":             `ansibleinventory("h[1:99999999]\n")`,
		"inventory of ranges":   `ansibleinventory("h[1:999][1:999][1:999]\n")`,
		"distinct":              `distinct([for i in range(1000) : [for j in range(90) : i * 100 + j]]...)`,
		"values in values":      `[for a in range(1000) : range(1000)]`,
		"values in objects":     `{for a in range(1000) : a => { x = range(1000) }}`,
		"hidden by try":         `try([for a in range(1000) : [for b in range(1000) : b]], "x")`,
		"hidden by can":         `can([for a in range(1000) : [for b in range(1000) : b]])`,
		"try in try":            strings.Repeat("try(", 600) + "1" + strings.Repeat(")", 600),
	}
}

func TestHostileExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	s := testScope().With(map[string]expr.Value{"local": expr.String(strings.Repeat("z", 50_000))})
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, ds := expr.Parse(text, "x.hcl")
			if e != nil && !ds.HasErrors() {
				_, ds = e.Eval(s)
			}
			require.True(t, ds.HasErrors())
			require.NotEqual(t, expr.CodeDefect, ds[0].Code)
			require.Less(t, len(ds), 50)
		})
	}
}

// Limits are far from what people write.
func TestReasonableExpressionsAreNotRefused(t *testing.T) {
	t.Parallel()
	long := "true" + strings.Repeat(" && var.b", 100)
	for _, text := range []string{
		long, `length([for a in range(300) : [for b in range(300) : b]]) == 300`, `strlen(join("", [for i in range(1000) : "` + strings.Repeat("x", 900) + `"])) == 900000`,
		strings.Repeat("(", 50) + "true" + strings.Repeat(")", 50), `pow(2, 1000) > 1e300`, `1e300 * 1e8 > 0`,
		strings.Repeat("try(", 50) + "true" + strings.Repeat(")", 50), `[for h in inventory : h.name if anytrue([for o in inventory : o.site == h.site])] != []`,
		"true" + strings.Repeat(" ? true : false", 20), `!!!true == false`,
	} {
		v, ds := mustParse(t, text).Eval(testScope())
		require.Empty(t, ds, text)
		ok, err := v.Truth()
		require.NoError(t, err)
		require.True(t, ok, text)
	}
}

// Lists that hold one another take little memory and endless time to go through.
func TestSharedValuesAreBounded(t *testing.T) {
	t.Parallel()
	s := testScope().With(map[string]expr.Value{"local": expr.Object(map[string]expr.Value{"l": expr.Int(1)})})
	e := mustParse(t, "["+strings.Repeat("local.l, ", 8)+"]")
	for range 5 {
		v, ds := e.Eval(s)
		require.Empty(t, ds)
		s = s.With(map[string]expr.Value{"local": expr.Object(map[string]expr.Value{"l": v})})
	}
	_, ds := e.Eval(s)
	require.Len(t, ds, 1)
	require.Equal(t, "value is too large", ds[0].Summary)
}

func TestMeterBoundsManyEvaluations(t *testing.T) {
	t.Parallel()
	e := mustParse(t, `[for a in range(100) : a + 1]`)
	one := expr.NewMeter(1<<40, 1<<40)
	_, ds := e.Eval(testScope().WithMeter(one))
	require.Empty(t, ds)
	cost, _ := one.Spent()
	meter := expr.NewMeter(2*cost+cost/2, 1<<20)
	s := testScope().WithMeter(meter)
	for range 2 {
		_, ds := e.Eval(s)
		require.Empty(t, ds)
	}
	_, ds = e.Eval(s)
	require.Len(t, ds, 1)
	require.Equal(t, expr.CodeTooMuch, ds[0].Code)
	require.Equal(t, "the project computes too much before anything runs", ds[0].Summary)
	require.NotEmpty(t, ds[0].Hint)
	_, ds = mustParse(t, `1 + 1`).Eval(s)
	require.NotEmpty(t, ds, "once it is exceeded, nothing more is computed")
	steps, bytes := meter.Spent()
	require.Greater(t, steps, 2*cost)
	require.Positive(t, bytes)
	require.Same(t, s, s.WithMeter(nil))
}

func TestMeterBoundsWhatManyEvaluationsKeep(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"text":     `"${local.t}x"`,
		"lists":    `[for a in range(1000) : [for b in range(50) : b]]`,
		"function": `setproduct(range(100), range(100))`,
	} {
		s := testScope().With(map[string]expr.Value{"local": expr.Object(map[string]expr.Value{"t": expr.String(strings.Repeat("z", 1_000_000))})}).WithMeter(expr.NewMeter(1<<40, 16<<20))
		e := mustParse(t, text)
		codes := map[string]bool{}
		for range 20 {
			_, ds := e.Eval(s)
			for _, d := range ds {
				codes[d.Code] = true
				require.Contains(t, d.Summary, "too much text and data", name)
			}
		}
		require.True(t, codes[expr.CodeTooMuch], name)
	}
}

// What one evaluation may do is bounded without a meter, too: at run time.
func TestStepsOfOneEvaluation(t *testing.T) {
	t.Parallel()
	s := testScope().With(map[string]expr.Value{"local": expr.Object(map[string]expr.Value{"t": expr.String(strings.Repeat("word ", 100_000))})})
	for _, text := range []string{
		`[for a in range(1000) : strlen(local.t)]`,
		`[for a in range(1000) : length(regexall("[a-z]+", local.t))]`,
		`[for a in range(1000) : can(regex("(a{90}){9}b", local.t))]`,
		`[for a in range(1000) : [for b in range(90) : ` + strings.Repeat("a + b * a - b + ", 40) + `1]]`,
	} {
		_, ds := mustParse(t, text).Eval(s)
		require.NotEmpty(t, ds, text)
		for _, d := range ds {
			require.Equal(t, expr.CodeTooComplex, d.Code, text)
		}
	}
}

func TestNestedTryIsLinear(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("try(", 50) + "tonumber(\"x\")" + strings.Repeat(", 1)", 50)
	v, ds := mustParse(t, text).Eval(testScope())
	require.Empty(t, ds)
	require.Equal(t, "1", v.String())
}

func TestMemoryStaysBounded(t *testing.T) { //nolint:paralleltest // it measures
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	text := `[for i in range(1000) : "${join("", [for j in range(1000) : "` + strings.Repeat("y", 1000) + `"])}"]`
	_, ds := mustParse(t, text).Eval(testScope())
	require.True(t, ds.HasErrors())
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(512<<20))
}

func TestEvaluationIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	e := mustParse(t, `"${join(",", inventory[*].name)} ${try(check.away.stdout, check.done.stdout)} ${[for h in inventory : h.site][0]}"`)
	s := testScope()
	errs := make(chan error, 16)
	for range 16 {
		go func() {
			for range 50 {
				v, ds := e.Eval(s)
				if len(ds) > 0 || v.String() != "db-b1,web1.example.org 42|x b" {
					errs <- fmt.Errorf("%v %v", v, ds)
					return
				}
			}
			errs <- nil
		}()
	}
	for range 16 {
		require.NoError(t, <-errs)
	}
}
