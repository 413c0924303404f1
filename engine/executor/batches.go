package executor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// rolling is a phase that rolls out: all its items run for one batch of its hosts, then for the next. A host on which an
// item failed takes no further part; the rollout stops when more hosts have failed than may, when a whole batch has, or
// when something fails that belongs to no host. What that means for the run, on_failure of the item says.
type rolling struct {
	r       *run
	phase   *runbooks.Phase
	all     []*runbooks.Host
	batches [][]*runbooks.Host
	lost    map[string]bool // hosts of earlier batches that failed
	// Of the batch that runs:
	number  int // from 1
	hosts   []*runbooks.Host
	tasks   []*task
	over    map[*task]bool // those that have ended
	excused map[*task]bool // a person has said that it goes on without what failed
	why     string         // why the rollout goes no further; empty: it does
}

// rollOut runs a phase batch by batch, and then says how each item ended over all of them.
func (r *run) rollOut(p *runbooks.Phase) error {
	whole := r.schedule(p, r.tasks, false)
	if r.past.rollout(r.callPath(), p.Name) == nil {
		if err := whole.decide(p); err != nil {
			return err
		}
	}
	if whole.turn != (phaseTurn{}) || r.halted() {
		return whole.run()
	}
	ro := &rolling{r: r, phase: p, lost: map[string]bool{}}
	if err := ro.divide(); err != nil {
		if errors.Is(err, errLeft) || fatal(err) && r.rec.failed() != nil {
			return err
		}
		whole.turn = phaseTurn{broken: true, reason: "hosts of its phase: " + r.clip(errText(err))}
		if r.dry && unknown(err) {
			whole.turn = phaseTurn{undecided: true, reason: "the hosts of its phase are decided at run time: " + p.Hosts.Text()}
		}
		return whole.run()
	}
	for n := range ro.batches {
		if ro.why != "" || r.halted() {
			break
		}
		if err := ro.batch(n + 1); err != nil {
			return err
		}
	}
	return ro.close(whole)
}

// halted reports whether nothing new starts in this runbook any more.
func (r *run) halted() bool {
	s, _, _ := r.valve.standing()
	return s >= stopped || r.stoppedHere() != ""
}

// callPath is the id of the call that this run is; empty for the run that was started.
func (r *run) callPath() runbooks.ItemID {
	if r.call == nil {
		return ""
	}
	return r.call.id
}

// divide evaluates the hosts of the phase, once for the whole run, and records the batches.
func (ro *rolling) divide() error {
	r, p := ro.r, ro.phase
	if old := r.past.rollout(r.callPath(), p.Name); old != nil {
		for _, name := range old.Hosts {
			ro.all = append(ro.all, r.named(name))
		}
		ro.batches = cutUp(ro.all, old.Batches)
		return ro.form()
	}
	names, err := r.names.scopeFor(r.stay, r.book, []*expr.Expr{p.Hosts})
	if err != nil {
		return err
	}
	v, err := eval(p.Hosts, names)
	if err != nil {
		return err
	}
	if !v.Known() {
		return at(p.Hosts, expr.ErrUnknown)
	}
	hosts, err := scope.Hosts(r.cfg.Project, v)
	if err != nil {
		return at(p.Hosts, err)
	}
	for _, h := range hosts {
		planned := func(x engine.PlanHost) bool { return x.Name == h.Name }
		if !slices.ContainsFunc(r.cfg.Plan.Hosts, planned) {
			return fmt.Errorf("%s is not among the candidates of the plan", h.Name)
		}
	}
	if len(hosts) == 0 {
		return fmt.Errorf("%s: there are none", p.Hosts.Range())
	}
	if ro.all, err = ro.limited(hosts); err != nil {
		return err
	}
	ro.batches = split(ro.all, p.Rollout)
	started := &engine.RolloutStarted{Call: r.callPath(), Phase: p.Name}
	for _, b := range ro.batches {
		started.Batches = append(started.Batches, len(b))
	}
	for _, h := range ro.all {
		started.Hosts = append(started.Hosts, h.Name)
	}
	if err := r.emit(started); err != nil {
		return err
	}
	return ro.form()
}

// form notes for the items on the phase's hosts whether those are one host by their form.
func (ro *rolling) form() error {
	names, err := ro.r.names.scopeFor(ro.r.stay, ro.r.book, []*expr.Expr{ro.phase.Hosts})
	if err != nil {
		return err
	}
	single := scope.Single(names, ro.phase.Hosts)
	for _, i := range ro.phase.Items {
		t := ro.r.tasks[i.ID()]
		t.single, t.members = i.Hosts == nil || single && i.Hosts == ro.phase.Hosts, ro.all
	}
	return nil
}

// limited takes out the hosts that --limit leaves out: they are skipped, in no batch.
func (ro *rolling) limited(hosts []*runbooks.Host) ([]*runbooks.Host, error) {
	if len(ro.r.cfg.Limit) == 0 {
		return hosts, nil
	}
	var in []*runbooks.Host
	for _, h := range hosts {
		if h.Control || slices.Contains(ro.r.cfg.Limit, h.Name) {
			in = append(in, h)
			continue
		}
		for _, t := range ro.onMembers() {
			if err := t.plain(element{}, h, engine.Skipped, causeLimit, "left out by --limit"); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}

// onMembers are the items, over all batches, that run on the hosts of the phase.
func (ro *rolling) onMembers() []*task {
	var out []*task
	for _, i := range ro.phase.Items {
		if i.Hosts != nil && i.Hosts == ro.phase.Hosts {
			out = append(out, ro.r.tasks[i.ID()])
		}
	}
	return out
}

// batch runs all items for one batch.
func (ro *rolling) batch(number int) error {
	r, p := ro.r, ro.phase
	past := r.past.batchOf(r.callPath(), p.Name, number)
	if number > 1 && !past.begun && !r.dry {
		ctx, _ := r.working()
		if err := pause(ctx, p.Rollout.Pause); err != nil && !errors.Is(err, errStopped) {
			return err
		}
		if r.halted() {
			return nil
		}
	}
	ro.number, ro.hosts, ro.tasks, ro.excused = number, ro.batches[number-1], nil, map[*task]bool{}
	ro.over = map[*task]bool{}
	tasks := map[runbooks.ItemID]*task{}
	for _, i := range p.Items {
		t := newTask(r, p, i, false)
		t.batch, t.total, t.siblings = number, r.tasks[i.ID()], tasks
		t.before = r.past.item(t.id, number)
		tasks[i.ID()] = t
		ro.tasks = append(ro.tasks, t)
		r.gates.closed(t.id) // it is asked anew
	}
	if !past.begun {
		err := r.emit(&engine.BatchStarted{Call: r.callPath(), Phase: p.Name, Batch: number, Of: len(ro.batches), Hosts: hostNames(ro.hosts)})
		if err != nil {
			return err
		}
	}
	s := r.schedule(p, tasks, false)
	s.roll = ro
	if err := s.run(); err != nil {
		return err
	}
	return ro.ended(past.ended)
}

// closed forgets an approval: the gate is asked again.
func (g *gates) closed(id runbooks.ItemID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, id)
}

func hostNames(hosts []*runbooks.Host) []string {
	out := make([]string, len(hosts))
	for n, h := range hosts {
		out[n] = hostName(h)
	}
	return out
}

// ended records the end of a batch, and adds the units of its items to those over all batches.
func (ro *rolling) ended(recorded bool) error {
	failed, _ := ro.failures(true)
	out := &engine.BatchEnded{
		Call: ro.r.callPath(), Phase: ro.phase.Name, Batch: ro.number, Stopped: ro.why,
		Hosts: engine.HostCount{Expected: len(ro.hosts), Reached: ro.reached()},
	}
	complete := true
	for _, t := range ro.tasks {
		t.total.units = append(t.total.units, t.units...)
		complete = complete && t.outcome.outcome != engine.NotReached
	}
	for _, h := range ro.hosts {
		if failed[h.Name] {
			ro.lost[h.Name] = true
			out.Failed = append(out.Failed, h.Name)
		} else if complete {
			out.Hosts.Done++
		}
	}
	if out.Stopped == "" && ro.r.halted() {
		out.Stopped = ro.r.clip(ro.r.whyStopped())
	}
	if recorded {
		return nil
	}
	return ro.r.emit(out)
}

// reached counts the hosts of the batch on which, or for which, something began.
func (ro *rolling) reached() int {
	begun := map[string]bool{}
	for _, t := range ro.tasks {
		for n := range t.units {
			if u := &t.units[n]; u.began {
				begun[u.id.Host], begun[u.id.Key] = true, true
			}
		}
	}
	n := 0
	for _, h := range ro.hosts {
		if begun[h.Name] {
			n++
		}
	}
	return n
}

// join gives a task the hosts that take part when it starts.
func (ro *rolling) join(t *task) {
	if ro == nil {
		return
	}
	failed, _ := ro.failures(true)
	t.members = make([]*runbooks.Host, 0, len(ro.hosts))
	for _, h := range ro.hosts {
		if !failed[h.Name] || ro.r.dry {
			t.members = append(t.members, h)
		}
	}
}

// failures are the hosts of the batch on which an item failed, and the items whose failure belongs to no host. excused
// counts what a person has excused, too.
func (ro *rolling) failures(excused bool) (hosts map[string]bool, others []*task) {
	hosts = map[string]bool{}
	for _, t := range ro.tasks {
		if !ro.over[t] || !counts(t.item) || !excused && ro.excused[t] {
			continue
		}
		found := false
		for n := range t.units {
			u := &t.units[n]
			if !u.fails() && u.cause != engine.CauseTolerated {
				continue
			}
			if name := ro.hostOf(u.id); name != "" {
				hosts[name], found = true, true
			}
		}
		if t.outcome.fails && !found {
			others = append(others, t)
		}
	}
	return hosts, others
}

// counts reports whether a failure of the item counts for a rollout: not where its author says that it is a finding, or
// that the run goes on.
func counts(i *runbooks.Item) bool {
	return i.Severity != "finding" && i.OnFailure != runbooks.Continue
}

// hostOf is the host of the batch that a unit is about: the one that it ran on, or for which; empty for none.
func (ro *rolling) hostOf(u engine.Unit) string {
	for _, h := range ro.hosts {
		if h.Name == u.Host || h.Name == u.Key {
			return h.Name
		}
	}
	return ""
}

// tooMuch takes an item that has ended and reports whether its failure is more than the rollout bears.
func (ro *rolling) tooMuch(t *task) bool {
	ro.over[t] = true
	if ro.r.dry || t.outcome.open {
		return false
	}
	if !counts(t.item) {
		return t.outcome.fails
	}
	failed, others := ro.failures(false)
	if slices.Contains(others, t) {
		return true
	}
	own := slices.ContainsFunc(t.units, func(u unitEnd) bool {
		return (u.fails() || u.cause == engine.CauseTolerated) && ro.hostOf(u.id) != ""
	})
	return own && (len(ro.lost)+len(failed) > ro.may() || len(failed) == len(ro.hosts))
}

// may is how many hosts may have failed by this batch.
func (ro *rolling) may() int { return ro.phase.Rollout.MayFail(ro.number-1, len(ro.all)) }

// reason says why the rollout stops at an item.
func (ro *rolling) reason(t *task) string {
	failed, others := ro.failures(true)
	names := slices.Sorted(maps.Keys(failed))
	what := fmt.Sprintf("%d of %d hosts failed (%s), and %d may", len(ro.lost)+len(failed), len(ro.all), list(names), ro.may())
	switch {
	case slices.Contains(others, t):
		what = "what failed belongs to no host"
	case len(failed) == len(ro.hosts):
		what = "all of the batch failed"
	}
	return fmt.Sprintf("batch %d of %d: %s; %s", ro.number, len(ro.batches), reasonOr(t.outcome.reason, string(t.outcome.outcome)), what)
}

// answered notes what was said about a failure: the rollout stops, unless a person lets it go on.
func (ro *rolling) answered(t *task) {
	switch {
	case !counts(t.item):
	case !ro.r.halted() && ro.r.policy(t) == runbooks.Ask:
		ro.excused[t] = true
	default:
		ro.why = ro.r.clip(fmt.Sprintf("the rollout stopped at %s in batch %d of %d", t.id, ro.number, len(ro.batches)))
	}
}

// again takes an item back that is tried once more.
func (ro *rolling) again(t *task) {
	if ro != nil {
		delete(ro.over, t)
	}
}

// close says how each item ended over all batches, and does what the runbook says when some failed.
func (ro *rolling) close(s *schedule) error {
	r := ro.r
	why := reasonOr(ro.why, "the run stopped before this batch")
	if err := ro.notReached(why); err != nil {
		return err
	}
	var failed *task
	for _, i := range ro.phase.Items {
		t := r.tasks[i.ID()]
		if err := ro.inner(t, why); err != nil {
			return err
		}
		v, hosts := r.ends.total(t.id, len(ro.batches), why)
		if slices.Contains(ro.onMembers(), t) {
			for _, b := range ro.batches[ro.number:] {
				hosts.Expected += len(b)
			}
		}
		out := &engine.ItemOutcome{}
		if t.item.Kind.OnHosts() && hosts.Expected > 0 {
			out.Hosts = hosts
		}
		if err := t.whole(v, out); err != nil {
			return err
		}
		if failed == nil && t.outcome.fails && !t.outcome.open && counts(t.item) {
			failed = t
		}
	}
	if failed == nil || ro.why != "" || r.halted() {
		return nil
	}
	_, err := s.failed(failed)
	return err
}

// notReached gives the hosts of the batches that never came their outcome.
func (ro *rolling) notReached(why string) error {
	for n, hosts := range ro.batches[ro.number:] {
		for _, t := range ro.onMembers() {
			past := ro.r.past.item(t.id, ro.number+n+1)
			for _, h := range hosts {
				u := engine.Unit{Item: t.id, Batch: ro.number + n + 1, Host: h.Name}
				out := &engine.ItemOutcome{Unit: u, Outcome: engine.NotReached, Cause: causeRollout, Reason: why}
				if past.units[u] == nil {
					if err := ro.r.emit(out); err != nil {
						return err
					}
				}
				t.close(out, &trial{}, "")
			}
		}
	}
	return nil
}

// inner says how the items of a called runbook ended over all batches.
func (ro *rolling) inner(t *task, why string) error {
	if t.item.Kind != runbooks.Call || !ro.r.ends.has(t.id) {
		return nil
	}
	for n := range ro.r.cfg.Plan.Items {
		id := ro.r.cfg.Plan.Items[n].ID
		if !strings.HasPrefix(string(id), string(t.id)+".") || ro.r.past.item(id, 0).whole != nil {
			continue
		}
		v, hosts := ro.r.ends.total(id, len(ro.batches), why)
		out := &engine.ItemOutcome{Unit: engine.Unit{Item: id}, Outcome: v.outcome, Cause: v.cause, Reason: v.reason}
		if hosts.Expected > 0 {
			out.Hosts = hosts
		}
		if err := ro.r.emit(out); err != nil {
			return err
		}
		last := ro.r.ends.last(id)
		if v.outcome != engine.Succeeded || ro.r.dry || last == nil {
			continue
		}
		if err := last.r.marks.set(last.item.Marks, id); err != nil {
			return err
		}
	}
	return nil
}
