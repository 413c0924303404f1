package engine

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Record is what a run came to, computed from its plan and its events by Fold and from nothing else. Reports, machine
// output, the seal and verify all start from it.
type Record struct {
	Opened             RunOpened
	Mode               Mode
	Plan               *Plan
	StartedAt, EndedAt time.Time // EndedAt zero: not closed
	Segments           int       // controllers that worked on the run
	// Elapsed is from run.opened to run.closed or the last event. Exact is false when it crosses segments: then part of
	// it is from the wall clock.
	Elapsed                      time.Duration
	ElapsedExact                 bool
	Machine, PeopleTime, Waiting time.Duration

	Verdict Verdict
	// Why is the rule that decided the verdict, in words.
	Why    string
	Closed bool
	// Claimed is the verdict that run.closed states; verify compares it with Verdict. Empty while not closed.
	Claimed Verdict

	Items         []ItemRecord  // in plan order
	Batches       []BatchRecord // of phases that roll out, in order of the rollouts, those that were not reached too
	Objectives    []ObjectiveRecord
	Marks         []MarkSet
	Deviations    []Deviation
	Hosts         []HostRecord
	Actions       []ActionRecord
	Unknown       int // units that are unsettled
	NotReached    []runbooks.ItemID
	Coverage      Coverage
	Gaps          []Gap // dry-run: what was not exercised, and why
	Events        uint64
	CleanupRan    bool
	Rollback      *RollbackRecord // nil: nothing was rolled back
	CleanupFailed []runbooks.ItemID
	Anomalies     []ClockAnomaly
	Exploration   *Explored // of a simulation that explored; nil: a run
}

// Coverage is how much of the plan was exercised.
type Coverage struct {
	Exercised int `json:"exercised"`
	Items     int `json:"items"`
}

// Gap is one item that a dry-run did not exercise. Real gaps count for the verdict; steps and people's items never do.
type Gap struct {
	Item runbooks.ItemID
	Host string
	Why  string
	Real bool
}

// ItemRecord is one item and what became of it.
type ItemRecord struct {
	Plan         *PlanItem
	Outcome      Outcome // of the item as a whole; empty: no word yet
	Standing     Standing
	Reason       string
	Cause        string
	Started      bool
	StartedAt    time.Time
	Offset       time.Duration // since run.opened
	Duration     time.Duration
	Count        *HostCount
	Units        []UnitRecord // in order of first appearance; items without hosts have one with an empty Host
	Manual       *ManualDone
	Approvals    []ApprovalGranted // of a gate, in order, void ones too
	Denied       *ApprovalDenied
	Decision     *DecisionMade
	Expectations []Expectation // of the item as a whole: assert, expect_all
	Batches      []ItemBatch   // in a phase that rolls out: how it went in each batch that began
}

// UnitRecord is an item on one host (and element).
type UnitRecord struct {
	Unit
	Outcome       Outcome
	Standing      Standing
	Reason, Cause string
	Hint          string
	SettledBy     string
	Attempts      int
	ExitCode      *int
	Signal        string
	Command       string
	StartedAt     time.Time
	Offset        time.Duration
	Duration      time.Duration
	Captures      []Captured
	Expectations  []Expectation
	Outputs       []ItemOutput
	Parts         []ItemOutcome // attempts and observations, in order
	Intents       []ItemIntent
	Reattached    int
	KillConfirmed *bool
	Survivors     []string
	Rounds        int
}

// ObjectiveRecord is an objective and what was achieved. Achieved is nil when it was not measured: Problem says why.
// In a dry-run there are none.
type ObjectiveRecord struct {
	PlanObjective
	AchievedS    *float64
	Met          *bool
	FromAt, ToAt time.Time
	Point        time.Time
	// Clock says which clock measured it: monotonic, wall, or host (a recovery point).
	Clock   string
	Problem string
}

// Deviation is a departure from the plan, with who and why.
type Deviation struct {
	Kind   string          `json:"kind"`
	Item   runbooks.ItemID `json:"item,omitempty"`
	Host   string          `json:"host,omitempty"`
	By     string          `json:"by,omitempty"`
	Reason string          `json:"reason"`
	At     time.Time       `json:"at,omitzero"`
}

// HostRecord is what was learned of a host.
type HostRecord struct {
	Name      string
	Connected *HostConnected
	Preflight *PreflightResult
}

// ActionRecord is something a person did.
type ActionRecord struct {
	At time.Time
	OperatorAction
}

// RollbackRecord is the way back of a run.
type RollbackRecord struct {
	RollbackStarted
	RollbackEnded
	// Settled are people's words about units whose way back failed.
	Settled []ItemSettled
	// Ended is false while it has not come to its end.
	Ended bool
}
