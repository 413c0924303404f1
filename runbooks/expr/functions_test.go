package expr_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// known is for each function what it gives for known arguments.
func known() map[string][][2]string {
	return map[string][][2]string{
		"abs":              {{`abs(-3)`, "3"}},
		"alltrue":          {{`alltrue([true, true])`, "true"}, {`alltrue([true, false])`, "false"}, {`alltrue([])`, "true"}},
		"ansibleinventory": {{`[for h in ansibleinventory("[web]\nw[1:2] ansible_host=10.0.0.1\n") : "${h.name} ${h.address} ${h.groups[0]}"]`, `["w1 10.0.0.1 web","w2 10.0.0.1 web"]`}, {`length(ansibleinventory(""))`, "0"}},
		"anytrue":          {{`anytrue([false, true])`, "true"}, {`anytrue([])`, "false"}},
		"base64decode":     {{`base64decode("aGk=")`, "hi"}},
		"base64encode":     {{`base64encode("hi")`, "aGk="}},
		"can":              {{`can(tonumber("x"))`, "false"}, {`can(1)`, "true"}},
		"ceil":             {{`ceil(1.2)`, "2"}},
		"chomp":            {{`chomp("a\n\n")`, "a"}},
		"chunklist":        {{`chunklist([1, 2, 3], 2)`, "[[1,2],[3]]"}},
		"coalesce":         {{`coalesce(null, "a")`, "a"}},
		"coalescelist":     {{`coalescelist([], [1])`, "[1]"}},
		"compact":          {{`compact(["a", "", "b"])`, `["a","b"]`}},
		"concat":           {{`concat([1], ["a"])`, `[1,"a"]`}},
		"contains":         {{`contains(["a"], "a")`, "true"}, {`contains(["a"], "b")`, "false"}},
		"csvdecode":        {{`csvdecode("a,b\n1,2\n")[0].b`, "2"}},
		"distinct":         {{`distinct(["a", "b", "a"])`, `["a","b"]`}},
		"duration":         {{`duration("1h30m")`, "5400"}, {`duration("500ms")`, "0.5"}, {`duration("-2s")`, "-2"}},
		"element":          {{`element(["a", "b"], 3)`, "b"}},
		"endswith":         {{`endswith("abc", "bc")`, "true"}, {`endswith("abc", "ab")`, "false"}},
		"file":             {{`file("a.txt")`, "hello\n"}},
		"flatten":          {{`flatten([[1], [[2]], []])`, "[1,2]"}},
		"floor":            {{`floor(-1.2)`, "-2"}},
		"format":           {{`format("%03d|%s|%.1f|%q", 7, "a", 1.25, "b")`, `007|a|1.2|"b"`}, {`format("in 20000 lines %s", "a")`, "in 20000 lines a"}},
		"formatdate":       {{`formatdate("YYYY-MM-DD", "2026-01-02T03:04:05Z")`, "2026-01-02"}},
		"formatlist":       {{`formatlist("%s!", ["a", "b"])`, `["a!","b!"]`}},
		"fromunix":         {{`fromunix(0)`, "1970-01-01T00:00:00Z"}, {`fromunix(1.5)`, "1970-01-01T00:00:01.5Z"}, {`fromunix(-1)`, "1969-12-31T23:59:59Z"}},
		"indent":           {{`indent(2, "a\nb")`, "a\n  b"}},
		"index":            {{`index(["a", "b"], "b")`, "1"}},
		"join":             {{`join("-", ["a", "b"], ["c"])`, "a-b-c"}},
		"jsondecode":       {{`jsondecode("{\"a\": [1, null]}").a[0]`, "1"}},
		"jsonencode":       {{`jsonencode({ b = 1, a = "x" })`, `{"a":"x","b":1}`}},
		"keys":             {{`keys({ b = 1, a = 2 })`, `["a","b"]`}},
		"length":           {{`length("añb")`, "3"}, {`length([1])`, "1"}, {`length({ a = 1 })`, "1"}},
		"log":              {{`log(8, 2)`, "3"}},
		"lookup":           {{`lookup({ a = "1" }, "b", "none")`, "none"}},
		"lower":            {{`lower("ÀB")`, "àb"}},
		"max":              {{`max(1, 3, 2)`, "3"}},
		"merge":            {{`merge({ a = 1 }, { a = 2, b = 3 })`, `{"a":2,"b":3}`}},
		"min":              {{`min(1, 3, 2)`, "1"}},
		"parseint":         {{`parseint("ff", 16)`, "255"}},
		"pow":              {{`pow(2, 10)`, "1024"}},
		"range":            {{`range(3)`, "[0,1,2]"}},
		"regex":            {{`regex("[0-9]+", "a12b")`, "12"}},
		"regexall":         {{`regexall("[a-z]", "a1b")`, `["a","b"]`}},
		"regexreplace":     {{`regexreplace("a1b2", "[0-9]", "-")`, "a-b-"}},
		"replace":          {{`replace("aXbX", "X", "")`, "ab"}},
		"reverse":          {{`reverse([1, 2])`, "[2,1]"}},
		"setintersection":  {{`setintersection(["a", "b"], ["b"])`, `["b"]`}},
		"setproduct":       {{`setproduct(["a"], ["x", "y"])`, `[["a","x"],["a","y"]]`}},
		"setsubtract":      {{`setsubtract(["a", "b"], ["b"])`, `["a"]`}},
		"setunion":         {{`setunion(["a"], ["b"])`, `["a","b"]`}},
		"sha256":           {{`sha256("")`, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
		"shellquote":       {{`shellquote("it's")`, `'it'\''s'`}, {`shellquote(["a b", "$x"])`, `'a b' '$x'`}, {`shellquote(7)`, `'7'`}, {`shellquote("")`, `''`}},
		"signum":           {{`signum(-3)`, "-1"}},
		"slice":            {{`slice([1, 2, 3], 1, 2)`, "[2]"}},
		"sole":             {{`sole(["a"])`, "a"}, {`sole(toset([1]))`, "1"}},
		"sort":             {{`sort(["b", "a"])`, `["a","b"]`}},
		"split":            {{`split(",", "a,b")`, `["a","b"]`}},
		"startswith":       {{`startswith("abc", "ab")`, "true"}},
		"strcontains":      {{`strcontains("abc", "b")`, "true"}},
		"strlen":           {{`strlen("añb")`, "3"}},
		"strrev":           {{`strrev("abc")`, "cba"}},
		"substr":           {{`substr("abc", 1, -1)`, "bc"}},
		"sum":              {{`sum([1, 2.5])`, "3.5"}, {`sum([])`, "0"}},
		"timeadd":          {{`timeadd("2026-01-31T23:59:59Z", "2s")`, "2026-02-01T00:00:01Z"}, {`timeadd("2026-01-01T01:00:00+01:00", 0.5)`, "2026-01-01T00:00:00.5Z"}, {`timeadd("2026-01-01T00:00:00Z", -1)`, "2025-12-31T23:59:59Z"}},
		"timeparse": {{`timeparse("2026-01-01 10:00:00+02")`, "2026-01-01T08:00:00Z"}, {`timeparse("2026-01-01 10:00:00.25+00:00")`, "2026-01-01T10:00:00.25Z"},
			{`timeparse("01/02/2026 10:00", "02/01/2006 15:04")`, "2026-02-01T10:00:00Z"}},
		"timesub":    {{`timesub("2026-01-01T00:01:00Z", "2026-01-01T00:00:00Z")`, "60"}, {`timesub("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z")`, "-0.001"}, {`timesub("9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z")`, "315506361600"}},
		"title":      {{`title("ab cd")`, "Ab Cd"}},
		"tobool":     {{`tobool("true")`, "true"}},
		"tolist":     {{`tolist(["a", 1])`, `["a","1"]`}},
		"tomap":      {{`tomap({ a = 1, b = "x" })`, `{"a":"1","b":"x"}`}},
		"tonumber":   {{`tonumber("1.5")`, "1.5"}},
		"toset":      {{`toset(["b", "a", "b"])`, `["a","b"]`}},
		"tostring":   {{`tostring(1.50)`, "1.5"}},
		"trim":       {{`trim("--a--", "-")`, "a"}},
		"trimprefix": {{`trimprefix("v1", "v")`, "1"}},
		"trimspace":  {{`trimspace(" a ")`, "a"}},
		"trimsuffix": {{`trimsuffix("a.x", ".x")`, "a"}},
		"try":        {{`try(tonumber("x"), 3)`, "3"}},
		"upper":      {{`upper("a")`, "A"}},
		"values":     {{`values({ b = 1, a = 2 })`, "[2,1]"}},
		"yamldecode": {{`yamldecode("a: [1, two, null, true, 1.5]\n")`, `{"a":[1,"two",null,true,1.5]}`}, {`yamldecode("")`, "null"}},
		"zipmap":     {{`zipmap(["a"], [1])`, `{"a":1}`}},
	}
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	cases := known()
	for _, f := range expr.Functions() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, f.Does)
			require.True(t, strings.HasPrefix(f.Usage, f.Name+"("), f.Usage)
			require.NotEmpty(t, cases[f.Name], "a function without a test")
			for _, c := range cases[f.Name] {
				v, ds := mustParse(t, c[0]).Eval(testScope())
				require.Empty(t, ds, c[0])
				require.Equal(t, c[1], v.String(), c[0])
			}
		})
	}
	require.Len(t, expr.FunctionNames(), len(cases))
	require.True(t, slices.IsSorted(expr.FunctionNames()))
}

// arguments of every function: right in number, so that only their nature decides.
func arity(usage string) int {
	inside := usage[strings.IndexByte(usage, '(')+1 : strings.IndexByte(usage, ')')]
	return len(strings.Split(strings.TrimSuffix(inside, ", …"), ","))
}

// Whatever the arguments are, a function gives a value or a diagnostic, nothing sensitive comes out in clear, and a
// sensitive argument never makes a result that is not.
func TestFunctionsWithEveryKindOfArgument(t *testing.T) {
	t.Parallel()
	secret := expr.String("hunter2-hunter2").AsSensitive()
	odd := map[string]expr.Value{
		"null":        expr.Object(map[string]expr.Value{}).Attr("none"),
		"text":        expr.String("plain"),
		"number":      expr.Number(2.5),
		"truth":       expr.Bool(true),
		"unknown":     expr.Unknown(expr.StringType()),
		"unknownList": expr.Unknown(expr.ListType(expr.StringType())),
		"unknownMap":  expr.Unknown(expr.MapType(expr.NumberType())),
		"dynamic":     expr.Unknown(expr.AnyType()),
		"list":        expr.ListOf(expr.StringType(), expr.String("a"), expr.String("b")),
		"half":        expr.Tuple(expr.String("a"), expr.Unknown(expr.StringType())),
		"empty":       expr.Tuple(),
		"map":         expr.StringMap(map[string]string{"a": "1"}),
		"marked":      secret,
		"markedList":  expr.ListOf(expr.StringType(), expr.String("a")).AsSensitive(),
		"nested":      expr.Tuple(secret, expr.String("x")),
		"nestedMap":   expr.Object(map[string]expr.Value{"k": secret}),
		"markedLater": expr.Unknown(expr.StringType()).AsSensitive(),
	}
	delete(odd, "null")
	s := testScope().With(map[string]expr.Value{"var": expr.Object(odd)})
	words := []string{"null", `"$"`, "1e300"}
	for name := range odd {
		words = append(words, "var."+name)
	}
	slices.Sort(words)
	for _, f := range expr.Functions() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			for _, args := range combinations(words, arity(f.Usage)) {
				text := f.Name + "(" + strings.Join(args, ", ") + ")"
				v, ds := mustParse(t, text).Eval(s)
				if ds.HasErrors() {
					require.True(t, v.Absent(), text)
					for _, d := range ds {
						require.NotEqual(t, expr.CodeDefect, d.Code, "%s: %v", text, d)
						require.NotContains(t, d.Summary+d.Detail+d.Hint, "hunter2", text)
						require.NotContains(t, d.Summary+d.Detail+d.Hint, "panic", text)
					}
					continue
				}
				require.NotContains(t, v.String(), "hunter2", text)
				if !v.IsSensitive() {
					require.NotContains(t, reveal(v), "hunter2", text)
				}
			}
		})
	}
}

// reveal looks for a secret that lost its mark.
func reveal(v expr.Value) string {
	if b, err := v.JSON(); err == nil {
		return string(b)
	}
	return ""
}

// combinations are all of n words for small n, and a spread of them beyond.
func combinations(words []string, n int) [][]string {
	var out [][]string
	switch n {
	case 1:
		for _, a := range words {
			out = append(out, []string{a})
		}
	case 2:
		for _, a := range words {
			for _, b := range words {
				out = append(out, []string{a, b})
			}
		}
	default:
		for i, a := range words {
			for j, b := range words {
				row := []string{a, b}
				for k := 2; k < n; k++ {
					row = append(row, words[(i+j*3+k)%len(words)])
				}
				out = append(out, row)
			}
		}
	}
	return out
}

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`sole([])`:                                  "Exactly one element is wanted, and there is none.",
		`sole(["a", "b"])`:                          "Exactly one element is wanted, and there are 2: a, b.",
		`sole(inventory)`:                           "Exactly one element is wanted, and there are 2: db-b1, web1.example.org.",
		`sole("a")`:                                 "A list or set is wanted.",
		`alltrue([true, null])`:                     "An element is null.",
		`sum([1, null])`:                            "An element is null.",
		`index(["a"], "b")`:                         "It is not in the list.",
		`duration("5 minutes")`:                     "A duration is a number and a unit, such as 90s, 15m or 2h30m.",
		`timesub("now", "2026-01-01")`:              "A time is written 2026-01-31T10:00:00Z (RFC 3339); use timeparse for other forms.",
		`timeadd("2026-01-01T00:00:00Z", true)`:     "A duration or a number of seconds is wanted.",
		`timeparse("2026-01-01 10:00:00")`:          `It is no time with a zone that is known here; give the layout, such as timeparse(text, "2006-01-02 15:04:05").`,
		`timeparse("x", "2006")`:                    "It does not have that layout.",
		`timeparse("x", "2006", "y")`:               "Timeparse takes a text and a layout.",
		`fromunix(1e200)`:                           "The time is outside the years 0 to 9999.",
		`timeadd("9999-12-31T23:59:59Z", 1)`:        "The time is outside the years 0 to 9999.",
		`base64decode("%%")`:                        "It is not base64.",
		`base64decode("//4=")`:                      "The result is not text in UTF-8.",
		`file("bad.bin")`:                           "The result is not text in UTF-8.",
		`shellquote("a\u0000b")`:                    "A word for a shell cannot hold a NUL byte.",
		`shellquote({ a = 1 })`:                     "A text or a list of texts is wanted.",
		`indent(1.5, "a")`:                          "Spaces must be a whole number from 0 to 1000.",
		`yamldecode("a: &x [*x]")`:                  "",
		`yamldecode("a: 1\na: 2")`:                  "",
		`yamldecode("--- 1\n--- 2")`:                "It holds more than one YAML document.",
		`yamldecode("!!python/object:os.system x")`: "Line 1: the tag !!python/object:os.system is not supported.",
		`yamldecode("x: .inf")`:                     "Line 1: the number is infinite, too large or too long.",
		`ansibleinventory("[a:children]\nb\n[b:children]\na\n")`: "The groups around a contain one another.",
		`length(true)`:               "A list, set, map, object or text is wanted.",
		`tonumber(var.pw)`:           "The details are not shown, because an argument is sensitive.",
		`parseint(var.pw, 10)`:       "The details are not shown, because an argument is sensitive.",
		`jsondecode(var.pw)`:         "The details are not shown, because an argument is sensitive.",
		`regex("[0-9]{40}", var.pw)`: "The details are not shown, because an argument is sensitive.",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			v, ds := mustParse(t, text).Eval(testScope())
			require.True(t, v.Absent())
			require.Len(t, ds, 1)
			require.Equal(t, expr.CodeFunction, ds[0].Code, ds[0].Summary)
			if want != "" {
				require.Equal(t, want, ds[0].Detail)
			}
			require.True(t, strings.HasPrefix(ds[0].Hint, "usage: "), ds[0].Hint)
		})
	}
}

func TestFileKeepsTextAsItIs(t *testing.T) {
	t.Parallel()
	_, ds := mustParse(t, `file("nfd.txt")`).Eval(testScope())
	require.Len(t, ds, 1)
	require.Equal(t, "text would be changed", ds[0].Summary)
	_, ds = mustParse(t, `file("a.txt")`).Eval(expr.NewScope(nil))
	require.Len(t, ds, 1)
	require.Equal(t, "files cannot be read here", ds[0].Summary)
}

func TestSensitivityFollowsTheValue(t *testing.T) {
	t.Parallel()
	sensitive := []string{
		`upper(var.pw)`, `"${var.pw}"`, `[var.pw][0]`, `{ a = var.pw }.a`, `[for x in var.pins : x][0]`, `concat(var.pins, [])[0]`,
		`merge({ a = var.pw }, { b = 1 }).a`, `try(var.pw, "x")`, `var.pw == "x" ? 1 : 2`, `length(var.pw)`, `sha256(var.pw)`,
		`join(",", var.pins)`, `jsonencode({ a = var.pw })`, `element(var.pins, 0)`, `lookup({ a = var.pw }, "a", "")`,
		`coalesce(var.pw, "x")`, `var.pins[*]`, `split("t", var.pw)[0]`, `can(regex("a", var.pw))`,
		`"%{ if var.pw == "x" }a%{ endif }"`, `contains(var.pins, "x")`, `shellquote(var.pins)`, `base64encode(var.pw)`,
	}
	for _, text := range sensitive {
		v, ds := mustParse(t, text).Eval(testScope())
		require.Empty(t, ds, text)
		if text == `can(regex("a", var.pw))` {
			continue // whether it can be evaluated is known, not what it is
		}
		require.True(t, v.IsSensitive(), text)
		require.NotContains(t, v.String(), "hunter2", text)
		_, err := v.Text()
		require.Error(t, err, text)
	}
	for _, text := range []string{`var.pins[1]`, `length(var.pins)`, `{ a = var.pw, b = 1 }.b`, `keys({ a = var.pw })[0]`} {
		v, ds := mustParse(t, text).Eval(testScope())
		require.Empty(t, ds, text)
		require.False(t, v.IsSensitive(), text)
	}
}
