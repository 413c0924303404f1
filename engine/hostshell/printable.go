package hostshell

import (
	"strings"
	"unicode"
)

// printable makes one short line of what a host said, with control characters escaped.
func printable(s string) string {
	const most = 300
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if b.Len() > most {
			b.WriteString("…")
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteRune('\uFFFD')
		}
	}
	return b.String()
}
