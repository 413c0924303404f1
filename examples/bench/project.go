package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh/knownhosts"
)

// writeFleet writes a project with the servers as hosts and two runbooks, of checks and of durable steps.
func writeFleet(s *servers, dir string, items int) error {
	var b strings.Builder
	writeHosts(s, &b)
	// The items do not wait for each other, as the bare loop lets no host wait for another. As many run at once in both.
	for _, kind := range []string{"check", "step"} {
		fmt.Fprintf(&b, "runbook \"%ss\" {\n  phase \"all\" {\n    hosts = group.all\n", kind)
		for i := range items {
			fmt.Fprintf(&b, "    %s \"i%02d\" {\n      argv  = [%q]\n      after = []\n    }\n", kind, i, command)
		}
		b.WriteString("  }\n}\n")
	}
	return s.writeProject(dir, b.String())
}

// writeHosts begins a project: every server a host, all of them the group all.
func writeHosts(s *servers, b *strings.Builder) {
	fmt.Fprintf(b, "project \"bench\" {\n  environment = \"staging\"\n  connection {\n    user           = %q\n    port           = %d\n    identity_files = [%q]\n    agent          = \"none\"\n  }\n}\n",
		s.user, s.port, filepath.Join(s.dir, "id"))
	for i, a := range s.addresses {
		fmt.Fprintf(b, "host \"h%04d\" { address = %q }\n", i, a)
	}
	b.WriteString("group \"all\" { hosts = inventory }\n")
}

// writeProject writes a project and the servers' keys.
func (s *servers) writeProject(dir, text string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(s.knownHosts()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bench.hcl"), []byte(text), 0o600)
}

func (s *servers) knownHosts() string {
	var b strings.Builder
	for _, a := range s.addresses {
		b.WriteString(knownhosts.Line([]string{knownhosts.Normalize(s.endpoint(a))}, s.hostKey) + "\n")
	}
	return b.String()
}
