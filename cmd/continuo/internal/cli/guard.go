package cli

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
)

// guardLifeFD is the file descriptor by which a guard sees its process end. Its stdin is the terminal.
const guardLifeFD = 3

// guardCommand is what a live view starts beside it, so that a terminal is given back also by a process that was killed.
func guardCommand() *cobra.Command {
	return &cobra.Command{
		Use: "guard-terminal", Hidden: true, Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTTOU, syscall.SIGTTIN, syscall.SIGTSTP)
			return view.GuardTerminal(os.Stdin, os.NewFile(guardLifeFD, "life"))
		},
	}
}

// guard starts the guard of the terminal that a live view is shown at, and gives what dismisses it. Where it cannot be started
// the view goes without.
func (a *app) guard() (dismiss func()) {
	dismiss, err := a.startGuard()
	if err != nil {
		return func() {}
	}
	return dismiss
}

func (a *app) startGuard() (dismiss func(), err error) {
	tty, ok := a.env.Stdin.(*os.File)
	if !ok {
		return nil, errors.New("stdin is no terminal")
	}
	state, err := view.TerminalState(tty)
	if err != nil {
		return nil, err
	}
	exe, err := a.env.Executable()
	if err != nil {
		return nil, err
	}
	read, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	c := exec.Command(exe, "guard-terminal") //nolint:noctx // it outlives every context: that is what it is for
	c.Stdin, c.ExtraFiles, c.Env, c.Dir = tty, []*os.File{read}, a.env.Environ, a.env.Dir
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a key that ends what is in the foreground does not end it
	if err := c.Start(); err != nil {
		return nil, errors.Join(err, life.Close())
	}
	go func() { _ = c.Wait() }()
	if _, err := life.Write(state); err != nil {
		return nil, errors.Join(err, life.Close())
	}
	return func() {
		_, _ = io.WriteString(life, view.Dismissed) // a guard that is gone needs no word
		_ = life.Close()
	}, nil
}
