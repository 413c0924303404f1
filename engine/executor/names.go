package executor

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// names gives expressions what they may refer to. Secrets are resolved when something first needs them, and the redactor
// learns each before anything can use it.
type names struct {
	cfg  *Config
	refs *runbooks.References

	mu      sync.Mutex
	in      scope.Inputs
	base    *expr.Scope
	secrets map[string]string
}

func newNames(cfg Config, p *past) (*names, error) {
	o := cfg.Opened
	began := cfg.Clock.Now()
	if p != nil {
		began = p.began
	}
	n := &names{cfg: &cfg, refs: runbooks.NewReferences(cfg.Project, cfg.Runbook), secrets: map[string]string{}}
	n.in = scope.Inputs{
		Project: cfg.Project, Runbook: cfg.Runbook, Variables: cfg.Variables,
		Run: &scope.Run{
			ID: string(o.Run), Mode: string(cfg.Mode), Operator: o.Operator, Incident: o.Incident, Change: o.Change,
			StartedAt: began,
		},
	}
	base, ds := scope.Base(n.in)
	if err := ds.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	n.base = base
	return n, nil
}

// scopeFor is what the expressions may refer to, with the results that they need. In a dry-run, what has no result is
// unknown; otherwise it is absent.
func (n *names) scopeFor(ctx context.Context, b *book, es []*expr.Expr) (*expr.Scope, error) {
	refs := n.refs.Of(es...)
	if err := n.resolve(ctx, refs); err != nil {
		return nil, err
	}
	n.mu.Lock()
	base, in := n.base, n.in
	n.mu.Unlock()
	s, ds := scope.WithResults(base, in, b.results(refs), n.cfg.Mode == engine.DryRun)
	if err := ds.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// resolve makes the secrets known that the references name.
func (n *names) resolve(ctx context.Context, refs []expr.Ref) error {
	for _, ref := range refs {
		if ref.Root != "secret" {
			continue
		}
		if err := n.secret(ctx, ref.Name); err != nil {
			return err
		}
	}
	return nil
}

func (n *names) secret(ctx context.Context, name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.secrets[name]; ok {
		return nil
	}
	if n.cfg.Secrets == nil {
		return fmt.Errorf("secret %s: there is no source of secrets", name)
	}
	value, err := n.cfg.Secrets.Secret(ctx, name)
	if err != nil {
		return fmt.Errorf("secret %s: %w", name, err)
	}
	if err := n.cfg.Redactor.Add(name, value); err != nil {
		return fmt.Errorf("secret %s: %w", name, err)
	}
	n.secrets[name] = value
	in := n.in
	in.Secrets = maps.Clone(n.secrets)
	base, ds := scope.Base(in)
	if err := ds.Err(); err != nil {
		return err
	}
	n.in, n.base = in, base
	return nil
}
