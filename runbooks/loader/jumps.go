package loader

import (
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// jumps resolves via. A jump host that would be reached through itself by what the project or fleet says has none.
func (l *loader) jumps(vias map[*runbooks.Host]*jump) {
	for _, h := range l.project.Hosts {
		v := vias[h]
		if v == nil {
			continue
		}
		to := l.hosts[v.to.Name]
		if to == nil {
			if !l.failedAt(v.rng) {
				l.reportAt("CON-R004", v.rng, "there is no host %q", v.to.Name).Hint = l.didYouMean("host", v.to.Name)
			}
			continue
		}
		if v.inherited && l.leadsTo(to, h, vias) {
			continue
		}
		h.Connection.Via = to
	}
	for _, h := range l.project.Hosts {
		path := []string{h.Name}
		for at := h.Connection.Via; at != nil; at = at.Connection.Via {
			path = append(path, at.Name)
			if at == h {
				d := l.reportAt("CON-R020", vias[h].rng, "host %q is reached through itself", h.Name)
				d.Detail = strings.Join(path, " via ")
				d.Hint = "the chain of jump hosts ends at one that has no via"
				break
			}
			if len(path) > 16 {
				if !l.hasCode("CON-R020") {
					l.reportAt("CON-R020", vias[h].rng, "host %q is reached through more than 15 others", h.Name).Hint =
						"jump through fewer hosts"
				}
				break
			}
		}
	}
}

func (l *loader) failedAt(r diag.Range) bool {
	for _, d := range l.diags {
		if d.Range == r {
			return true
		}
	}
	return false
}

func (l *loader) hasCode(code string) bool {
	for _, d := range l.diags {
		if d.Code == code {
			return true
		}
	}
	return false
}

// leadsTo reports whether the chain of jumps from a host arrives at another.
func (l *loader) leadsTo(from, to *runbooks.Host, vias map[*runbooks.Host]*jump) bool {
	for range 17 {
		if from == to {
			return true
		}
		v := vias[from]
		if v == nil {
			return false
		}
		if from = l.hosts[v.to.Name]; from == nil {
			return false
		}
	}
	return false
}
