package report

import (
	"fmt"
	"io"
	"strconv"

	"github.com/continuo-runbooks/continuo/engine"
)

// JUnit writes the report as JUnit XML: a suite for each phase and one for the objectives, a case for each unit. Failed
// expectations and exit codes are failures; what could not be executed or is unknown is an error. In a dry-run whatever
// did not fail is skipped: a dry-run passes nothing. The error is the writer's.
func (r *Report) JUnit(w io.Writer) error {
	all := JUnitSuites{Name: JUnitText(modeName(r.Run.Mode) + ": " + r.Run.Runbook), Time: junitSeconds(&r.Run.Elapsed)}
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
		all.Add(s)
	}
	if len(r.Objectives) > 0 {
		s := r.junitSuite("objectives")
		for _, o := range r.Objectives {
			s.Add(junitObjective(r, o))
		}
		all.Add(s)
	}
	return all.Write(w)
}

func (r *Report) junitSuite(name string) JUnitSuite {
	return JUnitSuite{
		Name: JUnitText(name), Timestamp: r.Run.StartedAt.UTC().Format("2006-01-02T15:04:05Z"), Time: "0",
		Properties: []JUnitProperty{
			{"run", string(r.Run.ID)}, {"mode", string(r.Run.Mode)}, {"verdict", string(r.Verdict.Verdict)},
			{"meaning", ModeWords(r.Run.Mode)},
		},
	}
}

func (r *Report) junitItem(s *JUnitSuite, i *Item) {
	class := JUnitText(r.Run.Runbook + "." + i.Phase)
	if len(i.Units) == 0 {
		c := JUnitCase{Name: JUnitText(string(i.ID)), Class: class, Time: junitSeconds(i.Took)}
		c.judge(r.Run.Mode, i.Outcome, i.Standing, i.Reason, i.Cause)
		s.Add(c)
		return
	}
	for n := range i.Units {
		u := &i.Units[n]
		c := JUnitCase{Name: JUnitText(caseName(i, u)), Class: class, Time: junitSeconds(u.Took)}
		c.judge(r.Run.Mode, u.Outcome, u.Standing, u.Reason, u.Cause)
		if u.SettledBy != "" {
			c.Out = JUnitText(fmt.Sprintf("outcome %s; settled as %s by %s", OutcomeWords(u.Outcome), u.Standing, u.SettledBy))
		}
		s.Add(c)
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

func (c *JUnitCase) judge(mode engine.Mode, o engine.Outcome, standing engine.Standing, reason, cause string) {
	res := &JUnitResult{Message: JUnitText(reason), Type: JUnitText(cause)}
	if res.Message == "" {
		res.Message = OutcomeWords(o)
	}
	settled := o.Standing() != engine.Done && standing == engine.Done
	switch o {
	case engine.Succeeded, engine.Exercised:
		if mode == engine.DryRun {
			c.Skipped = &JUnitResult{Message: "dry-run: exercised, and it holds; a dry-run tests no recovery"}
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

func junitObjective(r *Report, o Objective) JUnitCase {
	c := JUnitCase{Name: JUnitText("objective/" + o.Name), Class: JUnitText(r.Run.Runbook + ".objectives"), Time: "0"}
	achieved := achievedWords(o)
	switch {
	case o.Met != nil && !*o.Met:
		c.Failure = &JUnitResult{Message: fmt.Sprintf("target %s, achieved %s", targetWords(o), achieved), Type: "objective-missed"}
	case achieved == "":
		c.Error = &JUnitResult{Message: JUnitText("not measured, because " + o.Problem), Type: "not-measured"}
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
