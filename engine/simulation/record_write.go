package simulation

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// writer writes HCL. What it writes is made canonical by package format.
type writer struct {
	bytes.Buffer
	depth int
}

func (w *writer) line(s string) {
	if s == "" {
		fmt.Fprintln(w)
		return
	}
	fmt.Fprintf(w, "%s%s\n", strings.Repeat("  ", w.depth), s)
}

func (w *writer) comment(format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, fmt.Sprintf(format, args...))
	w.line("# " + text)
}

func (w *writer) attr(name, value string) { w.line(name + " = " + value) }

// open begins a block, or an object after "NAME =".
func (w *writer) open(format string, args ...any) {
	w.line(fmt.Sprintf(format, args...) + " {")
	w.depth++
}

func (w *writer) end() {
	w.depth--
	w.line("}")
}

func (w *writer) expect(condition string) {
	w.open("expect")
	w.attr("condition", condition)
	w.end()
}

// quote writes a text as a string of the language, in which nothing is interpolated.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	rs := []rune(s)
	for n, r := range rs {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case (r == '$' || r == '%') && n+1 < len(rs) && rs[n+1] == '{':
			b.WriteRune(r)
			b.WriteRune(r)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quote(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
