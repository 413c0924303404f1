// Package scope says what the expressions of a runbook can refer to, at plan time and at run time: it turns the project,
// variables and results into an expr.Scope. Loader (types), planner (what is known) and executor (everything) share it,
// so that a reference means the same in all three.
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
	// Variables holds a value for every variable of the runbook. At validate time a variable may be an unknown of its type.
	Variables map[string]expr.Value
	// Secrets by name, resolved; nil or a missing name makes secret.NAME a sensitive unknown.
	Secrets map[string]string
	Run     *Run
}

// Unit is what is known of one item on one host (or of one element of its for_each) as data.
type Unit struct {
	Started bool
	Outcome string // outcome word; empty: none yet
	OK      bool
	// Data are started_at, ended_at, exit_code, stdout, stderr, sha256, changed, state, status and captures, as far as
	// they exist. What is missing is absent: reading it is an error that try and can catch.
	Data map[string]expr.Value
}

// Result is what is known of an item.
type Result struct {
	Unit
	// Single makes Data readable in the short form (check.x.stdout): the item has one host by its form, or none.
	Single bool
	ByHost map[string]Unit
	ByKey  map[string]Result
}

// Base returns the scope of var, local, host, inventory, group, role, secret, control and run. Locals are evaluated
// lazily in order of their references; those that need results are evaluated by WithResults.
func Base(in Inputs) (*expr.Scope, diag.List) { return nil, nil }

// WithResults adds check, step, transfer, decision, manual, gate and call, and the locals that depend on them. Items
// missing in results are typed unknowns when plan is true, and absent data (outcome "not-reached", ok false, started
// false) otherwise.
func WithResults(base *expr.Scope, in Inputs, results map[runbooks.ItemID]Result, plan bool) (*expr.Scope, diag.List) {
	return nil, nil
}

// HostValue is a host as expressions see it: name, address, port, site, environment, ci, owner, labels.
func HostValue(h *runbooks.Host) expr.Value { return expr.Value{} }

// Hosts turns the value of a `hosts` expression (a host, a list of hosts, lists of lists) into hosts of the inventory,
// flattened, first kept. The control host is returned as a Host with Control set.
func Hosts(p *runbooks.Project, v expr.Value) ([]*runbooks.Host, error) { return nil, nil }
