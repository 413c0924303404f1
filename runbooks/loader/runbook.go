package loader

import (
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// book is one runbook while it is read.
type book struct {
	*loader
	rb    *runbooks.Runbook
	node  *node
	items map[runbooks.ItemID]*entry
	order []*entry // phases in order, then cleanup
	// exprs by name, for scopes and suggestions
	variables map[string]*runbooks.Variable
	marks     map[string]*runbooks.Mark
	locals    map[string]*runbooks.Local // of project and runbook, made when the first is looked for
	scope     *expr.Scope                // of what is known before a run; nil when it could not be made
	sound     map[string]bool            // texts of hosts that depend on the inventory alone and are right
}

// entry is an item with what is needed until its references are resolved.
type entry struct {
	item  *runbooks.Item
	node  *node
	phase int // index; len(rb.Phases) is cleanup
	pos   int // in its phase
	lane  int // from 1; 0: none
	after []expr.Ref
	given bool // after is written
}

// runbooks reads all runbooks, then resolves their references, then checks their types: they may call each other, and
// the order in which they are written never matters.
func (l *loader) runbooks() {
	var books []*book
	each := func(f func(*book)) {
		for _, b := range books {
			l.within(b.node.title(), func() { f(b) })
		}
	}
	for _, n := range l.root.of("runbook") {
		l.within(n.title(), func() { books = append(books, l.runbook(n)) })
	}
	each((*book).references)
	l.callCycles()
	each((*book).callVariables)
	each((*book).types)
	for _, b := range books {
		l.books[b.rb.Name] = b
	}
}

func (l *loader) runbook(n *node) *book {
	b := &book{
		loader: l, node: n, items: map[runbooks.ItemID]*entry{}, variables: map[string]*runbooks.Variable{}, marks: map[string]*runbooks.Mark{},
		rb: &runbooks.Runbook{Name: n.label, Range: place(n.rng())},
	}
	b.settingsOf(n)
	for _, v := range n.of("variable") {
		b.variable(v)
	}
	b.rb.Locals = l.locals(n, nil)
	l.localCycles(b.rb.Locals)
	for _, m := range n.of("mark") {
		b.mark(m)
	}
	for _, o := range n.of("objective") {
		b.objective(o)
	}
	b.outputs(n)
	phases := n.of("phase")
	for i, p := range phases {
		b.phase(p, i)
	}
	if c := n.one("cleanup"); c != nil {
		b.cleanup(c)
	}
	if len(b.order) == 0 && n.block != nil {
		l.report("CON-S015", n.rng(), "runbook %q has no items", n.label).Hint = `begin with: phase "assess" { check "…" { … } }`
	}
	l.project.Runbooks = append(l.project.Runbooks, b.rb)
	return b
}

func (b *book) settingsOf(n *node) {
	r := b.rb
	r.Title, r.Service, r.Owner, r.Version = b.text(n, "title"), b.text(n, "service"), b.text(n, "owner"), b.text(n, "version")
	r.OnFailure = runbooks.OnFailure(b.text(n, "on_failure"))
	r.UpdateEvery = b.duration(n, "update_every")
	if r.ReviewBy = b.text(n, "review_by"); r.ReviewBy != "" {
		if _, err := time.Parse(time.DateOnly, r.ReviewBy); err != nil {
			b.report("CON-S024", n.attr("review_by").Expr.Range(), "review_by %q is no date", r.ReviewBy).Hint = `write "2027-03-31"`
		}
	}
	if ref, ok := b.ref(n, "failback"); ok && b.exists(ref, "CON-R008") {
		r.Failback = ref.Name
	}
	if e := n.one("exercise"); e != nil {
		r.Exercise = runbooks.Exercise{Type: b.text(e, "type"), ProductionImpact: b.text(e, "production_impact")}
	}
	if s := n.one("scenario"); s != nil {
		r.Scenario = &runbooks.Scenario{Title: b.text(s, "title"), Severity: b.text(s, "severity"), Assumptions: b.texts(s, "assumptions")}
	}
}

// unique reports the second of two blocks with one label.
func (b *book) unique(n *node, parent *node) bool {
	if first := parent.first(n.schema.Type, n.label); first != n {
		b.duplicate(n.title(), n, first)
		return false
	}
	return true
}

func (b *book) variable(n *node) {
	if !b.unique(n, b.node) {
		return
	}
	v := &runbooks.Variable{
		Name: n.label, Description: b.text(n, "description"), Type: b.typeOf(n, "type"), Default: b.expr(n.attr("default")),
		Sensitive: b.flag(n, "sensitive"), Range: place(n.rng()),
	}
	v.Validations = b.validations(n, "validation")
	b.rb.Variables = append(b.rb.Variables, v)
	b.variables[v.Name] = v
}

// typeOf reads a type expression; text when it is left out.
func (l *loader) typeOf(n *node, name string) expr.Type {
	a := n.attr(name)
	if a == nil {
		return expr.StringType()
	}
	t, ds := expr.ParseType(a.Expr, a.Expr.Range().Filename)
	l.addAll(ds)
	return t
}

func (l *loader) validations(n *node, typ string) []runbooks.Validation {
	var out []runbooks.Validation
	for _, v := range n.of(typ) {
		out = append(out, runbooks.Validation{
			Condition: l.expr(v.attr("condition")), Message: l.expr(v.attr("message")), Range: place(v.rng()),
		})
	}
	return out
}

func (b *book) mark(n *node) {
	if !b.unique(n, b.node) {
		return
	}
	m := &runbooks.Mark{Name: n.label, At: b.expr(n.attr("at")), Range: place(n.rng())}
	b.rb.Marks = append(b.rb.Marks, m)
	b.marks[m.Name] = m
}

func (b *book) objective(n *node) {
	if !b.unique(n, b.node) {
		return
	}
	o := &runbooks.Objective{
		Name: n.label, Target: b.duration(n, "target"), From: b.text(n, "from"), To: b.text(n, "to"),
		Point: b.expr(n.attr("recovery_point")), Value: b.expr(n.attr("value")), AtMost: b.number(n, "at_most"),
		AtLeast: b.number(n, "at_least"), Range: place(n.rng()),
	}
	forms := map[runbooks.ObjectiveKind]struct{ needs, allows []string }{
		runbooks.Elapsed:       {[]string{"target", "from", "to"}, nil},
		runbooks.RecoveryPoint: {[]string{"target", "recovery_point"}, []string{"from"}},
		runbooks.Measured:      {[]string{"value"}, []string{"at_most", "at_least"}},
	}
	switch {
	case n.attr("value") != nil:
		o.Kind = runbooks.Measured
		b.exactlyOne(n, "its bound", "at_most", "at_least")
	case n.attr("recovery_point") != nil:
		o.Kind = runbooks.RecoveryPoint
		o.From = orElse(o.From, "disruption")
	default:
		o.Kind = runbooks.Elapsed
	}
	form := forms[o.Kind]
	for _, name := range form.needs {
		if n.attr(name) == nil {
			b.report("CON-S014", n.rng(), "%s has no %s", n.title(), name).Hint =
				"an objective is target, from and to; or target and recovery_point; or value with at_most or at_least"
		}
	}
	for _, a := range sortedAttrs(n.attrs) {
		if !slices.Contains(form.needs, a.Name) && !slices.Contains(form.allows, a.Name) {
			b.report("CON-S028", a.NameRange, "%s does not go with %s", a.Name, form.needs[len(form.needs)-1]).Hint =
				"an objective is target, from and to; or target and recovery_point; or value with at_most or at_least"
		}
	}
	b.rb.Objectives = append(b.rb.Objectives, o)
}

func (b *book) outputs(n *node) {
	for _, o := range n.of("output") {
		if b.unique(o, n) {
			b.rb.Outputs = append(b.rb.Outputs, runbooks.Local{Name: o.label, Value: b.expr(o.attr("value")), Range: place(o.rng())})
		}
	}
}

// defaults are what a phase gives to its items.
type defaults struct {
	node       *node
	hosts      *expr.Expr
	become     *expr.Expr
	workingDir *expr.Expr
	env        []runbooks.EnvVar
	timeout    time.Duration
}

func (b *book) defaults(n *node) defaults {
	return defaults{
		node: n, hosts: b.expr(n.attr("hosts")), become: b.expr(n.attr("become")), workingDir: b.expr(n.attr("working_dir")),
		env: b.env(n, "env", envName.MatchString), timeout: b.duration(n, "timeout"),
	}
}

func (b *book) phase(n *node, index int) {
	b.unique(n, b.node)
	if n.label == runbooks.CleanupPhase {
		b.report("CON-S020", n.labelRange(), "a phase cannot be called %q", n.label).Hint = "what must always run stands in a cleanup block"
	}
	p := &runbooks.Phase{
		Name: n.label, Title: b.text(n, "title"), Owner: b.text(n, "owner"), When: b.expr(n.attr("when")),
		OnFailure: runbooks.OnFailure(b.text(n, "on_failure")), Range: place(n.rng()),
	}
	b.rb.Phases = append(b.rb.Phases, p)
	def := b.defaults(n)
	lanes := 0
	for _, c := range n.blocks {
		switch c.schema.Type {
		case "rollout": // below: its check is the last item
		case "lane":
			if !b.unique(c, n) {
				continue
			}
			lanes++
			p.Lanes = append(p.Lanes, &runbooks.Lane{Name: c.label, Owner: b.text(c, "owner"), Range: place(c.rng())})
			for _, i := range c.blocks {
				b.addItem(p, i, def, index, lanes, c.label)
			}
		default:
			b.addItem(p, c, def, index, 0, "")
		}
	}
	if len(p.Items) == 0 {
		b.report("CON-S015", n.rng(), "phase %q has no items", n.label).Hint = "add a check, a step or another item, or remove the phase"
	}
	if c := n.one("rollout"); c != nil {
		b.phaseRollout(p, n, c, def, index)
	}
}

// phaseRollout reads the rollout of a phase. Its after_batch is a check like any other, the last of the phase.
func (b *book) phaseRollout(p *runbooks.Phase, n, c *node, def defaults, index int) {
	p.Rollout, p.Hosts = b.rollout(c, nil), def.hosts
	if def.hosts == nil {
		b.report("CON-S014", c.rng(), "phase %q has a rollout and no hosts", n.label).Hint = "add hosts = … to the phase"
	}
	a := c.one("after_batch")
	if a == nil {
		return
	}
	item := &runbooks.Item{Kind: runbooks.Check, Name: b.afterBatchName(), Phase: p.Name, Range: place(a.rng())}
	b.hostSettings(item, a, def)
	item.Command = b.command(a, true)
	b.judgement(a, item, &item.Captures, &item.Expects, &item.ExpectAll, &item.Poll)
	item.Fingerprint = b.fingerprint(a, def.inherited(a)...)
	p.AfterBatch = item
	b.enter(p, &entry{item: item, node: a, phase: index, pos: len(p.Items)})
}

// afterBatchName is after_batch, or after_batch-2 and so on in further phases.
func (b *book) afterBatchName() string {
	n := 1
	for _, p := range b.rb.Phases {
		if p.AfterBatch != nil {
			n++
		}
	}
	if n == 1 {
		return "after_batch"
	}
	return fmt.Sprintf("after_batch-%d", n)
}

func (b *book) cleanup(n *node) {
	p := &runbooks.Phase{Name: runbooks.CleanupPhase, Range: place(n.rng())}
	b.rb.Cleanup = p
	def := b.defaults(n)
	for _, c := range n.blocks {
		kind := c.schema.Type
		if kind == "gate" || kind == "decision" {
			b.report("CON-S034", c.rng(), "a %s cannot stand in cleanup", kind).Hint = "cleanup always runs and never asks"
			continue
		}
		for _, name := range []string{"irreversible", "on_failure", "requires"} {
			if a := c.attr(name); a != nil {
				b.report("CON-S034", a.NameRange, "%s cannot stand in cleanup", name).Hint = "each cleanup item runs whatever happened to the others"
			}
		}
		b.addItem(p, c, def, len(b.rb.Phases), 0, "")
	}
	if len(p.Items) == 0 && len(n.blocks) == 0 {
		b.report("CON-S015", n.rng(), "cleanup has no items").Hint = "add an item, or remove the block"
	}
}

func (b *book) addItem(p *runbooks.Phase, n *node, def defaults, phase, lane int, laneName string) {
	item := b.item(n, def)
	item.Phase, item.Lane = p.Name, laneName
	e := &entry{item: item, node: n, phase: phase, pos: len(p.Items), lane: lane}
	if e.after, e.given = b.refs(n, "after"); n.attr("after") != nil {
		e.given = true
	}
	b.enter(p, e)
}

// enter puts an item into its phase and among those that can be referred to.
func (b *book) enter(p *runbooks.Phase, e *entry) {
	if first := b.items[e.item.ID()]; first != nil {
		b.duplicate(string(e.item.ID()), e.node, first.node)
		return
	}
	b.items[e.item.ID()] = e
	b.order = append(b.order, e)
	p.Items = append(p.Items, e.item)
}
