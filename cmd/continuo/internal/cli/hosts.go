package cli

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func hostsCommand(a *app) *cobra.Command {
	var preflight bool
	c := &cobra.Command{
		Use:   "hosts [HOST…]",
		Short: "The inventory; with --preflight, connect and check each host",
		Long: `Lists the project's hosts. With --preflight every host is connected to and asked what a run needs of it: reach, host key,
authentication, a POSIX shell, a writable state directory, its clock and identity. Nothing on it changes.
Exit code 1 when a host is not ready.`,
		Example: `  continuo hosts
  continuo hosts --preflight
  continuo hosts db-1 db-2 --preflight --json`,
		ValidArgsFunction: a.completeHosts,
		RunE: func(c *cobra.Command, args []string) error {
			p, _, err := a.load()
			if err != nil {
				return err
			}
			hosts, err := a.chosenHosts(p, args)
			if err != nil {
				return err
			}
			if preflight {
				return a.preflight(c.Context(), p, hosts)
			}
			doc := view.HostsDocument{Schema: view.HostsSchema, Hosts: []view.HostEntry{}}
			for _, h := range hosts {
				doc.Hosts = append(doc.Hosts, hostEntry(p, h))
			}
			if a.global.json {
				return a.out.JSON(doc)
			}
			a.out.Hosts(doc)
			return nil
		},
	}
	c.Flags().BoolVar(&preflight, "preflight", false, "connect to the hosts and check that a run could begin")
	return c
}

// chosenHosts are the hosts that were named, or all.
func (a *app) chosenHosts(p *runbooks.Project, names []string) ([]*runbooks.Host, error) {
	if len(names) == 0 {
		return p.Hosts, nil
	}
	var out []*runbooks.Host
	for _, n := range names {
		h, err := a.host(p, n)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// host finds a host by name.
func (a *app) host(p *runbooks.Project, name string) (*runbooks.Host, error) {
	if h := p.Host(name); h != nil {
		return h, nil
	}
	names := make([]string, 0, len(p.Hosts))
	for _, h := range p.Hosts {
		names = append(names, h.Name)
	}
	return nil, failf(Usage, didYouMean(name, names, "`continuo hosts` lists them"), "unknown host %q in project %s", name, projectName(p))
}

func hostEntry(p *runbooks.Project, h *runbooks.Host) view.HostEntry {
	e := view.HostEntry{
		PlanHost: engine.PlanHost{
			Name: h.Name, Address: h.Address, Port: cmp.Or(h.Port, 22), User: h.Connection.User, Site: h.Site,
			Environment: string(h.Environment), CI: h.CI, Owner: h.Owner, Plain: h.Connection.Plain, Control: h.Control,
		},
		Labels: h.Labels,
	}
	if v := h.Connection.Via; v != nil {
		e.Via = v.Name
	}
	for _, g := range p.Groups {
		if slices.Contains(g.Hosts, h) {
			e.Groups = append(e.Groups, g.Name)
		}
	}
	return e
}
