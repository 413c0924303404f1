package diag

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Role says what a piece of rendered text is, so that a terminal may colour it. Colour is never the only signal.
type Role uint8

// The roles.
const (
	RoleError   Role = iota + 1 // the word error and its code
	RoleWarning                 // the word warning and its code
	RoleSummary
	RolePlace  // --> file:line:column
	RoleGutter // line numbers and bars
	RoleCaret
	RoleHint // the word hint
)

// Text renders diagnostics for people.
type Text struct {
	// Source gives the content of a file, or nil when it is not at hand: then the place is named and no line shown.
	Source func(file string) []byte
	// Hidden reports files whose lines are never shown, such as those that hold values of variables. Nil: none.
	Hidden func(file string) bool
	// Style colours a piece; nil: plain. It must not change the width.
	Style func(role Role, text string) string
	// Width is how many columns there are; 0: 100. Longer source lines are shown in part, around the place.
	Width int
	// Max is how many are shown; 0: 20. The rest is counted.
	Max int
}

// The defaults of Text.
const (
	defaultWidth = 100
	defaultMax   = 20
	tabWidth     = 4
)

// Write renders the list, sorted and without repetitions. The error is the writer's.
func (t Text) Write(w io.Writer, l List) error {
	var b strings.Builder
	l = l.Sorted()
	most := t.Max
	if most <= 0 {
		most = defaultMax
	}
	for i, d := range l {
		if i == most {
			fmt.Fprintf(&b, "\n… and %s\n", more(l[i:]))
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		t.one(&b, d)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// more counts what is not shown, errors first, so that nobody takes many warnings for the rest of the errors.
func more(l List) string {
	errors := 0
	for _, d := range l {
		if d.Severity == Error {
			errors++
		}
	}
	switch {
	case errors == 0 || errors == len(l):
		return fmt.Sprintf("%d more", len(l))
	case errors == 1:
		return fmt.Sprintf("%d more, 1 error among them", len(l))
	}
	return fmt.Sprintf("%d more, %d errors among them", len(l), errors)
}

func (t Text) style(role Role, s string) string {
	if t.Style == nil || s == "" {
		return s
	}
	return t.Style(role, s)
}

func (t Text) one(b *strings.Builder, d Diagnostic) {
	head := d.Severity.String()
	if d.Code != "" {
		head += "[" + d.Code + "]"
	}
	role := RoleError
	if d.Severity == Warning {
		role = RoleWarning
	}
	fmt.Fprintf(b, "%s: %s\n", t.style(role, head), t.style(RoleSummary, Escape(clip(d.Summary))))
	gutter := len(strconv.Itoa(d.Range.Start.Line))
	for _, r := range d.Related {
		gutter = max(gutter, len(strconv.Itoa(r.Range.Start.Line)))
	}
	in := ""
	if d.Context != "" {
		in = ", in " + Escape(clip(d.Context))
	}
	t.place(b, "-->", d.Range, in, gutter)
	for _, r := range d.Related {
		t.place(b, ":::", r.Range, ": "+Escape(clip(r.Message)), gutter)
	}
	t.paragraph(b, "", d.Detail)
	t.paragraph(b, "hint: ", d.Hint)
}

// place names a place and shows its line.
func (t Text) place(b *strings.Builder, arrow string, r Range, after string, gutter int) {
	if r.Zero() {
		return
	}
	at := Escape(clip(r.File))
	if r.Start.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", at, r.Start.Line, r.Start.Column)
	}
	fmt.Fprintf(b, "  %s %s%s\n", t.style(RolePlace, arrow), at, after)
	if t.Source == nil || t.Hidden != nil && t.Hidden(r.File) || r.Start.Line < 1 {
		return
	}
	line, ok := cut(t.Source(r.File), r)
	if !ok {
		return
	}
	text, caret, carets := line.layout(t.room(gutter))
	number := fmt.Sprintf("%*d", gutter, r.Start.Line)
	fmt.Fprintf(b, "   %s%s\n", t.style(RoleGutter, number+" |"), strings.TrimRight(" "+text, " "))
	fmt.Fprintf(b, "   %s %s%s\n", t.style(RoleGutter, strings.Repeat(" ", gutter)+" |"), strings.Repeat(" ", caret),
		t.style(RoleCaret, strings.Repeat("^", carets)))
}

func (t Text) width() int {
	if t.Width <= 0 {
		return defaultWidth
	}
	return max(t.Width, 30)
}

// room is how many columns a source line has.
func (t Text) room(gutter int) int { return t.width() - gutter - len("    | ") }

// paragraph wraps a text, behind its word. Lines that the text has itself stay.
func (t Text) paragraph(b *strings.Builder, word, text string) {
	if text == "" {
		return
	}
	indent := "   " + strings.Repeat(" ", len(word))
	first := true
	for line := range strings.SplitSeq(strings.TrimRight(clip(text), "\n"), "\n") {
		for _, part := range wrap(Escape(line), t.width()-len(indent)) {
			if first {
				fmt.Fprintf(b, "   %s%s\n", t.style(RoleHint, word), part)
			} else {
				fmt.Fprintf(b, "%s%s\n", indent, part)
			}
			first = false
		}
	}
}

// maxMessage bounds each text of a diagnostic, in bytes: nobody reads more, and it may quote a hostile file.
const maxMessage = 4000

func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}

// wrap breaks at spaces; a longer word has a line of its own, so that it can be copied.
func wrap(s string, width int) []string {
	var out []string
	line, used := "", 0
	for word := range strings.SplitSeq(s, " ") {
		n := Width(word)
		if line != "" && used+1+n > width {
			out = append(out, strings.TrimRight(line, " "))
			line, used = word, n
			continue
		}
		if line != "" || used > 0 {
			line += " "
			used++
		}
		line += word
		used += n
	}
	return append(out, strings.TrimRight(line, " "))
}
