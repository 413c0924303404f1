package engine

import (
	"context"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Operator is the person who leads the run. Implementations return ErrNobody when there is no one to ask.
type Operator interface {
	// Interrupted asks what to do after the run was drained: nothing runs any more.
	Interrupted(ctx context.Context, q InterruptQuestion) (InterruptAnswer, error)
	// Failed asks what to do about an item that failed and whose on_failure is ask. Nothing new starts meanwhile.
	Failed(ctx context.Context, q FailureQuestion) (FailureAnswer, error)
}

// InterruptQuestion says where the run stands.
type InterruptQuestion struct {
	// Next are the items that would start next.
	Next []runbooks.ItemID `json:"next,omitempty"`
}

// InterruptAnswer is go-on, rollback, abort or leave.
type InterruptAnswer struct {
	Action string // ActionContinue, ActionRollback, ActionAbort, ActionLeave
	By     string
	Reason string
}

// Settler asks a person what became of a unit that nobody knows the end of, or that may still run. Nothing new starts
// meanwhile. Implementations return ErrNobody when there is no one to ask: then the run is held.
type Settler interface {
	Settle(ctx context.Context, q SettleQuestion) (SettleAnswer, error)
}

// SettleQuestion says what is not known.
type SettleQuestion struct {
	Unit    Unit        `json:"unit"`
	Outcome ItemOutcome `json:"outcome"` // as recorded
	// Options are what may be answered: SettleDone, SettleFailed, SettleRetry, SettleLeave.
	Options []string `json:"options"`
}

// SettleAnswer is a person's word. What they say is theirs to answer for: it is recorded with their name and is a deviation.
type SettleAnswer struct {
	As     string
	By     string
	Signed bool
	Reason string
}

// What a person may say about a unit whose end nobody knows.
const (
	SettleDone   = "done"   // it was done, or was done by hand
	SettleFailed = "failed" // it was not done, or not wholly; what the runbook says about a failure follows
	SettleRetry  = "retry"  // it is safe to start it once more
	SettleLeave  = "leave"  // nothing is said yet: the run is held
)

// FailureQuestion says what failed.
type FailureQuestion struct {
	Item    runbooks.ItemID `json:"item,omitempty"`
	Outcome ItemOutcome     `json:"outcome,omitzero"`
	Units   []ItemOutcome   `json:"units,omitempty"`   // the failing ones, at most 20
	Options []string        `json:"options,omitempty"` // what may be answered
}

// FailureAnswer is what the operator chose: ActionRetry, ActionSkip, ActionByHand, ActionRollback, ActionAbort or ActionLeave.
type FailureAnswer struct {
	Action string
	By     string
	Signed bool
	Reason string
}

// Further words of OperatorAction.
const (
	ActionContinue  = "continue"
	ActionPause     = "pause"
	ActionInterrupt = "interrupt"
	ActionKill      = "kill"
	ActionLeave     = "leave"
	ActionRollback  = "rollback"
	ActionNote      = "note"
	// ActionUndoAgain has the rollback of a unit tried once more after it failed.
	ActionUndoAgain = "retry-rollback"
)

// Approver asks for approvals, decisions and typed confirmations. Implementations return ErrNobody when there is no one
// to ask; the context's end withdraws the question. Whoever answers, the rules are the engine's.
type Approver interface {
	// Gate waits for the next word about a gate: a signature, or a denial. It is asked again until the gate is open or
	// has ended.
	Gate(ctx context.Context, q GateQuestion) (GateWord, error)
	// Decide asks for a choice. A choice that cannot count is asked again, with what was wrong in Refused.
	Decide(ctx context.Context, q DecisionQuestion) (DecisionAnswer, error)
	// Confirm asks the operator to type a text before something starts.
	Confirm(ctx context.Context, q ConfirmQuestion) (ConfirmAnswer, error)
}

// GateQuestion is what is shown for a gate.
type GateQuestion struct {
	Item     runbooks.ItemID `json:"item,omitempty"`
	Title    string          `json:"title,omitempty"`
	Question string          `json:"question,omitempty"`
	Role     string          `json:"role,omitempty"`
	Members  []string        `json:"members,omitempty"`
	Granted  []string        `json:"granted,omitempty"` // whose approvals count so far
	Missing  int             `json:"missing,omitempty"`
	// Request is the exact text to sign, with the namespace approval@continuo.
	Request   []byte    `json:"request,omitempty"`
	ApproveBy time.Time `json:"approve_by,omitzero"` // zero: no limit
	Typed     string    `json:"typed,omitempty"`     // what is to be typed before approving at the terminal; empty: nothing
	Refused   string    `json:"refused,omitempty"`   // why the last word did not count
}

// GateWord is one person's word about a gate. A grant carries a signature; Text is what was signed, if it came along.
type GateWord struct {
	By              string
	Deny            bool
	Reason          string
	Text, Signature []byte
}

// DecisionQuestion is what is shown for a decision.
type DecisionQuestion struct {
	Item     runbooks.ItemID `json:"item,omitempty"`
	Title    string          `json:"title,omitempty"`
	Question string          `json:"question,omitempty"`
	Options  []string        `json:"options,omitempty"`
	Stops    []string        `json:"stops,omitempty"` // options that fail the item
	Role     string          `json:"role,omitempty"`
	Members  []string        `json:"members,omitempty"`
	Expires  time.Time       `json:"expires,omitzero"` // zero: never
	Refused  string          `json:"refused,omitempty"`
}

// DecisionAnswer is what a person chose.
type DecisionAnswer struct {
	Choice string
	By     string
	Signed bool
	Reason string
}

// ConfirmQuestion asks for a text to be typed.
type ConfirmQuestion struct {
	Item  runbooks.ItemID `json:"item,omitempty"`
	Title string          `json:"title,omitempty"`
	Text  string          `json:"text,omitempty"`
}

// ConfirmAnswer is what was typed, and by whom.
type ConfirmAnswer struct {
	By    string
	Typed string
}

// ActionConfirm is recorded for a typed confirmation.
const ActionConfirm = "confirm"
