package view

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// HostsDocument is `hosts --json`.
type HostsDocument struct {
	Schema string      `json:"schema"`
	Hosts  []HostEntry `json:"hosts"`
}

// HostEntry is one host of the inventory, with what the preflight found where it was asked for.
type HostEntry struct {
	engine.PlanHost
	Labels    map[string]string       `json:"labels,omitempty"`
	Groups    []string                `json:"groups,omitempty"`
	Preflight *engine.PreflightResult `json:"preflight,omitempty"`
}

// Hosts prints the inventory for people.
func (s *Screen) Hosts(doc HostsDocument) {
	if len(doc.Hosts) == 0 {
		s.Printf("the project has no hosts\n")
		return
	}
	var t table
	t.head("host", "address", "environment", "site", "groups", "via")
	for _, h := range doc.Hosts {
		env := cell{Clean(h.Environment), plainInk}
		if h.Environment == "production" {
			env.ink = red
		}
		t.row(cell{Clean(h.Name), bold}, cell{hostAddress(h.PlanHost), plainInk}, env, cell{Clean(h.Site), plainInk},
			cell{list(h.Groups, fewHosts), dim}, cell{Clean(h.Via), dim})
	}
	t.print(s, "")
}

// Preflight prints what was found on one host.
func (s *Screen) Preflight(r engine.PreflightResult) {
	word := cell{"ready", green}
	if !r.OK {
		word = cell{"NOT READY", red}
	}
	var notes []string
	for _, n := range []string{r.Hostname, r.OS} {
		if n != "" {
			notes = append(notes, Clean(n))
		}
	}
	if r.ClockOffsetMS != nil {
		notes = append(notes, fmt.Sprintf("clock %+d ms", *r.ClockOffsetMS))
	}
	s.Printf("%s %s%s\n", s.paint(bold, Clean(r.Host)), cellText(s, word, 0), after("  ", strings.Join(notes, ", ")))
	for _, c := range r.Checks {
		if c.OK {
			continue
		}
		s.Printf("  %s %s%s\n", s.paint(red, "failed:"), c.Name, after(": ", Clean(c.Detail)))
		if c.Hint != "" {
			s.Printf("    %s %s\n", s.paint(cyan, "hint:"), Clean(c.Hint))
		}
	}
}

// TrustDocument is `trust list|add|remove --json`.
type TrustDocument struct {
	Schema string     `json:"schema"`
	File   string     `json:"file"`
	Keys   []TrustKey `json:"keys"`
}

// TrustKey is one key of a known_hosts file.
type TrustKey struct {
	Host        string `json:"host"`
	Address     string `json:"address"`
	Type        string `json:"type"`
	Fingerprint string `json:"fingerprint"`
	Line        int    `json:"line,omitempty"`
	Marker      string `json:"marker,omitempty"`
}

// Trust prints the keys of a known_hosts file for people.
func (s *Screen) Trust(doc TrustDocument) {
	if len(doc.Keys) == 0 {
		s.Printf("%s holds no key of this project's hosts: `continuo trust add HOST`\n", Clean(doc.File))
		return
	}
	var t table
	t.head("host", "address", "type", "fingerprint", "")
	for _, k := range doc.Keys {
		t.text(Clean(k.Host), Clean(k.Address), Clean(k.Type), Clean(k.Fingerprint), Clean(k.Marker))
	}
	t.print(s, "")
	s.Printf("%s\n", s.paint(dim, Clean(doc.File)))
}
