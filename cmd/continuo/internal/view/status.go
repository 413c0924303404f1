package view

import (
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// WishSchema names the answer of pause, continue, abort and note with --json.
const WishSchema = "continuo/wish/v1"

// WishDocument says that a wish is in the run's journal.
type WishDocument struct {
	Schema string `json:"schema"`
	Run    string `json:"run"`
	Op     string `json:"op"`
	By     string `json:"by"`
}

// Status says where a run stands. asks are the questions that wait for somebody now.
func (s *Screen) Status(r *engine.Record, now time.Time, working bool, asks, next []string) {
	s.Printf("%s %s of %s%s\n", s.mode(r.Mode), r.Opened.Run, Clean(r.Opened.Runbook), after(": ", Clean(r.Opened.Title)))
	if r.Closed {
		s.Printf("  ended %s: %s%s\n", r.EndedAt.In(s.zone).Format("15:04:05"), s.paint(verdictInk(r.Verdict), string(r.Verdict)), after(", ", Clean(r.Why)))
	} else {
		s.Printf("  began %s by %s, %s ago\n", r.StartedAt.In(s.zone).Format("15:04:05"), Clean(r.Opened.Operator), Duration(now.Sub(r.StartedAt)))
		if !working {
			s.Printf("  %s: the process that did has ended. What had started on hosts may still run there\n", s.paint(red, "NOBODY WORKS ON IT"))
		}
		s.statusItems(r, now, working)
		for _, q := range asks {
			s.Printf("  %s %s\n", s.paint(yellow, "waits for a person:"), Clean(q))
		}
		if len(asks) > 0 {
			s.Printf("  answer: continuo attach %s\n", r.Opened.Run)
		}
	}
	clock := newObjectiveClock(r.Plan)
	for n := range r.Marks {
		clock.mark(&r.Marks[n])
	}
	if text := clock.text(s, now); text != "" && !r.Closed {
		s.Printf("  objectives:%s\n", text)
	}
	s.update(r, now)
	if n := len(r.Actions); n > 0 {
		a := r.Actions[n-1]
		s.Printf("  last word: %s by %s at %s%s\n", Clean(a.Action), Clean(a.By), a.At.In(s.zone).Format("15:04:05"), after(": ", Clean(a.Reason)))
	}
	for _, c := range next {
		if r.Closed || !working {
			s.Printf("  next: %s\n", c)
		}
	}
}

// statusItems prints what runs, what failed and what comes next.
func (s *Screen) statusItems(r *engine.Record, now time.Time, working bool) {
	done := 0
	var next []runbooks.ItemID
	for _, i := range r.Items {
		switch {
		case i.Outcome != "":
			done++
			if !good(i.Outcome) {
				s.Printf("  %s %s%s\n", cellText(s, outcomeWord(i.Outcome), wordWidth), i.Plan.ID, after(": ", Clean(i.Reason)))
			}
		case i.Started:
			word := cell{"running", cyan}
			if !working {
				word = outcomeWord(engine.Unknown)
			}
			s.Printf("  %s %s%s for %s\n", cellText(s, word, wordWidth), i.Plan.ID,
				after(" on ", list(i.Plan.Hosts, fewHosts)), Duration(now.Sub(i.StartedAt)))
		default:
			next = append(next, i.Plan.ID)
		}
	}
	s.Printf("  %d of %s ended\n", done, Count(len(r.Items), "item"))
	if len(next) > 0 {
		s.Printf("  next: %s\n", list(words(next), fewHosts))
	}
}
