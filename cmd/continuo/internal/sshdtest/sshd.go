// Package sshdtest starts real OpenSSH servers on loopback for tests. A server runs as the user who starts it, lets that
// user in with one key, and ends with Stop.
package sshdtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrMissing: there is no OpenSSH server on this machine.
var ErrMissing = errors.New("no OpenSSH server: install openssh-server")

// Server is one running sshd.
type Server struct {
	Port int
	// HostKey is the public key as it stands in known_hosts, without the address: "ssh-ed25519 AAAA…".
	HostKey string
	// Identity is the path of the private key that may log in.
	Identity string
	cmd      *exec.Cmd
}

// Find is the path of sshd, or ErrMissing.
func Find() (string, error) {
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/lib/ssh", "/opt/homebrew/sbin"} {
		if p := filepath.Join(dir, "sshd"); executable(p) {
			return p, nil
		}
	}
	if p, err := exec.LookPath("sshd"); err == nil {
		return filepath.Abs(p)
	}
	return "", ErrMissing
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// Start makes keys in dir and starts a server there. config are further lines of sshd_config; they come first, so that
// they win.
func Start(dir string, config ...string) (*Server, error) {
	sshd, err := Find()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &Server{Identity: filepath.Join(dir, "identity")}
	hostKey := filepath.Join(dir, "host_key")
	for _, key := range []string{s.Identity, hostKey} {
		if err := keygen(key); err != nil {
			return nil, err
		}
	}
	pub, err := os.ReadFile(hostKey + ".pub")
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(pub))
	s.HostKey = fields[0] + " " + fields[1]
	if s.Port, err = freePort(); err != nil {
		return nil, err
	}
	text := strings.Join(append(config,
		"Port "+strconv.Itoa(s.Port), "ListenAddress 127.0.0.1", "HostKey "+hostKey, "AuthorizedKeysFile "+s.Identity+".pub",
		"PidFile none", "StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin yes", "LogLevel DEBUG1",
		"MaxStartups 100",
	), "\n") + "\n"
	file := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return s, s.run(sshd, file)
}

// run starts the process and waits for the line that says that it listens.
func (s *Server) run(sshd, config string) error {
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // its privilege separation directory
			return err
		}
	}
	s.cmd = exec.Command(sshd, "-D", "-e", "-f", config)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	log := bufio.NewReader(stderr)
	var said strings.Builder
	for {
		line, err := log.ReadString('\n')
		said.WriteString(line)
		if strings.Contains(line, "Server listening on") {
			break
		}
		if err != nil {
			return errors.Join(fmt.Errorf("sshd ended: %s", said.String()), s.Stop())
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	return nil
}

// Stop ends the server. Connections that it serves end with it where they run in the same process group.
func (s *Server) Stop() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var ended *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &ended) {
		return err
	}
	return nil
}

func keygen(path string) error {
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ssh-keygen: %w: %s", err, out)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
