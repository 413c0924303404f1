package executor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// element is one element of for_each with its hosts; outside for_each there is one without a key.
type element struct {
	key   string
	each  expr.Value // absent outside for_each
	names *expr.Scope
	hosts []*runbooks.Host // holds one nil for what is seen from the control host
}

// spread evaluates for_each and hosts, once, and says so in the journal.
func (t *task) spread(names *expr.Scope) ([]element, error) {
	elements, err := t.elements(names)
	if err != nil {
		return nil, err
	}
	var hosts, keys []string
	for n := range elements {
		e := &elements[n]
		if err := t.place(e); err != nil {
			return nil, err
		}
		if e.key != "" {
			keys = append(keys, e.key)
		}
		for _, h := range e.hosts {
			if h != nil && !slices.Contains(hosts, h.Name) {
				hosts = append(hosts, h.Name)
			}
		}
	}
	if why := t.before.differs(hosts, keys); why != "" {
		return nil, t.hold(fmt.Sprintf("%s: %s", t.id, why))
	}
	if t.before.begun {
		return elements, nil
	}
	return elements, t.r.emit(&engine.ItemStarted{Item: t.id, Batch: t.batch, Hosts: hosts, Elements: keys})
}

func (t *task) elements(names *expr.Scope) ([]element, error) {
	if t.item.ForEach == nil {
		return []element{{names: names}}, nil
	}
	v, err := eval(t.item.ForEach, names)
	if err != nil {
		return nil, err
	}
	es, err := v.Elements()
	if err != nil {
		return nil, at(t.item.ForEach, err)
	}
	most := t.item.MaxItems
	if most <= 0 {
		most = 1000
	}
	if len(es) > most {
		return nil, fmt.Errorf("%s: for_each has %d elements, more than max_items = %d", t.item.ForEach.Range(), len(es), most)
	}
	out := make([]element, len(es))
	for n, e := range es {
		each := expr.Object(map[string]expr.Value{"key": expr.String(e.Key), "value": e.Value})
		out[n] = element{key: e.Key, each: each, names: names.With(map[string]expr.Value{"each": each})}
	}
	return out, nil
}

// place evaluates the hosts of an element.
func (t *task) place(e *element) error {
	if t.item.Hosts == nil {
		t.single = true
		e.hosts = []*runbooks.Host{nil}
		return nil
	}
	if t.total != nil && t.item.Hosts == t.phase.Hosts {
		t.single, e.hosts = t.total.single, t.members
		return nil
	}
	hosts, one, err := t.hostsOf(t.item.Hosts, e.names)
	if err != nil {
		return err
	}
	t.single = one
	e.hosts = hosts
	return t.allowed(hosts)
}

// everywhere runs the item on all elements and hosts: elements one after another (or parallel_each at once), each over its
// hosts in batches. work runs one batch.
func (t *task) everywhere(ctx context.Context, elements []element, work batchFunc) error {
	defer t.fetched.end()
	return each(elements, max(1, t.item.ParallelEach), func(e element) error {
		hosts, err := t.limited(e)
		if err != nil {
			return err
		}
		return t.rollOut(ctx, e, hosts, work)
	})
}

// batchFunc runs the item for an element on some hosts at once and records the outcome of each.
type batchFunc func(ctx context.Context, e element, hosts []*runbooks.Host) error

// limited takes out the hosts that --limit leaves out, which are skipped, and those that need not be tried again.
func (t *task) limited(e element) ([]*runbooks.Host, error) {
	var out []*runbooks.Host
	for _, h := range e.hosts {
		switch {
		case t.left(e, h):
		case len(t.r.cfg.Limit) == 0 || h == nil || h.Control || slices.Contains(t.r.cfg.Limit, h.Name):
			out = append(out, h)
		default:
			if err := t.plain(e, h, engine.Skipped, causeLimit, "left out by --limit"); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// plain records a unit for which nothing was done.
func (t *task) plain(e element, h *runbooks.Host, o engine.Outcome, cause, reason string) error {
	if t.loaded(t.unit(e, h)) {
		return nil
	}
	out := &engine.ItemOutcome{Unit: t.unit(e, h), Outcome: o, Cause: cause, Reason: reason}
	return t.ended(out, &trial{}, "")
}

func (t *task) unit(e element, h *runbooks.Host) engine.Unit {
	return engine.Unit{Item: t.id, Batch: t.batch, Key: e.key, Host: hostName(h)}
}

// rollOut runs the batches of an element one after another and stops when too much has failed.
func (t *task) rollOut(ctx context.Context, e element, hosts []*runbooks.Host, work batchFunc) error {
	r := t.item.Rollout
	batches := split(hosts, r)
	for n, batch := range batches {
		if n > 0 && r != nil && !t.begunAny(e, batch) {
			if err := pause(ctx, r.Pause); err != nil && err != errStopped { //nolint:errorlint // never wrapped
				return err
			}
		}
		if err := work(ctx, e, batch); err != nil {
			return err
		}
		if t.begunAny(e, slices.Concat(batches[n+1:]...)) {
			continue // an earlier controller found that the rollout may go on
		}
		why := t.tooMuch(e, batch, n, len(hosts))
		if why == "" {
			var err error
			if why, err = t.afterBatch(ctx, e, batch, n); err != nil {
				return err
			}
		}
		if why != "" {
			for _, h := range slices.Concat(batches[n+1:]...) {
				if err := t.plain(e, h, engine.NotReached, causeRollout, why); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return nil
}

// afterBatch makes the rollout's check after batch n and says why it stops the rollout. A dry-run makes none.
func (t *task) afterBatch(ctx context.Context, e element, batch []*runbooks.Host, n int) (why string, err error) {
	r := t.item.Rollout
	if r == nil || r.AfterBatch == nil || t.r.dry {
		return "", nil
	}
	sites, err := t.batchSites(e, batch)
	if err != nil {
		why = errText(err)
	} else {
		s, err := t.r.survey(ctx, t.afterWork, sites, t.parallel(), e.names)
		if err != nil && err != errStopped { //nolint:errorlint // a sentinel that is never wrapped
			return "", err
		}
		if err := t.tellBatch(s); err != nil {
			return "", err
		}
		if !s.done() || s.holds() {
			return "", nil
		}
		why = s.reason()
	}
	why = t.r.clip(fmt.Sprintf("the check after batch %d: %s", n+1, why))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.allFailed = reasonOr(t.allFailed, why)
	return why, nil
}

// batchSites are the hosts of the batch, or those that the check names for it; it sees the batch as batch.
func (t *task) batchSites(e element, batch []*runbooks.Host) ([]*site, error) {
	values := make([]expr.Value, len(batch))
	for n, h := range batch {
		values[n] = scope.HostValue(h)
	}
	names := e.names.With(map[string]expr.Value{"batch": expr.Tuple(values...)})
	hosts := batch
	if part := t.item.Rollout.AfterBatch; part.Hosts != nil && part.Hosts != t.item.Hosts {
		var err error
		if hosts, _, err = t.hostsOf(part.Hosts, names); err != nil {
			return nil, err
		}
	}
	var out []*site
	for n, h := range hosts {
		// What it sees belongs to a unit of the item; elsewhere to the first of the batch.
		own := batch[0]
		if n < len(batch) && batch[n] == h {
			own = h
		}
		out = append(out, &site{unit: t.unit(e, own), host: h, names: t.r.onHost(names, h)})
	}
	return out, nil
}

// tellBatch records what the check after a batch saw.
func (t *task) tellBatch(s *survey) error {
	for _, x := range s.sites {
		if x.trial == nil {
			continue
		}
		p := x.trial.payload(x.unit)
		p.Part, p.Rounds = t.afterWork.part, x.rounds
		p.Reason = "after the batch, on " + hostName(x.host) + ": " + reasonOr(p.Reason, string(p.Outcome))
		p.Expectations = append(p.Expectations, s.all...)
		if err := t.r.emit(p); err != nil {
			return err
		}
	}
	return nil
}

// tooMuch says why a rollout stops after batch n.
func (t *task) tooMuch(e element, batch []*runbooks.Host, n, all int) string {
	if t.item.Rollout == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	total, here := 0, 0
	for i := range t.units {
		u := &t.units[i]
		if u.id.Key != e.key || !u.fails() && u.cause != engine.CauseTolerated {
			continue
		}
		total++
		if slices.ContainsFunc(batch, func(h *runbooks.Host) bool { return hostName(h) == u.id.Host }) {
			here++
		}
	}
	most := t.item.Rollout.MayFail(n, all)
	switch {
	case total > most:
		return fmt.Sprintf("the rollout stopped after batch %d: %d failed, and %d may", n+1, total, most)
	case here == len(batch) && here > 0:
		return fmt.Sprintf("the rollout stopped after batch %d: all of it failed", n+1)
	}
	return ""
}

// split divides hosts into batches; without a rollout they are one.
func split(hosts []*runbooks.Host, r *runbooks.Rollout) [][]*runbooks.Host {
	return cutUp(hosts, r.Batches(len(hosts)))
}

// cutUp divides hosts into batches of these sizes.
func cutUp(hosts []*runbooks.Host, sizes []int) [][]*runbooks.Host {
	var out [][]*runbooks.Host
	for _, size := range sizes {
		size = min(size, len(hosts))
		out = append(out, hosts[:size:size])
		hosts = hosts[size:]
	}
	return out
}

// stepBatch runs a step on the hosts of a batch.
func (t *task) stepBatch(ctx context.Context, e element, hosts []*runbooks.Host) error {
	return each(hosts, t.parallel(), func(h *runbooks.Host) error {
		id := t.unit(e, h)
		if t.loaded(id) {
			return nil
		}
		u := &unit{t: t, id: id, host: h, each: e.each, names: t.r.onHost(e.names, h), attempts: t.attempted(id), past: t.before.units[id]}
		return u.run(ctx)
	})
}

// checkBatch observes the hosts of a batch and records what each came to.
func (t *task) checkBatch(ctx context.Context, e element, hosts []*runbooks.Host) error {
	stamp, began := t.r.cfg.Clock.Now(), time.Now()
	var sites []*site
	for _, h := range hosts {
		// What is judged together is observed together, also where the outcome of a host is on record already.
		if len(t.work.all) > 0 || !t.loaded(t.unit(e, h)) {
			sites = append(sites, &site{unit: t.unit(e, h), host: h, names: t.r.onHost(e.names, h)})
		}
	}
	if err := t.started(); err != nil {
		return err
	}
	s, err := t.r.survey(ctx, t.work, sites, t.parallel(), e.names)
	if err != nil && err != errStopped { //nolint:errorlint // a sentinel that is never wrapped
		return err
	}
	t.mu.Lock()
	t.all = append(t.all, s.all...)
	t.allFailed = reasonOr(t.allFailed, s.failed)
	t.mu.Unlock()
	for _, x := range s.sites {
		if t.loaded(x.unit) {
			continue
		}
		if x.trial == nil {
			x.trial = &trial{}
			x.trial.fail(engine.NotReached, causeStopped, "the run was stopped before it began")
		}
		if t.r.dry && x.trial.outcome == engine.Succeeded {
			x.trial.outcome = engine.Exercised
		}
		out := x.trial.payload(x.unit)
		out.Rounds, out.StartedAt, out.DurationNS = x.rounds, stamp, time.Since(began)
		out.Cause = t.tolerated(out)
		if x.unit.Host == "" && x.unit.Key == "" {
			t.sole(out, x.trial)
			continue
		}
		if err := t.ended(out, x.trial, ""); err != nil {
			return err
		}
	}
	return nil
}

// sole keeps the unit of an item that does not run on hosts: its outcome is the item's, and is recorded as such.
func (t *task) sole(o *engine.ItemOutcome, tr *trial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.only = o
	t.units = append(t.units, unitEnd{
		id: o.Unit, outcome: o.Outcome, cause: o.Cause, reason: o.Reason, began: tr.began, data: tr.data,
	})
}
