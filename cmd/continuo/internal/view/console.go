package view

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/continuo-runbooks/continuo/engine"
)

const (
	framesPerSecond = 10 // a redraw at most every 100 ms
	tick            = time.Second
	narrowest       = 40
	shortest        = 12
	// drain is how long the end of the view waits for a terminal that does not take what is written to it.
	drain = 2 * time.Second
)

// Console is the live view: the board and the open questions stay at the bottom of the terminal, and what happened goes to
// the scrollback above. It uses no alternate screen. While it is on, everything that is written to its Screen appears
// above it, and its Asker asks inside it.
//
// Nothing that the run does waits for the terminal: a terminal that is stopped (Ctrl-S, a stalled connection) is written
// to once it goes on. Safe for concurrent use.
type Console struct {
	s       *Screen
	ask     *Asker
	cfg     ConsoleConfig
	program *tea.Program
	kill    context.CancelFunc // ends the program without its last frame
	dismiss func()             // the guard

	mu            sync.Mutex
	board         *Board
	talks         []*talk
	focus         *talk
	note          *prompt // a remark that is being typed
	frames        int     // a second, at most
	width, height int
	tall          []int // rows of the views that may be on the terminal now, the newest last
	pending       []string
	past          []string    // the last lines that were written above
	shrunk        *time.Timer // runs when the terminal has become narrower, until it stays as it is
	torn          bool        // the terminal may have broken the rows of the view
	ended         bool

	drawn chan struct{} // closed when the first frame is on the terminal
	first sync.Once
	dirty chan struct{}
	gone  chan struct{} // closed when the terminal is lost, or the view has ended
	once  sync.Once
	over  chan struct{} // closed when the program has ended
	idle  chan struct{} // closed when nothing more is written above
}

// ConsoleConfig is what a console needs of the outside.
type ConsoleConfig struct {
	Now func() time.Time
	// Environ is the environment: TERM and the like.
	Environ []string
	// Interrupt is called for Ctrl-C; Note with a remark for the journal; Pause to pause and to go on; nil: there is no such key.
	Interrupt func()
	Note      func(text string)
	Pause     func(on bool)
	// Lost is called once if the terminal is gone.
	Lost func()
	// Guard begins to watch over the terminal, so that it is given back also when the process is killed, until dismiss is
	// called; nil: nobody does.
	Guard func() (dismiss func())
	// Leaving is what Ctrl-C does, for the line of keys.
	Leaving string
}

// NewConsole prepares a live view of the board. Nothing is shown before Start.
func NewConsole(a *Asker, b *Board, cfg ConsoleConfig) *Console {
	return &Console{
		s: a.s, ask: a, board: b, cfg: cfg, width: max(a.s.Width(), narrowest), height: 24, frames: framesPerSecond, drawn: make(chan struct{}), dirty: make(chan struct{}, 1),
		gone: make(chan struct{}), over: make(chan struct{}), idle: make(chan struct{}),
	}
}

// Live reports whether a live view can be shown: a person sees the screen, and has a keyboard.
func (a *Asker) Live() bool { return a.Present() && a.console() == nil }

// Start shows the view until Stop.
func (c *Console) Start() {
	out := c.s.w
	if f, ok := out.(*os.File); ok {
		out = &paper{f, c}
	}
	c.start(tea.WithInput(&keyboard{c.ask.tty, c}), tea.WithOutput(out))
}

// guarded has somebody watch over the terminal, before anything about it is changed.
func (c *Console) guarded() {
	c.dismiss = func() {}
	if c.cfg.Guard != nil {
		c.dismiss = sync.OnceFunc(c.cfg.Guard())
	}
}

func (c *Console) start(options ...tea.ProgramOption) {
	options = append(options, tea.WithEnvironment(plainEnviron(c.cfg.Environ)), tea.WithoutSignalHandler(), tea.WithFPS(c.frames))
	ctx, kill := context.WithCancel(context.Background())
	c.kill = kill
	c.program = tea.NewProgram(&consoleModel{c}, append(options, tea.WithContext(ctx))...)
	c.guarded()
	c.s.redirect(c.print)
	c.ask.setConsole(c)
	go func() {
		defer close(c.over)
		defer kill()
		if _, err := c.program.Run(); err != nil {
			c.lost()
		}
	}()
	go c.pump()
}

// plainEnviron is the environment without what asks for no colour: the Screen has decided that already.
func plainEnviron(environ []string) []string {
	out := make([]string, 0, len(environ))
	for _, e := range environ {
		if name, _, _ := strings.Cut(e, "="); name != "NO_COLOR" && name != "CLICOLOR" && name != "CLICOLOR_FORCE" {
			out = append(out, e)
		}
	}
	return out
}

// Stop takes the view off the screen and gives the terminal back as it was. What was written stays. It does nothing to a view
// that was never shown, or is off already.
func (c *Console) Stop() {
	ended := c.program == nil
	c.change(func() {
		ended = ended || c.ended
		c.ended = true
	})
	if ended {
		return
	}
	c.close(nil)
	select {
	case <-c.idle:
	case <-c.over:
	case <-time.After(drain):
	}
	go c.program.Quit()
	select {
	case <-c.over:
	case <-time.After(drain):
		c.kill()
	}
	c.dismiss()
	c.ask.setConsole(nil)
	c.s.redirect(nil)
	for _, text := range c.take(0) {
		c.s.Printf("%s\n", text)
	}
}

// Event shows an event on the board.
func (c *Console) Event(e engine.Event) { c.change(func() { c.board.Event(e) }) }

// Read shows the board to f, which must not keep it.
func (c *Console) Read(f func(*Board)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.board)
}

// Forecast has the board say when the run is expected to end.
func (c *Console) Forecast(f Forecaster) { c.change(func() { c.board.Forecast(f) }) }

// change changes what is shown.
func (c *Console) change(f func()) {
	c.mu.Lock()
	f()
	c.mu.Unlock()
	c.wake()
}

func (c *Console) wake() {
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

// print takes what is written to the Screen.
func (c *Console) print(b []byte) {
	c.change(func() { c.pending = append(c.pending, strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")...) })
}

// pump brings what is written, and what has changed, to the program. It alone waits for the terminal.
func (c *Console) pump() {
	defer close(c.idle)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	select {
	case <-c.drawn: // what is written before the first frame has no place above it
	case <-c.over:
		return
	}
	for {
		select {
		case <-c.over:
			return
		case <-ticker.C:
		case <-c.dirty:
		}
		c.mend()
		for {
			lines := c.take(c.room())
			if len(lines) == 0 {
				break
			}
			c.program.Send(tea.Println(printed + strings.Join(lines, "\n"))()) // in order, as a command would not be
		}
		c.program.Send(refresh{})
		c.mu.Lock()
		ended := c.ended && len(c.pending) == 0
		c.mu.Unlock()
		if ended {
			return
		}
	}
}

// steady is how long a terminal must stay as it is before what a new width has done to it is mended.
const steady = 200 * time.Millisecond

// resized takes the size of the terminal. The caller holds the lock.
func (c *Console) resized(width, height int) {
	if width < c.width && len(c.tall) > 0 { // its rows may be broken now, and where they are nobody knows
		if c.shrunk != nil {
			c.shrunk.Stop()
		}
		c.shrunk = time.AfterFunc(steady, func() { c.change(func() { c.torn = true }) })
	}
	c.width, c.height = max(width, 1), max(height, 1)
}

// mend clears a terminal that has become narrower: what it shows goes to the scrollback, the view is drawn anew, and above it
// the lines that were written last.
func (c *Console) mend() {
	c.mu.Lock()
	torn := c.torn && !c.ended
	c.torn = false
	height := c.height
	if torn {
		c.pending = append(c.past[max(0, len(c.past)-height):len(c.past):len(c.past)], c.pending...)
		c.past = nil
	}
	c.mu.Unlock()
	if torn {
		c.program.Send(tea.Println(printed + fmt.Sprintf("\x1b[%d;1H", height) + strings.Repeat("\n", height) + "\x1b[H")())
		c.program.Send(tea.ClearScreen())
	}
}

// room is how many rows can be written above at once without pushing the view off the screen, whichever of the views that
// were made lately is on it.
func (c *Console) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.height-max(slices.Max(append(c.tall, 0)), len(c.layout().rows))-1, 1)
}

// pastLines are the lines that are kept for a terminal that becomes narrower.
const pastLines = 200

// take takes the next lines to be written above, broken to the width so that each is one row; most 0: all.
func (c *Console) take(most int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for len(c.pending) > 0 && (most == 0 || len(out) < most) {
		rows := strings.Split(wrapped(c.pending[0], c.width), "\n")
		if c.ended && most == 0 {
			rows = []string{c.pending[0]}
		}
		if most > 0 && len(out)+len(rows) > most {
			if len(out) == 0 { // one line that is longer than there is room
				out, c.pending[0] = rows[:most], strings.Join(rows[most:], "\n")
			}
			return out
		}
		c.past = append(c.past, c.pending[0])
		out, c.pending = append(out, rows...), c.pending[1:]
	}
	c.past = c.past[max(0, len(c.past)-pastLines):]
	return out
}

// wrapped breaks a line to less than the width: after the last column a terminal waits at it, and what is erased to the end
// of the line would take the last character with it.
func wrapped(line string, width int) string { return ansi.Wrap(line, max(width-1, 1), "") }

// open shows a conversation; the first one open is the one that is answered. What is too long for the view is written above
// it, too.
func (c *Console) open(sheet []row) *talk {
	t := &talk{c: c, sheet: sheet, about: about(sheet)}
	whole := true
	c.change(func() {
		c.talks = append(c.talks, t)
		if c.focus == nil || t.urgent(c.focus) {
			c.focus = t
		}
		c.asks()
		_, _, whole = t.rows(c.width, c.talkRoom())
	})
	for _, r := range sheet {
		if !whole {
			c.s.Printf("%s\n", r.text(c.s))
		}
	}
	return t
}

// close ends a conversation.
func (c *Console) close(t *talk) {
	c.change(func() {
		for n, o := range c.talks {
			if o == t {
				c.talks = append(c.talks[:n:n], c.talks[n+1:]...)
				break
			}
		}
		if c.focus == t {
			c.focus = nil
			if len(c.talks) > 0 {
				c.focus = c.talks[0]
			}
		}
		c.asks()
	})
}

// asks tells the board what is asked that no item of people is about. The caller holds the lock.
func (c *Console) asks() {
	c.board.asks = nil
	for _, t := range c.talks {
		if t.about != "" {
			c.board.asks = append(c.board.asks, t.about)
		}
	}
}

// lose ends every question: nobody is there any more.
func (c *Console) lose() {
	c.change(func() { c.ended = true })
	c.once.Do(func() { close(c.gone) })
	c.kill()
	c.dismiss()
}

// lost says that the terminal is gone.
func (c *Console) lost() {
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	if !ended && c.cfg.Lost != nil {
		c.cfg.Lost()
	}
}

// paper is the terminal's output; it tells when the first frame is there.
type paper struct {
	*os.File
	c *Console
}

// Write implements io.Writer.
func (p *paper) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	p.c.frame(b)
	return n, err
}

// printed marks what is written above the view, so that it is not taken for a frame. To a terminal it says nothing.
const printed = "\x1b[;m"

// frame looks at what was written to the terminal: the first frame, which begins with a rule, and that one of the last two
// views is on it now.
func (c *Console) frame(b []byte) {
	if bytes.Contains(b, []byte(printed)) {
		return
	}
	if bytes.Contains(b, []byte(ruleRune)) {
		c.first.Do(func() { close(c.drawn) })
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tall = c.tall[max(0, len(c.tall)-2):]
}

// keyboard is the terminal's input; its end is the end of the terminal.
type keyboard struct {
	*os.File
	c *Console
}

// Read implements io.Reader.
func (k *keyboard) Read(b []byte) (int, error) {
	n, err := k.File.Read(b)
	if err != nil {
		k.c.lost()
	}
	return n, err
}
