package engine

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// ItemStarted says that an item's turn has come and on which hosts and elements it runs. Hosts are evaluated once, here.
type ItemStarted struct {
	Item     runbooks.ItemID `json:"item"`
	Batch    int             `json:"batch,omitempty"` // as in Unit
	Hosts    []string        `json:"hosts,omitempty"`
	Elements []string        `json:"elements,omitempty"`
}

// EventType implements Payload.
func (*ItemStarted) EventType() string { return "item.started" }

// Durable implements Payload.
func (*ItemStarted) Durable() bool { return false }

// RolloutStarted says that a phase rolls out: its hosts, evaluated once, in the order of the batches, and the sizes of
// those. Call is the path of the call that the phase belongs to, such as "call.db"; empty for the run's own runbook.
type RolloutStarted struct {
	Call    runbooks.ItemID `json:"call,omitempty"`
	Phase   string          `json:"phase"`
	Hosts   []string        `json:"hosts"`
	Batches []int           `json:"batches"`
}

// EventType implements Payload.
func (*RolloutStarted) EventType() string { return "rollout.started" }

// Durable implements Payload: which hosts are in which batch must not be decided twice.
func (*RolloutStarted) Durable() bool { return true }

// BatchStarted begins a batch: all items of the phase run for its hosts.
type BatchStarted struct {
	Call  runbooks.ItemID `json:"call,omitempty"`
	Phase string          `json:"phase"`
	Batch int             `json:"batch"` // from 1
	Of    int             `json:"of"`
	Hosts []string        `json:"hosts"`
}

// EventType implements Payload.
func (*BatchStarted) EventType() string { return "batch.started" }

// Durable implements Payload.
func (*BatchStarted) Durable() bool { return false }

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

// EventType implements Payload.
func (*BatchEnded) EventType() string { return "batch.ended" }

// Durable implements Payload.
func (*BatchEnded) Durable() bool { return true }

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

// EventType implements Payload.
func (*ItemIntent) EventType() string { return "item.intent" }

// Durable implements Payload: intent before effect.
func (*ItemIntent) Durable() bool { return true }

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

// EventType implements Payload.
func (*ItemOutput) EventType() string { return "item.output" }

// Durable implements Payload: the outcome that follows carries it to disk.
func (*ItemOutput) Durable() bool { return false }

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

// EventType implements Payload.
func (*ItemOutcome) EventType() string { return "item.outcome" }

// Durable implements Payload: the outcome of an attempt is on disk before anything follows; the outcome of an
// observation only repeats what can be observed again.
func (o *ItemOutcome) Durable() bool { return o.AttemptID != "" }

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

// EventType implements Payload.
func (*ItemSettled) EventType() string { return "item.settled" }

// Durable implements Payload.
func (*ItemSettled) Durable() bool { return true }

// ItemRetry says that a unit will start again by the runbook's rules, and when. Its outcome waits until then.
type ItemRetry struct {
	Unit
	Tries   int           `json:"tries"` // so far, the first included
	After   Outcome       `json:"after"` // of the last of them
	DelayNS time.Duration `json:"delay_ns"`
	At      time.Time     `json:"at"` // not before
}

// EventType implements Payload.
func (*ItemRetry) EventType() string { return "item.retry" }

// Durable implements Payload.
func (*ItemRetry) Durable() bool { return false }
