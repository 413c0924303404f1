package scope_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// withVariables is the project of inputs with other variables.
func withVariables(t *testing.T, vars ...*runbooks.Variable) scope.Inputs {
	t.Helper()
	in := inputs(t)
	in.Runbook.Variables = vars
	in.Variables = nil
	return in
}

func variable(t *testing.T, name string, typ expr.Type, def string) *runbooks.Variable {
	t.Helper()
	v := &runbooks.Variable{Name: name, Type: typ, Range: diag.Range{File: "v.hcl", Start: diag.Pos{Line: 3, Column: 1}}}
	if def != "" {
		v.Default = parse(t, def)
	}
	return v
}

func TestVariables(t *testing.T) {
	t.Parallel()
	given := map[string]expr.Value{}
	tests := map[string]struct {
		typ   expr.Type
		def   string
		given expr.Value
		want  string
	}{
		"default":               {expr.NumberType(), `30`, expr.Value{}, "30"},
		"given wins":            {expr.NumberType(), `30`, expr.Int(5), "5"},
		"text becomes a number": {expr.NumberType(), ``, expr.String("5"), "5"},
		"number becomes a text": {expr.StringType(), ``, expr.Int(5), "5"},
		"text becomes a truth":  {expr.BoolType(), ``, expr.String("true"), "true"},
		"any":                   {expr.AnyType(), ``, expr.Tuple(expr.Int(1), expr.String("a")), `[1,"a"]`},
		"list":                  {expr.ListType(expr.StringType()), ``, expr.Tuple(expr.String("a")), `["a"]`},
		"empty list":            {expr.ListType(expr.StringType()), `[]`, expr.Value{}, `[]`},
		"file in a default":     {expr.StringType(), `file("run.sh")`, expr.Value{}, "echo\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := withVariables(t, variable(t, "x", tt.typ, tt.def))
			given := map[string]expr.Value{}
			if !tt.given.Absent() {
				given["x"] = tt.given
			}
			values, ds := scope.Variables(in, given, diag.Range{})
			require.Empty(t, ds)
			require.Equal(t, tt.want, values["x"].String())
			require.True(t, tt.typ.IsAny() || values["x"].Type().Equal(tt.typ))
		})
	}
	require.Empty(t, given)
}

func TestVariablesOfHosts(t *testing.T) {
	t.Parallel()
	in := withVariables(t,
		variable(t, "one", expr.HostType(), ""), variable(t, "many", expr.ListType(expr.HostType()), `["db-b1"]`),
		variable(t, "ref", expr.HostType(), `host.db-b1`), variable(t, "here", expr.HostType(), `"control"`))
	values, ds := scope.Variables(in, map[string]expr.Value{"one": expr.String("web1.example.org")}, diag.Range{})
	require.Empty(t, ds)
	for name, want := range map[string]string{"one": "web1.example.org", "many": "db-b1", "ref": "db-b1", "here": "control"} {
		hosts, err := scope.Hosts(in.Project, values[name])
		require.NoError(t, err, name)
		require.Len(t, hosts, 1)
		require.Equal(t, want, hosts[0].Name)
	}
}

func TestVariableErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		typ           expr.Type
		given         expr.Value
		summary, hint string
	}{
		"missing":          {expr.NumberType(), expr.Value{}, "variable x has no value", "give it: --var x=…"},
		"not a number":     {expr.NumberType(), expr.String("ten"), "variable x: number is wanted, and this text is none", ""},
		"truth for number": {expr.NumberType(), expr.Bool(true), "variable x: number is wanted, not bool", ""},
		"number for truth": {expr.BoolType(), expr.Int(1), "variable x: bool is wanted, not number", ""},
		"text for list":    {expr.ListType(expr.StringType()), expr.String("a"), "variable x: list(string) is wanted, not string", ""},
		"unknown host":     {expr.HostType(), expr.String("db-b2"), `variable x: there is no host "db-b2"; did you mean db-b1?`, ""},
		"number for host":  {expr.HostType(), expr.Int(1), "variable x: the name of a host is wanted, not number", ""},
		"text for hosts":   {expr.ListType(expr.HostType()), expr.String("db-b1"), "variable x: a list of names of hosts is wanted, not string", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := withVariables(t, variable(t, "x", tt.typ, ""))
			given := map[string]expr.Value{}
			if !tt.given.Absent() {
				given["x"] = tt.given
			}
			values, ds := scope.Variables(in, given, diag.Range{File: "--var"})
			require.Nil(t, values)
			require.Len(t, ds, 1)
			require.Equal(t, scope.CodeVariable, ds[0].Code)
			require.Equal(t, tt.summary, ds[0].Summary)
			require.Equal(t, tt.hint, ds[0].Hint)
			require.NotEmpty(t, ds[0].Range.File)
		})
	}
}

func TestUndeclaredVariables(t *testing.T) {
	t.Parallel()
	in := withVariables(t, variable(t, "max_lag", expr.NumberType(), "1"))
	_, ds := scope.Variables(in, map[string]expr.Value{"max_lga": expr.Int(1)}, diag.Range{})
	require.Len(t, ds, 1)
	require.Equal(t, "the runbook has no variable max_lga", ds[0].Summary)
	require.Equal(t, "did you mean max_lag?", ds[0].Hint)
	_, ds = scope.Variables(in, map[string]expr.Value{"zzz": expr.Int(1)}, diag.Range{})
	require.Equal(t, "it declares max_lag", ds[0].Hint)
	_, ds = scope.Variables(withVariables(t), map[string]expr.Value{"zzz": expr.Int(1)}, diag.Range{})
	require.Equal(t, "it declares none", ds[0].Hint)
}

func TestValidations(t *testing.T) {
	t.Parallel()
	low, high := variable(t, "low", expr.NumberType(), "1"), variable(t, "high", expr.NumberType(), "2")
	low.Validations = []runbooks.Validation{{Condition: parse(t, `var.low < var.high`), Message: parse(t, `"must be below ${var.high}"`)}}
	in := withVariables(t, low, high)
	_, ds := scope.Variables(in, nil, diag.Range{})
	require.Empty(t, ds)
	_, ds = scope.Variables(in, map[string]expr.Value{"low": expr.Int(9)}, diag.Range{})
	require.Len(t, ds, 1)
	require.Equal(t, "variable low is 9: must be below 2", ds[0].Summary)
	require.Equal(t, "x.hcl:1:1", ds[0].Range.String())
}

func TestSensitiveVariablesAreNeverShown(t *testing.T) {
	t.Parallel()
	pin := variable(t, "pin", expr.StringType(), "")
	pin.Sensitive = true
	pin.Validations = []runbooks.Validation{{Condition: parse(t, `strlen(var.pin) > 99`), Message: parse(t, `"too short: ${var.pin}"`)}}
	_, ds := scope.Variables(withVariables(t, pin), map[string]expr.Value{"pin": expr.String("hunter2")}, diag.Range{})
	require.True(t, ds.HasErrors())
	for _, d := range ds {
		require.NotContains(t, d.Summary+d.Detail+d.Hint, "hunter2")
	}
	require.Equal(t, "variable pin is (sensitive): the condition does not hold", ds[len(ds)-1].Summary)

	pin.Validations = nil
	values, ds := scope.Variables(withVariables(t, pin), map[string]expr.Value{"pin": expr.String("hunter2")}, diag.Range{})
	require.Empty(t, ds)
	require.True(t, values["pin"].IsSensitive())
	require.True(t, scope.UnknownVariables(&runbooks.Runbook{Variables: []*runbooks.Variable{pin}})["pin"].IsSensitive())
}
