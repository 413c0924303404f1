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

// Hole is one thing that a case shows to be wrong with the runbook.
type Hole struct {
	Code string
	Item runbooks.ItemID // that has the hole
	Why  string
}

// classify says where a case ended, and all holes that it shows, the worst first.
func (x *explorer) classify(c faultCase, ended *Ended) (end End, holes []Hole, why string) {
	r := ended.Record
	found := func(code string, item runbooks.ItemID, format string, args ...any) {
		if item != "" {
			holes = append(holes, Hole{Code: code, Item: item, Why: fmt.Sprintf(format, args...)})
		}
	}
	item, check := irreversibleAfterFailure(ended)
	found(CodeIrreversibleAfterFailure, item, "%s ran although %s had failed", item, check)
	for _, id := range x.unsettled(r) {
		found(CodeUnsettled, id, "%s may have run, and nothing can tell: it has no verify and is not idempotent", id)
	}
	if x.unnoticed(c, r) {
		found(CodeUnnoticed, c.item, "%s went wrong (%s), and the verdict is %s without a word of it", c.item, c.words, r.Verdict)
	}
	for _, id := range x.leftWithoutRollback(r) {
		found(CodeNoRollback, id, "%s was done, lies before the point of no return, and has no rollback", id)
	}
	for _, u := range x.notCleaned(r) {
		found(CodeNotCleaned, u.Item, "%s", u.Reason)
	}
	if len(holes) > 0 {
		return Found, holes, holes[0].Why
	}
	end, why = x.settledEnd(r)
	return end, nil, why
}

// settledEnd is the end of a case that shows no hole.
func (x *explorer) settledEnd(r *engine.Record) (end End, why string) {
	held := r.Unknown > 0 || !r.Closed
	switch {
	case r.Unknown > 0:
		return Held, "an outcome is unknown; verify or a person settles it"
	case r.Rollback != nil && r.Rollback.Held != "":
		return Held, r.Rollback.Held
	case held:
		return Held, "the run is left for a person to take up"
	case recovered(r):
		if r.Verdict == engine.Passed {
			return Safe, "recovered by itself"
		}
		return Safe, "recovered, and the record says what happened"
	case len(r.CleanupFailed) > 0:
		return Held, fmt.Sprintf("cleanup of %s failed and is left to a person", r.CleanupFailed[0])
	case len(changedLeft(r)) > 0:
		return Held, fmt.Sprintf("%s changed something and is left for a person to roll back", changedLeft(r)[0])
	}
	return Safe, "stopped, with everything rolled back and cleaned up"
}

// notCleaned are the items of cleanup that did not run although the run has ended: what they need is not there, because the
// item that they take it from failed before it told.
func (x *explorer) notCleaned(r *engine.Record) []engine.ItemOutcome {
	if r.Unknown > 0 || !r.Closed || x.rb.Cleanup == nil {
		return nil
	}
	var out []engine.ItemOutcome
	for n := range r.Items {
		i := &r.Items[n]
		switch {
		case i.Plan.Phase != runbooks.CleanupPhase:
		case !r.CleanupRan:
			return append(out, engine.ItemOutcome{Unit: engine.Unit{Item: i.Plan.ID}, Reason: string(i.Plan.ID) + " did not run, and nor did the rest of cleanup"})
		case i.Outcome == engine.NotReached:
			out = append(out, engine.ItemOutcome{Unit: engine.Unit{Item: i.Plan.ID}, Reason: fmt.Sprintf("%s did not run: %s", i.Plan.ID, i.Reason)})
		}
	}
	return out
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

// unsettled are the steps whose outcome is unknown and that say nothing by which it could be settled.
func (x *explorer) unsettled(r *engine.Record) []runbooks.ItemID {
	var out []runbooks.ItemID
	for n := range r.Items {
		for _, u := range r.Items[n].Units {
			if i := itemAt(x.p, x.rb, u.Item); u.Standing == engine.Open && i != nil && i.Verify == nil && !i.Idempotent && !slices.Contains(out, u.Item) {
				out = append(out, u.Item)
			}
		}
	}
	return out
}

// unnoticed reports whether the fault struck and the run passed as if it had not. A lost connection that was taken up again,
// a crash that was resumed, a poll that got its answer later and a proven new attempt are no failures.
func (x *explorer) unnoticed(c faultCase, r *engine.Record) bool {
	if r.Verdict != engine.Passed || c.kind == FaultLost || c.kind == FaultCrash || c.with != nil {
		return false
	}
	for n := range r.Items {
		i := &r.Items[n]
		if i.Plan.ID != c.item {
			continue
		}
		if i.Standing == engine.Fails || slices.ContainsFunc(i.Units, func(u engine.UnitRecord) bool {
			return u.Host == c.host && u.Standing == engine.Fails
		}) {
			return true
		}
		// What its own expectations, captures or verify accept is the author's word. A code that nothing looks at is not.
		item := itemAt(x.p, x.rb, c.item)
		return c.kind == FaultExit && c.part == engine.PartCommand && deaf(item) && x.sameAs(r)
	}
	return false
}

// deaf reports whether an item takes any exit code for a success and looks at nothing else.
func deaf(i *runbooks.Item) bool {
	return i != nil && i.Command != nil && badCode(i, engine.PartCommand) < 0 &&
		len(i.Expects)+len(i.ExpectAll)+len(i.Captures) == 0 && i.Verify == nil
}

// sameAs reports whether every item ended as in the sound run: nothing took another way because of what went wrong.
func (x *explorer) sameAs(r *engine.Record) bool {
	for n := range r.Items {
		if r.Items[n].Outcome != x.sound.Items[n].Outcome {
			return false
		}
	}
	return true
}

// leftWithoutRollback are the steps that were done, lie after the last irreversible one or before none, were not rolled
// back, and could not have been.
func (x *explorer) leftWithoutRollback(r *engine.Record) []runbooks.ItemID {
	if recovered(r) || pastNoReturn(r) || r.Unknown > 0 {
		return nil
	}
	var out []runbooks.ItemID
	for _, u := range changedLeft(r) {
		i := itemAt(x.p, x.rb, u)
		if i != nil && i.Rollback == nil && i.Kind == runbooks.Step && !i.Irreversible {
			out = append(out, u)
		}
	}
	return out
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
	for n := range x.plan.Items {
		id := x.plan.Items[n].ID
		i := itemAt(x.p, x.rb, id)
		if i == nil || i.Kind != runbooks.Gate {
			continue
		}
		res := CaseResult{Item: id, Part: engine.PartCommand, Alike: 1, Kind: FaultWrongApprover, Fault: "a member operates", End: Safe,
			Why: "enough others can approve", Story: []string{"a member of role " + i.Role + " operates the run"}}
		for _, role := range x.p.Roles {
			if role.Name == i.Role && len(role.Members)-1 < max(1, i.Approvals) {
				res.End = Found
				res.Why = fmt.Sprintf("%s wants %d approvals of role %s, which has %d members: when one of them operates, too few are left",
					id, max(1, i.Approvals), role.Name, len(role.Members))
				res.Holes = []Hole{{Code: CodeGateOutOfReach, Item: id, Why: res.Why}}
			}
		}
		out = append(out, res)
	}
	return out
}
