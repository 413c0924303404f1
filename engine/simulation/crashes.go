package simulation

import (
	"fmt"

	"github.com/continuo-runbooks/continuo/engine"
)

// crashes are the points of the sound run at which continuo is killed: every event, on one host of each class, and both
// what a host may know when a launch or an outcome is not on record.
func (x *explorer) crashes() []faultCase {
	var out []faultCase
	seen := map[Crash]bool{}
	counted := map[Crash]int{}
	for _, e := range x.events {
		c, ok := pointOf(e.Payload)
		if !ok {
			continue
		}
		alikeSoFar := c
		c.Nth = counted[alikeSoFar]
		counted[alikeSoFar]++
		like := x.crashClass(c)
		if seen[like] {
			continue
		}
		seen[like] = true
		alike := 1
		if c.Unit.Host != "" {
			alike = x.alike(c.Unit.Item, c.Unit.Host)
		}
		for _, m := range momentsOf(e.Payload) {
			at := c
			at.Moment = m
			out = append(out, faultCase{
				injection: injection{place: place{item: c.Unit.Item, part: c.Part, host: c.Unit.Host, key: c.Unit.Key}, kind: FaultCrash},
				words:     crashWords(at), alike: alike, crash: &at,
			})
		}
	}
	return out
}

// crashClass is equal for crashes of which one is explored: on hosts, elements and batches that are alike.
func (x *explorer) crashClass(c Crash) Crash {
	if b := x.batchClass(c.Unit.Item, c.Unit.Batch); b != c.Unit.Batch {
		x.skipped["a crash in a batch between the second and the last: as in the second"] = true
		c.Unit.Batch = b
	}
	c.Unit.Key = x.keyLikeness(c.Unit.Item, c.Unit.Key)
	if c.Unit.Host != "" {
		c.Unit.Host = x.likeness(c.Unit.Item, c.Unit.Host)
	}
	return c
}

// momentsOf are the moments of an event at which a crash makes a difference.
func momentsOf(p engine.Payload) []Moment {
	switch p := p.(type) {
	case *engine.ItemIntent:
		return []Moment{MomentBefore, MomentLaunch}
	case *engine.ItemOutcome:
		if p.AttemptID != "" {
			return []Moment{MomentBefore, MomentLost}
		}
	}
	return []Moment{MomentBefore}
}

// crashWords says in words when continuo was killed.
func crashWords(c Crash) string {
	switch c.Moment {
	case MomentLaunch:
		return "crash before the launch" + batchWords(c)
	case MomentLost:
		return "crash, result lost" + batchWords(c)
	case MomentBefore:
	}
	what := map[string]string{
		"item.started": "as it starts", "item.intent": "before its intent", "item.output": "before its output is on record",
		"item.outcome": "before its end is on record", "approval.requested": "before it is asked", "approval.granted": "before an approval is on record",
		"approval.used": "before the approval is used", "decision.made": "before the choice is on record", "manual.done": "before it is on record",
		"mark.set": "before its mark", "cleanup.started": "before cleanup", "cleanup.ended": "after cleanup", "run.closed": "before the run is closed",
		"rollback.started": "before rollback", "rollback.ended": "after rollback", "objective.measured": "before an objective is measured",
	}[c.Event]
	if what == "" {
		what = "before " + c.Event
	}
	switch {
	case c.Event == "item.outcome" && c.Part != "" && c.Part != engine.PartCommand:
		what = fmt.Sprintf("before its %s is on record", c.Part)
	case c.Event == "item.outcome" && c.Part == "" && c.Unit.Whole():
		what = "before the end of the item is on record"
	case c.Event == "item.outcome" && c.Part == "":
		what = "before its result is on record"
	case c.Event == "item.output" && c.Part != engine.PartCommand, c.Event == "item.intent" && c.Part != engine.PartCommand:
		what += fmt.Sprintf(" (%s)", c.Part)
	}
	what += batchWords(c)
	if c.Attempt > 1 {
		what += fmt.Sprintf(", attempt %d", c.Attempt)
	}
	if c.Nth > 0 {
		what += fmt.Sprintf(", time %d", c.Nth+1)
	}
	return "crash " + what
}

func batchWords(c Crash) string {
	if c.Unit.Batch == 0 {
		return ""
	}
	return fmt.Sprintf(", batch %d", c.Unit.Batch)
}
