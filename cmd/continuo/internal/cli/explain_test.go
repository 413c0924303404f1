package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/shell"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// executed runs one command line in a project of these files, in this process, as `continuo …` would.
func executed(t *testing.T, files map[string][]byte, command string) (stdout, stderr string, code Code) {
	t.Helper()
	dir, home := t.TempDir(), t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	args, err := shell.Fields(command, nil)
	require.NoError(t, err)
	require.Equal(t, "continuo", args[0])
	var out, errs bytes.Buffer
	environ := map[string]string{"HOME": home, "PATH": os.Getenv("PATH"), "TZ": "UTC"}
	code = Main(Env{
		Args: args[1:], Dir: dir, Hostname: "desk", User: "ann", Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Environ:    []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")},
		Lookup:     func(name string) (string, bool) { v, ok := environ[name]; return v, ok },
		Executable: os.Executable, Now: time.Now,
		Signals: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 1)
			return c, func() { signal.Stop(c) }
		},
	})
	return out.String(), errs.String(), code
}

// TestExplain_everyCode: for every code there is a wrong example, for which the command line that it names gives the code,
// and a right one, for which it does not and ends well.
func TestExplain_everyCode(t *testing.T) {
	t.Parallel()
	table, err := codes()
	require.NoError(t, err)
	require.Greater(t, len(table.All()), 120)
	for _, doc := range table.All() {
		t.Run(doc.Code, func(t *testing.T) {
			t.Parallel()
			wrong, right := diag.NewExample(doc.Wrong), diag.NewExample(doc.Right)
			require.Equal(t, commandOf(wrong), commandOf(right), "both are shown by one command")
			if wrong.Printed == "" {
				given, others, _ := found(t, wrong, doc.Code)
				require.True(t, given, "the wrong example: %v", others)
			} else {
				require.Equal(t, "CON-E099", doc.Code, "only a defect has no project that gives it")
				require.Contains(t, wrong.Printed, "error["+doc.Code+"]")
			}
			given, others, code := found(t, right, doc.Code)
			require.False(t, given, "the right example")
			require.Empty(t, others, "the right example")
			require.Equal(t, OK, code)
		})
	}
}

// commandOf is the command without what it is given.
func commandOf(x diag.Example) string {
	return strings.Join(strings.Fields(x.Command)[:2], " ")
}

// found runs an example and reports whether the code is given, and which other errors are. What is found in a run is read
// from what a person sees; everything else from the document for machines.
func found(t *testing.T, x diag.Example, code string) (given bool, others []string, exit Code) {
	t.Helper()
	if strings.HasPrefix(x.Command, "continuo run ") {
		stdout, stderr, exit := executed(t, x.Files, x.Command)
		return strings.Contains(stdout+stderr, "("+code+")"), nil, exit
	}
	stdout, stderr, exit := executed(t, x.Files, x.Command+" --json")
	var doc struct {
		Diagnostics []struct{ Severity, Code, Summary string }
		Findings    []struct{ Code, Why string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &doc), "%s\n%s", stdout, stderr)
	for _, d := range doc.Diagnostics {
		switch {
		case d.Code == code:
			given = true
		case d.Severity == "error":
			others = append(others, d.Code+": "+d.Summary)
		}
	}
	for _, f := range doc.Findings {
		if f.Code == code {
			given = true
		} else {
			others = append(others, f.Code+": "+f.Why)
		}
	}
	return given, others, exit
}
