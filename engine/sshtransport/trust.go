package sshtransport

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format of hashed names in known_hosts, not a protection
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// KnownHost is one line of a known_hosts file.
type KnownHost struct {
	Line   int
	Marker string // @cert-authority, @revoked, or empty
	// Names are the patterns of the line; hashed ones as they are.
	Names []string
	HostKey
}

// ErrOtherKey is returned when a file holds another key of the same type for the same host: removing it is a decision of
// its own.
var ErrOtherKey = errors.New("another key is known for this host")

// ListKnownHosts reads a known_hosts file. A file that does not exist is empty.
func ListKnownHosts(file string) ([]KnownHost, error) {
	lines, err := readKnownHosts(file)
	if err != nil {
		return nil, err
	}
	var out []KnownHost
	for i, line := range lines {
		k, ok, err := parseKnownHost(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", filepath.Base(file), i+1, err)
		}
		if ok {
			k.Line = i + 1
			out = append(out, k)
		}
	}
	return out, nil
}

// AddKnownHost appends a key that Scan returned. It reports false when the file holds it already.
func AddKnownHost(file string, k HostKey) (bool, error) {
	known, err := ListKnownHosts(file)
	if err != nil {
		return false, err
	}
	for _, old := range known {
		if old.Marker != "" || !old.names(k.Address) || old.Type != k.Type {
			continue
		}
		if old.Fingerprint == k.Fingerprint {
			return false, nil
		}
		return false, fmt.Errorf("%s:%d holds %s %s for %s: %w", filepath.Base(file), old.Line, old.Type, old.Fingerprint, k.Address, ErrOtherKey)
	}
	lines, err := readKnownHosts(file)
	if err != nil {
		return false, err
	}
	lines = append(lines, k.Address+" "+k.Type+" "+base64.StdEncoding.EncodeToString(k.key.Marshal()))
	return true, writeKnownHosts(file, lines)
}

// AddAuthority appends a certificate authority for the hosts that pattern matches. key is a line as in a .pub file.
func AddAuthority(file, pattern, key string) (HostKey, error) {
	pub, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(key))
	if err != nil {
		return HostKey{}, fmt.Errorf("authority key: %w", err)
	}
	if strings.ContainsAny(pattern, " \t\n#") || pattern == "" {
		return HostKey{}, fmt.Errorf("host pattern %q cannot stand in known_hosts", pattern)
	}
	lines, err := readKnownHosts(file)
	if err != nil {
		return HostKey{}, err
	}
	line := "@cert-authority " + pattern + " " + pub.Type() + " " + base64.StdEncoding.EncodeToString(pub.Marshal())
	k := newHostKey(pattern, pub)
	k.Comment = comment
	return k, writeKnownHosts(file, append(lines, line))
}

// RemoveKnownHost takes a host's own keys out of a file and returns them. Lines with patterns, authorities and
// revocations stay: they are about other hosts too.
func RemoveKnownHost(file string, h *runbooks.Host) ([]KnownHost, error) {
	lines, err := readKnownHosts(file)
	if err != nil {
		return nil, err
	}
	address := shownAddress(keyAddress(h))
	var kept []string
	var removed []KnownHost
	for i, line := range lines {
		k, ok, err := parseKnownHost(line)
		if err != nil || !ok || k.Marker != "" || !k.names(address) {
			kept = append(kept, line)
			continue
		}
		k.Line = i + 1
		removed = append(removed, k)
		if rest := k.without(address); len(rest) > 0 {
			_, after, _ := strings.Cut(strings.TrimSpace(line), " ")
			kept = append(kept, strings.Join(rest, ",")+" "+after)
		}
	}
	if len(removed) == 0 {
		return nil, nil
	}
	return removed, writeKnownHosts(file, kept)
}

// names reports whether the line is about exactly this address; a pattern is about more.
func (k KnownHost) names(address string) bool { return len(k.without(address)) < len(k.Names) }

func (k KnownHost) without(address string) []string {
	var rest []string
	for _, n := range k.Names {
		if n != address && !hashedName(n, address) {
			rest = append(rest, n)
		}
	}
	return rest
}

// hashedName compares |1|salt|hash with a name.
func hashedName(entry, name string) bool {
	parts := strings.Split(entry, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	want, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil {
		return false
	}
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), want)
}

// parseKnownHost reads a line; ok is false for comments and empty ones.
func parseKnownHost(line string) (k KnownHost, ok bool, err error) {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return k, false, nil
	}
	marker, names, key, comment, _, err := ssh.ParseKnownHosts([]byte(line))
	if err != nil {
		return k, false, errors.New(trimSSH(err))
	}
	if marker != "" {
		k.Marker = "@" + marker
	}
	k.Names = names
	k.HostKey = newHostKey(strings.Join(names, ","), key)
	k.Comment = comment
	return k, true, nil
}

func readKnownHosts(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text := strings.TrimRight(string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}

// writeKnownHosts replaces the file in one step: a reader sees the old or the new one.
func writeKnownHosts(file string, lines []string) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".known_hosts-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(strings.Join(append(lines, ""), "\n"))
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.Rename(f.Name(), file)
}

// KnownName is the name under which a host's keys stand in known_hosts: its alias, its address, or [address]:port.
func KnownName(h *runbooks.Host) string { return shownAddress(keyAddress(h)) }
