package view

import (
	"context"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// talk is a conversation inside the live view. Its fields are guarded by the console's lock.
type talk struct {
	c     *Console
	sheet []row
	about string // the item, when it is asked about what became of it; people's own items say themselves that they wait
	said  []row  // what came of answers so far, shown below the sheet
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

// about is the item of a heading that tells how one has failed.
func about(sheet []row) string {
	if len(sheet) == 0 || len(sheet[0]) < 2 || sheet[0][0].ink != red {
		return ""
	}
	return strings.TrimSpace(sheet[0][1].text)
}

// urgent reports whether a conversation comes before the one that is in view: one about a failure, while nothing is typed
// yet; one about an interrupt always, for who leads the run has just asked for it.
func (t *talk) urgent(shown *talk) bool {
	if len(t.sheet) > 0 && t.sheet[0][0].text == interruptedWord {
		return true
	}
	p := shown.ask
	return t.about != "" && shown.about == "" && (p == nil || p.choices != nil && len(p.edit.text) == 0)
}

// say adds a row below the sheet.
func (t *talk) say(r row) {
	t.c.change(func() { t.said = append(t.said, r) })
}

// unsay takes back what was said.
func (t *talk) unsay() { t.c.change(func() { t.said = nil }) }

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
// text does not fit; then the choices take as few rows as they can. The cursor is where the next character goes.
func (t *talk) rows(width, room int) (out []row, cursor [2]int, whole bool) {
	var body []row
	for n, r := range t.sheet {
		body = append(body, r.wrap(width, 2*min(n, 1))...)
	}
	var said []row
	for _, r := range t.said {
		said = append(said, r.wrap(width, 4)...)
	}
	cursor = [2]int{-1, -1}
	var foot []row
	if t.ask != nil {
		if foot, cursor = t.ask.rows(width, false); len(body)+len(said)+len(foot) > room {
			foot, cursor = t.ask.rows(width, true)
		}
	}
	most := max(room-len(foot), 1)
	said = said[:min(len(said), max(most-2, 0))] // of the sheet its heading stays
	most -= len(said)
	if whole = len(body) <= most; !whole {
		body = body[:max(most-1, 1)]
		if most > 1 {
			body = append(body[:len(body):len(body)], row{{"  … (all of it is above)", dim}})
		}
	}
	body = append(body[:len(body):len(body)], said...)
	if cursor[0] >= 0 {
		cursor[1] += len(body)
	}
	return append(body, foot...), cursor, whole
}

// rows are the choices and the line that is typed.
func (p *prompt) rows(width int, short bool) (out []row, cursor [2]int) {
	out = p.choiceRows(width, short)
	if p.wrong != "" {
		out = append(out, row{{"\"" + Clean(p.wrong) + "\" is none of them.", yellow}}.fit(width))
	}
	asked := row{{p.text + " ", bold}}.wrap(width-min(12, width/3), 2)
	last := asked[len(asked)-1]
	text, col := p.edit.show(width-last.width()-1, p.secret)
	cursor = [2]int{last.width() + col, len(out) + len(asked) - 1}
	asked[len(asked)-1] = append(last, cell{text: text})
	return append(out, asked...), cursor
}

func (p *prompt) choiceRows(width int, short bool) []row {
	got, typed := pick(p.choices, p.edit.value())
	var out []row
	line := row{}
	for n, c := range p.choices {
		picked := typed && got.Key == c.Key
		switch {
		case short:
			i, mark := plainInk, ""
			if picked {
				i, mark = cyan, ">"
			}
			if n > 0 {
				line = append(line, cell{"· ", dim})
			}
			line = append(line, cell{mark + c.Key, bold}, cell{" " + Clean(c.Value) + " ", i})
		case picked:
			out = append(out, row{{">" + c.Key + "  " + c.Text, cyan}}.fit(width))
		default:
			out = append(out, row{{" " + c.Key, bold}, {"  " + c.Text, plainInk}}.fit(width))
		}
	}
	if short && len(p.choices) > 0 {
		return line.wrap(width, 0)
	}
	return out
}
