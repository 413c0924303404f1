package examples

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newPostgres is a copy of the example on free ports with its servers up. It skips where the servers are not installed.
func newPostgres(t *testing.T) *project {
	t.Helper()
	requirePostgres(t)
	// The account that owns the databases should be able to reach the copy: not below a private directory.
	dir, err := os.MkdirTemp("", "continuo-postgres-") //nolint:usetesting // t.TempDir is below a private directory
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	p := copyExample(t, "postgres-failover", dir)
	ssh, pg := freePort(t, "127.0.0.11"), freePort(t, "127.0.0.11")
	p.replace("settings.sh", `ssh_port=22022`, "ssh_port="+ssh)
	p.replace("settings.sh", `pg_port=54321`, "pg_port="+pg)
	p.replace("project.hcl", `port( +)= 22022`, "port$1= "+ssh)
	p.replace("project.hcl", `pg_port = 54321`, "pg_port = "+pg)
	t.Cleanup(func() {
		out, errOut, code := p.exec("./down")
		require.Zero(t, code, "%s\n%s", out, errOut)
		require.NoDirExists(t, filepath.Join(dir, ".drill"))
	})
	out, errOut, code := p.exec("./up")
	require.Zero(t, code, "%s\n%s", out, errOut)
	return p
}

// requirePostgres wants what the example's README says it needs.
func requirePostgres(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
		missing(t, "an OpenSSH server (apt-get install openssh-server)")
	}
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) == 0 {
		missing(t, "a PostgreSQL server (apt-get install postgresql)")
	}
	if me, err := user.Current(); err == nil && me.Uid != "0" && me.Username != "postgres" &&
		exec.Command("sudo", "-n", "-u", "postgres", "true").Run() != nil {
		missing(t, "a way to become the user postgres")
	}
}

// on runs a command on a host with the system's own ssh client: what the tests say about the servers does not come from
// the program under test.
func (p *project) on(address, command string) string {
	p.t.Helper()
	settings, err := os.ReadFile(filepath.Join(p.dir, "settings.sh"))
	require.NoError(p.t, err)
	_, port, _ := strings.Cut(string(settings), "ssh_port=")
	port, _, _ = strings.Cut(port, "\n")
	out, errOut, code := p.exec("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
		"-o", "UserKnownHostsFile=.drill/known_hosts", "-o", "GlobalKnownHostsFile=none", "-i", ".drill/id_ed25519",
		"-p", port, "-l", "postgres", address, command)
	require.Zero(p.t, code, "%s: %s", command, errOut)
	return strings.TrimSpace(out)
}

const (
	dbA, dbB, app = "127.0.0.11", "127.0.0.12", "127.0.0.13"
	inRecovery    = `psql -XAtqc 'select pg_is_in_recovery()'`
)

func TestPostgresFailover(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	_, errOut, code := p.exec("./up")
	require.Zero(t, code, "up can be repeated: %s", errOut)
	p.continuo(0, "validate")

	t.Log("rehearsal")
	dry := p.run(0, "failover")
	require.Equal(t, "ready", dry.Verdict)
	require.Equal(t, "exercised", dry.outcome("check.lag", "db-a"))
	require.Equal(t, "not-exercised", dry.outcome("step.promote", ""))
	require.Equal(t, "t", p.on(dbB, inRecovery), "the standby is still a standby")
	require.Equal(t, "f", p.on(dbA, inRecovery))
	require.Equal(t, "off", p.on(dbA, `psql -XAtqc 'show default_transaction_read_only'`))
	require.Empty(t, dry.Objectives)
	requireNoRecoveryTime(t, dry.Bundle)
	p.continuo(0, "verify", dry.Bundle)

	t.Log("drill")
	live := p.run(0, "failover", "--live", "--yes")
	require.Equal(t, "passed", live.Verdict, "%+v", live)
	require.Empty(t, live.Deviations)
	require.Equal(t, "f", p.on(dbB, inRecovery), "promoted")
	require.Len(t, live.Objectives, 3)
	for _, o := range live.Objectives {
		require.NotNil(t, o.AchievedS, "%s was measured", o.Name)
		require.NotNil(t, o.Met)
		require.True(t, *o.Met, "%s: %f s of %f s", o.Name, *o.AchievedS, o.TargetS)
	}
	require.Equal(t, "succeeded", live.outcome("check.nothing-lost", "app"))
	require.Equal(t, "0", p.on(app, "payments lost"), "no acknowledged payment is missing")
	require.Equal(t, dbB, p.on(app, "payments database"))

	t.Log("evidence")
	p.continuo(0, "verify", live.Bundle)
	requireStandardToolsAgree(t, p, live.Bundle)
	requireEveryChangedByteIsFound(t, p, live.Bundle)

	t.Log("the drill becomes a test, which passes unchanged")
	requireRecordedTestPasses(t, p, live)

	_, errOut, code = p.exec("./up")
	require.Equal(t, 1, code)
	require.Contains(t, errOut, "a drill has moved the database to db-b")

	t.Log("and back")
	require.Equal(t, "ready", p.run(0, "failback").Verdict)
	back := p.run(0, "failback", "--live", "--yes")
	require.Equal(t, "passed", back.Verdict, "%+v", back)
	require.Equal(t, "f", p.on(dbA, inRecovery))
	require.Equal(t, "t", p.on(dbB, inRecovery))
	require.Equal(t, dbA, p.on(app, "payments database"))
	_, errOut, code = p.exec("./up")
	require.Zero(t, code, "everything is as it was: %s", errOut)

	t.Log("the comparison that found nothing missing does find what is missing")
	require.Equal(t, "0", p.on(app, "payments lost"))
	p.on(dbA, `psql -XAtqc 'delete from payments where id = 3'`)
	require.Equal(t, "1", p.on(app, "payments lost"))
}

// requireRecordedTestPasses makes a test of the drill. What the database said that day, the simulated one says.
func requireRecordedTestPasses(t *testing.T, p *project, live runDocument) {
	t.Helper()
	require.Contains(t, p.continuo(0, "test", "--record", live.Run), "it passes")
	file := "failover-" + live.Run + ".test.hcl"
	written, err := os.ReadFile(filepath.Join(p.dir, file))
	require.NoError(t, err)
	require.Contains(t, string(written), `expect {`)
	require.Contains(t, p.continuo(0, "test", "failover", "--run", live.Run), "1 passed, 0 failed")
	p.continuo(0, "fmt", "--check")
	p.continuo(4, "test", "--record", live.Run) // never over a file that is there
	unchanged, err := os.ReadFile(filepath.Join(p.dir, file))
	require.NoError(t, err)
	require.Equal(t, string(written), string(unchanged))
	require.NoError(t, os.Remove(filepath.Join(p.dir, file)))
}

// requireNoRecoveryTime reads every line that a rehearsal recorded: none states an achieved time or recovery point.
func requireNoRecoveryTime(t *testing.T, bundle string) {
	t.Helper()
	journal, err := os.ReadFile(filepath.Join(bundle, "journal.jsonl"))
	require.NoError(t, err)
	require.Contains(t, string(journal), `"mode":"dry-run"`)
	for _, live := range []string{"objective.measured", "mark.set", `"mode":"live"`, "item.intent"} {
		require.NotContains(t, string(journal), live)
	}
	report, err := os.ReadFile(filepath.Join(bundle, "report.json"))
	require.NoError(t, err)
	require.NotContains(t, string(report), "achieved")
	require.NotContains(t, strings.ToLower(string(report)), `"passed"`)
}

// requireStandardToolsAgree checks a bundle as an auditor without continuo does.
func requireStandardToolsAgree(t *testing.T, p *project, bundle string) {
	t.Helper()
	auditor := &project{t: t, dir: bundle, env: p.env}
	out, errOut, code := auditor.exec("sha256sum", "-c", "SHA256SUMS")
	require.Zero(t, code, "%s%s", out, errOut)
	signers := executorSigners(t, p)
	verify := exec.CommandContext(t.Context(), "ssh-keygen", "-Y", "verify", "-f", signers, "-I", "executor", "-n", "evidence@continuo",
		"-s", filepath.Join(bundle, "SHA256SUMS.sig"))
	sums, err := os.Open(filepath.Join(bundle, "SHA256SUMS"))
	require.NoError(t, err)
	defer sums.Close()
	verify.Stdin = sums
	said, err := verify.CombinedOutput()
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), "Good")
}

// requireEveryChangedByteIsFound changes the middle byte of each file of a bundle, one file at a time.
func requireEveryChangedByteIsFound(t *testing.T, p *project, bundle string) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), filepath.Base(bundle))
	require.NoError(t, os.CopyFS(copied, os.DirFS(bundle)))
	files := 0
	require.NoError(t, filepath.WalkDir(copied, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		name, err := filepath.Rel(copied, path)
		require.NoError(t, err)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotEmpty(t, data, "%s: an empty file has no byte to change", name)
		require.NoError(t, os.Chmod(path, 0o600))
		changed := bytes.Clone(data)
		changed[len(data)/2] ^= 1
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		out, errOut, code := p.exec(binary, "verify", copied)
		require.Equal(t, 6, code, "%s was changed\n%s\n%s", name, out, errOut)
		require.Contains(t, out+errOut, filepath.ToSlash(name), "the changed file is named")
		return os.WriteFile(path, data, 0o600)
	}))
	require.GreaterOrEqual(t, files, 12, "README, sums, signature, seal, journal, plan, project, reports")
	p.continuo(0, "verify", copied)
}

// executorSigners makes an allowed_signers file of the key that this machine signs with, as its owner hands it out.
func executorSigners(t *testing.T, p *project) string {
	t.Helper()
	var key string
	for _, e := range p.env {
		if dir, ok := strings.CutPrefix(e, "XDG_STATE_HOME="); ok {
			found, err := filepath.Glob(filepath.Join(dir, "continuo", "*.pub"))
			require.NoError(t, err)
			require.Len(t, found, 1, "the executor key, made on first use")
			data, err := os.ReadFile(found[0])
			require.NoError(t, err)
			key = string(data)
		}
	}
	path := filepath.Join(t.TempDir(), "signers")
	require.NoError(t, os.WriteFile(path, []byte("executor namespaces=\"evidence@continuo\" "+key), 0o600))
	return path
}

// TestPostgresFailover_laggingStandby stops the replay: the assessment must hold the failover back.
func TestPostgresFailover_laggingStandby(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	p.on(dbB, `psql -XAtqc 'select pg_wal_replay_pause()'`)
	out := p.continuo(1, "run", "--json", "failover", "--var", "max_lag_bytes=1")
	var dry runDocument
	require.NoError(t, json.Unmarshal([]byte(out), &dry))
	require.Equal(t, "not-ready", dry.Verdict)
	require.Equal(t, "failed", dry.outcome("check.lag", "db-a"))

	live := p.run(1, "failover", "--live", "--yes", "--var", "max_lag_bytes=1")
	require.Equal(t, "failed", live.Verdict)
	require.Equal(t, "t", p.on(dbB, inRecovery), "nothing was promoted")
	require.Equal(t, "off", p.on(dbA, `psql -XAtqc 'show default_transaction_read_only'`), "nothing was frozen")
}
