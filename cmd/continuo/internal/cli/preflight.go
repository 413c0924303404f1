package cli

import (
	"context"
	"errors"
	"sync"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// preflightParallel bounds how many hosts are asked at once.
const preflightParallel = 64

// preflight asks each host what a run needs of it, and prints the answers as they come, in the order of the inventory.
func (a *app) preflight(ctx context.Context, p *runbooks.Project, hosts []*runbooks.Host) error {
	ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
	reach := a.reach(p, ask, a.secrets(p, ask, redact.New()), nil)
	doc := view.HostsDocument{Schema: view.HostsSchema, Hosts: []view.HostEntry{}}
	code := OK
	err := inOrder(ctx, hosts, preflightParallel, func(ctx context.Context, h *runbooks.Host) (engine.PreflightResult, error) {
		return reach.prober().Preflight(ctx, h, engine.PreflightRequest{Steps: true})
	}, func(h *runbooks.Host, r engine.PreflightResult) {
		if !r.OK {
			code = Fail
		}
		e := hostEntry(p, h)
		e.Preflight = &r
		doc.Hosts = append(doc.Hosts, e)
		if !a.global.json {
			a.out.Preflight(r)
		}
	})
	if err := errors.Join(err, reach.prober().Close()); err != nil {
		return fail(Fail, err, "")
	}
	if a.global.json {
		if err := a.out.JSON(doc); err != nil {
			return err
		}
	}
	return exit(code)
}

// inOrder works on all of in, at most parallel at once, and gives each result to took in the order of in, as soon as its
// turn has come. The first error ends it.
func inOrder[T, R any](ctx context.Context, in []T, parallel int, do func(context.Context, T) (R, error), took func(T, R)) error {
	type result struct {
		r   R
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	slots := make(chan struct{}, parallel)
	results := make([]chan result, len(in))
	for n := range in {
		results[n] = make(chan result, 1)
	}
	wg.Go(func() {
		for n, v := range in {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				results[n] <- result{err: context.Cause(ctx)}
				continue
			}
			wg.Go(func() {
				defer func() { <-slots }()
				r, err := do(ctx, v)
				results[n] <- result{r, err}
			})
		}
	})
	for n, v := range in {
		got := <-results[n]
		if got.err != nil {
			return got.err
		}
		took(v, got.r)
	}
	return nil
}
