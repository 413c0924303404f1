package simulation

import (
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// TestResult is what a test of a runbook came to, or one row of a test that is a table.
type TestResult struct {
	Test     *runbooks.Test
	Name     string    // of the test, with the key of its row
	Failures []Failure // none: it passed
	Ended    *Ended    // nil when it could not be run
	// Lasted is the simulated time that the run took.
	Lasted time.Duration
}

// Passed reports whether everything held.
func (r *TestResult) Passed() bool { return len(r.Failures) == 0 }

// Failure is one thing that did not hold, with its place and what to do.
type Failure struct {
	Range   diag.Range
	Message string
	// Values are the names in a failing condition and what they were, as "name = value".
	Values []string
	Hint   string
}

// Test runs a test of a runbook. Of a table it is the first row: see Table.
func Test(p *runbooks.Project, t *runbooks.Test) *TestResult { return Table(p, t)[0] }

// Table runs a test of a runbook for every row of its table; one that is none has one result.
func Table(p *runbooks.Project, t *runbooks.Test) []*TestResult {
	rb := p.Runbook(t.Runbook)
	if rb == nil {
		return []*TestResult{failed(row{test: t}, fmt.Errorf("there is no runbook %q", t.Runbook))}
	}
	table, err := rows(p, rb, t)
	if err != nil {
		return []*TestResult{failed(row{test: t}, err)}
	}
	out := make([]*TestResult, 0, len(table))
	for _, r := range table {
		out = append(out, r.run(p, rb))
	}
	return out
}

// failed is a test that could not be run.
func failed(r row, err error) *TestResult {
	res := &TestResult{Test: r.test, Name: r.name()}
	return res.fail(err)
}

func (r *TestResult) fail(err error) *TestResult {
	f := Failure{Range: r.Test.Range, Message: err.Error()}
	var at *placeError
	if errors.As(err, &at) {
		f.Range, f.Message = at.place, at.err.Error()
	}
	r.Failures = append(r.Failures, f)
	return r
}

// run runs one row.
func (r row) run(p *runbooks.Project, rb *runbooks.Runbook) *TestResult {
	res := &TestResult{Test: r.test, Name: r.name()}
	c := Case{Project: p, Runbook: rb, Operator: r.test.Operator}
	s, err := r.prepare(&c)
	if err != nil {
		return res.fail(err)
	}
	for _, x := range r.test.Expects {
		c.Reads = append(c.Reads, x.Condition)
		if x.Message != nil {
			c.Reads = append(c.Reads, x.Message)
		}
	}
	j := &judge{row: r, res: res, script: s, project: p, rb: rb}
	c.Hosts, c.People = s.world()
	c.Judge = j.judge
	if c.Crash = s.crash; c.Crash != nil {
		_, c.Crash.People = s.world()
	}
	res.Ended, err = Run(c)
	switch {
	case errors.Is(err, ErrStuck):
		return res.fail(fmt.Errorf("the run waits for ever: %w", err))
	case err != nil:
		return res.fail(err)
	}
	if c.Crash != nil && !res.Ended.Crashed {
		return res.fail(fmt.Errorf("continuo was not killed: %s was never at that point", c.Crash.Unit.Item))
	}
	res.Lasted = res.Ended.Record.Elapsed
	return res
}

// variables are those of the test, with defaults for the others.
func (r row) variables(p *runbooks.Project, rb *runbooks.Runbook) (map[string]expr.Value, error) {
	given := map[string]expr.Value{}
	if r.test.Variables != nil {
		names, ds := scope.Base(scope.Inputs{Project: p, Runbook: rb})
		if err := ds.Err(); err != nil {
			return nil, err
		}
		v, ds := r.test.Variables.Eval(r.names(names))
		if err := ds.Err(); err != nil {
			return nil, err
		}
		es, err := v.Elements()
		if err != nil {
			return nil, fmt.Errorf("variables: %w", err)
		}
		for _, k := range es {
			given[k.Key] = k.Value
		}
	}
	vars, ds := scope.Variables(scope.Inputs{Project: p, Runbook: rb}, given, r.test.Range)
	return vars, ds.Err()
}

// prepare makes the scenario of a row (its answers, what is taken for granted, its faults) and completes the case with
// variables, plan and what was before.
func (r row) prepare(c *Case) (*scenario, error) {
	var err error
	if c.Variables, err = r.variables(c.Project, c.Runbook); err != nil {
		return nil, err
	}
	names, err := testScope(c.Project, c.Runbook, c.Variables)
	if err != nil {
		return nil, err
	}
	names = r.names(names)
	if err := r.before(c, names); err != nil {
		return nil, placed(r.test.Before.Range, err)
	}
	s, err := script(c.Project, c.Runbook, r.test, names)
	if err != nil {
		return nil, err
	}
	if c.Plan, err = MakePlan(c.Project, c.Runbook, c.Variables); err != nil {
		return nil, err
	}
	s.willing(c.Project, c.Plan, c.Runbook, r.test.Operator)
	for _, f := range r.test.Faults {
		if err := s.fault(c.Project, c.Runbook, f, names, r.test.Operator); err != nil {
			return nil, placed(f.Range, err)
		}
	}
	return s, nil
}

// judge holds the expectations of a test against its run.
type judge struct {
	row
	res     *TestResult
	script  *scenario
	project *runbooks.Project
	rb      *runbooks.Runbook
}

func (j *judge) judge(eval func(*expr.Expr, map[string]expr.Value) (expr.Value, error), rec *engine.Record) {
	j.missing(rec)
	extra := map[string]expr.Value{"run": runObject(rec)}
	if j.each != nil {
		extra["each"] = expr.Object(map[string]expr.Value{"key": expr.String(j.each.Key), "value": j.each.Value})
	}
	for _, x := range j.test.Expects {
		v, err := eval(x.Condition, extra)
		var holds bool
		if err == nil {
			holds, err = v.Truth()
		}
		if err == nil && holds {
			continue
		}
		f := Failure{Range: x.Condition.Range(), Message: "does not hold: " + x.Condition.Text()}
		if err != nil {
			f.Message = fmt.Sprintf("cannot be judged: %s: %v", x.Condition.Text(), err)
		}
		f.Values = j.values(eval, extra, x.Condition)
		if x.Message != nil {
			if m, err := eval(x.Message, extra); err == nil {
				f.Hint = m.String()
			}
		}
		j.res.Failures = append(j.res.Failures, f)
	}
}

// values shows what the names of a condition stood for.
func (j *judge) values(eval func(*expr.Expr, map[string]expr.Value) (expr.Value, error), extra map[string]expr.Value, e *expr.Expr) []string {
	var out []string
	seen := map[string]bool{}
	for _, ref := range e.Refs() {
		text := ref.String()
		if seen[text] {
			continue
		}
		seen[text] = true
		one, ds := expr.Parse(text, e.Range().File)
		if ds.HasErrors() {
			continue
		}
		v, err := eval(one, extra)
		if err != nil {
			out = append(out, text+" is not there")
			continue
		}
		out = append(out, text+" = "+v.String())
		if text == "run.verdict" {
			out = append(out, "run.why = "+extra["run"].Attr("why").String())
		}
	}
	return out
}

// missing reports items that failed only because the test says nothing of them, and what to write.
func (j *judge) missing(rec *engine.Record) {
	for n := range rec.Items {
		i := &rec.Items[n]
		for _, u := range i.Units {
			switch u.Cause {
			case "capture", "expectation", "expression", "verify":
			default:
				continue
			}
			part, name := engine.PartCommand, string(i.Plan.ID)
			if u.Cause == "verify" {
				part, name = engine.PartVerify, name+".verify"
			}
			if i.Plan.Kind == runbooks.Assert || i.Plan.Kind == runbooks.Call || j.script.answered(i.Plan.ID, part) || j.script.answered(i.Plan.ID, engine.PartSource) {
				continue
			}
			j.res.Failures = append(j.res.Failures, Failure{
				Range:   j.test.Range,
				Message: fmt.Sprintf("%s has no answer in this test, and empty output does not do: %s", name, u.Reason),
				Hint:    fmt.Sprintf("on %q { %s }", name, wanting(itemAt(j.project, j.rb, i.Plan.ID), part)),
			})
			break
		}
	}
}

// wanting is the attribute that an answer most likely lacks.
func wanting(i *runbooks.Item, part engine.PartName) string {
	switch {
	case i != nil && part == engine.PartCommand && i.TCP != nil:
		if i.TCP.Want == "" {
			return `state = "open"`
		}
		return fmt.Sprintf("state = %q", i.TCP.Want)
	case i != nil && part == engine.PartCommand && i.HTTP != nil:
		return "status = 200"
	}
	return `stdout = "…"`
}

// runObject is `run` in the expectations of a test.
func runObject(rec *engine.Record) expr.Value {
	kinds := map[string]bool{}
	for _, d := range rec.Deviations {
		kinds[d.Kind] = true
	}
	var cleaned, back []expr.Value
	for n := range rec.Items {
		i := &rec.Items[n]
		id := expr.String(string(i.Plan.ID))
		if i.Plan.Phase == runbooks.CleanupPhase && i.Outcome == engine.Succeeded {
			cleaned = append(cleaned, id)
		}
		if rolledBack(i) {
			back = append(back, id)
		}
	}
	goals := map[string]expr.Value{}
	for _, o := range rec.Objectives {
		g := map[string]expr.Value{"measured": expr.Bool(o.AchievedS != nil)}
		if o.AchievedS != nil {
			g["achieved_s"] = expr.Number(*o.AchievedS)
		}
		if o.Met != nil {
			g["met"] = expr.Bool(*o.Met)
		}
		goals[o.Name] = expr.Object(g)
	}
	return expr.Object(map[string]expr.Value{
		"started_at": expr.String(rec.StartedAt.UTC().Format(time.RFC3339Nano)), "verdict": expr.String(string(rec.Verdict)), "why": expr.String(rec.Why), "unknown": expr.Int(int64(rec.Unknown)),
		"deviations": kindsOf(kinds), "cleaned_up": list(cleaned), "rolled_back": list(back), "objectives": expr.Object(goals),
		"id": expr.String(string(rec.Opened.Run)), "mode": expr.String(string(rec.Mode)), "operator": expr.String(rec.Opened.Operator),
		"incident": expr.String(rec.Opened.Incident), "change": expr.String(rec.Opened.Change),
	})
}

// rolledBack reports whether every rollback of an item's units that ran has succeeded, and one did run.
func rolledBack(i *engine.ItemRecord) bool {
	ran := false
	for _, u := range i.Units {
		for _, p := range u.Parts {
			if p.Part != engine.PartRollback {
				continue
			}
			if p.Outcome != engine.Succeeded {
				return false
			}
			ran = true
		}
	}
	return ran
}

func kindsOf(set map[string]bool) expr.Value {
	var names []string
	for k := range set {
		names = append(names, k)
	}
	sort.Strings(names)
	vs := make([]expr.Value, len(names))
	for i, n := range names {
		vs[i] = expr.String(n)
	}
	return list(vs)
}

func list(vs []expr.Value) expr.Value { return expr.ListOf(expr.StringType(), vs...) }
