package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Peers are other tools that do the same work, when they are installed. They use the OpenSSH client with connections that
// are kept (ControlMaster), made anew in each round, as every side has to.

// controlDir is short: the path of a socket must fit in 104 bytes on some systems.
func controlDir() (string, error) { return os.MkdirTemp("", "cb") }

// sshOptions are for every peer: our key, our known hosts, nothing of the user's.
func sshOptions(s *servers, known, control string) []string {
	return []string{"IdentityFile=" + filepath.Join(s.dir, "id"), "IdentitiesOnly=yes", "UserKnownHostsFile=" + known, "GlobalKnownHostsFile=/dev/null",
		"StrictHostKeyChecking=yes", "BatchMode=yes", "ControlMaster=auto", "ControlPersist=60", "ControlPath=" + control + "/%h"}
}

// peerFiles writes what both peers read: the hosts and their keys.
func peerFiles(s *servers, dir, hosts string) (known string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	known = filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(known, []byte(s.knownHosts()), 0o600); err != nil {
		return "", err
	}
	return known, os.WriteFile(filepath.Join(dir, "hosts"), []byte(hosts), 0o600)
}

// withControl gives f a directory for the kept connections and ends them afterwards, untimed.
func withControl(ctx context.Context, f func(control string) (measurement, error)) (measurement, error) {
	control, err := controlDir()
	if err != nil {
		return measurement{}, err
	}
	defer os.RemoveAll(control)
	m, err := f(control)
	sockets, _ := filepath.Glob(control + "/*") // the pattern is well formed
	for _, socket := range sockets {
		_ = exec.CommandContext(ctx, "ssh", "-F", "none", "-o", "ControlPath="+socket, "-O", "exit", "none").Run() // it may have ended
	}
	return m, err
}

// newPSSH is parallel-ssh: one call for each command, all hosts at once.
func newPSSH(s *servers, dir string, set settings) (peer *side, missing string) {
	binary := lookAny("parallel-ssh", "pssh")
	if binary == "" {
		return nil, "pssh is not installed"
	}
	run := func(ctx context.Context) (measurement, error) {
		var b strings.Builder
		for _, a := range s.addresses {
			fmt.Fprintf(&b, "%s:%d %s\n", a, s.port, s.user)
		}
		known, err := peerFiles(s, dir, b.String())
		if err != nil {
			return measurement{}, err
		}
		return withControl(ctx, func(control string) (measurement, error) {
			args := []string{"-h", filepath.Join(dir, "hosts"), "-p", fmt.Sprint(len(s.addresses)), "-t", "120",
				"-x", "-F none -E /dev/null"} // a master that logs to stderr would hold it open
			for _, o := range sshOptions(s, known, control) {
				args = append(args, "-O", o)
			}
			var all measurement
			for range set.checks {
				m, err := measure(ctx, dir, binary, append(args, command)...)
				if err == nil && strings.Count(string(m.stdout), "[SUCCESS]") != len(s.addresses) {
					err = fmt.Errorf("not all hosts succeeded\n%s", tail(m.stdout))
				}
				if err != nil {
					return all, err
				}
				all.wall += m.wall
				all.cpu += m.cpu
			}
			return all, nil
		})
	}
	return &side{name: "parallel-ssh", rounds: min(set.rounds, 3), run: run}, ""
}

// newAnsible is Ansible with one play of raw commands, pipelining and 50 forks.
func newAnsible(s *servers, dir string, set settings) (peer *side, missing string) {
	binary := lookAny("ansible-playbook")
	if binary == "" {
		return nil, "ansible is not installed"
	}
	run := func(ctx context.Context) (measurement, error) {
		var hosts, play strings.Builder
		for _, a := range s.addresses {
			fmt.Fprintf(&hosts, "%s ansible_port=%d ansible_user=%s\n", a, s.port, s.user)
		}
		known, err := peerFiles(s, dir, hosts.String())
		if err != nil {
			return measurement{}, err
		}
		play.WriteString("- hosts: all\n  gather_facts: false\n  tasks:\n")
		for range set.checks {
			fmt.Fprintf(&play, "    - raw: %s\n", command)
		}
		if err := os.WriteFile(filepath.Join(dir, "play.yml"), []byte(play.String()), 0o600); err != nil {
			return measurement{}, err
		}
		return withControl(ctx, func(control string) (measurement, error) {
			env := []string{"ANSIBLE_CONFIG=" + filepath.Join(dir, "none.cfg"), "ANSIBLE_HOME=" + dir, "ANSIBLE_PIPELINING=True", "ANSIBLE_FORKS=50",
				"ANSIBLE_SSH_ARGS=-F none -o " + strings.Join(sshOptions(s, known, control), " -o "), "ANSIBLE_NOCOLOR=1"}
			m, err := measureWith(ctx, env, dir, binary, "-i", filepath.Join(dir, "hosts"), "play.yml")
			if want := fmt.Sprintf("ok=%d ", set.checks); err == nil && strings.Count(string(m.stdout), want) != len(s.addresses) {
				err = fmt.Errorf("not all hosts succeeded\n%s", tail(m.stdout))
			}
			return m, err
		})
	}
	return &side{name: "ansible", rounds: min(set.rounds, 2), run: run}, ""
}

// lookAny finds the first program that is installed.
func lookAny(names ...string) string {
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	return ""
}
