package lab

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/ssh"
)

// Lab is a set of practice hosts that run in this process.
type Lab struct {
	id      string
	servers []*server
	layout  layout
}

// Open prepares cfg.Dir and starts all hosts, or none. The caller closes the lab. For a lab that outlives the process
// see Up.
func Open(cfg Config, log zerolog.Logger) (*Lab, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	l := layout(cfg.Dir)
	if err := l.prepare(cfg); err != nil {
		return nil, err
	}
	client, err := ensureKey(l.clientKey(), mark)
	if err != nil {
		return nil, err
	}
	lab := &Lab{id: newID(), layout: l}
	keys := map[string]ssh.PublicKey{}
	for _, h := range cfg.Hosts {
		key, err := ensureKey(l.hostKey(h.Name), h.Name)
		if err == nil {
			keys[h.Name] = key.PublicKey()
			s := newServer(h, l.sandbox(h.Name), lab.id, key, client.PublicKey(), log)
			lab.servers = append(lab.servers, s)
			err = s.listen()
		}
		if err != nil {
			lab.Close()
			return nil, err
		}
	}
	for _, file := range []string{l.knownHosts(), cfg.KnownHosts} {
		if file == "" {
			continue
		}
		if err := mergeKnownHosts(file, lab.Hosts(), keys); err != nil {
			lab.Close()
			return nil, err
		}
	}
	for _, s := range lab.servers {
		s.wg.Go(s.serve)
	}
	return lab, nil
}

// Hosts are the practice hosts with the ports they listen on.
func (l *Lab) Hosts() []Host {
	var out []Host
	for _, s := range l.servers {
		out = append(out, s.host)
	}
	return out
}

// Key is the path of the private key that may log in.
func (l *Lab) Key() string { return l.layout.clientKey() }

// KnownHosts is the path of the lab's own known_hosts file.
func (l *Lab) KnownHosts() string { return l.layout.knownHosts() }

// Sandbox is the directory of a host.
func (l *Lab) Sandbox(name string) string { return l.layout.sandbox(name) }

// Disconnect cuts every connection to the named host, as a failing network does. What runs there runs on, and the host
// accepts new connections at once.
func (l *Lab) Disconnect(name string) error {
	for _, s := range l.servers {
		if s.host.Name == name {
			s.disconnect()
			return nil
		}
	}
	return fmt.Errorf("disconnect %s: no such practice host", name)
}

// Close switches the hosts off: connections are cut and what their commands left running is killed. Files stay. It can
// be called again.
func (l *Lab) Close() {
	for _, s := range l.servers {
		s.halt()
	}
	killSurvivors(l.id)
	for _, s := range l.servers {
		s.wg.Wait()
	}
}

// newID is 128 random bits in hex.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
