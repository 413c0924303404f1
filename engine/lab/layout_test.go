package lab

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestConfigOf(t *testing.T) {
	t.Parallel()
	lab := func(name, address string, port int) *runbooks.Host {
		return &runbooks.Host{Name: name, Address: address, Port: port, Environment: runbooks.Lab}
	}
	tests := []struct {
		name  string
		hosts []*runbooks.Host
		want  []string
		err   string
	}{
		{"loopback and lab", []*runbooks.Host{lab("a", "127.0.0.1", 2201), lab("b", "::1", 2201), lab("c", "localhost", 2202), lab("d", "127.9.9.9", 0)},
			[]string{"127.0.0.1:2201", "[::1]:2201", "localhost:2202", "127.9.9.9:22"}, ""},
		{"a real host labelled lab", []*runbooks.Host{lab("a", "10.0.0.1", 22), lab("b", "127.0.0.1", 2201)}, []string{"127.0.0.1:2201"}, ""},
		{"a name is not resolved", []*runbooks.Host{lab("a", "localhost.example.org", 22)}, nil, "no practice hosts"},
		{"a staging server on loopback", []*runbooks.Host{{Name: "a", Address: "127.0.0.1", Port: 2201, Environment: runbooks.Staging}}, nil, "no practice hosts"},
		{"the control host", []*runbooks.Host{{Name: "control", Address: "127.0.0.1", Environment: runbooks.Lab, Control: true}}, nil, "no practice hosts"},
		{"none", nil, nil, `environment = "lab"`},
		{"the same port", []*runbooks.Host{lab("a", "127.0.0.1", 2201), lab("b", "127.0.0.1", 2201)}, nil,
			"practice hosts a and b: both want 127.0.0.1:2201"},
		{"a name that climbs", []*runbooks.Host{lab("..", "127.0.0.1", 2201)}, nil, "cannot be a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := ConfigOf(&runbooks.Project{Dir: "/project", KnownHosts: "keys/hosts", Hosts: tt.hosts})
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, h := range cfg.Hosts {
				got = append(got, h.Endpoint())
			}
			require.Equal(t, tt.want, got)
			require.Equal(t, "/project/.lab", cfg.Dir)
			require.Equal(t, "/project/keys/hosts", cfg.KnownHosts)
		})
	}
}

func TestOpen_filesAndModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), Dir)
	cfg := Config{Dir: dir, Hosts: []Host{{Name: "a", Address: "127.0.0.1"}}}
	l, err := Open(cfg, zerolog.New(io.Discard))
	require.NoError(t, err)
	l.Close()
	for path, mode := range map[string]os.FileMode{
		"": 0o700 | os.ModeDir, "id_ed25519": 0o600, "id_ed25519.pub": 0o644, "keys/a": 0o600, "hosts/a": 0o700 | os.ModeDir,
	} {
		info, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), path)
	}
	ignore, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	require.NoError(t, err)
	require.Equal(t, "*\n", string(ignore))
}

func TestOpen_keysStay(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: filepath.Join(t.TempDir(), Dir), Hosts: []Host{{Name: "a", Address: "127.0.0.1"}}, Fresh: true}
	read := func() (string, string) {
		l, err := Open(cfg, zerolog.New(io.Discard))
		require.NoError(t, err)
		defer l.Close()
		client, err := os.ReadFile(l.Key())
		require.NoError(t, err)
		host, err := os.ReadFile(filepath.Join(cfg.Dir, "keys", "a"))
		require.NoError(t, err)
		return string(client), string(host)
	}
	client, host := read()
	client2, host2 := read()
	require.Equal(t, client, client2)
	require.Equal(t, host, host2)
	require.NotEqual(t, client, host)
}

func TestOpen_damagedKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "id_ed25519"), []byte("not a key"), 0o600))
	_, err := Open(Config{Dir: dir, Hosts: []Host{{Name: "a", Address: "127.0.0.1"}}}, zerolog.Nop())
	require.ErrorContains(t, err, "remove it and run lab up again")
}

func TestSeed(t *testing.T) {
	t.Parallel()
	seed := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(seed, "a", "ledger", "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(seed, "a", "ledger", "bin", "ledger"), []byte("#!/bin/sh\n"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(seed, "a", "ledger", "data"), []byte("1\n"), 0o644))
	cfg := Config{
		Dir: filepath.Join(t.TempDir(), Dir), Seed: seed,
		Hosts: []Host{{Name: "a", Address: "127.0.0.1"}, {Name: "unseeded", Address: "127.0.0.1"}},
	}
	open := func() *Lab {
		l, err := Open(cfg, zerolog.New(io.Discard))
		require.NoError(t, err)
		l.Close()
		return l
	}
	l := open()
	data := filepath.Join(l.Sandbox("a"), "ledger", "data")
	info, err := os.Stat(filepath.Join(l.Sandbox("a"), "ledger", "bin", "ledger"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode())
	require.NoError(t, os.WriteFile(data, []byte("changed\n"), 0o644))

	open()
	got, err := os.ReadFile(data)
	require.NoError(t, err)
	require.Equal(t, "changed\n", string(got), "a sandbox that is there stays")

	cfg.Fresh = true
	open()
	got, err = os.ReadFile(data)
	require.NoError(t, err)
	require.Equal(t, "1\n", string(got))

	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(seed, "a", "link")))
	_, err = Open(cfg, zerolog.Nop())
	require.ErrorContains(t, err, "link: neither a file nor a directory")
}

func TestMergeKnownHosts(t *testing.T) {
	t.Parallel()
	key, err := ensureKey(filepath.Join(t.TempDir(), "k"), "")
	require.NoError(t, err)
	other, err := ensureKey(filepath.Join(t.TempDir(), "k"), "")
	require.NoError(t, err)
	hosts := []Host{{Name: "a", Address: "127.0.0.1", Port: 2201}}
	keys := keysOf(key)
	line := func(k string) string { return "[127.0.0.1]:2201 " + k }
	ours, foreign := authorized(key), authorized(other)
	tests := []struct{ name, before, after, err string }{
		{"new file", "", line(ours) + " continuo-lab\n", ""},
		{"others stay", "# comment\n\nexample.org " + foreign + "\n", "# comment\n\nexample.org " + foreign + "\n" + line(ours) + " continuo-lab\n", ""},
		{"ours is replaced", line(foreign) + " continuo-lab\nexample.org " + foreign + "\n", "example.org " + foreign + "\n" + line(ours) + " continuo-lab\n", ""},
		{"nothing to do", line(ours) + " continuo-lab\n", line(ours) + " continuo-lab\n", ""},
		{"the same key by hand", line(ours) + "\n", line(ours) + "\n" + line(ours) + " continuo-lab\n", ""},
		{"a real host's key", "# first\n" + line(foreign) + "\n", "", ":2: [127.0.0.1]:2201 has a key that is not the practice host's"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "known_hosts")
			if tt.before != "" {
				require.NoError(t, os.WriteFile(path, []byte(tt.before), 0o644))
			}
			err := mergeKnownHosts(path, hosts, keys)
			got, _ := os.ReadFile(path)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.Equal(t, tt.before, string(got), "untouched")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.after, string(got))
			require.NoError(t, mergeKnownHosts(path, hosts, keys))
			again, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, strings.Count(tt.after, "\n"), strings.Count(string(again), "\n"), "merging again adds nothing")
		})
	}
}
