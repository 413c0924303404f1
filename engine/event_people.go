package engine

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

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

// EventType implements Payload.
func (*ManualDone) EventType() string { return "manual.done" }

// Durable implements Payload.
func (*ManualDone) Durable() bool { return true }

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

// EventType implements Payload.
func (*ApprovalRequested) EventType() string { return "approval.requested" }

// Durable implements Payload.
func (*ApprovalRequested) Durable() bool { return true }

// ApprovalGranted is a signature that was handed in. With Void it did not count, and Void says why.
type ApprovalGranted struct {
	Item        runbooks.ItemID `json:"item"`
	Batch       int             `json:"batch,omitempty"` // as in Unit
	By          string          `json:"by"`
	Fingerprint string          `json:"fingerprint,omitempty"`
	Signature   string          `json:"signature,omitempty"` // as handed in; over 4 KiB: "artifact:<sha256>"
	Void        string          `json:"void,omitempty"`
}

// EventType implements Payload.
func (*ApprovalGranted) EventType() string { return "approval.granted" }

// Durable implements Payload.
func (*ApprovalGranted) Durable() bool { return true }

// ApprovalDenied ends a gate.
type ApprovalDenied struct {
	Item   runbooks.ItemID `json:"item"`
	Batch  int             `json:"batch,omitempty"` // as in Unit
	By     string          `json:"by"`
	Reason string          `json:"reason"`
}

// EventType implements Payload.
func (*ApprovalDenied) EventType() string { return "approval.denied" }

// Durable implements Payload.
func (*ApprovalDenied) Durable() bool { return true }

// ApprovalExpired ends a gate whose time is over: to approve by, or to start within.
type ApprovalExpired struct {
	Item   runbooks.ItemID `json:"item"`
	Batch  int             `json:"batch,omitempty"` // as in Unit
	Reason string          `json:"reason"`
}

// EventType implements Payload.
func (*ApprovalExpired) EventType() string { return "approval.expired" }

// Durable implements Payload.
func (*ApprovalExpired) Durable() bool { return true }

// ApprovalUsed says that the first item that required a gate started.
type ApprovalUsed struct {
	Item  runbooks.ItemID `json:"item"`
	Batch int             `json:"batch,omitempty"` // as in Unit
	For   runbooks.ItemID `json:"for"`
	By    []string        `json:"by"` // whose approvals counted at this instant
}

// EventType implements Payload.
func (*ApprovalUsed) EventType() string { return "approval.used" }

// Durable implements Payload.
func (*ApprovalUsed) Durable() bool { return true }

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

// EventType implements Payload.
func (*DecisionMade) EventType() string { return "decision.made" }

// Durable implements Payload.
func (*DecisionMade) Durable() bool { return true }

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

// EventType implements Payload.
func (*OperatorAction) EventType() string { return "operator.action" }

// Durable implements Payload.
func (*OperatorAction) Durable() bool { return true }
