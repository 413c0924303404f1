package view

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/continuo-runbooks/continuo/engine"
)

// Asker asks a person at the terminal. Questions go to stderr, or are asked inside the live view while there is one.
type Asker struct {
	s    *Screen
	in   *bufio.Reader
	tty  *os.File      // nil: nobody is there
	turn chan struct{} // held by the talk that is on, where there is no live view
	left chan typed    // a read that a cancelled question left behind

	mu   sync.Mutex
	live *Console // nil: lines
	lost bool     // the terminal was closed
}

type typed struct {
	text string
	err  error
}

// NewAsker looks whether a person is there: stdin and the screen must both be terminals. never: --no-input.
func NewAsker(in io.Reader, s *Screen, never bool) *Asker {
	a := &Asker{s: s, in: bufio.NewReader(in), turn: make(chan struct{}, 1)}
	if f, ok := in.(*os.File); ok && !never && isTerminal(in) && s.Terminal() {
		a.tty = f
	}
	return a
}

// Present reports whether there is a person to ask.
func (a *Asker) Present() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tty != nil && !a.lost
}

// Lose says that the terminal was closed: nobody is there any more, and nothing is written to it. Questions that are open
// end with engine.ErrNobody.
func (a *Asker) Lose() {
	a.mu.Lock()
	live := a.live
	a.lost = true
	a.mu.Unlock()
	if a.s.Terminal() { // a file that takes the lines is still there
		a.s.lose()
	}
	if live != nil {
		live.lose()
	}
}

func (a *Asker) console() *Console {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.live
}

func (a *Asker) setConsole(c *Console) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.live = c
}

// Talk is one conversation: what is shown while it lasts, and its questions. On a plain terminal there is one at a time;
// in the live view the person goes from one to the other.
type Talk struct {
	a    *Asker
	live *talk
	off  func()
}

type talkKey struct{}

// Begin begins a conversation about something. The first row is its title. The returned context carries it: what is asked
// with it is asked inside the conversation. End ends it. Without a person the error is engine.ErrNobody.
func (a *Asker) Begin(ctx context.Context, sheet ...row) (context.Context, *Talk, error) {
	if !a.Present() {
		return ctx, nil, engine.ErrNobody
	}
	if c := a.console(); c != nil {
		l := c.open(sheet)
		t := &Talk{a: a, live: l, off: func() { c.close(l) }}
		return context.WithValue(ctx, talkKey{}, t), t, nil
	}
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx, nil, context.Cause(ctx)
	}
	if len(sheet) > 0 {
		a.s.Printf("\n")
	}
	for _, r := range sheet {
		a.s.Printf("%s\n", r.text(a.s))
	}
	t := &Talk{a: a, off: func() { <-a.turn }}
	return context.WithValue(ctx, talkKey{}, t), t, nil
}

// End ends the conversation.
func (t *Talk) End() { t.off() }

// Say adds a row to what is shown.
func (t *Talk) Say(r row) {
	if t.live != nil {
		t.live.say(r)
		return
	}
	t.a.s.Printf("%s\n", r.text(t.a.s))
}

// Unsay takes back the rows that were added, where they can be.
func (t *Talk) Unsay() {
	if t.live != nil {
		t.live.unsay()
	}
}

// within gives the conversation that the context carries, or begins one of its own.
func (a *Asker) within(ctx context.Context) (*Talk, func(), error) {
	if t, ok := ctx.Value(talkKey{}).(*Talk); ok && t.a == a {
		return t, func() {}, nil
	}
	_, t, err := a.Begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	return t, t.End, nil
}

// Line asks for one line. Without a person it returns engine.ErrNobody; the end of input is io.EOF.
func (a *Asker) Line(ctx context.Context, prompt string) (string, error) {
	t, end, err := a.within(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	if t.live != nil {
		return t.live.line(ctx, prompt, false)
	}
	return a.line(ctx, prompt)
}

func (a *Asker) line(ctx context.Context, prompt string) (string, error) {
	a.dropStale()
	a.s.ask(prompt + " ")
	defer a.s.answered()
	if a.left == nil {
		a.left = make(chan typed, 1)
		go func(c chan<- typed) {
			text, err := a.in.ReadString('\n')
			c <- typed{text, err}
		}(a.left)
	}
	select {
	case l := <-a.left:
		a.left = nil
		if l.err != nil && l.text == "" {
			return "", l.err
		}
		return strings.TrimSpace(l.text), nil
	case <-ctx.Done():
		a.s.answered()
		a.s.Printf("\n")
		return "", context.Cause(ctx)
	}
}

// dropStale forgets a line that was typed for a question which is no longer open.
func (a *Asker) dropStale() {
	select {
	case <-a.left:
		a.left = nil
	default:
	}
}

// Hidden asks for a line that is not shown.
func (a *Asker) Hidden(ctx context.Context, prompt string) (string, error) {
	t, end, err := a.within(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	if t.live != nil {
		return t.live.line(ctx, prompt, true)
	}
	if a.left != nil { // its read would show what is typed
		a.s.Printf("press Enter, then answer\n")
		<-a.left
		a.left = nil
	}
	return a.password(ctx, prompt)
}

func (a *Asker) password(ctx context.Context, prompt string) (string, error) {
	a.s.ask(prompt + " ")
	defer a.s.answered()
	c := make(chan typed, 1)
	before, err := term.GetState(int(a.tty.Fd()))
	if err != nil {
		return "", fmt.Errorf("read hidden input: %w", err)
	}
	go func() {
		b, err := term.ReadPassword(int(a.tty.Fd()))
		c <- typed{string(b), err}
	}()
	select {
	case l := <-c:
		a.s.answered()
		a.s.Printf("\n")
		return l.text, l.err
	case <-ctx.Done():
		a.s.answered()
		a.s.Printf("\n")
		return "", errors.Join(context.Cause(ctx), term.Restore(int(a.tty.Fd()), before))
	}
}

// Choice is one answer to a question: a letter to type, and what it means.
type Choice struct {
	Key, Value, Text string
}

// pick finds the choice that was typed, by its letter or its word.
func pick(choices []Choice, got string) (Choice, bool) {
	for _, c := range choices {
		if strings.EqualFold(got, c.Key) || strings.EqualFold(got, c.Value) {
			return c, true
		}
	}
	return Choice{}, false
}

// Choose asks until one of the choices is typed, by its letter or its word.
func (a *Asker) Choose(ctx context.Context, prompt string, choices []Choice) (string, error) {
	t, end, err := a.within(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	if t.live != nil {
		return t.live.choose(ctx, prompt, choices)
	}
	for {
		for _, c := range choices {
			a.s.Printf("  %s  %s\n", a.s.paint(bold, c.Key), c.Text)
		}
		got, err := a.line(ctx, prompt)
		if err != nil {
			return "", err
		}
		if c, ok := pick(choices, got); ok {
			return c.Value, nil
		}
		a.s.Printf("%q is none of them.\n", Clean(got))
	}
}

// Why asks for the reason of what was chosen. An empty answer goes back to the choice.
func (a *Asker) Why(ctx context.Context) (string, error) {
	return a.Line(ctx, "why? (for the evidence; Enter: back)")
}

// Reason asks for a text that must not be empty.
func (a *Asker) Reason(ctx context.Context, prompt string) (string, error) {
	t, end, err := a.within(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	ctx = context.WithValue(ctx, talkKey{}, t)
	for {
		got, err := a.Line(ctx, prompt)
		if err != nil || got != "" {
			return got, err
		}
		t.Say(say("It goes into the evidence, so something must be said."))
	}
}
