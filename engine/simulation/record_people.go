package simulation

import (
	"fmt"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// person writes what people said about an item.
func (r *recorder) person(w *writer, i *engine.ItemRecord, item *runbooks.Item) {
	switch item.Kind {
	case runbooks.Gate:
		r.gate(w, i)
	case runbooks.Decision:
		r.decision(w, i)
	default:
		r.manual(w, i, "")
		r.manual(w, i, engine.PartRollback)
	}
}

func waited(d time.Duration) string {
	if d < time.Second {
		return ""
	}
	return d.Round(time.Second).String()
}

// gate writes who approved and who denied, and that nobody did. Each took as long as all together on average.
func (r *recorder) gate(w *writer, i *engine.ItemRecord) {
	var approve, deny []string
	var asked, last time.Duration
	expired, seen := false, false
	for _, e := range r.past.Events {
		switch p := e.Payload.(type) {
		case *engine.ApprovalRequested:
			if p.Item == i.Plan.ID {
				asked, seen = e.Mono, true
			}
		case *engine.ApprovalGranted:
			if p.Item == i.Plan.ID {
				approve, last = append(approve, p.By), e.Mono
			}
		case *engine.ApprovalDenied:
			if p.Item == i.Plan.ID {
				deny, last = append(deny, p.By), e.Mono
			}
		case *engine.ApprovalExpired:
			if p.Item == i.Plan.ID {
				expired = expired || i.Outcome == engine.TimedOut
			}
		}
	}
	if !seen {
		return
	}
	w.line("")
	w.open("on %s", quote(string(i.Plan.ID)))
	if len(approve) > 0 {
		w.attr("approve", quoted(approve))
	}
	if len(deny) > 0 {
		w.attr("deny", quoted(deny))
	}
	if n := len(approve) + len(deny); n > 0 {
		if d := waited((last - asked) / time.Duration(n)); d != "" {
			w.attr("delay", quote(d))
		}
	}
	if expired || len(approve)+len(deny) == 0 {
		w.attr("silent", "true")
	}
	w.end()
}

func (r *recorder) decision(w *writer, i *engine.ItemRecord) {
	d := i.Decision
	if d == nil {
		if i.Started {
			w.line("")
			w.open("on %s", quote(string(i.Plan.ID)))
			w.attr("silent", "true")
			w.end()
		}
		return
	}
	w.line("")
	w.open("on %s", quote(string(i.Plan.ID)))
	w.attr("choose", quote(d.Choice))
	if d.By != "" {
		w.attr("done_by", quote(d.By))
	}
	if t := waited(d.WaitedNS); t != "" {
		w.attr("delay", quote(t))
	}
	w.end()
}

// manual writes who said that a manual item is done, or was undone, with the inputs of the last.
func (r *recorder) manual(w *writer, i *engine.ItemRecord, part engine.PartName) {
	var said []*engine.ManualDone
	for _, e := range r.past.Events {
		if p, ok := e.Payload.(*engine.ManualDone); ok && p.Item == i.Plan.ID && p.Part == part {
			said = append(said, p)
		}
	}
	label := string(i.Plan.ID)
	if part != "" {
		label += "." + string(part)
	}
	if len(said) == 0 {
		if part == "" && i.Started && i.Outcome == "" {
			w.line("")
			w.open("on %s", quote(label))
			w.attr("silent", "true")
			w.end()
		}
		return
	}
	last := said[len(said)-1]
	w.line("")
	w.open("on %s", quote(label))
	var by []string
	for _, m := range said {
		by = append(by, m.By)
	}
	w.attr("done_by", quoted(by))
	if !last.Done {
		w.attr("outcome", quote(string(engine.Failed)))
	}
	if t := waited(last.WaitedNS); t != "" {
		w.attr("delay", quote(t))
	}
	r.inputs(w, i, last)
	w.end()
}

func (r *recorder) inputs(w *writer, i *engine.ItemRecord, m *engine.ManualDone) {
	if len(m.Inputs) == 0 {
		return
	}
	w.open("inputs =")
	for _, in := range m.Inputs {
		value := strings.ReplaceAll(r.resolve(in.Value), string(r.past.Record.Opened.Run), simulatedRun)
		if in.Sensitive {
			value = "not-recorded"
			r.note("%s: input %s is sensitive: its value is not in the record; the test says %q", i.Plan.ID, in.Name, value)
		}
		w.line(fmt.Sprintf("%s = %s", in.Name, quote(value)))
	}
	w.end()
}
