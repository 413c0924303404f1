package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// TestMain lets the binary of the tests measure, as the program does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == measurerArg {
		if err := measurer(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTable(t *testing.T) {
	t.Parallel()
	var tab table
	tab.show("shown", "1")
	tab.judge("good", "2", "≤ 3", true)
	tab.judge("bad", "4", "≤ 3", false)
	var out bytes.Buffer
	require.Equal(t, 1, tab.print(&out))
	require.Regexp(t, `(?m)^good +2 +≤ 3 +met$`, out.String())
	require.Regexp(t, `(?m)^bad +4 +≤ 3 +MISSED$`, out.String())
	require.Regexp(t, `(?m)^shown +1 *$`, out.String())
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	m, err := measure(t.Context(), t.TempDir(), "/bin/sh", "-c", "pwd")
	require.NoError(t, err)
	require.Greater(t, m.rss, int64(100_000), "bytes, not kilobytes")
	require.Positive(t, m.wall)
	_, err = measure(t.Context(), t.TempDir(), "/bin/sh", "-c", "echo why >&2; exit 3")
	require.ErrorContains(t, err, "exit status 3\nwhy")
	_, err = measure(t.Context(), t.TempDir(), "/nowhere/nothing", "x")
	require.ErrorContains(t, err, "no such file")
}

// TestMeasureOwnMemory: what a command is said to take is its own, however much we hold ourselves.
func TestMeasureOwnMemory(t *testing.T) {
	t.Parallel()
	const held = 256 << 20
	ours := bytes.Repeat([]byte{1}, held)
	m, err := measure(t.Context(), t.TempDir(), "/bin/sh", "-c", "true")
	require.NoError(t, err)
	require.Less(t, m.rss, int64(len(ours)/2))
	require.EqualValues(t, 1, ours[held-1])
}

// TestAllSucceeded: a run that did less than it should must not count as a fast one.
func TestAllSucceeded(t *testing.T) {
	t.Parallel()
	item := `{"host":"a","outcome":"succeeded"}`
	tests := []struct{ name, doc, err string }{
		{"all", `{"verdict":"passed","items":[` + item + `,` + item + `,{"outcome":"succeeded"}]}`, ""},
		{"one too few", `{"verdict":"passed","items":[` + item + `]}`, "1 of 2 items"},
		{"failed", `{"verdict":"failed","items":[` + item + `,` + item + `]}`, "verdict failed"},
		{"no document", `panic`, "read the run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := allSucceeded([]byte(tt.doc), 2)
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.err)
		})
	}
}

func TestProjectsAreValid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &servers{dir: dir, user: "drill", port: 2022, addresses: []string{"127.1.0.1", "127.1.0.2"}}
	require.NoError(t, s.makeKeys())
	fleet, plan := filepath.Join(dir, "fleet"), filepath.Join(dir, "plan")
	require.NoError(t, writeFleet(s, fleet, 3))
	require.NoError(t, writePlan(plan, 250))
	for path, items := range map[string][]int{fleet: {3, 3}, plan: {250}} {
		p, diags, err := loader.Load(path, loader.Options{})
		require.NoError(t, err)
		require.Empty(t, diags)
		require.Len(t, p.Runbooks, len(items))
		for i, r := range p.Runbooks {
			require.Len(t, r.AllItems(), items[i])
		}
	}
}

// TestBareLoop makes sure that the yardstick does its work.
func TestBareLoop(t *testing.T) {
	t.Parallel()
	if _, err := lookSSHD(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := startServers(t.Context(), t.TempDir(), perDaemon+1)
	require.NoError(t, err)
	defer s.stop()
	took, err := bareLoop(t.Context(), s, 2)
	require.NoError(t, err)
	require.Positive(t, took.wall)
	require.Positive(t, took.cpu)
	s.hostKey = s.client.PublicKey()
	_, err = bareLoop(t.Context(), s, 1)
	require.ErrorContains(t, err, "host key mismatch", "the yardstick checks host keys too")
}

// TestRecording makes sure that both sides of the journal's figure do their work, and that only one of them records it.
func TestRecording(t *testing.T) {
	t.Parallel()
	if _, err := lookSSHD(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := startServers(t.Context(), t.TempDir(), 2)
	require.NoError(t, err)
	defer s.stop()
	b := recording{servers: s, project: filepath.Join(t.TempDir(), "project"), state: t.TempDir(), items: 4, hosts: 2}
	require.NoError(t, writeFleet(s, b.project, 2))
	for _, runbook := range []string{"checks", "steps"} {
		for _, recorded := range []bool{true, false} {
			m, err := b.run(t.Context(), runbook, recorded)
			require.NoError(t, err)
			require.Positive(t, m.wall)
		}
	}
	runs, err := filepath.Glob(filepath.Join(b.state, "runs", "*", "journal.jsonl"))
	require.NoError(t, err)
	require.Len(t, runs, 2)
	b.items = 5
	_, err = b.run(t.Context(), "checks", false)
	require.ErrorContains(t, err, "4 of 5 items")
}
