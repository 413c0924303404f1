//go:build linux

package main

import (
	"crypto/rand"
	"encoding/hex"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/cli"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

var updateCaptures = flag.Bool("update", false, "write the golden captures anew")

// clockFile names the variable with the path of a file that tells the time: the wall clock, and that of the journal. Commands
// of a test that sets it see the hours of a night pass in seconds, and a screen that shows how long something took shows the
// same every time. The machine has a name, too, that is the same everywhere.
const clockFile = "CONTINUO_TEST_CLOCK"

// mainWithClock is continuo; with a file, its time is what that says.
func mainWithClock(file string) cli.Code {
	env := cli.OSEnv()
	if file != "" {
		env.Now, env.Stamps, env.Hostname = told(file).Now, told(file), "desk"
	}
	return cli.Main(env)
}

// told is a clock that shows what a file says.
type told string

// Now implements engine.Clock.
func (file told) Now() time.Time {
	data, err := os.ReadFile(string(file))
	if err != nil {
		panic(err)
	}
	at, err := time.Parse(time.RFC3339, string(data))
	if err != nil {
		panic(err)
	}
	return at
}

// tmux is a terminal of tmux with a shell in it.
type tmux struct {
	t             *testing.T
	path, socket  string
	width, height int
}

// startTmux opens a terminal of that size whose shell begins in dir with env. It ends with the test.
func startTmux(t *testing.T, dir string, width, height int, env []string) *tmux {
	t.Helper()
	x := &tmux{t: t, path: transporttest.NeedProgram(t, "tmux"), socket: filepath.Join(dir, "tmux"), width: width, height: height}
	start := x.command("-u", "-f", "/dev/null", "new-session", "-d", "-s", "night", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), "-c", dir, "/bin/sh")
	start.Env = slices.Concat(env, []string{"PS1=$ ", "LC_ALL=C.UTF-8", "SHELL=/bin/sh"})
	out, err := start.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Cleanup(func() { _ = x.command("kill-server").Run() })
	x.run("set-option", "-g", "status", "off")
	x.run("resize-window", "-t", "night", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height)) // the line of the status was one
	x.shows("$")
	return x
}

func (x *tmux) command(args ...string) *exec.Cmd {
	return exec.Command(x.path, append([]string{"-S", x.socket}, args...)...)
}

func (x *tmux) run(args ...string) string {
	x.t.Helper()
	out, err := x.command(args...).CombinedOutput()
	require.NoError(x.t, err, "tmux %s: %s", strings.Join(args, " "), out)
	return string(out)
}

// types presses the keys of a text, then Enter.
func (x *tmux) types(text string) {
	x.t.Helper()
	if text != "" {
		x.run("send-keys", "-t", "night", "-l", text)
	}
	x.run("send-keys", "-t", "night", "Enter")
}

// press presses a key by its name.
func (x *tmux) press(key string) {
	x.t.Helper()
	x.run("send-keys", "-t", "night", key)
}

// capture is what is seen: as many rows as the terminal has, up to the last that is not empty.
func (x *tmux) capture() string {
	x.t.Helper()
	all := strings.Split(strings.TrimRight(x.run("capture-pane", "-p", "-t", "night", "-S", "-"), "\n "), "\n")
	for n := range all {
		all[n] = strings.TrimRight(all[n], " ")
	}
	return strings.Join(all[max(0, len(all)-x.height):], "\n") + "\n"
}

// patience is how long a screen may take on a machine that does a lot besides.
const patience = 3 * time.Minute

// shows waits until the screen shows a text, wherever its lines are broken.
func (x *tmux) shows(text string) {
	x.t.Helper()
	x.until(text, func(screen string) bool {
		return strings.Contains(strings.Join(strings.Fields(screen), " "), text)
	})
}

// until waits until the screen is as ok wants it, and gives it.
func (x *tmux) until(what string, ok func(screen string) bool) string {
	x.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		screen := x.capture()
		if ok(screen) {
			return screen
		}
		if time.Now().After(end) {
			require.Failf(x.t, "it never came", "%s; the terminal shows:\n%s", what, screen)
		}
	}
}

// looks waits until the screen is the one on record, but for what masks hides.
func (x *tmux) looks(name string, mask func(string) string) {
	x.t.Helper()
	path := filepath.Join("testdata", "screens", strconv.Itoa(x.width)+"x"+strconv.Itoa(x.height), name+".txt")
	if *updateCaptures {
		x.record(path, mask)
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(x.t, err)
	var got string
	for end := time.Now().Add(patience); got != string(want) && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got = mask(x.capture())
	}
	require.Equal(x.t, string(want), got, "%s; go test ./cmd/continuo -run %s -update writes it anew", path, x.t.Name())
}

// record keeps a screen that does not change any more.
func (x *tmux) record(path string, mask func(string) string) {
	x.t.Helper()
	screen := mask(x.capture())
	for same := 0; same < 100; time.Sleep(20 * time.Millisecond) {
		next := mask(x.capture())
		same++
		if next != screen {
			same, screen = 0, next
		}
	}
	require.NoError(x.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(x.t, os.WriteFile(path, []byte(screen), 0o644))
}

// masked hides a text by as many x, also where the end of a row divides it.
func masked(screen, text string) string {
	var b strings.Builder
	for n, r := range text {
		if n > 0 {
			b.WriteString(`\n?`)
		}
		b.WriteString(regexp.QuoteMeta(string(r)))
	}
	return crossed(screen, regexp.MustCompile(b.String()))
}

// crossed puts an x for every character of what matches.
func crossed(screen string, what *regexp.Regexp) string {
	return what.ReplaceAllStringFunc(screen, func(found string) string {
		return regexp.MustCompile(`[^\n ]`).ReplaceAllString(found, "x")
	})
}

// fixedDir is a directory whose name has always the same length, so that rows with it break at the same place.
func fixedDir(t *testing.T) (dir, name string) {
	t.Helper()
	b := make([]byte, 4)
	_, err := rand.Read(b)
	require.NoError(t, err)
	name = hex.EncodeToString(b)
	dir = "/tmp/night-" + name
	require.NoError(t, os.Mkdir(dir, 0o700))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir, name
}
