package expr_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// TestShowWords: a list comes as its elements alone, the same that Show gives, and anything else as its text.
func TestShowWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want expr.Shown
	}{
		"list":            {`["a", "${var.s}", self.port]`, expr.Shown{List: []string{"a", "seven", "22"}, Known: true}},
		"list of a list":  {`["a", [1, true], null]`, expr.Shown{List: []string{"a", "[1,true]", "null"}, Known: true}},
		"empty list":      {`[]`, expr.Shown{List: []string{}, Known: true}},
		"list, not known": {`["a", "x ${var.later}", var.any]`, expr.Shown{List: []string{"a", "x (not known yet)", "(not known yet)"}}},
		"list, sensitive": {`["a", "x ${var.pw}"]`, expr.Shown{List: []string{"a", "x (sensitive)"}, Known: true, Sensitive: true}},
		"text":            {`"at ${self.name}"`, expr.Shown{Text: "at db-b1", Known: true}},
		"object":          {`{ a = 1 }`, expr.Shown{Text: `{"a":1}`, Known: true}},
		"null":            {`null`, expr.Shown{Text: "null", Known: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := mustParse(t, tt.text)
			for range 2 { // the pieces are kept
				got, ds := e.ShowWords(testScope())
				require.Empty(t, ds)
				require.Equal(t, tt.want, got)
			}
			whole, ds := e.Show(testScope())
			require.Empty(t, ds)
			require.Equal(t, tt.want.List, whole.List)
			require.NotEmpty(t, whole.Text)
		})
	}
}

// TestClear: known and not sensitive at once is what the two questions say one by one.
func TestClear(t *testing.T) {
	t.Parallel()
	seen := map[bool]int{}
	for name, v := range values() {
		require.Equal(t, v.Known() && !v.IsSensitive(), v.Clear(), name)
		seen[v.Clear()]++
	}
	require.NotZero(t, seen[true])
	require.NotZero(t, seen[false])
}

// TestEvaluationsShareNothing: many at once in one scope, each with limits of its own, whatever became of the one before.
func TestEvaluationsShareNothing(t *testing.T) {
	t.Parallel()
	scope := testScope()
	fine := mustParse(t, `[for i in range(100) : "x ${i} ${var.s}"][99]`)
	wasteful := mustParse(t, `[for a in range(1000) : [for b in range(1000) : b]]`)
	shown := mustParse(t, `["a ${var.s}", var.later]`)
	var all sync.WaitGroup
	if _, ds := wasteful.Eval(scope); len(ds) != 1 || ds[0].Code != expr.CodeTooComplex {
		t.Fatalf("limits: %v", ds)
	}
	for range 3 {
		all.Go(func() {
			for range 3 {
				v, ds := fine.Eval(scope)
				if text, err := v.Text(); len(ds) != 0 || err != nil || text != "x 99 seven" {
					t.Errorf("%q, %v, %v", text, err, ds)
				}
				if s, ds := shown.Show(scope); len(ds) != 0 || s.Text != "[a seven, (not known yet)]" {
					t.Errorf("%q, %v", s.Text, ds)
				}
			}
		})
	}
	all.Wait()
}

// TestWithMeter: the meter nearest to an evaluation counts, in all scopes inside its own.
func TestWithMeter(t *testing.T) {
	t.Parallel()
	outer, inner := expr.NewMeter(1000, 1000), expr.NewMeter(1000, 1000)
	metered := testScope().WithMeter(outer)
	e := mustParse(t, `var.n + 1`)
	spent := func(s *expr.Scope, m *expr.Meter) int64 {
		before, _ := m.Spent()
		_, ds := e.Eval(s)
		require.Empty(t, ds)
		after, _ := m.Spent()
		return after - before
	}
	one := spent(metered, outer)
	require.Positive(t, one)
	require.Equal(t, one, spent(metered.With(map[string]expr.Value{"each": expr.Int(1)}), outer))
	require.Zero(t, spent(metered.WithMeter(inner), outer))
	require.Equal(t, one, spent(metered.WithMeter(inner), inner))
	require.Equal(t, one, spent(metered.WithMeter(nil), outer))
}
