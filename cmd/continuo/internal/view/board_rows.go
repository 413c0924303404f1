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
	labelWidth = len("waits for")
	wideEnough = 72 // columns from which there is room for bars and reasons
)

// section is one kind of thing on the board: what it is called, and a row for each of it, the most important first.
type section struct {
	label string
	rows  []row
	least int // rows that are always shown
	// weight says what is left out where there is not even a row for each: the lightest first.
	weight int
}

// Weights of sections: what a person needs least is the lightest.
const (
	idle = iota
	light
	middling
	heavy
	needed
)

// Rows is the board at an instant, in at most room rows of at most width columns. What does not fit is counted.
func (b *Board) Rows(now time.Time, width, room int, zone *time.Location) []row {
	sections := []section{b.clockSection(now, width), b.phaseSection(now, width), b.runningSection(now, width), b.troubleSection(width)}
	sections = append(sections, b.waitSection(now, zone), b.nextSection(width), b.updateSection(now, zone))
	sections = lightened(sections, room-1)
	shrink(sections, room-1)
	out := []row{b.head(now, width).fit(width)}
	whole := sectionRows(sections, func(r row) []row { return r.wrap(width, labelWidth+1) })
	if len(whole) < room {
		return append(out, whole...)
	}
	return append(out, sectionRows(sections, func(r row) []row { return []row{r.fit(width)} })...)
}

// sectionRows are the sections with their labels, each row as shape makes it.
func sectionRows(sections []section, shape func(row) []row) []row {
	var out []row
	for _, s := range sections {
		for n, r := range s.rows {
			label, ink := "", dim
			if n == 0 {
				label = s.label
			}
			if s.label == "FAILED" {
				ink = red
			}
			out = append(out, shape(append(row{{fmt.Sprintf("%-*s ", labelWidth, label), ink}}, r...))...)
		}
	}
	return out
}

// lightened leaves out sections, the lightest and of those the last first, until a row of each fits.
func lightened(sections []section, room int) []section {
	sections = slices.DeleteFunc(sections, func(s section) bool { return len(s.rows) == 0 })
	for len(sections) > max(room, 1) {
		out := 0
		for n, s := range sections {
			if s.weight <= sections[out].weight {
				out = n
			}
		}
		if sections[out].weight == needed {
			break
		}
		sections = slices.Delete(sections, out, out+1)
	}
	return sections
}

// shrink drops rows from the end of the longest sections until all fit, and says how many.
func shrink(sections []section, room int) {
	dropped := make([]int, len(sections))
	for {
		total, longest := 0, -1
		for n, s := range sections {
			total += len(s.rows)
			if len(s.rows) > max(s.least, 1) && (longest < 0 || len(s.rows) > len(sections[longest].rows)) {
				longest = n
			}
		}
		if total <= room || longest < 0 {
			break
		}
		s := &sections[longest]
		s.rows = s.rows[:len(s.rows)-1]
		dropped[longest]++
	}
	for n := range sections {
		if dropped[n] == 0 {
			continue
		}
		last := len(sections[n].rows) - 1
		sections[n].rows[last] = append(row{{fmt.Sprintf("(+%d) ", dropped[n]), dim}}, sections[n].rows[last]...)
	}
}

// head is mode, runbook and state.
func (b *Board) head(now time.Time, width int) row {
	ink := bold
	if b.mode == engine.Live {
		ink = alert
	}
	r := row{{" " + modeWords(b.mode) + " ", ink}}
	if !b.began.IsZero() {
		until := now
		if !b.ended.IsZero() {
			until = b.ended
		}
		r = append(r, cell{" " + clockText(until.Sub(b.began)), plainInk})
	}
	if word := b.state(); word.text != "" {
		r = append(r, cell{"  ", plainInk}, word)
	}
	ended, all := b.progress()
	if width < wideEnough {
		count := cell{fmt.Sprintf("  %d/%d", ended, all), dim}
		name := cell{"  " + Clean(b.plan.Runbook), bold}
		if whole := slices.Concat(r, row{name, count}); whole.width() <= width {
			return whole
		}
		if whole := slices.Concat(r, row{count}); whole.width() <= width { // whoever leads the run knows its name
			return whole
		}
		return r
	}
	r = append(r, cell{"  " + Clean(b.plan.Runbook), bold})
	return append(r, cell{fmt.Sprintf("  %d of %s ended", ended, Count(all, "item")), dim}, cell{"  " + string(b.run), dim})
}

// state is what is not as usual.
func (b *Board) state() cell {
	switch {
	case b.verdict != "":
		return cell{string(b.verdict), verdictInk(b.verdict)}
	case b.stopping == engine.ActionKill:
		return cell{"KILLING", red}
	case b.stopping == engine.ActionLeave:
		return cell{"LEFT", red}
	case b.stopping == engine.ActionAbort:
		return cell{"ABORTING", red}
	case b.stopping != "":
		return cell{"STOPPING", yellow}
	case b.cleaning:
		return cell{"CLEANING UP", yellow}
	case b.backEnded != nil:
		return cell{"ROLLED BACK", yellow}
	case b.back != nil:
		return cell{fmt.Sprintf("ROLLING BACK %d of %d", b.undone, b.back.Units), yellow}
	case b.paused != "":
		return cell{"PAUSED by " + Clean(b.paused), yellow}
	}
	return cell{}
}

// clockSection is a row for each objective that is a time between two marks.
func (b *Board) clockSection(now time.Time, width int) section {
	s := section{label: "clock", weight: needed}
	outlook, known := b.outlook(now)
	for _, g := range b.clock.goals {
		from, runs := b.clock.from[g.Name]
		target := time.Duration(*g.TargetS * float64(time.Second))
		name := cell{Clean(g.Name) + " ", bold}
		if !runs {
			s.rows = append(s.rows, row{name, {fmt.Sprintf("of %s begins with %s", clockText(target), Clean(g.From)), dim}})
			continue
		}
		to, over := b.clock.to[g.Name]
		if !over {
			to = now
		}
		used := to.Sub(from)
		r := row{name, {fmt.Sprintf("%s of %s", clockText(used), clockText(target)), plainInk}}
		switch {
		case used > target:
			r = append(r, cell{" MISSED", red})
		case over:
			r = append(r, cell{" met", green})
		default:
			if at, ok := outlook.Marks[g.To]; known && ok {
				r = append(r, forecastCell(at.Sub(from), target))
			}
		}
		if width >= wideEnough {
			r = append(r, cell{" " + bar(used, target), dim})
		}
		s.rows = append(s.rows, r)
	}
	if known && !outlook.End.IsZero() {
		s.rows = append(s.rows, row{{"end expected in " + clockText(outlook.End.Sub(now)), dim}})
	}
	return s
}

// forecastCell says how long it will take in all, and whether that is too long.
func forecastCell(takes, target time.Duration) cell {
	if takes > target {
		return cell{fmt.Sprintf(" FORECAST %s: %s TOO LATE", clockText(takes), clockText(takes-target)), red}
	}
	return cell{fmt.Sprintf(" forecast %s", clockText(takes)), green}
}

// bar is how much of a time is used up.
func bar(used, target time.Duration) string {
	const size = 20
	n := size
	if target > 0 && used < target {
		n = int(used * size / target)
	}
	n = max(n, 0)
	return "[" + strings.Repeat("#", n) + strings.Repeat(".", size-n) + "]"
}

func (b *Board) phaseSection(_ time.Time, width int) section {
	s := section{label: "phase", weight: middling}
	if b.mode == engine.DryRun && b.phase == "" && len(b.ready)+len(b.bad) > 0 {
		r := say(fmt.Sprintf("preflight: %d of %s ready", len(b.ready), Count(len(b.plan.Hosts), "host")))
		if len(b.bad) > 0 {
			r = append(r, cell{"; NOT: " + list(b.bad, fewHosts), red})
		}
		s.rows = append(s.rows, r)
		return s
	}
	for n, p := range b.plan.Phases {
		if p.Name != b.phase {
			continue
		}
		r := row{{Clean(p.Name), bold}, {fmt.Sprintf(" (%d of %d)", n+1, len(b.plan.Phases)), dim}}
		if b.batch != nil && b.batch.Phase == p.Name {
			r = append(r, cell{fmt.Sprintf(" batch %d of %d", b.batch.Batch, b.batch.Of), plainInk})
		}
		if width >= wideEnough && p.Title != "" {
			r = append(r, cell{" " + Clean(p.Title), plainInk})
		}
		s.rows = append(s.rows, append(r, cell{after(" owner ", Clean(p.Owner)), dim}))
	}
	if len(s.rows) == 0 && b.phase != "" {
		s.rows = append(s.rows, row{{Clean(b.phase), bold}})
	}
	return s
}

// runningSection is what runs where: hosts beyond a few are counted.
func (b *Board) runningSection(now time.Time, width int) section {
	s := section{label: "running", weight: needed}
	machines, people := b.active()
	for _, i := range machines {
		r := row{{b.shortID(i, width), bold}}
		if i.plan.Lane != "" {
			r = append(r, cell{" [" + Clean(i.plan.Lane) + "]", dim})
		}
		if i.plan.Irreversible {
			r = append(r, cell{" IRREVERSIBLE", red})
		}
		switch n := len(i.hosts); {
		case n > fewHosts:
			r = append(r, cell{fmt.Sprintf(" %d of %d hosts done", i.done, n), plainInk})
			if len(i.bad) > 0 {
				r = append(r, cell{fmt.Sprintf(", %d FAILED", len(i.bad)), red})
			}
			if names := keys(i.running); len(names) > 0 && len(names) <= fewHosts {
				r = append(r, cell{", runs on " + list(names, fewHosts), plainInk})
			} else if len(names) > 0 {
				r = append(r, cell{fmt.Sprintf(", %d run", len(names)), plainInk})
			}
		case n > 0:
			r = append(r, cell{" on " + list(i.hosts, fewHosts), plainInk})
		}
		s.rows = append(s.rows, append(r, cell{" for " + clockText(now.Sub(i.started)), dim}))
	}
	s.rows = append(s.rows, b.undoingRows()...)
	if len(s.rows) == 0 && b.verdict == "" && len(people) == 0 {
		s.rows, s.weight = append(s.rows, row{{"nothing now", dim}}), idle
	}
	return s
}

// undoingRows are what is rolled back where.
func (b *Board) undoingRows() []row {
	hosts := map[runbooks.ItemID][]string{}
	for u := range b.undoing {
		hosts[u.Item] = append(hosts[u.Item], u.Host)
	}
	var out []row
	for _, i := range b.order {
		names, ok := hosts[i.plan.ID]
		if !ok {
			continue
		}
		slices.Sort(names)
		on := " on " + list(names, fewHosts)
		if len(names) > fewHosts {
			on = " on " + Count(len(names), "host")
		}
		out = append(out, row{{"the way back of ", yellow}, {string(i.plan.ID), bold}, {on, plainInk}})
	}
	return out
}

// shortID leaves out the call path where there is no room for it.
func (b *Board) shortID(i *boardItem, width int) string {
	id := string(i.plan.ID)
	if at := strings.LastIndex(id, "."); width < wideEnough && strings.Count(id, ".") > 1 && at > 0 {
		return "…" + id[strings.LastIndex(id[:at], "."):]
	}
	return id
}

// troubleSection names what failed, the last first, and of an item's hosts a few.
func (b *Board) troubleSection(width int) section {
	s := section{label: "FAILED", weight: heavy}
	hosts := map[runbooks.ItemID][]string{}
	for _, t := range slices.Backward(b.failed) {
		if h := t.unit.Host; h != "" && !slices.Contains(hosts[t.unit.Item], h) {
			hosts[t.unit.Item] = append(hosts[t.unit.Item], h)
		}
	}
	seen := map[runbooks.ItemID]bool{}
	for _, t := range slices.Backward(b.failed) {
		if seen[t.unit.Item] {
			continue
		}
		seen[t.unit.Item] = true
		r := row{{string(t.unit.Item), bold}}
		if word := outcomeWord(t.outcome); word.text != s.label {
			r = append(r, cell{" " + word.text, word.ink})
		}
		r = append(r, cell{after(" on ", list(hosts[t.unit.Item], fewHosts)), plainInk})
		if width >= wideEnough || t.unit.Host == "" {
			r = append(r, cell{after(": ", Clean(t.why)), plainInk})
		}
		s.rows = append(s.rows, r)
	}
	return s
}

// waitSection is whom the run waits for.
func (b *Board) waitSection(now time.Time, zone *time.Location) section {
	s := section{label: "waits for", weight: needed}
	_, people := b.active()
	for _, a := range b.asks {
		s.rows = append(s.rows, row{{"your word ", yellow}, {"about " + a, plainInk}})
	}
	for _, i := range people {
		r := row{{string(i.plan.ID), bold}}
		if i.plan.Lane != "" {
			r = append(r, cell{" [" + Clean(i.plan.Lane) + "]", dim})
		}
		g := b.gate[i.plan.ID]
		switch {
		case g != nil:
			r = append(r, cell{fmt.Sprintf(" %d of %d of %s", len(g.by), g.asked.Approvals, Clean(g.asked.Role)), yellow})
			r = append(r, cell{after(" by ", list(g.by, fewHosts)), plainInk})
			if !g.asked.ApproveBy.IsZero() {
				r = append(r, cell{fmt.Sprintf(" until %s", g.asked.ApproveBy.In(zone).Format("15:04:05")), plainInk})
			}
		default:
			r = append(r, cell{after(" ", Clean(i.plan.Owner)), yellow})
		}
		s.rows = append(s.rows, append(r, cell{" for " + clockText(now.Sub(i.started)), dim}))
	}
	return s
}

// nextSection is what comes next, with what is to be known of it.
func (b *Board) nextSection(width int) section {
	const most = 4
	s := section{label: "next", weight: light}
	next := b.next()
	if len(next) == 0 || b.verdict != "" {
		return s
	}
	r := row{}
	for n, i := range next {
		if n == most {
			r = append(r, cell{fmt.Sprintf(" and %d more", len(next)-most), dim})
			break
		}
		if n > 0 {
			r = append(r, cell{", ", plainInk})
		}
		if i.plan.Irreversible && width < wideEnough { // the word comes first: what follows may be cut off
			r = append(r, cell{"IRREVERSIBLE ", red})
		}
		r = append(r, cell{b.shortID(i, width), plainInk})
		switch {
		case i.plan.Irreversible && width < wideEnough:
		case i.plan.Irreversible:
			r = append(r, cell{" IRREVERSIBLE", red})
		case i.plan.Effect == runbooks.Human:
			r = append(r, cell{" (people)", yellow})
		}
	}
	s.rows = append(s.rows, r)
	return s
}

// updateSection is when the next promised progress update is due.
func (b *Board) updateSection(now time.Time, zone *time.Location) section {
	s := section{label: "update", weight: idle}
	if b.plan.UpdateEveryS <= 0 || b.told.IsZero() || b.verdict != "" || b.mode == engine.DryRun {
		return s
	}
	due := b.told.Add(time.Duration(b.plan.UpdateEveryS * float64(time.Second)))
	if now.After(due) {
		s.weight = heavy
		s.rows = []row{{{"OVERDUE", red}, {" by " + clockText(now.Sub(due)) + "; ^N says that it was sent", plainInk}}}
	} else {
		s.rows = []row{{{"due " + due.In(zone).Format("15:04:05") + ", in " + clockText(due.Sub(now)), plainInk}}}
	}
	return s
}

// clockText is a length of time for a clock that ticks: "7s", "12m07s", "1h02m07s".
func clockText(d time.Duration) string {
	if d < 0 {
		return "-" + clockText(-d)
	}
	n := int(d / time.Second)
	switch {
	case n < 60:
		return fmt.Sprintf("%ds", n)
	case n < 3600:
		return fmt.Sprintf("%dm%02ds", n/60, n%60)
	}
	return fmt.Sprintf("%dh%02dm%02ds", n/3600, n/60%60, n%60)
}

func keys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
