// Package scope says what the expressions of a runbook can refer to, at plan time and at run time: it turns the project,
// variables and results into an expr.Scope. Loader (types), planner (what is known) and executor (everything) share it,
// so that a reference means the same in all three.
//
// What nobody refers to costs nothing: names are resolved when they are met, and kept. Everything here is safe for
// concurrent use.
package scope

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Run is what `run` offers: run.id, run.mode, run.started_at, run.operator, run.incident, run.change.
// A nil *Run at plan time makes them unknown strings.
type Run struct {
	ID, Mode, Operator, Incident, Change string
	StartedAt                            time.Time
}

// Inputs is what is the same for the whole run.
type Inputs struct {
	Project *runbooks.Project
	Runbook *runbooks.Runbook
	// Variables holds a value for every variable of the runbook. At validate time a variable may be an unknown of its type;
	// one that is missing is taken as that.
	Variables map[string]expr.Value
	// Secrets by name, resolved; nil or a missing name makes secret.NAME a sensitive unknown.
	Secrets map[string]string
	Run     *Run
	// Files serves file() while the project is being loaded. Nil: the files of Project, as they were when it was loaded.
	Files expr.Files
	// Meter bounds the loops of all expressions together; nil: no bound beyond that of each.
	Meter *expr.Meter
}

// Unit is what is known of one item on one host (or of one element of its for_each) as data.
type Unit struct {
	Started bool
	Outcome string // outcome word; empty: none yet
	OK      bool
	// Data are started_at, ended_at, exit_code, stdout, stderr, sha256, changed, state, status and captures, as far as
	// they exist; inputs of a manual item, choice of a decision, approved_by of a gate, outputs of a call. What is missing
	// is absent: reading it is an error that try and can catch. Sensitive captures and inputs need no mark: they get it.
	Data map[string]expr.Value
}

// Result is what is known of an item. Once it was given to WithResults, its maps are not changed any more: what is new is
// another Result with maps of its own.
type Result struct {
	Unit
	// Single makes Data readable in the short form (check.x.stdout): the item has one host by its form, or none.
	Single bool
	ByHost map[string]Unit
	ByKey  map[string]Result
}

// Base returns the scope of var, local, host, inventory, group, role, secret, control and run. Locals are evaluated
// lazily in order of their references; those that need results are evaluated by WithResults, those that need self, each,
// batch or result where they are used. The diagnostics are about locals that can never have a value: circles.
func Base(in Inputs) (*expr.Scope, diag.List) {
	b := newBase(in)
	s := expr.NewScope(b).WithMeter(in.Meter).With(map[string]expr.Value{
		"inventory": HostList(in.Project.Hosts),
		"control":   HostValue(Control()),
		"run":       runValue(in.Run),
	}).WithResolver(b)
	l, ds := newLocals(in)
	l.scope = s.WithResolver(l)
	return l.scope, ds
}

// WithResults adds check, step, transfer, decision, manual, gate, call, assert and wait, and the locals that depend on
// them. Items missing in results are typed unknowns when plan is true, and absent data (outcome "not-reached", ok false,
// started false) otherwise. The results of a called runbook's items have its call path in their ids.
func WithResults(base *expr.Scope, in Inputs, results map[runbooks.ItemID]Result, plan bool) (*expr.Scope, diag.List) {
	b, _ := base.ResolverOf("var").(*resolver)
	if b == nil {
		b = newBase(in)
	}
	r := &resultNames{base: b, scope: base, results: results, plan: plan}
	return r.place(), nil
}

// Place is what is known at one place: a unit, a batch, an expectation. Zero fields are names that the place has not.
type Place struct {
	Self  *runbooks.Host
	Each  *expr.Keyed
	Batch []*runbooks.Host // nil: none; empty: an empty batch
	// Result is what the unit left so far, Results every host's.
	Result  map[string]expr.Value
	Results map[string]map[string]expr.Value
}

// At returns the scope of a place.
func At(parent *expr.Scope, p Place) *expr.Scope {
	names := map[string]expr.Value{}
	if p.Self != nil {
		names["self"] = HostValue(p.Self)
	}
	if p.Each != nil {
		names["each"] = expr.Object(map[string]expr.Value{"key": expr.String(p.Each.Key), "value": p.Each.Value})
	}
	if p.Batch != nil {
		names["batch"] = HostList(p.Batch)
	}
	if p.Result != nil {
		names["result"] = expr.Object(p.Result)
	}
	if p.Results != nil {
		all := make(map[string]expr.Value, len(p.Results))
		for host, r := range p.Results {
			all[host] = expr.Object(r)
		}
		names["results"] = expr.Object(all)
	}
	return parent.With(names)
}

func runValue(r *Run) expr.Value {
	if r == nil {
		t := expr.StringType()
		return expr.Unknown(expr.ObjectType(map[string]expr.Type{
			"id": t, "mode": t, "started_at": t, "operator": t, "incident": t, "change": t,
		}))
	}
	return expr.Object(map[string]expr.Value{
		"id": expr.String(r.ID), "mode": expr.String(r.Mode), "started_at": expr.String(r.StartedAt.UTC().Format(time.RFC3339Nano)),
		"operator": expr.String(r.Operator), "incident": expr.String(r.Incident), "change": expr.String(r.Change),
	})
}
