package view

import (
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// mostTyped bounds what a person can type into one line, in characters.
const mostTyped = 4096

// editor is one line that is typed.
type editor struct {
	text []rune
	at   int // the cursor is before this character
}

// insert puts text at the cursor. Line ends and what else has no shape become spaces or nothing: pasted text is one line.
func (e *editor) insert(text string) {
	for _, r := range text {
		switch {
		case len(e.text) >= mostTyped:
			return
		case r == '\n' || r == '\t':
			r = ' '
		case hidden(r):
			continue
		}
		e.text = slices.Insert(e.text, e.at, r)
		e.at++
	}
}

// key does what a key does in a line, and reports whether it is one of the editor's.
func (e *editor) key(name string) bool {
	switch name {
	case "left", "ctrl+b":
		e.at = max(e.at-1, 0)
	case "right", "ctrl+f":
		e.at = min(e.at+1, len(e.text))
	case "home", "ctrl+a":
		e.at = 0
	case "end", "ctrl+e":
		e.at = len(e.text)
	case "backspace", "ctrl+h":
		if e.at > 0 {
			e.at--
			e.text = slices.Delete(e.text, e.at, e.at+1)
		}
	case "delete", "ctrl+d":
		if e.at < len(e.text) {
			e.text = slices.Delete(e.text, e.at, e.at+1)
		}
	case "ctrl+u":
		e.text, e.at = slices.Delete(e.text, 0, e.at), 0
	case "ctrl+k":
		e.text = e.text[:e.at]
	case "ctrl+w":
		n := e.at
		for n > 0 && e.text[n-1] == ' ' {
			n--
		}
		for n > 0 && e.text[n-1] != ' ' {
			n--
		}
		e.text, e.at = slices.Delete(e.text, n, e.at), n
	default:
		return false
	}
	return true
}

func (e *editor) value() string { return strings.TrimSpace(string(e.text)) }

// show is what fits into width columns around the cursor, and the cursor's column in it. Hidden text shows its length only.
func (e *editor) show(width int, secret bool) (string, int) {
	text := slices.Clone(e.text)
	if secret {
		for n := range text {
			text[n] = '*'
		}
	}
	from := 0
	for uniseg.StringWidth(string(text[from:e.at])) >= max(width, 1) {
		from++
	}
	before := uniseg.StringWidth(string(text[from:e.at]))
	shown := string(text[from:])
	if uniseg.StringWidth(shown) > width {
		shown, _ = splitAt(shown, max(width, 1))
	}
	return shown, before
}
