package view

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// people prints what persons said.
func (p *Progress) people(e engine.Event) {
	switch v := e.Payload.(type) {
	case *engine.ManualDone:
		word := "done"
		if !v.Done {
			word = "NOT done"
		}
		p.line(e, "%s %s, says %s%s", v.Item, word, Clean(v.By), after(": ", Clean(v.Note)))
	case *engine.ApprovalRequested:
		until := ""
		if !v.ApproveBy.IsZero() {
			until = ", until " + v.ApproveBy.In(p.s.zone).Format("15:04:05")
		}
		p.line(e, "%s %s waits for %s of %s%s", p.s.paint(yellow, "APPROVAL"), v.Item, Count(v.Approvals, "approval"), Clean(v.Role), until)
	case *engine.ApprovalGranted:
		if v.Void != "" {
			p.line(e, "%s %s: the word of %s does not count: %s", p.s.paint(yellow, "APPROVAL"), v.Item, Clean(v.By), Clean(v.Void))
			return
		}
		p.line(e, "%s %s: granted by %s%s", p.s.paint(green, "APPROVAL"), v.Item, Clean(v.By), after(" with ", Clean(v.Fingerprint)))
	case *engine.ApprovalDenied:
		p.line(e, "%s %s: DENIED by %s%s", p.s.paint(red, "APPROVAL"), v.Item, Clean(v.By), after(": ", Clean(v.Reason)))
	case *engine.ApprovalExpired:
		p.line(e, "%s %s: EXPIRED%s", p.s.paint(red, "APPROVAL"), v.Item, after(": ", Clean(v.Reason)))
	case *engine.ApprovalUsed:
		p.line(e, "%s %s: used for %s, by the word of %s", p.s.paint(green, "APPROVAL"), v.Item, v.For, list(v.By, fewHosts))
	case *engine.DecisionMade:
		claimed := " (claimed, not signed)"
		if v.Signed {
			claimed = ""
		}
		p.line(e, "%s decided: %s, by %s%s%s", v.Item, Clean(v.Choice), Clean(v.By), claimed, after(": ", Clean(v.Reason)))
	default:
		p.rollout(e)
	}
}

// rollout prints where a phase that rolls out stands.
func (p *Progress) rollout(e engine.Event) {
	switch v := e.Payload.(type) {
	case *engine.RolloutStarted:
		p.line(e, "phase %s rolls out over %s in %s: %s", Clean(v.Phase), Count(len(v.Hosts), "host"), countBatches(len(v.Batches)), sizesText(v.Batches))
	case *engine.BatchStarted:
		p.line(e, "%s of phase %s: %s", p.s.paint(bold, fmt.Sprintf("batch %d of %d", v.Batch, v.Of)), Clean(v.Phase), list(v.Hosts, fewHosts))
	case *engine.BatchEnded:
		word := p.s.paint(green, "done")
		if v.Stopped != "" {
			word = p.s.paint(red, "STOPPED")
		}
		p.line(e, "batch %d %s: %d of %s%s%s", v.Batch, word, v.Hosts.Done, Count(v.Hosts.Expected, "host"),
			after("; failed: ", list(v.Failed, fewHosts)), after("; ", Clean(v.Stopped)))
	}
}

func countBatches(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}

// sizesText is the sizes of batches with repetitions counted: "2, 10, 3 × 50, 38".
func sizesText(sizes []int) string {
	var parts []string
	for n := 0; n < len(sizes); {
		end := n
		for end < len(sizes) && sizes[end] == sizes[n] {
			end++
		}
		if end-n > 1 {
			parts = append(parts, fmt.Sprintf("%d × %d", end-n, sizes[n]))
		} else {
			parts = append(parts, strconv.Itoa(sizes[n]))
		}
		n = end
	}
	return strings.Join(parts, ", ")
}

func (p *Progress) rollbackStarted(e engine.Event, v *engine.RollbackStarted) {
	p.line(e, "%s of %s%s%s", p.s.paint(yellow, "ROLLBACK"), Count(v.Units, "unit"), after(", back to ", string(v.Until)), after(": ", Clean(v.Reason)))
}

func (p *Progress) rollbackEnded(e engine.Event, v *engine.RollbackEnded) {
	p.line(e, "%s ended: %d rolled back", p.s.paint(yellow, "ROLLBACK"), len(v.Done))
	for _, l := range []struct {
		word  string
		units []engine.Unit
	}{{"NOT ROLLED BACK:", v.Failed}, {"left as it is:", v.Left}} {
		if len(l.units) > 0 {
			p.indent(p.s.paint(red, l.word) + " " + strings.Join(gathered(l.units), "; "))
		}
	}
	if v.Held != "" {
		p.indent(p.s.paint(red, "HELD:") + " " + Clean(v.Held))
	}
}
