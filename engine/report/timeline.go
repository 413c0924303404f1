package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// The picture of the timeline, in SVG units. It is 1000 wide and as high as it needs to be; long ones are cut into
// pieces so that each fits on a sheet of paper.
const (
	chartWidth  = 1000
	chartLeft   = 292 // where bars begin; labels are left of it
	chartRight  = 868 // where bars end; lengths are right of it
	rowHeight   = 22
	chartTop    = 26 // the axis
	markHeight  = 16
	labelRunes  = 38
	rowsAll     = 60 // items up to which all are drawn
	rowsChosen  = 40 // items that are drawn of longer runs
	rowsOfPiece = 40 // rows of one piece
)

// tenth is a length in tenths of an SVG unit. Whole numbers keep the bytes the same on every machine.
type tenth int64

func (t tenth) String() string {
	s := strconv.FormatInt(int64(t)/10, 10)
	if r := t % 10; r != 0 {
		s += "." + strconv.FormatInt(int64(r), 10)
	}
	return s
}

// chart is one piece of the timeline.
type chart struct {
	ID     string
	Title  string
	Desc   string
	Height int
	Top    int // of the rows
	Rows   []chartRow
	Ticks  []tick
	Marks  []chartMark
}

// chartRow is one line: the heading of a phase, or an item with its bar.
type chartRow struct {
	Heading  bool
	Y        int // of the middle of the row
	Label    string
	Full     string // what a pointer that rests on it is told
	Critical bool
	Bars     []bar
	Note     string
	Tone     string
}

type bar struct {
	X, W tenth
	Time string // machine, people, waiting
}

type tick struct {
	X     tenth
	Label string
}

type chartMark struct {
	X      tenth
	Y      int
	Label  string
	Anchor string
}

// timeline draws the items of a report. note says what was left out, and is empty when all are drawn.
func timeline(r *Report) (charts []chart, note string) {
	total := r.Run.Elapsed.Duration()
	for n := range r.Items {
		if i := &r.Items[n]; i.Took != nil {
			total = max(total, i.Offset.Duration()+i.Took.Duration())
		}
	}
	if total <= 0 {
		return nil, ""
	}
	chosen, note := chooseItems(r.Items)
	rows := chartRows(r, chosen, total)
	pieces := cutRows(rows)
	marks := chartMarks(r, total)
	for n, piece := range pieces {
		c := chart{ID: fmt.Sprintf("timeline-%d", n+1), Title: "Timeline", Rows: piece, Ticks: ticks(total)}
		if len(pieces) > 1 {
			c.Title = fmt.Sprintf("Timeline, part %d of %d", n+1, len(pieces))
		}
		c.Desc = fmt.Sprintf("One bar for each item, from the start of the run to %s after it. The tables of items below have the same figures.", human(total))
		c.Top = chartTop
		if n == 0 {
			c.Marks = marks
			for _, m := range marks {
				c.Top = max(c.Top, m.Y+markHeight)
			}
		}
		for k := range c.Rows {
			c.Rows[k].Y = c.Top + k*rowHeight + rowHeight/2
		}
		c.Height = c.Top + len(c.Rows)*rowHeight + 8
		charts = append(charts, c)
	}
	return charts, note
}

// cutRows divides rows into pieces; a heading stays with the row that follows it.
func cutRows(rows []chartRow) [][]chartRow {
	var out [][]chartRow
	for len(rows) > rowsOfPiece {
		n := rowsOfPiece
		for n > 1 && rows[n-1].Heading {
			n--
		}
		out, rows = append(out, rows[:n]), rows[n:]
	}
	return append(out, rows)
}

// chooseItems picks what is drawn of a long run: the critical path, what went wrong, and the longest.
func chooseItems(items []Item) (map[int]bool, string) {
	chosen := make(map[int]bool)
	if len(items) <= rowsAll {
		for n := range items {
			chosen[n] = true
		}
		return chosen, ""
	}
	order := make([]int, len(items))
	for n := range order {
		order[n] = n
	}
	rank := func(n int) time.Duration {
		i := &items[n]
		d := time.Duration(0)
		if i.Took != nil {
			d = i.Took.Duration()
		}
		switch tone := outcomeTone(i.Outcome); {
		case tone == "bad" || tone == "warn":
			return d + 2<<50
		case i.Critical:
			return d + 1<<50
		}
		return d
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch ra, rb := rank(a), rank(b); {
		case ra > rb:
			return -1
		case ra < rb:
			return 1
		}
		return 0
	})
	longest := time.Duration(0)
	for k, n := range order {
		if k < rowsChosen {
			chosen[n] = true
		} else if items[n].Took != nil {
			longest = max(longest, items[n].Took.Duration())
		}
	}
	return chosen, fmt.Sprintf("Drawn are %d of %s items: what failed, the critical path and the longest. None of the others took longer than %s; all are in the tables below.",
		rowsChosen, count(len(items)), human(longest))
}

func chartRows(r *Report, chosen map[int]bool, total time.Duration) []chartRow {
	var rows []chartRow
	phase, headings := "", r.phaseTitles()
	for n := range r.Items {
		if !chosen[n] {
			continue
		}
		i := &r.Items[n]
		if i.Phase != phase {
			phase = i.Phase
			rows = append(rows, phaseRow(r, phase, headings[phase], total))
		}
		rows = append(rows, itemRow(i, total))
	}
	return rows
}

// phaseRow is the heading of a phase, with a thin bar from its first item's beginning to its last one's end.
func phaseRow(r *Report, phase, title string, total time.Duration) chartRow {
	row := chartRow{Heading: true, Label: shorten(visible(title), 90)}
	begin, end := time.Duration(-1), time.Duration(0)
	for n := range r.Items {
		i := &r.Items[n]
		if i.Phase != phase || i.Took == nil {
			continue
		}
		if begin < 0 || i.Offset.Duration() < begin {
			begin = i.Offset.Duration()
		}
		end = max(end, i.Offset.Duration()+i.Took.Duration())
	}
	if begin >= 0 {
		row.Bars = []bar{newBar(begin, end-begin, total, "phase")}
		row.Note = human(end - begin)
	}
	return row
}

func itemRow(i *Item, total time.Duration) chartRow {
	row := chartRow{Label: shorten(visible(string(i.ID)), labelRunes), Critical: i.Critical, Tone: outcomeTone(i.Outcome)}
	row.Full = fmt.Sprintf("%s: %s", i.ID, OutcomeWords(i.Outcome))
	if i.Took == nil {
		row.Note = OutcomeWords(i.Outcome)
		row.Full = visible(row.Full)
		return row
	}
	begin, took, queued := i.Offset.Duration(), i.Took.Duration(), i.Queued.Duration()
	if queued > 0 {
		row.Bars = append(row.Bars, newBar(begin, queued, total, WaitingTime))
	}
	row.Bars = append(row.Bars, newBar(begin+queued, took-queued, total, i.Time))
	row.Note = human(took)
	if row.Tone != "good" {
		row.Note += ", " + OutcomeWords(i.Outcome)
	}
	row.Full = visible(fmt.Sprintf("%s, from %s, for %s", row.Full, human(begin), exact(took)))
	return row
}

// position is where an instant lies on the axis.
func position(at, total time.Duration) tenth {
	return chartLeft*10 + tenth(at.Milliseconds()*(chartRight-chartLeft)*10/max(1, total.Milliseconds()))
}

func newBar(at, length, total time.Duration, kind string) bar {
	x, end := position(at, total), position(at+length, total)
	return bar{X: min(x, chartRight*10-20), W: max(end-x, 20), Time: kind}
}

// ticks divides the axis into at most eight round steps.
func ticks(total time.Duration) []tick {
	steps := []time.Duration{
		time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
		50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if total/s <= 8 {
			step = s
			break
		}
	}
	for total/step > 8 {
		step *= 2
	}
	var out []tick
	for at := time.Duration(0); at <= total; at += step {
		out = append(out, tick{X: position(at, total), Label: human(at)})
	}
	return out
}

// chartMarks places the marks that lie inside the run, in as many lines as they need not to overlap.
func chartMarks(r *Report, total time.Duration) []chartMark {
	var out []chartMark
	var ends []tenth
	for _, m := range r.Marks {
		at := m.At.Sub(r.Run.StartedAt)
		if at < 0 || at > total {
			continue
		}
		c := chartMark{X: position(at, total), Label: shorten(visible(m.Mark), 24), Anchor: "start"}
		width := tenth(len([]rune(c.Label))*78 + 160)
		begin := c.X
		if c.X+width > chartWidth*10 {
			c.Anchor, begin = "end", c.X-width
		}
		line := 0
		for line < len(ends) && ends[line] > begin {
			line++
		}
		if line == len(ends) {
			ends = append(ends, 0)
		}
		ends[line] = begin + width
		c.Y = chartTop + line*markHeight
		out = append(out, c)
	}
	return out
}

func (r *Report) phaseTitles() map[string]string {
	out := make(map[string]string, len(r.Phases))
	for _, p := range r.Phases {
		out[p.Name] = phaseTitle(p)
	}
	for _, i := range r.Items {
		if out[i.Phase] == "" {
			out[i.Phase] = i.Phase
		}
	}
	return out
}

func phaseTitle(p Phase) string {
	if p.Title != "" && p.Title != p.Name {
		return p.Name + ": " + p.Title
	}
	return p.Name
}

// shorten keeps the beginning and the end of a text that is too long.
func shorten(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	tail := n / 3
	return string(runes[:n-tail-1]) + "…" + string(runes[len(runes)-tail:])
}

// verdictOf is the tone of a report's verdict; an unfinished one is never good.
func verdictOf(v engine.Verdict, closed bool) string {
	if !closed {
		return "bad"
	}
	return verdictTone(v)
}
