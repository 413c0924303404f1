package view

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// failedLines are the last lines of a failed command that are shown when it is asked about.
const failedLines = 5

// Desk is the operator at the terminal: it asks what the engine wants to know of people.
type Desk struct {
	ask    *Asker
	by     string
	signer Sign
	board  func(func(*Board)) // reads the board; nil: there is none
}

// NewDesk asks through a and records answers as given by the operator. Approvals are signed with sign.
func NewDesk(a *Asker, by string, sign Sign) *Desk { return &Desk{ask: a, by: by, signer: sign} }

// Read has questions say what the board knows: what a failed command wrote, what comes next, what cannot be taken back.
func (d *Desk) Read(board func(func(*Board))) { d.board = board }

// heading is the first row of a question: what is wanted in capitals, of which item.
func heading(word string, i ink, item runbooks.ItemID, rest string) row {
	return row{{word, i}, {" " + string(item), bold}, {rest, plainInk}}
}

// interruptedWord begins the question after an interrupt.
const interruptedWord = "INTERRUPTED"

func indented(format string, args ...any) row { return say("  " + fmt.Sprintf(format, args...)) }

// Manual implements engine.People.
func (d *Desk) Manual(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, error) {
	sheet := []row{heading("TO DO BY PEOPLE", yellow, q.Item, after(": ", Clean(q.Title))+after(", owner ", Clean(q.Owner)))}
	for _, l := range lines(q.Instructions) {
		sheet = append(sheet, indented("%s", CleanText(l)))
	}
	if q.Role != "" {
		sheet = append(sheet, indented("%d more of role %s: %s", max(q.Missing, 1), Clean(q.Role), list(q.Members, 20)))
	}
	ctx, t, err := d.ask.Begin(ctx, d.refused(sheet, q.Refused)...)
	if err != nil {
		return engine.ManualAnswer{}, err
	}
	defer t.End()
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
		if out.Inputs[in.Name], err = d.input(ctx, t, in); err != nil {
			return engine.ManualAnswer{}, err
		}
	}
	return out, nil
}

// input asks for one value until it passes its check. A hidden one is not shown and goes nowhere but to the run.
func (d *Desk) input(ctx context.Context, t *Talk, in engine.ManualInput) (string, error) {
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
		t.Say(row{{Clean(err.Error()), yellow}})
	}
}

// Interrupted implements engine.Operator.
func (d *Desk) Interrupted(ctx context.Context, q engine.InterruptQuestion) (engine.InterruptAnswer, error) {
	title := row{{interruptedWord, yellow}, {" nothing runs now.", plainInk}}
	if len(q.Next) > 0 {
		title = append(title, cell{" Next would be: " + list(words(q.Next), fewHosts), plainInk})
	}
	ctx, t, err := d.ask.Begin(ctx, title)
	if err != nil {
		return engine.InterruptAnswer{}, err
	}
	defer t.End()
	got, why, err := d.chosen(ctx, t, []Choice{
		{"g", engine.ActionContinue, "go on with what comes next"},
		{"b", engine.ActionRollback, "roll back what was changed, back to the point of no return"},
		{"a", engine.ActionAbort, "abort: clean up, seal the record, end (exit 7)"},
		{"l", engine.ActionLeave, "leave: nothing is cleaned up, the run is held (exit 5)"},
	}, engine.ActionContinue, engine.ActionLeave)
	if err != nil {
		return engine.InterruptAnswer{}, err
	}
	return engine.InterruptAnswer{Action: got, By: d.by, Reason: why}, nil
}

// chosen asks what to do and why. Before a rollback it says what would be undone. Of some choices no reason is asked; whoever
// gives none of another goes back to choose again.
func (d *Desk) chosen(ctx context.Context, t *Talk, choices []Choice, plain ...string) (got, why string, err error) {
	for {
		if got, err = d.ask.Choose(ctx, "what now?", choices); err != nil || slices.Contains(plain, got) {
			return got, "", err
		}
		if got == engine.ActionRollback {
			var undone []row
			d.read(func(b *Board) { undone = b.backRows() })
			for _, r := range undone {
				t.Say(r)
			}
		}
		if why, err = d.ask.Why(ctx); err != nil || why != "" {
			return got, why, err
		}
		t.Unsay()
	}
}

// Failed implements engine.Operator.
func (d *Desk) Failed(ctx context.Context, q engine.FailureQuestion) (engine.FailureAnswer, error) {
	ctx, t, err := d.ask.Begin(ctx, d.failure(q)...)
	if err != nil {
		return engine.FailureAnswer{}, err
	}
	defer t.End()
	choices := failureChoices(q.Options)
	if d.atNoReturn(q) {
		choices = noReturnChoices(q.Options)
	}
	got, why, err := d.chosen(ctx, t, choices, engine.ActionLeave)
	if err != nil {
		return engine.FailureAnswer{}, err
	}
	return engine.FailureAnswer{Action: got, By: d.by, Reason: why}, nil
}

// atNoReturn reports whether the question is whether a rollback goes past the point of no return.
func (d *Desk) atNoReturn(q engine.FailureQuestion) (at bool) {
	d.read(func(b *Board) {
		at = b.back != nil && b.backEnded == nil && b.back.Until == q.Item && len(q.Units) == 0
	})
	return at
}

// noReturnChoices are the words of the options at the point of no return.
func noReturnChoices(options []string) []Choice {
	out := failureChoices(options)
	for n, c := range out {
		switch c.Value {
		case engine.ActionRollback:
			out[n].Text = "go past it: roll back what is before it, too"
		case engine.ActionSkip:
			out[n].Text = "stop here: what is before it stays as it is"
		}
	}
	return out
}

// failure is what is shown of a failure: which units, their last lines, and what cannot be taken back.
func (d *Desk) failure(q engine.FailureQuestion) (sheet []row) {
	if d.atNoReturn(q) {
		sheet = []row{heading("POINT OF NO RETURN", red, q.Item, " ran, and cannot be taken back")}
		d.read(func(b *Board) { sheet = append(sheet, b.beforeRows()...) })
		return sheet
	}
	sheet = []row{heading(strings.ToUpper(string(q.Outcome.Outcome)), red, q.Item, after(": ", Clean(q.Outcome.Reason)))}
	d.read(func(b *Board) { sheet = append(sheet, b.ahead(q.Item)...) })
	for n, u := range q.Units {
		word := outcomeWord(u.Outcome)
		if len(q.Units) > 1 || !strings.Contains(q.Outcome.Reason, reasonOf(&u)) {
			sheet = append(sheet, row{{"  ", plainInk}, word, {" " + unitName(u.Unit) + after(": ", Clean(reasonOf(&u))), plainInk}})
		}
		if n > 0 {
			continue // the first shows what it is about; all are in the scrollback
		}
		d.read(func(b *Board) {
			for _, l := range b.tail(u.Unit, failedLines) {
				sheet = append(sheet, row{{"    " + l, dim}})
			}
		})
	}
	return sheet
}

func (d *Desk) read(f func(*Board)) {
	if d.board != nil {
		d.board(f)
	}
}

// ahead says what cannot be taken back, before a failed item or after it. What comes next is in view already.
func (b *Board) ahead(id runbooks.ItemID) []row {
	var out []row
	var points, past []string
	for _, i := range b.order {
		switch {
		case !i.plan.Irreversible:
		case !i.started.IsZero():
			past = append(past, string(i.plan.ID))
		case i.outcome == "" && i.plan.Disposition != engine.WillSkip:
			points = append(points, string(i.plan.ID))
		}
	}
	if len(past) > 0 {
		out = append(out, row{{"  cannot be taken back: " + list(past, fewHosts), red}})
	}
	if i := b.item(id); i != nil && i.plan.Effect == runbooks.Change && !i.plan.HasRollback {
		out = append(out, row{{"  " + string(id) + " has no rollback", yellow}})
	}
	if len(points) > 0 {
		out = append(out, row{{"  IRREVERSIBLE ahead: " + list(points, fewHosts), red}})
	}
	return out
}

// failureChoices gives the engine's options their letters and words.
func failureChoices(options []string) []Choice {
	texts := map[string]Choice{
		engine.ActionRetry:    {"r", "", "retry where it failed"},
		engine.ActionSkip:     {"s", "", "skip: it stays failed, a deviation"},
		engine.ActionByHand:   {"h", "", "it was done by hand, a deviation"},
		engine.ActionContinue: {"g", "", "go on: the run will have failed"},
		engine.ActionRollback: {"b", "", "roll back what was changed"},
		engine.ActionAbort:    {"a", "", "abort: clean up, seal, end"},
		engine.ActionLeave:    {"l", "", "leave: held, nothing is cleaned up"},
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

// refused adds why the last answer did not count.
func (d *Desk) refused(sheet []row, why string) []row {
	if why != "" {
		sheet = append(sheet, row{{"  that did not count: ", red}, {Clean(why), plainInk}})
	}
	return sheet
}
