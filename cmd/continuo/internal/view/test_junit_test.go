package view_test

import (
	"bytes"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
)

// What XML cannot hold is shown escaped, as in the reports of runs, and a parser of another project counts the same.
func TestTestDocument_JUnit(t *testing.T) {
	t.Parallel()
	doc := view.TestDocument{
		Passed: 2, Failed: 1,
		Tests: []view.TestEntryDoc{
			{Name: "it works", Runbook: "failover", File: "a.test.hcl", Line: 3, Result: "passed"},
			{Name: "a host says \x1b[31mred\x00", Runbook: "failover", Result: "failed", Detail: "expected \x07 <& \u202e", Failures: []view.TestFailureDoc{
				{File: "a.test.hcl", Line: 9, Column: 5, Message: "verdict is failed\x1b", Values: []string{"run.verdict = failed"}, Hint: "look"},
			}},
			{Name: "back", Runbook: "failback", Result: "passed"},
		},
		Coverage: []view.CoverageDoc{{Runbook: "failover", Percent: 50}},
	}
	var b bytes.Buffer
	require.NoError(t, doc.JUnit(&b))
	require.NotContains(t, b.String(), "\ufffd", "nothing is lost")
	require.NotContains(t, b.String(), "\u202e")
	suites, err := junit.IngestReader(&b)
	require.NoError(t, err)
	require.Len(t, suites, 2)
	require.Equal(t, 2, suites[0].Totals.Tests)
	require.Equal(t, 1, suites[0].Totals.Failed)
	require.Equal(t, "50", suites[0].Properties["coverage-percent"])
	failed := suites[0].Tests[1]
	require.Equal(t, `a host says \x1b[31mred\x00`, failed.Name)
	require.Equal(t, `expected \x07 <& \u202e`, failed.Message)
	require.ErrorContains(t, failed.Error, "a.test.hcl:9:5: verdict is failed\\x1b\n  run.verdict = failed\n  hint: look")
	require.Equal(t, 1, suites[1].Totals.Passed)
}
