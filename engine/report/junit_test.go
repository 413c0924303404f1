package report_test

import (
	"bytes"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/report"
)

// A parser of another project reads what we write, and counts the same.
func TestJUnit_opensElsewhere(t *testing.T) {
	t.Parallel()
	for name, s := range samples(t) {
		r := s.report(t)
		var b bytes.Buffer
		require.NoError(t, r.JUnit(&b))
		suites, err := junit.IngestReader(&b)
		require.NoError(t, err, name)
		require.NotEmpty(t, suites)
		own := readJUnit(t, r)
		var total junit.Totals
		for _, s := range suites {
			total.Tests += s.Totals.Tests
			total.Failed += s.Totals.Failed
			total.Error += s.Totals.Error
			total.Skipped += s.Totals.Skipped
			for _, c := range s.Tests {
				require.NotEmpty(t, c.Name)
				require.NotEmpty(t, c.Classname, c.Name)
			}
		}
		require.Equal(t, []int{own.Tests, own.Failures, own.Errors, own.Skipped}, []int{total.Tests, total.Failed, total.Error, total.Skipped}, name)
	}
}

// What a dry-run observed is not a test of what it did not do.
func TestOSCAL_aDryRunHoldsNoTEST(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	r := readyDryRun(t).report(t)
	require.NoError(t, r.OSCAL(&b))
	require.NoError(t, r.OSCALPlan(&b))
	require.NotContains(t, b.String(), `"TEST"`)
	require.Contains(t, b.String(), `"EXAMINE"`)
	var live bytes.Buffer
	require.NoError(t, passedDrill(t).report(t).OSCAL(&live))
	require.Contains(t, live.String(), `"TEST"`)
	require.Equal(t, report.Schema, r.Schema)
}
