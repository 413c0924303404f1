package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

//go:embed templates
var templates embed.FS

// HTML writes the report as one file: no scripts, nothing loaded, its own styles for screen (light and dark) and for
// paper. The error is the writer's.
func (r *Report) HTML(w io.Writer) error {
	v := newPage(r)
	t, err := template.New("report.html.tmpl").Funcs(v.funcs()).ParseFS(templates, "templates/*")
	if err != nil {
		return fmt.Errorf("render report as html: %w", err)
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("render report as html: %w", err)
	}
	return nil
}

// page is what the template sees: the report, and what is computed once for the whole page.
type page struct {
	*Report
	Charts     []chart
	ChartNote  string
	Sections   []phaseView
	Tone       string
	DryRun     bool
	PageRule   template.CSS
	Styles     template.CSS
	GapsOnly   []NotExecuted
	ByDesign   []notGroup
	HostsShown []Host
	HostsLeft  int
}

// phaseView is a phase with its items as they are shown.
type phaseView struct {
	ID    string
	Title string
	Owner string
	Items []itemView
}

// notGroup gathers what was not executed for one reason.
type notGroup struct {
	Why   string
	Items []string
	Left  int
}

// hostsInTable is how many hosts have a line of their own; failing ones come first.
const hostsInTable = 200

func newPage(r *Report) *page {
	v := &page{Report: r, Tone: verdictOf(r.Verdict.Verdict, r.Verdict.Closed), DryRun: r.Run.Mode == engine.DryRun}
	v.Charts, v.ChartNote = timeline(r)
	v.Sections = phaseViews(r)
	v.PageRule = pageRule(fmt.Sprintf("%s · %s · %s · verdict: %s",
		modeName(r.Run.Mode), r.Run.Runbook, r.Run.ID, VerdictWords(r.Verdict.Verdict)))
	css, err := templates.ReadFile("templates/report.css")
	if err == nil {
		v.Styles = template.CSS(css) //nolint:gosec // embedded
	}
	for _, n := range r.NotExecuted {
		if n.Gap || !v.DryRun {
			v.GapsOnly = append(v.GapsOnly, n)
			continue
		}
		v.ByDesign = groupNot(v.ByDesign, n)
	}
	v.HostsShown = hostsFirstFailing(r.Hosts)
	if len(v.HostsShown) > hostsInTable {
		v.HostsLeft = len(v.HostsShown) - hostsInTable
		v.HostsShown = v.HostsShown[:hostsInTable]
	}
	return v
}

// pageRule says how a sheet of paper looks: its foot names mode, run and verdict, so that no sheet can be taken for another.
func pageRule(foot string) template.CSS {
	const font = `font: 8pt "Liberation Sans", Arial, sans-serif; color: #44494f;`
	return template.CSS(`@page { size: A4; margin: 15mm 15mm 17mm; @bottom-left { content: ` + cssString(foot) + `; ` + font + //nolint:gosec // escaped
		` } @bottom-right { content: counter(page) " / " counter(pages); ` + font + ` } }`)
}

// cssString is foreign text as a string of CSS.
func cssString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range visible(text) {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == ' ' || r == '-' || r == '.' || r == ':' {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, `\%06x `, r) // the blank ends the escape
	}
	b.WriteByte('"')
	return b.String()
}

func phaseViews(r *Report) []phaseView {
	index := make(map[runbooks.ItemID]*Item, len(r.Items))
	for n := range r.Items {
		index[r.Items[n].ID] = &r.Items[n]
	}
	var out []phaseView
	for n, p := range r.Phases {
		v := phaseView{ID: fmt.Sprintf("phase-%d", n+1), Title: phaseTitle(p), Owner: p.Owner}
		for _, id := range p.Items {
			if i := index[id]; i != nil {
				v.Items = append(v.Items, newItemView(i))
			}
		}
		out = append(out, v)
	}
	return out
}

func groupNot(groups []notGroup, n NotExecuted) []notGroup {
	k := slices.IndexFunc(groups, func(g notGroup) bool { return g.Why == n.Why })
	if k < 0 {
		groups = append(groups, notGroup{Why: n.Why})
		k = len(groups) - 1
	}
	name := string(n.Item)
	switch {
	case slices.Contains(groups[k].Items, name):
	case len(groups[k].Items) < failingShown:
		groups[k].Items = append(groups[k].Items, name)
	default:
		groups[k].Left++
	}
	return groups
}

func hostsFirstFailing(hosts []Host) []Host {
	out := slices.Clone(hosts)
	bad := func(h Host) int {
		if h.Preflight != nil && !h.Preflight.OK {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b Host) int { return bad(a) - bad(b) })
	return out
}

func (v *page) funcs() template.FuncMap {
	return template.FuncMap{
		"vis": visHTML, "lines": linesHTML, "output": outputHTML, "instructions": instructionsHTML,
		"human": humanSeconds,
		"exact": exactSeconds,
		"dur":   durHTML,
		"when":  v.whenHTML, "clock": v.clockHTML,
		"mode": ModeWords, "modeName": modeName, "verdict": VerdictWords, "outcome": OutcomeWords,
		"sign": outcomeSign, "tone": outcomeTone, "resultSign": resultSign, "resultTone": resultTone, "clockWords": clockWords,
		"plural": plural, "count": count, "size": size,
		"anchor": anchor, "target": targetWords, "achieved": achievedWords, "span": spanWords,
		"names": namesHTML,
		"str":   func(x any) string { return fmt.Sprint(x) },
		"sub":   func(a, b int) int { return a - b },
		"hosts": hostsWords,
		"int":   func(n uint64) int { return int(n) },
		"deref": func(b *bool) bool { return b != nil && *b },
		"brief": brief, "verifyTool": verifyTool, "verifyHand": verifyHand,
		"instructionsOf": itemView.instructions, "cleanup": cleanupWords, "rollback": rollbackLines, "batches": batchRows,
		"peopleLines": func(v itemView) []string { return v.peopleLines() },
	}
}

// visHTML is foreign text in one line, with what was escaped set apart from text that merely looks like an escape.
func visHTML(x any) template.HTML { return markEscapes(fmt.Sprint(x), false) }

// linesHTML is the same for a block.
func linesHTML(text string) template.HTML { return markEscapes(text, true) }

func markEscapes(text string, multiline bool) template.HTML {
	var b strings.Builder
	eachShown(text, multiline, func(s shown) {
		if s.escaped {
			b.WriteString(`<span class="esc">` + template.HTMLEscapeString(s.text) + `</span>`)
			return
		}
		b.WriteString(template.HTMLEscapeString(s.text))
	})
	return template.HTML(b.String()) //nolint:gosec // every part is escaped
}

// outputHTML is an excerpt of an output.
func outputHTML(o Output) template.HTML {
	head, more := excerpt(o.Text, outputLines, outputBytes)
	out := markEscapes(head, true)
	if more > 0 {
		out += template.HTML(fmt.Sprintf("\n<span class=\"more\">… %s more</span>", plural(more, "line"))) //nolint:gosec // numbers
	}
	return out
}

func durHTML(s *Seconds) template.HTML {
	if s == nil {
		return "–"
	}
	return template.HTML(fmt.Sprintf(`<span class="nw" title="%s">%s</span>`, exact(s.Duration()), human(s.Duration()))) //nolint:gosec // numbers
}

// whenHTML is an instant in UTC and in the report's zone.
func (v *page) whenHTML(t time.Time) template.HTML {
	if t.IsZero() {
		return "not recorded"
	}
	out := fmt.Sprintf(`<time datetime="%s">%s</time>`, t.UTC().Format(time.RFC3339Nano), instant(t))
	if l := local(t, v.loc); l != "" {
		out += fmt.Sprintf(` <span class="local">(%s)</span>`, template.HTMLEscapeString(l))
	}
	return template.HTML(out) //nolint:gosec // times and an escaped zone name
}

// clockHTML is the time of the day in UTC, for tables; the date is in the title.
func (v *page) clockHTML(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	text := t.UTC().Format("15:04:05")
	if t.UTC().Format(time.DateOnly) != v.Run.StartedAt.Format(time.DateOnly) {
		text = t.UTC().Format(dateTime)
	}
	out := fmt.Sprintf(`<time class="nw" datetime="%s">%s</time>`, t.UTC().Format(time.RFC3339Nano), text)
	if l := local(t, v.loc); l != "" {
		out += fmt.Sprintf(` <span class="local nw">(%s)</span>`, template.HTMLEscapeString(l))
	}
	return template.HTML(out) //nolint:gosec // times and an escaped zone name
}

func namesHTML(names []string) template.HTML {
	if len(names) == 0 {
		return "nobody"
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(visHTML(n))
	}
	return template.HTML(joinWords(out)) //nolint:gosec // every part is escaped
}

// anchor is an id for an item's place in the page.
func anchor(id runbooks.ItemID) string {
	return "item-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, string(id))
}

// targetWords is what was agreed.
func targetWords(o Objective) string {
	switch {
	case o.Target != nil:
		return "at most " + human(o.Target.Duration())
	case o.AtMost != nil:
		return "at most " + number(*o.AtMost)
	case o.AtLeast != nil:
		return "at least " + number(*o.AtLeast)
	}
	return "none stated"
}

// achievedWords is what the run came to, or nothing.
func achievedWords(o Objective) string {
	switch {
	case o.Achieved != nil:
		return human(o.Achieved.Duration())
	case o.Value != nil:
		return number(*o.Value)
	}
	return ""
}

// spanWords says between which instants an objective was measured, and by which clock.
func spanWords(o Objective) string {
	var text string
	switch o.Kind {
	case engine.GoalElapsed:
		text = fmt.Sprintf("from %q to %q", o.From, o.To)
	case engine.GoalRecoveryPoint:
		text = fmt.Sprintf("from the newest recovered data to %q", o.From)
	default:
		text = "a value that the run measured"
	}
	if o.Clock != "" {
		text += ", by " + clockWords(o.Clock)
	}
	parts := []string{text}
	for _, m := range o.ByHand {
		parts = append(parts, fmt.Sprintf("%q was given by a person", m))
	}
	return strings.Join(parts, "; ")
}

// hostsWords counts the hosts of an item.
func hostsWords(c *engine.HostCount) string {
	if c == nil || c.Expected == 0 {
		return ""
	}
	if c.Done == c.Expected {
		return plural(c.Expected, "host")
	}
	return fmt.Sprintf("%s of %s done", count(c.Done), plural(c.Expected, "host"))
}

func humanSeconds(s Seconds) string { return human(s.Duration()) }

func exactSeconds(s Seconds) string { return exact(s.Duration()) }

// brief is the beginning of a digest, enough to tell two apart by eye.
func brief(sha string) string {
	if len(sha) > 16 {
		return sha[:16] + "…"
	}
	return sha
}
