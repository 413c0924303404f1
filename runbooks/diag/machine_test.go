package diag_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	src := "a\n  x = bad\n"
	l := diag.List{{
		Severity: diag.Warning, Code: "CON-R012", Summary: "s", Detail: "d", Hint: "h", Context: "c",
		Range: at(t, "x.hcl", src, "bad"), Related: []diag.Related{{Message: "m", Range: at(t, "x.hcl", src, "x")}},
	}}
	got, err := json.Marshal(l)
	require.NoError(t, err)
	require.JSONEq(t, `{"schema":"continuo/diagnostics/v1","diagnostics":[{"severity":"warning","code":"CON-R012","summary":"s",
		"detail":"d","hint":"h","context":"c","file":"x.hcl","line":2,"column":7,"end_line":2,"end_column":10,"byte":8,"end_byte":11,
		"related":[{"message":"m","file":"x.hcl","line":2,"column":3,"end_line":2,"end_column":4,"byte":4,"end_byte":5}]}]}`, string(got))
	got, err = json.Marshal(diag.List(nil))
	require.NoError(t, err)
	require.JSONEq(t, `{"schema":"continuo/diagnostics/v1","diagnostics":[]}`, string(got))
}

func TestTable(t *testing.T) {
	t.Parallel()
	doc := func(code string) diag.Doc {
		return diag.Doc{Code: code, Title: "t", Meaning: "m", Wrong: "w", Right: "r"}
	}
	table, err := diag.NewTable([]diag.Doc{doc("CON-R012"), doc("CON-R001")}, []diag.Doc{doc("CON-E001")})
	require.NoError(t, err)
	for _, code := range []string{"CON-R012", "con-r012", "R012", " r012 "} {
		d, ok := table.Lookup(code)
		require.True(t, ok, code)
		require.Equal(t, "CON-R012", d.Code)
	}
	_, ok := table.Lookup("R999")
	require.False(t, ok)
	require.Equal(t, "CON-R012", table.Suggest("R013"))
	require.Empty(t, table.Suggest("nonsense"))
	var codes []string
	for _, d := range table.All() {
		codes = append(codes, d.Code)
	}
	require.Equal(t, []string{"CON-E001", "CON-R001", "CON-R012"}, codes)

	_, err = diag.NewTable([]diag.Doc{doc("CON-R012")}, []diag.Doc{doc("CON-R012")})
	require.EqualError(t, err, "code CON-R012: explained twice")
	_, err = diag.NewTable([]diag.Doc{{Code: "CON-R012", Title: "t"}})
	require.EqualError(t, err, `code "CON-R012": no title, meaning, wrong or right example`)
	var none *diag.Table
	_, ok = none.Lookup("R012")
	require.False(t, ok)
	require.Empty(t, none.All())
	require.Empty(t, none.Suggest("R012"))
}

func TestListErr(t *testing.T) {
	t.Parallel()
	require.NoError(t, diag.List{{Severity: diag.Warning, Code: "C", Summary: "w"}}.Err())
	l := diag.List{
		{Severity: diag.Error, Code: "C", Summary: "later", Range: diag.Range{File: "b", Start: diag.Pos{Line: 1, Column: 2}}},
		{Severity: diag.Error, Code: "C", Summary: "first", Range: diag.Range{File: "a", Start: diag.Pos{Line: 1, Column: 2}}},
	}
	err := l.Err()
	require.EqualError(t, err, "a:1:2: first (C) and 1 more")
	var list *diag.ListError
	require.ErrorAs(t, err, &list)
	require.Len(t, list.List, 2)
	require.EqualError(t, &diag.ListError{}, "invalid project")
}

func TestSeverityWords(t *testing.T) {
	t.Parallel()
	require.Equal(t, "error", diag.Error.String())
	require.Equal(t, "warning", diag.Warning.String())
	require.Equal(t, "invalid", diag.Severity(0).String())
}
