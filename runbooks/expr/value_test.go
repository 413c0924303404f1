package expr_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// values are one of each nature.
func values() map[string]expr.Value {
	return map[string]expr.Value{
		"absent": {}, "text": expr.String("a"), "number": expr.Number(1.5), "whole": expr.Int(7), "truth": expr.Bool(true),
		"list": expr.ListOf(expr.StringType(), expr.String("a"), expr.String("b")), "tuple": expr.Tuple(expr.Int(1), expr.String("x")),
		"map": expr.StringMap(map[string]string{"b": "2", "a": "1"}), "object": expr.Object(map[string]expr.Value{"k": expr.Int(1)}),
		"unknown": expr.Unknown(expr.StringType()), "half": expr.Tuple(expr.Int(1), expr.Unknown(expr.NumberType())),
		"secret": expr.String("hunter2").AsSensitive(), "nested": expr.Tuple(expr.String("hunter2").AsSensitive()),
		"later": expr.Unknown(expr.StringType()).AsSensitive(), "any": expr.Unknown(expr.AnyType()), "emptyList": expr.ListOf(expr.StringType()),
		"emptyMap": expr.StringMap(nil), "emptyTuple": expr.Tuple(),
	}
}

func TestConversions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, strings, truth, float, whole string }{
		"absent":  {"is null", "is null", "is null", "is null", "is null"},
		"text":    {"a", "list(string) is wanted, not string", "bool is wanted, and this text is none", "number is wanted, and this text is none", "number is wanted, and this text is none"},
		"number":  {"1.5", "list(string) is wanted, not number", "bool is wanted, not number", "1.5", "1.5 is not a whole number"},
		"whole":   {"7", "list(string) is wanted, not number", "bool is wanted, not number", "7", "7"},
		"truth":   {"true", "list(string) is wanted, not bool", "true", "number is wanted, not bool", "number is wanted, not bool"},
		"list":    {"string is wanted, not list(string)", "[a b]", "bool is wanted, not list(string)", "number is wanted, not list(string)", "number is wanted, not list(string)"},
		"tuple":   {"string is wanted, not tuple([number, string])", "[1 x]", "bool is wanted, not tuple([number, string])", "number is wanted, not tuple([number, string])", "number is wanted, not tuple([number, string])"},
		"unknown": {"not known yet", "not known yet", "not known yet", "not known yet", "not known yet"},
		"half":    {"not known yet", "not known yet", "not known yet", "not known yet", "not known yet"},
		"secret":  {"is sensitive", "is sensitive", "is sensitive", "is sensitive", "is sensitive"},
		"nested":  {"is sensitive", "is sensitive", "is sensitive", "is sensitive", "is sensitive"},
		"later":   {"is sensitive", "is sensitive", "is sensitive", "is sensitive", "is sensitive"},
	}
	show := func(v any, err error) string {
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(v)
	}
	all := values()
	for name, want := range tests {
		v := all[name]
		text, err := v.Text()
		require.Equal(t, want.text, show(text, err), "%s as text", name)
		list, err := v.Strings()
		require.Equal(t, want.strings, show(list, err), "%s as strings", name)
		truth, err := v.Truth()
		require.Equal(t, want.truth, show(truth, err), "%s as truth", name)
		float, err := v.Float()
		require.Equal(t, want.float, show(float, err), "%s as float", name)
		whole, err := v.Whole()
		require.Equal(t, want.whole, show(whole, err), "%s as whole", name)
	}
}

func TestReveal(t *testing.T) {
	t.Parallel()
	text, err := values()["secret"].Reveal()
	require.NoError(t, err)
	require.Equal(t, "hunter2", text)
	_, err = values()["later"].Reveal()
	require.ErrorIs(t, err, expr.ErrUnknown)
	_, err = values()["absent"].Reveal()
	require.ErrorIs(t, err, expr.ErrNull)
}

func TestStringNeverShowsASecret(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"absent": "(absent)", "text": "a", "number": "1.5", "truth": "true", "list": `["a","b"]`, "map": `{"a":"1","b":"2"}`,
		"object": `{"k":1}`, "unknown": "(not known yet)", "half": "(not known yet)", "secret": "(sensitive)", "nested": "(sensitive)",
		"later": "(sensitive)", "any": "(not known yet)", "emptyList": "[]", "emptyMap": "{}", "emptyTuple": "[]",
	}
	all := values()
	for name, want := range tests {
		require.Equal(t, want, all[name].String(), name)
	}
	// Not even what is known of an unknown text may show: its beginning could be a secret.
	for _, text := range []string{`"${var.pw}-${var.later}"`, `"hunter2-${var.later}"`} {
		v, ds := mustParse(t, text).Eval(testScope())
		require.Empty(t, ds)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", v, v, v), "hunter2", text)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	all := values()
	for name, v := range all {
		require.Equal(t, name == "text" || name == "unknown" || name == "secret" || name == "later", v.IsText(), name)
		require.Equal(t, name == "list" || name == "tuple" || name == "half" || name == "nested" || name == "emptyList" || name == "emptyTuple", v.IsSequence(), name)
		require.Equal(t, name == "map" || name == "object" || name == "emptyMap", v.IsMapping(), name)
		require.Equal(t, name == "secret" || name == "nested" || name == "later", v.IsSensitive(), name)
		require.Equal(t, name == "absent", v.Absent(), name)
		require.False(t, v.IsNull(), name)
	}
	null, ds := mustParse(t, `null`).Eval(testScope())
	require.Empty(t, ds)
	require.True(t, null.IsNull())
	require.False(t, null.IsText())
	_, err := null.Text()
	require.ErrorIs(t, err, expr.ErrNull)
}

func TestElements(t *testing.T) {
	t.Parallel()
	show := func(v expr.Value) string {
		ks, err := v.Elements()
		if err != nil {
			return err.Error()
		}
		out := ""
		for _, k := range ks {
			out += fmt.Sprintf("%s=%s ", k.Key, k.Value)
		}
		return out
	}
	all := values()
	require.Equal(t, "0=a 1=b ", show(all["list"]))
	require.Equal(t, "0=1 1=x ", show(all["tuple"]))
	require.Equal(t, "a=1 b=2 ", show(all["map"]))
	require.Equal(t, "k=1 ", show(all["object"]))
	require.Equal(t, "0=(sensitive) ", show(all["nested"]))
	require.Equal(t, "is sensitive", show(expr.ListOf(expr.StringType(), expr.String("x")).AsSensitive()))
	require.Equal(t, "not known yet", show(all["half"]))
	require.Equal(t, "is null", show(all["absent"]))
	require.Equal(t, "a collection wanted, not string", show(all["text"]))
	set, ds := mustParse(t, `toset(["b", "a"])`).Eval(testScope())
	require.Empty(t, ds)
	require.Equal(t, "a=a b=b ", show(set))
}

func TestLenAndEqual(t *testing.T) {
	t.Parallel()
	all := values()
	for name, n := range map[string]int{"list": 2, "tuple": 2, "map": 2, "object": 1, "text": 0, "absent": 0, "unknown": 0, "half": 2, "emptyList": 0} {
		require.Equal(t, n, all[name].Len(), name)
	}
	require.True(t, all["text"].Equal(expr.String("a")))
	require.True(t, all["secret"].Equal(expr.String("hunter2")))
	require.False(t, all["text"].Equal(expr.String("b")))
	require.False(t, expr.Int(1).Equal(expr.String("1")))
	require.False(t, all["unknown"].Equal(all["unknown"])) //nolint:gocritic // the unknown does not even equal itself
	require.True(t, all["absent"].Equal(expr.Value{}))
	require.False(t, all["absent"].Equal(all["text"]))
}

func TestAttrKeepsTheMark(t *testing.T) {
	t.Parallel()
	o := expr.Object(map[string]expr.Value{"a": expr.Int(1)})
	require.Equal(t, "1", o.Attr("a").String())
	require.True(t, o.Attr("b").Absent())
	require.True(t, o.AsSensitive().Attr("a").IsSensitive())
	require.True(t, expr.Value{}.Attr("a").Absent())
	require.True(t, expr.String("x").Attr("a").Absent())
	require.True(t, expr.Unknown(expr.ObjectType(map[string]expr.Type{"a": expr.NumberType()})).Attr("a").Absent())
}

func TestConvertTo(t *testing.T) {
	t.Parallel()
	v, err := expr.String("42").ConvertTo(expr.NumberType())
	require.NoError(t, err)
	require.Equal(t, "number", v.Type().String())
	v, err = expr.String("42").AsSensitive().ConvertTo(expr.NumberType())
	require.NoError(t, err)
	require.True(t, v.IsSensitive())
	v, err = expr.Unknown(expr.StringType()).ConvertTo(expr.NumberType())
	require.NoError(t, err)
	require.False(t, v.Known())
	_, err = expr.String("forty-two").ConvertTo(expr.NumberType())
	require.EqualError(t, err, "number is wanted, and this text is none")
	_, err = expr.Value{}.ConvertTo(expr.NumberType())
	require.ErrorIs(t, err, expr.ErrNull)
	_, err = expr.String("1e30000000").ConvertTo(expr.NumberType())
	require.ErrorIs(t, err, expr.ErrTooLarge)
	_, err = expr.Tuple(expr.String("1e30000000")).ConvertTo(expr.ListType(expr.NumberType()))
	require.ErrorIs(t, err, expr.ErrTooLarge)
	v, err = expr.String("x").ConvertTo(expr.AnyType())
	require.NoError(t, err)
	require.Equal(t, "x", v.String())
}

func TestListOfConvertsOrPanics(t *testing.T) {
	t.Parallel()
	require.Equal(t, `["1","a"]`, expr.ListOf(expr.StringType(), expr.Int(1), expr.String("a")).String())
	require.Panics(t, func() { expr.ListOf(expr.NumberType(), expr.String("a")) })
}

func TestEvalBool(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want  bool
		state expr.State
		code  string
	}{
		`var.n > 3`:           {true, expr.Ready, ""},
		`var.n > 30`:          {false, expr.Ready, ""},
		`"true"`:              {true, expr.Ready, ""},
		`var.pw == "hunter2"`: {true, expr.Ready, ""},
		`var.later == "x"`:    {false, expr.Undetermined, ""},
		`var.any`:             {false, expr.Undetermined, ""},
		`null`:                {false, expr.Wrong, expr.CodeNull},
		`"maybe"`:             {false, expr.Wrong, expr.CodeType},
		`var.list`:            {false, expr.Wrong, expr.CodeType},
		`var.nope`:            {false, expr.Wrong, expr.CodeNoAttribute},
	}
	for text, want := range tests {
		got, state, ds := mustParse(t, text).EvalBool(testScope())
		require.Equal(t, want.want, got, text)
		require.Equal(t, want.state, state, text)
		require.Equal(t, want.state == expr.Wrong, ds.HasErrors(), text)
		if want.code != "" {
			require.Equal(t, want.code, ds[0].Code, text)
			require.Equal(t, "x.hcl", ds[0].Range.File)
		}
	}
}

func TestEvalToGoValues(t *testing.T) {
	t.Parallel()
	s := testScope()
	text, state, ds := mustParse(t, `"a${var.n}"`).EvalText(s, "title")
	require.Empty(t, ds)
	require.Equal(t, expr.Ready, state)
	require.Equal(t, "a7", text)

	_, state, ds = mustParse(t, `"a${var.pw}"`).EvalText(s, "title")
	require.Equal(t, expr.Wrong, state)
	require.Equal(t, "title is sensitive", ds[0].Summary)
	require.Equal(t, expr.CodeSensitive, ds[0].Code)

	_, state, ds = mustParse(t, `"a${var.later}"`).EvalText(s, "title")
	require.Empty(t, ds)
	require.Equal(t, expr.Undetermined, state)

	_, state, ds = mustParse(t, `var.list`).EvalText(s, "title")
	require.Equal(t, expr.Wrong, state)
	require.Equal(t, "title is not a string", ds[0].Summary)

	list, state, ds := mustParse(t, `["a", 1]`).EvalStrings(s, "argv")
	require.Empty(t, ds)
	require.Equal(t, expr.Ready, state)
	require.Equal(t, []string{"a", "1"}, list)

	_, state, ds = mustParse(t, `["a", null]`).EvalStrings(s, "argv")
	require.Equal(t, expr.Wrong, state)
	require.Equal(t, "argv is null", ds[0].Summary)

	f, state, ds := mustParse(t, `var.n / 2`).EvalFloat(s, "value")
	require.Empty(t, ds)
	require.Equal(t, expr.Ready, state)
	require.InDelta(t, 3.5, f, 0)

	i, state, ds := mustParse(t, `var.n`).EvalWhole(s, "port")
	require.Empty(t, ds)
	require.Equal(t, expr.Ready, state)
	require.EqualValues(t, 7, i)

	_, state, ds = mustParse(t, `var.n / 2`).EvalWhole(s, "port")
	require.Equal(t, expr.Wrong, state)
	require.Equal(t, "port is not a whole number", ds[0].Summary)

	_, state, _ = mustParse(t, `each.value`).EvalWhole(s, "port")
	require.Equal(t, expr.Wrong, state)
}

// The elements of a list of hosts are known by their names: for_each over hosts reads by_key["web-1"], and a batch of other
// hosts never shares a key with it.
func TestElements_hosts(t *testing.T) {
	t.Parallel()
	host := func(name string) expr.Value {
		return expr.Object(map[string]expr.Value{
			"name": expr.String(name), "address": expr.String("10.0.0.1"), "port": expr.Int(22), "site": expr.String(""),
			"environment": expr.String("lab"), "ci": expr.String(""), "owner": expr.String(""), "labels": expr.StringMap(nil),
		})
	}
	keys := func(v expr.Value) []string {
		es, err := v.Elements()
		require.NoError(t, err)
		var out []string
		for _, e := range es {
			out = append(out, e.Key)
		}
		return out
	}
	require.Equal(t, []string{"web-2", "web-1"}, keys(expr.ListOf(expr.HostType(), host("web-2"), host("web-1"))))
	require.Equal(t, []string{"web-1"}, keys(expr.Tuple(host("web-1"))))
	require.Equal(t, []string{"0", "1"}, keys(expr.Tuple(host("web-1"), host("web-1"))), "twice the same host: by index")
	require.Equal(t, []string{"0", "1"}, keys(expr.Tuple(host("web-1"), expr.String("x"))))
}
