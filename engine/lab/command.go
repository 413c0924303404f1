package lab

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// signalNames are the names of RFC 4254 that OpenSSH delivers.
func signalNames() map[string]syscall.Signal {
	return map[string]syscall.Signal{
		"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "QUIT": syscall.SIGQUIT,
		"TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
	}
}

// exitNames are the names that a killed command may be reported with, beyond those that can be sent.
func exitNames() map[syscall.Signal]string {
	names := map[syscall.Signal]string{
		syscall.SIGABRT: "ABRT", syscall.SIGALRM: "ALRM", syscall.SIGFPE: "FPE", syscall.SIGILL: "ILL",
		syscall.SIGPIPE: "PIPE", syscall.SIGSEGV: "SEGV",
	}
	for name, sig := range signalNames() {
		names[sig] = name
	}
	return names
}

// command is a program of a session, in a session and process group of its own. Its streams are pipes that this side
// owns, so that its end and the end of its output are two different events, as over a real sshd: what it left running in
// the background may hold the pipes long after the exit status was sent.
type command struct {
	cmd            *exec.Cmd
	stdin          *os.File // our ends
	stdout, stderr *os.File
	released       chan struct{} // closed when the client knows that it started: output follows the reply
	ended          func()
	closeStdin     func() error
	replying       sync.Mutex // held from a request until its reply is sent, and while the channel is closed
}

// startCommand starts argv in dir.
func startCommand(argv []string, dir string, env []string) (*command, error) {
	var pipes [3][2]*os.File // read, write
	closeAll := func() {
		for _, p := range pipes {
			for _, f := range p {
				if f != nil {
					_ = f.Close()
				}
			}
		}
	}
	for i := range pipes {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll()
			return nil, err
		}
		pipes[i] = [2]*os.File{r, w}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes[0][0], pipes[1][1], pipes[2][1]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		closeAll()
		return nil, err
	}
	for _, theirs := range []*os.File{pipes[0][0], pipes[1][1], pipes[2][1]} {
		_ = theirs.Close()
	}
	c := &command{
		cmd: cmd, stdin: pipes[0][1], stdout: pipes[1][0], stderr: pipes[2][0],
		released: make(chan struct{}), ended: func() {},
	}
	c.closeStdin = sync.OnceValue(c.stdin.Close)
	return c, nil
}

// goOn lets the streams flow: the reply to exec is on its way.
func (c *command) goOn() { close(c.released) }

// attend carries the streams, sends the exit status as soon as the command has ended, and closes the channel when its
// output has ended too.
func (c *command) attend(channel ssh.Channel) {
	<-c.released
	go func() {
		_, err := io.Copy(c.stdin, channel)
		_ = c.closeStdin()
		if err != nil {
			_, _ = io.Copy(io.Discard, channel) // it reads no more: let the client finish sending
		}
	}()
	var out sync.WaitGroup
	out.Go(func() { copyThenClose(channel, c.stdout) })
	out.Go(func() { copyThenClose(channel.Stderr(), c.stderr) })
	err := c.cmd.Wait()
	c.ended()
	sendExit(channel, c.cmd.ProcessState, err)
	out.Wait()
	c.replying.Lock()
	defer c.replying.Unlock()
	_ = channel.CloseWrite()
	_ = channel.Close()
}

// hangUp breaks the pipes of a command whose client has gone: it reads end of file and its next write fails. It is not
// killed.
func (c *command) hangUp() {
	_ = c.closeStdin()
	_ = c.stdout.Close()
	_ = c.stderr.Close()
}

// signal sends a signal to the command's process group and reports whether it was delivered.
func (c *command) signal(name string) bool {
	sig, known := signalNames()[name]
	return known && syscall.Kill(-c.cmd.Process.Pid, sig) == nil
}

// killGroup ends a process group at once.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

// sendExit reports how the command ended: exit-status, or exit-signal when a signal ended it.
func sendExit(channel ssh.Channel, state *os.ProcessState, err error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || state == nil {
		return // its end is not known: no status at all, never a made-up one
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		name, known := exitNames()[ws.Signal()]
		if !known {
			name = "SIG@openssh.com"
		}
		msg := struct {
			Name       string
			CoreDumped bool
			Message    string
			Lang       string
		}{name, ws.CoreDump(), "", ""}
		_, _ = channel.SendRequest("exit-signal", false, ssh.Marshal(&msg))
		return
	}
	status := struct{ Code uint32 }{uint32(state.ExitCode())}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(&status))
}
