package evidence

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const (
	sampleRun   = engine.RunID("20261121t182001z-7f3a09bc")
	sampleNonce = "00112233445566778899aabbccddeeff"
)

// ticker is a clock that moves one millisecond with every reading.
type ticker struct {
	mu  sync.Mutex
	now time.Time
}

func newTicker() *ticker { return &ticker{now: time.Date(2026, 11, 21, 18, 20, 1, 0, time.UTC)} }

func (c *ticker) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

// testKey is an Ed25519 key made from a word, so that bundles of tests are always the same bytes.
func testKey(t testing.TB, word string) *Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(word))
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	require.NoError(t, err)
	return &Signer{ssh: s, name: word}
}

func samplePlan() *engine.Plan {
	return &engine.Plan{
		Schema: engine.PlanSchema, Runbook: "failover", Digest: "sha256:0123", Project: "payments",
		Variables: []engine.PlanVariable{{Name: "max_lag", Value: "30"}, {Name: "token", Value: "(sensitive)", Sensitive: true}},
		Hosts:     []engine.PlanHost{{Name: "db-b1"}},
		Phases:    []engine.PlanPhase{{Name: "go", Items: []runbooks.ItemID{"check.lag", "step.promote"}}},
		Items: []engine.PlanItem{
			{ID: "check.lag", Kind: runbooks.Check, Phase: "go", Effect: runbooks.Read, Hosts: []string{"db-b1"}, Disposition: engine.WillRun},
			{ID: "step.promote", Kind: runbooks.Step, Phase: "go", Effect: runbooks.Change, Hosts: []string{"db-b1"}, Disposition: engine.WillRun},
		},
	}
}

func sampleFiles() []runbooks.File {
	return []runbooks.File{
		{Path: "payments.hcl", Data: []byte("project \"payments\" {}\n")},
		{Path: "scripts/ü mlaut%.sh", Data: []byte("#!/bin/sh\necho ok\n")},
		{Path: "README.md", Data: []byte("# one\n")},
		{Path: "readme.md", Data: []byte("# two\n")},
		{Path: "allowed_signers", Data: nil},
	}
}

// renderJSON stands for a report: it depends on the record alone.
func renderJSON(rec *engine.Record) ([]byte, error) {
	return json.Marshal(map[string]any{"run": rec.Opened.Run, "verdict": rec.Verdict, "events": rec.Events})
}

func renderHTML(rec *engine.Record) ([]byte, error) {
	return fmt.Appendf(nil, "<!doctype html><title>%s %s</title>\n", rec.Opened.Run, rec.Verdict), nil
}

func sampleRenderers() map[string]Renderer {
	return map[string]Renderer{"report.json": renderJSON, "report.html": renderHTML}
}

const sampleVersion = "0.1.0"

// sample is a run under construction.
type sample struct {
	t   testing.TB
	run *Run
	dir string // state directory
}

// openSample creates a run of samplePlan and opens it.
func openSample(t testing.TB, state string, change func(*RunOptions)) *sample {
	t.Helper()
	opts := RunOptions{
		Run: sampleRun, Nonce: sampleNonce, Mode: engine.Live, Plan: samplePlan(), Files: sampleFiles(), Clock: newTicker(),
	}
	if change != nil {
		change(&opts)
	}
	run, err := Create(state, opts)
	require.NoError(t, err)
	s := &sample{t: t, run: run, dir: state}
	opened := &engine.RunOpened{
		Run: opts.Run, Nonce: opts.Nonce, Project: "payments", Runbook: "failover", Operator: "alice@example.org",
		OperatorHost: "ops-1", Tool: engine.Tool{Version: sampleVersion, Go: "go1.26", OS: "linux/amd64"},
		Variables: samplePlan().Variables, Hosts: 1, Items: 2,
	}
	run.Digests.Fill(opened)
	s.add(opened)
	return s
}

func (s *sample) add(ps ...engine.Payload) {
	s.t.Helper()
	for _, p := range ps {
		_, err := s.run.Journal.Append(s.t.Context(), p)
		require.NoError(s.t, err, p.EventType())
	}
}

// output stores a stream and appends its event.
func (s *sample) output(u engine.Unit, text string) engine.ItemOutput {
	s.t.Helper()
	w, err := s.run.Artifacts.Create()
	require.NoError(s.t, err)
	_, err = w.Write([]byte(text))
	require.NoError(s.t, err)
	out, err := w.Finish()
	require.NoError(s.t, err)
	out.Unit, out.Part, out.Attempt, out.Stream = u, engine.PartCommand, 1, "stdout"
	s.add(&out)
	return out
}

func (s *sample) check() {
	u := engine.Unit{Item: "check.lag", Host: "db-b1"}
	s.add(&engine.ItemStarted{Item: u.Item, Hosts: []string{u.Host}})
	s.output(u, "0|2026-11-21T18:20:00Z\n")
	s.add(&engine.ItemOutcome{Unit: u, Outcome: engine.Succeeded}, &engine.ItemOutcome{Unit: engine.Unit{Item: u.Item}, Outcome: engine.Succeeded})
}

func (s *sample) intent() *engine.ItemIntent {
	u := engine.Unit{Item: "step.promote", Host: "db-b1"}
	s.add(&engine.ItemStarted{Item: u.Item, Hosts: []string{u.Host}})
	p := &engine.ItemIntent{
		Unit: u, Part: engine.PartCommand, Attempt: 1, Transport: "durable", Command: "pg_ctl promote",
		AttemptID: engine.NewAttemptID(sampleNonce, string(u.Item), engine.PartCommand, "", u.Host, 1),
	}
	s.add(p)
	return p
}

func (s *sample) step() {
	p := s.intent()
	s.output(p.Unit, strings.Repeat("promoting, please wait\n", 1000))
	s.add(
		&engine.ItemOutcome{Unit: p.Unit, Part: p.Part, Attempt: 1, AttemptID: p.AttemptID, Outcome: engine.Succeeded},
		&engine.ItemOutcome{Unit: p.Unit, Outcome: engine.Succeeded, Attempts: 1},
		&engine.ItemOutcome{Unit: engine.Unit{Item: p.Item}, Outcome: engine.Succeeded},
	)
}

// close ends the run with the verdict that follows from its events.
func (s *sample) close() string {
	s.t.Helper()
	loaded, err := load(fsx.OS{}, s.run.Dir)
	require.NoError(s.t, err)
	f := engine.NewFolder(loaded.Plan)
	for _, e := range loaded.Events {
		require.NoError(s.t, f.Apply(e))
	}
	v, _, unknown := f.Preview()
	s.add(&engine.RunClosed{Verdict: v, Unknown: unknown})
	require.NoError(s.t, s.run.Close())
	return s.run.Dir
}

// sealedSample is a whole run, sealed by the key "executor".
func sealedSample(t testing.TB) string {
	t.Helper()
	s := openSample(t, t.TempDir(), nil)
	s.check()
	s.step()
	dir := s.close()
	out, err := Seal(dir, sealOptions(t))
	require.NoError(t, err)
	require.True(t, out.Signed)
	require.Empty(t, out.Problems)
	return dir
}

func sealOptions(t testing.TB) SealOptions {
	t.Helper()
	return SealOptions{Signer: testKey(t, "executor"), Renderers: sampleRenderers(), Redactor: redact.New()}
}

func sampleSigners(t testing.TB) *Signers {
	t.Helper()
	s, err := ParseSigners([]byte(testKey(t, "executor").AllowedSigner("executor@ops-1", EvidenceNamespace) + "\n"))
	require.NoError(t, err)
	return s
}

func verifyOptions(t testing.TB) VerifyOptions {
	t.Helper()
	return VerifyOptions{Signers: sampleSigners(t), Renderers: sampleRenderers(), Tool: sampleVersion}
}

func mustVerify(t testing.TB, path string) *Result {
	t.Helper()
	res, err := Verify(path, verifyOptions(t))
	require.NoError(t, err)
	return res
}

// copyTree copies a bundle, so that a test can damage it.
func copyTree(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(dir))
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// tool returns the path of a program that auditors use, or skips: under CI it must be there.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

func sampleFile(path, text string) runbooks.File {
	return runbooks.File{Path: path, Data: []byte(text)}
}
