package simulation

import (
	"errors"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// row is a test as it runs: one of those that its each makes of it.
type row struct {
	test *runbooks.Test
	each *expr.Keyed // nil: it is no table
}

// name is the test's, with the key of its row.
func (r row) name() string {
	if r.each == nil {
		return r.test.Name
	}
	return fmt.Sprintf("%s [%s]", r.test.Name, r.each.Key)
}

// names adds what the row is to a scope.
func (r row) names(s *expr.Scope) *expr.Scope {
	if r.each == nil {
		return s
	}
	return scope.At(s, scope.Place{Each: r.each})
}

// errEmptyTable: a table without rows tests nothing, and must not look like one that passed.
var errEmptyTable = errors.New("each has no elements: nothing is tested")

// rows are the rows of a test. A list of texts has the texts as keys, another list counts from 1.
func rows(p *runbooks.Project, rb *runbooks.Runbook, t *runbooks.Test) ([]row, error) {
	if t.Each == nil {
		return []row{{test: t}}, nil
	}
	base, ds := scope.Base(scope.Inputs{Project: p, Runbook: rb})
	if err := ds.Err(); err != nil {
		return nil, err
	}
	v, ds := t.Each.Eval(base)
	if err := ds.Err(); err != nil {
		return nil, err
	}
	es, err := v.Elements()
	if err != nil {
		return nil, fmt.Errorf("each: %w", err)
	}
	if len(es) == 0 {
		return nil, errEmptyTable
	}
	var out []row
	for n, k := range es {
		if v.IsSequence() {
			k.Key = fmt.Sprint(n + 1)
			if k.Value.IsText() {
				k.Key = k.Value.String()
			}
		}
		out = append(out, row{test: t, each: &k})
	}
	return out, nil
}

// before is what the run is given on its command line, as far as the test says.
func (r row) before(c *Case, names *expr.Scope) error {
	b := r.test.Before
	if b == nil {
		return nil
	}
	c.From, c.Limit, c.Change, c.Incident = b.From, b.Limit, b.Change, b.Incident
	c.Start = Epoch
	if b.StartedAt != "" {
		var err error
		if c.Start, err = time.Parse(time.RFC3339, b.StartedAt); err != nil {
			return fmt.Errorf("started_at: %q is no time as 2026-11-21T03:10:00Z", b.StartedAt)
		}
	}
	if b.Marks == nil {
		return nil
	}
	v, ds := b.Marks.Eval(names)
	if err := ds.Err(); err != nil {
		return err
	}
	es, err := v.Elements()
	if err != nil {
		return fmt.Errorf("marks: %w", err)
	}
	c.Marks = map[string]time.Time{}
	for _, k := range es {
		if !isMark(c.Runbook, k.Key) {
			return fmt.Errorf("marks: runbook %s has no mark %q", c.Runbook.Name, k.Key)
		}
		text, err := k.Value.Text()
		if err == nil {
			c.Marks[k.Key], err = instant(text, c.Start)
		}
		if err != nil {
			return fmt.Errorf("mark %s: %w", k.Key, err)
		}
	}
	return nil
}

func isMark(rb *runbooks.Runbook, name string) bool {
	for _, m := range rb.Marks {
		if m.Name == name {
			return true
		}
	}
	for _, i := range rb.AllItems() {
		for _, m := range append(i.Marks[:len(i.Marks):len(i.Marks)], i.MarksStart...) {
			if m == name {
				return true
			}
		}
	}
	return false
}

// instant reads a time, or how long it was before the simulated run began: "-20m".
func instant(text string, start time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return start.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time: want RFC 3339, or as long before the run as \"-20m\"", text)
	}
	return at, nil
}
