package simulation

import (
	"errors"
	"fmt"
	"sort"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// TestResult is what a test of a runbook came to.
type TestResult struct {
	Test     *runbooks.Test
	Failures []Failure // none: it passed
	Ended    *Ended    // nil when it could not be run
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

// Test runs one test of a runbook.
func Test(p *runbooks.Project, t *runbooks.Test) *TestResult {
	res := &TestResult{Test: t}
	fail := func(r diag.Range, err error) *TestResult {
		res.Failures = append(res.Failures, Failure{Range: r, Message: err.Error()})
		return res
	}
	rb := p.Runbook(t.Runbook)
	if rb == nil {
		return fail(t.Range, fmt.Errorf("there is no runbook %q", t.Runbook))
	}
	vars, err := variables(p, rb, t)
	if err != nil {
		return fail(t.Range, err)
	}
	s, err := prepare(p, rb, t, vars)
	if err != nil {
		return fail(t.Range, err)
	}
	var reads []*expr.Expr
	for _, x := range t.Expects {
		reads = append(reads, x.Condition)
		if x.Message != nil {
			reads = append(reads, x.Message)
		}
	}
	j := &judge{test: t, res: res, script: s, rb: rb}
	hosts, people := s.world()
	res.Ended, err = Run(Case{
		Project: p, Runbook: rb, Variables: vars, Operator: t.Operator, Hosts: hosts, People: people, Judge: j.judge, Reads: reads,
	})
	switch {
	case errors.Is(err, ErrStuck):
		return fail(t.Range, fmt.Errorf("the run waits for ever: %w", err))
	case err != nil:
		return fail(t.Range, err)
	}
	return res
}

// variables are those of the test, with defaults for the others.
func variables(p *runbooks.Project, rb *runbooks.Runbook, t *runbooks.Test) (map[string]expr.Value, error) {
	given := map[string]expr.Value{}
	if t.Variables != nil {
		names, ds := scope.Base(scope.Inputs{Project: p, Runbook: rb})
		if err := ds.Err(); err != nil {
			return nil, err
		}
		v, ds := t.Variables.Eval(names)
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
	vars, ds := scope.Variables(scope.Inputs{Project: p, Runbook: rb}, given, t.Range)
	return vars, ds.Err()
}

// prepare makes the scenario of a test: its answers, what is taken for granted, and its faults.
func prepare(p *runbooks.Project, rb *runbooks.Runbook, t *runbooks.Test, vars map[string]expr.Value) (*scenario, error) {
	names, err := testScope(p, rb, vars)
	if err != nil {
		return nil, err
	}
	s, err := script(p, rb, t, names)
	if err != nil {
		return nil, err
	}
	plan, err := MakePlan(p, rb, vars)
	if err != nil {
		return nil, err
	}
	s.willing(p, plan, rb, t.Operator)
	for _, f := range t.Faults {
		if err := s.fault(p, rb, f, names, t.Operator); err != nil {
			return nil, placed(f.Range, err)
		}
	}
	return s, nil
}

// judge holds the expectations of a test against its run.
type judge struct {
	test   *runbooks.Test
	res    *TestResult
	script *scenario
	rb     *runbooks.Runbook
}

func (j *judge) judge(eval func(*expr.Expr, map[string]expr.Value) (expr.Value, error), rec *engine.Record) {
	j.missing(rec)
	extra := map[string]expr.Value{"run": runObject(rec)}
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
			if i.Plan.Kind == runbooks.Assert || j.script.answered(i.Plan.ID, part) {
				continue
			}
			j.res.Failures = append(j.res.Failures, Failure{
				Range:   j.test.Range,
				Message: fmt.Sprintf("%s has no answer in this test, and empty output does not do: %s", name, u.Reason),
				Hint:    fmt.Sprintf("on %q { stdout = \"…\" }", name),
			})
			break
		}
	}
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
		"verdict": expr.String(string(rec.Verdict)), "why": expr.String(rec.Why), "unknown": expr.Int(int64(rec.Unknown)),
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
