package sshtransport

import (
	"context"
	"net"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
)

// Options configure a Transport. The package reads no environment: whatever depends on it comes in here.
type Options struct {
	// KnownHosts are the files with the hosts' keys; one that does not exist is empty. The first is named in hints.
	KnownHosts []string
	// User is the login user of hosts that name none.
	User string
	// HomeDir replaces ~ in paths and holds the .ssh with the default identity files. Empty: there are none.
	HomeDir string
	// BaseDir is what other relative paths are relative to. Empty: the working directory.
	BaseDir string
	// AgentSocket is SSH_AUTH_SOCK; empty: no agent, unless a host names one.
	AgentSocket string
	// Passphrase asks for the passphrase of an identity file. Nil: encrypted files cannot be used. It is called for one
	// file at a time, once per file.
	Passphrase func(ctx context.Context, file string) (string, error)
	// Secrets resolves passwords. Nil: there are none.
	Secrets engine.Secrets
	// Connected is called once for every connection, before its first use. Calls may come at the same time.
	Connected func(engine.HostConnected)
	Log       zerolog.Logger

	// DialTCP replaces the TCP connect; for tests.
	DialTCP func(ctx context.Context, network, address string) (net.Conn, error)
	// Limits are the waiting times of the protocol with the host.
	Limits hostshell.Limits
	// Dial limits how hosts are dialled.
	Dial DialLimits
}

// DialLimits say how connections are made. A zero field means its default.
type DialLimits struct {
	// Attempts is how often a connection is tried in all: 5.
	Attempts int
	// Backoff is the bound of the first delay between attempts, doubled for each further one up to MaxBackoff. The delay
	// itself is random between zero and the bound: 0.5 s and 30 s.
	Backoff, MaxBackoff time.Duration
	// Penalty comes on top once a server has ended two connections before it said who it is. It sheds load (MaxStartups) or
	// punishes (PerSourcePenalties), and each further connection within that time would prolong it: 15 s.
	Penalty time.Duration
	// Concurrent is how many connections are made at once: 64. ConcurrentPerJump how many through one jump host: 8.
	Concurrent, ConcurrentPerJump int
}

// The defaults of a host's connection.
const (
	DefaultConnectTimeout   = 10 * time.Second
	DefaultHandshakeTimeout = 30 * time.Second
	DefaultKeepalive        = 15 * time.Second
	DefaultMaxSessions      = 8
	keepaliveMisses         = 3
)

func (o Options) withDefaults() Options {
	if o.Dial.Attempts == 0 {
		o.Dial.Attempts = 5
	}
	if o.Dial.Backoff == 0 {
		o.Dial.Backoff = 500 * time.Millisecond
	}
	if o.Dial.MaxBackoff == 0 {
		o.Dial.MaxBackoff = 30 * time.Second
	}
	if o.Dial.Penalty == 0 {
		o.Dial.Penalty = 15 * time.Second
	}
	if o.Dial.Concurrent == 0 {
		o.Dial.Concurrent = 64
	}
	if o.Dial.ConcurrentPerJump == 0 {
		o.Dial.ConcurrentPerJump = 8
	}
	if o.DialTCP == nil {
		o.DialTCP = (&net.Dialer{}).DialContext
	}
	if o.Connected == nil {
		o.Connected = func(engine.HostConnected) {}
	}
	return o
}

// readFile is os.ReadFile on a path of the configuration.
func (o Options) readFile(path string) ([]byte, error) { return os.ReadFile(o.path(path)) }
