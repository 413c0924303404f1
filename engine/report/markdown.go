package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/continuo-runbooks/continuo/engine"
)

// Markdown writes the report as GitHub-flavoured Markdown: the same content as HTML, without the picture. The error is
// the writer's.
func (r *Report) Markdown(w io.Writer) error {
	buf := bufio.NewWriter(w)
	m := &markdown{w: buf, r: r, v: newPage(r)}
	m.summary()
	m.items()
	m.hosts()
	m.record()
	m.verify()
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("write report as markdown: %w", err)
	}
	return nil
}

type markdown struct {
	w *bufio.Writer
	r *Report
	v *page
}

func (m *markdown) line(format string, args ...any) {
	_, _ = fmt.Fprintf(m.w, format+"\n", args...) // bufio keeps the first error for Flush
}

// md is foreign text in a line of Markdown: visible, and without a meaning of its own. Only what would have one is
// escaped, so that the text stays readable as it is.
func md(x any) string {
	runes := []rune(visible(fmt.Sprint(x)))
	var b strings.Builder
	for n, c := range runes {
		if mdSpecial(runes, n) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// mdLines is md for a text of several lines, inside a table.
func mdLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = md(lines[i])
	}
	return strings.Join(lines, "<br>")
}

func mdSpecial(text []rune, n int) bool {
	word := func(k int) bool {
		return k >= 0 && k < len(text) && (unicode.IsLetter(text[k]) || unicode.IsDigit(text[k]))
	}
	switch text[n] {
	case '\\', '`', '*', '[', ']', '<', '>', '|', '~', '&':
		return true
	case '_':
		return !word(n-1) || !word(n+1)
	case ':': // a bare address would become a link
		return n+2 < len(text) && text[n+1] == '/' && text[n+2] == '/'
	case '#', '-', '+', '=': // a heading, a list or a rule
		return n == 0
	case '.', ')': // a numbered list
		return numbered(text, n)
	}
	return false
}

// numbered reports whether text begins as an item of a numbered list whose mark is at n.
func numbered(text []rune, n int) bool {
	for k := range n {
		if text[k] < '0' || text[k] > '9' {
			return false
		}
	}
	return n > 0 && (n+1 == len(text) || text[n+1] == ' ')
}

// mdCode is foreign text in a code span, safe in a table too.
func mdCode(x any) string {
	text := visible(fmt.Sprint(x))
	if text == "" {
		return ""
	}
	ticks := "`"
	for strings.Contains(text, ticks) {
		ticks += "`"
	}
	text = strings.ReplaceAll(text, "|", `\|`)
	if len(ticks) > 1 || strings.HasPrefix(text, " ") {
		return ticks + " " + text + " " + ticks
	}
	return ticks + text + ticks
}

// fence is a block of foreign text that nothing in it can end.
func (m *markdown) fence(text string) {
	mark := "```"
	for strings.Contains(text, mark) {
		mark += "`"
	}
	m.line("%s text\n%s\n%s\n", mark, strings.TrimSuffix(visibleLines(text), "\n"), mark)
}

func (m *markdown) table(head []string, rows [][]string) {
	m.line("| %s |", strings.Join(head, " | "))
	m.line("|%s", strings.Repeat(" --- |", len(head)))
	for _, row := range rows {
		for n, cell := range row {
			if cell == "" {
				row[n] = "–"
			}
		}
		m.line("| %s |", strings.Join(row, " | "))
	}
	m.line("")
}

func (m *markdown) heading(level int, text string) {
	if level == 2 && m.r.Run.Mode != engine.Live {
		text += " (" + modeName(m.r.Run.Mode) + ")"
	}
	m.line("%s %s\n", strings.Repeat("#", level), text)
}

func (m *markdown) when(t time.Time) string {
	text := instant(t)
	if l := local(t, m.r.loc); l != "" {
		text += " (" + l + ")"
	}
	return text
}

func (m *markdown) summary() {
	r := m.r
	m.line("# %s\n", md(r.Run.Title))
	m.line("**%s**\n", md(ModeWords(r.Run.Mode)))
	m.heading(2, "Verdict: "+VerdictWords(r.Verdict.Verdict))
	m.line("The rule that decided it: %s.\n", md(r.Verdict.Rule))
	if !r.Verdict.Closed {
		m.line("The run is not closed.\n")
	} else if r.Verdict.Claimed != "" && r.Verdict.Claimed != r.Verdict.Verdict {
		m.line("**The journal's last line claims another verdict: %s.**\n", VerdictWords(r.Verdict.Claimed))
	}
	m.facts()
	m.objectives()
	m.failures()
	m.rollback()
	m.batches()
	m.people()
	m.deviations()
	m.notExecuted()
	if len(r.Limits) > 0 {
		m.heading(3, "How far the figures reach")
		for _, l := range r.Limits {
			m.line("- %s", md(l))
		}
		m.line("")
	}
}

func (m *markdown) facts() {
	r := &m.r.Run
	fact := func(name, value string) {
		if value != "" {
			m.line("- **%s:** %s", name, value)
		}
	}
	fact("Run", mdCode(r.ID))
	fact("Runbook", strings.TrimSpace(mdCode(r.Runbook)+" "+md(r.Version)))
	fact("Project", md(r.Project))
	fact("Service", md(r.Service))
	fact("Owner", md(r.Owner))
	if s := m.r.Scenario; s != nil {
		text := md(s.Title)
		if s.Severity != "" {
			text += " (" + md(s.Severity) + ")"
		}
		if len(s.Assumptions) > 0 {
			text += ". Assumed: " + md(strings.Join(s.Assumptions, "; "))
		}
		fact("Scenario", text)
	}
	fact("Exercise", md(r.Exercise))
	fact("Effect on production", md(r.Impact))
	fact("Change", md(r.Change))
	fact("Incident", md(r.Incident))
	fact("Rolls back run", mdCode(r.RollbackOf))
	end := "no end on record"
	if !r.EndedAt.IsZero() {
		end = m.when(r.EndedAt)
	}
	fact("When", m.when(r.StartedAt)+" to "+end)
	exactly := ""
	if !r.Exact {
		exactly = ", in part by the wall clock"
	}
	fact("How long", fmt.Sprintf("%s (%s%s): machines %s, people %s, waiting %s", humanSeconds(r.Elapsed), exactSeconds(r.Elapsed),
		exactly, humanSeconds(r.Machine), humanSeconds(r.People), humanSeconds(r.Waiting)))
	fact("How much", fmt.Sprintf("%d of %s exercised, %d unknown", m.r.Coverage.Exercised, plural(m.r.Coverage.Items, "item"), m.r.Unknown))
	m.line("")
}

func (m *markdown) objectives() {
	m.heading(3, "Objectives")
	switch {
	case m.v.DryRun:
		m.line("None. A dry-run measures no objectives.\n")
		return
	case len(m.r.Objectives) == 0:
		m.line("The runbook states none.\n")
		return
	}
	var rows [][]string
	for _, o := range m.r.Objectives {
		achieved := achievedWords(o)
		if achieved == "" {
			achieved = "not measured"
		} else if o.Achieved != nil {
			achieved += " (" + exactSeconds(*o.Achieved) + ")"
		}
		rows = append(rows, []string{md(o.Name), targetWords(o), achieved, resultWords(o), md(spanWords(o))})
	}
	m.table([]string{"Objective", "Target", "Achieved", "Result", "Clock"}, rows)
}

// resultWords says whether an objective was met.
func resultWords(o Objective) string {
	switch {
	case o.Met != nil && *o.Met:
		return "✓ met"
	case o.Met != nil:
		return "✗ missed"
	case o.Achieved != nil || o.Value != nil:
		return "no target to compare with"
	}
	return "? not measured, because " + md(o.Problem)
}

func outcomeCell(o engine.Outcome) string { return outcomeSign(o) + " " + OutcomeWords(o) }

func (m *markdown) failures() {
	if len(m.r.Failures) == 0 {
		return
	}
	m.heading(3, "What failed or is unknown")
	var rows [][]string
	for _, f := range m.r.Failures {
		why := md(f.Reason)
		if f.Tolerated {
			why += " (tolerated by the runbook)"
		}
		if f.Settled != "" {
			why += " (settled as " + md(f.Settled) + ")"
		}
		item := md(f.Item)
		if f.Key != "" {
			item += " " + md("["+f.Key+"]")
		}
		rows = append(rows, []string{item, md(f.Host), outcomeCell(f.Outcome), why})
	}
	m.table([]string{"Item", "Host", "Outcome", "Why"}, rows)
}

func (m *markdown) rollback() {
	if m.r.Rollback == nil {
		return
	}
	m.heading(3, "Rollback")
	for _, l := range rollbackLines(m.r.Rollback) {
		m.line("- %s", md(l))
	}
	m.line("")
}

func (m *markdown) people() {
	p := &m.r.People
	m.heading(3, "People")
	names := func(label string, list []string, nobody string) {
		if len(list) == 0 {
			m.line("- **%s:** %s", label, nobody)
			return
		}
		m.line("- **%s:** %s", label, md(joinWords(list)))
	}
	from := ""
	if p.OperatorHost != "" {
		from = ", from " + md(p.OperatorHost)
	}
	m.line("- **Ran it:** %s%s", md(joinWords(p.Operators)), from)
	names("Approved", p.Approvers, "nobody")
	names("Reviewed", p.Reviewers, "nobody when this report was made")
	if len(p.Manual) > 0 {
		names("Did manual items", p.Manual, "")
	}
	if len(p.Decided) > 0 {
		names("Decided", p.Decided, "")
	}
	for _, t := range p.Participants {
		m.line("- **Took part:** %s (%s)", md(t.Name), md(t.Role))
	}
	for _, s := range p.Independence {
		m.line("- %s %s", s.Question, md(s.Answer))
	}
	m.line("")
}

func placeWords(item, host string) string {
	switch {
	case item != "" && host != "":
		return md(item) + " on " + md(host)
	case item != "" || host != "":
		return md(item + host)
	}
	return "the run"
}

func (m *markdown) deviations() {
	m.heading(3, "Deviations")
	if len(m.r.Deviations) == 0 {
		m.line("None.\n")
		return
	}
	var rows [][]string
	for _, d := range m.r.Deviations {
		at := ""
		if !d.At.IsZero() {
			at = m.when(d.At)
		}
		rows = append(rows, []string{at, md(d.Kind), placeWords(string(d.Item), d.Host), md(d.By), md(d.Reason)})
	}
	m.table([]string{"When", "What", "Where", "Who", "Why"}, rows)
}

func (m *markdown) notExecuted() {
	m.heading(3, "Not executed")
	if len(m.v.GapsOnly) == 0 && len(m.v.ByDesign) == 0 {
		m.line("Everything in the plan was executed.\n")
	}
	if len(m.v.GapsOnly) > 0 {
		var rows [][]string
		for _, n := range m.v.GapsOnly {
			rows = append(rows, []string{md(n.Item), md(n.Host), outcomeCell(n.Outcome), md(n.Why)})
		}
		m.table([]string{"Item", "Host", "Outcome", "Why"}, rows)
	}
	if len(m.v.ByDesign) > 0 {
		m.line("Not executed because no dry-run does:\n")
		for _, g := range m.v.ByDesign {
			left := ""
			if g.Left > 0 {
				left = fmt.Sprintf(" and %d more", g.Left)
			}
			m.line("- %s: %s%s", md(g.Why), md(strings.Join(g.Items, ", ")), left)
		}
		m.line("")
	}
}
