package sshtransport

import (
	"context"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
)

// shellCommand is the only thing that is ever executed on a host: no login shell can misread it, nothing shows in ps. The
// login shell gives way to it, which not all do unasked: then how a command ended is the host's own word, and the process
// group is ours to end. bareCommand is for an account that runs programs only, such as one whose forced command ends in
// `exec $SSH_ORIGINAL_COMMAND`.
const (
	shellCommand = "exec /bin/sh -s"
	bareCommand  = "/bin/sh -s"
)

// process is a session channel that runs shellCommand. It is no ssh.Session: the exit status is delivered when it
// arrives, also while something on the host still holds an output stream, and a missing status stays missing.
type process struct {
	ch      ssh.Channel
	exit    chan hostshell.Exit
	release func() // gives back what the channel holds
	once    sync.Once
	mu      sync.Mutex
}

// then adds to what happens when the channel is given back.
func (p *process) then(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.release
	p.release = func() { before(); go f() }
}

func (p *process) giveBack() {
	p.once.Do(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.release()
	})
}

func newProcess(ch ssh.Channel, requests <-chan *ssh.Request, release func()) *process {
	p := &process{ch: ch, exit: make(chan hostshell.Exit, 1), release: release}
	go p.follow(requests)
	return p
}

// follow takes the channel's requests until it closes. The first exit counts: a server that sends several is lying.
func (p *process) follow(requests <-chan *ssh.Request) {
	told := false
	for r := range requests {
		if x, ok := exitOf(r); ok && !told {
			told = true
			p.exit <- x
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
	if !told {
		p.exit <- hostshell.Exit{Missing: true}
	}
	p.giveBack()
}

func exitOf(r *ssh.Request) (hostshell.Exit, bool) {
	switch r.Type {
	case "exit-status":
		var m struct{ Status uint32 }
		if ssh.Unmarshal(r.Payload, &m) != nil {
			return hostshell.Exit{}, false
		}
		return hostshell.Exit{Code: int(m.Status)}, true
	case "exit-signal":
		var m struct {
			Signal     string
			CoreDumped bool
			Error      string
			Lang       string
		}
		if ssh.Unmarshal(r.Payload, &m) != nil {
			return hostshell.Exit{}, false
		}
		return hostshell.Exit{Code: 128 + engine.SignalNumber(m.Signal), Signal: m.Signal}, true
	}
	return hostshell.Exit{}, false
}

// Write implements hostshell.Process.
func (p *process) Write(b []byte) (int, error) { return p.ch.Write(b) }

// CloseWrite implements hostshell.Process.
func (p *process) CloseWrite() error { return p.ch.CloseWrite() }

// Stdout implements hostshell.Process.
func (p *process) Stdout() io.Reader { return p.ch }

// Stderr implements hostshell.Process.
func (p *process) Stderr() io.Reader { return p.ch.Stderr() }

// Exit implements hostshell.Process.
func (p *process) Exit() <-chan hostshell.Exit { return p.exit }

// Signal implements hostshell.Process. OpenSSH signals the whole process group and says whether it did; other servers
// may not know the request.
func (p *process) Signal(ctx context.Context, name string) bool {
	done := make(chan bool, 1)
	go func() {
		ok, err := p.ch.SendRequest("signal", true, ssh.Marshal(struct{ Signal string }{name}))
		done <- ok && err == nil
	}()
	select {
	case ok := <-done:
		return ok
	case <-ctx.Done():
		return false
	}
}

// Close implements hostshell.Process.
func (p *process) Close() error {
	err := p.ch.Close()
	p.giveBack()
	return err
}
