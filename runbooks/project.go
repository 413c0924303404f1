// Package runbooks is the static domain: what a project says. It holds the inventory, the runbooks and their items as
// plain data with their places, and does no I/O. Package loader makes a Project from files; package engine and what is
// below it turn a Runbook into a plan and a run.
//
// Everything here is immutable once the loader has returned it and safe for concurrent use.
package runbooks

import (
	"time"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Project is a directory of *.hcl files, loaded together.
type Project struct {
	// Dir is the absolute path of the project.
	Dir  string
	Name string
	// Environment is the default for hosts that name none. Production, the protected one, unless the project says otherwise.
	Environment Environment
	// Timezone is an IANA name; reports show UTC and this. Empty is UTC.
	Timezone string
	// KnownHosts and AllowedSigners are paths inside the project, with slashes. Empty means the default names
	// "known_hosts" and "allowed_signers".
	KnownHosts     string
	AllowedSigners string

	// Hosts in order of declaration, fleets expanded in place.
	Hosts    []*Host
	Groups   []*Group
	Roles    []*Role
	Secrets  []*Secret
	Locals   []Local
	Runbooks []*Runbook
	Tests    []*Test

	// Files are all files that the loader read, in order of path, as they were when read.
	Files []File
}

// File is one file of the project as it was read. Path is relative to the project, with slashes.
type File struct {
	Path string
	Data []byte
}

// Environment says how much harm a mistake on a host can do.
type Environment string

// The environments, from harmless to protected.
const (
	Lab        Environment = "lab"
	Staging    Environment = "staging"
	Production Environment = "production"
)

// Host is one machine of the inventory, with its connection settings resolved (host over fleet over project).
type Host struct {
	Name string
	// Address is a DNS name or IP address, without port.
	Address     string
	Port        int
	Site        string
	Environment Environment
	CI          string
	Owner       string
	Labels      map[string]string
	Connection  Connection
	Become      BecomeMethod
	// Control marks the control host: commands run as local processes, nothing is dialled.
	Control bool
	Range   diag.Range
}

// ControlName is the name under which the control host appears in plans, journals and reports.
const ControlName = "control"

// Connection is how to reach a host. Zero durations mean the transport's documented defaults.
type Connection struct {
	User             string
	IdentityFiles    []string
	CertificateFile  string
	Agent            string // socket path; empty: SSH_AUTH_SOCK; "none": no agent
	Password         string // name of a secret; empty: none
	Via              *Host  // jump host; chains
	HostKeyAlias     string
	ConnectTimeout   time.Duration // TCP connect only
	HandshakeTimeout time.Duration // banner to authenticated
	Keepalive        time.Duration // interval between keepalives; three misses close the connection
	MaxSessions      int           // channels at once on one connection; 0: 8
	LegacyAlgorithms []string      // recorded as a deviation
	Plain            bool          // no durable attempts on this host
	Durability       Durability    // of what the host keeps about an attempt; empty: normal
	SSHConfig        string        // path of an OpenSSH client configuration to take the rest from
}

// Durability says what outlives a power failure of a host.
type Durability string

// The words for Durability.
const (
	// NormalDurability: what a host keeps about an attempt is written, and outlives the connection and the controller.
	NormalDurability Durability = "normal"
	// StrictDurability: it is synced to the host's disk as well, the claim before the command starts, result and output
	// before they are reported.
	StrictDurability Durability = "strict"
)

// BecomeMethod is how another user is become on a host, not whom.
type BecomeMethod struct {
	Method   string // "sudo"; empty: sudo
	Password string // name of a secret; empty: none needed
}

// Group is a named list of hosts, evaluated when the project is loaded: the inventory is static.
type Group struct {
	Name  string
	Hosts []*Host
	Range diag.Range
}

// Role says who may approve, decide or review. Members are principals of allowed_signers.
type Role struct {
	Name    string
	Members []string
	Range   diag.Range
}

// Secret says where a secret comes from, never its value. Exactly one source is set.
type Secret struct {
	Name    string
	Env     string   // environment variable of the controller
	File    string   // path; refused unless mode 0600 or stricter and owned by the user
	Command []string // argv; stdout without its last newline
	Prompt  bool     // a person types it
	Age     string   // path of an age-encrypted file
	Range   diag.Range
}

// Local is a shared expression, of the project or of a runbook.
type Local struct {
	Name  string
	Value *expr.Expr
	Range diag.Range
	Used  bool // of the project's: the inventory, a runbook or a test uses it
}

// Host returns the host of that name, or nil.
func (p *Project) Host(name string) *Host {
	for _, h := range p.Hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// Runbook returns the runbook of that name, or nil.
func (p *Project) Runbook(name string) *Runbook {
	for _, r := range p.Runbooks {
		if r.Name == name {
			return r
		}
	}
	return nil
}
