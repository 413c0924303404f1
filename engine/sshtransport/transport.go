package sshtransport

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Transport observes hosts over SSH: engine.Prober. It has no method that launches a step; that is Launcher's.
type Transport struct {
	opts  Options
	known *hostKeys
	keys  *keyring
	slots slots

	mu      sync.Mutex
	targets map[string]*target
	closed  bool
}

var _ engine.Prober = (*Transport)(nil)

var errClosed = errors.New("the transport is closed")

// New returns a Transport. Nothing is dialled before it is needed. Close it.
func New(o Options) *Transport {
	o = o.withDefaults()
	files := make([]string, len(o.KnownHosts))
	for i, f := range o.KnownHosts {
		files[i] = o.path(f)
	}
	return &Transport{opts: o, known: newHostKeys(files), keys: newKeyring(o), slots: make(slots, o.Dial.Concurrent), targets: map[string]*target{}}
}

// flushTimeout bounds the wait for what is still to be removed from hosts.
const flushTimeout = 10 * time.Second

// flushedAtOnce is on how many hosts that happens at the same time: enough for the waits to overlap, few enough for a thousand
// hosts to fit into memory.
const flushedAtOnce = 32

// Close ends all connections. Commands that run on hosts are not killed by it.
func (t *Transport) Close() error {
	t.mu.Lock()
	t.closed = true
	targets := t.targets
	t.targets = nil
	t.mu.Unlock()
	// Targets before the hops that carry them would be nicer; a hop's end ends its targets just as well.
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	var flushing errgroup.Group
	flushing.SetLimit(flushedAtOnce)
	for _, g := range targets {
		flushing.Go(func() error { g.talker.Flush(ctx); return nil })
	}
	_ = flushing.Wait() // none fails
	for _, g := range targets {
		if c := g.current(); c != nil {
			c.close()
		}
	}
	return nil
}

// Observe implements engine.Prober.
func (t *Transport) Observe(ctx context.Context, h *runbooks.Host, o engine.Observation, sink engine.OutputSink) (engine.ExitStatus, error) {
	g, err := t.target(h)
	if err != nil {
		return engine.ExitStatus{}, err
	}
	return g.talker.Observe(ctx, o.Command(), sink)
}

// Preflight implements engine.Prober.
func (t *Transport) Preflight(ctx context.Context, h *runbooks.Host, req engine.PreflightRequest) (engine.PreflightResult, error) {
	r := engine.PreflightResult{Host: h.Name}
	g, err := t.target(h)
	if err != nil {
		return r, err
	}
	c, err := t.connect(ctx, g)
	if err != nil {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		r.Checks = connectChecks(err)
		return r, nil
	}
	r.Checks = []engine.PreflightCheck{
		{Name: "reach", OK: true, Detail: c.facts.Address},
		{Name: "host-key", OK: true, Detail: c.facts.HostKeyType + " " + c.facts.HostKey},
		{Name: "authentication", OK: true, Detail: c.facts.User + " by " + c.facts.AuthMethod},
	}
	return r, g.talker.Preflight(ctx, req, &r)
}

// connectChecks says how far a connection came that was not made.
func connectChecks(err error) []engine.PreflightCheck {
	var he *engine.HostError
	kind := "dial"
	if errors.As(err, &he) {
		kind = he.Kind
	}
	cause, hint := hostshell.CauseAndHint(err)
	failed := func(name string) engine.PreflightCheck {
		return engine.PreflightCheck{Name: name, Detail: cause, Hint: hint}
	}
	switch kind {
	case "host-key":
		return []engine.PreflightCheck{{Name: "reach", OK: true}, failed("host-key")}
	case "auth", "credential-expired":
		return []engine.PreflightCheck{failed("authentication")}
	}
	return []engine.PreflightCheck{failed("reach")}
}

// slots limits what happens at once.
type slots chan struct{}

func (s slots) take(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) give() { <-s }
