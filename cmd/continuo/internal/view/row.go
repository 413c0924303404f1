package view

import (
	"strings"

	"github.com/rivo/uniseg"
)

// row is one line of the live view: its parts, each with its ink.
type row []cell

// say is a row of plain text.
func say(text string) row { return row{{text: text}} }

func (r row) width() int {
	n := 0
	for _, c := range r {
		n += uniseg.StringWidth(c.text)
	}
	return n
}

// fit cuts a row to a number of columns; what was cut shows as an ellipsis. No width never cuts.
func (r row) fit(width int) row {
	if width <= 0 || r.width() <= width {
		return r
	}
	out, left := row{}, width-1
	for _, c := range r {
		if left <= 0 {
			break
		}
		head, rest := splitAt(c.text, left)
		out = append(out, cell{head, c.ink})
		if rest != "" {
			break
		}
		left -= uniseg.StringWidth(head)
	}
	return append(out, cell{"…", plainInk})
}

// wrap breaks a row into rows of at most width columns, at spaces where there are any. What follows the first is indented.
func (r row) wrap(width, indent int) []row {
	if width <= 0 || r.width() <= width {
		return []row{r}
	}
	indent = min(indent, width/2)
	var out []row
	line, used := row{}, 0
	flush := func() {
		if n := len(line) - 1; n >= 0 {
			line[n].text = strings.TrimRight(line[n].text, " ")
		}
		out = append(out, line)
		line, used = row{{text: strings.Repeat(" ", indent)}}, indent
	}
	for _, c := range r {
		for _, word := range pieces(c.text) {
			w := uniseg.StringWidth(word)
			if used+uniseg.StringWidth(strings.TrimRight(word, " ")) > width && used > indent {
				flush()
				word = strings.TrimLeft(word, " ")
				w = uniseg.StringWidth(word)
			}
			for used+uniseg.StringWidth(strings.TrimRight(word, " ")) > width {
				var head string
				head, word = splitAt(word, width-used)
				line = append(line, cell{head, c.ink})
				flush()
				w = uniseg.StringWidth(word)
			}
			line, used = append(line, cell{word, c.ink}), used+w
		}
	}
	if used > indent || len(out) == 0 {
		out = append(out, line)
	}
	return out
}

// pieces are the words of a text, each with the spaces after it.
func pieces(text string) []string {
	var out []string
	for len(text) > 0 {
		n := strings.IndexByte(text, ' ')
		if n < 0 {
			return append(out, text)
		}
		for n < len(text) && text[n] == ' ' {
			n++
		}
		out, text = append(out, text[:n]), text[n:]
	}
	return out
}

// splitAt divides a text after as many columns, never inside a character. At least one character is taken.
func splitAt(text string, width int) (head, rest string) {
	used, at := 0, 0
	g := uniseg.NewGraphemes(text)
	for g.Next() {
		w := g.Width()
		if used+w > width && at > 0 {
			break
		}
		_, at = g.Positions()
		used += w
	}
	return text[:at], text[at:]
}

// text is the row as the screen prints it, without spaces at its end.
func (r row) text(s *Screen) string {
	var b strings.Builder
	for n, c := range r {
		t := c.text
		if n == len(r)-1 {
			t = strings.TrimRight(t, " ")
		}
		b.WriteString(s.paint(c.ink, t))
	}
	return b.String()
}
