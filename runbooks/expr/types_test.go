package expr_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

func parseType(t *testing.T, text string) (expr.Type, string) {
	t.Helper()
	e, _ := expr.Parse(text, "x.hcl")
	require.NotNil(t, e, text)
	typ, ds := e.ParseType()
	if ds.HasErrors() {
		require.Equal(t, expr.CodeTypeExpr, ds[0].Code)
		return typ, ds[0].Summary + "; " + ds[0].Hint
	}
	return typ, ""
}

func TestParseType(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"string", "number", "bool", "any", "host", "list(host)", "list(string)", "set(number)", "map(any)", "map(list(bool))",
		"object({ a = string, b = list(host) })", "tuple([string, number])", "object({  })", "tuple([])",
	} {
		typ, problem := parseType(t, text)
		require.Empty(t, problem, text)
		require.Equal(t, text, typ.String())
	}
	typ, _ := parseType(t, "(list((string)))")
	require.Equal(t, "list(string)", typ.String())
	typ, _ = parseType(t, `object({ "odd name" = string })`)
	require.Equal(t, "object({ odd name = string })", typ.String())
}

func TestParseTypeErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"number"`:                         "type is a text; write it without quotes: number",
		`int`:                              "there is no type int; did you mean number?",
		`boolean`:                          "there is no type boolean; did you mean bool?",
		`text`:                             "there is no type text; did you mean string?",
		`strng`:                            "there is no type strng; did you mean string?",
		`hosts`:                            "there is no type hosts; did you mean host?",
		`list`:                             "list of what?; write list(string)",
		`object`:                           "object of what?; write object({ name = string }) or tuple([string, number])",
		`list(string, number)`:             "list takes one type; write list(string)",
		`lits(string)`:                     "there is no type lits; did you mean list?",
		`42`:                               "this is not a type; ",
		`[string]`:                         "this is not a type; ",
		`tuple(string)`:                    "tuple takes a list of types; write tuple([string, number])",
		`object(string)`:                   "object takes the types of its attributes; write object({ name = string })",
		`object({ a = string, a = bool })`: "a is in the object twice; ",
		`object({ (var.x) = string })`:     "the name of an attribute is a word; ",
		`list(list(list(list(list(list(list(list(list(list(string))))))))))`: "type is nested too deeply; use any for its inner part",
		`var.x`: "this is not a type; ",
	} {
		typ, problem := parseType(t, text)
		require.Equal(t, want, problem, text)
		require.True(t, typ.IsAny())
	}
}

func TestTypeQuestions(t *testing.T) {
	t.Parallel()
	host, list := expr.HostType(), expr.ListType(expr.HostType())
	require.True(t, host.IsHost())
	require.False(t, list.IsHost())
	require.True(t, list.IsHostList())
	set, problem := parseType(t, `set(host)`)
	require.Empty(t, problem)
	require.True(t, set.IsHostList())
	a := expr.Unknown(host)
	require.True(t, expr.Tuple(a, a).Type().IsHostList())
	require.False(t, expr.Tuple(a, expr.String("b")).Type().IsHostList())
	require.False(t, host.IsHostList())
	require.True(t, list.Elem().Equal(host))
	require.True(t, expr.StringType().Elem().IsAny())
	require.True(t, expr.Type{}.IsAny())
	require.True(t, list.IsSequence())
	require.False(t, list.IsMapping())
	require.True(t, host.IsMapping())
	require.Equal(t, "any", expr.AnyType().String())
}
