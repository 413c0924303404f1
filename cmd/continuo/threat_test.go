package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// TestThreats tries the attacks of the threat table that do not aim at a record: on what is read, on the way to the hosts,
// and on what people see. `make tamper` prints them with those of engine/evidence.
func TestThreats(t *testing.T) { //nolint:paralleltest // it prints a table
	var table []string
	for _, a := range []struct {
		row, attack, by string
		try             func(t *testing.T) (why string)
	}{
		{"15", "a bidirectional override in a name", "loader", bidiName},
		{"15", "letters of two scripts in a name", "loader", mixedName},
		{"15", "terminal codes in what a host says, on screen and in the report", "view, report", terminalCodes},
		{"31", "160 KB of parentheses", "guard before parsing", bomb(strings.Repeat("(", 160<<10))},
		{"31", "a number of thirty million digits", "guard before parsing", bomb(`"x${1e30000000}"`)},
		{"31", "loops in loops in loops", "guard before evaluating", bomb("[for a in range(100): [for b in range(100): [for c in range(100): [for d in range(100): a]]]]")},
		{"31", "doubling a text sixty times", "budget of bytes", doubling},
		{"32", "a host with another key", "strict host keys", otherHostKey},
		{"32", "a host whose key nobody knows", "strict host keys", unknownHostKey},
		{"33", "binary, invisible and right-to-left output", "view", hostileOutput},
	} {
		begin := time.Now()
		why := a.try(t)
		require.NotEmpty(t, why, a.attack)
		require.Less(t, time.Since(begin), time.Minute, "%s: bounded in time as in memory", a.attack)
		if r := []rune(strings.ReplaceAll(why, "\n", " ")); len(r) > 110 {
			why = string(r[:109]) + "…"
		}
		table = append(table, fmt.Sprintf("%4s  %-72s %-5s %-36s %-6s %s", a.row, a.attack, "", a.by, "-", why))
	}
	t.Log(strings.Join(table, "\n"))
}

// notTaken loads a project that must not be taken, and says why it was not.
func notTaken(t *testing.T, text string) string {
	t.Helper()
	_, list, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: []byte(text)}}, "/p", loader.Options{})
	if err == nil {
		err = list.Err()
	}
	require.Error(t, err)
	return err.Error()
}

func bidiName(t *testing.T) string {
	t.Helper()
	return notTaken(t, "project \"p\" {}\nrunbook \"r\u202eevil\" {}\n")
}

func mixedName(t *testing.T) string {
	t.Helper()
	return notTaken(t, "project \"p\" {}\nhost \"pr\u043ed\" { address = \"10.0.0.1\" }\n")
}

func bomb(expression string) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		return notTaken(t, "project \"p\" {}\nlocals {\n  a = "+expression+"\n}\nrunbook \"r\" {\n  phase \"p\" {\n    assert \"a\" { condition = tostring(local.a) == \"\" }\n  }\n}\n")
	}
}

func doubling(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("project \"p\" {}\nlocals {\n  a0 = \"0123456789\"\n")
	for n := range 60 {
		fmt.Fprintf(&b, "  a%d = \"${local.a%d}${local.a%d}\"\n", n+1, n, n)
	}
	b.WriteString("}\nrunbook \"r\" {\n  phase \"p\" {\n    assert \"a\" { condition = local.a60 == \"\" }\n  }\n}\n")
	return notTaken(t, b.String())
}

const obey = "\x1b]0;owned\x07\x1b[2Jdone\u202eexe.txt\x00\u200bfinal\xff"

// invisible fails when a text would do anything but be read.
func invisible(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"\x1b", "\x07", "\u202e", "\x00", "\u200b", "\xff"} {
		require.NotContains(t, text, bad)
	}
}

func terminalCodes(t *testing.T) string {
	t.Helper()
	var screen bytes.Buffer
	view.NewScreen(&screen, view.Options{}).Printf("%s\n", view.Clean(obey))
	invisible(t, screen.String())
	plan := &engine.Plan{Runbook: "r", Items: []engine.PlanItem{{ID: "check.x", Kind: runbooks.Check, Hosts: []string{"a"}}}}
	unit := engine.Unit{Item: "check.x", Host: "a"}
	var events []engine.Event
	for n, p := range []engine.Payload{
		&engine.RunOpened{Run: "r", Operator: obey}, &engine.ItemStarted{Item: "check.x"},
		&engine.ItemOutput{Unit: unit, Stream: "stdout", Text: obey, Size: int64(len(obey))},
		&engine.ItemOutcome{Unit: unit, Outcome: engine.Failed, Reason: obey}, &engine.ItemOutcome{Unit: engine.Unit{Item: "check.x"}, Outcome: engine.Failed},
		&engine.RunClosed{Verdict: engine.VerdictFailed},
	} {
		events = append(events, engine.Event{Seq: uint64(n), Time: time.Unix(int64(n), 0), Mode: engine.Live, Payload: p})
	}
	rec, err := engine.Fold(plan, events)
	require.NoError(t, err)
	r, err := report.Build(rec, report.Options{})
	require.NoError(t, err)
	for _, format := range report.Formats() {
		var b bytes.Buffer
		require.NoError(t, r.Write(&b, format, report.Subject{Name: "r", SHA256: strings.Repeat("0", 64)}))
		if format == "html" || format == "md" {
			invisible(t, b.String())
		}
		require.NotContains(t, b.String(), "\x1b", "%s: what is for programs can still be shown on a terminal", format)
		require.NotContains(t, b.String(), "\x00", format)
	}
	return "shown as: " + strings.TrimSpace(screen.String())
}

func hostileOutput(t *testing.T) string {
	t.Helper()
	all := make([]byte, 0, 1<<16)
	for n := range 256 {
		all = append(all, byte(n))
	}
	all = append(all, "\u2066\u2069\u061c\ufeff\u00ad\U000e0041"...)
	shown := view.CleanText(string(all))
	for _, c := range shown {
		require.False(t, c < 0x20 && c != '\n' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x2066 && c <= 0x2069 || c == 0xfeff, "%q", c)
	}
	return fmt.Sprintf("%d bytes shown as %d characters that can all be seen", len(all), len([]rune(shown)))
}

// reach tries to observe a host behind a real sshd with these known hosts.
func reach(t *testing.T, known func(line string) string) error {
	t.Helper()
	srv := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	dir := t.TempDir()
	data, err := os.ReadFile(srv.KnownHosts)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(known(string(data))), 0o600))
	tr := sshtransport.New(sshtransport.Options{KnownHosts: []string{"known_hosts"}, User: srv.User, HomeDir: dir, BaseDir: dir})
	defer tr.Close()
	p, list, err := loader.LoadFS(fstest.MapFS{"p.hcl": &fstest.MapFile{Data: fmt.Appendf(nil,
		"project \"p\" {}\nhost \"a\" {\n  address = \"127.0.0.1\"\n  port = %d\n  connection {\n    identity_files = [%q]\n    agent = \"none\"\n  }\n}\n"+
			"runbook \"r\" {\n  phase \"p\" {\n    check \"c\" {\n      hosts = host.a\n      argv = [\"true\"]\n    }\n  }\n}\n", srv.Port, srv.Identity)}}, dir, loader.Options{})
	require.NoError(t, err)
	require.NoError(t, list.Err())
	o, err := engine.NewObservation(runbooks.Check, engine.PartCommand, engine.Command{Argv: []string{"true"}, Timeout: time.Minute})
	require.NoError(t, err)
	_, err = tr.Observe(t.Context(), p.Hosts[0], o, engine.OutputSink{Stdout: io.Discard, Stderr: io.Discard})
	return err
}

func otherHostKey(t *testing.T) string {
	t.Helper()
	err := reach(t, func(line string) string {
		name, _, _ := strings.Cut(line, " ")
		return name + " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n"
	})
	return hostKeyError(t, err)
}

func unknownHostKey(t *testing.T) string {
	t.Helper()
	return hostKeyError(t, reach(t, func(string) string { return "" }))
}

func hostKeyError(t *testing.T, err error) string {
	t.Helper()
	var host *engine.HostError
	require.ErrorAs(t, err, &host)
	require.ErrorIs(t, err, engine.ErrUnreachable)
	require.Contains(t, err.Error(), "host key")
	return err.Error()
}
