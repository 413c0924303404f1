package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const (
	fewHosts  = 4 // items on more hosts are counted, and only failing hosts get a line
	tailLines = 5 // of a failed command's output
	wordWidth = len("not exercised")
)

// Progress prints one line for each event that a person wants to know of, in the order of the journal: time, LIVE or DRY
// RUN, elapsed against the objectives that run, what happened. It is not safe for concurrent use; the journal's order is
// its order.
type Progress struct {
	s     *Screen
	plan  *engine.Plan
	items map[runbooks.ItemID]*engine.PlanItem
	mode  engine.Mode
	phase string
	clock *objectiveClock
	// updates are those that stakeholders were promised.
	updates *promise
	hosts   map[runbooks.ItemID]int
	tails   map[engine.Unit][]engine.ItemOutput
	ready   int
	bad     int
	// said are the reasons and hints that were shown already: 13 hosts with one cause are shown one cause.
	said map[string]bool
	// skipped are items not reached since the last line about something else.
	skipped []runbooks.ItemID
	why     string
	// told are items whose failing units had a line of their own.
	told   map[runbooks.ItemID]bool
	narrow bool // columns are not kept
	silent bool
}

// NewProgress prints to s what happens to a plan.
func NewProgress(s *Screen, plan *engine.Plan, mode engine.Mode) *Progress {
	return &Progress{
		s: s, plan: plan, items: itemsOf(plan), mode: mode, clock: newObjectiveClock(plan), updates: newPromise(plan, mode),
		hosts: map[runbooks.ItemID]int{}, tails: map[engine.Unit][]engine.ItemOutput{},
		said: map[string]bool{}, told: map[runbooks.ItemID]bool{},
	}
}

// Brief leaves the objectives out of the lines: they are in view elsewhere.
// On a narrow terminal columns are not kept either.
func (p *Progress) Brief() {
	p.clock = &objectiveClock{}
	p.narrow = p.s.Width() > 0 && p.s.Width() < wideEnough
}

// Silent has events followed without a line, until it is called with false.
func (p *Progress) Silent(on bool) { p.silent = on }

// Event prints the event, if it is worth a line.
func (p *Progress) Event(e engine.Event) {
	if due, ok := p.updates.overdue(e); ok {
		p.line(e, "%s", p.s.updateDue(due, e.Time))
	}
	if p.notReached(e) {
		return
	}
	switch v := e.Payload.(type) {
	case *engine.RunOpened:
		p.line(e, "run %s of %s begins: %s, %s", v.Run, Clean(v.Runbook), Count(v.Items, "item"), Count(v.Hosts, "host"))
	case *engine.PreflightResult:
		p.preflight(e, v)
	case *engine.ItemStarted:
		p.started(e, v)
	case *engine.ItemIntent:
		p.intent(e, v)
	case *engine.ItemOutput:
		p.tails[v.Unit] = append(p.tails[v.Unit], *v)
	case *engine.ItemOutcome:
		p.outcome(e, v)
	case *engine.ItemSettled:
		p.line(e, "%s settled as %s by %s: %s", unitName(v.Unit), v.As, Clean(v.By), Clean(v.Reason))
	case *engine.ItemRetry:
		p.line(e, "%s %s, starts again in %s", unitName(v.Unit), v.After, v.DelayNS.Round(time.Millisecond))
	case *engine.MarkSet:
		p.clock.mark(v)
		p.line(e, "mark %s set at %s", Clean(v.Mark), v.At.In(p.s.zone).Format("15:04:05"))
	default:
		p.more(e)
	}
}

// notReached gathers the items that the run did not come to, and says so in one line before the next event.
func (p *Progress) notReached(e engine.Event) bool {
	if v, ok := e.Payload.(*engine.ItemOutcome); ok && v.Outcome == engine.NotReached && v.Host == "" && p.items[v.Item] != nil {
		if p.why == "" || p.why == v.Reason {
			p.skipped, p.why = append(p.skipped, v.Item), v.Reason
			return true
		}
	}
	if len(p.skipped) > 0 {
		items, why := p.skipped, p.why
		p.skipped, p.why = nil, ""
		p.line(e, "not reached: %s; %s", list(words(items), fewHosts), Clean(why))
	}
	return false
}

// more prints the events about the run as a whole.
func (p *Progress) more(e engine.Event) {
	switch v := e.Payload.(type) {
	case *engine.ObjectiveMeasured:
		if v.Problem != "" {
			p.line(e, "objective %s not measured: %s", Clean(v.Objective), Clean(v.Problem))
		}
	case *engine.ExplorationResult:
		p.line(e, "explored in simulation: %s, %d safe, %d held, %d with a finding", Count(len(v.Cases), "case"), v.Safe, v.Held, v.Found)
	case *engine.CleanupStarted:
		if v.Items > 0 {
			p.line(e, "cleanup: %s, whatever happened before", Count(v.Items, "item"))
		}
	case *engine.CleanupEnded:
		if len(v.Failed) > 0 {
			p.line(e, "%s %s", p.s.paint(red, "NOT CLEANED"), list(words(v.Failed), fewHosts))
		}
	case *engine.RollbackStarted:
		p.rollbackStarted(e, v)
	case *engine.RollbackEnded:
		p.rollbackEnded(e, v)
	case *engine.OperatorAction:
		p.line(e, "%s by %s%s%s", Clean(v.Action), Clean(v.By), after(" of ", string(v.Item)), after(": ", Clean(v.Reason)))
	case *engine.ClockAnomaly:
		p.line(e, "%s the wall clock jumped by %s; durations go by the monotonic clock", p.s.paint(yellow, "CLOCK"),
			Duration(time.Duration(v.StepMS)*time.Millisecond))
	case *engine.RunInterrupted:
		p.line(e, "the run is left: %s", Clean(v.Reason))
	case *engine.RunResumed:
		p.line(e, "taken up again by %s", Clean(v.By))
	case *engine.JournalRecovered:
		p.line(e, "journal recovered: %d bytes of a torn last line were cut off and kept", v.CutBytes)
	case *engine.RunClosed:
		p.line(e, "ends: %s%s", p.s.paint(verdictInk(v.Verdict), string(v.Verdict)), after(", ", Clean(v.Reason)))
	default:
		p.people(e)
	}
}

func (p *Progress) preflight(e engine.Event, v *engine.PreflightResult) {
	if v.OK {
		p.ready++
		if len(p.plan.Hosts) <= fewHosts {
			p.line(e, "preflight %s  %s", cellText(p.s, cell{"ok", green}, 4), Clean(v.Host))
			return
		}
	} else {
		p.bad++
		failed := slices.DeleteFunc(slices.Clone(v.Checks), func(c engine.PreflightCheck) bool { return c.OK })
		if len(failed) == 0 {
			p.line(e, "preflight %s %s", p.s.paint(red, "FAILED"), Clean(v.Host))
		}
		for _, c := range failed {
			p.line(e, "preflight %s %s: %s: %s", p.s.paint(red, "FAILED"), Clean(v.Host), c.Name, Clean(c.Detail))
			p.hint(c.Hint)
		}
	}
	if p.ready+p.bad == len(p.plan.Hosts) && len(p.plan.Hosts) > fewHosts {
		p.line(e, "preflight: %d of %s ready", p.ready, Count(len(p.plan.Hosts), "host"))
	}
}

func (p *Progress) started(e engine.Event, v *engine.ItemStarted) {
	p.enter(e, v.Item)
	n := len(v.Hosts)
	p.hosts[v.Item] = n
	item := p.items[v.Item]
	if item != nil && item.Effect == runbooks.Human && item.Kind != runbooks.Gate {
		p.line(e, "%-*s %s%s", wordWidth, "waits for", v.Item, after(", owner ", Clean(item.Owner)))
		return
	}
	if item == nil || item.Effect != runbooks.Change && n <= fewHosts {
		return
	}
	on := list(v.Hosts, fewHosts)
	if n > fewHosts {
		on = Count(n, "host")
	}
	p.line(e, "%-*s %s%s%s", wordWidth, "starts", v.Item, after(" on ", on), irreversible(item))
}

func irreversible(item *engine.PlanItem) string {
	if item.Irreversible {
		return " (IRREVERSIBLE)"
	}
	return ""
}

// enter prints a phase's name before its first event.
func (p *Progress) enter(e engine.Event, id runbooks.ItemID) {
	item := p.items[id]
	if item == nil || item.Phase == p.phase {
		return
	}
	p.phase = item.Phase
	p.line(e, "%s", p.s.paint(bold, "phase "+Clean(item.Phase)))
}

func (p *Progress) intent(e engine.Event, v *engine.ItemIntent) {
	if v.Attempt > 1 {
		p.line(e, "%s %s attempt %d", unitName(v.Unit), v.Part, v.Attempt)
	}
}

func (p *Progress) outcome(e engine.Event, v *engine.ItemOutcome) {
	p.enter(e, v.Item)
	switch {
	case v.Part == engine.PartRollback:
		p.undone(e, v)
		return
	case v.Part != "":
		return // an attempt: its unit has the word
	case v.Host == "" && v.Key == "" && v.Part == "":
		p.itemOutcome(e, v)
		return
	}
	tail := p.tails[v.Unit]
	delete(p.tails, v.Unit)
	if good(v.Outcome) && p.hosts[v.Item] > fewHosts {
		return
	}
	p.line(e, "%s %s%s", cellText(p.s, outcomeWord(v.Outcome), wordWidth), unitName(v.Unit), details(v))
	p.captures(v)
	if !good(v.Outcome) {
		p.told[v.Item] = true
		p.tail(tail)
		p.hint(v.Hint)
	}
}

// undone prints what came of a unit's way back; hosts beyond a few that came back are counted at the end of the rollback.
func (p *Progress) undone(e engine.Event, v *engine.ItemOutcome) {
	tail := p.tails[v.Unit]
	delete(p.tails, v.Unit)
	if item := p.items[v.Item]; good(v.Outcome) && item != nil && len(item.Hosts) > fewHosts {
		return
	}
	word := cell{"rolled back", yellow}
	if !good(v.Outcome) {
		word = cell{"NOT ROLLED BACK", red}
	}
	p.line(e, "%s %s%s", cellText(p.s, word, wordWidth), unitName(v.Unit), details(v))
	if !good(v.Outcome) {
		p.tail(tail)
		p.hint(v.Hint)
	}
}

// itemOutcome prints the word of an item as a whole, where its hosts have not said it already.
func (p *Progress) itemOutcome(e engine.Event, v *engine.ItemOutcome) {
	n := p.hosts[v.Item]
	delete(p.hosts, v.Item)
	if n > 0 && n <= fewHosts && (good(v.Outcome) || v.Reason == "" || p.told[v.Item] && len(v.Expectations) == 0) {
		return
	}
	text := details(v)
	if v.Hosts != nil && n > fewHosts {
		text = fmt.Sprintf(": %d of %s done%s", v.Hosts.Done, Count(v.Hosts.Expected, "host"), after("; ", Clean(v.Reason)))
	}
	p.line(e, "%s %s%s", cellText(p.s, outcomeWord(v.Outcome), wordWidth), v.Item, text)
	p.captures(v)
}

// details are how long it took and why it ended as it did.
func details(v *engine.ItemOutcome) string {
	out := ""
	if v.DurationNS >= time.Millisecond {
		out += " in " + Duration(v.DurationNS)
	}
	if v.Reason != "" {
		out += ": " + Clean(v.Reason)
	} else if v.ExitCode != nil && *v.ExitCode != 0 {
		out += fmt.Sprintf(": exit code %d", *v.ExitCode)
	}
	if v.KillConfirmed != nil && !*v.KillConfirmed {
		out += " (the kill was NOT confirmed: it may still run)"
	}
	return out
}

func (p *Progress) captures(v *engine.ItemOutcome) {
	var found []string
	for _, c := range v.Captures {
		value := shorten(Clean(c.Value), 60)
		if c.Sensitive {
			value = "(sensitive)"
		}
		found = append(found, c.Name+" = "+value)
	}
	if len(found) > 0 {
		p.indent(strings.Join(found, ", "))
	}
	for _, x := range v.Expectations {
		if x.Result != "holds" && x.Result != "not-judged" {
			p.indent(fmt.Sprintf("expected %s: %s%s", Clean(x.Condition), x.Result, after("; observed ", Clean(x.Observed))))
		}
	}
}

// tail shows the last lines that a failed command wrote.
func (p *Progress) tail(outputs []engine.ItemOutput) {
	for _, o := range outputs {
		if last := outputs[len(outputs)-1]; o.Part != last.Part || o.Attempt != last.Attempt {
			continue
		}
		all := lines(o.Text)
		for _, l := range all[max(0, len(all)-tailLines):] {
			p.indent(o.Stream + "| " + Clean(l))
		}
		if o.Text == "" && o.Size > 0 {
			p.indent(fmt.Sprintf("%s| %d bytes, in the evidence as %.12s…", o.Stream, o.Size, o.Artifact))
		}
	}
}

func (p *Progress) line(e engine.Event, format string, args ...any) {
	if p.silent {
		return
	}
	text := fmt.Sprintf(format, args...)
	for p.narrow && strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	p.s.Printf("%s %s %s%s\n", p.s.paint(dim, e.Time.In(p.s.zone).Format("15:04:05")), p.s.mode(p.mode), text, p.clock.text(p.s, e.Time))
}

func (p *Progress) indent(text string) {
	by := 11
	if p.silent {
		return
	}
	if p.narrow {
		by = 2
	}
	p.s.Printf("%*s%s\n", by, "", text)
}

func (p *Progress) hint(text string) {
	if text != "" && !p.said[text] {
		p.said[text] = true
		p.indent(p.s.paint(cyan, "hint:") + " " + Clean(text))
	}
}

// unitName is an item with its element and host.
func unitName(u engine.Unit) string {
	out := string(u.Item)
	if u.Key != "" {
		out += "[" + Clean(u.Key) + "]"
	}
	if u.Batch > 0 && u.Whole() {
		out += fmt.Sprintf(" in batch %d", u.Batch)
	}
	return out + after(" on ", Clean(u.Host))
}

// after is prefix and text, or nothing where there is no text.
func after(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func words[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}

func cellText(s *Screen, c cell, width int) string {
	return s.paint(c.ink, c.text) + strings.Repeat(" ", max(0, width-len(c.text)))
}
