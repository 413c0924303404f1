package sshtransport_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// Case 12: two hops, every key checked.
func TestJumpHosts(t *testing.T) {
	t.Parallel()
	var servers []*transporttest.SSHD
	var known []string
	for range 3 {
		s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
		servers = append(servers, s)
		known = append(known, s.KnownHosts)
	}
	first, second, target := servers[0].Host("bastion-1"), servers[1].Host("bastion-2"), servers[2].Host("db-1")
	second.Connection.Via = first
	target.Connection.Via = second
	t.Run("reached", func(t *testing.T) {
		t.Parallel()
		var f facts
		tr := open(t, servers[0], func(o *sshtransport.Options) { o.KnownHosts, o.Connected = known, f.add })
		r := observe(t, tr, target, echo)
		require.NoError(t, r.Err)
		require.Equal(t, "hi\n", r.Stdout)
		require.Equal(t, 3, f.count())
		require.Equal(t, []string{"bastion-1", "bastion-2"}, f.last().Via)
		state, err := tr.ProbeTCP(t.Context(), target, addr(servers[0]))
		require.NoError(t, err)
		require.Equal(t, engine.TCPOpen, state)
		key, err := tr.Scan(t.Context(), target, "")
		require.NoError(t, err)
		require.Equal(t, f.last().HostKey, key.Fingerprint)
	})
	for i, name := range []string{"bastion-1", "bastion-2", "db-1"} {
		t.Run("key of "+name+" unknown", func(t *testing.T) {
			t.Parallel()
			var rest []string
			for j, k := range known {
				if j != i {
					rest = append(rest, k)
				}
			}
			tr := open(t, servers[0], func(o *sshtransport.Options) { o.KnownHosts = rest })
			r := observe(t, tr, target, echo)
			requireHostError(t, r.Err, engine.ErrUnreachable, "host-key", "host key unknown", "continuo trust add "+name)
			if name != "db-1" {
				require.Contains(t, r.Err.Error(), "jump host "+name)
			}
		})
	}
	t.Run("more targets than may be dialled at once", func(t *testing.T) {
		t.Parallel()
		var f facts
		tr := open(t, servers[0], func(o *sshtransport.Options) {
			o.KnownHosts, o.Connected = known, f.add
			o.Dial = sshtransport.DialLimits{Attempts: 1, Concurrent: 2, ConcurrentPerJump: 1}
		})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				h := servers[2].Host(fmt.Sprint("db-", i))
				h.Connection.Via = second
				if r := observe(t, tr, h, echo); r.Err != nil {
					t.Error(r.Err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 10, f.count())
	})
	t.Run("hop cannot reach the target", func(t *testing.T) {
		t.Parallel()
		tr := open(t, servers[0], func(o *sshtransport.Options) { o.KnownHosts = known })
		h := servers[2].Host("db-9")
		h.Port = 1
		h.Connection.Via = servers[0].Host("bastion-1")
		requireHostError(t, observe(t, tr, h, echo).Err, engine.ErrUnreachable, "dial", "jump host bastion-1 cannot reach it", "")
	})
}

// Case 13: every form of known_hosts entry.
func TestKnownHostsForms(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{KeyTypes: []string{"ecdsa", "rsa", "ed25519"}})
	key := func(i int) string {
		data, err := os.ReadFile(s.HostKeys[i] + ".pub")
		require.NoError(t, err)
		return strings.Join(strings.Fields(string(data))[:2], " ")
	}
	hashed := filepath.Join(t.TempDir(), "hashed")
	write(t, hashed, shown(s)+" "+key(0)+"\n")
	keygen(t, "-H", "-f", hashed)
	hashedText, err := os.ReadFile(hashed)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(hashedText), "|1|"))
	for name, c := range map[string]struct{ known, alias, kind string }{
		"only ed25519":           {shown(s) + " " + key(2), "", "ssh-ed25519"},
		"only ecdsa":             {shown(s) + " " + key(0), "", "ecdsa-sha2-nistp256"},
		"only rsa":               {shown(s) + " " + key(1), "", "ssh-rsa"},
		"hashed":                 {string(hashedText), "", "ecdsa-sha2-nistp256"},
		"several names":          {"other," + shown(s) + " " + key(2), "", "ssh-ed25519"},
		"wildcard":               {"127.0.0.* " + key(2), "", "ssh-ed25519"},
		"wildcard and port":      {strings.Replace(shown(s), "0.1]", "0.*]", 1) + " " + key(2), "", "ssh-ed25519"},
		"all but another":        {"!127.0.0.2,127.0.0.* " + key(2), "", "ssh-ed25519"},
		"alias":                  {"the-db " + key(2), "the-db", "ssh-ed25519"},
		"two keys, one is wrong": {shown(s) + " " + key(2) + "\nelsewhere " + key(0), "", "ssh-ed25519"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "known_hosts")
			write(t, file, c.known+"\n")
			var f facts
			tr := open(t, s, func(o *sshtransport.Options) {
				o.KnownHosts, o.Connected = []string{"/nonsuch/known_hosts", file}, f.add
			})
			h := s.Host("db-1")
			h.Connection.HostKeyAlias = c.alias
			require.NoError(t, observe(t, tr, h, echo).Err)
			require.Equal(t, c.kind, f.last().HostKeyType)
		})
	}
}

// Case 14: host certificates.
func TestHostCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca")
	transporttest.Keygen(t, "ed25519", ca)
	caKey, err := os.ReadFile(ca + ".pub")
	require.NoError(t, err)
	line := strings.Join(strings.Fields(string(caKey))[:2], " ")
	for name, c := range map[string]struct {
		principals, validity, known, says string
	}{
		"good":            {"db-1.example.org", "-1m:+1h", "@cert-authority *.example.org " + line, ""},
		"wrong principal": {"db-2.example.org", "-1m:+1h", "@cert-authority *.example.org " + line, "host certificate refused"},
		"expired":         {"db-1.example.org", "-2h:-1h", "@cert-authority *.example.org " + line, "expired"},
		"other authority": {"db-1.example.org", "-1m:+1h", "@cert-authority *.elsewhere.org " + line, "no authorities for hostname"},
		"revoked CA":      {"db-1.example.org", "-1m:+1h", "@cert-authority *.example.org " + line + "\n@revoked * " + line, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := filepath.Join(t.TempDir(), "host")
			transporttest.Keygen(t, "ed25519", host)
			keygen(t, "-s", ca, "-I", "host", "-h", "-n", c.principals, "-V", c.validity, host+".pub")
			s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"HostKey " + host, "HostCertificate " + host + "-cert.pub"}})
			file := filepath.Join(t.TempDir(), "known_hosts")
			write(t, file, c.known+"\n")
			var f facts
			tr := open(t, s, func(o *sshtransport.Options) { o.KnownHosts, o.Connected = []string{file}, f.add })
			h := s.Host("db-1")
			h.Connection.HostKeyAlias = "db-1.example.org"
			r := observe(t, tr, h, echo)
			if c.says == "" {
				require.NoError(t, r.Err)
				require.Equal(t, "ssh-ed25519-cert-v01@openssh.com", f.last().HostKeyType)
				return
			}
			requireHostError(t, r.Err, engine.ErrUnreachable, "host-key", c.says, "")
			require.NotContains(t, s.Log(), "Accepted")
		})
	}
}
