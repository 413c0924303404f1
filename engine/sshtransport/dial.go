package sshtransport

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
)

// connect returns the host's connection, dialling when there is none. Whoever comes while somebody dials waits for that.
func (t *Transport) connect(ctx context.Context, g *target) (*conn, error) {
	if c := g.current(); c != nil {
		return c, nil
	}
	select {
	case g.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-g.dialing }()
	if c := g.current(); c != nil {
		return c, nil
	}
	c, err := t.dial(ctx, g)
	if err != nil {
		return nil, err
	}
	if err := t.adopt(g, c); err != nil {
		c.close()
		return nil, err
	}
	t.opts.Connected(c.facts)
	return c, nil
}

// adopt makes c the target's connection, unless the transport was closed meanwhile.
func (t *Transport) adopt(g *target, c *conn) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errClosed
	}
	g.set(c)
	return nil
}

// dial makes a connection, trying again with full jitter as long as the server has not proved its identity. After that
// a credential may have been used, and a second try could lock an account.
func (t *Transport) dial(ctx context.Context, g *target) (*conn, error) {
	if g.broken != nil {
		return nil, g.fail("configuration", "", "%v", g.broken)
	}
	cred, err := t.credentials(ctx, g.host)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, g.fail("auth", "", "%v", err)
	}
	defer cred.close()
	silent := 0
	bound := t.opts.Dial.Backoff
	for attempt := 1; ; attempt++ {
		d := &dialing{t: t, g: g, cred: cred}
		c, err := d.try(ctx)
		if err == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if d.silent() {
			silent++
		}
		if !d.again(err) || attempt >= t.opts.Dial.Attempts {
			return nil, d.explain(err, attempt, silent)
		}
		delay := rand.N(bound)
		if silent >= 2 || d.read.shed() != "" {
			delay += t.opts.Dial.Penalty
		}
		t.opts.Log.Debug().Str("host", g.host.Name).Int("attempt", attempt).Dur("delay", delay).Err(err).Msg("dial again")
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		bound = min(2*bound, t.opts.Dial.MaxBackoff)
	}
}

// dialing is one try to connect and how far it came.
type dialing struct {
	t    *Transport
	g    *target
	cred *credentials

	tcp    bool // the TCP connection stood
	read   reading
	keyOK  bool // the server has proved its identity
	keyErr error
	key    ssh.PublicKey
	late   atomic.Bool // our handshake deadline ended it
}

// try connects, shakes hands and authenticates once.
func (d *dialing) try(ctx context.Context) (*conn, error) {
	h := d.g.host
	// The hop comes first: whoever holds a slot while waiting for a hop that wants one would wait for ever.
	hop, err := d.hop(ctx)
	if err != nil {
		return nil, err
	}
	limits := []slots{d.t.slots}
	if hop != nil {
		limits = append(limits, hop.target.handshakes)
	}
	for _, s := range limits {
		if err := s.take(ctx); err != nil {
			return nil, err
		}
		defer s.give()
	}
	raw, err := d.tcpConn(ctx, hop)
	if err != nil {
		return nil, err
	}
	d.tcp = true
	d.boundSilence(raw)
	config, err := d.config()
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	counted := &countingConn{Conn: raw, read: &d.read}
	// The deadline is ours: x/crypto/ssh bounds the TCP connect only, and a channel through a jump host has no deadlines.
	timer := time.AfterFunc(orDefault(h.Connection.HandshakeTimeout, DefaultHandshakeTimeout), func() {
		d.late.Store(true)
		_ = raw.Close()
	})
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	sc, channels, requests, err := ssh.NewClientConn(counted, d.g.addr(), config)
	timer.Stop()
	if !stop() && err == nil {
		_ = sc.Close()
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	sessions := h.Connection.MaxSessions
	if sessions <= 0 {
		sessions = DefaultMaxSessions
	}
	c := newConn(ssh.NewClient(sc, channels, requests), counted, sessions, orDefault(h.Connection.Keepalive, DefaultKeepalive))
	c.facts, c.spare, c.bare = d.facts(sc), d.g.talker.Spare, &d.g.bare
	return c, nil
}

// boundSilence has the kernel end a connection whose data nobody acknowledges, when keepalives would too. A system that
// cannot leaves it to them.
func (d *dialing) boundSilence(raw net.Conn) {
	sc, ok := raw.(syscall.Conn)
	if !ok {
		return // a channel through a jump host
	}
	rc, err := sc.SyscallConn()
	if err == nil {
		err = setUserTimeout(rc, keepaliveMisses*orDefault(d.g.host.Connection.Keepalive, DefaultKeepalive))
	}
	if err != nil {
		d.t.opts.Log.Debug().Err(err).Msg("no TCP user timeout")
	}
}

// jump is a jump host and the connection to it.
type jump struct {
	target *target
	conn   *conn
}

// hop reaches the jump host; nil when there is none.
func (d *dialing) hop(ctx context.Context) (*jump, error) {
	via := d.g.host.Connection.Via
	if via == nil {
		return nil, nil //nolint:nilnil // most hosts have none
	}
	g, err := d.t.target(via)
	if err != nil {
		return nil, err
	}
	c, err := d.t.connect(ctx, g)
	if err != nil {
		return nil, err
	}
	return &jump{g, c}, nil
}

// tcpConn connects directly or through the jump host.
func (d *dialing) tcpConn(ctx context.Context, hop *jump) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, orDefault(d.g.host.Connection.ConnectTimeout, DefaultConnectTimeout))
	defer cancel()
	if hop == nil {
		return d.t.opts.DialTCP(ctx, "tcp", d.g.addr())
	}
	return hop.conn.client.DialContext(ctx, "tcp", d.g.addr())
}

func (d *dialing) config() (*ssh.ClientConfig, error) {
	h := d.g.host
	algos, err := offered(h.Connection.LegacyAlgorithms)
	if err != nil {
		return nil, &configError{err}
	}
	db, err := d.g.known.load()
	if err != nil {
		return nil, &configError{err}
	}
	addr := keyAddress(h)
	check := db.HostKeyCallback()
	return &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: algos.kex, Ciphers: algos.ciphers, MACs: algos.macs},
		User:              d.t.login(h),
		Auth:              d.cred.methods,
		HostKeyAlgorithms: d.g.known.algorithms(db, addr, algos.hostKeys),
		ClientVersion:     clientVersion,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			d.key = key
			if err := check(addr, noAddr(), key); err != nil {
				d.keyErr = d.g.known.judge(err, h.Name, addr, key)
				return d.keyErr
			}
			d.keyOK = true
			return nil
		},
		BannerCallback: func(string) error { return nil }, // what a host says before anybody logged in is nobody's evidence
	}, nil
}

func (d *dialing) facts(sc ssh.Conn) engine.HostConnected {
	f := engine.HostConnected{Host: d.g.host.Name, Address: d.g.addr(), User: sc.User(), ServerVersion: string(sc.ServerVersion()),
		HostKey: ssh.FingerprintSHA256(plainKey(d.key)), HostKeyType: d.key.Type(), AuthMethod: d.cred.lastUsed()}
	if m, ok := sc.(ssh.AlgorithmsConnMetadata); ok {
		n := m.Algorithms()
		f.Kex, f.Cipher, f.Legacy = n.KeyExchange, n.Read.Cipher, usedLegacy(n)
	}
	for via := d.g.host.Connection.Via; via != nil; via = via.Connection.Via {
		f.Via = append([]string{via.Name}, f.Via...)
	}
	return f
}

// clientVersion names us to servers, without a version that would tell an attacker more.
const clientVersion = "SSH-2.0-continuo"

// configError is a fault of ours: no server can change it.
type configError struct{ error }

// silent: the server took the TCP connection and ended it without a word, or with one that says that it takes no more now.
func (d *dialing) silent() bool {
	return d.tcp && !d.late.Load() && (d.read.Load() == 0 || d.read.shed() != "")
}

// again reports whether another try can help and can do no harm.
func (d *dialing) again(err error) bool {
	var he *engine.HostError
	var ce *configError
	var dns *net.DNSError
	var mismatch *ssh.AlgorithmNegotiationError
	switch {
	case d.keyOK || d.keyErr != nil:
		return false
	case errors.As(err, &he), errors.As(err, &ce), errors.As(err, &mismatch), errors.Is(err, errClosed): // a hop's word, or ours
		return false
	case errors.As(err, &dns):
		return !dns.IsNotFound
	}
	var refused *ssh.OpenChannelError
	return !errors.As(err, &refused) || refused.Reason != ssh.Prohibited
}

// explain turns the last error into what happened and what to do.
func (d *dialing) explain(err error, attempts, silent int) error {
	g := d.g
	var he *engine.HostError
	var keyErr *hostKeyError
	var ce *configError
	var mismatch *ssh.AlgorithmNegotiationError
	var refused *ssh.OpenChannelError
	switch {
	case errors.As(err, &he):
		return g.fail(he.Kind, he.Hint, "jump host %s: %v", he.Host, he.Err)
	case errors.As(d.keyErr, &keyErr):
		return g.fail("host-key", keyErr.hint, "%s", keyErr.text)
	case errors.As(err, &ce):
		return g.fail("configuration", "", "%v", ce.error)
	case errors.As(err, &mismatch):
		return d.explainMismatch(mismatch)
	case d.keyOK:
		return d.explainAuth(err)
	case errors.As(err, &refused):
		return g.fail("dial", "", "jump host %s cannot reach it: %s", g.host.Connection.Via.Name, refused.Message)
	case d.read.shed() != "":
		return g.fail("dial", shedHint, "the server takes no connection now%s: %s", times(attempts), d.read.shed())
	case silent >= 2:
		return g.fail("dial", "MaxStartups or PerSourcePenalties of its sshd, likely: "+shedHint,
			"the server ended %d connections before it said who it is", silent)
	case d.late.Load():
		return g.fail("handshake", "something listens there that is no healthy sshd", "no SSH handshake within %v",
			orDefault(g.host.Connection.HandshakeTimeout, DefaultHandshakeTimeout))
	case d.tcp:
		return g.fail("handshake", "", "SSH handshake: %s", trimSSH(err))
	}
	return g.fail("dial", dialHint(err), "%s%s", dialCause(err), times(attempts))
}

const shedHint = "wait a minute, connect less at once, and do not probe its SSH port"

func (d *dialing) explainMismatch(m *ssh.AlgorithmNegotiationError) error {
	if strings.Contains(m.Error(), "host key") {
		if db, err := d.g.known.load(); err == nil && len(db.HostKeys(keyAddress(d.g.host))) > 0 {
			var k *hostKeyError
			if errors.As(d.g.known.noCommonKey(db, d.g.host.Name, keyAddress(d.g.host), m.RequestedAlgorithms), &k) {
				return d.g.fail("host-key", k.hint, "%s", k.text)
			}
		}
	}
	return d.g.fail("handshake", "if this host cannot be updated: connection { legacy_algorithms = [\"…\"] }; it will be recorded as a deviation",
		"no common algorithm: %s", trimSSH(m))
}

func (d *dialing) explainAuth(err error) error {
	if why := expired(d.cred.signers, time.Now()); why != "" {
		return d.g.fail("credential-expired", "get a new certificate, then run it again", "%s", why)
	}
	user := d.t.login(d.g.host)
	if d.late.Load() {
		return d.g.fail("auth", "", "no answer to the authentication of %s in time", user)
	}
	if cutOff(err) {
		return d.g.fail("lost-connection", "the network, or its sshd gave up on us: its log tells", "the connection was lost during the authentication of %s", user)
	}
	if len(d.cred.methods) == 0 {
		return d.g.fail("auth", "give connection { identity_files = [\"~/.ssh/id_ed25519\"] }, or start an ssh agent", "there is nothing to authenticate %s with", user)
	}
	tried := make([]string, 0, len(d.cred.signers))
	for _, s := range d.cred.signers {
		tried = append(tried, describeKey(s.PublicKey()))
	}
	if d.g.host.Connection.Password != "" {
		tried = append(tried, "secret."+d.g.host.Connection.Password)
	}
	hint := "the key must be in authorized_keys of " + user + "; sshd's log on the host says why it refused"
	if errors.Is(err, errPrompts) {
		hint = "this server wants a second factor, which needs a person; use a key or a certificate"
	}
	return d.g.fail("auth", hint, "authentication of %s refused: %s (tried %s)", user, trimSSH(err), strings.Join(tried, ", "))
}

// cutOff tells a connection that went away from an answer.
func cutOff(err error) bool {
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return " (tried " + [...]string{"", "", "twice", "three times", "four times", "five times"}[min(n, 5)] + ")"
}

func dialCause(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host: " + dns.Name
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "no answer"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to host"
	case errors.Is(err, io.EOF):
		return "connection ended"
	}
	return trimSSH(err)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func dialHint(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "check the host's address"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the machine is up but nothing listens on that port: check port and sshd"
	}
	return "check address, port, firewall and whether the machine is up"
}
