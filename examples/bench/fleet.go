package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// command is what every side runs on every host: a program, no builtin of a shell. It is cheap on the host, so that the
// overhead shows.
const command = "/bin/true"

// The targets of a fleet, as ratios of wall times.
const (
	checksToBare   = 1.25 // at most
	stepsToBare    = 2.2
	psshToChecks   = 2.8 // at least
	psshToSteps    = 1.4
	ansibleToCheck = 7.0
)

// side is one of the ways to run the same commands on the same servers.
type side struct {
	name string
	// rounds is how often it is measured at most; the slow ones need fewer.
	rounds int
	run    func(ctx context.Context) (measurement, error)

	best  measurement
	rss   int64         // of the worst round
	hosts time.Duration // processor time on the hosts, of the round that took the least
}

// benchFleet alternates the sides over the same servers.
func benchFleet(ctx context.Context, s settings, dir string, t *table) error {
	servers, err := startServers(ctx, filepath.Join(dir, "ssh"), s.hosts)
	if err != nil {
		return err
	}
	defer servers.stop()
	project := filepath.Join(dir, "project")
	if err := writeFleet(servers, project, s.checks); err != nil {
		return err
	}
	run := func(runbook string) func(context.Context) (measurement, error) {
		return func(ctx context.Context) (measurement, error) {
			m, err := measure(ctx, project, s.binary, "run", runbook, "--live", "--yes", "--json", "--parallel", strconv.Itoa(s.hosts))
			if err == nil {
				err = allSucceeded(m.stdout, s.hosts*s.checks)
			}
			return m, err
		}
	}
	bare := &side{name: "bare loop", rounds: s.rounds, run: func(ctx context.Context) (measurement, error) { return bareLoop(ctx, servers, s.checks) }}
	checks := &side{name: "checks", rounds: s.rounds, run: run("checks")}
	steps := &side{name: "durable steps", rounds: s.rounds, run: run("steps")}
	sides := []*side{bare, checks, steps}
	journal := recording{servers: servers, project: project, state: filepath.Join(dir, "state"), items: s.hosts * s.checks, hosts: s.hosts}
	// What is compared with a tenth of itself wants more rounds than what is compared with a multiple.
	checksOn, checksOff := journal.sides("checks", 2*s.rounds)
	stepsOn, stepsOff := journal.sides("steps", 2*s.rounds)
	sides = append(sides, checksOn, checksOff, stepsOn, stepsOff)
	pssh, noPSSH := newPSSH(servers, filepath.Join(dir, "pssh"), s)
	ansible, noAnsible := newAnsible(servers, filepath.Join(dir, "ansible"), s)
	for _, peer := range []*side{pssh, ansible} {
		if peer != nil {
			sides = append(sides, peer)
		}
	}
	if err := alternate(ctx, servers, s.rounds, sides); err != nil {
		return err
	}
	name := fmt.Sprintf("fleet: %d hosts × %d: ", s.hosts, s.checks)
	for _, side := range sides {
		t.show(name+side.name, seconds(side.best.wall))
	}
	atMost(t, name+"checks / bare loop", checks, bare, checksToBare)
	atMost(t, name+"durable steps / bare loop", steps, bare, stepsToBare)
	atLeast(t, name+"parallel-ssh / checks", pssh, checks, psshToChecks, noPSSH)
	atLeast(t, name+"parallel-ssh / durable steps", pssh, steps, psshToSteps, noPSSH)
	atLeast(t, name+"ansible / checks", ansible, checks, ansibleToCheck, noAnsible)
	atMost(t, name+"checks, journal on disk / no journal", checksOn, checksOff, journalShare)
	atMost(t, name+"durable steps, journal on disk / no journal", stepsOn, stepsOff, journalShare)
	showCPU(t, name, bare, checks, steps)
	t.judge(name+"peak memory", megabytes(max(checks.rss, steps.rss)), "< 120 MB", max(checks.rss, steps.rss) < 120e6)
	return nil
}

// alternate runs the sides in turn, each as often as it says, after one round of the quick ones (rounds or more) to warm up,
// and keeps the best of each: whatever else the machine does can only add to a time.
func alternate(ctx context.Context, servers *servers, rounds int, sides []*side) error {
	most := 0
	for _, side := range sides {
		most = max(most, side.rounds)
	}
	for round := range most + 1 {
		for _, side := range sides {
			if round > side.rounds || round == 0 && side.rounds < rounds {
				continue
			}
			if err := servers.settle(ctx); err != nil {
				return err
			}
			before := servers.cpu()
			m, err := side.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", side.name, err)
			}
			if err := servers.settle(ctx); err != nil {
				return err
			}
			if round == 0 {
				continue
			}
			hosts := servers.cpu() - before
			if round == 1 || m.wall < side.best.wall {
				side.best.wall = m.wall
			}
			if round == 1 || m.cpu+hosts < side.best.cpu+side.hosts {
				side.best.cpu, side.hosts = m.cpu, hosts
			}
			side.rss = max(side.rss, m.rss)
		}
	}
	return nil
}

func ratio(a, b *side) float64 { return a.best.wall.Seconds() / b.best.wall.Seconds() }

func atMost(t *table, name string, a, b *side, target float64) {
	t.judge(name, fmt.Sprintf("%.2f", ratio(a, b)), fmt.Sprintf("≤ %.2f", target), ratio(a, b) <= target)
}

// atLeast compares with a peer, when there is one.
func atLeast(t *table, name string, peer, ours *side, target float64, missing string) {
	if peer == nil {
		t.show(name, missing)
		return
	}
	t.judge(name, fmt.Sprintf("%.2f", ratio(peer, ours)), fmt.Sprintf("≥ %.2f", target), ratio(peer, ours) >= target)
}

// showCPU says what the same work costs in processor time, ours and the hosts' together: unlike wall time it hardly
// depends on what else the machine does.
func showCPU(t *table, name string, bare *side, others ...*side) {
	total := func(s *side) float64 { return (s.best.cpu + s.hosts).Seconds() }
	if bare.hosts == 0 {
		return // this system does not tell
	}
	t.show(name+"processor time, bare loop (here + hosts)", fmt.Sprintf("%.2f + %.2f s", bare.best.cpu.Seconds(), bare.hosts.Seconds()))
	for _, s := range others {
		t.show(name+"processor time, "+s.name, fmt.Sprintf("%.2f + %.2f s, ratio %.2f", s.best.cpu.Seconds(), s.hosts.Seconds(), total(s)/total(bare)))
	}
}

// allSucceeded makes sure that the run did the work that it is timed for.
func allSucceeded(run []byte, want int) error {
	var doc struct {
		Verdict string
		Items   []struct{ Host, Outcome string }
	}
	if err := json.Unmarshal(run, &doc); err != nil {
		return fmt.Errorf("read the run: %w", err)
	}
	n := 0
	for _, i := range doc.Items {
		if i.Host != "" && i.Outcome == "succeeded" {
			n++
		}
	}
	if doc.Verdict != "passed" || n != want {
		return fmt.Errorf("the run did not do its work: verdict %s, %d of %d items succeeded on their hosts", doc.Verdict, n, want)
	}
	return nil
}
