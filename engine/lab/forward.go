package lab

import (
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// forwardTimeout bounds the connect of a forwarded connection.
const forwardTimeout = 10 * time.Second

// forward serves a direct-tcpip channel: jump hosts and TCP probes. Targets off loopback are prohibited. Failures carry
// the words of OpenSSH, because clients tell a refusing port from a silent one by them.
func (s *server) forward(ch ssh.NewChannel) {
	var p struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(ch.ExtraData(), &p); err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, "malformed request")
		return
	}
	if !isLoopback(p.Host) {
		_ = ch.Reject(ssh.Prohibited, "administratively prohibited: practice hosts forward to loopback only")
		return
	}
	address := net.JoinHostPort(p.Host, strconv.FormatUint(uint64(p.Port), 10))
	conn, err := net.DialTimeout("tcp", address, forwardTimeout)
	if err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, dialMessage(err))
		return
	}
	defer conn.Close()
	if !s.track(conn) {
		_ = ch.Reject(ssh.ConnectionFailed, "shutting down")
		return
	}
	defer s.forget(conn)
	channel, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	go ssh.DiscardRequests(requests)
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(channel, conn)
		_ = channel.CloseWrite()
	})
	both.Go(func() {
		_, _ = io.Copy(conn, channel)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	})
	both.Wait()
}

// dialMessage is the reason of a failed connect in the words of the C library, as sshd sends it.
func dialMessage(err error) string {
	var errno syscall.Errno
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Connection refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "Connection timed out"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return "connect failed"
}
