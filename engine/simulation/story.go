package simulation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// story is what happened in a case, in order: what went as it should is counted, what did not is told.
func (x *explorer) story(c faultCase, ended *Ended, holes []Hole) []string {
	t := &teller{}
	if ended.Crashed {
		t.lines = append(t.lines, fmt.Sprintf("continuo is killed: %s%s; the run is resumed", c.words, of(c.place)))
	}
	for n := range ended.Record.Items {
		i := &ended.Record.Items[n]
		about := i.Plan.ID == c.item || c.with != nil && i.Plan.ID == c.with.item ||
			slices.ContainsFunc(holes, func(h Hole) bool { return h.Item == i.Plan.ID })
		t.item(i, about)
	}
	t.quiet()
	if b := ended.Record.Rollback; b != nil && b.Held != "" {
		t.lines = append(t.lines, "the rollback stops: "+b.Held)
	}
	return append(t.lines, fmt.Sprintf("verdict %s: %s", ended.Record.Verdict, ended.Record.Why))
}

func of(p place) string {
	if p.item == "" {
		return ""
	}
	return " (" + placeName(p) + ")"
}

// teller writes a story.
type teller struct {
	lines      []string
	uneventful []runbooks.ItemID
}

// item tells of one item; one that nothing is to be told about is counted.
func (t *teller) item(i *engine.ItemRecord, about bool) {
	switch {
	case i.Outcome == "" || i.Outcome == engine.NotReached && i.Plan.Phase != runbooks.CleanupPhase:
		return
	case !about && !rolledBack(i) && (i.Outcome == engine.Succeeded || i.Outcome == engine.Skipped):
		t.uneventful = append(t.uneventful, i.Plan.ID)
		return
	}
	t.quiet()
	line := fmt.Sprintf("%s %s", i.Plan.ID, i.Outcome)
	if i.Reason != "" && i.Outcome != engine.Succeeded {
		line += ": " + strings.TrimSpace(firstLine(i.Reason))
	}
	for _, u := range i.Units {
		if u.Host != "" && u.Outcome != i.Outcome {
			line += fmt.Sprintf(", %s on %s", u.Outcome, u.Host)
		}
	}
	if i.Plan.Irreversible && launched(i) {
		line += " (irreversible)"
	}
	if rolledBack(i) {
		line += ", then rolled back"
	}
	t.lines = append(t.lines, line)
}

func (t *teller) quiet() {
	switch n := len(t.uneventful); n {
	case 0:
	case 1:
		t.lines = append(t.lines, fmt.Sprintf("%s as it should", t.uneventful[0]))
	default:
		t.lines = append(t.lines, fmt.Sprintf("%s to %s as they should (%d items)", t.uneventful[0], t.uneventful[n-1], n))
	}
	t.uneventful = nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	const most = 160
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}
