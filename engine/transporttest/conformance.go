package transporttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Suite is a transport under test and a host that it reaches. The suite's commands are POSIX shell and write only to
// directories of the test, which a real host must share with it; a simulated one is told what each of them does.
type Suite struct {
	Prober   engine.Prober
	Launcher engine.Launcher // nil: the transport only observes
	Host     *runbooks.Host
	// Durable: attempts outlive their connection.
	Durable bool
	// Tell is called before each command with what it does on a host. Nil: the host is real and does it by itself.
	Tell func(c engine.Command, d Does)
}

// Does is what a command of the suite does on its host.
type Does struct {
	Stdout, Stderr string
	Code           int
	Signal         string
	// Lasts is how long it runs, by its own account.
	Lasts time.Duration
	// Background: something that it started holds its output when it has ended.
	Background bool
	// Refused is the kind of the HostError with which the host refuses it; empty: it runs.
	Refused string
}

// Unit and Part are where the suite's commands belong: a simulated host answers by them.
const (
	Unit = runbooks.ItemID("step.conformance")
	Part = engine.PartCommand
)

// at says in a context what a command belongs to.
func (s Suite) at(ctx context.Context) context.Context {
	return engine.WithPlace(ctx, engine.Place{Unit: engine.Unit{Item: Unit, Host: s.Host.Name}, Part: Part})
}

// NewID is an attempt id that nobody has used.
func NewID() engine.AttemptID {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return engine.AttemptID(hex.EncodeToString(b[:]))
}

// Start prepares and launches c as a step would and releases it.
func (s Suite) Start(ctx context.Context, t testing.TB, c engine.Command) Result {
	t.Helper()
	return s.StartAs(ctx, t, NewID(), c)
}

// StartAs is Start with the id of the attempt given.
func (s Suite) StartAs(ctx context.Context, t testing.TB, id engine.AttemptID, c engine.Command) Result {
	t.Helper()
	ctx = s.at(ctx)
	p, err := s.Launcher.Prepare(ctx, s.Host, c.Become)
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	status, release, err := s.Launcher.Start(ctx, s.Host, engine.Attempt{ID: id, Command: c, Incarnation: p.Incarnation},
		engine.OutputSink{Stdout: &stdout, Stderr: &stderr})
	require.NotNil(t, release)
	release()
	return Result{Status: status, Stdout: stdout.String(), Stderr: stderr.String(), Err: err}
}

// Run runs every case, commands as a check and, where the transport launches, as a step: both must do the same.
func (s Suite) Run(t *testing.T) {
	for _, c := range s.cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			c.run(ctx, t, s)
		})
	}
}

// RunInBubbles runs every case in a bubble of testing/synctest, where time is simulated, on a transport of its own.
func RunInBubbles(t *testing.T, suite func(t *testing.T) Suite) {
	t.Helper()
	var kinds Suite
	synctest.Test(t, func(t *testing.T) { kinds = suite(t) })
	for _, c := range kinds.cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { c.run(t.Context(), t, suite(t)) })
		})
	}
}

// suiteCase is a case on a transport.
type suiteCase struct {
	name string
	run  func(ctx context.Context, t *testing.T, s Suite)
}

// cases are all that the suite's transport can be held to.
func (s Suite) cases() []suiteCase {
	var out []suiteCase
	for _, c := range normal() {
		out = append(out, suiteCase{"check/" + c.name, func(ctx context.Context, t *testing.T, s Suite) {
			c.run(t, func(cmd engine.Command, d Does) Result {
				s.tell(cmd, d)
				return Observe(s.at(ctx), t, s.Prober, s.Host, cmd)
			})
		}})
		if s.Launcher != nil {
			out = append(out, suiteCase{"step/" + c.name, func(ctx context.Context, t *testing.T, s Suite) {
				c.run(t, func(cmd engine.Command, d Does) Result {
					s.tell(cmd, d)
					return s.Start(ctx, t, cmd)
				})
			}})
		}
	}
	out = append(out, suiteCase{"check/a signal", func(ctx context.Context, t *testing.T, s Suite) {
		s.signalled(t, func(c engine.Command) Result { return Observe(s.at(ctx), t, s.Prober, s.Host, c) })
	}})
	if s.Launcher != nil {
		out = append(out, suiteCase{"step/a signal", func(ctx context.Context, t *testing.T, s Suite) {
			s.signalled(t, func(c engine.Command) Result { return s.Start(ctx, t, c) }, "") // not every shell remembers how a child ended
		}})
		out = append(out, lives()...)
	}
	return out
}

func (s Suite) tell(c engine.Command, d Does) {
	if s.Tell != nil {
		s.Tell(c, d)
	}
}

// runner runs a command, of which a simulated host is told what it does.
type runner = func(engine.Command, Does) Result

type normalCase struct {
	name string
	run  func(t *testing.T, run runner)
}

// normal are the cases that hold for everything that runs commands. Their numbers are those of the README.
func normal() []normalCase {
	return []normalCase{
		{"01 exit codes", exitCodes},
		{"02 streams are apart and binary", streams},
		{"04 much on stderr alone", muchStderr},
		{"05 script sizes", scriptSizes},
		{"08 environment arrives byte for byte", environment},
		{"09 arguments arrive byte for byte", arguments},
		{"29 a background child is not waited for", background},
		{"stdin arrives byte for byte", stdin},
		{"interpreter", interpreter},
		{"working directory", workingDirectory},
		{"timeout", timeout},
		{"refused", refused},
	}
}

func (s Suite) signalled(t *testing.T, run func(engine.Command) Result, or ...string) {
	t.Helper()
	for name, code := range map[string]int{"TERM": 128 + 15, "KILL": 128 + 9} {
		c := engine.Command{Script: "sleep 0.2; kill -" + name + " $$"}
		s.tell(c, Does{Signal: name})
		r := run(c)
		require.NoError(t, r.Err)
		require.Contains(t, append(or, name), r.Status.Signal)
		require.Equal(t, code, r.Status.Code)
		require.False(t, r.Status.TimedOut)
	}
}

func exitCodes(t *testing.T, run runner) {
	for _, code := range []int{0, 1, 127, 255} {
		r := run(engine.Command{Script: fmt.Sprintf("exit %d", code)}, Does{Code: code})
		require.NoError(t, r.Err)
		require.Equal(t, code, r.Status.Code)
		require.Empty(t, r.Status.Signal)
		require.False(t, r.Status.TimedOut)
	}
	r := run(engine.Command{Argv: []string{"sh", "-c", "exit 256"}}, Does{})
	require.NoError(t, r.Err)
	require.Zero(t, r.Status.Code)
}

func streams(t *testing.T, run runner) {
	r := run(engine.Command{Script: `printf 'a\000b'; printf 'c\377\nd' >&2`}, Does{Stdout: "a\x00b", Stderr: "c\xff\nd"})
	require.NoError(t, r.Err)
	require.Equal(t, "a\x00b", r.Stdout)
	require.Equal(t, "c\xff\nd", r.Stderr)
	r = run(engine.Command{Argv: []string{"true"}}, Does{})
	require.NoError(t, r.Err)
	require.Empty(t, r.Stdout+r.Stderr)
}

func muchStderr(t *testing.T, run runner) {
	r := run(engine.Command{Script: "head -c 5000000 /dev/zero >&2; echo done"}, Does{Stdout: "done\n", Stderr: strings.Repeat("\x00", 5000000)})
	require.NoError(t, r.Err)
	require.Len(t, r.Stderr, 5000000)
	require.Equal(t, "done\n", r.Stdout)
}

func scriptSizes(t *testing.T, run runner) {
	r := run(engine.Command{Script: ": " + strings.Repeat("x", 1<<20) + "\necho big"}, Does{Stdout: "big\n"})
	require.NoError(t, r.Err)
	require.Equal(t, "big\n", r.Stdout)
	r = run(engine.Command{}, Does{})
	require.NoError(t, r.Err)
	require.Zero(t, r.Status.Code)
	r = run(engine.Command{Script: "echo unfinished 'quote"}, Does{Code: 2})
	require.NoError(t, r.Err)
	require.NotZero(t, r.Status.Code)
}

// nasty are values that a shell, a login shell or a careless quoting would change.
var nasty = []string{"", "a b", " lead", "trail ", "it's", `"double"`, "$HOME", "`id`", "$(id)", "line\nbreak", "\n", "ünïcödé ✓", "-n", "--",
	"'; rm -rf /tmp/never; '", "*", "~", "\\", `\n`, "%s", "!", "{a,b}", "a=b", "\t", "\x7f\x01", "\xff\xfe"}

func environment(t *testing.T, run runner) {
	c := engine.Command{Script: `i=0; while [ $i -lt ` + fmt.Sprint(len(nasty)) + ` ]; do eval "printf '%s|' \"\$V$i\""; i=$((i+1)); done; printf %s "$PATH"`}
	for i, v := range nasty {
		c.Env = append(c.Env, engine.Env{Name: fmt.Sprintf("V%d", i), Value: v, Secret: i%2 == 0})
	}
	c.Env = append(c.Env, engine.Env{Name: "PATH", Value: "/bin:/usr/bin:/nonsuch dir"})
	want := strings.Join(nasty, "|") + "|/bin:/usr/bin:/nonsuch dir"
	r := run(c, Does{Stdout: want})
	require.NoError(t, r.Err)
	require.Equal(t, want, r.Stdout)
}

func arguments(t *testing.T, run runner) {
	want := "[" + strings.Join(nasty, "][") + "]"
	r := run(engine.Command{Argv: append([]string{"printf", "[%s]"}, nasty...)}, Does{Stdout: want})
	require.NoError(t, r.Err)
	require.Equal(t, want, r.Stdout)
}

func background(t *testing.T, run runner) {
	start := time.Now()
	r := run(engine.Command{Script: "sleep 300 & echo $!; exit 3"}, Does{Stdout: "0\n", Code: 3, Background: true})
	require.NoError(t, r.Err)
	killLater(t, strings.TrimSpace(r.Stdout))
	require.Equal(t, 3, r.Status.Code)
	require.True(t, r.Status.BackgroundOpen)
	require.Less(t, time.Since(start), 2*time.Minute)
}

// killLater ends what a test left behind on a host that is this machine.
func killLater(t *testing.T, pid string) {
	t.Cleanup(func() {
		if p, err := os.FindProcess(atoi(pid)); err == nil && atoi(pid) > 1 {
			_ = p.Kill()
		}
	})
}

func atoi(s string) int {
	n := 0
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}

func stdin(t *testing.T, run runner) {
	big := bytes.Repeat([]byte("0123456789abcdef\x00\n"), 20000)
	for name, in := range map[string][]byte{"text": []byte("no newline at the end"), "lines": []byte("a\nb\n"), "binary": []byte("\x00\x01'\"\n\x00"),
		"empty": {}, "big": big} {
		r := run(engine.Command{Argv: []string{"cat"}, Stdin: in}, Does{Stdout: string(in)})
		require.NoError(t, r.Err, name)
		require.Equal(t, string(in), r.Stdout, name)
	}
	r := run(engine.Command{Argv: []string{"cat"}}, Does{})
	require.NoError(t, r.Err)
	require.Empty(t, r.Stdout)
}

func interpreter(t *testing.T, run runner) {
	r := run(engine.Command{Script: "echo ${#x} $-; false; echo not reached", Env: []engine.Env{{Name: "x", Value: "four"}}},
		Does{Stdout: "4 e\n", Code: 1})
	require.NoError(t, r.Err)
	require.Equal(t, 1, r.Status.Code, "-e is set")
	require.NotContains(t, r.Stdout, "not reached")
	r = run(engine.Command{Script: "BEGIN { print 6*7 }", Interpreter: []string{"awk", "-f"}}, Does{Stdout: "42\n"})
	require.NoError(t, r.Err)
	require.Equal(t, "42\n", r.Stdout)
}

func workingDirectory(t *testing.T, run runner) {
	dir := filepath.Join(t.TempDir(), "a 'dir'")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	r := run(engine.Command{Argv: []string{"pwd"}, WorkingDir: dir}, Does{Stdout: dir + "\n"})
	require.NoError(t, r.Err)
	require.Equal(t, dir+"\n", r.Stdout)
}

func timeout(t *testing.T, run runner) {
	r := run(engine.Command{Script: "echo before; sleep 300", Timeout: time.Second}, Does{Stdout: "before\n", Lasts: 5 * time.Minute})
	require.NoError(t, r.Err)
	require.True(t, r.Status.TimedOut)
	require.True(t, r.Status.KillConfirmed)
	require.Empty(t, r.Status.Survivors)
	require.Equal(t, "before\n", r.Stdout)
}

func refused(t *testing.T, run runner) {
	for kind, c := range map[string]engine.Command{
		"program":           {Argv: []string{"nonsuchprogram"}},
		"working-directory": {Argv: []string{"true"}, WorkingDir: "/nonsuch"},
	} {
		r := run(c, Does{Refused: kind})
		require.ErrorIs(t, r.Err, engine.ErrRefused)
		var he *engine.HostError
		require.ErrorAs(t, r.Err, &he)
		require.Equal(t, kind, he.Kind)
	}
}
