package transporttest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Memory is an SSH server in memory: its connections are pipes, nothing is executed, and a command does what was told. All
// of it runs in a bubble of testing/synctest, so that the time of a connection (timeouts, keepalive, back-off) is simulated.
type Memory struct {
	// KnownHosts is a file with the server's key.
	KnownHosts string
	Host       *runbooks.Host // as of the inventory; plain: there are no files for durable attempts

	config       *ssh.ServerConfig
	mu           sync.Mutex
	does         Does
	conns        []*memoryConn
	dials        []time.Time
	refuse       int
	mute         bool
	muteChannels bool
}

// NewMemory makes a server, and a file with its key that goes with the test.
func NewMemory(t testing.TB) *Memory {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	m := &Memory{config: &ssh.ServerConfig{NoClientAuth: true}, KnownHosts: filepath.Join(t.TempDir(), "known_hosts"),
		Host: &runbooks.Host{Name: "db-1", Address: "192.0.2.1", Port: 22, Connection: runbooks.Connection{User: "drill", Agent: "none", Plain: true}}}
	m.config.AddHostKey(signer)
	require.NoError(t, os.WriteFile(m.KnownHosts, []byte(knownhosts.Line([]string{m.Host.Address}, signer.PublicKey())+"\n"), 0o600))
	t.Cleanup(m.Reset)
	return m
}

// Tell says what commands do from now on.
func (m *Memory) Tell(d Does) { m.set(func() { m.does = d }) }

// RefuseLogins has the server let nobody in.
func (m *Memory) RefuseLogins() {
	m.config.NoClientAuth = false
	m.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, io.EOF }
}

// EndNext ends the next n connections before a word.
func (m *Memory) EndNext(n int) { m.set(func() { m.refuse = n }) }

// Mute has the server take connections and say nothing.
func (m *Memory) Mute(on bool) { m.set(func() { m.mute = on }) }

// MuteChannels has the server answer no channel that is opened, and keepalives as ever.
func (m *Memory) MuteChannels(on bool) { m.set(func() { m.muteChannels = on }) }

// Freeze stops the connections that stand: nothing passes any more, and they do not end.
func (m *Memory) Freeze() {
	m.set(func() {
		for _, c := range m.conns {
			c.in.freeze()
			c.out.freeze()
		}
	})
}

// Reset ends the connections that stand.
func (m *Memory) Reset() {
	m.set(func() {
		for _, c := range m.conns {
			_ = c.Close()
		}
		m.conns = nil
	})
}

// Dials are the times of all connections.
func (m *Memory) Dials() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]time.Time(nil), m.dials...)
}

func (m *Memory) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// Dial connects: it is a sshtransport.Options.DialTCP.
func (m *Memory) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	up, down := newHalf(), newHalf()
	server := &memoryConn{in: up, out: down}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dials = append(m.dials, time.Now())
	m.conns = append(m.conns, server)
	switch {
	case m.refuse > 0:
		m.refuse--
		_ = server.Close()
	case !m.mute:
		go m.serve(server)
	}
	return &memoryConn{in: down, out: up}, nil
}

func (m *Memory) serve(c net.Conn) {
	conn, channels, requests, err := ssh.NewServerConn(c, m.config)
	if err != nil {
		_ = c.Close()
		return
	}
	go ssh.DiscardRequests(requests) // which answers a keepalive as OpenSSH does: no
	for ch := range channels {
		m.mu.Lock()
		mute := m.muteChannels
		m.mu.Unlock()
		if mute {
			continue
		}
		if ch.ChannelType() != "session" {
			_ = ch.Reject(ssh.ConnectionFailed, "Connection refused")
			continue
		}
		channel, reqs, err := ch.Accept()
		if err == nil {
			go m.session(channel, reqs)
		}
	}
	_ = conn.Close()
}

// session takes an exec and signals.
func (m *Memory) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	signals := make(chan string, 4)
	gone := make(chan struct{})
	defer close(gone)
	for r := range reqs {
		ok := r.Type == "exec" || r.Type == "signal"
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		var s struct{ Word string }
		switch {
		case r.Type == "exec":
			go m.command(ch, signals, gone)
		case r.Type == "signal" && ssh.Unmarshal(r.Payload, &s) == nil:
			signals <- s.Word
		}
	}
}

// hello is how a text of the protocol has the host answer; what follows exec is a command and not a question.
var hello = regexp.MustCompile(`echo ([0-9a-f]{32}) ok`)

// command reads the text for the shell, answers, and does what was told.
func (m *Memory) command(ch ssh.Channel, signals <-chan string, gone <-chan struct{}) {
	var text strings.Builder
	buf := make([]byte, 64<<10)
	for !strings.HasSuffix(text.String(), "\n}\n") {
		n, err := ch.Read(buf)
		text.Write(buf[:n])
		if err != nil && !strings.HasSuffix(text.String(), "\n}\n") {
			_ = ch.Close()
			return
		}
	}
	go func() { _, _ = io.Copy(io.Discard, ch) }()
	found := hello.FindStringSubmatch(text.String())
	if found == nil {
		_ = ch.Close()
		return
	}
	var d Does
	if strings.Contains(text.String(), "\nexec ") {
		m.set(func() { d = m.does })
	}
	if d.Refused != "" {
		_, _ = fmt.Fprintf(ch, "%s refused %s\n", found[1], d.Refused)
		exit(ch, "exit-status", struct{ Code uint32 }{126})
		return
	}
	_, _ = fmt.Fprintf(ch, "%s ok 4711 4710\n%s", found[1], d.Stdout)
	_, _ = fmt.Fprintf(ch.Stderr(), "%s ok\n%s", found[1], d.Stderr)
	timer := time.NewTimer(d.Lasts)
	defer timer.Stop()
	select {
	case <-timer.C:
	case s := <-signals:
		d.Signal = s
	case <-gone:
		return
	}
	if d.Background {
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(d.Code)}))
		return // whatever holds the streams goes with the connection
	}
	if d.Signal != "" {
		exit(ch, "exit-signal", struct {
			Signal     string
			CoreDumped bool
			Error      string
			Lang       string
		}{Signal: d.Signal})
		return
	}
	exit(ch, "exit-status", struct{ Code uint32 }{uint32(d.Code)})
}

func exit(ch ssh.Channel, kind string, message any) {
	_ = ch.CloseWrite()
	_, _ = ch.SendRequest(kind, false, ssh.Marshal(message))
	_ = ch.Close()
}

// half is one direction of a connection in memory. What was written before the end is still read.
type half struct {
	mu     sync.Mutex
	moved  *sync.Cond
	data   []byte
	ended  bool
	frozen bool
}

func newHalf() *half {
	h := &half{}
	h.moved = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for (len(h.data) == 0 || h.frozen) && !h.ended {
		h.moved.Wait()
	}
	if len(h.data) == 0 || h.frozen {
		return 0, io.EOF
	}
	n := copy(p, h.data)
	h.data = h.data[n:]
	return n, nil
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return 0, syscall.EPIPE
	}
	h.data = append(h.data, p...)
	h.moved.Broadcast()
	return len(p), nil
}

func (h *half) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.moved.Broadcast()
}

func (h *half) freeze() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.frozen = true
}

// memoryConn is one end of a connection in memory. It has no deadlines, as a channel through a jump host has none.
type memoryConn struct{ in, out *half }

// Read implements net.Conn.
func (c *memoryConn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn.
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements net.Conn.
func (c *memoryConn) Close() error {
	c.in.end()
	c.out.end()
	return nil
}

// LocalAddr implements net.Conn.
func (c *memoryConn) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2)} }

// RemoteAddr implements net.Conn.
func (c *memoryConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22} }

// SetDeadline implements net.Conn.
func (c *memoryConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (c *memoryConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
