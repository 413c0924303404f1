package view

import (
	"context"
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// Desk is the operator at the terminal: it asks what the engine wants to know of people.
type Desk struct {
	ask    *Asker
	by     string
	signer Sign
}

// NewDesk asks through a and records answers as given by the operator. Approvals are signed with sign.
func NewDesk(a *Asker, by string, sign Sign) *Desk { return &Desk{ask: a, by: by, signer: sign} }

// Manual implements engine.People.
func (d *Desk) Manual(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, error) {
	if !d.ask.Present() {
		return engine.ManualAnswer{}, engine.ErrNobody
	}
	s := d.ask.s
	s.Printf("\n%s %s%s%s\n", s.paint(yellow, "TO DO BY PEOPLE"), s.paint(bold, string(q.Item)),
		after(": ", Clean(q.Title)), after(", owner ", Clean(q.Owner)))
	for _, l := range lines(q.Instructions) {
		s.Printf("  %s\n", CleanText(l))
	}
	if q.Role != "" {
		s.Printf("  %d more of role %s: %s\n", max(q.Missing, 1), Clean(q.Role), list(q.Members, 20))
	}
	d.refused(q.Refused)
	got, err := d.ask.Choose(ctx, "done?", []Choice{
		{"d", "done", "it is done"},
		{"f", "failed", "it could not be done"},
	})
	if err != nil {
		return engine.ManualAnswer{}, err
	}
	out := engine.ManualAnswer{By: d.by, Done: got == "done", Inputs: map[string]string{}}
	if q.Role != "" || q.Missing > 1 {
		if out.By, err = d.ask.Reason(ctx, "who says so? (principal)"); err != nil {
			return engine.ManualAnswer{}, err
		}
	}
	if !out.Done {
		out.Note, err = d.ask.Reason(ctx, "why not?")
		return out, err
	}
	for _, in := range q.Inputs {
		if out.Inputs[in.Name], err = d.input(ctx, in); err != nil {
			return engine.ManualAnswer{}, err
		}
	}
	return out, nil
}

// input asks for one value until it passes its check.
func (d *Desk) input(ctx context.Context, in engine.ManualInput) (string, error) {
	for {
		read := d.ask.Line
		if in.Sensitive {
			read = d.ask.Hidden
		}
		got, err := read(ctx, fmt.Sprintf("%s (%s):", Clean(in.Name), in.Type))
		if err != nil {
			return "", err
		}
		if in.Check == nil {
			return got, nil
		}
		if err = in.Check(got); err == nil {
			return got, nil
		}
		d.ask.s.Printf("%s\n", Clean(err.Error()))
	}
}

// Interrupted implements engine.Operator.
func (d *Desk) Interrupted(ctx context.Context, q engine.InterruptQuestion) (engine.InterruptAnswer, error) {
	if !d.ask.Present() {
		return engine.InterruptAnswer{}, engine.ErrNobody
	}
	s := d.ask.s
	s.Printf("\n%s nothing runs now.", s.paint(yellow, "INTERRUPTED"))
	if len(q.Next) > 0 {
		s.Printf(" Next would be: %s", list(words(q.Next), fewHosts))
	}
	s.Printf("\n")
	got, err := d.ask.Choose(ctx, "what now?", []Choice{
		{"g", engine.ActionContinue, "go on with what comes next"},
		{"b", engine.ActionRollback, "roll back what was changed, back to the point of no return"},
		{"a", engine.ActionAbort, "abort: clean up, seal the record, end (exit 7)"},
		{"l", engine.ActionLeave, "leave: nothing is cleaned up, the run is held (exit 5)"},
	})
	if err != nil {
		return engine.InterruptAnswer{}, err
	}
	out := engine.InterruptAnswer{Action: got, By: d.by}
	if got == engine.ActionAbort || got == engine.ActionRollback {
		out.Reason, err = d.ask.Reason(ctx, "why?")
	}
	return out, err
}

// Failed implements engine.Operator.
func (d *Desk) Failed(ctx context.Context, q engine.FailureQuestion) (engine.FailureAnswer, error) {
	if !d.ask.Present() {
		return engine.FailureAnswer{}, engine.ErrNobody
	}
	s := d.ask.s
	s.Printf("\n%s %s%s\n", s.paint(red, strings.ToUpper(string(q.Outcome.Outcome))), s.paint(bold, string(q.Item)),
		after(": ", Clean(q.Outcome.Reason)))
	for _, u := range q.Units {
		s.Printf("  %s %s%s\n", cellText(s, outcomeWord(u.Outcome), 11), unitName(u.Unit), after(": ", Clean(u.Reason)))
	}
	got, err := d.ask.Choose(ctx, "what now?", failureChoices(q.Options))
	if err != nil {
		return engine.FailureAnswer{}, err
	}
	out := engine.FailureAnswer{Action: got, By: d.by}
	if got != engine.ActionLeave {
		out.Reason, err = d.ask.Reason(ctx, "why? (this goes into the evidence)")
	}
	return out, err
}

// failureChoices gives the engine's options their letters and words.
func failureChoices(options []string) []Choice {
	texts := map[string]Choice{
		engine.ActionRetry:    {"r", "", "retry: another attempt, where it failed"},
		engine.ActionSkip:     {"s", "", "skip: go on without it; it stays failed, and this is a deviation"},
		engine.ActionByHand:   {"h", "", "it was done by hand; this is a deviation"},
		engine.ActionContinue: {"g", "", "go on; the run will have failed"},
		engine.ActionRollback: {"b", "", "roll back what was changed"},
		engine.ActionAbort:    {"a", "", "abort: clean up, seal the record, end"},
		engine.ActionLeave:    {"l", "", "leave: nothing is cleaned up, the run is held"},
	}
	out := make([]Choice, 0, len(options))
	for n, o := range options {
		c, ok := texts[o]
		if !ok {
			c = Choice{Key: fmt.Sprint(n + 1), Text: o}
		}
		c.Value = o
		out = append(out, c)
	}
	return out
}
