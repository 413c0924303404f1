// Command bench measures what continuo promises about speed and memory, on the machine where it runs:
//
//   - fleet: a run of 10 checks, and one of 10 durable steps, on 100 hosts, each behind a real OpenSSH server on loopback, as a
//     ratio to a bare loop over golang.org/x/crypto/ssh that does the same with one connection a host, in the same minute, and
//     to parallel-ssh and Ansible where they are installed; its processor time here and on the hosts; and its peak memory;
//   - many: 3 durable steps on each of 1,000 such hosts, from one process, and its peak memory;
//   - output: a check that prints 1 GB, and its peak memory;
//   - journal: what the record costs the same fleet, as a ratio of two runs in one process that differ in nothing else: journal,
//     ledger and artifacts on disk with every fsync, and none at all;
//   - project: validate and plan of a project with 1,000 hosts and 1,000 items, beside the bare parser on the same files, and
//     peak memory;
//   - verify: a bundle of 1 GB, as a ratio to sha256sum over the same files, and its peak memory;
//   - plan: the plan of a runbook with 10,000 items, time and peak memory;
//   - simulation: a test of an hour of waits and polls, and how many explored cases a second.
//
// It builds the program, makes its own servers and projects in a temporary directory, and removes them. Nothing is kept
// from earlier runs and no figure is known beforehand. Rounds of both sides alternate, and the best time of each is
// compared: whatever else the machine does can only add to a time. Memory is the worst of all rounds. It exits 1 when a target is missed, 2 when it could not measure.
//
//	go run ./examples/bench [-hosts 100] [-checks 10] [-items 10000] [-rounds 5] [-many 1000] [-only fleet|many|output|project|verify|plan|simulation] [-binary continuo]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

// settings are what the command line says.
type settings struct {
	hosts, many, checks, items, rounds int
	only, binary                       string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == measurerArg {
		if err := measurer(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		return
	}
	var s settings
	flag.IntVar(&s.hosts, "hosts", 100, "hosts of the fleet")
	flag.IntVar(&s.many, "many", 1000, "very many hosts")
	flag.IntVar(&s.checks, "checks", 10, "checks on each host")
	flag.IntVar(&s.items, "items", 10000, "items of the plan")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds; the best time and the worst memory count")
	flag.StringVar(&s.only, "only", "", "fleet, many, output, project, verify, plan or simulation; empty: all")
	flag.StringVar(&s.binary, "binary", "", "a continuo that is built already")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	missed, err := bench(ctx, s)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	case missed > 0:
		os.Exit(1)
	}
}

// bench measures, prints the table and says how many targets were missed.
func bench(ctx context.Context, s settings) (missed int, err error) {
	dir, err := os.MkdirTemp("", "continuo-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if s.binary == "" {
		s.binary = filepath.Join(dir, "continuo")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", s.binary, "github.com/continuo-runbooks/continuo/cmd/continuo")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return 0, fmt.Errorf("build continuo: %w", err)
		}
	}
	if s.binary, err = filepath.Abs(s.binary); err != nil {
		return 0, err
	}
	var t table
	for _, part := range []struct {
		name string
		run  func(context.Context, settings, string, *table) error
	}{
		{"fleet", benchFleet}, {"many", benchMany}, {"output", benchOutput}, {"project", benchProject}, {"verify", benchVerify},
		{"plan", benchPlan}, {"simulation", benchSimulation},
	} {
		if s.only != "" && s.only != part.name {
			continue
		}
		if err := part.run(ctx, s, filepath.Join(dir, part.name), &t); err != nil {
			return 0, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return t.print(os.Stdout), nil
}
