package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Dismissed is what the guard of a terminal is told when the terminal was given back.
const Dismissed = "dismissed\n"

// restoring takes back what the live view asks of a terminal: the cursor is shown, what is pasted and typed comes as usual.
const restoring = "\x1b[?25h\x1b[?2004l\x1b[>4m\x1b[<u\x1b[?2026l\x1b[0m\r\n"

// TerminalState is how a terminal is now, in one line for its guard.
func TerminalState(tty *os.File) ([]byte, error) {
	t, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("look at the terminal: %w", err)
	}
	b, err := json.Marshal(t)
	return append(b, '\n'), err
}

// GuardTerminal waits for the end of the process that shows a live view at a terminal, which is the end of life. Its first line
// is the TerminalState of before. A process that was killed, or panicked where nobody could catch it, gives nothing back: the
// guard does, unless it was told Dismissed or somebody else has the terminal by then.
func GuardTerminal(tty *os.File, life io.Reader) error {
	said, err := io.ReadAll(life)
	if err != nil {
		return fmt.Errorf("guard the terminal: %w", err)
	}
	state, word, _ := bytes.Cut(said, []byte("\n"))
	if string(word) == Dismissed {
		return nil
	}
	var before unix.Termios
	if err := json.Unmarshal(state, &before); err != nil {
		return fmt.Errorf("guard the terminal: %w", err)
	}
	now, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil || !raw(now) {
		return err
	}
	_, err = tty.WriteString(restoring)
	return errors.Join(err, unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, &before))
}

// raw reports whether a terminal is in the mode of a live view. A shell that edits a line keeps its output as usual.
func raw(t *unix.Termios) bool {
	return t.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) == 0 && t.Oflag&unix.OPOST == 0
}
