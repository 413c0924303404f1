package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/drytransport"
	"github.com/continuo-runbooks/continuo/engine/localtransport"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/secrets"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// knownHostsFile is the project's file of host keys, relative to the project.
func knownHostsFile(p *runbooks.Project) string { return cmp.Or(p.KnownHosts, "known_hosts") }

// transports reach the hosts of a project: the control host by local processes, all others over SSH.
type transports struct {
	local  *localtransport.Transport
	remote *sshtransport.Transport
}

// reach makes the transports. Nothing is dialled before it is needed. connected is told of each connection.
func (a *app) reach(p *runbooks.Project, ask *view.Asker, sec engine.Secrets, connected func(engine.HostConnected)) transports {
	ssh := sshtransport.Options{
		KnownHosts: []string{knownHostsFile(p)}, User: a.env.User, HomeDir: a.env.get("HOME"), BaseDir: p.Dir,
		AgentSocket: a.env.get("SSH_AUTH_SOCK"), Secrets: sec, Connected: connected, Log: a.log.logger,
	}
	if ask.Present() {
		ssh.Passphrase = func(ctx context.Context, file string) (string, error) {
			return ask.Hidden(ctx, fmt.Sprintf("passphrase of %s:", view.Clean(file)))
		}
	}
	return transports{
		local:  localtransport.New(localtransport.Options{Env: a.env.Environ, Dir: p.Dir, User: a.env.User, Secrets: sec}),
		remote: sshtransport.New(ssh),
	}
}

// prober observes: all that a dry-run is given.
func (t transports) prober() engine.Prober {
	return localtransport.Router{Control: t.local, Remote: t.remote}
}

// proberFor observes for a run: in a dry-run by what cannot execute anything, whatever it wraps.
func (t transports) proberFor(m engine.Mode) engine.Prober {
	if m == engine.DryRun {
		return drytransport.New(t.prober())
	}
	return t.prober()
}

// launcher launches steps, in a live run only.
func (t transports) launcher() engine.Launcher {
	return localtransport.LaunchRouter{Control: t.local.Launcher(), Remote: t.remote.Launcher()}
}

// secrets finds the project's secrets; each is known to the redactor before anyone gets it.
func (a *app) secrets(p *runbooks.Project, ask *view.Asker, r *redact.Redactor) engine.Secrets {
	opt := secrets.Options{
		Secrets: p.Secrets, Dir: p.Dir, Home: a.env.get("HOME"), LookupEnv: a.env.Lookup, Environ: a.env.Environ, Register: r.Add,
	}
	if file := a.env.get("CONTINUO_AGE_IDENTITY"); file != "" {
		opt.AgeIdentities = []string{a.path(file)}
	}
	if ask.Present() {
		opt.Prompt = func(ctx context.Context, name string) (string, error) {
			return ask.Hidden(ctx, fmt.Sprintf("secret %s:", view.Clean(name)))
		}
	}
	return secrets.New(opt)
}
