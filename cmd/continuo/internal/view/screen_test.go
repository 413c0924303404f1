package view

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScreenColour(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		opt  Options
		want string
	}{
		{"no terminal", Options{Color: "auto"}, "error: it broke\n  hint: mend it\n"},
		{"always", Options{Color: "always"}, "\x1b[1;31merror:\x1b[0m it broke\n  \x1b[36mhint:\x1b[0m mend it\n"},
		{"always beats NO_COLOR", Options{Color: "always", NoColor: true}, "\x1b[1;31merror:\x1b[0m it broke\n  \x1b[36mhint:\x1b[0m mend it\n"},
		{"never", Options{Color: "never"}, "error: it broke\n  hint: mend it\n"},
	} {
		var b bytes.Buffer
		NewScreen(&b, tc.opt).Error(errors.New("it broke"), "mend it")
		require.Equal(t, tc.want, b.String(), tc.name)
	}
}

func TestScreenKeepsTheFirstWriteError(t *testing.T) {
	t.Parallel()
	s := NewScreen(brokenPipe{}, Options{})
	require.NoError(t, s.Err())
	s.Printf("lost\n")
	require.ErrorIs(t, s.Err(), errPipe)
	require.ErrorIs(t, s.JSON(map[string]int{"a": 1}), errPipe)
}

var errPipe = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

// TestScreenKeepsTheQuestionLast: what is printed while a question is open comes above it.
func TestScreenKeepsTheQuestionLast(t *testing.T) {
	t.Parallel()
	s, out := screen()
	s.ask("done? ")
	s.Printf("03:04:05 something happened\n")
	s.answered()
	s.Printf("next\n")
	require.Equal(t, "done? \r\x1b[K03:04:05 something happened\ndone? next\n", out.String())
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 ms", 850 * time.Millisecond: "850 ms", 237600 * time.Microsecond: "238 ms", 999600 * time.Microsecond: "1.0 s", 59960 * time.Millisecond: "1m00s", 4200 * time.Millisecond: "4.2 s", 59 * time.Second: "59.0 s",
		187 * time.Second: "3m07s", time.Hour - time.Millisecond: "1h00m", 125 * time.Minute: "2h05m", -time.Second: "-1.0 s",
	} {
		require.Equal(t, want, Duration(d))
	}
}

func TestTableAlignsWideCharacters(t *testing.T) {
	t.Parallel()
	s, out := screen()
	var tab table
	tab.text("a", "日本", "x")
	tab.text("heading that is long")
	tab.text("bcd", "e", "y")
	tab.print(s, "")
	require.Equal(t, "a    日本  x\nheading that is long\nbcd  e     y\n", out.String())
}

func TestAskerWithoutATerminal(t *testing.T) {
	t.Parallel()
	s, out := screen()
	a := NewAsker(bytes.NewBufferString("yes\n"), s, false)
	require.False(t, a.Present())
	_, err := a.Line(t.Context(), "sure?")
	require.Error(t, err)
	_, err = a.Hidden(t.Context(), "secret?")
	require.Error(t, err)
	_, err = a.Choose(t.Context(), "which?", []Choice{{"a", "a", "a"}})
	require.Error(t, err)
	require.Empty(t, out.String(), "nothing is asked")
}

func TestCounter(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	now := time.Unix(0, 0)
	s := NewScreen(&b, Options{Color: "never"})
	tell := func() {
		c := s.Counter("cases", func() time.Time { return now })
		c.At(1, 3)
		now = now.Add(time.Second)
		c.At(2, 3)
		now = now.Add(time.Millisecond)
		c.At(3, 3)
		c.End()
	}
	tell()
	require.Empty(t, b.String(), "nobody looks on")
	s.terminal = true
	tell()
	require.Equal(t, "\r\x1b[Kcases: 2 of 3\r\x1b[K", b.String())
}
