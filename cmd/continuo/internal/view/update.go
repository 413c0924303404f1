package view

import (
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// update prints when the next promised progress update is due, and a text for it. Nothing when none is promised.
func (s *Screen) update(r *engine.Record, now time.Time) {
	u := r.Update()
	if u == nil {
		return
	}
	s.Printf("  %s\n", s.updateDue(u.Due, now))
	for line := range strings.SplitSeq(r.DraftUpdate(now, s.zone), "\n") {
		s.Printf("    | %s\n", Clean(line))
	}
	s.Printf("    sent? continuo note %s \"update sent\"\n", r.Opened.Run)
}

// updateDue is "progress update due 03:40:00, in 12m00s", or how long it is overdue.
func (s *Screen) updateDue(due, now time.Time) string {
	at := due.In(s.zone).Format("15:04:05")
	if now.After(due) {
		return s.paint(red, "PROGRESS UPDATE OVERDUE") + " since " + at + ", " + Duration(now.Sub(due))
	}
	return "progress update due " + at + ", in " + Duration(due.Sub(now))
}

// promise follows the promised progress updates of a run, event by event.
type promise struct {
	every time.Duration
	last  time.Time
	said  time.Time // the due time that was said already
}

func newPromise(plan *engine.Plan, mode engine.Mode) *promise {
	if mode == engine.DryRun {
		return &promise{}
	}
	return &promise{every: time.Duration(plan.UpdateEveryS * float64(time.Second))}
}

// overdue takes an event and reports, once for each update, that it is due since the time that it returns.
func (p *promise) overdue(e engine.Event) (due time.Time, said bool) {
	switch v := e.Payload.(type) {
	case *engine.RunOpened:
		p.last = e.Time
	case *engine.OperatorAction:
		if v.Action == engine.ActionNote {
			p.last = e.Time
		}
	case *engine.RunClosed:
		p.every = 0
	}
	due = p.last.Add(p.every)
	if p.every <= 0 || p.last.IsZero() || !e.Time.After(due) || due.Equal(p.said) {
		return due, false
	}
	p.said = due
	return due, true
}
