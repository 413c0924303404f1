//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/vt"
)

// terminal is a pseudo-terminal with a continuo at it.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	screen *vt.Terminal
	read   chan struct{} // closed when nothing more comes
}

// openTerminal runs continuo as the leader of a session whose terminal is a new one, of 100 columns and 30 rows,
// with these variables besides.
func openTerminal(t *testing.T, dir string, env []string, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	require.NoError(t, err)
	fd := int(master.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: 100, Row: 30}))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	defer slave.Close()
	x := &terminal{t: t, master: master, screen: vt.New(100, 30), read: make(chan struct{})}
	x.cmd = command(t, dir, args...)
	x.cmd.Env = append(x.cmd.Env, env...)
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = slave, slave, slave
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, x.cmd.Start())
	t.Cleanup(func() { _ = x.cmd.Process.Kill(); _ = x.master.Close() })
	go func() {
		defer close(x.read)
		_, _ = io.Copy(x.screen, x.master) // ends with the terminal
	}()
	return x
}

// command is continuo in a project, with nothing of this machine's environment but where programs are.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("continuo")
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), path, args...)
	c.Dir = dir
	home := filepath.Join(dir, "home")
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_STATE_HOME=" + filepath.Join(home, "state"), "TERM=xterm-256color", "TZ=UTC"}
	return c
}

func (x *terminal) types(keys string) {
	x.t.Helper()
	_, err := x.master.WriteString(keys)
	require.NoError(x.t, err)
}

// shows waits until a text is on the screen.
func (x *terminal) shows(text string) {
	x.t.Helper()
	x.eventually(func() bool { return strings.Contains(x.screen.Screen(), text) }, text)
}

func (x *terminal) eventually(ok func() bool, what string) {
	x.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			require.Failf(x.t, "it never came", "%s; the terminal shows:\n%s", what, strings.Join(x.screen.All(), "\n"))
		}
	}
}

// journal waits until the only run's journal holds a text.
func (x *terminal) journal(dir, text string) {
	x.t.Helper()
	x.eventually(func() bool {
		files, err := filepath.Glob(filepath.Join(dir, ".continuo", "runs", "*", "journal.jsonl"))
		require.NoError(x.t, err)
		if len(files) != 1 {
			return false
		}
		data, err := os.ReadFile(files[0])
		return err == nil && bytes.Contains(data, []byte(text))
	}, text)
}

// ended waits for the process and gives its exit code.
func (x *terminal) ended() int {
	x.t.Helper()
	err := x.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(x.t, err)
	}
	return x.cmd.ProcessState.ExitCode()
}

func project(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "home"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "project.hcl"), []byte(os.Expand(text, func(name string) string {
		if name == "WORK" {
			return dir
		}
		return "$" + name
	})), 0o600))
	return dir
}

const attended = `
project "practice" {}
runbook "move" {
  phase "only" {
    step "wait" {
      hosts  = control
      script = "touch $WORK/began; while ! test -e $WORK/go; do sleep 0.02; done"
    }
    manual "smoke" {
      instructions = "Pay one penny."
      input "ticket" { type = number }
      input "pin" {
        type      = string
        sensitive = true
      }
    }
  }
}
`

// TestTerminalClosed: the terminal of a live run is closed. The run goes on, waits where it needs a person, a second terminal
// takes it up, and its evidence verifies; what was typed hidden is nowhere in it.
func TestTerminalClosed(t *testing.T) {
	t.Parallel()
	dir := project(t, attended)
	first := openTerminal(t, dir, nil, "run", "move", "--live")
	first.shows("to begin:")
	first.types("move\n")
	first.shows("step.wait")
	first.journal(dir, `"item.intent"`)
	require.NoError(t, first.master.Close())
	first.journal(dir, "the terminal was closed; the run goes on")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
	first.journal(dir, `"item.started","item":"manual.smoke"`)

	second := openTerminal(t, dir, nil, "attach", "@latest", "--by", "ann@example.org")
	second.shows("TO DO BY PEOPLE")
	second.types("d\r")
	second.shows("ticket (number):")
	second.types("seven\r")
	second.shows("pin (string):")
	second.types("mellon-4711\r")
	second.shows("that did not count") // the run says what is wrong with "seven", and asks again
	second.types("d\r")
	second.shows("ticket (number):")
	second.types("7\r")
	second.shows("pin (string):")
	second.types("mellon-4711\r")
	second.shows("passed")
	require.Equal(t, 0, second.ended())
	require.Equal(t, 0, first.ended(), "the run itself has passed")

	out, err := command(t, dir, "verify", "@latest").CombinedOutput()
	require.NoError(t, err, string(out))
	grep := exec.Command("grep", "-r", "mellon-4711", filepath.Join(dir, ".continuo"))
	out, err = grep.CombinedOutput()
	require.Error(t, err, "what was typed hidden is in the record: %s", out)
	require.NotContains(t, strings.Join(second.screen.All(), "\n"), "mellon")
	require.Empty(t, second.screen.Faults())
	require.Empty(t, second.screen.Restored(), "the terminal is given back as it was")
}

const unattended = `
project "practice" {}
runbook "move" {
  phase "only" {
    step "wait" {
      hosts  = control
      script = "touch $WORK/began; while ! test -e $WORK/go; do sleep 0.02; done"
    }
  }
}
`

// TestTerminalGivenBack: however continuo ends, the terminal is as it was: its mode, the cursor, what is pasted.
func TestTerminalGivenBack(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(x *terminal, clock string){
		"killed": func(x *terminal, _ string) { require.NoError(x.t, x.cmd.Process.Kill()) },
		"panic":  func(x *terminal, clock string) { require.NoError(x.t, os.Remove(clock)) }, // a clock that is not there panics
		"asked to end": func(x *terminal, _ string) {
			require.NoError(x.t, x.cmd.Process.Signal(syscall.SIGTERM))
			x.shows("STOPPING")
			require.NoError(x.t, x.cmd.Process.Signal(syscall.SIGTERM))
			x.shows("what now?")
			x.types("l\r")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, unattended)
			clock := filepath.Join(dir, "clock")
			require.NoError(t, os.WriteFile(clock, []byte("2031-11-21T03:00:00Z"), 0o600))
			x := openTerminal(t, dir, []string{clockFile + "=" + clock}, "run", "move", "--live")
			before := x.mode()
			x.shows("to begin:")
			x.types("move\n")
			x.shows("step.wait")
			x.journal(dir, `"item.intent"`)
			require.NotEqual(t, before, x.mode(), "the live view has the terminal")
			end(x, clock)
			require.NotZero(t, x.ended())
			x.eventually(func() bool { return before == x.mode() && len(x.screen.Restored()) == 0 }, "the terminal as it was")
			// What runs on ends; the run is taken up, and is over.
			require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
			out, err := command(t, dir, "resume", "@latest", "--yes").CombinedOutput()
			require.Equal(t, name == "asked to end", err != nil, "what was killed on the host has failed: %s", out)
			require.Contains(t, string(out), "(sealed, signed by")
		})
	}
}

// mode is the mode of the terminal's line.
func (x *terminal) mode() unix.Termios {
	x.t.Helper()
	m, err := unix.IoctlGetTermios(int(x.master.Fd()), unix.TCGETS)
	require.NoError(x.t, err)
	return *m
}
