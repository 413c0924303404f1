package executor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
)

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// sh runs a transfer's script as a transport would.
func sh(t *testing.T, script, stdin string, env map[string]string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-eu", filepath.Join("scripts", script))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	all := map[string]string{"CONTINUO_USER": "", "CONTINUO_GROUP": "", "CONTINUO_MODE": "", "CONTINUO_BACKUP": "yes", "CONTINUO_ID": "id", "CONTINUO_SHA256": digestOf(stdin)}
	for k, v := range env {
		all[k] = v
	}
	for k, v := range all {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	es, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := []string{}
	for _, e := range es {
		out = append(out, e.Name())
	}
	return out
}

func TestPutScript(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a dir with 'quotes'")
	require.NoError(t, os.Mkdir(dir, 0o755))
	dest := filepath.Join(dir, "-app.conf")
	env := map[string]string{"CONTINUO_DEST": dest}

	out, _, code := sh(t, "put.sh", "one\n", env)
	require.Equal(t, 0, code)
	require.Equal(t, "changed\n", out)
	require.Equal(t, "one\n", read(t, dest))
	info, err := os.Stat(dest)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "nobody else may read it before the runbook says so")

	out, _, code = sh(t, "put.sh", "one\n", env)
	require.Equal(t, "unchanged\n", out)
	require.Equal(t, 0, code)

	require.NoError(t, os.Chmod(dest, 0o640))
	out, _, _ = sh(t, "put.sh", "two\n", env)
	require.Equal(t, "changed\n", out)
	info, err = os.Stat(dest)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "the mode of what was replaced is kept")

	out, _, code = sh(t, "restore.sh", "", env)
	require.Equal(t, 0, code)
	require.Equal(t, "removed\n", out, "the first state was: no file")
	require.Empty(t, names(t, dir))
	out, _, _ = sh(t, "restore.sh", "", env)
	require.Equal(t, "unchanged\n", out, "a second time changes nothing")
}

func TestPutScript_restores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dest := filepath.Join(dir, "f")
	env := map[string]string{"CONTINUO_DEST": dest, "CONTINUO_MODE": "0755"}
	require.NoError(t, os.WriteFile(dest, []byte("before"), 0o604))
	require.NoError(t, os.Chmod(dest, 0o604))
	for _, content := range []string{"half", "after"} { // the second attempt must not take the first one's result for the original
		_, errs, code := sh(t, "put.sh", content, env)
		require.Equal(t, 0, code, errs)
	}
	require.Equal(t, "after", read(t, dest))
	out, _, _ := sh(t, "restore.sh", "", env)
	require.Equal(t, "restored\n", out)
	require.Equal(t, "before", read(t, dest))
	info, err := os.Stat(dest)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o604), info.Mode().Perm())
	require.Equal(t, []string{"f"}, names(t, dir))
}

func TestPutScript_refuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), []byte("before"), 0o600))
	tests := map[string]struct {
		env  map[string]string
		want string
	}{
		"damaged":      {map[string]string{"CONTINUO_DEST": filepath.Join(dir, "f"), "CONTINUO_SHA256": digestOf("other")}, "arrived damaged"},
		"directory":    {map[string]string{"CONTINUO_DEST": filepath.Join(dir, "d")}, "is a directory"},
		"no directory": {map[string]string{"CONTINUO_DEST": filepath.Join(dir, "none", "f")}, "is not there"},
	}
	for name, tt := range tests {
		_, errs, code := sh(t, "put.sh", "content", tt.env)
		require.Equal(t, 65, code, name)
		require.Contains(t, errs, tt.want)
	}
	require.Equal(t, "before", read(t, filepath.Join(dir, "f")))
	require.Equal(t, []string{"d", "f"}, names(t, dir), "nothing is left behind")
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  transfer "conf" {
    hosts       = [host.a, host.b]
    content     = "listen ${host.b.address}\n"
    destination = "/etc/app.conf"
    mode        = "0644"
    owner_user  = "app"
    become      = "root"
  }
  step "reload" {
    hosts = host.a
    argv  = ["reload", transfer.conf.by_host["a"].sha256]
    when  = transfer.conf.by_host["b"].changed
  }
}`
	w := newWorld(t, engine.Live, src)
	w.sim.OnHost("transfer.conf", engine.PartCommand, "a", simtransport.Answer{Stdout: "unchanged\n"})
	w.sim.OnHost("transfer.conf", engine.PartCommand, "b", simtransport.Answer{Stdout: "changed\n"})
	rec := w.run()
	require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
	digest := digestOf("listen 10.0.0.2\n")
	require.Equal(t, "reload "+digest, item(rec, "step.reload").Units[0].Intents[0].Command)
	for _, u := range item(rec, "transfer.conf").Units {
		require.Equal(t, u.Host == "b", *u.Parts[0].Changed)
		require.Equal(t, "put /etc/app.conf (16 bytes, sha256 "+digest+")", u.Intents[0].Command)
		require.Equal(t, "root", u.Intents[0].Become)
	}
	for _, c := range w.sim.Calls() {
		if c.What == "start" && c.Item == "transfer.conf" {
			require.Equal(t, "listen 10.0.0.2\n", string(c.Command.Stdin))
		}
	}
}

func TestTransfer_from(t *testing.T) {
	t.Parallel()
	const src = `
phase "p" {
  transfer "dump" {
    hosts       = host.b
    destination = "/srv/dump"
    from {
      host   = host.a
      path   = "/srv/dump"
      sha256 = "SUM"
    }
  }
}`
	t.Run("well", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, engine.Live, strings.ReplaceAll(src, "SUM", digestOf("data")))
		w.sim.On("transfer.dump", engine.PartSource, simtransport.Answer{Stdout: "data"})
		require.Equal(t, engine.Passed, w.run().Verdict)
		require.Equal(t, []string{"transfer.dump@a"}, w.called("observe"))
	})
	t.Run("another digest", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, engine.Live, strings.ReplaceAll(src, "SUM", digestOf("other")))
		w.sim.On("transfer.dump", engine.PartSource, simtransport.Answer{Stdout: "data"})
		rec := w.run()
		require.Equal(t, engine.VerdictFailed, rec.Verdict)
		require.Contains(t, item(rec, "transfer.dump").Reason, "its SHA-256 is")
		require.Empty(t, w.called("start"), "nothing was sent")
	})
}

func TestTransfer_rollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  on_failure = "rollback"
  transfer "conf" {
    hosts       = host.a
    content     = "x"
    destination = "/etc/app.conf"
  }
  transfer "kept" {
    hosts       = host.a
    content     = secret.pw
    destination = "/etc/app.key"
    backup      = false
  }
  step "s" {
    hosts = host.a
    argv  = ["s"]
  }
}`)
	w.sim.On("step.s", engine.PartCommand, simtransport.Answer{ExitCode: 1})
	rec := w.run()
	require.Equal(t, []engine.Unit{{Item: "transfer.conf", Host: "a"}}, rec.Rollback.Done)
	require.Len(t, rec.Rollback.Left, 2)
	u := item(rec, "transfer.conf").Units[0]
	require.Equal(t, "restore what was at /etc/app.conf", u.Intents[1].Command)
	require.Equal(t, "put /etc/app.key (sensitive)", item(rec, "transfer.kept").Units[0].Intents[0].Command)
	for _, e := range w.journal.Events() {
		require.NotContains(t, mustJSON(t, e), digestOf("s3cret-password"), "no digest covers a secret")
	}
}

func TestTransfer_destination(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, `
phase "p" {
  check "c" {
    hosts = host.a
    argv  = ["c"]
  }
  transfer "conf" {
    hosts       = host.a
    content     = "x"
    destination = "etc/app-${check.c.stdout}"
  }
}`)
	rec := w.run()
	require.Equal(t, engine.NotReached, w.outcome(rec, "transfer.conf"))
	require.Contains(t, item(rec, "transfer.conf").Reason, "want the absolute path of a file")
}
