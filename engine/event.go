package engine

import (
	"context"
	"strconv"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Event is one fact of a run, in the order in which it became true. The same events feed the journal, the terminal and
// the machine output. Its payload is one of the types of this file and no other.
type Event struct {
	Seq uint64
	// Time is the wall clock, UTC.
	Time time.Time
	// Mono is CLOCK_BOOTTIME since the segment began (run.opened and run.resumed begin one). Durations inside a segment
	// come from it, never from Time.
	Mono    time.Duration
	Mode    Mode
	Payload Payload
}

// Payload is the body of an event, always a pointer to a type of this file. The set is closed: see PayloadTypes.
type Payload interface {
	// EventType is the word in the journal, such as "item.intent".
	EventType() string
	// Durable reports whether the event must be on disk before anything follows it.
	Durable() bool
}

// Journal takes events. Append stamps the payload and returns after the fsync where the payload is Durable. After an
// error the journal is poisoned: every later Append fails, and the run must stop before its next effect.
// Safe for concurrent use; the order of returns is the order of the journal.
type Journal interface {
	Append(ctx context.Context, p Payload) (Event, error)
}

// Clock gives wall stamps. Timers are not its business: they are tested with testing/synctest.
type Clock interface {
	Now() time.Time
}

// Unit says which item, element and host an event is about. Key is empty outside for_each; Host is empty for items that
// do not run on hosts and for events about the item as a whole. Batch counts from 1 in a phase that rolls out: its items
// run once for each batch, and with neither Key nor Host the event is about the item in that batch; elsewhere it is 0.
type Unit struct {
	Item  runbooks.ItemID `json:"item"`
	Batch int             `json:"batch,omitempty"`
	Key   string          `json:"key,omitempty"`
	Host  string          `json:"host,omitempty"`
}

// Whole reports whether the unit stands for its item, or for its item in one batch.
func (u Unit) Whole() bool { return u.Key == "" && u.Host == "" }

// AttemptKey is the element of an attempt's id: the key, and the batch where there is one.
func (u Unit) AttemptKey() string {
	if u.Batch == 0 {
		return u.Key
	}
	return "batch " + strconv.Itoa(u.Batch) + "/" + u.Key
}

// RunOpened begins every journal.
type RunOpened struct {
	Run     RunID  `json:"run"`
	Nonce   string `json:"nonce"` // 32 hex digits
	Project string `json:"project"`
	Runbook string `json:"runbook"`
	Title   string `json:"title,omitempty"`
	// Operator is who opened the run; OperatorHost the machine that did.
	Operator     string `json:"operator"`
	OperatorHost string `json:"operator_host"`
	Tool         Tool   `json:"tool"`
	BootID       string `json:"boot_id"` // of the controller
	// Digests, all SHA-256 in hex.
	PlanSHA256      string         `json:"plan_sha256"` // of plan.json as it is in the bundle
	PlanDigest      string         `json:"plan_digest"` // Plan.Digest, the one that approvals name
	ProjectSHA256   string         `json:"project_sha256"`
	VariablesSHA256 string         `json:"variables_sha256"`
	Variables       []PlanVariable `json:"variables,omitempty"`
	Hosts           int            `json:"hosts"`
	Items           int            `json:"items"`
	Exercise        string         `json:"exercise,omitempty"`
	Impact          string         `json:"production_impact,omitempty"`
	Change          string         `json:"change,omitempty"`
	Incident        string         `json:"incident,omitempty"`
	Participants    []Participant  `json:"participants,omitempty"`
	Limit           []string       `json:"limit,omitempty"`
	From            string         `json:"from,omitempty"`
	ClockSource     string         `json:"clock_source,omitempty"` // ntp, unsynced or unknown
	// RollbackOf names the sealed run that this one rolls back.
	RollbackOf string `json:"rollback_of,omitempty"`
}

// Tool says which continuo wrote a journal.
type Tool struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
}

// Participant is a person who took part, with a role in words.
type Participant struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

// HostConnected is recorded once for every connection: what was reached, and how it proved itself.
type HostConnected struct {
	Host          string   `json:"host"`
	Address       string   `json:"address"`
	User          string   `json:"user,omitempty"`
	HostKey       string   `json:"host_key,omitempty"` // SHA256:… as ssh-keygen -l prints it
	HostKeyType   string   `json:"host_key_type,omitempty"`
	Kex           string   `json:"kex,omitempty"`
	Cipher        string   `json:"cipher,omitempty"`
	ServerVersion string   `json:"server_version,omitempty"`
	AuthMethod    string   `json:"auth_method,omitempty"`
	Via           []string `json:"via,omitempty"`
	Legacy        []string `json:"legacy_algorithms,omitempty"` // a deviation when not empty
}

// PreflightResult is what the preflight of one host found.
type PreflightResult struct {
	Host   string           `json:"host"`
	OK     bool             `json:"ok"`
	Checks []PreflightCheck `json:"checks"`
	// Identity, as far as the host told.
	Hostname string `json:"hostname,omitempty"`
	OS       string `json:"os,omitempty"`
	BootID   string `json:"boot_id,omitempty"`
	// ClockOffsetMS is the host's clock minus ours, in milliseconds; nil when not measured.
	ClockOffsetMS *int64 `json:"clock_offset_ms,omitempty"`
}

// PreflightCheck is one question of the preflight: reach, host-key, authentication, become, interpreter, program,
// state-directory, free-space, clock, identity.
type PreflightCheck struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// ItemStarted says that an item's turn has come and on which hosts and elements it runs. Hosts are evaluated once, here.
type ItemStarted struct {
	Item     runbooks.ItemID `json:"item"`
	Batch    int             `json:"batch,omitempty"` // as in Unit
	Hosts    []string        `json:"hosts,omitempty"`
	Elements []string        `json:"elements,omitempty"`
}

// RolloutStarted says that a phase rolls out: its hosts, evaluated once, in the order of the batches, and the sizes of
// those. Call is the path of the call that the phase belongs to, such as "call.db"; empty for the run's own runbook.
type RolloutStarted struct {
	Call    runbooks.ItemID `json:"call,omitempty"`
	Phase   string          `json:"phase"`
	Hosts   []string        `json:"hosts"`
	Batches []int           `json:"batches"`
}

// BatchStarted begins a batch: all items of the phase run for its hosts.
type BatchStarted struct {
	Call  runbooks.ItemID `json:"call,omitempty"`
	Phase string          `json:"phase"`
	Batch int             `json:"batch"` // from 1
	Of    int             `json:"of"`
	Hosts []string        `json:"hosts"`
}

// BatchEnded ends a batch. Hosts counts its hosts: reached are those on which something of the phase began, done those
// on which nothing failed.
type BatchEnded struct {
	Call   runbooks.ItemID `json:"call,omitempty"`
	Phase  string          `json:"phase"`
	Batch  int             `json:"batch"`
	Hosts  HostCount       `json:"hosts"`
	Failed []string        `json:"failed,omitempty"` // hosts that took no further part
	// Stopped is why the rollout goes no further; empty: the next batch follows, or this was the last.
	Stopped string `json:"stopped,omitempty"`
}

// ItemIntent is on disk before the launch of an attempt is sent.
type ItemIntent struct {
	Unit
	Part      PartName  `json:"part"`
	Attempt   int       `json:"attempt"`
	AttemptID AttemptID `json:"attempt_id"`
	User      string    `json:"user,omitempty"`   // login user
	Become    string    `json:"become,omitempty"` // user it runs as
	// CommandSHA256 covers argv or script, never secrets, stdin or secret environment.
	CommandSHA256 string       `json:"command_sha256"`
	Command       string       `json:"command"` // redacted text; over 4 KiB: "artifact:<sha256>"
	TimeoutS      float64      `json:"timeout_s"`
	Transport     string       `json:"transport"` // durable, plain, control, simulated
	Incarnation   *Incarnation `json:"incarnation,omitempty"`
}

// Incarnation is what a host was when an attempt was prepared. A launch refuses any other.
type Incarnation struct {
	BootID   string `json:"boot_id"`
	InitTime string `json:"init_start_time"` // start time of PID 1 in clock ticks; tells a recreated container
	StateDir string `json:"state_dir"`
	StateID  string `json:"state_id"` // 128 random bits in hex, made once
}

// ItemOutput refers to what a command wrote to one stream, after redaction. Empty streams have no event.
type ItemOutput struct {
	Unit
	Part    PartName `json:"part"`
	Attempt int      `json:"attempt"`
	Stream  string   `json:"stream"` // stdout, stderr
	// Size and SHA256 are of the whole stream after redaction, also when it is truncated here.
	Size       int64  `json:"size"`
	SHA256     string `json:"sha256"`
	Text       string `json:"text,omitempty"`     // the whole, when it is UTF-8 text of at most 4 KiB
	Artifact   string `json:"artifact,omitempty"` // SHA-256 of the stored bytes: the whole, or head and tail
	Truncated  bool   `json:"truncated,omitempty"`
	Redactions int    `json:"redactions,omitempty"`
	// BackgroundOpen: the command ended while something it left behind still held the stream.
	BackgroundOpen bool `json:"background_open,omitempty"`
}

// ItemOutcome ends something. With Part and AttemptID it closes an intent; with a Host or Key and no Part it is the
// outcome of the unit; with neither it is the outcome of the item, or of the item in its Batch. Every intent has at most one.
type ItemOutcome struct {
	Unit
	Part      PartName  `json:"part,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	AttemptID AttemptID `json:"attempt_id,omitempty"`
	Outcome   Outcome   `json:"outcome"`
	Reason    string    `json:"reason,omitempty"`
	// Cause classifies Reason for machines: exit, signal, expectation, capture, inconclusive, no-hosts, host-key, auth,
	// dial, lost-connection, lost, tolerated, when, unless, limit, dependency, stopped, phase, expression, …
	Cause    string `json:"cause,omitempty"`
	Hint     string `json:"hint,omitempty"` // what to do about it, where that is known
	ExitCode *int   `json:"exit_code,omitempty"`
	Signal   string `json:"signal,omitempty"` // without SIG
	// Command is set for observations (check, unless, verify), which have no intent.
	Command       string        `json:"command,omitempty"`
	CommandSHA256 string        `json:"command_sha256,omitempty"`
	Captures      []Captured    `json:"captures,omitempty"`
	Expectations  []Expectation `json:"expectations,omitempty"`
	KillConfirmed *bool         `json:"kill_confirmed,omitempty"`
	Survivors     []string      `json:"survivors,omitempty"`
	Reattached    int           `json:"reattached,omitempty"` // times the connection was lost and taken up again
	Attempts      int           `json:"attempts,omitempty"`   // of a unit: how many its command took
	Rounds        int           `json:"rounds,omitempty"`     // of a poll
	Changed       *bool         `json:"changed,omitempty"`
	// StartedAt is when the unit or item began, on the controller. Duration is its length by the monotonic clock.
	StartedAt  time.Time     `json:"started_at,omitzero"`
	DurationNS time.Duration `json:"duration_ns,omitempty"`
	// Hosts counts the units of an item outcome.
	Hosts *HostCount `json:"hosts,omitempty"`
}

// HostCount is how many hosts were expected, reached and done.
type HostCount struct {
	Expected int `json:"expected"`
	Reached  int `json:"reached"`
	Done     int `json:"done"`
}

// Captured is a captured value as text; sensitive ones are named without their value.
type Captured struct {
	Name      string `json:"name"`
	Value     string `json:"value,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`
}

// Expectation is one condition and what it came to.
type Expectation struct {
	Condition string `json:"condition"` // as written
	Result    string `json:"result"`    // holds, fails, inconclusive, not-judged
	Observed  string `json:"observed,omitempty"`
	Message   string `json:"message,omitempty"`
}

// ItemSettled is a later word about a unit whose outcome stands: by verify, or by a person.
type ItemSettled struct {
	Unit
	As     Standing `json:"as"`
	By     string   `json:"by"` // verify, host (its own record of the attempt), or a principal
	Signed bool     `json:"signed"`
	Reason string   `json:"reason"`
	// Part is PartRollback when the word is about the unit's way back; its outcome and standing are as they were then.
	Part PartName `json:"part,omitempty"`
}

// ItemRetry says that a unit will start again by the runbook's rules, and when. Its outcome waits until then.
type ItemRetry struct {
	Unit
	Tries   int           `json:"tries"` // so far, the first included
	After   Outcome       `json:"after"` // of the last of them
	DelayNS time.Duration `json:"delay_ns"`
	At      time.Time     `json:"at"` // not before
}

// ManualDone is a person's word that a manual item is done or has failed.
type ManualDone struct {
	Item   runbooks.ItemID `json:"item"`
	Batch  int             `json:"batch,omitempty"` // as in Unit
	By     string          `json:"by"`
	Signed bool            `json:"signed"`
	Done   bool            `json:"done"`
	Inputs []Captured      `json:"inputs,omitempty"`
	Note   string          `json:"note,omitempty"`
	// Part is PartRollback when the item was asked to be undone; else empty.
	Part PartName `json:"part,omitempty"`
	// WaitedNS is how long people took.
	WaitedNS time.Duration `json:"waited_ns"`
}

// ApprovalRequested is the request that approvers sign. Its text is in the line, or an artifact.
type ApprovalRequested struct {
	Item      runbooks.ItemID `json:"item"`
	Batch     int             `json:"batch,omitempty"` // as in Unit
	Role      string          `json:"role"`
	Approvals int             `json:"approvals"`
	ApproveBy time.Time       `json:"approve_by,omitzero"`
	// Request is the exact text that is signed; over 4 KiB: "artifact:<sha256>".
	Request string `json:"request"`
	SHA256  string `json:"sha256"`
	// Members of the role when it was asked, so that the rules can be checked again from the record alone.
	Members []string `json:"members,omitempty"`
}

// ApprovalGranted is a signature that was handed in. With Void it did not count, and Void says why.
type ApprovalGranted struct {
	Item        runbooks.ItemID `json:"item"`
	Batch       int             `json:"batch,omitempty"` // as in Unit
	By          string          `json:"by"`
	Fingerprint string          `json:"fingerprint,omitempty"`
	Signature   string          `json:"signature,omitempty"` // as handed in; over 4 KiB: "artifact:<sha256>"
	Void        string          `json:"void,omitempty"`
}

// ApprovalDenied ends a gate.
type ApprovalDenied struct {
	Item   runbooks.ItemID `json:"item"`
	Batch  int             `json:"batch,omitempty"` // as in Unit
	By     string          `json:"by"`
	Reason string          `json:"reason"`
}

// ApprovalExpired ends a gate whose time is over: to approve by, or to start within.
type ApprovalExpired struct {
	Item   runbooks.ItemID `json:"item"`
	Batch  int             `json:"batch,omitempty"` // as in Unit
	Reason string          `json:"reason"`
}

// ApprovalUsed says that the first item that required a gate started.
type ApprovalUsed struct {
	Item  runbooks.ItemID `json:"item"`
	Batch int             `json:"batch,omitempty"` // as in Unit
	For   runbooks.ItemID `json:"for"`
	By    []string        `json:"by"` // whose approvals counted at this instant
}

// DecisionMade is what a person chose.
type DecisionMade struct {
	Item   runbooks.ItemID `json:"item"`
	Batch  int             `json:"batch,omitempty"` // as in Unit
	Choice string          `json:"choice"`
	By     string          `json:"by"`
	Signed bool            `json:"signed"`
	Reason string          `json:"reason,omitempty"`
	// WaitedNS is how long people took.
	WaitedNS time.Duration `json:"waited_ns"`
}

// MarkSet sets a named instant.
type MarkSet struct {
	Mark   string          `json:"mark"`
	At     time.Time       `json:"at"`
	Source string          `json:"source"` // item, computed, operator
	Item   runbooks.ItemID `json:"item,omitempty"`
}

// ObjectiveMeasured records what an expression of an objective came to: the newest recovered data, or a value.
type ObjectiveMeasured struct {
	Objective     string    `json:"objective"`
	RecoveryPoint time.Time `json:"recovery_point,omitzero"`
	Value         *float64  `json:"value,omitempty"`
	Problem       string    `json:"problem,omitempty"` // why it was not measured
}

// CleanupStarted and CleanupEnded enclose the cleanup, which always runs.
type CleanupStarted struct {
	Items int `json:"items"`
}

// CleanupEnded says what the cleanup left.
type CleanupEnded struct {
	Failed []runbooks.ItemID `json:"failed,omitempty"`
}

// RollbackStarted and RollbackEnded enclose the way back over what may have changed something.
type RollbackStarted struct {
	Reason string `json:"reason"`
	By     string `json:"by,omitempty"`
	// Units is how many units will be rolled back.
	Units int `json:"units"`
	// Until is the last irreversible step that started, the point of no return: nothing before it is rolled back unless a
	// person says so.
	Until runbooks.ItemID `json:"until,omitempty"`
}

// RollbackEnded says how far the way back went.
type RollbackEnded struct {
	Done   []Unit `json:"done,omitempty"`
	Failed []Unit `json:"failed,omitempty"`
	// Left are units that may have changed something and were not rolled back: they have no rollback, or lie before the
	// point of no return, or the rollback was stopped before them.
	Left []Unit `json:"left,omitempty"`
	// Held is why the rollback stopped and waits for a person; empty when it did not.
	Held string `json:"held,omitempty"`
}

// OperatorAction is anything a person did to the run: pause, continue, abort, interrupt, retry, skip, note, from, limit.
type OperatorAction struct {
	Action string          `json:"action"`
	By     string          `json:"by"`
	Item   runbooks.ItemID `json:"item,omitempty"`
	// Batch, Key and Host say which unit of the item is meant, as in Unit; without Key and Host all of it.
	Batch  int    `json:"batch,omitempty"`
	Key    string `json:"key,omitempty"`
	Host   string `json:"host,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// ClockAnomaly is a jump of the wall clock against the monotonic one. It is recorded, never corrected.
type ClockAnomaly struct {
	StepMS int64 `json:"step_ms"`
}

// RunInterrupted says that the controller left the run; RunResumed that one took it up again and began a segment.
type RunInterrupted struct {
	Reason string `json:"reason"`
	By     string `json:"by,omitempty"`
}

// RunResumed begins a new segment of the monotonic clock.
type RunResumed struct {
	BootID string `json:"boot_id"`
	By     string `json:"by"`
	Tool   Tool   `json:"tool"`
}

// JournalRecovered says that a torn last line was cut off; the bytes are kept in an artifact.
type JournalRecovered struct {
	CutBytes int64  `json:"cut_bytes"`
	Artifact string `json:"artifact,omitempty"`
}

// RunClosed ends a journal. Its figures are those of Fold at this point.
type RunClosed struct {
	Verdict Verdict `json:"verdict"`
	Unknown int     `json:"unknown"`
	Reason  string  `json:"reason,omitempty"`
}

// EventType implements Payload.
func (*RunOpened) EventType() string { return "run.opened" }

// Durable implements Payload.
func (*RunOpened) Durable() bool { return true }

// EventType implements Payload.
func (*HostConnected) EventType() string { return "host.connected" }

// Durable implements Payload.
func (*HostConnected) Durable() bool { return false }

// EventType implements Payload.
func (*PreflightResult) EventType() string { return "preflight.result" }

// Durable implements Payload.
func (*PreflightResult) Durable() bool { return false }

// EventType implements Payload.
func (*ItemStarted) EventType() string { return "item.started" }

// Durable implements Payload.
func (*ItemStarted) Durable() bool { return false }

// EventType implements Payload.
func (*RolloutStarted) EventType() string { return "rollout.started" }

// Durable implements Payload: which hosts are in which batch must not be decided twice.
func (*RolloutStarted) Durable() bool { return true }

// EventType implements Payload.
func (*BatchStarted) EventType() string { return "batch.started" }

// Durable implements Payload.
func (*BatchStarted) Durable() bool { return false }

// EventType implements Payload.
func (*BatchEnded) EventType() string { return "batch.ended" }

// Durable implements Payload.
func (*BatchEnded) Durable() bool { return true }

// EventType implements Payload.
func (*ItemIntent) EventType() string { return "item.intent" }

// Durable implements Payload: intent before effect.
func (*ItemIntent) Durable() bool { return true }

// EventType implements Payload.
func (*ItemOutput) EventType() string { return "item.output" }

// Durable implements Payload: the outcome that follows carries it to disk.
func (*ItemOutput) Durable() bool { return false }

// EventType implements Payload.
func (*ItemOutcome) EventType() string { return "item.outcome" }

// Durable implements Payload: the outcome of an attempt is on disk before anything follows; the outcome of an
// observation only repeats what can be observed again.
func (o *ItemOutcome) Durable() bool { return o.AttemptID != "" }

// EventType implements Payload.
func (*ItemSettled) EventType() string { return "item.settled" }

// Durable implements Payload.
func (*ItemSettled) Durable() bool { return true }

// EventType implements Payload.
func (*ItemRetry) EventType() string { return "item.retry" }

// Durable implements Payload.
func (*ItemRetry) Durable() bool { return false }

// EventType implements Payload.
func (*ManualDone) EventType() string { return "manual.done" }

// Durable implements Payload.
func (*ManualDone) Durable() bool { return true }

// EventType implements Payload.
func (*ApprovalRequested) EventType() string { return "approval.requested" }

// Durable implements Payload.
func (*ApprovalRequested) Durable() bool { return true }

// EventType implements Payload.
func (*ApprovalGranted) EventType() string { return "approval.granted" }

// Durable implements Payload.
func (*ApprovalGranted) Durable() bool { return true }

// EventType implements Payload.
func (*ApprovalDenied) EventType() string { return "approval.denied" }

// Durable implements Payload.
func (*ApprovalDenied) Durable() bool { return true }

// EventType implements Payload.
func (*ApprovalExpired) EventType() string { return "approval.expired" }

// Durable implements Payload.
func (*ApprovalExpired) Durable() bool { return true }

// EventType implements Payload.
func (*ApprovalUsed) EventType() string { return "approval.used" }

// Durable implements Payload.
func (*ApprovalUsed) Durable() bool { return true }

// EventType implements Payload.
func (*DecisionMade) EventType() string { return "decision.made" }

// Durable implements Payload.
func (*DecisionMade) Durable() bool { return true }

// EventType implements Payload.
func (*MarkSet) EventType() string { return "mark.set" }

// Durable implements Payload.
func (*MarkSet) Durable() bool { return false }

// EventType implements Payload.
func (*ObjectiveMeasured) EventType() string { return "objective.measured" }

// Durable implements Payload.
func (*ObjectiveMeasured) Durable() bool { return false }

// EventType implements Payload.
func (*CleanupStarted) EventType() string { return "cleanup.started" }

// Durable implements Payload.
func (*CleanupStarted) Durable() bool { return true }

// EventType implements Payload.
func (*CleanupEnded) EventType() string { return "cleanup.ended" }

// Durable implements Payload.
func (*CleanupEnded) Durable() bool { return true }

// EventType implements Payload.
func (*RollbackStarted) EventType() string { return "rollback.started" }

// Durable implements Payload.
func (*RollbackStarted) Durable() bool { return true }

// EventType implements Payload.
func (*RollbackEnded) EventType() string { return "rollback.ended" }

// Durable implements Payload.
func (*RollbackEnded) Durable() bool { return true }

// EventType implements Payload.
func (*OperatorAction) EventType() string { return "operator.action" }

// Durable implements Payload.
func (*OperatorAction) Durable() bool { return true }

// EventType implements Payload.
func (*ClockAnomaly) EventType() string { return "clock.anomaly" }

// Durable implements Payload.
func (*ClockAnomaly) Durable() bool { return false }

// EventType implements Payload.
func (*RunInterrupted) EventType() string { return "run.interrupted" }

// Durable implements Payload.
func (*RunInterrupted) Durable() bool { return true }

// EventType implements Payload.
func (*RunResumed) EventType() string { return "run.resumed" }

// Durable implements Payload.
func (*RunResumed) Durable() bool { return true }

// EventType implements Payload.
func (*JournalRecovered) EventType() string { return "journal.recovered" }

// Durable implements Payload.
func (*JournalRecovered) Durable() bool { return true }

// EventType implements Payload.
func (*RunClosed) EventType() string { return "run.closed" }

// Durable implements Payload.
func (*RunClosed) Durable() bool { return true }

// PayloadTypes is the closed set: a new zero payload for every event type. The strict reader of the journal uses it.
func PayloadTypes() map[string]Payload {
	all := []Payload{
		&RunOpened{}, &HostConnected{}, &PreflightResult{}, &ItemStarted{}, &RolloutStarted{}, &BatchStarted{}, &BatchEnded{}, &ItemIntent{}, &ItemOutput{}, &ItemOutcome{},
		&ItemSettled{}, &ItemRetry{}, &ManualDone{}, &ApprovalRequested{},
		&ApprovalGranted{}, &ApprovalDenied{}, &ApprovalExpired{}, &ApprovalUsed{}, &DecisionMade{}, &MarkSet{}, &ObjectiveMeasured{}, &CleanupStarted{}, &CleanupEnded{},
		&RollbackStarted{}, &RollbackEnded{}, &OperatorAction{}, &ClockAnomaly{}, &RunInterrupted{}, &RunResumed{}, &JournalRecovered{}, &ExplorationResult{}, &RunClosed{},
	}
	m := make(map[string]Payload, len(all))
	for _, p := range all {
		m[p.EventType()] = p
	}
	return m
}
