package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func trustCommand(a *app) *cobra.Command {
	return group("trust", "The project's known_hosts: which key is whose", `  continuo trust add db-1                                asks the server, shows its key, asks you
  continuo trust add db-1 --fingerprint SHA256:uNiVz…    adds it only if it is that one
  continuo trust list
  continuo trust remove db-1`,
		trustAdd(a), trustList(a), trustRemove(a))
}

func trustAdd(a *app) *cobra.Command {
	var fingerprint, keyType string
	c := &cobra.Command{
		Use:   "add HOST…",
		Short: "Add a host's key, by its fingerprint or after showing it",
		Long: `Asks the server for its key and adds it to the project's known_hosts. Compare the fingerprint with one from a source that
you trust: a server that somebody put in between shows a key too. Exit code 4 when it is not confirmed.`,
		Example: `  continuo trust add db-1
  continuo trust add db-1 --fingerprint SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDvYwVh3Q1t2OBTPHc`,
		Args: atLeast("HOST"), ValidArgsFunction: a.completeHosts,
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("type", keyType, "", "ed25519", "ecdsa", "rsa"); err != nil {
				return err
			}
			if fingerprint != "" && len(args) > 1 {
				return failf(Usage, "add one host at a time", "trust add: one fingerprint cannot be that of %d hosts", len(args))
			}
			return a.trustAdd(c.Context(), args, fingerprint, keyType)
		},
	}
	f := c.Flags()
	f.StringVar(&fingerprint, "fingerprint", "", "the key that the host must show: `SHA256:…`")
	f.StringVar(&keyType, "type", "", "ask for a key of this `TYPE`: ed25519, ecdsa or rsa (default: the best that there is)")
	complete(c, "type", wordsOf("ed25519", "ecdsa", "rsa"))
	return c
}

func (a *app) trustAdd(ctx context.Context, names []string, fingerprint, keyType string) error {
	p, _, err := a.load()
	if err != nil {
		return err
	}
	hosts, err := a.chosenHosts(p, names)
	if err != nil {
		return err
	}
	ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
	reach := a.reach(p, ask, a.secrets(p, ask, redact.New()), nil)
	defer reach.remote.Close()
	doc := a.trustDocument(p)
	for _, h := range hosts {
		key, err := reach.remote.Scan(ctx, h, keyType)
		if err != nil {
			return err
		}
		if err := a.confirmKey(ctx, ask, h, key, fingerprint); err != nil {
			return err
		}
		added, err := sshtransport.AddKnownHost(doc.File, key)
		if errors.Is(err, sshtransport.ErrOtherKey) {
			return fail(Refused, fmt.Errorf("trust add %s: %w", h.Name, err),
				"somebody may be in between. If the host was rebuilt: continuo trust remove "+h.Name+", then add it again")
		}
		if err != nil {
			return fail(Fail, err, "")
		}
		doc.Keys = append(doc.Keys, trustKey(h.Name, key))
		if !a.global.json {
			word := "added"
			if !added {
				word = "known already:"
			}
			a.err.Printf("%s %s %s %s\n", word, view.Clean(h.Name), key.Type, key.Fingerprint)
		}
	}
	if a.global.json {
		return a.out.JSON(doc)
	}
	return nil
}

// confirmKey lets a key be added only when it is the one that was named, or a person says so.
func (a *app) confirmKey(ctx context.Context, ask *view.Asker, h *runbooks.Host, key sshtransport.HostKey, fingerprint string) error {
	switch {
	case fingerprint == key.Fingerprint:
		return nil
	case fingerprint != "":
		return failf(Refused, "do not add it before you know why: another machine may answer at this address",
			"trust add %s: the server shows %s %s, not %s", h.Name, key.Type, key.Fingerprint, fingerprint)
	}
	a.err.Printf("%s (%s) shows %s %s\n", view.Clean(h.Name), view.Clean(key.Address), key.Type, key.Fingerprint)
	if !ask.Present() {
		return failf(Refused, "compare it with one from a source you trust, then: continuo trust add "+h.Name+" --fingerprint "+key.Fingerprint,
			"trust add %s: not confirmed, and nobody to ask", h.Name)
	}
	got, err := ask.Line(ctx, "Is that its key, by a source that you trust? (yes/no)")
	if err != nil || got != "yes" {
		return failf(Refused, "nothing was added", "trust add %s: not confirmed", h.Name)
	}
	return nil
}

func trustList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "The keys that are known, and whose they are", Args: atMost(0),
		Example: "  continuo trust list\n  continuo trust list --json",
		RunE: func(*cobra.Command, []string) error {
			p, _, err := a.load()
			if err != nil {
				return err
			}
			doc := a.trustDocument(p)
			known, err := sshtransport.ListKnownHosts(doc.File)
			if err != nil {
				return fail(Invalid, err, "correct the line, or remove it")
			}
			for _, k := range known {
				t := trustKey(hostOf(p, k), k.HostKey)
				t.Line, t.Marker = k.Line, k.Marker
				doc.Keys = append(doc.Keys, t)
			}
			if a.global.json {
				return a.out.JSON(doc)
			}
			a.out.Trust(doc)
			return nil
		},
	}
}

// hostOf is the name of the host that a line is about; empty for patterns and hosts of nobody.
func hostOf(p *runbooks.Project, k sshtransport.KnownHost) string {
	for _, h := range p.Hosts {
		if slices.Contains(k.Names, sshtransport.KnownName(h)) {
			return h.Name
		}
	}
	return ""
}

func trustRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove HOST…", Short: "Forget a host's keys", Args: atLeast("HOST"), ValidArgsFunction: a.completeHosts,
		Example: "  continuo trust remove db-1",
		RunE: func(_ *cobra.Command, args []string) error {
			p, _, err := a.load()
			if err != nil {
				return err
			}
			hosts, err := a.chosenHosts(p, args)
			if err != nil {
				return err
			}
			doc := a.trustDocument(p)
			for _, h := range hosts {
				removed, err := sshtransport.RemoveKnownHost(doc.File, h)
				if err != nil {
					return fail(Fail, err, "")
				}
				if len(removed) == 0 {
					return failf(Usage, "`continuo trust list` shows what is there", "trust remove %s: %s has no key of it", h.Name, filepath.Base(doc.File))
				}
				for _, k := range removed {
					doc.Keys = append(doc.Keys, trustKey(h.Name, k.HostKey))
					if !a.global.json {
						a.err.Printf("removed %s %s %s\n", view.Clean(h.Name), k.Type, k.Fingerprint)
					}
				}
			}
			if a.global.json {
				return a.out.JSON(doc)
			}
			return nil
		},
	}
}

func (a *app) trustDocument(p *runbooks.Project) view.TrustDocument {
	return view.TrustDocument{
		Schema: view.TrustSchema, File: filepath.Join(p.Dir, filepath.FromSlash(knownHostsFile(p))), Keys: []view.TrustKey{},
	}
}

func trustKey(host string, k sshtransport.HostKey) view.TrustKey {
	return view.TrustKey{Host: host, Address: k.Address, Type: k.Type, Fingerprint: k.Fingerprint}
}
