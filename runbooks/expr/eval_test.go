package expr_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// files is a project in memory.
type files map[string]string

func (f files) ReadFile(path string) ([]byte, error) {
	if s, ok := f[path]; ok {
		return []byte(s), nil
	}
	return nil, errors.New("read " + path + ": no such file in the project")
}

// testScope has one of everything that an expression may meet.
func testScope() *expr.Scope {
	check := expr.Object(map[string]expr.Value{
		"outcome": expr.String("succeeded"), "ok": expr.Bool(true), "started": expr.Bool(true),
		"stdout": expr.String("42|x"), "lag": expr.Number(42), "exit_code": expr.Int(0),
	})
	away := expr.Object(map[string]expr.Value{
		"outcome": expr.String("unreachable"), "ok": expr.Bool(false), "started": expr.Bool(false),
	})
	later := expr.Unknown(expr.ObjectType(map[string]expr.Type{
		"outcome": expr.StringType(), "ok": expr.BoolType(), "started": expr.BoolType(),
		"stdout": expr.StringType(), "exit_code": expr.NumberType(),
	}))
	host := func(name string) expr.Value {
		return expr.Object(map[string]expr.Value{
			"name": expr.String(name), "address": expr.String(name + ".example.org"), "port": expr.Int(22),
			"site": expr.String("b"), "environment": expr.String("lab"), "ci": expr.String(""), "owner": expr.String(""),
			"labels": expr.StringMap(map[string]string{"tier": "db"}),
		})
	}
	return expr.NewScope(files{"a.txt": "hello\n", "bad.bin": "\xff\xfe", "nfd.txt": "e\u0301"}).With(map[string]expr.Value{
		"var": expr.Object(map[string]expr.Value{
			"n": expr.Int(7), "s": expr.String("seven"), "b": expr.Bool(true), "list": expr.Tuple(expr.Int(1), expr.Int(2)),
			"later": expr.Unknown(expr.StringType()), "any": expr.Unknown(expr.AnyType()),
			"pw": expr.String("hunter2").AsSensitive(), "pins": expr.Tuple(expr.String("hunter2").AsSensitive(), expr.String("x")),
			"later_pw": expr.Unknown(expr.StringType()).AsSensitive(),
		}),
		"check":     expr.Object(map[string]expr.Value{"done": check, "away": away, "later": later}),
		"step":      expr.Object(map[string]expr.Value{"odd.name": check, "done": check}),
		"host":      expr.Object(map[string]expr.Value{"db-b1": host("db-b1"), "web1.example.org": host("web1.example.org")}),
		"inventory": expr.Tuple(host("db-b1"), host("web1.example.org")),
		"self":      host("db-b1"),
		"result":    expr.Object(map[string]expr.Value{"lag": expr.Int(3), "stdout": expr.String("f")}),
	})
}

func mustParse(t *testing.T, text string) *expr.Expr {
	t.Helper()
	e, ds := expr.Parse(text, "x.hcl")
	require.Empty(t, ds, text)
	return e
}

func TestEval(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`1 + 2 * 3`:                                 "7",
		`"${var.s}-${var.n}"`:                       "seven-7",
		`var["s"]`:                                  "seven",
		`step["odd.name"].lag`:                      "42",
		`host["web1.example.org"].address`:          "web1.example.org.example.org",
		`check.done.lag > 40 ? "far" : "near"`:      "far",
		`[for h in inventory : h.name]`:             `["db-b1","web1.example.org"]`,
		`inventory[*].name`:                         `["db-b1","web1.example.org"]`,
		`{for h in inventory : h.name => h.site}`:   `{"db-b1":"b","web1.example.org":"b"}`,
		`split("|", check.done.stdout)[0]`:          "42",
		`try(check.away.stdout, "none")`:            "none",
		`can(check.away.stdout)`:                    "false",
		`can(check.done.stdout)`:                    "true",
		`try(null, 1)`:                              "null",
		`self == inventory[0]`:                      "true",
		`self != inventory[1]`:                      "true",
		`var.s == "seven"`:                          "true",
		`var.n == 7.0`:                              "true",
		`[1, "a"] == [1, "a"]`:                      "true",
		`[1, 2] == [1, 3]`:                          "false",
		`[1] == [1, 2]`:                             "false",
		`{ a = 1 } == { a = 1 }`:                    "true",
		`{ a = 1 } == { b = 1 }`:                    "false",
		`var.s == null`:                             "false",
		`null == null`:                              "true",
		`toset(["a", "b"]) == toset(["b", "a"])`:    "true",
		`tolist([1, 2]) == [1, 2]`:                  "true",
		`var.list == tolist([1, 2])`:                "true",
		`"%{ if var.b }yes%{ else }no%{ endif }"`:   "yes",
		`"%{ for x in var.list }<${x}>%{ endfor }"`: "<1><2>",
		`-var.n`:                      "-7",
		`!var.b`:                      "false",
		`(var.n)`:                     "7",
		`{ s = 1 }`:                   `{"s":1}`,
		`{ (var.s) = 1, "a b" = 2 }`:  `{"a b":2,"seven":1}`,
		"<<-EOT\n  a\n    b\n  EOT\n": "a\n  b\n",
		`var.later == "x" || true`:    "true",
		`length(var.pins)`:            "2",
		`var.pw == "hunter2"`:         "(sensitive)",
		`"x${var.pw}"`:                "(sensitive)",
		`var.later`:                   "(not known yet)",
		`"known ${var.later}"`:        "(not known yet)",
		`var.pw == var.later`:         "(sensitive)",
		`try(var.later_pw, "x")`:      "(sensitive)",
		`check.later.exit_code + 1`:   "(not known yet)",
		`[for x in var.any : x]`:      "(not known yet)",
		`null`:                        "null",
		`file("a.txt")`:               "hello\n",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			v, ds := mustParse(t, text).Eval(testScope())
			require.Empty(t, ds)
			require.Equal(t, want, v.String())
		})
	}
}

func TestEvalErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code, at, summary, hint string
	}{
		`check.later.exti_code`:        {expr.CodeNoAttribute, "x.hcl:1:12", `check.later has no exti_code`, "did you mean exit_code?"},
		`check.done.lag-1`:             {expr.CodeNoAttribute, "x.hcl:1:11", `check.done has no lag-1`, "for a subtraction put spaces around the minus: lag - 1"},
		`check.away.stdout`:            {expr.CodeNoData, "x.hcl:1:11", `check.away has no stdout`, "use try(…, DEFAULT), or a when that asks for its ok"},
		`check["none"].lag`:            {expr.CodeNoAttribute, "x.hcl:1:6", `check has no none`, "did you mean done?"},
		`self.nmae`:                    {expr.CodeNoAttribute, "x.hcl:1:5", `self has no nmae`, "did you mean name?"}, //nolint:misspell // the suggestion is what is tested
		`inventory.name`:               {expr.CodeNoAttribute, "x.hcl:1:10", `inventory is a list and has no name`, "write [for x in inventory : x.name], or sole(inventory).name"},
		`var.s.x`:                      {expr.CodeNoAttribute, "x.hcl:1:6", `var.s is a string and has no x`, "it is read as it stands: var.s"},
		`var.n == "7"`:                 {expr.CodeEquality, "x.hcl:1:1", `a number is never equal to a string`, "convert one side: tonumber(…) or tostring(…); captures take type = number"},
		`var.b != "true"`:              {expr.CodeEquality, "x.hcl:1:1", `a bool is never equal to a string`, "a boolean needs no comparison: write CONDITION or !CONDITION; convert a text with tobool(…)"},
		`self == "db-b1"`:              {expr.CodeEquality, "x.hcl:1:1", `a host is never equal to a string`, "compare one of its values, as in self.name"},
		`check.later.exit_code == "0"`: {expr.CodeEquality, "x.hcl:1:1", `a number is never equal to a string`, "convert one side: tonumber(…) or tostring(…); captures take type = number"},
		`results`:                      {expr.CodeNotHere, "x.hcl:1:1", `results does not exist here`, "did you mean result?"},
		`each.value`:                   {expr.CodeNotHere, "x.hcl:1:1", `each does not exist here`, ""},
		`null ? 1 : 2`:                 {expr.CodeNull, "x.hcl:1:1", `condition is null`, "compare with null, or use coalesce(…, false)"},
		`"a${null}"`:                   {expr.CodeNull, "x.hcl:1:5", `null in a text`, `use coalesce(…, "")`},
		`"a${var.list}"`:               {expr.CodeType, "x.hcl:1:5", `value has no text`, `use jsonencode(…) or join(", ", …)`},
		`var.list[9]`:                  {expr.CodeNoElement, "x.hcl:1:9", `no such element`, "use try(…, DEFAULT) where it may be missing"},
		`"x" + 1`:                      {expr.CodeType, "x.hcl:1:1", `operand has the wrong type`, "convert it: tonumber(…), tostring(…) or tobool(…)"},
		`upper()`:                      {expr.CodeFunction, "x.hcl:1:7", `upper needs more arguments`, "usage: upper(text)"},
		`upper("a", "b")`:              {expr.CodeFunction, "x.hcl:1:13", `upper takes fewer arguments`, "usage: upper(text)"},
		`tonumber("x")`:                {expr.CodeFunction, "x.hcl:1:10", `tonumber cannot take this argument`, "usage: tonumber(value)"},
		`sole(inventory)`:              {expr.CodeFunction, "x.hcl:1:6", `sole cannot take this argument`, "usage: sole(list)"},
		`file("no.txt")`:               {expr.CodeFunction, "x.hcl:1:1", `read no.txt: no such file in the project`, "paths are relative to the project, with /, and stay inside it"},
		`try()`:                        {expr.CodeFunction, "x.hcl:1:1", `try needs more arguments`, "usage: try(expression, …)"},
		`can(1, 2)`:                    {expr.CodeFunction, "x.hcl:1:1", `can takes one argument`, "usage: can(expression)"},
		`{ (var.pw) = 1 }`:             {expr.CodeSensitive, "x.hcl:1:3", `key is sensitive`, "use the secret as a value, not as a key"},
		`{for x in var.pins : x => 1}`: {expr.CodeSensitive, "x.hcl:1:22", `key is sensitive`, "use the secret as a value, not as a key"},
		`{ a.b = 1 }`:                  {expr.CodeType, "x.hcl:1:3", `key is ambiguous`, "put a reference in parentheses, a name with dots in quotes"},
		`1 / 0`:                        {expr.CodeType, "x.hcl:1:1", `division by zero`, "ask for zero first: N == 0 ? 0 : X / N"},
		`7 % 0`:                        {expr.CodeType, "x.hcl:1:1", `division by zero`, "ask for zero first: N == 0 ? 0 : X / N"},
		`7 % "x"`:                      {expr.CodeType, "x.hcl:1:5", `operand has the wrong type`, "convert it: tonumber(…), tostring(…) or tobool(…)"},
		`{ (null) = 1 }`:               {expr.CodeNull, "x.hcl:1:12", `null as a key`, "use coalesce(…, \"\"), or leave the entry out"},
		`{for x in ["a"] : null => x}`: {expr.CodeNull, "x.hcl:1:19", `null as a key`, "use coalesce(…, \"\"), or leave the entry out"},
		`{ ([1]) = 1 }`:                {expr.CodeType, "x.hcl:1:3", `key is no text`, "a key is a string, a number or a bool: pick a part of the value, or use join(\"-\", …)"},
		`{for x in [[1]] : x => x}`:    {expr.CodeType, "x.hcl:1:19", `key is no text`, "a key is a string, a number or a bool: pick a part of the value, or use join(\"-\", …)"},
		`"a" ? 1 : 2`:                  {expr.CodeType, "x.hcl:1:1", `condition is neither true nor false`, `compare: a == "b", a > 3; a text is converted by tobool(…)`},
		`[for x in 5 : x]`:             {expr.CodeType, "x.hcl:1:11", `cannot go through this value`, "put one value in brackets: [VALUE]; a text is divided by split(\",\", …)"},
		`true ? [1] : {a = 1}`:         {expr.CodeType, "x.hcl:1:8", `both sides of ?: must have one type`, "convert one side, or give both the same form"},
		`tolist(["a", null])[*][*]`:    {expr.CodeEvaluation, "x.hcl:1:20", `one [*] after another gives lists of different lengths`, "write the loops out: [for a in LIST : [for b in a : b]]"},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			e, _ := expr.Parse(text, "x.hcl")
			v, ds := e.Eval(testScope())
			require.True(t, v.Absent())
			require.NotEmpty(t, ds)
			d := ds[0]
			require.Equal(t, want.code, d.Code, d.Summary)
			require.Equal(t, want.at, d.Range.String())
			require.Equal(t, want.summary, d.Summary)
			require.Equal(t, want.hint, d.Hint)
			require.Equal(t, diag.Error, d.Severity)
		})
	}
}

func TestFormErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ code, summary, hint string }{
		`step`:                   {expr.CodeBareRoot, "step alone means nothing", "write step.NAME"},
		`[for k, v in step : k]`: {expr.CodeBareRoot, "step alone means nothing", "write step.NAME"},
		`step[var.k].ok`:         {expr.CodeDynamicName, "name of the step is not static", "write step.NAME, or choose between two of them: COND ? step.a : step.b"},
		`step[*].ok`:             {expr.CodeDynamicName, "step[*] names none in particular", "name them: [step.a.ATTRIBUTE, step.b.ATTRIBUTE]"},
		`step.*.ok`:              {expr.CodeDynamicName, "step[*] names none in particular", "name them: [step.a.ATTRIBUTE, step.b.ATTRIBUTE]"},
		`step[0].ok`:             {"", "", ""},
		`"${HOME}/x"`:            {expr.CodeUnknownName, `nothing is called "HOME" here`, `for the shell's variable write $${HOME}, or keep the script in a file: script = file("…")`},
		`hots.a.name`:            {expr.CodeUnknownName, `nothing is called "hots" here`, "did you mean host?"},
		`replication`:            {expr.CodeUnknownName, `nothing is called "replication" here`, `for a text write "replication"; for a variable var.replication; for a local local.replication`},
		`timestamp()`:            {expr.CodeUnknownFunction, "there is no function timestamp", "for the time use run.started_at, for an id run.id, for an environment variable a variable or a secret"},
		`uper("x")`:              {expr.CodeUnknownFunction, "there is no function uper", "did you mean upper?"},
		`provider::foo("x")`:     {expr.CodeUnknownFunction, "there is no function provider::foo", ""},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, ds := expr.Parse(text, "x.hcl")
			if want.code == "" {
				require.Empty(t, ds)
				return
			}
			require.Len(t, ds, 1)
			require.Equal(t, want.code, ds[0].Code)
			require.Equal(t, want.summary, ds[0].Summary)
			require.Equal(t, want.hint, ds[0].Hint)
		})
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		`check.a.lag + step["b"].x`:                   {"check.a.lag", "step.b.x"},
		`step["odd.name"].by_host["h1"].stdout`:       {`step["odd.name"].by_host.h1.stdout`},
		`call.db.step.promote.ok`:                     {"call.db.step.promote.ok"},
		`[for h in inventory : h if h.site == var.s]`: {"inventory", "var.s"},
		`self.name`:                                  {"self.name"},
		`step.x.by_host[self.name].stdout`:           {"step.x.by_host", "self.name"},
		`try(check.a.x, check.a.x)`:                  {"check.a.x", "check.a.x"},
		`"${var.a} %{ if var.b }${var.c}%{ endif }"`: {"var.a", "var.b", "var.c"},
		`{ a = var.a, (var.k) = 1 }`:                 {"var.a", "var.k"},
		`group.web[*].name`:                          {"group.web"},
		`1`:                                          nil,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range mustParse(t, text).Refs() {
				got = append(got, r.String())
			}
			require.Equal(t, want, got)
		})
	}
}

func TestRefPlaces(t *testing.T) {
	t.Parallel()
	refs := mustParse(t, `1 + check.replication.lag`).Refs()
	require.Len(t, refs, 1)
	r := refs[0]
	require.Equal(t, []any{"check", "replication", []string{"lag"}}, []any{r.Root, r.Name, r.Path})
	require.Equal(t, "x.hcl:1:5", r.Range.String())
	require.Equal(t, 26, r.Range.End.Column)
	require.Equal(t, "x.hcl:1:10", r.NameRange.String())
}
