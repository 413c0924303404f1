package engine

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

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

// EventType implements Payload.
func (*RunOpened) EventType() string { return "run.opened" }

// Durable implements Payload.
func (*RunOpened) Durable() bool { return true }

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

// EventType implements Payload.
func (*HostConnected) EventType() string { return "host.connected" }

// Durable implements Payload.
func (*HostConnected) Durable() bool { return false }

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

// EventType implements Payload.
func (*PreflightResult) EventType() string { return "preflight.result" }

// Durable implements Payload.
func (*PreflightResult) Durable() bool { return false }

// PreflightCheck is one question of the preflight: reach, host-key, authentication, become, interpreter, program,
// state-directory, free-space, clock, identity.
type PreflightCheck struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// MarkSet sets a named instant.
type MarkSet struct {
	Mark   string          `json:"mark"`
	At     time.Time       `json:"at"`
	Source string          `json:"source"` // item, computed, operator
	Item   runbooks.ItemID `json:"item,omitempty"`
}

// EventType implements Payload.
func (*MarkSet) EventType() string { return "mark.set" }

// Durable implements Payload.
func (*MarkSet) Durable() bool { return false }

// ObjectiveMeasured records what an expression of an objective came to: the newest recovered data, or a value.
type ObjectiveMeasured struct {
	Objective     string    `json:"objective"`
	RecoveryPoint time.Time `json:"recovery_point,omitzero"`
	Value         *float64  `json:"value,omitempty"`
	Problem       string    `json:"problem,omitempty"` // why it was not measured
}

// EventType implements Payload.
func (*ObjectiveMeasured) EventType() string { return "objective.measured" }

// Durable implements Payload.
func (*ObjectiveMeasured) Durable() bool { return false }

// CleanupStarted and CleanupEnded enclose the cleanup, which always runs.
type CleanupStarted struct {
	Items int `json:"items"`
}

// EventType implements Payload.
func (*CleanupStarted) EventType() string { return "cleanup.started" }

// Durable implements Payload.
func (*CleanupStarted) Durable() bool { return true }

// CleanupEnded says what the cleanup left.
type CleanupEnded struct {
	Failed []runbooks.ItemID `json:"failed,omitempty"`
}

// EventType implements Payload.
func (*CleanupEnded) EventType() string { return "cleanup.ended" }

// Durable implements Payload.
func (*CleanupEnded) Durable() bool { return true }

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

// EventType implements Payload.
func (*RollbackStarted) EventType() string { return "rollback.started" }

// Durable implements Payload.
func (*RollbackStarted) Durable() bool { return true }

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

// EventType implements Payload.
func (*RollbackEnded) EventType() string { return "rollback.ended" }

// Durable implements Payload.
func (*RollbackEnded) Durable() bool { return true }

// ClockAnomaly is a jump of the wall clock against the monotonic one. It is recorded, never corrected.
type ClockAnomaly struct {
	StepMS int64 `json:"step_ms"`
}

// EventType implements Payload.
func (*ClockAnomaly) EventType() string { return "clock.anomaly" }

// Durable implements Payload.
func (*ClockAnomaly) Durable() bool { return false }

// RunInterrupted says that the controller left the run; RunResumed that one took it up again and began a segment.
type RunInterrupted struct {
	Reason string `json:"reason"`
	By     string `json:"by,omitempty"`
}

// EventType implements Payload.
func (*RunInterrupted) EventType() string { return "run.interrupted" }

// Durable implements Payload.
func (*RunInterrupted) Durable() bool { return true }

// RunResumed begins a new segment of the monotonic clock.
type RunResumed struct {
	BootID string `json:"boot_id"`
	By     string `json:"by"`
	Tool   Tool   `json:"tool"`
}

// EventType implements Payload.
func (*RunResumed) EventType() string { return "run.resumed" }

// Durable implements Payload.
func (*RunResumed) Durable() bool { return true }

// JournalRecovered says that a torn last line was cut off; the bytes are kept in an artifact.
type JournalRecovered struct {
	CutBytes int64  `json:"cut_bytes"`
	Artifact string `json:"artifact,omitempty"`
}

// EventType implements Payload.
func (*JournalRecovered) EventType() string { return "journal.recovered" }

// Durable implements Payload.
func (*JournalRecovered) Durable() bool { return true }

// RunClosed ends a journal. Its figures are those of Fold at this point.
type RunClosed struct {
	Verdict Verdict `json:"verdict"`
	Unknown int     `json:"unknown"`
	Reason  string  `json:"reason,omitempty"`
}

// EventType implements Payload.
func (*RunClosed) EventType() string { return "run.closed" }

// Durable implements Payload.
func (*RunClosed) Durable() bool { return true }
