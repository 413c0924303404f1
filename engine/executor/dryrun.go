package executor

import (
	"context"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// taint notes before an item of a dry-run starts whether it comes after something that would have changed the world or
// asked people: then what it observes is shown and not judged.
func (s *schedule) taint(t *task) {
	if !s.r.dry {
		return
	}
	tainted := s.r.tainted
	for _, a := range t.item.After {
		if before := t.sibling(a); before != nil && before.phase == t.phase {
			tainted = tainted || before.work.unjudged || before.changes() && before.outcome.outcome != engine.Skipped
		}
	}
	t.work.unjudged = tainted
	if tainted {
		t.work.poll = nil
	}
}

// taintAfter notes at the end of a phase what it means for the next.
func (r *run) taintAfter(p *runbooks.Phase) {
	for _, i := range p.Items {
		t := r.tasks[i.ID()]
		r.tainted = r.tainted || t.changes() && t.outcome.outcome != engine.Skipped
	}
}

// changes reports whether the item changes what later checks see.
func (t *task) changes() bool {
	return t.item.Kind.Effect() == runbooks.Change || t.item.Kind == runbooks.Manual
}

// exercise does of an item what a dry-run may: checks run, assertions are evaluated, unless runs; nothing else.
func (t *task) exercise(ctx context.Context, names *expr.Scope) error {
	switch {
	case t.cleanup:
		return t.notExercised("cleanup is shown, not run")
	case t.phase.AfterBatch == t.item:
		return t.notExercised("a dry-run makes no check after a batch")
	case t.item.Kind == runbooks.Check:
		return t.onHosts(ctx, names, t.checkBatch)
	case t.item.Kind == runbooks.Assert:
		return t.assert(names)
	case t.item.Unless != nil:
		return t.onHosts(ctx, names, t.unlessBatch)
	case t.item.Kind == runbooks.Call:
		return t.calls(names)
	case t.item.Kind.Effect() == runbooks.Human:
		return t.notExercised("people are not asked in a dry-run")
	case t.item.Kind == runbooks.Wait:
		return t.notExercised("a dry-run does not wait")
	}
	return t.notExercised("a dry-run changes nothing")
}

func (t *task) notExercised(why string) error {
	return t.whole(verdict{outcome: engine.NotExercised, cause: engine.CauseDryRun, reason: why}, nil)
}

// unlessBatch observes whether a step would be needed. Neither answer counts for or against the runbook.
func (t *task) unlessBatch(ctx context.Context, e element, hosts []*runbooks.Host) error {
	return each(hosts, t.parallel(), func(h *runbooks.Host) error {
		u := &unit{t: t, id: t.unit(e, h), host: h, names: t.r.onHost(e.names, h)}
		s, err := u.observe(ctx, t.unlessWork, t.item.Unless)
		if err != nil {
			return err
		}
		out := &engine.ItemOutcome{Unit: u.id, Outcome: engine.NotExercised, Cause: engine.CauseDryRun, Reason: "a dry-run changes nothing"}
		if s.holds() {
			out.Reason = "unless holds already: it would be skipped"
		}
		return t.ended(out, &trial{}, "")
	})
}

// preflight asks every host that an item or a part would run on what the plan needs of it.
func (r *run) preflight() error {
	requests, order := r.requests()
	ctx, _ := r.working()
	results := make(map[string]engine.PreflightResult, len(order))
	lock := make(chan struct{}, 1)
	err := each(order, r.cfg.Parallel, func(name string) error {
		h := r.host(name)
		if err := r.valve.enter(ctx, false); err != nil {
			return err
		}
		res, err := r.cfg.Prober.Preflight(ctx, h, *requests[name])
		r.valve.exit()
		if err != nil {
			return cut(ctx)
		}
		for n := range res.Checks {
			res.Checks[n].Detail = r.cfg.Redactor.Redact(res.Checks[n].Detail)
		}
		lock <- struct{}{}
		results[name] = res
		<-lock
		return r.emit(&res)
	})
	for name, res := range results {
		if outOfReach(res) {
			r.down[name] = res
		}
	}
	return err
}

// outOfReach reports whether nothing can run on the host at all.
func outOfReach(p engine.PreflightResult) bool {
	return slices.ContainsFunc(p.Checks, func(c engine.PreflightCheck) bool {
		return !c.OK && (c.Name == "reach" || c.Name == "host-key" || c.Name == "authentication")
	})
}

func (r *run) host(name string) *runbooks.Host {
	if h := r.cfg.Project.Host(name); h != nil {
		return h
	}
	return &runbooks.Host{Name: name, Control: name == runbooks.ControlName}
}

// requests are what the plan needs from each host, and the hosts in order of the plan.
func (r *run) requests() (map[string]*engine.PreflightRequest, []string) {
	out := map[string]*engine.PreflightRequest{}
	for n := range r.cfg.Plan.Items {
		i := &r.cfg.Plan.Items[n]
		if i.Disposition == engine.WillSkip {
			continue
		}
		r.request(out, i, i.Hosts, &engine.PlanCommand{Become: i.Become})
		for c := range i.Commands {
			r.request(out, i, commandHosts(i, &i.Commands[c]), &i.Commands[c])
		}
	}
	var order []string
	for _, h := range r.cfg.Plan.Hosts {
		if out[h.Name] != nil {
			order = append(order, h.Name)
		}
	}
	return out, order
}

func commandHosts(i *engine.PlanItem, c *engine.PlanCommand) []string {
	switch {
	case c.Host != "":
		return []string{c.Host}
	case len(c.Hosts) > 0:
		return c.Hosts
	}
	return i.Hosts
}

func (r *run) request(out map[string]*engine.PreflightRequest, i *engine.PlanItem, hosts []string, c *engine.PlanCommand) {
	for _, h := range hosts {
		if len(r.cfg.Limit) > 0 && h != runbooks.ControlName && !slices.Contains(r.cfg.Limit, h) {
			continue
		}
		q := out[h]
		if q == nil {
			q = &engine.PreflightRequest{}
			out[h] = q
		}
		q.Steps = q.Steps || i.Effect == runbooks.Change
		q.Becomes = with(q.Becomes, reasonOr(c.Become, i.Become))
		switch {
		case len(c.Argv) > 0:
			q.Programs = with(q.Programs, c.Argv[0])
		case c.Script != "" && len(c.Interpreter) > 0:
			q.Interpreters = with(q.Interpreters, c.Interpreter[0])
		case c.Script != "":
			q.Interpreters = with(q.Interpreters, "/bin/sh")
		}
	}
}

// with adds a word once; words that are not known before the run are left out.
func with(words []string, word string) []string {
	if word == "" || word[0] == '(' || slices.Contains(words, word) {
		return words
	}
	return append(words, word)
}
