package localtransport

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
)

// shell is hostshell.Shell on this machine.
type shell struct {
	path []string // normally /bin/sh -s
	env  []string
	dir  string
}

// Open implements hostshell.Shell.
func (s shell) Open(ctx context.Context) (hostshell.Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cmd := exec.Command(s.path[0], s.path[1:]...)
	cmd.Env, cmd.Dir = s.env, s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // what runs must not see our terminal's Ctrl-C
	pipes, err := newPipes()
	if err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes.theirs[0], pipes.theirs[1], pipes.theirs[2]
	err = cmd.Start()
	closeAll(pipes.theirs[:])
	if err != nil {
		closeAll(pipes.ours[:])
		return nil, err
	}
	p := &process{cmd: cmd, in: pipes.ours[0], out: pipes.ours[1], err: pipes.ours[2], exit: make(chan hostshell.Exit, 1)}
	go p.wait()
	return p, nil
}

// pipes are the three standard streams. They are ours and not exec.Cmd's: its Wait would wait for everything that
// inherited them.
type pipes struct{ ours, theirs [3]*os.File }

func newPipes() (pipes, error) {
	var p pipes
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(p.ours[:i])
			closeAll(p.theirs[:i])
			return p, err
		}
		p.ours[i], p.theirs[i] = r, w
		if i == 0 {
			p.ours[i], p.theirs[i] = w, r
		}
	}
	return p, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// process is one local `/bin/sh -s`.
type process struct {
	cmd          *exec.Cmd
	in, out, err *os.File
	exit         chan hostshell.Exit
}

func (p *process) wait() {
	err := p.cmd.Wait()
	var ee *exec.ExitError
	switch {
	case err == nil:
		p.exit <- hostshell.Exit{}
	case errors.As(err, &ee):
		p.exit <- exitOf(ee)
	default:
		p.exit <- hostshell.Exit{Missing: true}
	}
}

func exitOf(ee *exec.ExitError) hostshell.Exit {
	ws, ok := ee.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		return hostshell.Exit{Code: ee.ExitCode()}
	}
	n := int(ws.Signal())
	return hostshell.Exit{Code: 128 + n, Signal: engine.SignalName(n)}
}

// Write implements hostshell.Process.
func (p *process) Write(b []byte) (int, error) { return p.in.Write(b) }

// CloseWrite implements hostshell.Process.
func (p *process) CloseWrite() error { return p.in.Close() }

// Stdout implements hostshell.Process.
func (p *process) Stdout() io.Reader { return p.out }

// Stderr implements hostshell.Process.
func (p *process) Stderr() io.Reader { return p.err }

// Exit implements hostshell.Process.
func (p *process) Exit() <-chan hostshell.Exit { return p.exit }

// Signal implements hostshell.Process.
func (p *process) Signal(_ context.Context, name string) bool {
	n := engine.SignalNumber(name)
	return n != 0 && syscall.Kill(-p.cmd.Process.Pid, syscall.Signal(n)) == nil
}

// Close implements hostshell.Process.
func (p *process) Close() error {
	closeAll([]*os.File{p.in, p.out, p.err})
	return nil
}
