package view

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// PlanMarkdown prints a plan for paper: boxes to tick, space for times, and every command, for the night on which the
// machine that holds the plan is the one that is gone.
func (s *Screen) PlanMarkdown(p *engine.Plan) {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	w("# %s\n\n", markdownText(titleOf(p)))
	w("Plan of runbook `%s`%s, digest `%s`.\n\n", codeSpan(p.Runbook), after(" version ", markdownText(p.Version)), p.Digest)
	w("Date ____________  Operator ________________________  Incident or change ________________\n\n")
	markdownHead(&b, p)
	items := itemsOf(p)
	for n, ph := range p.Phases {
		w("## %d. %s%s\n\n", n+1, markdownText(ph.Name), after(" (", markdownText(ph.Owner)+closing(ph.Owner)))
		markdownBatches(&b, ph.Rollout)
		for _, id := range ph.Items {
			if i := items[id]; i != nil {
				markdownItem(&b, i)
			}
		}
	}
	w("---\n\nFinished at ____________  Signed ________________________\n")
	s.Printf("%s", b.String())
}

func titleOf(p *engine.Plan) string {
	if p.Title != "" {
		return p.Title
	}
	return p.Runbook
}

// markdownHead writes what must be known before the first step: scenario, objectives, hosts, inputs.
func markdownHead(b *strings.Builder, p *engine.Plan) {
	w := func(format string, args ...any) { fmt.Fprintf(b, format, args...) }
	if sc := p.Scenario; sc != nil {
		w("**Scenario:** %s%s\n\n", markdownText(sc.Title), after(", severity ", markdownText(sc.Severity)))
		for _, a := range sc.Assumptions {
			w("- assumed: %s\n", markdownText(a))
		}
		if len(sc.Assumptions) > 0 {
			w("\n")
		}
	}
	if len(p.Goals) > 0 {
		w("| objective | agreed | started at | ended at | met |\n|---|---|---|---|---|\n")
		for _, g := range p.Goals {
			name, rest, _ := strings.Cut(goalText(g), ":")
			w("| %s | %s | | | |\n", markdownCell(name), markdownCell(strings.TrimSpace(rest)))
		}
		w("\n")
	}
	if len(p.Hosts) > 0 {
		w("| host | address | environment | site | owner |\n|---|---|---|---|---|\n")
		for _, h := range p.Hosts {
			w("| %s | %s | %s | %s | %s |\n", markdownCell(h.Name), markdownCell(hostAddress(h)+after(" ", via(h))),
				markdownCell(h.Environment), markdownCell(h.Site), markdownCell(h.Owner))
		}
		w("\n")
	}
	for _, v := range p.Variables {
		w("- `%s` = `%s`\n", codeSpan(v.Name), codeSpan(v.Value))
	}
	if len(p.Variables) > 0 {
		w("\n")
	}
}

// markdownBatches writes a table to tick the batches of a phase in: what follows it is done once for each.
func markdownBatches(b *strings.Builder, r *engine.PlanRollout) {
	if r == nil {
		return
	}
	w := func(format string, args ...any) { fmt.Fprintf(b, format, args...) }
	w("Everything below is done for one batch, then for the next: it %s.\n\n", markdownText(phaseRollout(r)))
	first := 0
	if len(r.Batches) > 0 {
		w("| batch | hosts | began | ended | failed |\n|---|---|---|---|---|\n")
	}
	for n, size := range r.Batches {
		w("| %d | %s | | | |\n", n+1, markdownCell(strings.Join(r.Hosts[first:first+size], ", ")))
		first += size
	}
	w("\n")
}

func markdownItem(b *strings.Builder, i *engine.PlanItem) {
	w := func(format string, args ...any) { fmt.Fprintf(b, format, args...) }
	w("- [ ] **%s**%s", codeSpan(string(i.ID)), after(": ", markdownText(i.Title)))
	if len(i.Hosts) > 0 {
		w(" on %s", markdownText(strings.Join(i.Hosts, ", ")))
	}
	if i.Become != "" {
		w(", as `%s`", codeSpan(i.Become))
	}
	if i.Irreversible {
		w(" — **IRREVERSIBLE**")
	}
	w("\n  started ________  ended ________  by ________\n")
	switch i.Disposition {
	case engine.WillRun: // nothing to add
	case engine.RunTime:
		w("  Decided when it is reached%s.\n", after(": ", markdownText(strings.Join(i.WaitsFor, ", "))))
		for _, c := range i.When {
			w("  - only when `%s`\n", codeSpan(c))
		}
	case engine.WillSkip:
		w("  Skipped%s.\n", after(": ", markdownText(i.SkipReason)))
	}
	for _, c := range i.Commands {
		ls := commandLines(c)
		if len(ls) == 0 {
			continue
		}
		if label := commandLabel(c); label != "" {
			w("\n  %s:\n", markdownText(label))
		}
		fence := fenceFor(ls)
		w("\n  %s\n", fence)
		for _, l := range ls {
			w("  %s\n", Clean(l))
		}
		w("  %s\n", fence)
	}
	if len(i.Options) > 0 {
		w("  - options, mark one: %s\n", markdownText(optionsText(i)))
	}
	for _, x := range i.Expects {
		w("  - expect `%s`\n", codeSpan(x))
	}
	if i.Effect == runbooks.Change {
		rollback := "no rollback is written"
		if i.HasRollback {
			rollback = "there is a rollback"
		}
		w("  - %s\n", rollback)
	}
	w("\n")
}

// fenceFor is a code fence longer than any run of back-ticks in the text.
func fenceFor(ls []string) string {
	longest := 0
	for _, l := range ls {
		run := 0
		for _, r := range l {
			if r == '`' {
				run++
				longest = max(longest, run)
			} else {
				run = 0
			}
		}
	}
	return strings.Repeat("`", max(3, longest+1))
}

// markdownText keeps a text from being read as markup.
func markdownText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "#", `\#`).Replace(Clean(s))
}

func markdownCell(s string) string { return strings.ReplaceAll(markdownText(s), "|", `\|`) }

// codeSpan is a text for a code span.
func codeSpan(s string) string { return strings.ReplaceAll(Clean(s), "`", "'") }
