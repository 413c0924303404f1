package executor

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// marks sets the named instants of a run. A dry-run has none.
type marks struct{ r *run }

func newMarks(r *run) *marks { return &marks{r} }

// given sets the marks of --at, in order of name.
func (m *marks) given() error {
	if m.r.dry {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(m.r.cfg.Marks)) {
		if m.r.past.marked(name, "", 0) {
			continue
		}
		if err := m.r.emit(&engine.MarkSet{Mark: name, At: m.r.cfg.Marks[name].UTC(), Source: engine.MarkByOperator}); err != nil {
			return err
		}
	}
	return nil
}

// set sets marks of an item now.
func (m *marks) set(names []string, item runbooks.ItemID) error {
	for _, name := range names {
		if err := m.r.emit(&engine.MarkSet{Mark: m.r.markPrefix() + name, At: m.r.cfg.Clock.Now().UTC(), Source: engine.MarkByItem, Item: item}); err != nil {
			return err
		}
	}
	return nil
}

// missed sets marks of an item that an earlier controller should have set at an instant that is on record, and did not
// come to. They are as computed ones: the wall clock's, not this segment's.
func (m *marks) missed(names []string, item runbooks.ItemID, since uint64, at time.Time) error {
	for _, name := range names {
		name = m.r.markPrefix() + name
		if m.r.past.marked(name, item, since) {
			continue
		}
		if err := m.r.emit(&engine.MarkSet{Mark: name, At: at.UTC(), Source: engine.MarkComputed, Item: item}); err != nil {
			return err
		}
	}
	return nil
}

// early sets the computed marks that no result can change, so that the clock of an objective is seen to run from the
// beginning.
func (m *marks) early() error {
	return m.compute(func(at *expr.Expr) bool { return !needsResults(at) })
}

// computed sets the other marks that an expression gives, at the end. One that cannot be evaluated is not set; what is
// measured by it says so.
func (m *marks) computed() error { return m.compute(needsResults) }

// needsResults reports whether an expression names anything but what is fixed when a run begins. A local may name
// anything.
func needsResults(e *expr.Expr) bool {
	return slices.ContainsFunc(e.Refs(), func(r expr.Ref) bool { return r.Root != "run" && r.Root != "var" && r.Root != "host" })
}

func (m *marks) compute(now func(*expr.Expr) bool) error {
	for _, mark := range m.r.cfg.Runbook.Marks {
		if mark.At == nil || !now(mark.At) || m.r.past.marked(m.r.markPrefix()+mark.Name, "", 0) {
			continue
		}
		v, err := m.r.value(mark.At)
		if err != nil {
			continue
		}
		instant, err := instantOf(v)
		if err != nil {
			continue
		}
		if err := m.r.emit(&engine.MarkSet{Mark: m.r.markPrefix() + mark.Name, At: instant, Source: engine.MarkComputed}); err != nil {
			return err
		}
	}
	return nil
}

// value evaluates an expression of the runbook at the end of the run.
func (r *run) value(e *expr.Expr) (expr.Value, error) {
	names, err := r.names.scopeFor(r.stay, r.book, []*expr.Expr{e})
	if err != nil {
		return expr.Value{}, err
	}
	return eval(e, names)
}

// objectives records what the expressions of objectives came to.
func (r *run) objectives() error {
	for _, o := range r.cfg.Runbook.Objectives {
		if r.past != nil && r.past.measured[o.Name] {
			continue
		}
		var got *engine.ObjectiveMeasured
		switch o.Kind {
		case runbooks.RecoveryPoint:
			got = r.recoveryPoint(o)
		case runbooks.Measured:
			got = r.measured(o)
		default:
			continue
		}
		got.Objective = o.Name
		if err := r.emit(got); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) recoveryPoint(o *runbooks.Objective) *engine.ObjectiveMeasured {
	v, err := r.value(o.Point)
	if err == nil {
		var at time.Time
		if at, err = instantOf(v); err == nil {
			return &engine.ObjectiveMeasured{RecoveryPoint: at}
		}
	}
	return &engine.ObjectiveMeasured{Problem: r.clip("recovery point: " + errText(err))}
}

func (r *run) measured(o *runbooks.Objective) *engine.ObjectiveMeasured {
	v, err := r.value(o.Value)
	if err == nil {
		var f float64
		if f, err = v.Float(); err == nil {
			return &engine.ObjectiveMeasured{Value: &f}
		}
	}
	return &engine.ObjectiveMeasured{Problem: r.clip("value: " + errText(err))}
}

// instantOf reads an instant: RFC 3339 text, or seconds since 1970.
func instantOf(v expr.Value) (time.Time, error) {
	if f, err := v.Float(); err == nil {
		sec, frac := math.Modf(f)
		if math.Abs(sec) > 1<<40 {
			return time.Time{}, fmt.Errorf("%s is no time", v)
		}
		return time.Unix(int64(sec), int64(frac*1e9)).UTC(), nil
	}
	text, err := v.Text()
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither RFC 3339 nor seconds since 1970", text)
	}
	return at.UTC(), nil
}
