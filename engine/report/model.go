package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Report is what a run came to, ready to be read. Its JSON form is report.json of the bundle. Fields may be added, never
// renamed. Times are UTC; lengths are in seconds; what was not measured is absent.
type Report struct {
	Schema      string                `json:"schema"`
	Renderer    int                   `json:"renderer"`
	Timezone    string                `json:"timezone"`
	Run         RunPart               `json:"run"`
	Verdict     VerdictPart           `json:"verdict"`
	Scenario    *engine.PlanScenario  `json:"scenario,omitempty"`
	Objectives  []Objective           `json:"objectives,omitempty"` // never of a dry-run
	People      People                `json:"people"`
	Failures    []Failure             `json:"failures,omitempty"`
	Deviations  []engine.Deviation    `json:"deviations,omitempty"`
	NotExecuted []NotExecuted         `json:"not_executed,omitempty"`
	Rollback    *Rollback             `json:"rollback,omitempty"`
	Batches     []Batch               `json:"batches,omitempty"` // of phases that roll out
	Unknown     int                   `json:"unknown"`           // units whose end nobody knows
	Coverage    engine.Coverage       `json:"coverage"`
	Marks       []engine.MarkSet      `json:"marks,omitempty"`
	Phases      []Phase               `json:"phases"`
	Items       []Item                `json:"items"`
	Hosts       []Host                `json:"hosts,omitempty"`
	Actions     []Action              `json:"actions,omitempty"`
	Cleanup     Cleanup               `json:"cleanup"`
	Variables   []engine.PlanVariable `json:"variables,omitempty"`
	Digests     []Digest              `json:"digests"`
	Tool        engine.Tool           `json:"tool"`
	// Limits are what a reader must know of how far the figures reach: clocks, segments, scope.
	Limits []string `json:"limits,omitempty"`
	Signed []Signed `json:"signed,omitempty"`

	loc          *time.Location
	oscalVersion string
}

// RunPart is the head of the record: which run of what, when, and why.
type RunPart struct {
	ID         engine.RunID `json:"id"`
	Mode       engine.Mode  `json:"mode"`
	Project    string       `json:"project"`
	Runbook    string       `json:"runbook"`
	Title      string       `json:"title"`
	Service    string       `json:"service,omitempty"`
	Owner      string       `json:"owner,omitempty"`
	Version    string       `json:"version,omitempty"`
	Exercise   string       `json:"exercise,omitempty"`
	Impact     string       `json:"production_impact,omitempty"`
	Change     string       `json:"change,omitempty"`
	Incident   string       `json:"incident,omitempty"`
	RollbackOf string       `json:"rollback_of,omitempty"`
	Limit      []string     `json:"limit,omitempty"`
	From       string       `json:"from,omitempty"`
	StartedAt  time.Time    `json:"started_at"`
	EndedAt    time.Time    `json:"ended_at,omitzero"`
	Elapsed    Seconds      `json:"elapsed_s"`
	// Exact: all of Elapsed is from one monotonic clock.
	Exact    bool    `json:"elapsed_exact"`
	Machine  Seconds `json:"machine_s"`
	People   Seconds `json:"people_s"`
	Waiting  Seconds `json:"waiting_s"`
	Segments int     `json:"segments"`
	Events   uint64  `json:"events"`
	Hosts    int     `json:"hosts"`
}

// VerdictPart is the verdict and the rule that decided it.
type VerdictPart struct {
	Verdict engine.Verdict `json:"verdict"`
	Rule    string         `json:"rule"`
	Closed  bool           `json:"closed"`
	// Claimed is what the journal's last line states; empty while the run is not closed.
	Claimed engine.Verdict `json:"claimed,omitempty"`
}

// Objective is an agreed level and what was achieved.
type Objective struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"` // elapsed, recovery-point, measured
	Target   *Seconds  `json:"target_s,omitempty"`
	AtMost   *float64  `json:"at_most,omitempty"`
	AtLeast  *float64  `json:"at_least,omitempty"`
	Achieved *Seconds  `json:"achieved_s,omitempty"`
	Value    *float64  `json:"value,omitempty"` // of measured ones
	Met      *bool     `json:"met,omitempty"`
	From     string    `json:"from,omitempty"`
	To       string    `json:"to,omitempty"`
	FromAt   time.Time `json:"from_at,omitzero"`
	ToAt     time.Time `json:"to_at,omitzero"`
	Point    time.Time `json:"recovery_point,omitzero"`
	Clock    string    `json:"clock,omitempty"` // monotonic, wall, host
	// ByHand names the marks of this objective that a person gave.
	ByHand  []string `json:"marks_by_hand,omitempty"`
	Problem string   `json:"problem,omitempty"` // why it was not measured
}

// People says who did what in the run, and whether they were different people.
type People struct {
	Operators    []string             `json:"operators"` // everyone who opened, resumed or steered
	OperatorHost string               `json:"operator_host,omitempty"`
	Approvers    []string             `json:"approvers,omitempty"`
	Reviewers    []string             `json:"reviewers,omitempty"`
	Manual       []string             `json:"manual,omitempty"`  // who said that manual items were done
	Decided      []string             `json:"decided,omitempty"` // who made decisions
	Participants []engine.Participant `json:"participants,omitempty"`
	Independence []Statement          `json:"independence"`
}

// Statement is a question with its computed answer. Holds is nil when there is nothing to compare.
type Statement struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Holds    *bool  `json:"holds,omitempty"`
}

// Failure is a unit that failed or whose end nobody knows.
type Failure struct {
	Item    runbooks.ItemID `json:"item"`
	Key     string          `json:"key,omitempty"`
	Host    string          `json:"host,omitempty"`
	Outcome engine.Outcome  `json:"outcome"`
	Reason  string          `json:"reason,omitempty"`
	Settled string          `json:"settled,omitempty"` // a later word, with who gave it
	// Tolerated: the runbook allows this outcome on this host.
	Tolerated bool `json:"tolerated,omitempty"`
}

// NotExecuted is an item, or one of its hosts, that the run did not execute.
type NotExecuted struct {
	Item    runbooks.ItemID `json:"item"`
	Host    string          `json:"host,omitempty"`
	Outcome engine.Outcome  `json:"outcome,omitempty"`
	Why     string          `json:"why"`
	// Gap: a dry-run could have exercised it and did not; it counts for the verdict.
	Gap bool `json:"gap,omitempty"`
}

// Phase is a phase with the items that belong to it, in order.
type Phase struct {
	Name  string            `json:"name"`
	Title string            `json:"title,omitempty"`
	Owner string            `json:"owner,omitempty"`
	Items []runbooks.ItemID `json:"items"`
}

// The three kinds of time.
const (
	MachineTime = "machine"
	PeopleTime  = "people"
	WaitingTime = "waiting"
)

// Item is one item and what became of it.
type Item struct {
	ID           runbooks.ItemID      `json:"id"`
	Kind         runbooks.Kind        `json:"kind"`
	Phase        string               `json:"phase"`
	Lane         string               `json:"lane,omitempty"`
	Title        string               `json:"title,omitempty"`
	Owner        string               `json:"owner,omitempty"`
	Effect       runbooks.Effect      `json:"effect"`
	Irreversible bool                 `json:"irreversible,omitempty"`
	Severity     string               `json:"severity,omitempty"` // finding: a failure is a deviation, not a failed run
	After        []runbooks.ItemID    `json:"after,omitempty"`
	Outcome      engine.Outcome       `json:"outcome,omitempty"` // empty: the record has no word of it
	Standing     engine.Standing      `json:"standing,omitempty"`
	Reason       string               `json:"reason,omitempty"`
	Cause        string               `json:"cause,omitempty"`
	StartedAt    time.Time            `json:"started_at,omitzero"`
	Offset       Seconds              `json:"offset_s"` // since the run was opened
	Took         *Seconds             `json:"took_s,omitempty"`
	Queued       Seconds              `json:"queued_s,omitempty"` // of Took: until the first unit began
	Time         string               `json:"time"`               // machine, people, waiting
	Critical     bool                 `json:"critical,omitempty"` // on the chain that decided how long the run took
	Expects      []string             `json:"expects,omitempty"`  // conditions as written
	Expectations []engine.Expectation `json:"expectations,omitempty"`
	Count        *engine.HostCount    `json:"hosts,omitempty"`
	Planned      []engine.PlanCommand `json:"planned,omitempty"`
	Manual       *Manual              `json:"manual,omitempty"`
	Approvals    []Approval           `json:"approvals,omitempty"` // of a gate, void ones too
	Denied       *Denial              `json:"denied,omitempty"`
	Decision     *Decision            `json:"decision,omitempty"`
	Units        []Unit               `json:"units,omitempty"`
}

// Approval is a signature that was handed in for a gate. With Void it did not count, and Void says why.
type Approval struct {
	By          string `json:"by"`
	Fingerprint string `json:"fingerprint,omitempty"` // of the key that signed
	Void        string `json:"void,omitempty"`
}

// Denial is the word that ended a gate.
type Denial struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// Decision is what a person chose.
type Decision struct {
	Choice string  `json:"choice"`
	By     string  `json:"by"`
	Signed bool    `json:"signed"`
	Reason string  `json:"reason,omitempty"`
	Waited Seconds `json:"waited_s"`
}

// Manual is a person's word about a manual item.
type Manual struct {
	By     string            `json:"by"`
	Signed bool              `json:"signed"`
	Done   bool              `json:"done"`
	Inputs []engine.Captured `json:"inputs,omitempty"`
	Note   string            `json:"note,omitempty"`
	Waited Seconds           `json:"waited_s"`
}

// Unit is an item on one host and element.
type Unit struct {
	Batch         int                  `json:"batch,omitempty"` // from 1, in a phase that rolls out
	Host          string               `json:"host,omitempty"`
	Key           string               `json:"key,omitempty"`
	Outcome       engine.Outcome       `json:"outcome"`
	Standing      engine.Standing      `json:"standing,omitempty"`
	Reason        string               `json:"reason,omitempty"`
	Cause         string               `json:"cause,omitempty"`
	Hint          string               `json:"hint,omitempty"` // what to do about Reason
	SettledBy     string               `json:"settled_by,omitempty"`
	Attempts      int                  `json:"attempts,omitempty"`
	ExitCode      *int                 `json:"exit_code,omitempty"`
	Signal        string               `json:"signal,omitempty"`
	Command       string               `json:"command,omitempty"`
	User          string               `json:"user,omitempty"`
	Become        string               `json:"become,omitempty"`
	Transport     string               `json:"transport,omitempty"`
	StartedAt     time.Time            `json:"started_at,omitzero"`
	Offset        Seconds              `json:"offset_s"`
	Took          *Seconds             `json:"took_s,omitempty"`
	Captures      []engine.Captured    `json:"captures,omitempty"`
	Expectations  []engine.Expectation `json:"expectations,omitempty"`
	Outputs       []Output             `json:"outputs,omitempty"`
	Parts         []Part               `json:"parts,omitempty"`
	Reattached    int                  `json:"reattached,omitempty"`
	Rounds        int                  `json:"rounds,omitempty"`
	KillConfirmed *bool                `json:"kill_confirmed,omitempty"`
	Survivors     []string             `json:"survivors,omitempty"`
}

// Part is one attempt or observation of a unit.
type Part struct {
	Part     engine.PartName      `json:"part"`
	Attempt  int                  `json:"attempt,omitempty"`
	ID       engine.AttemptID     `json:"attempt_id,omitempty"`
	Outcome  engine.Outcome       `json:"outcome"`
	Reason   string               `json:"reason,omitempty"`
	ExitCode *int                 `json:"exit_code,omitempty"`
	Signal   string               `json:"signal,omitempty"`
	Command  string               `json:"command,omitempty"`
	Took     *Seconds             `json:"took_s,omitempty"`
	Expects  []engine.Expectation `json:"expectations,omitempty"`
}

// Output is what a command wrote to one stream, after redaction.
type Output struct {
	Part           engine.PartName `json:"part"`
	Attempt        int             `json:"attempt,omitempty"`
	Stream         string          `json:"stream"`
	Size           int64           `json:"size"`
	SHA256         string          `json:"sha256"`
	Text           string          `json:"text,omitempty"`
	Artifact       string          `json:"artifact,omitempty"` // path in the bundle
	Truncated      bool            `json:"truncated,omitempty"`
	Redactions     int             `json:"redactions,omitempty"`
	BackgroundOpen bool            `json:"background_open,omitempty"`
}

// Host is a machine of the run: what the inventory says, and what was found.
type Host struct {
	engine.PlanHost
	Connected *engine.HostConnected   `json:"connected,omitempty"`
	Preflight *engine.PreflightResult `json:"preflight,omitempty"`
}

// Rollback is the way back of a run: what was undone, and what was not.
type Rollback struct {
	// Verdict is what the way back came to by itself: rolled-back, rolled-back-in-part, rollback-failed, rollback-unfinished.
	Verdict engine.RollbackVerdict `json:"verdict"`
	Reason  string                 `json:"reason,omitempty"`
	By      string                 `json:"by,omitempty"`
	Units   int                    `json:"units"` // how many were to be rolled back
	// Until is the last irreversible step that started, the point of no return.
	Until  runbooks.ItemID `json:"until,omitempty"`
	Ended  bool            `json:"ended"`
	Done   []engine.Unit   `json:"done,omitempty"`
	Failed []engine.Unit   `json:"failed,omitempty"`
	Left   []engine.Unit   `json:"left,omitempty"` // may have changed something, and were not rolled back
	Held   string          `json:"held,omitempty"` // why it stopped and waits for a person
	// Settled are people's words about units whose way back failed.
	Settled []engine.ItemSettled `json:"settled,omitempty"`
}

// Action is something a person did to the run.
type Action struct {
	At time.Time `json:"at"`
	engine.OperatorAction
}

// Cleanup says whether the cleanup ran and what it left.
type Cleanup struct {
	Planned int               `json:"planned"`
	Ran     bool              `json:"ran"`
	Failed  []runbooks.ItemID `json:"failed,omitempty"`
}

// Digest is a SHA-256 of something that the run was made from.
type Digest struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hex
}

// Seconds is a length of time; in JSON a number of seconds, exact to the nanosecond.
type Seconds time.Duration

// Duration gives the length as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// MarshalJSON writes seconds in their shortest decimal form.
func (s Seconds) MarshalJSON() ([]byte, error) {
	d, sign := time.Duration(s), ""
	if d < 0 {
		d, sign = -d, "-"
	}
	text := sign + strconv.FormatInt(int64(d/time.Second), 10)
	if frac := d % time.Second; frac != 0 {
		text += "." + string(bytes.TrimRight(fmt.Appendf(nil, "%09d", int64(frac)), "0"))
	}
	return []byte(text), nil
}

// UnmarshalJSON reads a number of seconds.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("read seconds: %w", err)
	}
	d, err := time.ParseDuration(n.String() + "s")
	if err != nil {
		return fmt.Errorf("read seconds %q: %w", n, err)
	}
	*s = Seconds(d)
	return nil
}
