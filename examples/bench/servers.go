package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// perDaemon is how many addresses one sshd may listen on (MAX_LISTEN_SOCKS).
const perDaemon = 16

// servers are real OpenSSH servers on loopback, every host an address of its own.
type servers struct {
	dir       string
	homes     string // the hosts' homes
	user      string
	port      int
	addresses []string
	hostKey   ssh.PublicKey
	client    ssh.Signer
	daemons   []*exec.Cmd
}

// startServers starts as many daemons as the hosts need. The caller stops them.
func startServers(ctx context.Context, dir string, hosts int) (*servers, error) {
	sshd, err := lookSSHD()
	if err != nil {
		return nil, err
	}
	who, err := user.Current()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // a root sshd wants it
			return nil, err
		}
	}
	s := &servers{dir: dir, user: who.Username}
	if err := s.makeHomes(); err != nil {
		return nil, err
	}
	if err := s.makeKeys(); err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	for i := range hosts {
		s.addresses = append(s.addresses, fmt.Sprintf("127.1.%d.%d", i/200, i%200+1))
	}
	for n := 0; n*perDaemon < hosts; n++ {
		if err := s.startDaemon(ctx, sshd, n); err != nil {
			s.stop()
			return nil, err
		}
	}
	return s, s.waitUntilListening(ctx)
}

// makeHomes puts the hosts' homes in memory where the system can: hundreds of hosts do not share one disk, as they would
// here. What continuo itself writes is on the disk.
func (s *servers) makeHomes() error {
	base := "/dev/shm"
	if info, err := os.Stat(base); err != nil || !info.IsDir() {
		base = s.dir
	}
	homes, err := os.MkdirTemp(base, "homes")
	s.homes = homes
	return err
}

func lookSSHD() (string, error) {
	for _, path := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no OpenSSH server on this machine (apt-get install openssh-server)")
}

// makeKeys makes one host key for all servers and one client key, in the files host and id.
func (s *servers) makeKeys() error {
	var signers [2]ssh.Signer
	for i, name := range []string{"host", "id"} {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		block, err := ssh.MarshalPrivateKey(private, "bench")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
		if signers[i], err = ssh.NewSignerFromKey(private); err != nil {
			return err
		}
	}
	s.hostKey, s.client = signers[0].PublicKey(), signers[1]
	return os.WriteFile(filepath.Join(s.dir, "authorized_keys"), ssh.MarshalAuthorizedKey(s.client.PublicKey()), 0o600)
}

func (s *servers) startDaemon(ctx context.Context, sshd string, n int) error {
	var cfg strings.Builder
	for _, a := range s.addresses[n*perDaemon : min(len(s.addresses), (n+1)*perDaemon)] {
		fmt.Fprintf(&cfg, "ListenAddress %s\n", a)
	}
	fmt.Fprintf(&cfg, "Port %d\nHostKey %s/host\nAuthorizedKeysFile %s/authorized_keys\nPidFile none\n", s.port, s.dir, s.dir)
	cfg.WriteString("StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n" +
		"PermitRootLogin yes\nPrintMotd no\nMaxStartups 1000\nLogLevel ERROR\n")
	if knowsPenalties(ctx, sshd) {
		cfg.WriteString("PerSourcePenalties no\n")
	}
	// Every host has a home of its own, as hosts do. No rc file of the account may slow the measured commands: bash reads
	// ~/.bashrc even for a command over SSH.
	for i := n * perDaemon; i < min(len(s.addresses), (n+1)*perDaemon); i++ {
		home := filepath.Join(s.homes, strconv.Itoa(i))
		if err := os.MkdirAll(home, 0o700); err != nil {
			return err
		}
		fmt.Fprintf(&cfg, "Match LocalAddress %s\nSetEnv HOME=%s\n", s.addresses[i], home)
	}
	path := filepath.Join(s.dir, "sshd_config_"+strconv.Itoa(n))
	if err := os.WriteFile(path, []byte(cfg.String()), 0o600); err != nil {
		return err
	}
	d := exec.Command(sshd, "-D", "-E", filepath.Join(s.dir, "sshd.log"), "-f", path)
	if err := d.Start(); err != nil {
		return err
	}
	s.daemons = append(s.daemons, d)
	return nil
}

// knowsPenalties asks the server itself: before 9.8 the option is an error.
func knowsPenalties(ctx context.Context, sshd string) bool {
	out, _ := exec.CommandContext(ctx, sshd, "-T", "-f", "/dev/null", "-o", "PerSourcePenalties=no", "-h", "/dev/null").CombinedOutput()
	return !strings.Contains(string(out), "Bad configuration option") && !strings.Contains(string(out), "Unsupported option")
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.1.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("a loopback address beyond 127.0.0.1 (Linux has them all): %w", err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// waitUntilListening asks every address until it answers, or 10 s have passed.
func (s *servers) waitUntilListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, a := range s.addresses {
		for {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.endpoint(a))
			if err == nil {
				_ = conn.Close()
				break
			}
			select {
			case <-ctx.Done():
				s.stop()
				said, _ := os.ReadFile(filepath.Join(s.dir, "sshd.log"))
				return fmt.Errorf("sshd on %s: %w\n%s", s.endpoint(a), err, tail(said))
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

func (s *servers) endpoint(address string) string {
	return net.JoinHostPort(address, strconv.Itoa(s.port))
}

func (s *servers) stop() {
	for _, d := range s.daemons {
		_ = d.Process.Kill()
		_ = d.Wait()
	}
	_ = os.RemoveAll(s.homes)
}
