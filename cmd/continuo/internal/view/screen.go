// Package view is everything that people and machines see: text, tables, progress, questions, and JSON documents. It is
// the only package with colour and terminals.
//
// The rules of the output:
//
//   - stdout carries data: what was asked for, or one JSON document. Progress, questions, diagnostics, errors and logs go
//     to stderr, so that a pipe gets nothing else.
//   - An error is one line, lower case: what, and which. A hint line says what to do. Neither ends with a full stop.
//   - Colour is decoration. Whatever it says, a word says too.
//   - A dry-run and a live run are never to be confused: every line of progress bears LIVE or DRY RUN in words.
//   - Text that came from a host or a file never reaches a terminal raw: see Clean.
//   - Nothing is asked unless both stdin and stderr are terminals.
package view

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Options is what the outside says about how to print.
type Options struct {
	Color   string // auto, always, never
	NoColor bool   // NO_COLOR is set
	Dumb    bool   // TERM=dumb
	CI      bool   // CI is set: no terminal, whatever it looks like
	Columns string // COLUMNS, for who pipes to a pager
	// Zone is where wall times are shown; nil is the system's.
	Zone *time.Location
}

// Screen is one output stream. It is safe for concurrent use; one call is never torn by another.
type Screen struct {
	mu       sync.Mutex
	w        io.Writer
	color    bool
	terminal bool
	size     func() int // of the terminal, 0 where it does not say; nil: none
	columns  int
	zone     *time.Location
	prompt   string       // of the question that is open; what is printed meanwhile comes above it
	above    func([]byte) // takes what is written while there is a live view
	failed   error
}

// NewScreen looks at what is behind a stream.
func NewScreen(w io.Writer, opt Options) *Screen {
	s := &Screen{w: w, terminal: isTerminal(w) && !opt.CI && !opt.Dumb, zone: opt.Zone}
	if s.zone == nil {
		s.zone = time.Local
	}
	switch opt.Color {
	case "always":
		s.color = true
	case "never":
	default:
		s.color = s.terminal && !opt.NoColor
	}
	s.columns, _ = strconv.Atoi(opt.Columns)
	if f, ok := w.(*os.File); ok && s.terminal {
		s.size = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0
			}
			return width
		}
	}
	return s
}

// Terminal reports whether a person looks at the stream as it is written.
func (s *Screen) Terminal() bool { return s.terminal }

// Width is the number of columns as it is now; 0 where nothing limits it.
func (s *Screen) Width() int {
	if s.size != nil {
		if width := s.size(); width > 0 {
			return width
		}
	}
	return s.columns
}

// Err is the first error that writing met, so that a full disk or a closed pipe does not go unnoticed.
func (s *Screen) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Printf writes text as it is. Arguments that come from outside go through Clean first.
func (s *Screen) Printf(format string, args ...any) {
	_ = s.write([]byte(fmt.Sprintf(format, args...))) // kept in failed
}

// para writes lines as Printf does. On a terminal that is narrower they are broken at spaces, and what follows is indented; a
// path that is longer than a line stays whole, so that it can be copied.
func (s *Screen) para(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if width := s.Width(); s.terminal && width > 0 {
		text = flow(text, width)
	}
	s.Printf("%s", text)
}

// Write makes a Screen an io.Writer for whole documents.
func (s *Screen) Write(b []byte) (int, error) {
	if err := s.write(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (s *Screen) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prompt != "" && len(b) > 0 {
		b = append(append([]byte(clearLine), b...), s.prompt...)
	}
	return s.put(b)
}

// clearLine goes to the beginning of the line and empties it. A question is only ever asked at a terminal.
const clearLine = "\r\x1b[K"

// ask shows the prompt of a question; it stays the last line until answered.
func (s *Screen) ask(prompt string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompt = prompt
	_ = s.put([]byte(prompt)) // kept in failed
}

// answered ends the question that is open.
func (s *Screen) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompt = ""
}

// redirect has f take what is written, until it is called with nil.
func (s *Screen) redirect(f func([]byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.above = f
}

// lose writes to nobody from now on: the terminal was closed.
func (s *Screen) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w, s.above, s.prompt = io.Discard, nil, ""
}

// put writes with the lock held.
func (s *Screen) put(b []byte) error {
	if s.above != nil {
		s.above(b)
		return nil
	}
	_, err := s.w.Write(b)
	if err != nil && s.failed == nil {
		s.failed = err
	}
	return err
}

// Error prints an error and its hint.
func (s *Screen) Error(err error, hint string) {
	s.Printf("%s %s\n", s.paint(red, "error:"), CleanText(err.Error()))
	if hint != "" {
		s.Printf("  %s %s\n", s.paint(cyan, "hint:"), CleanText(hint))
	}
}

// Warn prints a warning and its hint.
func (s *Screen) Warn(text, hint string) {
	s.Printf("%s %s\n", s.paint(yellow, "warning:"), CleanText(text))
	if hint != "" {
		s.Printf("  %s %s\n", s.paint(cyan, "hint:"), CleanText(hint))
	}
}

// ink is a colour or weight of the terminal's own palette.
type ink string

const (
	bold     ink = "1"
	plainInk ink = ""
	dim      ink = "2"
	red      ink = "1;31"
	green    ink = "32"
	yellow   ink = "33"
	cyan     ink = "36"
	alert    ink = "1;37;41" // white on red: LIVE
)

func (s *Screen) paint(i ink, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + string(i) + "m" + text + "\x1b[0m"
}

// lines splits text at line ends; an empty text has none.
func lines(text string) []string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
