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

// Asker asks a person at the terminal. Questions go to stderr; one is asked at a time.
type Asker struct {
	s     *Screen
	in    *bufio.Reader
	tty   *os.File // nil: nobody is there
	turn  sync.Mutex
	plain chan line // a read that a cancelled question left behind
}

type line struct {
	text string
	err  error
}

// NewAsker looks whether a person is there: stdin and the screen must both be terminals. never: --no-input.
func NewAsker(in io.Reader, s *Screen, never bool) *Asker {
	a := &Asker{s: s, in: bufio.NewReader(in)}
	if f, ok := in.(*os.File); ok && !never && isTerminal(in) && s.Terminal() {
		a.tty = f
	}
	return a
}

// Present reports whether there is a person to ask.
func (a *Asker) Present() bool { return a.tty != nil }

// Line asks for one line. Without a person it returns engine.ErrNobody; the end of input is io.EOF.
func (a *Asker) Line(ctx context.Context, prompt string) (string, error) {
	if !a.Present() {
		return "", engine.ErrNobody
	}
	a.turn.Lock()
	defer a.turn.Unlock()
	a.dropStale()
	a.s.ask(prompt + " ")
	defer a.s.answered()
	if a.plain == nil {
		a.plain = make(chan line, 1)
		go func(c chan<- line) {
			text, err := a.in.ReadString('\n')
			c <- line{text, err}
		}(a.plain)
	}
	select {
	case l := <-a.plain:
		a.plain = nil
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
	case <-a.plain:
		a.plain = nil
	default:
	}
}

// Hidden asks for a line that is not shown.
func (a *Asker) Hidden(ctx context.Context, prompt string) (string, error) {
	if !a.Present() {
		return "", engine.ErrNobody
	}
	a.turn.Lock()
	defer a.turn.Unlock()
	if a.plain != nil { // its read would show what is typed
		a.s.Printf("press Enter, then answer\n")
		<-a.plain
		a.plain = nil
	}
	a.s.ask(prompt + " ")
	defer a.s.answered()
	c := make(chan line, 1)
	before, err := term.GetState(int(a.tty.Fd()))
	if err != nil {
		return "", fmt.Errorf("read hidden input: %w", err)
	}
	go func() {
		b, err := term.ReadPassword(int(a.tty.Fd()))
		c <- line{string(b), err}
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

// Choose asks until one of the choices is typed, by its letter or its word.
func (a *Asker) Choose(ctx context.Context, prompt string, choices []Choice) (string, error) {
	if !a.Present() {
		return "", engine.ErrNobody
	}
	for {
		for _, c := range choices {
			a.s.Printf("  %s  %s\n", a.s.paint(bold, c.Key), c.Text)
		}
		got, err := a.Line(ctx, prompt)
		if err != nil {
			return "", err
		}
		for _, c := range choices {
			if strings.EqualFold(got, c.Key) || strings.EqualFold(got, c.Value) {
				return c.Value, nil
			}
		}
		a.s.Printf("%q is none of them.\n", Clean(got))
	}
}

// Reason asks for a text that must not be empty.
func (a *Asker) Reason(ctx context.Context, prompt string) (string, error) {
	for {
		got, err := a.Line(ctx, prompt)
		if err != nil || got != "" {
			return got, err
		}
		a.s.Printf("It goes into the evidence, so something must be said.\n")
	}
}
