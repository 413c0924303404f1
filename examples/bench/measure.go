package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
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

// measurerArg makes of this program the measurer of another: what is behind it is the command line.
const measurerArg = "measure-one-command"

// report is what the measurer writes to its fourth file.
type report struct {
	Wall, CPU time.Duration
	RSS       int64
	Err       string `json:",omitempty"`
}

// measure runs a command to its end and returns what it took. A non-zero exit code is an error with what it said.
func measure(ctx context.Context, dir, binary string, args ...string) (measurement, error) {
	return measureWith(ctx, nil, dir, binary, args...)
}

// measureWith is measure with more environment. Between us and the command stands a small process of its own: the kernel
// counts the memory of the process that starts another into the peak of what it starts, and ours is that of a thousand servers.
func measureWith(ctx context.Context, env []string, dir, binary string, args ...string) (measurement, error) {
	self, err := os.Executable()
	if err != nil {
		return measurement{}, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return measurement{}, err
	}
	defer r.Close()
	cmd := exec.CommandContext(ctx, self, append([]string{measurerArg, binary}, args...)...)
	cmd.Dir, cmd.Env, cmd.ExtraFiles = dir, append(os.Environ(), env...), []*os.File{w}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends the command first
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = errors.Join(cmd.Run(), w.Close())
	var rep report
	if derr := json.NewDecoder(r).Decode(&rep); err == nil && derr != nil {
		err = fmt.Errorf("read what was measured: %w", derr)
	}
	if rep.Err != "" {
		err = errors.New(rep.Err)
	}
	m := measurement{wall: rep.Wall, cpu: rep.CPU, rss: rep.RSS, stdout: stdout.Bytes()}
	if err != nil {
		return m, fmt.Errorf("%s: %w\n%s%s", args[0], err, tail(stderr.Bytes()), tail(m.stdout))
	}
	return m, nil
}

// measurer runs one command with our own output and writes to file 3 what it took.
func measurer(line []string) error {
	out := os.NewFile(3, "report")
	if out == nil || len(line) == 0 {
		return errors.New(measurerArg + " is for this program's own use")
	}
	syscall.CloseOnExec(3)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	began := time.Now()
	err := cmd.Run()
	rep := report{Wall: time.Since(began)}
	if err != nil {
		rep.Err = err.Error()
	} else if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		rep.RSS, rep.CPU = usage.Maxrss*maxrssUnit, cpuOf(usage)
	} else {
		rep.Err = "this system does not tell a process's peak memory"
	}
	return json.NewEncoder(out).Encode(rep)
}

// tail is the end of a long text.
func tail(text []byte) []byte {
	if len(text) > 2000 {
		return text[len(text)-2000:]
	}
	return text
}
