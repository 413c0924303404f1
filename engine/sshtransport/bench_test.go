package sshtransport_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// BenchmarkCommand compares one command on a connection that stands: bare x/crypto/ssh, a check, a durable step.
func BenchmarkCommand(b *testing.B) {
	s := transporttest.StartSSHD(b, transporttest.SSHDOptions{})
	b.Run("bare", func(b *testing.B) {
		c := bareClient(b, s)
		defer c.Close()
		for b.Loop() {
			session, err := c.NewSession()
			require.NoError(b, err)
			session.Stdout = io.Discard
			require.NoError(b, session.Run("true"))
			_ = session.Close()
		}
	})
	tr := open(b, s)
	h := s.Host("db-1")
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, observe(b, tr, h, engine.Command{Argv: []string{"true"}}).Err)
		}
	})
	b.Run("durable", func(b *testing.B) {
		suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: h}
		for b.Loop() {
			require.NoError(b, suite.Start(b.Context(), b, engine.Command{Argv: []string{"true"}}).Err)
		}
	})
}

// bareClient is what somebody would write without this package.
func bareClient(t testing.TB, s *transporttest.SSHD) *ssh.Client {
	t.Helper()
	key, err := os.ReadFile(s.Identity)
	require.NoError(t, err)
	signer, err := ssh.ParsePrivateKey(key)
	require.NoError(t, err)
	pub, err := os.ReadFile(s.HostKeys[0] + ".pub")
	require.NoError(t, err)
	hostKey, _, _, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(string(pub))))
	require.NoError(t, err)
	raw, err := net.Dial("tcp", addr(s))
	require.NoError(t, err)
	c, chans, reqs, err := ssh.NewClientConn(raw, addr(s), &ssh.ClientConfig{User: s.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.FixedHostKey(hostKey), HostKeyAlgorithms: []string{hostKey.Type()}})
	require.NoError(t, err)
	return ssh.NewClient(c, chans, reqs)
}
