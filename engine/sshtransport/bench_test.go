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

func BenchmarkShells(b *testing.B) {
	s := transporttest.StartSSHD(b, transporttest.SSHDOptions{})
	c := bareClient(b, s)
	defer c.Close()
	for name, in := range map[string]string{"1 sh -s true": "true\n", "2 sh -s exec": "exec true </dev/null\n", "3 text": benchText} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				session, err := c.NewSession()
				require.NoError(b, err)
				session.Stdout = io.Discard
				session.Stdin = strings.NewReader(in)
				require.NoError(b, session.Run("/bin/sh -s"))
				_ = session.Close()
			}
		})
	}
}

const benchText = `{
if [ -d /usr/lib/locale/C.utf8 ] || [ -d /usr/lib/locale/C.UTF-8 ]; then LC_ALL=C.UTF-8; else LC_ALL=C; fi
export LC_ALL
CDPATH= cd "${HOME:-/}" 2>/dev/null || cd /
command -v 'true' >/dev/null 2>&1 || { echo N refused program; exit 126; }
echo N ok $$ $PPID
echo N ok >&2
exec 'true' </dev/null
}
`
