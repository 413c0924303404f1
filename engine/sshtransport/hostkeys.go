package sshtransport

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// hostKeys is what is known of hosts' keys, read once.
type hostKeys struct {
	files []string
	load  func() (*knownhosts.HostKeyDB, error)
}

func newHostKeys(files []string) *hostKeys {
	return &hostKeys{files: files, load: sync.OnceValues(func() (*knownhosts.HostKeyDB, error) {
		var there []string
		for _, f := range files {
			if _, err := os.Stat(f); err == nil {
				there = append(there, f)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		return knownhosts.NewDB(there...)
	})}
}

// file is the name that hints show.
func (k *hostKeys) file() string {
	if len(k.files) == 0 {
		return "known_hosts"
	}
	return filepath.Base(k.files[0])
}

// keyAddress is the host:port under which a host's keys are known: its alias, else its address. An alias has no port,
// as in OpenSSH.
func keyAddress(h *runbooks.Host) string {
	if a := h.Connection.HostKeyAlias; a != "" {
		return net.JoinHostPort(a, "22")
	}
	return net.JoinHostPort(h.Address, strconv.Itoa(port(h)))
}

func port(h *runbooks.Host) int {
	if h.Port == 0 {
		return 22
	}
	return h.Port
}

// noAddr stands for the peer's address: keys are looked up by name only, never by the address that a name resolved to.
func noAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero} }

// algorithms are the host-key algorithms to offer: those of the keys that are known, so that a server with several keys
// presents one of them. When none is known all secure ones: the error can then show what the server presents.
func (k *hostKeys) algorithms(db *knownhosts.HostKeyDB, addr string, allowed []string) []string {
	var out []string
	for _, a := range db.HostKeyAlgorithms(addr) {
		if slices.Contains(allowed, a) {
			out = append(out, a)
		}
	}
	if len(out) == 0 && len(db.HostKeyAlgorithms(addr)) == 0 {
		return allowed
	}
	return out
}

// hostKeyError is a server's key that is not accepted. Its text says what is known and where.
type hostKeyError struct {
	text, hint string
}

// Error implements error.
func (e *hostKeyError) Error() string { return e.text }

// judge turns the refusal of a key into what to do about it.
func (k *hostKeys) judge(err error, host, addr string, key ssh.PublicKey) error {
	presented := describeKey(key)
	var unknown *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	add := "compare the fingerprint with one from a source you trust, then: continuo trust add " + host
	switch {
	case errors.As(err, &revoked):
		return &hostKeyError{"host key revoked (" + place(revoked.Revoked) + "): the server presents " + presented,
			"do not connect: the key was revoked on purpose; find out who answers at this address"}
	case errors.As(err, &unknown) && len(unknown.Want) > 0:
		var known []string
		for _, w := range unknown.Want {
			known = append(known, place(w)+" has "+describeKey(w.Key))
		}
		return &hostKeyError{"host key changed: the server presents " + presented + ", " + strings.Join(known, "; "),
			"somebody may be in between. If the host was rebuilt and you know the new fingerprint: continuo trust remove " + host +
				", then: continuo trust add " + host + " --fingerprint " + ssh.FingerprintSHA256(plainKey(key))}
	case errors.As(err, &unknown):
		return &hostKeyError{"host key unknown: " + k.file() + " has no key for " + shownAddress(addr) + ", the server presents " + presented, add}
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		return &hostKeyError{fmt.Sprintf("host certificate refused: %s (principals %s, signed by %s)", trimSSH(err),
			strings.Join(cert.ValidPrincipals, ", "), ssh.FingerprintSHA256(cert.SignatureKey)),
			"the certificate must name the host and be signed by a @cert-authority of " + k.file()}
	}
	return &hostKeyError{"host key refused: " + trimSSH(err) + ", the server presents " + presented, add}
}

// noCommonKey explains a negotiation that failed because known_hosts holds keys of other types.
func (k *hostKeys) noCommonKey(db *knownhosts.HostKeyDB, host, addr string, offers []string) error {
	var known []string
	for _, key := range db.HostKeys(addr) {
		kind := key.Type()
		if key.Cert {
			kind = "certificates of an authority with " + kind
		}
		known = append(known, kind)
	}
	return &hostKeyError{fmt.Sprintf("host key not comparable: %s has only %s for %s, the server offers %s",
		k.file(), strings.Join(known, ", "), shownAddress(addr), strings.Join(offers, ", ")),
		"add the server's key of another type after comparing its fingerprint: continuo trust add " + host}
}

func place(k xknownhosts.KnownKey) string {
	return filepath.Base(k.Filename) + ":" + strconv.Itoa(k.Line)
}

func shownAddress(addr string) string { return knownhosts.Normalize(addr) }

func describeKey(key ssh.PublicKey) string {
	p := plainKey(key)
	return p.Type() + " " + ssh.FingerprintSHA256(p)
}

// plainKey is the key that a certificate is about, or the key itself.
func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if c, ok := key.(*ssh.Certificate); ok {
		return c.Key
	}
	return key
}

// trimSSH takes the prefixes of x/crypto/ssh off an error's text.
func trimSSH(err error) string {
	s := err.Error()
	for {
		t := strings.TrimPrefix(strings.TrimPrefix(s, "ssh: "), "handshake failed: ")
		if t == s {
			return s
		}
		s = t
	}
}
