package simulation

import (
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// The codes of findings; `explain` says what each means and what mends it.
const (
	CodeIrreversibleAfterFailure = "CON-F001"
	CodeNoRollback               = "CON-F002"
	CodeNotCleaned               = "CON-F003"
	CodeUnsettled                = "CON-F004"
	CodeGateOutOfReach           = "CON-F005"
	CodeUnnoticed                = "CON-F006"
)

// classify says where a case ended. The rules are in order of weight: what is worst is said.
func (x *explorer) classify(c faultCase, ended *Ended) (end End, code, why string) {
	r := ended.Record
	if item, check := irreversibleAfterFailure(ended); item != "" {
		return Found, CodeIrreversibleAfterFailure, fmt.Sprintf("%s ran although %s had failed", item, check)
	}
	if item := x.unsettled(r); item != "" {
		return Found, CodeUnsettled, fmt.Sprintf("%s may have run, and nothing can tell: it has no verify and is not idempotent", item)
	}
	if x.unnoticed(c, r) {
		return Found, CodeUnnoticed, fmt.Sprintf("%s went wrong (%s), and the verdict is %s without a word of it", c.item, c.words, r.Verdict)
	}
	if item := x.leftWithoutRollback(r); item != "" {
		return Found, CodeNoRollback, fmt.Sprintf("%s was done, lies before the point of no return, and has no rollback", item)
	}
	held := r.Unknown > 0 || !r.Closed
	if !held && x.rb.Cleanup != nil && !r.CleanupRan {
		return Found, CodeNotCleaned, "cleanup did not run"
	}
	switch {
	case r.Unknown > 0:
		return Held, "", "an outcome is unknown; verify or a person settles it"
	case r.Rollback != nil && r.Rollback.Held != "":
		return Held, "", r.Rollback.Held
	case held:
		return Held, "", "the run is left for a person to take up"
	case recovered(r):
		return Safe, "", "recovered: " + string(r.Verdict)
	case len(r.CleanupFailed) > 0:
		return Held, "", fmt.Sprintf("cleanup of %s failed and is left to a person", r.CleanupFailed[0])
	case len(changedLeft(r)) > 0:
		return Held, "", fmt.Sprintf("%s changed something and is left for a person to roll back", changedLeft(r)[0])
	}
	return Safe, "", "stopped, with everything rolled back and cleaned up"
}

func recovered(r *engine.Record) bool {
	return r.Verdict == engine.Passed || r.Verdict == engine.PassedWithDeviations
}

// irreversibleAfterFailure is an irreversible step that was launched after something that only looks, or that a person does,
// had failed for good. The order is that of the events: in simulation everything may happen in the same instant.
func irreversibleAfterFailure(ended *Ended) (step, check runbooks.ItemID) {
	failed := runbooks.ItemID("")
	for _, e := range ended.Events {
		switch p := e.Payload.(type) {
		case *engine.ItemOutcome:
			i := ended.Plan.Item(p.Item)
			whole := p.Host == "" && p.Key == "" && p.Part == ""
			if whole && failed == "" && i != nil && i.Effect != runbooks.Change && i.Severity == "" &&
				p.Outcome.Standing() == engine.Fails && p.Outcome != engine.NotReached {
				failed = p.Item
			}
		case *engine.ItemIntent:
			if i := ended.Plan.Item(p.Item); failed != "" && i != nil && i.Irreversible && p.Part == engine.PartCommand {
				return p.Item, failed
			}
		}
	}
	return "", ""
}

// launched reports whether an attempt of the item's command was sent anywhere.
func launched(i *engine.ItemRecord) bool {
	for _, u := range i.Units {
		if slices.ContainsFunc(u.Intents, func(n engine.ItemIntent) bool { return n.Part == engine.PartCommand }) {
			return true
		}
	}
	return false
}

// unsettled is a step whose outcome is unknown and that says nothing by which it could be settled.
func (x *explorer) unsettled(r *engine.Record) runbooks.ItemID {
	for n := range r.Items {
		for _, u := range r.Items[n].Units {
			if i := itemAt(x.p, x.rb, u.Item); u.Standing == engine.Open && i != nil && i.Verify == nil && !i.Idempotent {
				return u.Item
			}
		}
	}
	return ""
}

// unnoticed reports whether the fault struck and the run passed as if it had not. A lost connection that was taken up
// again, a poll that got its answer later and a proven new attempt are no failures.
func (x *explorer) unnoticed(c faultCase, r *engine.Record) bool {
	if r.Verdict != engine.Passed || c.kind == FaultLost || c.with != nil {
		return false
	}
	for n := range r.Items {
		i := &r.Items[n]
		if i.Plan.ID != c.item {
			continue
		}
		// What its own expectations, captures or codes accept is the author's word; what failed and is not told is not.
		return i.Standing == engine.Fails || slices.ContainsFunc(i.Units, func(u engine.UnitRecord) bool {
			return u.Host == c.host && u.Standing == engine.Fails
		})
	}
	return false
}

// leftWithoutRollback is a step that was done, lies after the last irreversible one or before none, was not rolled back,
// and could not have been.
func (x *explorer) leftWithoutRollback(r *engine.Record) runbooks.ItemID {
	if recovered(r) || pastNoReturn(r) || r.Unknown > 0 {
		return ""
	}
	for _, u := range changedLeft(r) {
		i := itemAt(x.p, x.rb, u)
		if i != nil && i.Rollback == nil && i.Kind == runbooks.Step && !i.Irreversible {
			return u
		}
	}
	return ""
}

// pastNoReturn reports whether an irreversible step was launched.
func pastNoReturn(r *engine.Record) bool {
	for n := range r.Items {
		if r.Items[n].Plan.Irreversible && launched(&r.Items[n]) {
			return true
		}
	}
	return false
}

// changedLeft are the items that were done, changed something, and were not rolled back; cleanup does not count.
func changedLeft(r *engine.Record) []runbooks.ItemID {
	var out []runbooks.ItemID
	for n := range r.Items {
		i := &r.Items[n]
		if i.Plan.Effect != runbooks.Change || i.Plan.Phase == runbooks.CleanupPhase || !launched(i) || rolledBack(i) {
			continue
		}
		if slices.ContainsFunc(i.Units, func(u engine.UnitRecord) bool { return u.Outcome == engine.Succeeded }) {
			out = append(out, i.Plan.ID)
		}
	}
	return out
}

// gates are the gates that nobody can open when a member of their role operates, found without a run.
func (x *explorer) gates() []CaseResult {
	var out []CaseResult
	for _, i := range x.rb.AllItems() {
		if i.Kind != runbooks.Gate {
			continue
		}
		res := CaseResult{Item: i.ID(), Part: engine.PartCommand, Alike: 1, Kind: FaultWrongApprover, Fault: "a member operates", End: Safe,
			Why: "enough others can approve"}
		for _, role := range x.p.Roles {
			if role.Name == i.Role && len(role.Members)-1 < max(1, i.Approvals) {
				res.End, res.Code = Found, CodeGateOutOfReach
				res.Why = fmt.Sprintf("%s wants %d approvals of role %s, which has %d members: when one of them operates, too few are left",
					i.ID(), max(1, i.Approvals), role.Name, len(role.Members))
			}
		}
		out = append(out, res)
	}
	return out
}
