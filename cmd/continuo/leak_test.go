package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

const leaky = `p4ss/w+rd "q'uote"$<x>`

// spelling is one way in which programs print a secret; mark is what would show it, whatever stands around it.
type spelling struct{ name, text, mark string }

func spellings() []spelling {
	b64 := func(enc *base64.Encoding, before string) (text, mark string) {
		text = enc.EncodeToString([]byte(before + leaky + "tail"))
		return text, text[(len(before)*4+2)/3+1 : (len(before)+len(leaky))*4/3-1]
	}
	var out []spelling
	add := func(name, text, mark string) { out = append(out, spelling{name, text, mark}) }
	add("raw", leaky, leaky)
	for n, before := range []string{"abc", "abcd", "abcde"} {
		text, mark := b64(base64.StdEncoding, before)
		add("base64 at alignment "+string(rune('0'+n)), text, mark)
	}
	for n, before := range []string{"abc", "abcd", "abcde"} {
		text, mark := b64(base64.RawURLEncoding, before)
		add("base64url at alignment "+string(rune('0'+n)), text, mark)
	}
	h := hex.EncodeToString([]byte(leaky))
	add("hex", h, h)
	add("HEX", strings.ToUpper(h), strings.ToUpper(h))
	add("URL query", url.QueryEscape(leaky), url.QueryEscape(leaky))
	add("URL path", url.PathEscape(leaky), url.PathEscape(leaky))
	j, err := json.Marshal(leaky)
	if err != nil {
		panic(err)
	}
	add("JSON", string(j), string(j[1:len(j)-1]))
	quoted := strings.ReplaceAll(leaky, `'`, `'\''`)
	add("shell", `'`+quoted+`'`, quoted)
	return out
}

// TestNoLeak sends a secret, in every spelling and cut into chunks at every byte, the way of what a host writes to stdout and
// stderr; and in every spelling as the reason of a failure and in the plan's variables. Nothing on disk and in no report
// shows it.
func TestNoLeak(t *testing.T) {
	t.Parallel()
	all := spellings()
	plan := secretPlan(t)
	r := redact.New()
	require.NoError(t, r.Add("db", leaky))
	state := t.TempDir()
	run, err := evidence.Create(state, evidence.RunOptions{
		Run: "run-1", Nonce: strings.Repeat("0", 32), Mode: engine.Live, Plan: plan, Redactor: r, FS: quick{},
	})
	require.NoError(t, err)
	add := func(p engine.Payload) {
		t.Helper()
		_, err := run.Journal.Append(t.Context(), p)
		require.NoError(t, err)
	}
	o := &engine.RunOpened{Run: "run-1", Nonce: strings.Repeat("0", 32), Operator: "olga@example.org"}
	run.Digests.Fill(o)
	add(o)
	id := plan.Items[0].ID
	unit := engine.Unit{Item: id, Host: plan.Items[0].Hosts[0]}
	add(&engine.ItemStarted{Item: id, Hosts: []string{unit.Host}})
	splits, leaks := 0, 0
	for _, s := range all {
		text := "before " + s.text + " after"
		for at := range len(text) + 1 {
			for _, stream := range []string{"stdout", "stderr"} {
				splits++
				out := streamed(t, run.Artifacts, text, at)
				out.Unit, out.Part, out.Attempt, out.Stream = unit, engine.PartCommand, 1, stream
				if strings.Contains(out.Text, s.mark) || out.Redactions != 1 || out.Text != r.Redact(text) {
					leaks++
					t.Logf("%s, %s, cut at byte %d: %q", s.name, stream, at, out.Text)
				}
				if at%16 == 0 {
					add(&out)
				}
			}
		}
		add(&engine.OperatorAction{Action: engine.ActionNote, By: "olga@example.org", Reason: "it said " + s.text})
	}
	reason := ""
	for _, s := range all {
		reason += s.text + "\n"
	}
	add(&engine.ItemOutcome{Unit: unit, Outcome: engine.Failed, Reason: reason})
	add(&engine.ItemOutcome{Unit: engine.Unit{Item: id}, Outcome: engine.Failed, Reason: reason})
	add(&engine.RunClosed{Verdict: engine.VerdictFailed, Reason: reason})
	require.NoError(t, run.Close())
	shown, faces := whatIsShown(t, run.Dir)
	for place, data := range shown {
		for _, s := range all {
			if strings.Contains(data, s.mark) {
				leaks++
				t.Logf("%s holds the secret: %s", place, s.name)
			}
		}
	}
	t.Logf("%d encodings, cut at every byte (%d splits) on stdout and stderr; errors, plan, %d files and %d reports: %d leaks",
		len(all), splits, len(shown)-faces, faces, leaks)
	require.Zero(t, leaks)
	require.Contains(t, shown["report md"], "[redacted:db]")
	require.Contains(t, shown["plan.json"], "(sensitive)")
}

// secretPlan is a plan with a variable that holds the secret.
func secretPlan(t *testing.T) *engine.Plan {
	t.Helper()
	p, ds, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: []byte(`project "p" {}
runbook "r" {
  variable "password" {
    type      = string
    sensitive = true
  }
  phase "only" {
    step "x" {
      hosts = control
      argv  = ["true"]
      env   = { PASSWORD = var.password }
    }
  }
}
`)}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.NoError(t, ds.Err())
	in := scope.Inputs{Project: p, Runbook: p.Runbook("r")}
	vars, ds := scope.Variables(in, map[string]expr.Value{"password": expr.String(leaky).AsSensitive()}, diag.Range{})
	require.NoError(t, ds.Err())
	plan, ds := planner.Plan(planner.Input{Project: p, Runbook: p.Runbook("r"), Variables: vars})
	require.NoError(t, ds.Err())
	return plan
}

// streamed is what is kept of an output that came in two chunks.
func streamed(t *testing.T, a *evidence.Artifacts, text string, at int) engine.ItemOutput {
	t.Helper()
	w, err := a.Create()
	require.NoError(t, err)
	for _, chunk := range []string{text[:at], text[at:]} {
		_, err := w.Write([]byte(chunk))
		require.NoError(t, err)
	}
	out, err := w.Finish()
	require.NoError(t, err)
	return out
}

// whatIsShown are all files of a run and all reports of it.
func whatIsShown(t *testing.T, dir string) (shown map[string]string, faces int) {
	t.Helper()
	shown = map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		shown[name] = string(data)
		return err
	}))
	l, err := evidence.Load(dir)
	require.NoError(t, err)
	rep, err := report.Build(l.Record, report.Options{})
	require.NoError(t, err)
	for _, format := range report.Formats() {
		var b bytes.Buffer
		require.NoError(t, rep.Write(&b, format, report.Subject{Name: "r", SHA256: strings.Repeat("0", 64)}))
		shown["report "+format] = b.String()
	}
	return shown, len(report.Formats())
}

// quick is the real file system without fsyncs.
type quick struct{ fsx.OS }

func (q quick) OpenFile(name string, flag int, perm os.FileMode) (fsx.File, error) {
	f, err := q.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return quickFile{f}, nil
}

func (quick) SyncDir(string) error { return nil }

type quickFile struct{ fsx.File }

func (quickFile) Sync() error { return nil }
