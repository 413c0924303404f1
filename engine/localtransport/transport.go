package localtransport

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Options configure a Transport.
type Options struct {
	// Env is the environment of what runs, as os.Environ gives it. Nil is an empty one.
	Env []string
	// Dir is where shells start; a command without a working directory runs in HOME.
	Dir string
	// User is shown in errors.
	User    string
	Secrets engine.Secrets
	Limits  hostshell.Limits
	// Shell replaces /bin/sh; for tests.
	Shell []string
}

// Transport observes the control host: engine.Prober. Launcher launches steps there.
type Transport struct {
	opts  Options
	mu    sync.Mutex
	hosts map[string]*hostshell.Host
}

var _ engine.Prober = (*Transport)(nil)

// New returns a Transport. It holds nothing open between calls.
func New(o Options) *Transport {
	if len(o.Shell) == 0 {
		o.Shell = []string{"/bin/sh"}
	}
	return &Transport{opts: o, hosts: map[string]*hostshell.Host{}}
}

func (t *Transport) host(h *runbooks.Host) *hostshell.Host {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.hosts[h.Name]
	if g == nil {
		g = &hostshell.Host{Name: h.Name, Login: t.opts.User, Become: h.Become, Secrets: t.opts.Secrets, Limits: t.opts.Limits,
			Kind: "control", Shell: shell{path: append(slices.Clone(t.opts.Shell), "-s"), env: append([]string{}, t.opts.Env...), dir: t.opts.Dir}}
		t.hosts[h.Name] = g
	}
	return g
}

// Observe implements engine.Prober.
func (t *Transport) Observe(ctx context.Context, h *runbooks.Host, o engine.Observation, sink engine.OutputSink) (engine.ExitStatus, error) {
	return t.host(h).Observe(ctx, o.Command(), sink)
}

// Preflight implements engine.Prober.
func (t *Transport) Preflight(ctx context.Context, h *runbooks.Host, req engine.PreflightRequest) (engine.PreflightResult, error) {
	r := engine.PreflightResult{Host: h.Name, Checks: []engine.PreflightCheck{{Name: "reach", OK: true, Detail: "this machine"}}}
	return r, t.host(h).Preflight(ctx, req, &r)
}

// probeTimeout is how long a TCP probe waits before it calls it no answer.
const probeTimeout = 10 * time.Second

// ProbeTCP implements engine.Prober.
func (t *Transport) ProbeTCP(ctx context.Context, h *runbooks.Host, address string) (engine.TCPState, error) {
	c, err := (&net.Dialer{Timeout: probeTimeout}).DialContext(ctx, "tcp", address)
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case err == nil:
		_ = c.Close()
		return engine.TCPOpen, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		return engine.TCPRefused, nil
	case errors.As(err, &dns):
		return "", &engine.HostError{Kind: "resolve", Host: h.Name, Err: &refusal{"the name in " + address + " does not resolve: " + dns.Err},
			Hint: "check the name, as the control host resolves it"}
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return engine.TCPNoAnswer, nil
	}
	return "", &engine.HostError{Kind: "probe", Host: h.Name, Err: &refusal{"probe of " + address + ": " + err.Error()}}
}

// refusal is a text that is engine.ErrRefused.
type refusal struct{ text string }

// Error implements error.
func (r *refusal) Error() string { return r.text }

// Unwrap implements errors.Is for engine.ErrRefused.
func (r *refusal) Unwrap() error { return engine.ErrRefused }

// flushTimeout bounds the wait for what is still to be removed.
const flushTimeout = 10 * time.Second

// Close waits until what was released has been removed.
func (t *Transport) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	var flushing sync.WaitGroup
	for _, h := range t.hosts {
		flushing.Go(func() { h.Flush(ctx) })
	}
	flushing.Wait()
	return nil
}
