package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitResult `xml:"failure"`
	Error   *junitResult `xml:"error"`
	Skipped *junitResult `xml:"skipped"`
	Out     string       `xml:"system-out,omitempty"`
}

type junitResult struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
}

// JUnit writes the report as JUnit XML: a suite for each phase and one for the objectives, a case for each unit. Failed
// expectations and exit codes are failures; what could not be executed or is unknown is an error. In a dry-run whatever
// did not fail is skipped: a dry-run passes nothing. The error is the writer's.
func (r *Report) JUnit(w io.Writer) error {
	all := junitSuites{Name: xmlText(modeName(r.Run.Mode) + ": " + r.Run.Runbook), Time: junitSeconds(&r.Run.Elapsed)}
	for _, p := range phaseViews(r) {
		s := r.junitSuite(p.Title)
		total := Seconds(0)
		for _, i := range p.Items {
			r.junitItem(&s, i.Item)
			if i.Took != nil {
				total += *i.Took
			}
		}
		s.Time = junitSeconds(&total)
		all.add(s)
	}
	if len(r.Objectives) > 0 {
		s := r.junitSuite("objectives")
		for _, o := range r.Objectives {
			s.add(junitObjective(r, o))
		}
		all.add(s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write report as junit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("write report as junit: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write report as junit: %w", err)
	}
	return nil
}

func (r *Report) junitSuite(name string) junitSuite {
	return junitSuite{
		Name: xmlText(name), Timestamp: r.Run.StartedAt.UTC().Format("2006-01-02T15:04:05Z"), Time: "0",
		Properties: []junitProperty{
			{"run", string(r.Run.ID)}, {"mode", string(r.Run.Mode)}, {"verdict", string(r.Verdict.Verdict)},
			{"meaning", ModeWords(r.Run.Mode)},
		},
	}
}

func (s *junitSuites) add(suite junitSuite) {
	s.Suites = append(s.Suites, suite)
	s.Tests += suite.Tests
	s.Failures += suite.Failures
	s.Errors += suite.Errors
	s.Skipped += suite.Skipped
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (r *Report) junitItem(s *junitSuite, i *Item) {
	class := xmlText(r.Run.Runbook + "." + i.Phase)
	if len(i.Units) == 0 {
		c := junitCase{Name: xmlText(string(i.ID)), Class: class, Time: junitSeconds(i.Took)}
		c.judge(r.Run.Mode, i.Outcome, i.Standing, i.Reason, i.Cause)
		s.add(c)
		return
	}
	for n := range i.Units {
		u := &i.Units[n]
		c := junitCase{Name: xmlText(caseName(i, u)), Class: class, Time: junitSeconds(u.Took)}
		c.judge(r.Run.Mode, u.Outcome, u.Standing, u.Reason, u.Cause)
		if u.SettledBy != "" {
			c.Out = xmlText(fmt.Sprintf("outcome %s; settled as %s by %s", OutcomeWords(u.Outcome), u.Standing, u.SettledBy))
		}
		s.add(c)
	}
}

// caseName names a unit in documents for machines: item[key]@host.
func caseName(i *Item, u *Unit) string {
	name := string(i.ID)
	if u.Key != "" {
		name += "[" + u.Key + "]"
	}
	if u.Host != "" {
		name += "@" + u.Host
	}
	return name
}

func (c *junitCase) judge(mode engine.Mode, o engine.Outcome, standing engine.Standing, reason, cause string) {
	res := &junitResult{Message: xmlText(reason), Type: xmlText(cause)}
	if res.Message == "" {
		res.Message = OutcomeWords(o)
	}
	settled := o.Standing() != engine.Done && standing == engine.Done
	switch o {
	case engine.Succeeded, engine.Exercised:
		if mode == engine.DryRun {
			c.Skipped = &junitResult{Message: "dry-run: exercised, and it holds; a dry-run tests no recovery"}
		}
	case engine.Failed:
		c.Failure = res
	case engine.TimedOut, engine.Unreachable, engine.NeverStarted, engine.Unknown:
		c.Error = res
	default:
		c.Skipped = res
	}
	if cause == engine.CauseTolerated || settled {
		c.Failure, c.Error, c.Skipped = nil, nil, res
	}
}

func junitObjective(r *Report, o Objective) junitCase {
	c := junitCase{Name: xmlText("objective/" + o.Name), Class: xmlText(r.Run.Runbook + ".objectives"), Time: "0"}
	achieved := achievedWords(o)
	switch {
	case o.Met != nil && !*o.Met:
		c.Failure = &junitResult{Message: fmt.Sprintf("target %s, achieved %s", targetWords(o), achieved), Type: "objective-missed"}
	case achieved == "":
		c.Error = &junitResult{Message: xmlText("not measured, because " + o.Problem), Type: "not-measured"}
	default:
		c.Out = fmt.Sprintf("target %s, achieved %s", targetWords(o), achieved)
	}
	return c
}

func junitSeconds(s *Seconds) string {
	if s == nil {
		return "0"
	}
	return strconv.FormatFloat(s.Duration().Seconds(), 'f', 3, 64)
}

// xmlText makes foreign text fit for XML 1.0, which has no place for control characters; they are shown escaped.
func xmlText(text string) string { return strings.TrimSpace(visible(text)) }
