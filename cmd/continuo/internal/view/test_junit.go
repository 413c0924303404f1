package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/continuo-runbooks/continuo/engine/report"
)

// JUnit writes the document as JUnit XML, a suite a runbook, for machines that run tests. Cases have no time: the seconds of a
// simulated run are none that anybody waited.
func (d TestDocument) JUnit(w io.Writer) error {
	var suites []report.JUnitSuite
	index := map[string]int{}
	for _, t := range d.Tests {
		n, ok := index[t.Runbook]
		if !ok {
			n = len(suites)
			index[t.Runbook] = n
			suites = append(suites, report.JUnitSuite{Name: report.JUnitText(t.Runbook)})
		}
		c := report.JUnitCase{Name: report.JUnitText(t.Name), Class: report.JUnitText(t.Runbook), File: t.File, Line: t.Line}
		if t.Result != "passed" {
			c.Failure = &report.JUnitResult{Message: report.JUnitText(t.Detail), Text: report.JUnitLines(failureText(t.Failures))}
		}
		suites[n].Add(c)
	}
	for _, c := range d.Coverage {
		if n, ok := index[c.Runbook]; ok {
			suites[n].Properties = append(suites[n].Properties, report.JUnitProperty{Name: "coverage-percent", Value: fmt.Sprint(c.Percent)})
		}
	}
	all := report.JUnitSuites{Name: "continuo test"}
	for _, s := range suites {
		all.Add(s)
	}
	return all.Write(w)
}

func failureText(all []TestFailureDoc) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s:%d:%d: %s\n", f.File, f.Line, f.Column, f.Message)
		for _, v := range f.Values {
			fmt.Fprintf(&b, "  %s\n", v)
		}
		if f.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", f.Hint)
		}
	}
	return b.String()
}
