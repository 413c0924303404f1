package transporttest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Connections are the processes of the server that serve its connections now: for each the one that the listener started,
// and those of the server's program that this one started. Only Linux tells.
func (s *SSHD) Connections(t testing.TB) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	if len(files) == 0 {
		Missing(t, "no /proc: nobody tells what runs")
	}
	children := map[int][]int{}
	for _, f := range files {
		data, err := os.ReadFile(f) // of a process that has ended meanwhile: none of ours
		if err != nil {
			continue
		}
		// PID (PROGRAM) STATE PARENT …
		head, tail, ok := strings.Cut(string(data), ") ")
		pid, program, named := strings.Cut(head, " (")
		rest := strings.Fields(tail)
		if !ok || !named || len(rest) < 2 || !strings.HasPrefix(program, "sshd") {
			continue
		}
		parent := atoi(rest[1])
		children[parent] = append(children[parent], atoi(pid))
	}
	var all []int
	for next := children[s.PID]; len(next) > 0; {
		all = append(all, next...)
		var deeper []int
		for _, pid := range next {
			deeper = append(deeper, children[pid]...)
		}
		next = deeper
	}
	return all
}

// SignalConnections sends a signal to every process that Connections names, and says to how many. What their sessions run
// gets none.
func (s *SSHD) SignalConnections(t testing.TB, sig syscall.Signal) int {
	t.Helper()
	n := 0
	for _, pid := range s.Connections(t) {
		if SignalServer(pid, sig) {
			n++
		}
	}
	return n
}

// SignalServer sends a signal to a process that Connections named, and says whether it did: not to another process that has
// got its number meanwhile.
func SignalServer(pid int, sig syscall.Signal) bool {
	p, err := os.FindProcess(pid) // from here on it is this process, or none
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }()
	comm, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	return err == nil && strings.HasPrefix(string(comm), "sshd") && p.Signal(sig) == nil
}
