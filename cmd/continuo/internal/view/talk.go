package view

import (
	"context"

	"github.com/continuo-runbooks/continuo/engine"
)

// talk is a conversation inside the live view. Its fields are guarded by the console's lock.
type talk struct {
	c     *Console
	sheet []row
	said  []row // what came of answers so far, shown below the sheet
	ask   *prompt
}

// prompt is a question that waits for its answer.
type prompt struct {
	text    string
	choices []Choice // nil: a line is typed
	secret  bool
	edit    editor
	wrong   string // what was typed and is no answer
	answer  chan typed
}

// say adds a row below the sheet.
func (t *talk) say(r row) {
	t.c.change(func() { t.said = append(t.said, r) })
}

func (t *talk) line(ctx context.Context, text string, secret bool) (string, error) {
	return t.put(ctx, &prompt{text: text, secret: secret})
}

func (t *talk) choose(ctx context.Context, text string, choices []Choice) (string, error) {
	return t.put(ctx, &prompt{text: text, choices: choices})
}

// put asks and waits for the answer, for the end of the context, or for the end of the terminal.
func (t *talk) put(ctx context.Context, p *prompt) (string, error) {
	p.answer = make(chan typed, 1)
	t.c.change(func() { t.ask = p })
	defer t.c.change(func() { t.ask = nil })
	select {
	case got := <-p.answer:
		return got.text, got.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-t.c.gone:
		return "", engine.ErrNobody
	}
}

// enter takes what was typed as the answer, if it is one.
func (p *prompt) enter() {
	got := p.edit.value()
	if p.choices != nil {
		c, ok := pick(p.choices, got)
		if !ok {
			p.wrong = got
			p.edit = editor{}
			return
		}
		got = c.Value
	}
	select {
	case p.answer <- typed{text: got}:
	default: // answered already; Enter was pressed twice
	}
}

// rows are the conversation in at most room rows: title, text, choices and the line that is typed. whole is false when the
// text did not fit. The cursor is where the next character goes.
func (t *talk) rows(s *Screen, width, room int) (out []row, cursor [2]int, whole bool) {
	var body, foot []row
	for n, r := range t.sheet {
		indent := 2
		if n == 0 {
			indent = 0
		}
		body = append(body, r.wrap(width, indent)...)
	}
	for _, r := range t.said {
		body = append(body, r.wrap(width, 2)...)
	}
	at := [2]int{-1, -1}
	if p := t.ask; p != nil {
		for _, c := range p.choices {
			r := row{{" " + c.Key, bold}, {"  " + c.Text, plainInk}}
			if got, ok := pick(p.choices, p.edit.value()); ok && got.Key == c.Key {
				r = row{{">" + c.Key + "  " + c.Text, cyan}}
			}
			foot = append(foot, r.fit(width))
		}
		if p.wrong != "" {
			foot = append(foot, row{{"\"" + Clean(p.wrong) + "\" is none of them.", yellow}}.fit(width))
		}
		asked := row{{p.text + " ", bold}}.wrap(width-min(12, width/3), 2)
		last := asked[len(asked)-1]
		text, col := p.edit.show(width-last.width()-1, p.secret)
		at = [2]int{last.width() + col, len(asked) - 1 + len(foot)}
		asked[len(asked)-1] = append(last, cell{text: text})
		foot = append(foot, asked...)
	}
	whole = true
	if most := room - len(foot); len(body) > max(most, 1) {
		whole = false
		keep := max(most-1, 1)
		body = append(body[:keep:keep], row{{"  … (all of it is above)", dim}})
		if most < 2 {
			body = body[:1]
		}
	}
	if at[0] >= 0 {
		at[1] += len(body)
	}
	return append(body, foot...), at, whole
}
