package lab

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// mark is the comment of the lines that a lab writes into known_hosts files: it owns those and no others.
const mark = "continuo-lab"

// ensureKey reads the Ed25519 key at path, or makes one there (0600, with path.pub beside it).
func ensureKey(path, comment string) (ssh.Signer, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = makeKey(path, comment)
	}
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w; remove it and run lab up again", path, err)
	}
	return signer, nil
}

func makeKey(path, comment string) ([]byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	line := string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key))) + " " + comment + "\n"
	if err := replaceFile(path+".pub", []byte(line), 0o644); err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(block)
	return data, replaceFile(path, data, 0o600)
}

// mergeKnownHosts puts the lines of the hosts into a known_hosts file, in place of older lines that a lab wrote for the
// same addresses. Lines that it did not write stay as they are, in their order; when one of them names a practice host
// with another key, that is an error and the file is untouched: the host would be refused.
func mergeKnownHosts(path string, hosts []Host, keys map[string]ssh.PublicKey) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("known hosts: %w", err)
	}
	ours := map[string]string{} // normalised address → line
	for _, h := range hosts {
		address := knownhosts.Normalize(h.Endpoint())
		ours[address] = knownhosts.Line([]string{address}, keys[h.Name])
	}
	var out strings.Builder
	for n, line := range strings.Split(strings.TrimSuffix(string(old), "\n"), "\n") {
		fields := strings.Fields(line)
		if len(fields) >= 3 && !strings.HasPrefix(fields[0], "#") {
			want, mine := ours[fields[0]]
			switch {
			case mine && fields[len(fields)-1] == mark:
				continue
			case mine && fields[1]+" "+fields[2] != strings.Join(strings.Fields(want)[1:3], " "):
				return fmt.Errorf("known hosts %s:%d: %s has a key that is not the practice host's; remove that line, or give the host another port",
					path, n+1, fields[0])
			}
		}
		if line != "" || n > 0 {
			out.WriteString(line + "\n")
		}
	}
	for _, h := range hosts {
		out.WriteString(ours[knownhosts.Normalize(h.Endpoint())] + " " + mark + "\n")
	}
	if out.String() == string(old) {
		return nil
	}
	if err := replaceFile(path, []byte(out.String()), 0o644); err != nil {
		return fmt.Errorf("known hosts: %w", err)
	}
	return nil
}

// mergeOwnKeys merges the host keys of a prepared lab into the project's known_hosts file.
func mergeOwnKeys(l layout, cfg Config) error {
	if cfg.KnownHosts == "" {
		return nil
	}
	keys := map[string]ssh.PublicKey{}
	for _, h := range cfg.Hosts {
		key, err := ensureKey(l.hostKey(h.Name), h.Name)
		if err != nil {
			return err
		}
		keys[h.Name] = key.PublicKey()
	}
	return mergeKnownHosts(cfg.KnownHosts, cfg.Hosts, keys)
}
