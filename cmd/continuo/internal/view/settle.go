package view

import (
	"context"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Settle implements engine.Settler: it asks what became of something that nobody knows the end of.
func (d *Desk) Settle(ctx context.Context, q engine.SettleQuestion) (engine.SettleAnswer, error) {
	word := "UNKNOWN"
	if q.Outcome.Outcome != engine.Unknown {
		word = "MAY STILL RUN"
	}
	sheet := []row{heading(word, red, runbooks.ItemID(unitName(q.Unit)), after(": ", Clean(reasonOf(&q.Outcome))))}
	if q.Outcome.Hint != "" {
		sheet = append(sheet, indented("%s", Clean(q.Outcome.Hint)))
	}
	sheet = append(sheet, indented("look at the host first; what you say here is recorded as yours, and is a deviation"))
	ctx, t, err := d.ask.Begin(ctx, sheet...)
	if err != nil {
		return engine.SettleAnswer{}, err
	}
	defer t.End()
	got, err := d.ask.Choose(ctx, "what became of it?", []Choice{
		{"d", engine.SettleDone, "it is done, by itself or by hand"},
		{"f", engine.SettleFailed, "it is not done, or not wholly: what the runbook says about a failure follows"},
		{"r", engine.SettleRetry, "retry: it is safe to start it once more"},
		{"l", engine.SettleLeave, "leave: nothing is said yet, the run is held"},
	})
	if err != nil {
		return engine.SettleAnswer{}, err
	}
	out := engine.SettleAnswer{As: got, By: d.by}
	if got != engine.SettleLeave {
		out.Reason, err = d.ask.Reason(ctx, "how do you know? (this goes into the evidence)")
	}
	return out, err
}

// ResumeWarning says what is taken up, before it is confirmed.
func (s *Screen) ResumeWarning(r *engine.Record, what string) {
	s.Printf("\n%s %s %s%s\n", s.mode(r.Mode), what, s.paint(bold, Clean(r.Opened.Runbook)), after(": ", Clean(r.Opened.Title)))
	s.Printf("  run           %s, begun %s by %s%s\n", r.Opened.Run, r.StartedAt.Format("2006-01-02 15:04:05Z"), Clean(r.Opened.Operator),
		after(", ", references(r.Opened)))
	done, open, flight := 0, 0, 0
	for _, i := range r.Items {
		if i.Outcome != "" && i.Standing == engine.Done {
			done++
		}
		for _, u := range i.Units {
			switch {
			case u.Outcome == "" && len(u.Intents) > 0 && u.Standing == engine.Open:
				flight++
			case u.Standing == engine.Open:
				open++
			}
		}
	}
	s.Printf("  done          %d of %s\n", done, Count(len(r.Items), "item"))
	if flight > 0 {
		s.Printf("  in flight     %s: their hosts are asked what became of them\n", Count(flight, "launch"))
	}
	if open > 0 {
		s.Printf("  %s       %s: the hosts are asked again, then you\n", s.paint(red, "UNKNOWN"), Count(open, "outcome"))
	}
}

// references are under what a run happens.
func references(o engine.RunOpened) string {
	switch {
	case o.Change != "" && o.Incident != "":
		return "change " + Clean(o.Change) + ", incident " + Clean(o.Incident)
	case o.Change != "":
		return "change " + Clean(o.Change)
	case o.Incident != "":
		return "incident " + Clean(o.Incident)
	}
	return ""
}

// WayBack lists what a rollback does, in order, and what it does not.
func (s *Screen) WayBack(w engine.WayBack) {
	if len(w.Steps) == 0 {
		s.Printf("  nothing that was changed can be rolled back\n")
	} else {
		s.Printf("  to be rolled back, in this order:\n")
	}
	for n, b := range w.Steps {
		text := ""
		if !b.Reversible {
			text = "  has no rollback: it is left as it is"
		}
		s.Printf("  %4d. %s%s\n", n+1, Clean(unitName(b.Unit)), s.paint(yellow, text))
	}
	if w.Until != "" {
		s.Printf("  %s %s cannot be taken back. What is before it is rolled back only if you say so then:\n", s.paint(red, "POINT OF NO RETURN"), w.Until)
		for _, b := range w.Kept {
			s.Printf("        %s\n", Clean(unitName(b.Unit)))
		}
	}
	for _, u := range w.Open {
		s.Printf("  %s %s: its host is asked first; what stays unknown holds the rollback\n", s.paint(red, "UNKNOWN"), Clean(unitName(u)))
	}
}

// gathered names units: those of one item together, its hosts sorted and beyond a few counted.
func gathered(units []engine.Unit) []string {
	var order []engine.Unit
	hosts := map[engine.Unit][]string{}
	for _, u := range units {
		item := u
		item.Host = ""
		if _, ok := hosts[item]; !ok {
			order = append(order, item)
			hosts[item] = nil
		}
		if u.Host != "" {
			hosts[item] = append(hosts[item], u.Host)
		}
	}
	out := make([]string, len(order))
	for n, item := range order {
		names := hosts[item]
		slices.Sort(names)
		out[n] = Clean(unitName(item)) + after(" on ", list(names, fewHosts))
	}
	return out
}

// backRows say what a rollback would do, item by item, and where it stops.
func backRows(w engine.WayBack) []row {
	var out []row
	add := func(steps []engine.BackStep, reversible bool, word, why string, i ink) {
		var units []engine.Unit
		for _, b := range steps {
			if b.Reversible == reversible {
				units = append(units, b.Unit)
			}
		}
		for _, name := range gathered(units) {
			out = append(out, row{{"  " + word + " ", i}, {name + why, plainInk}})
		}
	}
	add(w.Steps, true, "UNDONE", "", yellow)
	add(w.Steps, false, "STAYS", ": it has no rollback", red)
	if w.Until != "" {
		out = append(out, row{{"  stops at the POINT OF NO RETURN", red}, {" " + string(w.Until), bold}, {"; what is before it only if you say so then", plainInk}})
	}
	for _, name := range gathered(w.Open) {
		out = append(out, row{{"  UNKNOWN ", red}, {name + ": its host is asked first", plainInk}})
	}
	if len(out) == 0 {
		return []row{say("  nothing that was changed can be rolled back")}
	}
	return out
}

// WayBackSchema names the JSON form of a way back.
const WayBackSchema = "continuo/rollback/v1"

// WayBackDocument is what a rollback would do, for machines.
type WayBackDocument struct {
	Schema string             `json:"schema"`
	Run    engine.RunID       `json:"run"`
	Steps  []BackStepDocument `json:"steps"`
	Until  runbooks.ItemID    `json:"until,omitempty"`
	Kept   []BackStepDocument `json:"kept,omitempty"`
	Open   []engine.Unit      `json:"open,omitempty"`
}

// BackStepDocument is one unit of it.
type BackStepDocument struct {
	engine.Unit
	Reversible bool `json:"reversible"`
}

// NewWayBackDocument makes the document.
func NewWayBackDocument(id engine.RunID, w engine.WayBack) WayBackDocument {
	list := func(steps []engine.BackStep) []BackStepDocument {
		out := make([]BackStepDocument, 0, len(steps))
		for _, b := range steps {
			out = append(out, BackStepDocument(b))
		}
		return out
	}
	return WayBackDocument{Schema: WayBackSchema, Run: id, Steps: list(w.Steps), Until: w.Until, Kept: list(w.Kept), Open: w.Open}
}

// wentBack prints what a rollback came to, and what of it is left to people.
func (s *Screen) wentBack(r *engine.Record) {
	b := r.Rollback
	if b == nil {
		return
	}
	failed, left := b.ByHand()
	v := b.Verdict()
	i := green
	if v != engine.RolledBack {
		i = red
	}
	s.para("  %-13s%s%s\n", "rollback:", s.paint(i, string(v)), after(", ", Clean(b.Held)))
	for _, part := range []struct {
		units []engine.Unit
		why   string
	}{{failed, "its rollback failed"}, {left, "may have changed something and was not rolled back"}} {
		for _, name := range gathered(part.units) {
			s.para("    %s %s: %s\n", s.paint(yellow, "BY HAND"), name, part.why)
		}
	}
}
