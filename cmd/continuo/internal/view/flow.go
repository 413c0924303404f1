package view

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// flow breaks the lines of a text at spaces so that they fit a width; what follows is indented a little more than its line. A
// word that is longer than a line is left as it is.
func flow(text string, width int) string {
	all := strings.Split(text, "\n")
	for n, l := range all {
		if ansi.StringWidth(l) > width {
			all[n] = flowLine(l, width)
		}
	}
	return strings.Join(all, "\n")
}

func flowLine(line string, width int) string {
	body := strings.TrimLeft(line, " ")
	indent := strings.Repeat(" ", min(len(line)-len(body)+2, width/2))
	var b strings.Builder
	b.WriteString(line[:len(line)-len(body)])
	used, fresh := len(line)-len(body), true
	for _, word := range pieces(body) {
		bare := ansi.StringWidth(strings.TrimRight(word, " "))
		if !fresh && used+bare > width {
			b.WriteString("\n" + indent)
			used = len(indent)
		}
		b.WriteString(word)
		used, fresh = used+ansi.StringWidth(word), false
	}
	rows := strings.Split(b.String(), "\n")
	for n := range rows {
		rows[n] = strings.TrimRight(rows[n], " ")
	}
	return strings.Join(rows, "\n")
}
