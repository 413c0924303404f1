package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// measurement is what one process took.
type measurement struct {
	wall   time.Duration
	rss    int64 // peak resident memory in bytes
	stdout []byte
}

// measure runs a command to its end and returns what it took. A non-zero exit code is an error with what it said.
func measure(ctx context.Context, dir, binary string, args ...string) (measurement, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	m := measurement{wall: time.Since(began), stdout: stdout.Bytes()}
	if err != nil {
		return m, fmt.Errorf("%s: %w\n%s", args[0], err, tail(stderr.Bytes()))
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return m, errors.New("this system does not tell a process's peak memory")
	}
	m.rss = usage.Maxrss * maxrssUnit
	return m, nil
}

// tail is the end of a long text.
func tail(text []byte) []byte {
	if len(text) > 2000 {
		return text[len(text)-2000:]
	}
	return text
}
