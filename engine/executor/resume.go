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

// resumed prepares a Config that goes on from an earlier controller: what was fixed when the run was opened is taken from
// its journal.
func resumed(cfg *Config) (*past, error) {
	if cfg.Undo != nil {
		return ofAnother(cfg)
	}
	if cfg.Resume == nil {
		return nil, nil //nolint:nilnil // a new run has no past
	}
	opened, ok := cfg.Resume.Events[0].Payload.(*engine.RunOpened)
	if !ok {
		return nil, fmt.Errorf("%w: the events do not begin with run.opened", ErrConfig)
	}
	cfg.Opened, cfg.Limit, cfg.From = *opened, opened.Limit, runbooks.ItemID(opened.From)
	return newPast(cfg.Resume.Events), nil
}

// takeUp brings the run to where an earlier controller had it: what people had said about it as a whole.
func (r *run) takeUp() error {
	p := r.past
	for _, by := range p.operators {
		r.gates.steered(by)
	}
	for key, i := range p.items {
		r.gates.asked[key.Item] += len(i.requests)
	}
	if p.aborted != nil {
		r.abort(reasonOr(p.aborted.Reason, "aborted by the operator"), p.aborted.By)
	}
	if p.back != nil && p.back.Item == "" {
		r.trail.want(reasonOr(p.back.Reason, "rolled back by the operator"), p.back.By)
		r.valve.halt(aborted, reasonOr(p.back.Reason, "rolled back by the operator"), p.back.By)
	}
	if p.wayBack != nil {
		r.back(p.wayBack.Reason, p.wayBack.By)
	}
	if p.cleaning {
		r.valve.halt(stopped, "the cleanup had begun", "")
	}
	if p.paused != nil {
		r.valve.set(true, false)
	}
	if wish := r.cfg.Resume.Rollback; wish != nil && p.wayBack == nil {
		return r.turnBack(wish)
	}
	return nil
}

// turnBack has the run rolled back instead of going on: nothing new starts, not even on further hosts.
func (r *run) turnBack(wish *engine.OperatorAction) error {
	act := &engine.OperatorAction{Action: engine.ActionRollback, By: wish.By, Reason: r.cfg.Redactor.Redact(wish.Reason)}
	if err := r.emit(act); err != nil {
		return err
	}
	r.gates.steered(act.By)
	r.trail.want(reasonOr(act.Reason, "rolled back by the operator"), act.By)
	r.valve.halt(aborted, reasonOr(act.Reason, "rolled back by the operator"), act.By)
	return nil
}

// resume takes up an item that is on record: from its beginning, or to its recorded end.
func (t *task) resume(ctx context.Context) error {
	b := t.before
	if b.begun {
		t.comes()
	}
	switch {
	case b.whole != nil && !b.begun && !b.intended():
		return t.whole(t.pastVerdict(), nil) // decided without a turn
	case b.whole != nil && t.item.Kind != runbooks.Call && !t.item.Kind.OnHosts():
		t.recallPeople()
		return t.whole(t.pastVerdict(), nil)
	case b.whole != nil && t.item.Kind.OnHosts():
		return t.recall(ctx)
	}
	t.comes()
	names, err := t.scopeFor(ctx, t.exprs())
	if err != nil {
		if fatal(err) && t.r.rec.failed() != nil {
			return err
		}
		return t.lacks(causeSecret, err)
	}
	return t.dispatch(ctx, names)
}

// recall loads an item on hosts that has ended, and finds out what became of units that nobody knew the end of.
func (t *task) recall(ctx context.Context) error {
	names := t.pastNames(ctx)
	if t.before.open() {
		// What its hosts tell may hold its secrets: they must be known before.
		all, err := t.scopeFor(ctx, t.exprs())
		if err != nil {
			return t.hold(fmt.Sprintf("%s: %s", t.id, t.r.clip(errText(err))))
		}
		names = all
	}
	elements := t.pastElements(names)
	if err := t.load(elements, names); err != nil {
		return err
	}
	if err := t.reopen(ctx, elements, names); err != nil {
		return err
	}
	if t.before.whole != nil {
		t.recallSole(names)
		if err := t.lookAgain(ctx); err != nil {
			return err
		}
		return t.whole(t.pastVerdict(), nil)
	}
	// One of them was started again: the item ends anew.
	if t.item.Kind != runbooks.Check && names != nil {
		t.expectAll(names)
	}
	return t.whole(t.sum(), &engine.ItemOutcome{Hosts: t.count(len(t.units)), Expectations: t.all})
}

// lookAgain makes a check again that captured what is sensitive and is read later: such a value is not on record, and a check
// may be made again. What it sees is recorded with the check; its outcome stands.
func (t *task) lookAgain(ctx context.Context) error {
	if t.item.Kind != runbooks.Check || !t.work.held || !t.want.any || t.before.whole.Outcome != engine.Succeeded {
		return nil
	}
	names, err := t.scopeFor(ctx, t.exprs())
	if err != nil {
		return nil //nolint:nilerr // the values stay unknown, and what needs them says so
	}
	w := t.work
	w.poll = nil
	var sites []*site
	each := map[string]element{}
	for _, e := range t.pastElements(names) {
		each[e.key] = e
	}
	for n := range t.units {
		id := t.units[n].id
		host := t.r.named(id.Host)
		sites = append(sites, &site{unit: id, host: host, names: t.r.onHost(each[id.Key].names, host)})
		if each[id.Key].names == nil {
			return nil
		}
	}
	s, err := t.r.survey(ctx, w, sites, t.parallel(), names)
	if err != nil {
		return err
	}
	for n, x := range s.sites {
		p := x.trial.payload(x.unit)
		p.Part, p.Reason = engine.PartCommand, "observed again, because what it captured is sensitive and not on record: "+reasonOr(p.Reason, string(p.Outcome))
		if err := t.r.emit(p); err != nil {
			return err
		}
		if x.trial.ok() {
			t.units[n].data = x.trial.data
		}
	}
	return nil
}

// recallSole loads the result of a check that does not run on hosts: its outcome is that of the item.
func (t *task) recallSole(names *expr.Scope) {
	w := t.before.whole
	if len(t.units) > 0 || t.item.Kind != runbooks.Check || t.item.Hosts != nil || !t.before.begun {
		return
	}
	end := unitEnd{id: w.Unit, outcome: w.Outcome, cause: w.Cause, reason: w.Reason, began: trialOf(w).began}
	var outs []engine.ItemOutput
	if u := t.before.units[w.Unit]; u != nil {
		outs = u.outputs
	}
	end.data = t.r.recollect(t.work, w, t.before.wholeAt, outs, names)
	t.units = append(t.units, end)
}

// pastNames is what the captures, hosts and elements of an item that has ended may refer to; nil when that cannot be had
// any more.
func (t *task) pastNames(ctx context.Context) *expr.Scope {
	es := []*expr.Expr{t.item.Hosts, t.item.ForEach}
	for _, c := range t.item.Captures {
		es = append(es, c.Value)
	}
	names, err := t.scopeFor(ctx, slices.DeleteFunc(es, func(e *expr.Expr) bool { return e == nil }))
	if err != nil {
		return nil
	}
	return names
}

// pastElements are the elements of for_each as they are now, as far as they can be told.
func (t *task) pastElements(names *expr.Scope) []element {
	t.single = t.item.Hosts == nil
	if names == nil {
		return nil
	}
	elements, err := t.elements(names)
	if err != nil {
		return nil
	}
	for n := range elements {
		if err := t.place(&elements[n]); err != nil {
			return nil
		}
	}
	return elements
}

// load takes the units of an item that are on record. Those that have ended are as if this controller had run them.
func (t *task) load(elements []element, names *expr.Scope) error {
	each := map[string]element{}
	for _, e := range elements {
		each[e.key] = e
	}
	for _, id := range t.before.order {
		u := t.before.units[id]
		e, ok := each[id.Key]
		if !ok {
			e = element{key: id.Key, names: names}
		}
		host := t.r.named(id.Host)
		if _, seq, begun := u.since(); begun && id.Host != "" {
			t.r.trail.restore(trailStep{t: t, id: id, host: host, each: e.each, order: seq})
			t.first()
			t.mu.Lock()
			t.attempts[id] = u.commands()
			t.mu.Unlock()
		}
		if u.outcome == nil || u.open() || t.loaded(id) {
			continue
		}
		t.mu.Lock()
		t.units = append(t.units, t.pastEnd(id, u, e, host))
		t.have[id] = true
		t.mu.Unlock()
	}
	return t.pastMarks()
}

// pastMarks sets marks_start where the first attempt is on record and its marks are not: at the time that is on record.
func (t *task) pastMarks() error {
	if t.r.cfg.Undo != nil {
		return nil // they are those of another run
	}
	var first time.Time
	var seq uint64
	for _, u := range t.before.units {
		if at, n, ok := u.since(); ok && (first.IsZero() || n < seq) {
			first, seq = at, n
		}
	}
	if first.IsZero() || t.r.dry || t.batch > 1 {
		return nil
	}
	return t.r.marks.missed(t.item.MarksStart, t.id, 0, first)
}

// pastEnd is a unit that has ended.
func (t *task) pastEnd(id engine.Unit, u *pastUnit, e element, host *runbooks.Host) unitEnd {
	o := u.outcome
	end := unitEnd{id: id, outcome: o.Outcome, cause: o.Cause, reason: o.Reason, began: u.ran(t.item.Kind)}
	if u.settled != nil {
		end.settled = u.settled.As
	}
	if t.want.any || len(t.item.ExpectAll) > 0 {
		end.data = t.pastData(u, e, host)
	}
	return end
}

// ran reports whether anything of the unit was really started, as far as the record tells.
func (u *pastUnit) ran(k runbooks.Kind) bool {
	if k.Effect() != runbooks.Change {
		return u.outcome != nil && trialOf(u.outcome).began
	}
	for _, a := range u.attempts {
		if a.intent.Part == engine.PartCommand && (a.outcome == nil || a.outcome.Outcome != engine.NeverStarted) {
			return true
		}
	}
	return false
}

// pastData is the data of a unit from its record: for a step that of its last attempt.
func (t *task) pastData(u *pastUnit, e element, host *runbooks.Host) map[string]expr.Value {
	names := e.names
	if names != nil {
		names = t.r.onHost(names, host)
	}
	if t.item.Kind == runbooks.Check {
		var outs []engine.ItemOutput
		for _, o := range u.outputs {
			if o.Part == engine.PartCommand {
				outs = append(outs, o)
			}
		}
		return t.r.recollect(t.work, u.outcome, u.at, outs, names)
	}
	cs := u.current()
	if len(cs) == 0 || cs[len(cs)-1].outcome == nil {
		return nil
	}
	last := cs[len(cs)-1]
	outs := last.outputs
	if u.settled != nil { // what its host told later is not among those of the attempt
		outs = slices.DeleteFunc(slices.Clone(u.outputs), func(o engine.ItemOutput) bool {
			return o.Part != engine.PartCommand || o.Attempt != last.intent.Attempt
		})
	}
	d := t.r.recollect(t.work, last.outcome, last.endedAt, outs, names)
	if t.item.Kind == runbooks.Transfer {
		t.pastTransfer(d, last.outcome, e.names)
	}
	return d
}

// pastTransfer adds what a transfer says of itself.
func (t *task) pastTransfer(d map[string]expr.Value, o *engine.ItemOutcome, names *expr.Scope) {
	if o.Changed != nil {
		d["changed"] = expr.Bool(*o.Changed)
	}
	d["sha256"] = expr.Unknown(expr.StringType())
	if names == nil || t.item.Source.Host != nil {
		return
	}
	if p, err := t.parcel(context.Background(), t.self(), names); err == nil {
		d["sha256"] = expr.String(p.digest)
		if p.sensitive {
			d["sha256"] = d["sha256"].AsSensitive()
		}
	}
}

// loaded reports whether the outcome of a unit is on record.
func (t *task) loaded(u engine.Unit) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.have[u]
}

// begunAny reports whether anything is on record of a unit on these hosts.
func (t *task) begunAny(e element, hosts []*runbooks.Host) bool {
	return slices.ContainsFunc(hosts, func(h *runbooks.Host) bool { return t.before.units[t.unit(e, h)] != nil })
}

// reopen finds out what became of the units whose recorded outcome is open.
func (t *task) reopen(ctx context.Context, elements []element, names *expr.Scope) error {
	var open []*unit
	for _, id := range t.before.order {
		p := t.before.units[id]
		if !p.open() {
			continue
		}
		u := &unit{t: t, id: id, host: t.r.named(id.Host), names: names, past: p, onTrail: true, attempts: p.commands()}
		for _, e := range elements {
			if e.key == id.Key {
				u.each, u.names = e.each, e.names
			}
		}
		if u.names == nil {
			return t.hold(fmt.Sprintf("%s: what it needs cannot be told any more", unitName(id)))
		}
		u.names = t.r.onHost(u.names, u.host)
		open = append(open, u)
	}
	if len(open) == 0 {
		return nil
	}
	for _, u := range open {
		t.have[u.id] = true // whatever comes of it, it is not begun again with the others
	}
	return each(open, t.parallel(), func(u *unit) error { return u.reopen(ctx) })
}

// differs says how the hosts and elements that an item was begun on differ from those that it has now; empty: they do not.
func (b *pastItem) differs(hosts, keys []string) string {
	same := func(a, b []string) bool {
		a, b = slices.Clone(a), slices.Clone(b)
		slices.Sort(a)
		slices.Sort(b)
		return slices.Equal(a, b)
	}
	switch {
	case !b.begun:
		return ""
	case !same(b.hosts, hosts):
		return fmt.Sprintf("it was begun on %s, and now its hosts are %s", reasonOr(list(b.hosts), "none"), reasonOr(list(hosts), "none"))
	case !same(b.elements, keys):
		return fmt.Sprintf("it was begun for %s, and now its elements are %s", reasonOr(list(b.elements), "none"), reasonOr(list(keys), "none"))
	}
	return ""
}

// named is a host of the project by its name; nil for none.
func (r *run) named(name string) *runbooks.Host {
	switch name {
	case "":
		return nil
	case runbooks.ControlName:
		return scope.Control()
	}
	return r.host(name)
}

// pastVerdict is the recorded outcome of the item as a verdict, with what was found out since.
func (t *task) pastVerdict() verdict {
	w := t.before.whole
	v := verdict{outcome: w.Outcome, cause: w.Cause, reason: w.Reason, fails: w.Outcome.Standing() == engine.Fails}
	if t.item.Kind == runbooks.Call || len(t.units) == 0 {
		v.fails = v.fails || w.Outcome == engine.Unknown
		return v
	}
	settled := slices.ContainsFunc(t.units, func(e unitEnd) bool { return e.settled != "" || e.open })
	if settled {
		s := t.sum()
		v.fails, v.open = s.fails, s.open
		v.byHand = !s.fails // its outcome stays what it was; what was found out makes it done
	}
	return v
}

// wholeAgain is what whole does for an item whose outcome is on record: nothing is said twice.
func (t *task) wholeAgain(v verdict) error {
	w := t.before.whole
	v.outcome, v.cause, v.reason = w.Outcome, w.Cause, w.Reason
	t.outcome = v
	t.keep(v)
	t.r.ends.put(t, w.Hosts)
	if err := t.inherit(v); err != nil {
		return err
	}
	switch {
	case t.batch > 0: // the marks are those of the item over all batches
		return nil
	case v.fails || t.r.dry:
		return nil
	case w.Outcome == engine.Succeeded:
		return t.r.marks.missed(t.item.Marks, t.id, t.before.wholeSeq, t.before.wholeAt)
	case v.byHand && !t.r.past.markedAll(t.r.markPrefix(), t.item.Marks, t.id, t.before.wholeSeq):
		return t.r.marks.set(t.item.Marks, t.id)
	}
	return nil
}

// unfinished is the first attempt of the item's command of which nobody has asked what became of it, or "".
func (t *task) unfinished() string {
	for _, id := range t.before.order {
		for _, a := range t.before.units[id].attempts {
			if a.outcome == nil && a.intent.Part == engine.PartCommand {
				return unitName(id)
			}
		}
	}
	return ""
}

// recallPeople restores what people said about an item that has ended.
func (t *task) recallPeople() {
	b := t.before
	unit := unitEnd{id: t.self(), outcome: engine.Succeeded, began: true, data: map[string]expr.Value{}}
	switch t.item.Kind {
	case runbooks.Manual:
		t.r.trail.restore(trailStep{t: t, id: t.self(), order: b.begunSeq})
		if len(b.manual) == 0 {
			return
		}
		last := b.manual[len(b.manual)-1]
		unit.data["inputs"], unit.data["done_by"] = expr.Object(t.pastInputs(last)), expr.String(last.By)
	case runbooks.Decision:
		if b.decision == nil {
			return
		}
		unit.data["choice"] = expr.String(b.decision.Choice)
	case runbooks.Gate:
		g := t.pastGate()
		if g == nil || b.whole.Outcome != engine.Succeeded {
			return
		}
		t.r.gates.opened(t.id, g)
		values := []expr.Value{}
		for _, p := range principals(g) {
			values = append(values, expr.String(p))
		}
		unit.data["approved_by"] = expr.Tuple(values...)
	default:
		return
	}
	t.mu.Lock()
	t.units = append(t.units, unit)
	t.mu.Unlock()
}

// pastInputs are the inputs of a manual item as they were recorded: a sensitive one was not.
func (t *task) pastInputs(m *engine.ManualDone) map[string]expr.Value {
	out := map[string]expr.Value{}
	for _, in := range t.item.Inputs {
		for _, shown := range m.Inputs {
			switch {
			case shown.Name != in.Name:
			case in.Sensitive || shown.Sensitive:
				out[in.Name] = expr.Unknown(in.Type).AsSensitive()
			default:
				out[in.Name] = readBack(in.Type, shown.Value)
			}
		}
	}
	return out
}
