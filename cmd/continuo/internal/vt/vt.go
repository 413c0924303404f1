// Package vt is a terminal for tests: what is written to it moves a cursor over a screen, and what leaves the screen at its
// top is kept. A sequence that it does not know is a fault, so that nothing is taken for shown that may not be.
package vt

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Terminal is a screen with a scrollback. Safe for concurrent use.
type Terminal struct {
	// MapNewline has a line feed begin a new line, as a terminal line does that was not put into raw mode. Set before use.
	MapNewline bool

	mu            sync.Mutex
	width, height int
	cells         [][]string
	scrolled      []string
	x, y          int
	last          string
	hidden        bool // the cursor
	modes         map[string]bool
	faults        []string
	rest          string // an unfinished sequence
}

// New gives an empty terminal.
func New(width, height int) *Terminal {
	v := &Terminal{width: width, height: height, modes: map[string]bool{}}
	for range height {
		v.cells = append(v.cells, make([]string, width))
	}
	return v
}

// Write implements io.Writer.
func (v *Terminal) Write(b []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	in := v.rest + string(b)
	v.rest = ""
	for len(in) > 0 {
		switch c := in[0]; {
		case c == '\x1b':
			n := sequence(in)
			if n == 0 {
				v.rest = in
				return len(b), nil
			}
			v.escape(in[:n])
			in = in[n:]
		case c < 0x20 || c == 0x7f:
			v.control(c)
			in = in[1:]
		default:
			if !utf8.FullRuneInString(in) {
				v.rest = in
				return len(b), nil
			}
			g, _, w, _ := uniseg.FirstGraphemeClusterInString(in, -1)
			v.put(g, w)
			in = in[len(g):]
		}
	}
	return len(b), nil
}

// sequence is the length of the escape sequence at the beginning of a text; 0 when it is not finished.
func sequence(in string) int {
	if len(in) < 2 {
		return 0
	}
	switch in[1] {
	case '[':
		for n := 2; n < len(in); n++ {
			if in[n] >= 0x40 && in[n] <= 0x7e {
				return n + 1
			}
		}
		return 0
	case ']', 'P', '_':
		for n := 2; n < len(in); n++ {
			if in[n] == 7 {
				return n + 1
			}
			if strings.HasPrefix(in[n:], "\x1b\\") {
				return n + 2
			}
		}
		return 0
	}
	return 2
}

func (v *Terminal) control(c byte) {
	switch c {
	case '\r':
		v.x = 0
	case '\n':
		if v.MapNewline {
			v.x = 0
		}
		v.down()
	case '\b':
		v.x = max(v.x-1, 0)
	case '\t':
		v.x = min((v.x/8+1)*8, v.width-1)
	default:
		v.faults = append(v.faults, fmt.Sprintf("control %#x", c))
	}
}

func (v *Terminal) down() {
	if v.y < v.height-1 {
		v.y++
		return
	}
	v.scrolled = append(v.scrolled, v.line(0))
	v.cells = append(v.cells[1:], make([]string, v.width))
}

func (v *Terminal) put(g string, w int) {
	if v.x+w > v.width {
		v.x = 0
		v.down()
	}
	v.cells[v.y][v.x] = g
	if w == 2 {
		v.cells[v.y][v.x+1] = "\x00"
	}
	v.last = g
	v.x += w
}

// escape does what a sequence says.
func (v *Terminal) escape(seq string) {
	if seq[1] != '[' {
		switch {
		case seq[1] == 'M' && v.y > 0:
			v.y--
		case seq[1] == ']' || seq[1] == 'P':
		default:
			v.faults = append(v.faults, fmt.Sprintf("escape %q", seq))
		}
		return
	}
	body, final := seq[2:len(seq)-1], seq[len(seq)-1]
	if body != "" && strings.ContainsRune("?><=", rune(body[0])) || strings.ContainsAny(body, "$ ") {
		v.private(body, final)
		return
	}
	var args []int
	for _, a := range strings.Split(body, ";") {
		n, err := strconv.Atoi(a)
		if a != "" && err != nil {
			v.faults = append(v.faults, fmt.Sprintf("arguments %q", seq))
		}
		args = append(args, n)
	}
	if !v.move(final, args) && !v.edit(final, args) && final != 'm' {
		v.faults = append(v.faults, fmt.Sprintf("sequence %q", seq))
	}
}

// move moves the cursor.
func (v *Terminal) move(final byte, args []int) bool {
	n := max(args[0], 1)
	switch final {
	case 'A':
		v.y = max(v.y-n, 0)
	case 'B':
		v.y = min(v.y+n, v.height-1)
	case 'C':
		v.x = min(v.x+n, v.width-1)
	case 'D':
		v.x = max(min(v.x, v.width-1)-n, 0)
	case 'E':
		v.x, v.y = 0, min(v.y+n, v.height-1)
	case 'F':
		v.x, v.y = 0, max(v.y-n, 0)
	case 'G', '`':
		v.x = min(n, v.width) - 1
	case 'd':
		v.y = min(n, v.height) - 1
	case 'H', 'f':
		v.y, v.x = min(n, v.height)-1, 0
		if len(args) > 1 {
			v.x = min(max(args[1], 1), v.width) - 1
		}
	default:
		return false
	}
	return true
}

// edit erases, inserts and deletes.
func (v *Terminal) edit(final byte, args []int) bool {
	n := max(args[0], 1)
	row, x := v.cells[v.y], min(v.x, v.width-1)
	switch final {
	case 'J':
		v.eraseScreen(args[0])
	case 'K':
		v.eraseLine(args[0])
	case 'L':
		for range min(n, v.height-v.y) {
			copy(v.cells[v.y+1:], v.cells[v.y:v.height-1])
			v.cells[v.y] = make([]string, v.width)
		}
	case 'M':
		for range min(n, v.height-v.y) {
			copy(v.cells[v.y:], v.cells[v.y+1:])
			v.cells[v.height-1] = make([]string, v.width)
		}
	case 'P':
		v.cells[v.y] = append(append(row[:x:x], row[min(x+n, v.width):]...), make([]string, min(n, v.width-x))...)
	case '@':
		v.cells[v.y] = append(append(row[:x:x], make([]string, min(n, v.width-x))...), row[x:]...)[:v.width]
	case 'X':
		clear(row[x:min(x+n, v.width)])
	case 'b':
		for range n {
			v.put(v.last, 1)
		}
	default:
		return false
	}
	return true
}

func (v *Terminal) eraseScreen(how int) {
	switch how {
	case 0:
		clear(v.cells[v.y][min(v.x, v.width-1):])
		for n := v.y + 1; n < v.height; n++ {
			v.cells[n] = make([]string, v.width)
		}
	default:
		v.faults = append(v.faults, fmt.Sprintf("erase %d of the screen: the scrollback would be lost", how))
	}
}

func (v *Terminal) eraseLine(how int) {
	x := min(v.x, v.width-1)
	switch how {
	case 0:
		clear(v.cells[v.y][x:])
	case 1:
		clear(v.cells[v.y][:x+1])
	default:
		clear(v.cells[v.y])
	}
}

// private are the modes of terminals: the cursor is kept track of, and what must be off at the end.
func (v *Terminal) private(body string, final byte) {
	switch final {
	case 'h', 'l':
		if body == "?25" {
			v.hidden = final == 'l'
		}
		if body == "?1049" || body == "?47" {
			v.faults = append(v.faults, "the alternate screen")
		}
		v.modes[body] = final == 'h'
	case 'u', 'm', 'p', 'q', 'n', 'c', 'W': // keyboard protocols, queries, the shape of the cursor, tab stops every 8
	default:
		v.faults = append(v.faults, fmt.Sprintf("private %q %c", body, final))
	}
}

func (v *Terminal) line(n int) string {
	var b strings.Builder
	for _, c := range v.cells[n] {
		switch c {
		case "":
			b.WriteByte(' ')
		case "\x00":
		default:
			b.WriteString(c)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Screen is what is seen, line by line.
func (v *Terminal) Screen() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := make([]string, v.height)
	for n := range out {
		out[n] = v.line(n)
	}
	return strings.Join(out, "\n") + "\n"
}

// All is what was written, scrollback and screen, without empty lines at the end.
func (v *Terminal) All() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := append([]string{}, v.scrolled...)
	for n := range v.height {
		out = append(out, v.line(n))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// Faults are the sequences that it does not know, or that lose what was written.
func (v *Terminal) Faults() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string{}, v.faults...)
}

// Restored says what of the terminal's state is not as it was: a hidden cursor, modes that are on. Nil is as it should be.
func (v *Terminal) Restored() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	if v.hidden {
		out = append(out, "the cursor is hidden")
	}
	for m, on := range v.modes {
		if on && m != "?25" {
			out = append(out, "mode "+m+" is on")
		}
	}
	return out
}
