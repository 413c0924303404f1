package sshtransport_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// The kernel ends a connection whose data nobody acknowledges when the keepalives would.
func TestUserTimeout(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	var made net.Conn
	tr := open(t, s, func(o *sshtransport.Options) {
		o.DialTCP = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			made = c
			return c, err
		}
	})
	h := s.Host("db-1")
	h.Connection.Keepalive = 7 * time.Second
	require.NoError(t, observe(t, tr, h, echo).Err)
	require.Equal(t, 21000, userTimeout(t, made))
}

// userTimeout is the TCP_USER_TIMEOUT of a connection in milliseconds.
func userTimeout(t *testing.T, c net.Conn) int {
	t.Helper()
	tcp, ok := c.(*net.TCPConn)
	require.True(t, ok)
	raw, err := tcp.SyscallConn()
	require.NoError(t, err)
	ms, e := 0, error(nil)
	require.NoError(t, raw.Control(func(fd uintptr) { ms, e = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, 0x12) }))
	require.NoError(t, e)
	return ms
}
