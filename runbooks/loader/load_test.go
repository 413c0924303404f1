package loader_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// Every example of the repository is a valid project of the whole language.
func TestLoad_examples(t *testing.T) {
	t.Parallel()
	var dirs []string
	for _, pattern := range []string{"../../examples/*", "../../examples/*/*"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, d := range found {
			if files, _ := filepath.Glob(filepath.Join(d, "*.hcl")); len(files) > 0 {
				dirs = append(dirs, d)
			}
		}
	}
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			p, ds, err := loader.Load(dir, loader.Options{})
			require.NoError(t, err)
			require.Empty(t, ds)
			require.NotEmpty(t, p.Runbooks)
		})
	}
}

func valid(t *testing.T, src string) *runbooks.Project {
	t.Helper()
	p, ds := load(t, src, loader.Options{})
	require.Empty(t, ds)
	return p
}

func TestLoad_connectionPrecedence(t *testing.T) {
	t.Parallel()
	p := valid(t, `
project "p" {
  environment = "staging"
  connection {
    user            = "project"
    port            = 2200
    connect_timeout = "5s"
    via             = host.bastion
  }
  become { method = "sudo" }
}
secret "sudo" { env = "SUDO" }
host "bastion" {
  address = "bastion.example.org"
  connection { plain = true }
}
host "inner" {
  address     = "10.0.0.1"
  port        = 22
  environment = "production"
  connection {
    user = "host"
    via  = host.bastion
  }
  become { password = secret.sudo }
}
fleet "web" {
  for_each = ["a", "b"]
  name     = "web-${each.value}"
  address  = "10.0.1.${each.key}"
  connection {
    user           = "fleet"
    identity_files = ["~/.ssh/web"]
  }
}
`)
	bastion, inner, web := p.Host("bastion"), p.Host("inner"), p.Host("web-b")
	require.Nil(t, bastion.Connection.Via, "the project's jump host is not reached through itself")
	require.Equal(t, "project", bastion.Connection.User)
	require.Equal(t, 2200, bastion.Port)
	require.True(t, bastion.Connection.Plain)
	require.Equal(t, runbooks.Staging, bastion.Environment)

	require.Equal(t, "host", inner.Connection.User)
	require.Equal(t, 22, inner.Port, "the host's own port wins over a connection's")
	require.Same(t, bastion, inner.Connection.Via)
	require.Equal(t, 5*time.Second, inner.Connection.ConnectTimeout)
	require.False(t, inner.Connection.Plain)
	require.Equal(t, runbooks.Production, inner.Environment)
	require.Equal(t, runbooks.BecomeMethod{Method: "sudo", Password: "sudo"}, inner.Become)

	require.Equal(t, "fleet", web.Connection.User)
	require.Equal(t, []string{"~/.ssh/web"}, web.Connection.IdentityFiles)
	require.Same(t, bastion, web.Connection.Via)
	require.Equal(t, "10.0.1.1", web.Address)
	require.Equal(t, 22, valid(t, "host \"a\" {\n  address = \"a\"\n}\n").Host("a").Port)
	require.Len(t, p.Groups, 1, "a fleet is a group")
	require.Len(t, p.Groups[0].Hosts, 2)
}

func TestLoad_environmentIsProtectedByDefault(t *testing.T) {
	t.Parallel()
	p := valid(t, "host \"a\" {\n  address = \"a\"\n}\n")
	require.Equal(t, runbooks.Production, p.Environment)
	require.Equal(t, runbooks.Production, p.Host("a").Environment)
}

func TestLoad_labelsWithoutGaps(t *testing.T) {
	t.Parallel()
	p := valid(t, `
host "a" {
  address = "a"
  labels  = { tier = "db" }
}
host "b" {
  address = "b"
}
group "db" {
  hosts = [for h in inventory : h if h.labels.tier == "db"]
}
`)
	require.Equal(t, map[string]string{"tier": ""}, p.Host("b").Labels)
	require.Len(t, p.Groups[0].Hosts, 1)
	require.Same(t, p.Host("a"), p.Groups[0].Hosts[0])
}

const defaultsProject = `
host "db" {
  address = "db"
}
runbook "r" {
  phase "p" {
    hosts       = host.db
    become      = "postgres"
    working_dir = "/srv"
    timeout     = "2m"
    env         = { A = "phase", B = "phase" }
    step "s" {
      script      = "echo"
      interpreter = ["/bin/bash"]
      env         = { B = "item", C = "item" }
      verify {
        script = "true"
        env    = { C = "verify" }
      }
      rollback {
        argv        = ["true"]
        become      = "root"
        hosts       = control
        timeout     = "5s"
        working_dir = "/"
      }
    }
    check "port" {
      tcp { address = "db:5432" }
    }
    wait "w" { duration = "1s" }
  }
}
`

func TestLoad_phaseDefaults(t *testing.T) {
	t.Parallel()
	rb := valid(t, defaultsProject).Runbooks[0]
	s := rb.Item("step.s")
	require.Equal(t, "host.db", s.Hosts.Text())
	require.Equal(t, `"postgres"`, s.Become.Text())
	require.Equal(t, `"/srv"`, s.WorkingDir.Text())
	require.Equal(t, 2*time.Minute, s.Timeout)
	require.Equal(t, [][2]string{{"A", `"phase"`}, {"B", `"phase"`}, {"B", `"item"`}, {"C", `"item"`}}, env(s.Env), "later ones override")

	v := s.Verify
	require.Equal(t, "host.db", v.Hosts.Text())
	require.Equal(t, []string{"/bin/bash"}, v.Command.Interpreter)
	require.Equal(t, 2*time.Minute, v.Timeout)
	require.Equal(t, [2]string{"C", `"verify"`}, env(v.Env)[4])

	r := s.Rollback
	require.Equal(t, "control", r.Hosts.Text())
	require.Equal(t, `"root"`, r.Become.Text())
	require.Equal(t, `"/"`, r.WorkingDir.Text())
	require.Equal(t, 5*time.Second, r.Timeout)
	require.Empty(t, r.Command.Interpreter)

	require.Nil(t, rb.Item("check.port").Hosts, "a tcp check without from is seen from the control host")
	require.Zero(t, rb.Item("wait.w").Timeout)
}

func env(vars []runbooks.EnvVar) [][2]string {
	var out [][2]string
	for _, v := range vars {
		out = append(out, [2]string{v.Name, v.Value.Text()})
	}
	return out
}

// The order of files never matters, and loading twice gives the same.
func TestLoad_deterministic(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/spec/types/places.hcl")
	require.NoError(t, err)
	_, first := load(t, string(src), loader.Options{})
	require.NotEmpty(t, first)
	for range 5 {
		_, again := load(t, string(src), loader.Options{})
		require.Equal(t, first, again)
	}
}

func TestLoad_files(t *testing.T) {
	t.Parallel()
	p := valid(t, `-- a.hcl --
project "p" {
  known_hosts = "keys"
}
-- b.hcl --
runbook "r" {
  phase "p" {
    step "s" {
      hosts  = control
      script = file("scripts/x.sh")
    }
  }
}
-- .hidden.hcl --
not read {
-- sub/c.hcl --
not read {
-- keys --
db ssh-ed25519 AAAA
-- allowed_signers --
-- scripts/x.sh --
true
-- scripts/y.sh --
not part of it
`)
	var paths []string
	for _, f := range p.Files {
		paths = append(paths, f.Path)
	}
	require.Equal(t, []string{"a.hcl", "allowed_signers", "b.hcl", "keys", "scripts/x.sh"}, paths)
	require.Equal(t, "true\n", string(p.Files[4].Data))
	require.Equal(t, "/project", p.Dir)
	require.Equal(t, "p", p.Name)
}

func TestLoad_directory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("a.hcl", "locals {\n  x = file(\"inside\")\n}\nhost \"a\" {\n  address = local.x\n}\n")
	write("real", "10.0.0.1")
	require.NoError(t, os.Symlink("real", filepath.Join(dir, "inside")))
	p, ds, err := loader.Load(dir, loader.Options{})
	require.NoError(t, err)
	require.Empty(t, ds)
	require.Equal(t, "10.0.0.1", p.Host("a").Address, "a link inside the project is followed")
	require.Equal(t, dir, p.Dir)
	require.Equal(t, filepath.Base(dir), p.Name, "the directory's name, when no project block says another")

	outside := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("10.0.0.2"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "inside")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "inside")))
	_, ds, err = loader.Load(dir, loader.Options{})
	require.NoError(t, err)
	require.True(t, ds.HasErrors())
	require.Contains(t, ds[0].Summary+ds[0].Detail, "outside the project")

	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "b.hcl")))
	_, ds, err = loader.Load(dir, loader.Options{})
	require.NoError(t, err)
	require.Equal(t, "CON-P004", ds[0].Code)
}

func TestLoad_unreadable(t *testing.T) {
	t.Parallel()
	_, _, err := loader.Load(filepath.Join(t.TempDir(), "absent"), loader.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Contains(t, err.Error(), "absent")

	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d.hcl"), 0o700))
	_, ds, err := loader.Load(dir, loader.Options{})
	require.NoError(t, err)
	require.Equal(t, "CON-P001", ds[0].Code, "a directory of that name is no file")
}

func TestLoad_requiredVersion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		want, have string
		ok         bool
	}{
		{">= 0.1", "0.1.0", true}, {">= 0.1", "v0.2.3", true}, {">= 0.3", "0.2.9", false}, {">= 0.1, < 1", "1.0.0", false},
		{"< 1", "0.9.0", true}, {"= 1.2.3", "1.2.3", true}, {"1.2.3", "1.2.4", false}, {"!= 1.2.3", "1.2.3", false}, {"> 1", "1.0.1", true},
		{"<= 1.0.0", "1.0.0", true}, {">= 9", "dev", true}, {">= 9", "", true},
	}
	for _, tt := range tests {
		_, ds := load(t, "project \"p\" {\n  required_version = \""+tt.want+"\"\n}\n", loader.Options{Version: tt.have})
		require.Equal(t, tt.ok, !ds.HasErrors(), "%s with %s: %v", tt.want, tt.have, ds)
		if !tt.ok {
			require.Equal(t, "CON-P002", ds[0].Code)
		}
	}
}

func TestLoad_limits(t *testing.T) {
	t.Parallel()
	limits := loader.DefaultLimits()
	limits.Files = 2
	fsys := fstest.MapFS{"a.hcl": {Data: nil}, "b.hcl": {Data: nil}, "c.hcl": {Data: nil}}
	_, ds, err := loader.LoadFS(fsys, "/p", loader.Options{Limits: limits})
	require.NoError(t, err)
	require.Equal(t, "CON-P004", ds[0].Code)
	require.Contains(t, ds[0].Summary, "more files")

	limits = loader.DefaultLimits()
	limits.TotalBytes = 100
	fsys = fstest.MapFS{"a.hcl": {Data: []byte("# " + strings.Repeat("x", 70) + "\n")}, "b.hcl": {Data: []byte("# " + strings.Repeat("x", 70) + "\n")}}
	_, ds, err = loader.LoadFS(fsys, "/p", loader.Options{Limits: limits})
	require.NoError(t, err)
	require.Equal(t, "CON-G001", ds[0].Code)
	require.Equal(t, "b.hcl", ds[0].Range.File)
}
