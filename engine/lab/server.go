package lab

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/ssh"
)

const (
	// loginGrace bounds a handshake with authentication.
	loginGrace = 30 * time.Second
	// maxSessions is how many sessions a connection may hold, as in OpenSSH; the next open is refused.
	maxSessions = 10
)

// server is one practice host.
type server struct {
	host    Host
	home    string // sandbox
	labID   string // in the environment of every command; see survivors
	config  *ssh.ServerConfig
	log     zerolog.Logger
	ln      net.Listener
	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]struct{}
	running map[int]struct{} // process groups, by leader
	wg      sync.WaitGroup
}

// newServer makes a practice host that lets in whoever has the authorized key, under the host's user name (any name
// when it has none).
func newServer(h Host, home, labID string, key ssh.Signer, authorized ssh.PublicKey, log zerolog.Logger) *server {
	s := &server{
		host: h, home: home, labID: labID, log: log.With().Str("host", h.Name).Logger(),
		conns: map[net.Conn]struct{}{}, running: map[int]struct{}{},
	}
	want := authorized.Marshal()
	s.config = &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-continuo-lab",
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if h.User != "" && meta.User() != h.User {
				return nil, fmt.Errorf("no user %q here", meta.User())
			}
			if !bytes.Equal(key.Marshal(), want) {
				return nil, errors.New("not the lab's key")
			}
			return &ssh.Permissions{}, nil
		},
	}
	s.config.AddHostKey(key)
	return s
}

// listen binds the address and takes over the port that the system chose.
func (s *server) listen() error {
	ln, err := net.Listen("tcp", s.host.Endpoint())
	if err != nil {
		return fmt.Errorf("practice host %s: %w", s.host.Name, err)
	}
	s.ln = ln
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok {
		s.host.Port = tcp.Port
	}
	return nil
}

// serve accepts until close.
func (s *server) serve() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.log.Error().Err(err).Msg("accept")
			}
			return
		}
		if !s.track(conn) {
			_ = conn.Close()
			return
		}
		s.wg.Go(func() {
			defer s.forget(conn)
			s.serveConn(conn)
		})
	}
}

func (s *server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[conn] = struct{}{}
	return true
}

func (s *server) forget(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// serveConn speaks SSH with one client until the connection ends. Commands that it started live on.
func (s *server) serveConn(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(loginGrace))
	sc, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		s.log.Info().Err(err).Stringer("from", conn.RemoteAddr()).Msg("refused")
		return
	}
	_ = conn.SetDeadline(time.Time{})
	s.log.Info().Str("user", sc.User()).Stringer("from", conn.RemoteAddr()).Msg("connected")
	// Keepalives and other global requests are answered with a failure, as OpenSSH answers them.
	go ssh.DiscardRequests(requests)
	slots := make(chan struct{}, maxSessions)
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			s.openSession(sc, ch, slots)
		case "direct-tcpip":
			s.wg.Go(func() { s.forward(ch) })
		default:
			_ = ch.Reject(ssh.UnknownChannelType, "unknown channel type")
		}
	}
	s.log.Info().Stringer("from", conn.RemoteAddr()).Msg("disconnected")
}

// disconnect cuts every connection, as a failing network does. Commands live on.
func (s *server) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// halt stops listening, cuts connections and kills what still runs in the process groups that were started here.
func (s *server) halt() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if s.ln != nil {
		_ = s.ln.Close()
	}
	s.disconnect()
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid := range s.running {
		killGroup(pid)
	}
}
