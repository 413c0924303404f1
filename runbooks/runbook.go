package runbooks

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Runbook is one procedure.
type Runbook struct {
	Name     string
	Title    string
	Service  string
	Owner    string
	Version  string
	ReviewBy string // RFC 3339 date, or empty
	Failback string // name of the runbook that reverses this one, or empty
	Exercise Exercise
	Scenario *Scenario // nil: none given

	Variables  []*Variable
	Locals     []Local
	Marks      []*Mark
	Objectives []*Objective
	Outputs    []Local
	Phases     []*Phase
	// Cleanup always runs, whatever happened. Its items form a phase of the name CleanupPhase; nil when there is none.
	Cleanup   *Phase
	OnFailure OnFailure
	// UpdateEvery is how often stakeholders are promised a progress update; zero: not promised.
	UpdateEvery time.Duration
	Range       diag.Range
}

// CleanupPhase is the phase name of cleanup items in plans and records.
const CleanupPhase = "cleanup"

// Exercise holds the defaults for a drill of a runbook, in the terms of the continuity standards.
type Exercise struct {
	Type             string
	ProductionImpact string
}

// Scenario is what a drill assumes to have happened.
type Scenario struct {
	Title       string
	Severity    string
	Assumptions []string
}

// Variable is an input of a runbook.
type Variable struct {
	Name        string
	Description string
	Type        expr.Type
	Default     *expr.Expr // nil: the variable must be given
	Sensitive   bool
	Validations []Validation
	Range       diag.Range
}

// Validation is a condition on a value, with what to say when it does not hold.
type Validation struct {
	Condition *expr.Expr
	Message   *expr.Expr
	Range     diag.Range
}

// Mark is a named instant. With At nil it is given by --at, asked, or set by the items that list it.
type Mark struct {
	Name  string
	At    *expr.Expr
	Range diag.Range
}

// ObjectiveKind tells the three forms of an objective apart.
type ObjectiveKind uint8

// The forms of an objective.
const (
	// Elapsed is the time between two marks.
	Elapsed ObjectiveKind = iota + 1
	// RecoveryPoint is the From mark minus the newest recovered data.
	RecoveryPoint
	// Measured is a value with a bound.
	Measured
)

// Objective is an agreed level, compared with what a run achieved.
type Objective struct {
	Name string
	Kind ObjectiveKind
	// Target is the bound of Elapsed and RecoveryPoint.
	Target time.Duration
	From   string // mark; for RecoveryPoint "disruption" unless said
	To     string // mark; Elapsed only
	// Point is the expression of the newest recovered data: RFC 3339 text or epoch seconds. RecoveryPoint only.
	Point *expr.Expr
	// Value with AtMost or AtLeast: Measured only. Exactly one bound is not nil.
	Value   *expr.Expr
	AtMost  *float64
	AtLeast *float64
	Range   diag.Range
}

// OnFailure is what happens after an item failed. The nearest of item, phase and runbook wins.
type OnFailure string

// The reactions to a failure. Empty: not said here.
const (
	Ask      OnFailure = "ask"
	Stop     OnFailure = "stop"
	Continue OnFailure = "continue"
	Rollback OnFailure = "rollback"
)

// Phase is a part of a runbook. Phases run one after another. Defaults for items are already merged into the items,
// except When and OnFailure, which act on the phase.
type Phase struct {
	Name      string
	Title     string
	Owner     string
	When      *expr.Expr
	OnFailure OnFailure
	Items     []*Item // in order of writing, lanes flattened (Item.Lane tells)
	Lanes     []*Lane
	// Rollout with Hosts runs all items of the phase for one batch, then for the next.
	Hosts      *expr.Expr
	Rollout    *Rollout
	AfterBatch *Item // a check, also the last of Items; nil: none
	Range      diag.Range
}

// Lane is a sequence of items beside other lanes of the same phase.
type Lane struct {
	Name  string
	Owner string
	Range diag.Range
}

// Test is a test of a runbook, from a *.test.hcl file.
type Test struct {
	Name      string
	Runbook   string
	Operator  string // empty: operator@test
	Variables *expr.Expr
	// Each makes the test a table: it runs once for every element, as each.key and each.value. Nil: once.
	Each    *expr.Expr
	Before  *Before // nil: nothing was done before
	Answers []Answer
	Faults  []Fault
	Expects []Validation
	Range   diag.Range
}

// Before is the state that a test begins in: what a run is given on its command line.
type Before struct {
	Marks            *expr.Expr // a map of names to times: RFC 3339, or relative to the start, as "-20m"
	From             ItemID     // as --from; empty: the beginning
	Limit            []string   // hosts, as --limit; empty: all
	Change, Incident string
	StartedAt        string // RFC 3339; empty: an instant that is the same for all tests
	Range            diag.Range
}

// Answer is an `on` block: what a simulated host or person says. Body expressions are evaluated by the test runner.
type Answer struct {
	Target string // item, or item.verify, item.unless, item.rollback, or call.x.step.y
	Attrs  map[string]*expr.Expr
	Range  diag.Range
}

// Fault is what goes wrong in a test; kinds are those of the explorer.
type Fault struct {
	Target string
	Attrs  map[string]*expr.Expr
	Range  diag.Range
}
