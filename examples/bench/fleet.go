package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"golang.org/x/sync/errgroup"
)

// checkCommand is what every check runs, as a check does: a program, no builtin of a shell. It is cheap on the host, so
// that the overhead shows.
const checkCommand = "/bin/true"

// benchFleet alternates runs of continuo with bare loops over the same servers.
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
	var ours, bare []time.Duration
	var rss []int64
	for round := range s.rounds + 1 {
		took, err := bareLoop(ctx, servers, s.checks)
		if err != nil {
			return fmt.Errorf("bare loop: %w", err)
		}
		m, err := measure(ctx, project, s.binary, "run", "fleet", "--live", "--yes", "--json", "--parallel", strconv.Itoa(s.hosts))
		if err != nil {
			return err
		}
		if err := allSucceeded(m.stdout, s.hosts*s.checks); err != nil {
			return err
		}
		if round == 0 {
			continue // both sides once to warm up
		}
		ours, bare, rss = append(ours, m.wall), append(bare, took), append(rss, m.rss)
	}
	name := fmt.Sprintf("fleet: %d hosts × %d checks, ", s.hosts, s.checks)
	ratio := slices.Min(ours).Seconds() / slices.Min(bare).Seconds()
	t.show(name+"bare loop", seconds(slices.Min(bare)))
	t.show(name+"continuo", seconds(slices.Min(ours)))
	t.judge(name+"ratio", fmt.Sprintf("%.2f", ratio), "≤ 1.30", ratio <= 1.30)
	t.judge(name+"peak memory", megabytes(slices.Max(rss)), "< 120 MB", slices.Max(rss) < 120e6)
	return nil
}

// writeFleet writes a project with the servers as hosts and one runbook with the checks.
func writeFleet(s *servers, dir string, checks int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var known, b strings.Builder
	fmt.Fprintf(&b, "project \"bench\" {\n  environment = \"staging\"\n  connection {\n    user           = %q\n    port           = %d\n    identity_files = [%q]\n    agent          = \"none\"\n  }\n}\n",
		s.user, s.port, filepath.Join(s.dir, "id"))
	for i, a := range s.addresses {
		fmt.Fprintf(&b, "host \"h%03d\" { address = %q }\n", i, a)
		known.WriteString(knownhosts.Line([]string{knownhosts.Normalize(s.endpoint(a))}, s.hostKey) + "\n")
	}
	b.WriteString("group \"all\" { hosts = inventory }\nrunbook \"fleet\" {\n  phase \"check\" {\n    hosts = group.all\n")
	// The checks do not wait for each other, as the bare loop lets no host wait for another. As many run at once in both.
	for i := range checks {
		fmt.Fprintf(&b, "    check \"c%02d\" {\n      argv  = [%q]\n      after = []\n    }\n", i, checkCommand)
	}
	b.WriteString("  }\n}\n")
	if err := os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(known.String()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "fleet.hcl"), []byte(b.String()), 0o600)
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
		return fmt.Errorf("the run did not do its work: verdict %s, %d of %d checks succeeded", doc.Verdict, n, want)
	}
	return nil
}

// bareLoop is the yardstick: all hosts at once, one connection each, one command after another, nothing recorded. Host
// keys are checked, as anybody must.
func bareLoop(ctx context.Context, s *servers, checks int) (time.Duration, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, a := range s.addresses {
		group.Go(func() error { return bareHost(ctx, s, s.endpoint(a), checks) })
	}
	err := group.Wait()
	return time.Since(began), err
}

func bareHost(ctx context.Context, s *servers, endpoint string, checks int) error {
	client, err := ssh.Dial("tcp", endpoint, &ssh.ClientConfig{
		User: s.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(s.client)}, HostKeyCallback: ssh.FixedHostKey(s.hostKey),
		Timeout: 30 * time.Second,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	for range checks {
		session, err := client.NewSession()
		if err != nil {
			return err
		}
		_, err = session.CombinedOutput(checkCommand)
		_ = session.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
