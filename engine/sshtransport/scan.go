package sshtransport

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// HostKey is a key that a server presents, or that known_hosts holds.
type HostKey struct {
	// Address is as known_hosts writes it: a name, an address, or [name]:port.
	Address     string
	Type        string
	Fingerprint string // SHA256:… as ssh-keygen -l prints it
	Comment     string
	key         ssh.PublicKey
}

// scanOrder prefers the key types that are best to know.
func scanOrder() []string {
	return []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
}

var errScanned = errors.New("the key was presented")

// Scan asks a server for its host key, on one connection that ends before anything is authenticated. A jump host on the
// way is reached as always, with its key checked. keyType ("ed25519", "ecdsa", "rsa") narrows what is asked for; empty:
// the best that the server has. It tells what is presented, not what is true: compare the fingerprint.
func (t *Transport) Scan(ctx context.Context, h *runbooks.Host, keyType string) (HostKey, error) {
	g, err := t.target(h)
	if err != nil {
		return HostKey{}, err
	}
	if g.broken != nil {
		return HostKey{}, g.fail("configuration", "", "%v", g.broken)
	}
	h = g.host
	algos, err := offered(h.Connection.LegacyAlgorithms)
	if err != nil {
		return HostKey{}, g.fail("configuration", "", "%v", err)
	}
	want := slices.DeleteFunc(scanOrder(), func(a string) bool { return !strings.Contains(a, keyType) })
	d := &dialing{t: t, g: g, cred: &credentials{}}
	hop, err := d.hop(ctx)
	var raw net.Conn
	if err == nil {
		raw, err = d.tcpConn(ctx, hop)
	}
	if err != nil {
		if ctx.Err() != nil {
			return HostKey{}, ctx.Err()
		}
		return HostKey{}, d.explain(err, 1, 0)
	}
	defer raw.Close()
	d.tcp = true
	limited, cancel := context.WithTimeout(ctx, orDefault(h.Connection.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	stop := context.AfterFunc(limited, func() { d.late.Store(true); _ = raw.Close() })
	defer stop()
	var found ssh.PublicKey
	_, _, _, err = ssh.NewClientConn(&countingConn{Conn: raw, read: &d.read}, g.addr(), &ssh.ClientConfig{
		Config: ssh.Config{KeyExchanges: algos.kex, Ciphers: algos.ciphers, MACs: algos.macs}, ClientVersion: clientVersion,
		HostKeyAlgorithms: want,
		HostKeyCallback:   func(_ string, _ net.Addr, key ssh.PublicKey) error { found = key; return errScanned },
	})
	switch {
	case found != nil:
		return newHostKey(shownAddress(keyAddress(h)), found), nil
	case ctx.Err() != nil:
		return HostKey{}, ctx.Err()
	case err == nil:
		err = errScanned
	}
	return HostKey{}, d.explain(err, 1, 0)
}

func newHostKey(address string, key ssh.PublicKey) HostKey {
	return HostKey{Address: address, Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key), key: key}
}
