package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What one process may need.
const (
	manySteps  = 3
	manyMemory = 250e6 // bytes
	bigOutput  = 1_000_000_000
	bigMemory  = 100e6
)

// benchMany runs three durable steps on each of very many hosts with one process. Every host is an address of its own on
// loopback, behind a real OpenSSH server.
func benchMany(ctx context.Context, s settings, dir string, t *table) error {
	servers, err := startServers(ctx, filepath.Join(dir, "ssh"), s.many)
	if err != nil {
		return err
	}
	defer servers.stop()
	project := filepath.Join(dir, "project")
	if err := writeFleet(servers, project, manySteps); err != nil {
		return err
	}
	m, err := measure(ctx, project, s.binary, "run", "steps", "--live", "--yes", "--json")
	if err != nil {
		return err
	}
	if err := allSucceeded(m.stdout, s.many*manySteps); err != nil {
		return err
	}
	name := fmt.Sprintf("many: %d hosts × %d durable steps, ", s.many, manySteps)
	t.show(name+"all accounted for", seconds(m.wall))
	t.judge(name+"peak memory", megabytes(m.rss), "< 250 MB", m.rss < manyMemory)
	return nil
}

// benchOutput runs a check that prints 1 GB.
func benchOutput(ctx context.Context, s settings, dir string, t *table) error {
	servers, err := startServers(ctx, filepath.Join(dir, "ssh"), 1)
	if err != nil {
		return err
	}
	defer servers.stop()
	var b strings.Builder
	writeHosts(servers, &b)
	fmt.Fprintf(&b, "runbook \"output\" {\n  phase \"all\" {\n    check \"big\" {\n      hosts = group.all\n      argv  = [\"head\", \"-c\", \"%d\", \"/dev/zero\"]\n    }\n  }\n}\n", bigOutput)
	project := filepath.Join(dir, "project")
	if err := servers.writeProject(project, b.String()); err != nil {
		return err
	}
	m, err := measure(ctx, project, s.binary, "run", "output", "--live", "--yes", "--json")
	if err != nil {
		return err
	}
	if err := allSucceeded(m.stdout, 1); err != nil {
		return err
	}
	if err := sawAll(project); err != nil {
		return err
	}
	t.show("output: a check that prints 1 GB", seconds(m.wall))
	t.judge("output: a check that prints 1 GB, peak memory", megabytes(m.rss), "< 100 MB", m.rss < bigMemory)
	return nil
}

// sawAll makes sure that the record tells the true size of the output.
func sawAll(project string) error {
	journals, err := filepath.Glob(filepath.Join(project, ".continuo", "runs", "*", "journal.jsonl"))
	if err != nil || len(journals) != 1 {
		return fmt.Errorf("%d journals of one run", len(journals))
	}
	data, err := os.ReadFile(journals[0])
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, strconv.Itoa(bigOutput)) {
			continue
		}
		var e struct{ Type string }
		if json.Unmarshal([]byte(line), &e) == nil && e.Type == "item.output" {
			return nil
		}
	}
	return fmt.Errorf("the record does not say that %d bytes came", bigOutput)
}
