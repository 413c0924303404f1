package diag

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Width is how many columns of a terminal the text takes.
func Width(s string) int { return uniseg.StringWidth(s) }

// snippet is one source line and the bytes of it that are meant.
type snippet struct {
	text        string
	start, end  int
	left, right bool // something was cut off there already
}

// maxReach is how many bytes of a line are looked at before and after the place.
const maxReach = 4096

// cut finds the line of a range by its number and byte offset. Where the two do not agree, because the source is another
// one by now, the line alone is shown and nothing is pointed at wrongly.
func cut(src []byte, r Range) (snippet, bool) {
	begin := 0
	for n := 1; n < r.Start.Line; n++ {
		i := bytes.IndexByte(src[begin:], '\n')
		if i < 0 {
			return snippet{}, false
		}
		begin += i + 1
	}
	if begin > len(src) || len(src) == 0 {
		return snippet{}, false
	}
	end := len(src)
	if i := bytes.IndexByte(src[begin:], '\n'); i >= 0 {
		end = begin + i
	}
	line := strings.TrimSuffix(string(src[begin:end]), "\r")
	s := snippet{text: line, start: r.Start.Byte - begin, end: r.End.Byte - begin}
	if s.start < 0 || s.start > len(line) {
		s.start, s.end = byteOfColumn(line, min(r.Start.Column, maxReach)), 0
	}
	if r.End.Line > r.Start.Line || s.end > len(line) {
		s.end = len(strings.TrimRight(line, " \t"))
	}
	s.end = max(s.end, s.start)
	return s.near(), true
}

// near drops what is so far away that no window shows it.
func (s snippet) near() snippet {
	low, high := max(0, s.start-maxReach), min(len(s.text), s.start+maxReach)
	for low > 0 && !utf8.RuneStart(s.text[low]) {
		low--
	}
	for high < len(s.text) && !utf8.RuneStart(s.text[high]) {
		high++
	}
	return snippet{
		text: s.text[low:high], start: s.start - low, end: min(s.end, high) - low,
		left: s.left || low > 0, right: s.right || high < len(s.text),
	}
}

// byteOfColumn is where the grapheme cluster of that number begins.
func byteOfColumn(line string, column int) int {
	at, state := 0, -1
	for rest := line; column > 1 && rest != ""; column-- {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		at += len(cluster)
	}
	return at
}

// glyph is one grapheme cluster as it is shown.
type glyph struct {
	shown string
	width int
	at    int // byte in the source line
}

// layout expands tabs, escapes, and takes the window of the line that holds the place. It gives the text, the column of
// the first caret and how many there are.
func (s snippet) layout(room int) (text string, caret, carets int) {
	glyphs := s.glyphs()
	first, total := 0, 0
	for _, g := range glyphs {
		if g.at < s.start {
			first += g.width
		}
		if g.at >= s.start && g.at < s.end {
			carets += g.width
		}
		total += g.width
	}
	carets = max(carets, 1)
	if s.left || s.right {
		room -= 2
	}
	low, high := window(first, carets, total, room)
	var b strings.Builder
	column := 0
	for _, g := range glyphs {
		if column >= low && column+g.width <= high {
			b.WriteString(g.shown)
		}
		column += g.width
	}
	text = b.String()
	caret = first - low
	if low > 0 || s.left {
		text, caret = "…"+text, caret+1
	}
	if high < total || s.right {
		text += "…"
	}
	return strings.TrimRight(text, " "), max(caret, 0), min(carets, max(high-first, 1))
}

// window says which columns of a long line are shown: a little before the place, and what fits after it.
func window(first, carets, total, room int) (low, high int) {
	if total <= room {
		return 0, total
	}
	room -= 2 // for the marks of what is left out
	low = max(0, first-max((room-carets)/2, min(room/4, 20)))
	high = min(total, low+room)
	return max(0, min(low, high-room)), high
}

func (s snippet) glyphs() []glyph {
	var out []glyph
	column, at, state := 0, 0, -1
	for rest := s.text; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		shown := cluster
		switch {
		case cluster == "\t":
			width = tabWidth - column%tabWidth
			shown = strings.Repeat(" ", width)
		case Escape(cluster) != cluster || !utf8.ValidString(cluster):
			shown = Escape(cluster)
			width = Width(shown)
		}
		out = append(out, glyph{shown: shown, width: width, at: at})
		column += width
		at += len(cluster)
	}
	return out
}
