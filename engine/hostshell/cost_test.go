package hostshell

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

// What a step costs its host beyond the command: three forks (the command, its watchdog, the watchdog's sleep) and the
// programs setsid and sleep; in a shell that is kept one fork more, and no shell is started. No more, however it ends.
func TestLaunchForks(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	dir := t.TempDir()
	inc := thisHost(t, dir)
	for name, c := range map[string]struct {
		cmd           engine.Command
		forks, execs  int
		wanted, ended string
	}{
		"a program":       {engine.Command{Argv: []string{"/bin/true"}, Timeout: time.Hour}, 3, 4, "done", "0 exit"},
		"without timeout": {engine.Command{Argv: []string{"/bin/false"}}, 1, 3, "done", "1 exit"},
		"a script":        {engine.Command{Script: ":", Timeout: time.Hour}, 3, 4, "done", "0 exit"},
		// printf feeds it, and cat, which is one of the programs, says it again for the answer
		"with input and output": {engine.Command{Argv: []string{"/bin/cat"}, Stdin: []byte("x"), Timeout: time.Hour}, 4, 5, "data", "0 exit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nonce := newNonce()
			a := engine.Attempt{ID: engine.AttemptID(newNonce()), Incarnation: inc, Command: c.cmd}
			out, forks, execs := traced(t, strace, dir, launchText(nonce, a, 1, false, false).text)
			require.Regexp(t, "^"+nonce+" 1 "+c.wanted+" "+c.ended+" ", out)
			require.LessOrEqual(t, forks, c.forks)
			require.LessOrEqual(t, execs, c.execs)

			const steps = 3
			var texts strings.Builder
			for n := range steps {
				nonce := newNonce()
				a.ID = engine.AttemptID(newNonce())
				texts.WriteString(keptText(talk{nonce: nonce, text: launchText(nonce, a, 1, false, true).text}, n == 0))
			}
			_, forks, execs = traced(t, strace, dir, texts.String())
			require.LessOrEqual(t, forks, steps*(c.forks+1))
			require.LessOrEqual(t, execs, 1+steps*(c.execs-1))
		})
	}
}

// traced runs a text and counts what is forked and executed.
func traced(t *testing.T, strace, dir, text string) (out string, forks, execs int) {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-qq", "-e", "trace=execve,clone,clone3,fork,vfork", "-e", "signal=none", "-o", trace, "/bin/sh", "-s")
	cmd.Stdin = strings.NewReader(text)
	cmd.Env = []string{"HOME=" + dir, "PATH=/usr/bin:/bin"} // or each place that a program is looked for in vain counts
	said, err := cmd.Output()
	if err != nil {
		t.Skipf("strace does not work here: %v", err)
	}
	data, err := os.ReadFile(trace)
	require.NoError(t, err)
	return string(said), countCalls(string(data), `(clone|clone3|fork|vfork)\(`), countCalls(string(data), `execve\("`)
}

// countCalls counts calls that were begun: of one that was interrupted by another process's line, the trace shows
// beginning and end; one that a signal cut off has done nothing and is made again.
func countCalls(trace, name string) int {
	n := 0
	for _, call := range regexp.MustCompile(`(?m)^\d+ +`+name+`.*$`).FindAllString(trace, -1) {
		if !strings.Contains(call, "= ? ERESTART") {
			n++
		}
	}
	return n
}

// thisHost makes a state directory and says what Prepare would.
func thisHost(t *testing.T, dir string) *engine.Incarnation {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-s")
	cmd.Stdin, cmd.Env = strings.NewReader(prepareText(testNonce, newNonce())), append(os.Environ(), "HOME="+dir)
	out, err := cmd.Output()
	require.NoError(t, err)
	f := parseFacts(string(out))
	inc := &engine.Incarnation{BootID: f["boot"], InitTime: f["init"], StateDir: f["dir"], StateID: f["id"]}
	if f["boot"] == "-" {
		t.Skip("this system has no boot id")
	}
	require.NoError(t, checkIncarnation(inc))
	return inc
}
