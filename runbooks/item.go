package runbooks

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Kind is the kind of an item.
type Kind string

// The kinds of items.
const (
	Check    Kind = "check"
	Assert   Kind = "assert"
	Step     Kind = "step"
	Transfer Kind = "transfer"
	Wait     Kind = "wait"
	Manual   Kind = "manual"
	Gate     Kind = "gate"
	Decision Kind = "decision"
	Call     Kind = "call"
)

// Effect is what an item does to the world. Dry-run, approval, retry and resume follow from it.
type Effect string

// The effects.
const (
	Read   Effect = "read"   // only observes, by the author's word
	Change Effect = "change" // changes something on hosts
	Human  Effect = "human"  // people do something
	None   Effect = "none"   // nothing happens outside: assert, wait
)

// Effect returns what items of the kind do. A call has the effect Change; its own items say more.
func (k Kind) Effect() Effect {
	switch k {
	case Check:
		return Read
	case Step, Transfer, Call:
		return Change
	case Manual, Gate, Decision:
		return Human
	case Assert, Wait:
		return None
	}
	return None
}

// OnHosts reports whether items of the kind run on hosts.
func (k Kind) OnHosts() bool { return k == Check || k == Step || k == Transfer }

// ItemID names an item inside a runbook: "step.promote"; through calls "call.db.step.promote".
type ItemID string

// Item is one unit of a runbook. Fields that do not belong to its Kind are zero. Expressions are evaluated when the
// item runs; everything else is static. Defaults of the phase (hosts, become, env, working_dir, timeout) are merged in.
type Item struct {
	Kind  Kind
	Name  string
	Phase string
	Lane  string // empty: none

	Title       *expr.Expr
	Description *expr.Expr
	Owner       *expr.Expr

	// After are the items that must have ended before this one may start: the written `after`, or all items before it
	// in its phase (or lane), plus those that its expressions refer to in the same phase. In order of declaration.
	// Without a written `after`, what follows from the others is left out: the last item before it stands for those
	// that it waits for itself, so that the edges of a long phase stay few.
	After []ItemID
	When  *expr.Expr
	// Requires are gates that must have been approved.
	Requires   []ItemID
	Marks      []string
	MarksStart []string
	OnFailure  OnFailure
	Severity   string // "finding": a failed check is a deviation, not a failure

	// Timeout bounds one attempt. Zero: the default of the engine (DefaultTimeout).
	Timeout time.Duration

	// On hosts.
	Hosts        *expr.Expr // nil on a tcp check: seen from the control host
	Env          []EnvVar   // phase first; later entries override earlier ones of the same name
	WorkingDir   *expr.Expr
	Become       *expr.Expr
	ForEach      *expr.Expr
	MaxItems     int // bound of for_each; 0: 1000
	ParallelEach int // 0: one after another
	Rollout      *Rollout
	Tolerate     []string // outcomes that do not fail the item
	AllowNoHosts bool

	// What runs: exactly one of Command, TCP, HTTP for a check; Command for a step.
	Command *Command
	TCP     *TCPProbe
	HTTP    *HTTPProbe

	Captures  []Capture
	Expects   []Validation
	ExpectAll []Validation
	Poll      *Poll

	Unless   *Part // step only
	Verify   *Part // step and transfer
	Rollback *Part // step, transfer; of a manual item only Text is set

	Retry        *Retry
	Idempotent   bool
	Irreversible bool
	Typed        *expr.Expr // what a person must type to confirm; nil: no confirmation

	// Assert.
	Condition *expr.Expr
	Message   *expr.Expr

	// Wait.
	Duration *expr.Expr

	// People.
	Instructions *expr.Expr // manual; Markdown
	Question     *expr.Expr // gate, decision
	Role         string
	People       int // manual: distinct people who must say so; 0: 1
	Inputs       []Input
	Approvals    int
	Expires      time.Duration // zero: never
	StartWithin  time.Duration
	Recheck      []ItemID
	Options      []string
	Stops        []string

	// Call.
	Runbook   string
	Variables *expr.Expr

	// Transfer.
	Source      *TransferSource
	Destination *expr.Expr
	Mode        string
	OwnerUser   *expr.Expr
	OwnerGroup  *expr.Expr
	Backup      bool

	// Fingerprint is the SHA-256 (hex) of the item's tokens without comments and white space: it changes when the
	// meaning may have changed, and never when a file is formatted.
	Fingerprint string
	Range       diag.Range
}

// DefaultTimeout bounds an attempt whose item names no timeout.
const DefaultTimeout = time.Hour

// ID is kind and name, as in references.
func (i *Item) ID() ItemID { return ItemID(string(i.Kind) + "." + i.Name) }

// EnvVar is one environment variable of a command.
type EnvVar struct {
	Name  string
	Value *expr.Expr
}

// Command is what runs on a host: exactly one of Argv and Script is not nil.
type Command struct {
	Argv        *expr.Expr // list of strings; no shell
	Script      *expr.Expr
	Interpreter []string // of Script; empty: /bin/sh -eu
	Stdin       *expr.Expr
	Success     Success
	Range       diag.Range
}

// Success says which exit codes are a success.
type Success struct {
	Any     bool
	NonZero bool
	Codes   []int // empty and neither flag set: 0
}

// Holds reports whether the exit code is a success.
func (s Success) Holds(code int) bool {
	switch {
	case s.Any:
		return true
	case s.NonZero:
		return code != 0
	case len(s.Codes) == 0:
		return code == 0
	}
	for _, c := range s.Codes {
		if c == code {
			return true
		}
	}
	return false
}

// Part is a command that belongs to an item: unless, verify or rollback. What it does not say it has from its item; the
// loader has merged that.
type Part struct {
	Command    *Command
	Text       *expr.Expr // rollback of a manual item: what people do
	Hosts      *expr.Expr
	Env        []EnvVar
	WorkingDir *expr.Expr
	Become     *expr.Expr
	Timeout    time.Duration
	Captures   []Capture
	Expects    []Validation
	ExpectAll  []Validation
	Poll       *Poll
	Range      diag.Range
}

// Capture takes a typed value from a result.
type Capture struct {
	Name      string
	Value     *expr.Expr
	Type      expr.Type
	Sensitive bool
	Range     diag.Range
}

// Poll repeats rounds until the expectations hold or Within has passed.
type Poll struct {
	Every  time.Duration
	Within time.Duration
	Range  diag.Range
}

// TCPProbe asks whether a port answers, seen from each host of the item's Hosts.
type TCPProbe struct {
	Address *expr.Expr // host:port
	Want    string     // open, refused, no-answer, closed; empty: never fails
	Witness *expr.Expr // must be open from the same vantage, or the answer is inconclusive
	Range   diag.Range
}

// HTTPProbe is one GET or HEAD from the control host, without redirects.
type HTTPProbe struct {
	URL        *expr.Expr
	Method     string // GET or HEAD
	Headers    []EnvVar
	WantStatus []int // empty: any 2xx
	CAFile     string
	Range      diag.Range
}

// Rollout divides hosts into batches.
type Rollout struct {
	Batch       []Size // the last repeats; empty: all at once
	Parallel    int    // hosts at once; 0: the run's limit
	Pause       time.Duration
	MaxFailures []Size // per batch list, the last repeats; abort when exceeded; empty: 0
	AfterBatch  *Part
	Range       diag.Range
}

// Size is a count or a percentage of all hosts, rounded up.
type Size struct {
	Count   int
	Percent int // 1..100; 0: Count holds
}

// Retry starts a unit again after some outcomes.
type Retry struct {
	Attempts int // all in all, the first included
	Delay    time.Duration
	Backoff  float64 // factor on each further delay; 0: 1
	MaxDelay time.Duration
	Range    diag.Range
}

// Input is a value that a person gives in a manual item. Its validations see it as var.NAME, and nothing else.
type Input struct {
	Name        string
	Type        expr.Type
	Sensitive   bool
	Validations []Validation
	Range       diag.Range
}

// TransferSource is where a transferred file comes from; exactly one form is set.
type TransferSource struct {
	File    string     // path in the project
	Content *expr.Expr // literal content
	Host    *expr.Expr // another host, with Path and SHA256
	Path    *expr.Expr
	SHA256  *expr.Expr
}

// AllItems returns the items of all phases in order, then those of cleanup.
func (r *Runbook) AllItems() []*Item {
	var out []*Item
	for _, p := range r.Phases {
		out = append(out, p.Items...)
	}
	if r.Cleanup != nil {
		out = append(out, r.Cleanup.Items...)
	}
	return out
}

// Item returns the item of that id, or nil.
func (r *Runbook) Item(id ItemID) *Item {
	for _, i := range r.AllItems() {
		if i.ID() == id {
			return i
		}
	}
	return nil
}
