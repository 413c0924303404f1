package sshtransport_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

func TestTrust(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{KeyTypes: []string{"rsa", "ed25519"}})
	other := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	file := filepath.Join(t.TempDir(), "known_hosts")
	tr := sshtransport.New(sshtransport.Options{KnownHosts: []string{file}, Dial: fast})
	defer tr.Close()
	h := s.Host("db-1")
	key, err := tr.Scan(t.Context(), h, "")
	require.NoError(t, err)
	require.Equal(t, "ssh-ed25519", key.Type, "the best one first")
	require.Equal(t, shown(s), key.Address)
	out, err := exec.Command("ssh-keygen", "-l", "-f", s.HostKeys[1]).Output()
	require.NoError(t, err)
	require.Equal(t, strings.Fields(string(out))[1], key.Fingerprint)
	require.NotContains(t, s.Log(), "Accepted", "nothing is authenticated")
	rsa, err := tr.Scan(t.Context(), h, "rsa")
	require.NoError(t, err)
	require.Equal(t, "ssh-rsa", rsa.Type)
	_, err = tr.Scan(t.Context(), h, "ecdsa")
	require.Error(t, err)

	known, err := sshtransport.ListKnownHosts(file)
	require.NoError(t, err)
	require.Empty(t, known)
	for _, want := range []bool{true, false} {
		added, err := sshtransport.AddKnownHost(file, key)
		require.NoError(t, err)
		require.Equal(t, want, added)
	}
	added, err := sshtransport.AddKnownHost(file, rsa)
	require.NoError(t, err)
	require.True(t, added, "another type is another key")
	r := observe(t, open(t, s, func(o *sshtransport.Options) { o.KnownHosts = []string{file} }), h, echo)
	require.NoError(t, r.Err)

	foreign, err := tr.Scan(t.Context(), other.Host("db-2"), "")
	require.NoError(t, err)
	foreign.Address = key.Address
	_, err = sshtransport.AddKnownHost(file, foreign)
	require.ErrorIs(t, err, sshtransport.ErrOtherKey)
	require.Contains(t, err.Error(), "known_hosts:1")

	known, err = sshtransport.ListKnownHosts(file)
	require.NoError(t, err)
	require.Len(t, known, 2)
	require.Equal(t, key.Fingerprint, known[0].Fingerprint)
	removed, err := sshtransport.RemoveKnownHost(file, h)
	require.NoError(t, err)
	require.Len(t, removed, 2)
	removed, err = sshtransport.RemoveKnownHost(file, h)
	require.NoError(t, err)
	require.Empty(t, removed)
}

func TestKnownHostsEditing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	transporttest.Keygen(t, "ed25519", filepath.Join(dir, "k"))
	pub, err := os.ReadFile(filepath.Join(dir, "k.pub"))
	require.NoError(t, err)
	key := strings.Join(strings.Fields(string(pub))[:2], " ")
	file := filepath.Join(dir, "known_hosts")
	write(t, file, "[127.0.0.1]:2222 "+key+"\n")
	keygen(t, "-H", "-f", file)
	hashed, err := os.ReadFile(file)
	require.NoError(t, err)
	keep := "# comment\n\n*.example.org " + key + "\n@revoked [127.0.0.1]:2222 " + key + "\nnot a line that anybody understands\n"
	write(t, file, keep+"a,[127.0.0.1]:2222,b "+key+" why\n"+string(hashed))
	s := &transporttest.SSHD{Address: "127.0.0.1", Port: 2222}
	removed, err := sshtransport.RemoveKnownHost(file, s.Host("db-1"))
	require.NoError(t, err)
	require.Len(t, removed, 2)
	require.Equal(t, 6, removed[0].Line)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, keep+"a,b "+key+" why\n", string(data))
	_, err = sshtransport.ListKnownHosts(file)
	require.ErrorContains(t, err, "known_hosts:5")

	authority := filepath.Join(dir, "authority")
	k, err := sshtransport.AddAuthority(authority, "*.example.org", string(pub))
	require.NoError(t, err)
	require.Equal(t, "test", k.Comment)
	known, err := sshtransport.ListKnownHosts(authority)
	require.NoError(t, err)
	require.Equal(t, "@cert-authority", known[0].Marker)
	require.Equal(t, []string{"*.example.org"}, known[0].Names)
	_, err = sshtransport.AddAuthority(authority, "a b", string(pub))
	require.Error(t, err)
	_, err = sshtransport.AddAuthority(authority, "a", "no key")
	require.Error(t, err)
}
