package sshtransport_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// What a host does not say comes from its ssh_config; what that says beyond our list is a warning.
func TestSSHConfig(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	hop := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config"), fmt.Sprintf(`
Host db-*
  HostName %s
  Port %d
  User %s
  IdentityFile %%d/%s
  ProxyJump %s@hop:%d
  ForwardAgent yes
  ConnectTimeout 7
Host hop
  HostName %s
  IdentityFile %s
Host *
  UserKnownHostsFile %s %s
  ServerAliveInterval 5
Host elsewhere
  Compression yes
`, s.Address, s.Port, s.User, strings.TrimPrefix(s.Identity, "/"), hop.User, hop.Port, hop.Address, hop.Identity, s.KnownHosts, hop.KnownHosts))
	var log bytes.Buffer
	var f facts
	open := func() *sshtransport.Transport {
		tr := sshtransport.New(sshtransport.Options{BaseDir: dir, HomeDir: "/", Dial: fast, Log: zerolog.New(&log), Connected: f.add, User: "nobody-at-all"})
		t.Cleanup(func() { require.NoError(t, tr.Close()) })
		return tr
	}
	tr := open()
	h := &runbooks.Host{Name: "primary", Address: "db-1", Port: 22, Connection: runbooks.Connection{SSHConfig: "config", Agent: "none"}}
	r := observe(t, tr, h, echo)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"hop"}, f.last().Via)
	require.Equal(t, s.User, f.last().User)
	require.Contains(t, log.String(), "ForwardAgent is not taken over for db-1")
	require.NotContains(t, log.String(), "Compression")
	require.Equal(t, "db-1", h.Address, "the inventory is not touched")

	own := *h
	own.Name = "own words win"
	own.Connection.User = "somebody-else"
	requireHostError(t, observe(t, tr, &own, echo).Err, engine.ErrUnreachable, "auth", "somebody-else", "")

	for name, c := range map[string]struct{ text, says string }{
		"missing":      {"", "does not exist"},
		"match exec":   {"Match exec \"touch /tmp/never\"\n  Port 1\n", "Match Exec is not supported"},
		"token":        {"Host *\n  IdentityFile /keys/%C\n", "%C is not supported"},
		"criteria":     {"Match host db-1 user nobody\n  Port 1\n", "with further criteria is not supported"},
		"original":     {"Match originalhost db-1\n  Port 1\n", "unsupported Match criterion"},
		"port":         {"Host *\n  Port many\n", "many"},
		"jump to self": {"Host *\n  ProxyJump db-1\n", "leads to itself"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.text != "" {
				write(t, filepath.Join(dir, "config"), c.text)
			}
			tr := sshtransport.New(sshtransport.Options{BaseDir: dir, Dial: fast})
			defer tr.Close()
			h := &runbooks.Host{Name: "primary", Address: "db-1", Connection: runbooks.Connection{SSHConfig: "config", ConnectTimeout: time.Second}}
			r := observe(t, tr, h, echo)
			requireHostError(t, r.Err, engine.ErrUnreachable, "configuration", c.says, "")
		})
	}
}

// Match, Include and the keepalives of OpenSSH.
func TestSSHConfigBlocks(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config"), fmt.Sprintf(`
Include %s/more/*.conf   # those of the team
Host elsewhere
  Include %s/never.conf
Match host db-*,!db-9
  Port %d
Match all
  UserKnownHostsFile %s
  Port 1
`, dir, dir, s.Port, s.KnownHosts))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "more"), 0o700))
	write(t, filepath.Join(dir, "more", "a.conf"), fmt.Sprintf("Host db-*\n  HostName %s\n  IdentityFile %s\n  Compression yes\n", s.Address, s.Identity))
	write(t, filepath.Join(dir, "more", "b.conf"), fmt.Sprintf("Match host db-1\n  User %s\n  ServerAliveInterval 2\n  ServerAliveCountMax 6\n  GSSAPIAuthentication yes\nHost other\n  Tunnel yes\n", s.User))
	write(t, filepath.Join(dir, "never.conf"), "RemoteForward 1 2\n")
	var log bytes.Buffer
	var made net.Conn
	tr := sshtransport.New(sshtransport.Options{BaseDir: dir, HomeDir: dir, Dial: fast, Log: zerolog.New(&log), User: "nobody-at-all",
		DialTCP: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			made = c
			return c, err
		}})
	t.Cleanup(func() { require.NoError(t, tr.Close()) })
	h := &runbooks.Host{Name: "primary", Address: "db-1", Port: 22, Connection: runbooks.Connection{SSHConfig: "config", Agent: "none"}}
	require.NoError(t, observe(t, tr, h, echo).Err)
	require.Equal(t, addr(s), made.RemoteAddr().String())
	require.Contains(t, log.String(), "a.conf:4: Compression is not taken over for db-1")
	require.Contains(t, log.String(), "b.conf:5: GSSAPIAuthentication is not taken over for db-1")
	require.NotContains(t, log.String(), "Tunnel")
	require.NotContains(t, log.String(), "RemoteForward")
	if runtime.GOOS == "linux" {
		require.Equal(t, 12000, userTimeout(t, made), "two seconds, six times")
	}

	write(t, filepath.Join(dir, "more", "c.conf"), "Match exec \"touch "+dir+"/executed\"\n  Port 2\n")
	other := *h
	other.Name = "another"
	requireHostError(t, observe(t, tr, &other, echo).Err, engine.ErrUnreachable, "configuration", "Match Exec is not supported", "")
	require.NoFileExists(t, filepath.Join(dir, "executed"))
}
