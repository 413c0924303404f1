package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// measurement is what one process took.
type measurement struct {
	wall   time.Duration
	cpu    time.Duration // user and system, its ended children included
	rss    int64         // peak resident memory in bytes
	stdout []byte
}

// measure runs a command to its end and returns what it took. A non-zero exit code is an error with what it said.
func measure(ctx context.Context, dir, binary string, args ...string) (measurement, error) {
	return measureWith(ctx, nil, dir, binary, args...)
}

// measureWith is measure with more environment.
func measureWith(ctx context.Context, env []string, dir, binary string, args ...string) (measurement, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	m := measurement{wall: time.Since(began), stdout: stdout.Bytes()}
	if err != nil {
		return m, fmt.Errorf("%s: %w\n%s%s", args[0], err, tail(stderr.Bytes()), tail(m.stdout))
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return m, errors.New("this system does not tell a process's peak memory")
	}
	m.rss, m.cpu = usage.Maxrss*maxrssUnit, cpuOf(usage)
	return m, nil
}

// tail is the end of a long text.
func tail(text []byte) []byte {
	if len(text) > 2000 {
		return text[len(text)-2000:]
	}
	return text
}
