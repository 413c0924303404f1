package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// PlanOutlook is how long a plan is expected to take, by earlier runs.
type PlanOutlook struct {
	Runs  int // earlier runs that were looked at
	Known bool
	Takes time.Duration
	Path  []runbooks.ItemID // the chain of items that decides it
	Items map[runbooks.ItemID]time.Duration
}

// text is the outlook in one sentence.
func (o PlanOutlook) text() string {
	switch {
	case o.Known:
		return fmt.Sprintf("%s, by the median of %s", Duration(o.Takes), Count(o.Runs, "earlier run"))
	case o.Runs > 0:
		return "not known: an item of the plan was never done in " + Count(o.Runs, "earlier run")
	}
	return "not known: there is no earlier live run"
}

// path is the chain of items with their lengths.
func (o PlanOutlook) path() string {
	out := make([]string, len(o.Path))
	for n, id := range o.Path {
		out[n] = fmt.Sprintf("%s (%s)", id, Duration(o.Items[id]))
	}
	return strings.Join(out, " → ")
}

// Outlook prints how long a plan is expected to take.
func (s *Screen) Outlook(o PlanOutlook) {
	s.Printf("expected duration: %s\n", o.text())
	if o.Known {
		s.Printf("decided by: %s\n", o.path())
	}
}

// PlanChange prints a plan as a request for change: what those who approve it must know, back-out included.
func (s *Screen) PlanChange(p *engine.Plan, o PlanOutlook) {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	w("# Request for change: %s\n\n", markdownText(titleOf(p)))
	w("| | |\n|---|---|\n")
	for _, f := range [][2]string{
		{"Service", p.Service}, {"Runbook", p.Runbook + after(", version ", p.Version)}, {"Owner", p.Owner}, {"Plan", p.Digest},
		{"Expected duration", o.text()},
	} {
		if f[1] != "" {
			w("| %s | %s |\n", f[0], markdownCell(f[1]))
		}
	}
	w("| Requested by | ________________________ |\n| Window | from ____________ to ____________ |\n\n")
	changeScope(&b, w, p)
	changeRisk(w, p)
	changeApprovals(w, p)
	changeSteps(w, p, o)
	changeBackOut(w, p)
	w("## Decision\n\n- [ ] approved  - [ ] approved with conditions  - [ ] refused\n\nConditions ________________________________________\n\n")
	w("Name ________________________  Date ____________  Signed ________________________\n")
	s.Printf("%s", b.String())
}

type printf = func(format string, args ...any)

// changeScope writes what is touched and what that means for the service.
func changeScope(b *strings.Builder, w printf, p *engine.Plan) {
	w("## Scope\n\n%s\n\n", planCounts(p))
	markdownHead(b, p)
	w("## Impact\n\n")
	if n := environments(p); n != "" {
		w("- hosts by environment: %s\n", n)
	}
	if p.Exercise != nil && p.Exercise.ProductionImpact != "" {
		w("- impact on production: %s\n", markdownText(p.Exercise.ProductionImpact))
	}
	changes := 0
	for _, i := range p.Items {
		if i.Effect == runbooks.Change && i.Kind != runbooks.Call && i.Disposition != engine.WillSkip {
			changes++
		}
	}
	w("- %s something on hosts\n", plural(changes, "item changes", "items change"))
	if p.UpdateEveryS > 0 {
		w("- stakeholders are told how it stands every %s\n", Seconds(p.UpdateEveryS))
	}
	w("\n")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// changeRisk writes what cannot be taken back, and what is not known before the run.
func changeRisk(w printf, p *engine.Plan) {
	w("## Risk\n\n")
	n := 0
	for _, i := range p.Items {
		if i.Irreversible {
			w("- **cannot be taken back:** `%s`%s. After its start nothing is rolled back unless a person says so.\n",
				codeSpan(string(i.ID)), after(", ", markdownText(i.Title)))
			n++
		}
	}
	for _, i := range p.Items {
		switch {
		case i.Effect == runbooks.Change && !i.HasRollback && !i.Irreversible && i.Kind != runbooks.Call && i.Phase != cleanupPhase:
			w("- no rollback is written: `%s`\n", codeSpan(string(i.ID)))
			n++
		case i.Disposition == engine.RunTime:
			w("- decided at run time: `%s`%s\n", codeSpan(string(i.ID)), after(", by ", markdownText(strings.Join(i.WaitsFor, ", "))))
			n++
		}
	}
	if n == 0 {
		w("Everything is known before it starts, and everything can be rolled back.\n")
	}
	w("\n")
}

// cleanupPhase is the phase of the items that always run at the end.
const cleanupPhase = "cleanup"

// changeApprovals writes who must say something during the run.
func changeApprovals(w printf, p *engine.Plan) {
	w("## Approvals and people during the run\n\n")
	n := 0
	for _, i := range p.Items {
		if i.Effect != runbooks.Human || i.Disposition == engine.WillSkip {
			continue
		}
		n++
		w("- [ ] %s `%s`%s%s\n", i.Kind, codeSpan(string(i.ID)), after(": ", markdownText(i.Title)), after(", owner ", markdownText(i.Owner)))
		for _, c := range i.Commands {
			for _, l := range commandLines(c) {
				w("  %s\n", markdownText(l))
			}
		}
	}
	if n == 0 {
		w("None.\n")
	}
	w("\n")
}

// changeSteps writes what is done, in order, with how long it is expected to take.
func changeSteps(w printf, p *engine.Plan, o PlanOutlook) {
	w("## Implementation\n\n")
	if o.Known {
		w("The length is decided by %s.\n\n", markdownText(o.path()))
	}
	w("| # | phase | item | hosts | what | expected |\n|---|---|---|---|---|---|\n")
	n := 0
	for _, i := range p.Items {
		if i.Disposition == engine.WillSkip {
			continue
		}
		n++
		takes := ""
		if d, ok := o.Items[i.ID]; ok {
			takes = Duration(d)
		}
		what := i.Title
		if i.Irreversible {
			what = strings.TrimSpace("IRREVERSIBLE " + what)
		}
		w("| %d | %s | %s | %s | %s | %s |\n", n, markdownCell(i.Phase), markdownCell(string(i.ID)), markdownCell(list(i.Hosts, fewHosts)), markdownCell(what), takes)
	}
	w("\n")
}

// changeBackOut writes the way back: what was changed last goes back first.
func changeBackOut(w printf, p *engine.Plan) {
	w("## Back-out\n\n")
	if p.Failback != "" {
		w("The runbook for the way back after success is `%s`.\n\n", codeSpan(p.Failback))
	}
	w("What may have changed something goes back, the last first, by the command `continuo rollback RUN` or when it is asked:\n\n")
	n := 0
	for _, i := range slices.Backward(p.Items) {
		if i.Effect != runbooks.Change && !i.HasRollback || i.Kind == runbooks.Call || i.Phase == cleanupPhase || i.Disposition == engine.WillSkip {
			continue
		}
		n++
		w("%d. `%s`%s", n, codeSpan(string(i.ID)), after(" on ", markdownText(list(i.Hosts, fewHosts))))
		switch {
		case i.Irreversible:
			w(": **the point of no return**; what is before it goes back only when a person says so")
		case !i.HasRollback:
			w(": stays as it is; no rollback is written")
		}
		w("\n")
		for _, c := range i.Commands {
			if c.Part != engine.PartRollback {
				continue
			}
			ls := commandLines(c)
			fence := fenceFor(ls)
			w("\n   %s\n", fence)
			for _, l := range ls {
				w("   %s\n", Clean(l))
			}
			w("   %s\n\n", fence)
		}
	}
	if n == 0 {
		w("Nothing is changed, so nothing goes back.\n")
	}
	w("\n")
}
