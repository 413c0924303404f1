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
	sheet := []row{
		heading("APPROVAL WANTED", yellow, q.Item, after(": ", Clean(q.Title))),
		indented("%s", Clean(q.Question)),
		indented("%d more of role %s: %s", q.Missing, Clean(q.Role), list(q.Members, 20)),
	}
	if len(q.Granted) > 0 {
		sheet = append(sheet, indented("granted by: %s", list(q.Granted, 20)))
	}
	if !q.ApproveBy.IsZero() {
		sheet = append(sheet, indented("until: %s", q.ApproveBy.In(d.ask.s.zone).Format("15:04:05")))
	}
	ctx, t, err := d.ask.Begin(ctx, d.refused(sheet, q.Refused)...)
	if err != nil {
		return engine.GateWord{}, err
	}
	defer t.End()
	return d.word(ctx, t, q)
}

// word asks until somebody has approved or denied.
func (d *Desk) word(ctx context.Context, t *Talk, q engine.GateQuestion) (engine.GateWord, error) {
	for {
		got, err := d.ask.Choose(ctx, "what is your word?", []Choice{
			{"a", "approve", "approve, with your own SSH key; never the operator's"},
			{"d", "deny", "deny: this ends the gate"},
			{"s", "show", "show the exact text that is signed"},
		})
		if err != nil {
			return engine.GateWord{}, err
		}
		if got == "show" {
			d.ask.s.Printf("%s\n", CleanText(string(q.Request)))
			continue
		}
		by, err := d.ask.Reason(ctx, "who are you? (principal, as in allowed_signers)")
		if err != nil {
			return engine.GateWord{}, err
		}
		if got == "deny" {
			reason, err := d.ask.Reason(ctx, "why?")
			return engine.GateWord{By: by, Deny: true, Reason: reason}, err
		}
		word, ok, err := d.sign(ctx, t, q, by)
		if err != nil || ok {
			return word, err
		}
	}
}

// sign asks for the key, and again while it cannot sign. It is not ok when the person went back.
func (d *Desk) sign(ctx context.Context, t *Talk, q engine.GateQuestion, by string) (word engine.GateWord, ok bool, err error) {
	if q.Typed != "" {
		got, err := d.ask.Line(ctx, fmt.Sprintf("type %q:", Clean(q.Typed)))
		if err != nil {
			return word, false, err
		}
		if got != q.Typed {
			t.Say(row{{"that is not it; nothing was approved", yellow}})
			return word, false, nil
		}
	}
	for {
		key, err := d.ask.Line(ctx, "your private key, or .pub for the agent (Enter: back):")
		if err != nil || key == "" {
			return word, false, err
		}
		signature, err := d.signer(ctx, key, q.Request)
		if err == nil {
			return engine.GateWord{By: by, Text: q.Request, Signature: signature}, true, nil
		}
		t.Say(row{{"warning: ", yellow}, {CleanText(err.Error()), plainInk}})
	}
}

// Decide implements engine.Approver.
func (d *Desk) Decide(ctx context.Context, q engine.DecisionQuestion) (engine.DecisionAnswer, error) {
	sheet := []row{
		heading("DECISION WANTED", yellow, q.Item, after(": ", Clean(q.Title))),
		indented("%s", Clean(q.Question)),
	}
	if q.Role != "" {
		sheet = append(sheet, indented("it is for role %s: %s", Clean(q.Role), list(q.Members, 20)))
	}
	if !q.Expires.IsZero() {
		sheet = append(sheet, indented("until: %s", q.Expires.In(d.ask.s.zone).Format("15:04:05")))
	}
	ctx, t, err := d.ask.Begin(ctx, d.refused(sheet, q.Refused)...)
	if err != nil {
		return engine.DecisionAnswer{}, err
	}
	defer t.End()
	choices := make([]Choice, len(q.Options))
	for n, o := range q.Options {
		text := Clean(o)
		if slices.Contains(q.Stops, o) {
			text += "  (stops the run)"
		}
		choices[n] = Choice{Key: fmt.Sprint(n + 1), Value: o, Text: text}
	}
	for {
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
		if reason, err := d.ask.Why(ctx); err != nil || reason != "" {
			return engine.DecisionAnswer{Choice: got, By: by, Reason: reason}, err
		}
	}
}

// Confirm implements engine.Approver.
func (d *Desk) Confirm(ctx context.Context, q engine.ConfirmQuestion) (engine.ConfirmAnswer, error) {
	ctx, t, err := d.ask.Begin(ctx, heading("CONFIRM", alert, q.Item, after(": ", Clean(q.Title))))
	if err != nil {
		return engine.ConfirmAnswer{}, err
	}
	defer t.End()
	got, err := d.ask.Line(ctx, fmt.Sprintf("type %q to start it:", Clean(q.Text)))
	return engine.ConfirmAnswer{By: d.by, Typed: strings.TrimSpace(got)}, err
}
