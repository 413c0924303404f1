package engine

import (
	"context"

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
	Next []runbooks.ItemID
}

// InterruptAnswer is go-on, rollback, abort or leave.
type InterruptAnswer struct {
	Action string // ActionContinue, ActionRollback, ActionAbort, ActionLeave
	By     string
	Reason string
}

// FailureQuestion says what failed.
type FailureQuestion struct {
	Item    runbooks.ItemID
	Outcome ItemOutcome
	Units   []ItemOutcome // the failing ones, at most 20
	Options []string      // what may be answered
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
)
