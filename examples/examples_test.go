package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds one command of a test; a drill takes seconds.
const patience = 2 * time.Minute

// binary is the program under test, built once.
var binary string // written by TestMain only

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "continuo-examples-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "continuo")
	out, err := exec.Command("go", "build", "-o", binary, "../cmd/continuo").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build continuo: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// project is a copy of an example that a test may change.
type project struct {
	t   *testing.T
	dir string
	env []string
}

// copyExample copies the files of an example that git would track.
func copyExample(t *testing.T, name, dir string) *project {
	t.Helper()
	require.NoError(t, os.CopyFS(dir, os.DirFS(name)))
	for _, made := range []string{".lab", ".continuo", ".drill"} { // by somebody who works in the example
		require.NoError(t, os.RemoveAll(filepath.Join(dir, made)))
	}
	home := t.TempDir()
	return &project{t: t, dir: dir, env: append(os.Environ(), "HOME="+home, "XDG_STATE_HOME="+home, "XDG_CONFIG_HOME="+home, "SSH_AUTH_SOCK=")}
}

// replace changes a file of the copy; the pattern must be there.
func (p *project) replace(file, pattern, with string) {
	p.t.Helper()
	path := filepath.Join(p.dir, file)
	data, err := os.ReadFile(path)
	require.NoError(p.t, err)
	re := regexp.MustCompile(pattern)
	require.True(p.t, re.Match(data), "%s has no %s", file, pattern)
	info, err := os.Stat(path)
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(path, re.ReplaceAll(data, []byte(with)), info.Mode()))
}

// exec runs any command in the project and returns what it printed.
func (p *project) exec(name string, args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	cmd.WaitDelay = 5 * time.Second // what a command leaves running must not hold its output for ever
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		require.NoError(p.t, err)
	}
	require.NoError(p.t, ctx.Err(), "%s %v: %s", name, args, errOut.String())
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// continuo runs the program and expects an exit code.
func (p *project) continuo(code int, args ...string) string {
	p.t.Helper()
	out, errOut, got := p.exec(binary, args...)
	require.Equal(p.t, code, got, "continuo %v\nstdout:\n%s\nstderr:\n%s", args, out, errOut)
	return out
}

// runDocument is what `run --json` prints, as far as the tests look at it.
type runDocument struct {
	Run, Mode, Verdict, Bundle string
	Items                      []struct {
		ID, Kind, Host, Outcome, Reason string
	}
	Objectives []struct {
		Name      string
		TargetS   float64  `json:"target_s"`
		AchievedS *float64 `json:"achieved_s"`
		Met       *bool
	}
	Deviations []struct{ Kind, Item, Reason string }
	Unknown    int
	Coverage   struct{ Exercised, Items int }
}

// run executes a runbook and reads its document.
func (p *project) run(code int, args ...string) runDocument {
	p.t.Helper()
	out := p.continuo(code, append([]string{"run", "--json"}, args...)...)
	var doc runDocument
	require.NoError(p.t, json.Unmarshal([]byte(out), &doc), out)
	return doc
}

// outcome is that of an item on a host, or of the item as a whole.
func (d runDocument) outcome(id, host string) string {
	for _, i := range d.Items {
		if i.ID == id && (i.Host == host || host == "") {
			return i.Outcome
		}
	}
	return ""
}

// freePort is a TCP port that nobody listened on a moment ago.
func freePort(t *testing.T, address string) string {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	require.NoError(t, err)
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return strconv.Itoa(n)
}

// missing skips a test for want of a program, and fails it in CI, where nothing may be skipped.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and CI=true", what)
	}
	t.Skipf("%s is missing", what)
}
