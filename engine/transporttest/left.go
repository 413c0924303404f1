package transporttest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Left are the processes that sessions of the server started and that run still, as "PID arguments". Only Linux tells.
func (s *SSHD) Left(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	if len(files) == 0 {
		Missing(t, "no /proc: nobody tells what runs")
	}
	var left []string
	for _, f := range files {
		env, err := os.ReadFile(f) // of a process that ended meanwhile, or of a stranger's: not ours
		if err != nil || !bytes.Contains(append([]byte{0}, env...), []byte("\x00HOME="+s.Home+"\x00")) {
			continue
		}
		dir := filepath.Dir(f)
		args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(args) == 0 { // a zombie has none
			continue
		}
		left = append(left, fmt.Sprintf("%s %s", filepath.Base(dir), strings.ReplaceAll(string(bytes.TrimRight(args, "\x00")), "\x00", " ")))
	}
	return left
}

// RequireNothingLeft waits until nothing runs any more that a session of the server started, and fails when something
// stays. Connections must have ended.
func (s *SSHD) RequireNothingLeft(t testing.TB) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if left = s.Left(t); len(left) == 0 {
			return
		}
	}
	for _, l := range left { // or they would outlive the test
		pid, _, _ := strings.Cut(l, " ")
		if n, err := strconv.Atoi(pid); err == nil {
			if p, err := os.FindProcess(n); err == nil {
				_ = p.Kill()
			}
		}
	}
	require.Empty(t, left, "processes left on the host")
}
