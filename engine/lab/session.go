package lab

import (
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// envName is what a client may set, as in Debian's sshd_config (AcceptEnv LANG LC_*). Everything else is refused: who
// practises here must not come to rely on what a real host forbids.
var envName = regexp.MustCompile(`^(LANG|LC_[A-Z_]+)$`)

// session is one session channel: environment first, then one command.
type session struct {
	server  *server
	conn    ssh.ConnMetadata
	channel ssh.Channel
	env     []string
	command *command // nil until exec or shell
	done    func()   // gives the connection's session slot back, once
}

// openSession accepts a session channel, or refuses the eleventh as sshd does.
func (s *server) openSession(conn ssh.ConnMetadata, ch ssh.NewChannel, slots chan struct{}) {
	select {
	case slots <- struct{}{}:
	default:
		_ = ch.Reject(ssh.ConnectionFailed, "open failed")
		return
	}
	channel, requests, err := ch.Accept()
	if err != nil {
		<-slots
		return
	}
	ses := &session{server: s, conn: conn, channel: channel, done: sync.OnceFunc(func() { <-slots })}
	s.wg.Go(func() { ses.serve(requests) })
}

// serve answers the channel's requests until the client closes the channel or the connection is lost.
func (s *session) serve(requests <-chan *ssh.Request) {
	for req := range requests {
		ok := s.answer(req)
		if ok && (req.Type == "exec" || req.Type == "shell") {
			s.command.goOn()
		}
	}
	if s.command == nil {
		_ = s.channel.Close()
		s.done()
		return
	}
	// Nobody listens any more: the command keeps running, its pipes break.
	s.command.hangUp()
}

// answer handles a request and replies. The channel is not closed in between: the reply to the signal that ends a command
// comes before the channel's end, as with sshd.
func (s *session) answer(req *ssh.Request) bool {
	if c := s.command; c != nil {
		c.replying.Lock()
		defer c.replying.Unlock()
	}
	ok := s.handle(req)
	if req.WantReply {
		_ = req.Reply(ok, nil)
	}
	return ok
}

func (s *session) handle(req *ssh.Request) bool {
	switch req.Type {
	case "env":
		return s.setEnv(req.Payload)
	case "exec":
		var p struct{ Command string }
		if ssh.Unmarshal(req.Payload, &p) != nil || strings.ContainsRune(p.Command, 0) {
			return false
		}
		return s.start("/bin/sh", "-c", p.Command)
	case "shell":
		return s.start("/bin/sh", "-s")
	case "signal":
		var p struct{ Name string }
		return ssh.Unmarshal(req.Payload, &p) == nil && s.command != nil && s.command.signal(p.Name)
	}
	return false // pty-req, subsystem, agent and X11 forwarding: not here
}

func (s *session) setEnv(payload []byte) bool {
	var p struct{ Name, Value string }
	if ssh.Unmarshal(payload, &p) != nil || !envName.MatchString(p.Name) || strings.ContainsRune(p.Value, 0) {
		return false
	}
	s.env = append(s.env, p.Name+"="+p.Value)
	return true
}

// environment is what a command finds: the little that sshd sets, and who it is in the lab.
func (s *session) environment() []string {
	h, user := s.server.host, s.conn.User()
	client, clientPort, _ := net.SplitHostPort(s.conn.RemoteAddr().String())
	here, herePort, _ := net.SplitHostPort(s.conn.LocalAddr().String())
	return append([]string{
		"HOME=" + s.server.home, "USER=" + user, "LOGNAME=" + user, "SHELL=/bin/sh",
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
		"SSH_CLIENT=" + strings.Join([]string{client, clientPort, herePort}, " "),
		"SSH_CONNECTION=" + strings.Join([]string{client, clientPort, here, herePort}, " "),
		"CONTINUO_LAB_HOST=" + h.Name, survivorVariable + "=" + s.server.labID,
	}, s.env...)
}

// start runs a program; only one a session.
func (s *session) start(argv ...string) bool {
	if s.command != nil {
		return false
	}
	c, err := startCommand(argv, s.server.home, s.environment())
	if err != nil {
		s.server.log.Error().Err(err).Msg("start")
		return false
	}
	pid := c.cmd.Process.Pid
	s.server.mu.Lock()
	s.server.running[pid] = struct{}{}
	if s.server.closed {
		killGroup(pid) // switched off in this very moment
	}
	s.server.mu.Unlock()
	c.ended = func() {
		s.server.mu.Lock()
		delete(s.server.running, pid)
		s.server.mu.Unlock()
	}
	s.command = c
	s.server.wg.Go(func() {
		c.attend(s.channel)
		s.done()
	})
	return true
}

// copyThenClose moves bytes until the source ends or the sink breaks, then closes the source: a command that writes on
// gets a broken pipe.
func copyThenClose(dst io.Writer, src *os.File) {
	_, _ = io.Copy(dst, src)
	_ = src.Close()
}
