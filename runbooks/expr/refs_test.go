package expr_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

func TestRootNames(t *testing.T) {
	t.Parallel()
	require.True(t, slices.IsSorted(expr.RootNames()))
	for _, name := range expr.RootNames() {
		_, ds := expr.Parse(name+".x.y", "x.hcl")
		require.Empty(t, ds, name)
	}
	_, ds := expr.Parse("other.x.y", "x.hcl")
	require.NotEmpty(t, ds)
}

func TestRefList(t *testing.T) {
	t.Parallel()
	refs, ok := mustParse(t, `[step.a, (check.b)]`).RefList()
	require.True(t, ok)
	require.Len(t, refs, 2)
	require.Equal(t, "step.a", refs[0].String())
	require.Equal(t, "check.b", refs[1].String())
	refs, ok = mustParse(t, `[]`).RefList()
	require.True(t, ok)
	require.Empty(t, refs)
	for _, text := range []string{`step.a`, `[step.a, "b"]`, `[step.a.ok ? 1 : 2]`, `[for h in inventory : h]`, `1`} {
		_, ok := mustParse(t, text).RefList()
		require.False(t, ok, text)
	}
	var none *expr.Expr
	_, ok = none.RefList()
	require.False(t, ok)
}

func TestAsRef(t *testing.T) {
	t.Parallel()
	ref, ok := mustParse(t, `(role.boss)`).AsRef()
	require.True(t, ok)
	require.Equal(t, "role.boss", ref.String())
	for _, text := range []string{`"role.boss"`, `-var.a`, `f(var.a)`, `[var.a]`, `var.a + var.b`} {
		e, _ := expr.Parse(text, "x.hcl")
		_, ok := e.AsRef()
		require.False(t, ok, text)
	}
}

func TestKeywordCallBranches(t *testing.T) {
	t.Parallel()
	e, _ := expr.Parse(`stop`, "x.hcl")
	require.Equal(t, "stop", e.Keyword())
	require.Empty(t, mustParse(t, `"stop"`).Keyword())
	require.Equal(t, "sole", mustParse(t, `(sole(inventory))`).Call())
	require.Empty(t, mustParse(t, `inventory`).Call())
	branches := mustParse(t, `var.a ? host.x : control`).Branches()
	require.Len(t, branches, 2)
	require.Equal(t, "x.hcl:1:9", branches[0].Range().String())
	require.Empty(t, mustParse(t, `var.a`).Branches())
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	got := mustParse(t, `decision.x.choice == "go" || "wait" != decision.y.choice && var.n == 3 && [for d in inventory : d.name == "z"] == []`).Comparisons()
	require.Len(t, got, 2)
	require.Equal(t, "decision.x.choice", got[0].Ref.String())
	require.Equal(t, "go", got[0].Literal)
	require.Equal(t, "x.hcl:1:22", got[0].Range.String())
	require.Equal(t, "decision.y.choice", got[1].Ref.String())
	require.Equal(t, "wait", got[1].Literal)
}

func TestNilExpr(t *testing.T) {
	t.Parallel()
	var e *expr.Expr
	require.Empty(t, e.Text())
	require.Empty(t, e.Refs())
	require.True(t, e.Range().Zero())
	require.Empty(t, e.Comparisons())
	require.Empty(t, e.Keyword())
	require.Empty(t, e.Call())
	require.Empty(t, e.Branches())
	v, ds := e.Eval(testScope())
	require.True(t, v.Absent())
	require.Empty(t, ds)
}
