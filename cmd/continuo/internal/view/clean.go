package view

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapes are the terminal sequences: CSI, OSC and the string kinds up to their end, and two-byte ones.
const escapes = `\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])`

// Clean makes one line of text from outside safe to show: terminal sequences go, and what could move the cursor or turn
// the reading direction (control and bidi characters, line ends included) is shown as its code point.
func Clean(s string) string { return clean(s, false) }

// CleanText is Clean for text of several lines: line ends and tabs stay.
func CleanText(s string) string { return clean(s, true) }

func clean(s string, multiline bool) string {
	if plain(s, multiline) {
		return s
	}
	s = regexp.MustCompile(escapes).ReplaceAllString(s, "")
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString("\\x" + hex(uint32(s[0]), 2))
		case multiline && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(" ")
		case r == '\t':
			b.WriteString(" ")
		case hidden(r):
			b.WriteString("\\u" + hex(uint32(r), 4))
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// plain reports whether a text needs no cleaning: the common case, without an allocation.
func plain(s string, multiline bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if hidden(r) && (!multiline || r != '\n' && r != '\t') {
			return false
		}
	}
	return true
}

// hidden reports whether a character has no shape of its own: controls, and the format characters that reorder or hide.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}

func hex(v uint32, width int) string {
	const digits = "0123456789abcdef"
	out := ""
	for v > 0 || len(out) < width {
		out = string(digits[v&15]) + out
		v >>= 4
	}
	return out
}

// shorten cuts a text to a number of characters, with an ellipsis; 0 never cuts.
func shorten(s string, width int) string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	r := []rune(s)
	return string(r[:max(width-1, 0)]) + "…"
}
