package view

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// Sign signs a text with the key in a file, for approvals.
type Sign func(ctx context.Context, key string, text []byte) ([]byte, error)

// Gate implements engine.Approver: somebody at this terminal approves with a key of their own, or denies.
func (d *Desk) Gate(ctx context.Context, q engine.GateQuestion) (engine.GateWord, error) {
	if !d.ask.Present() {
		return engine.GateWord{}, engine.ErrNobody
	}
	s := d.ask.s
	s.Printf("\n%s %s%s\n  %s\n", s.paint(yellow, "APPROVAL WANTED"), s.paint(bold, string(q.Item)), after(": ", Clean(q.Title)), Clean(q.Question))
	s.Printf("  %d more of role %s: %s\n", q.Missing, Clean(q.Role), list(q.Members, 20))
	if len(q.Granted) > 0 {
		s.Printf("  granted by: %s\n", list(q.Granted, 20))
	}
	if !q.ApproveBy.IsZero() {
		s.Printf("  until: %s\n", q.ApproveBy.In(s.zone).Format("15:04:05"))
	}
	d.refused(q.Refused)
	got, err := d.ask.Choose(ctx, "what is your word?", []Choice{
		{"a", "approve", "approve, with your own SSH key; never the operator's"},
		{"d", "deny", "deny: this ends the gate"},
		{"s", "show", "show the exact text that is signed"},
	})
	if err != nil {
		return engine.GateWord{}, err
	}
	if got == "show" {
		s.Printf("%s\n", CleanText(string(q.Request)))
		return d.Gate(ctx, q)
	}
	by, err := d.ask.Reason(ctx, "who are you? (principal, as in allowed_signers)")
	if err != nil {
		return engine.GateWord{}, err
	}
	if got == "deny" {
		reason, err := d.ask.Reason(ctx, "why?")
		return engine.GateWord{By: by, Deny: true, Reason: reason}, err
	}
	return d.sign(ctx, q, by)
}

// sign asks for the key, and again while it cannot sign.
func (d *Desk) sign(ctx context.Context, q engine.GateQuestion, by string) (engine.GateWord, error) {
	if q.Typed != "" {
		got, err := d.ask.Line(ctx, fmt.Sprintf("type %q:", Clean(q.Typed)))
		if err != nil {
			return engine.GateWord{}, err
		}
		if got != q.Typed {
			d.ask.s.Printf("that is not it; nothing was approved\n")
			return d.Gate(ctx, q)
		}
	}
	for {
		key, err := d.ask.Line(ctx, "your private key, or .pub for the agent (Enter: back):")
		if err != nil {
			return engine.GateWord{}, err
		}
		if key == "" {
			return d.Gate(ctx, q)
		}
		signature, err := d.signer(ctx, key, q.Request)
		if err == nil {
			return engine.GateWord{By: by, Text: q.Request, Signature: signature}, nil
		}
		d.ask.s.Warn(err.Error(), "")
	}
}

// Decide implements engine.Approver.
func (d *Desk) Decide(ctx context.Context, q engine.DecisionQuestion) (engine.DecisionAnswer, error) {
	if !d.ask.Present() {
		return engine.DecisionAnswer{}, engine.ErrNobody
	}
	s := d.ask.s
	s.Printf("\n%s %s%s\n  %s\n", s.paint(yellow, "DECISION WANTED"), s.paint(bold, string(q.Item)), after(": ", Clean(q.Title)), Clean(q.Question))
	if q.Role != "" {
		s.Printf("  it is for role %s: %s\n", Clean(q.Role), list(q.Members, 20))
	}
	if !q.Expires.IsZero() {
		s.Printf("  until: %s\n", q.Expires.In(s.zone).Format("15:04:05"))
	}
	d.refused(q.Refused)
	choices := make([]Choice, len(q.Options))
	for n, o := range q.Options {
		text := Clean(o)
		if slices.Contains(q.Stops, o) {
			text += "  (stops the run)"
		}
		choices[n] = Choice{Key: fmt.Sprint(n + 1), Value: o, Text: text}
	}
	got, err := d.ask.Choose(ctx, "which?", choices)
	if err != nil {
		return engine.DecisionAnswer{}, err
	}
	by := d.by
	if q.Role != "" {
		if by, err = d.ask.Reason(ctx, "who decides? (principal)"); err != nil {
			return engine.DecisionAnswer{}, err
		}
	}
	reason, err := d.ask.Reason(ctx, "why? (this goes into the evidence)")
	return engine.DecisionAnswer{Choice: got, By: by, Reason: reason}, err
}

// Confirm implements engine.Approver.
func (d *Desk) Confirm(ctx context.Context, q engine.ConfirmQuestion) (engine.ConfirmAnswer, error) {
	if !d.ask.Present() {
		return engine.ConfirmAnswer{}, engine.ErrNobody
	}
	s := d.ask.s
	s.Printf("\n%s %s%s\n", s.paint(alert, "CONFIRM"), s.paint(bold, string(q.Item)), after(": ", Clean(q.Title)))
	got, err := d.ask.Line(ctx, fmt.Sprintf("type %q to start it:", Clean(q.Text)))
	return engine.ConfirmAnswer{By: d.by, Typed: strings.TrimSpace(got)}, err
}

// refused says why the last answer did not count.
func (d *Desk) refused(why string) {
	if why != "" {
		d.ask.s.Printf("  %s %s\n", d.ask.s.paint(red, "that did not count:"), Clean(why))
	}
}
