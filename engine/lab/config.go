package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Dir is the customary name of a lab's directory, inside the project.
const Dir = ".lab"

// SeedDir is the customary name of the directory, inside the project, whose subdirectory NAME fills the new sandbox of
// the host NAME.
const SeedDir = "lab"

// ErrNoHosts: the project has no host that a lab may provide.
var ErrNoHosts = errors.New(`no practice hosts: a practice host has environment = "lab" and a loopback address`)

// Config says where a lab lives and which hosts it has.
type Config struct {
	// Dir is the absolute path of the lab's directory. It is made when missing.
	Dir string
	// Hosts in the order of the project; names and addresses with ports are unique.
	Hosts []Host
	// KnownHosts is a file that the host keys are merged into; empty: none but the lab's own.
	KnownHosts string
	// Seed is a directory whose subdirectory NAME is copied into a new sandbox; empty or missing: sandboxes begin empty.
	Seed string
	// Fresh empties all sandboxes first. Keys stay.
	Fresh bool
}

// Host is one practice host.
type Host struct {
	Name    string `json:"name"`
	Address string `json:"address"` // a loopback address or localhost
	Port    int    `json:"port"`    // 0: chosen by the system, see Lab.Hosts
	User    string `json:"user,omitempty"`
}

// Endpoint is address and port, as they are dialled.
func (h Host) Endpoint() string { return net.JoinHostPort(h.Address, strconv.Itoa(h.Port)) }

// ConfigOf takes the practice hosts of a project, with the customary paths: the lab in .lab, seeds in lab. It returns
// ErrNoHosts when there are none, and an error when two of them want the same address and port.
func ConfigOf(p *runbooks.Project) (Config, error) {
	cfg := Config{Dir: filepath.Join(p.Dir, Dir), Seed: filepath.Join(p.Dir, SeedDir)}
	known := p.KnownHosts
	if known == "" {
		known = "known_hosts"
	}
	cfg.KnownHosts = filepath.Join(p.Dir, filepath.FromSlash(known))
	for _, h := range p.Hosts {
		if !IsPractice(h) {
			continue
		}
		port := h.Port
		if port == 0 {
			port = 22
		}
		cfg.Hosts = append(cfg.Hosts, Host{Name: h.Name, Address: h.Address, Port: port, User: h.Connection.User})
	}
	return cfg, cfg.check()
}

// IsPractice reports whether a lab may provide the host: its environment is "lab", its address loopback.
func IsPractice(h *runbooks.Host) bool {
	return !h.Control && h.Environment == runbooks.Lab && isLoopback(h.Address)
}

// isLoopback reports whether the address is localhost or an address of the loopback network. Nothing is resolved.
func isLoopback(address string) bool {
	if address == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().IsLoopback()
}

// check refuses configurations that cannot work, before anything is written.
func (c Config) check() error {
	if len(c.Hosts) == 0 {
		return ErrNoHosts
	}
	byEndpoint := map[string]string{}
	byName := map[string]bool{}
	for _, h := range c.Hosts {
		if !isLoopback(h.Address) {
			return fmt.Errorf("practice host %s: %s is not a loopback address", h.Name, h.Address)
		}
		if !filepath.IsLocal(h.Name) || filepath.Base(h.Name) != h.Name || h.Name == "." {
			return fmt.Errorf("practice host %q: the name cannot be a directory", h.Name)
		}
		if byName[h.Name] {
			return fmt.Errorf("practice host %s: declared twice", h.Name)
		}
		byName[h.Name] = true
		if h.Port == 0 {
			continue
		}
		if other, taken := byEndpoint[h.Endpoint()]; taken {
			return fmt.Errorf("practice hosts %s and %s: both want %s; give them different ports", other, h.Name, h.Endpoint())
		}
		byEndpoint[h.Endpoint()] = h.Name
	}
	return nil
}
