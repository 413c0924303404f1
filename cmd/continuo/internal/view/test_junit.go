package view

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

type junitTests struct {
	XMLName  xml.Name         `xml:"testsuites"`
	Name     string           `xml:"name,attr"`
	Tests    int              `xml:"tests,attr"`
	Failures int              `xml:"failures,attr"`
	Suites   []junitTestSuite `xml:"testsuite"`
}

type junitTestSuite struct {
	Name       string              `xml:"name,attr"`
	Tests      int                 `xml:"tests,attr"`
	Failures   int                 `xml:"failures,attr"`
	Properties []junitTestProperty `xml:"properties>property"`
	Cases      []junitTestCase     `xml:"testcase"`
}

type junitTestProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// junitTestCase has no time: the seconds of a simulated run are none that anybody waited.
type junitTestCase struct {
	Name    string            `xml:"name,attr"`
	Class   string            `xml:"classname,attr"`
	File    string            `xml:"file,attr,omitempty"`
	Line    int               `xml:"line,attr,omitempty"`
	Failure *junitTestFailure `xml:"failure"`
}

type junitTestFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the document as JUnit XML, a suite a runbook, for machines that run tests.
func (d TestDocument) JUnit(w io.Writer) error {
	all := junitTests{Name: "continuo test", Tests: len(d.Tests), Failures: d.Failed}
	index := map[string]int{}
	for _, t := range d.Tests {
		n, ok := index[t.Runbook]
		if !ok {
			n = len(all.Suites)
			index[t.Runbook] = n
			all.Suites = append(all.Suites, junitTestSuite{Name: xmlWord(t.Runbook)})
		}
		s := &all.Suites[n]
		s.Tests++
		c := junitTestCase{Name: xmlWord(t.Name), Class: xmlWord(t.Runbook), File: t.File, Line: t.Line}
		if t.Result != "passed" {
			s.Failures++
			c.Failure = &junitTestFailure{Message: xmlWord(t.Detail), Text: xmlWord(failureText(t.Failures))}
		}
		s.Cases = append(s.Cases, c)
	}
	for _, c := range d.Coverage {
		if n, ok := index[c.Runbook]; ok {
			all.Suites[n].Properties = append(all.Suites[n].Properties, junitTestProperty{Name: "coverage-percent", Value: fmt.Sprint(c.Percent)})
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
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

// xmlWord replaces what XML 1.0 cannot hold.
func xmlWord(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff {
			return r
		}
		return '\ufffd'
	}, s)
}
