package lab

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// survivorVariable marks the environment of everything that a lab starts, with the lab's random id: what left its
// process group (setsid, daemons) is still found by it when the hosts are switched off.
const survivorVariable = "CONTINUO_LAB"

// killSurvivors ends every process that carries the lab's id. It reads /proc; where there is none, only the process
// groups of still running commands were killed, and daemons that left them live on. It goes round until it finds none,
// because a process may have forked while it looked.
func killSurvivors(id string) {
	for range 10 {
		if killOnce(id) == 0 {
			return
		}
	}
}

// killOnce kills all that it finds once and says how many those were.
func killOnce(id string) int {
	want := []byte(survivorVariable + "=" + id)
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	found := 0
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(path)
		if err != nil || !hasVariable(env, want) {
			continue
		}
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			found++
		}
	}
	return found
}

// hasVariable looks for a whole NUL-terminated entry.
func hasVariable(env, want []byte) bool {
	for entry := range bytes.SplitSeq(env, []byte{0}) {
		if bytes.Equal(entry, want) {
			return true
		}
	}
	return false
}
