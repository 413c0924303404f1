package loader

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// test reads a test of a runbook. sound: what it is a test of has no mistake, so that its names can be judged.
func (l *loader) test(n *node, sound bool) {
	said := len(l.diags)
	t := &runbooks.Test{
		Name: n.label, Runbook: l.text(n, "runbook"), Operator: l.text(n, "operator"), Variables: l.expr(n.attr("variables")),
		Each: l.expr(n.attr("each")), Expects: l.validations(n, "expect"), Range: place(n.rng()),
	}
	l.project.Tests = append(l.project.Tests, t)
	rb := l.project.Runbook(t.Runbook)
	if a := n.attr("runbook"); a != nil && t.Runbook != "" && rb == nil {
		l.report("CON-R008", a.Expr.Range(), "there is no runbook %q", t.Runbook).Hint = l.didYouMean("runbook", t.Runbook)
	}
	t.Before = l.before(n.one("before"), rb)
	answered := map[string]*node{}
	for _, o := range n.of("on") {
		t.Answers = append(t.Answers, runbooks.Answer{Target: o.label, Attrs: l.allExprs(o), Range: place(o.rng())})
		if item, part := l.testTarget(o, rb); item != nil {
			l.fitting(o, item, part, answersOf(item, part))
		}
		l.answeredTwice(o, answered)
	}
	for _, f := range n.of("fault") {
		kind := l.text(f, "kind")
		t.Faults = append(t.Faults, runbooks.Fault{Target: f.label, Attrs: l.allExprs(f), Range: place(f.rng())})
		if item, part := l.testTarget(f, rb); item != nil {
			l.fittingFault(f, item, part, kind)
		}
	}
	if sound && rb != nil && len(l.diags) == said {
		l.testTypes(t, rb)
	}
}

// before reads the state of the world that a test begins in.
func (l *loader) before(n *node, rb *runbooks.Runbook) *runbooks.Before {
	if n == nil {
		return nil
	}
	b := &runbooks.Before{
		Marks: l.expr(n.attr("marks")), From: runbooks.ItemID(l.text(n, "from")), Limit: l.texts(n, "limit"),
		Change: l.text(n, "change"), Incident: l.text(n, "incident"), StartedAt: l.text(n, "started_at"), Range: place(n.rng()),
	}
	if _, err := time.Parse(time.RFC3339, b.StartedAt); b.StartedAt != "" && err != nil {
		l.report("CON-S024", n.attr("started_at").Expr.Range(), "started_at %q is no time", b.StartedAt).Hint = `write "2026-11-21T03:10:00Z"`
	}
	if rb == nil {
		return b
	}
	if b.From != "" && rb.Item(b.From) == nil {
		l.report("CON-R012", n.attr("from").Expr.Range(), "runbook %q has no item %q", rb.Name, b.From).Hint = nearItem(rb, string(b.From))
	}
	for _, h := range b.Limit {
		if l.hosts[h] == nil {
			l.report("CON-R004", n.attr("limit").Expr.Range(), "there is no host %q", h).Hint = l.didYouMean("host", h)
		}
	}
	return b
}

func (l *loader) allExprs(n *node) map[string]*expr.Expr {
	out := make(map[string]*expr.Expr, len(n.attrs))
	for _, a := range sortedAttrs(n.attrs) {
		out[a.Name] = l.expr(a)
	}
	return out
}

// testTarget finds the item, or the part of one, that the label of `on` or `fault` names, through calls. Nil: there is none,
// and that was reported.
func (l *loader) testTarget(n *node, rb *runbooks.Runbook) (item *runbooks.Item, part string) {
	if rb == nil {
		return nil, ""
	}
	words := strings.Split(n.label, ".")
	for {
		if len(words) < 2 {
			l.targetUnknown(n, rb, n.label)
			return nil, ""
		}
		id := runbooks.ItemID(words[0] + "." + words[1])
		item := rb.Item(id)
		if item == nil {
			l.targetUnknown(n, rb, string(id))
			return nil, ""
		}
		words = words[2:]
		if item.Kind != runbooks.Call || len(words) == 0 {
			return l.targetPart(n, item, words)
		}
		if rb = l.project.Runbook(item.Runbook); rb == nil {
			return nil, ""
		}
	}
}

func (l *loader) targetUnknown(n *node, rb *runbooks.Runbook, id string) {
	l.report("CON-R012", n.labelRange(), "runbook %q has no item %q", rb.Name, id).Hint = nearItem(rb, id)
}

func nearItem(rb *runbooks.Runbook, id string) string {
	var all []string
	for _, i := range rb.AllItems() {
		all = append(all, string(i.ID()))
	}
	if s := diag.Suggest(id, all); s != "" {
		return "did you mean " + s + "?"
	}
	return "its items: " + shortList(all)
}

func (l *loader) targetPart(n *node, item *runbooks.Item, words []string) (*runbooks.Item, string) {
	if len(words) == 0 {
		return item, ""
	}
	parts := map[string]bool{
		"verify": item.Verify != nil, "unless": item.Unless != nil, "source": item.Source != nil && item.Source.Host != nil,
		"rollback": item.Rollback != nil || item.Kind == runbooks.Transfer, "witness": item.TCP != nil && item.TCP.Witness != nil,
	}
	if len(words) > 1 || !parts[words[0]] {
		l.report("CON-R012", n.labelRange(), "%s has no %s", item.ID(), strings.Join(words, ".")).Hint =
			"a part is verify, unless, rollback, source (of a transfer from a host) or witness (of a tcp check), as far as the item has it"
		return nil, ""
	}
	return item, words[0]
}

// answersOf are the attributes of `on` that mean something for a target. None: nothing answers for it.
func answersOf(i *runbooks.Item, part string) []string {
	command := []string{"stdout", "stderr", "exit_code", "signal", "survivors", "outcome", "delay", "host", "key"}
	switch {
	case part == "rollback" && i.Kind == runbooks.Manual:
		return []string{"done_by", "outcome", "delay", "silent"}
	case part == "witness":
		return []string{"state", "outcome", "delay", "host", "key"}
	case part != "":
		return command
	case i.TCP != nil:
		return []string{"state", "outcome", "delay", "host", "key"}
	case i.HTTP != nil:
		return []string{"status", "stdout", "outcome", "delay", "key"}
	}
	switch i.Kind {
	case runbooks.Check, runbooks.Step, runbooks.Transfer:
		if i.Typed != nil {
			return append(command, "typed")
		}
		return command
	case runbooks.Manual:
		return []string{"done_by", "inputs", "outcome", "delay", "silent"}
	case runbooks.Gate:
		return []string{"approve", "deny", "delay", "silent", "typed"}
	case runbooks.Decision:
		return []string{"choose", "done_by", "delay", "silent"}
	case runbooks.Assert, runbooks.Wait, runbooks.Call:
	}
	return nil
}

// fitting reports the attributes of `on` that would say nothing about its target.
func (l *loader) fitting(n *node, item *runbooks.Item, part string, allowed []string) {
	what := string(item.ID())
	if part != "" {
		what += "." + part
	}
	if len(allowed) == 0 {
		l.report("CON-S028", n.labelRange(), "nothing and nobody answers for %s", what).Hint =
			"an answer is that of a host or a person: of a check, step, transfer, manual item, gate or decision; of a call, name the item in it: call.NAME.step.NAME"
		return
	}
	for _, a := range sortedAttrs(n.attrs) {
		if !slices.Contains(allowed, a.Name) {
			l.report("CON-S028", a.NameRange, "%s says nothing about %s", a.Name, what).Hint = "here an answer takes " + strings.Join(allowed, ", ")
		}
	}
}

// faultsOf are the kinds of faults that can strike a target.
func faultsOf(i *runbooks.Item, part string) []string {
	looks := []string{"unreachable", "auth", "host-key", "become", "program", "reboot", "exit", "timeout", "lost-connection", "expectation"}
	changes := append(slices.Clone(looks), "disk-full", "crash")
	switch part {
	case "witness":
		return []string{"unreachable", "expectation"}
	case "verify", "unless", "source":
		return looks
	case "rollback":
		return changes
	}
	switch i.Kind {
	case runbooks.Check:
		return append(looks, "crash")
	case runbooks.Step, runbooks.Transfer:
		return changes
	case runbooks.Manual:
		return []string{"rejected", "crash"}
	case runbooks.Gate:
		return []string{"rejected", "expired", "wrong-approver", "crash"}
	case runbooks.Decision:
		return []string{"rejected", "expired", "crash"}
	case runbooks.Wait:
		return []string{"crash"}
	case runbooks.Assert, runbooks.Call:
	}
	return nil
}

// fittingFault reports a fault that cannot strike its target, and attributes of another kind of fault.
func (l *loader) fittingFault(n *node, item *runbooks.Item, part, kind string) {
	can := faultsOf(item, part)
	if !slices.Contains(faultKinds(), kind) {
		return // that was reported
	}
	if !slices.Contains(can, kind) {
		d := l.report("CON-S028", n.labelRange(), "%s cannot fail by %q", n.label, kind)
		if d.Hint = "what can go wrong with it: " + strings.Join(can, ", "); len(can) == 0 {
			d.Hint = "it reaches no host and asks nobody; let what it depends on fail"
		}
		return
	}
	only := map[string][]string{
		"started": {"lost-connection", "reboot", "crash"}, "finished": {"lost-connection", "crash"}, "exit_code": {"exit"},
	}
	for _, a := range sortedAttrs(n.attrs) {
		if kinds, special := only[a.Name]; special && !slices.Contains(kinds, kind) {
			l.report("CON-S028", a.NameRange, "%s says nothing about a fault of kind %q", a.Name, kind).Hint =
				"it belongs to " + strings.Join(kinds, ", ")
		}
	}
}

// answeredTwice reports the second answer of the same host for the same target.
func (l *loader) answeredTwice(n *node, seen map[string]*node) {
	key := n.label
	for _, name := range []string{"host", "key"} {
		if a := n.attr(name); a != nil {
			key += "|" + name + "=" + strings.TrimSpace(string(a.Expr.Range().SliceBytes(l.parsed[a.Expr.Range().Filename])))
		}
	}
	if first := seen[key]; first != nil {
		d := l.report("CON-S040", n.rng(), "%s is answered twice", n.label)
		d.Hint = `successive answers are a list: stdout = ["a", "b"]; that of one host has host = "NAME"`
		d.Related = []diag.Related{{Message: "the first one", Range: place(first.rng())}}
		return
	}
	seen[key] = n
}

// testTypes evaluates the expectations of a test with what is known before anything runs, so that a typing error in a name
// is found now.
func (l *loader) testTypes(t *runbooks.Test, rb *runbooks.Runbook) {
	b := l.books[rb.Name]
	if b == nil {
		return
	}
	in := scope.Inputs{Project: l.project, Runbook: rb, Variables: map[string]expr.Value{}, Files: l.source, Meter: l.meter}
	for _, v := range rb.Variables {
		in.Variables[v.Name] = expr.Unknown(v.Type)
	}
	base, ds := scope.Base(in)
	if ds.HasErrors() {
		return
	}
	own := map[string]expr.Value{}
	c := &checker{book: b, scope: base}
	said := len(l.diags)
	var table []string
	if t.Each != nil {
		table = []string{"each"}
		own["each"] = eachValue(c.want(t.Each, base, wantEach))
	}
	beforehand := append(scripted(t), t.Variables)
	if t.Before != nil {
		beforehand = append(beforehand, t.Before.Marks)
	}
	for _, e := range beforehand {
		b.beforehand(e, table)
	}
	if len(l.diags) > said {
		return
	}
	c.want(t.Variables, base.With(own), wantMap)
	if t.Before != nil {
		c.want(t.Before.Marks, base.With(own), wantMap)
	}
	for _, a := range scripted(t) {
		c.want(a, base.With(own), wantAny)
	}
	full, ds := scope.WithResults(base, in, nil, true)
	if ds.HasErrors() {
		return
	}
	own["run"] = expr.Unknown(testRunType(rb))
	for _, x := range t.Expects {
		names := placedExpr{names: table}
		for _, e := range []*expr.Expr{x.Condition, x.Message} {
			if e == nil {
				continue
			}
			before := len(l.diags)
			names.e = e
			b.names(nil, names)
			if len(l.diags) > before {
				continue
			}
			c.compared(e)
			if e == x.Condition {
				c.want(e, full.With(own), wantTruth)
			} else {
				c.want(e, full.With(own), wantText)
			}
		}
	}
}

// beforehand reports references to what only a run gives: answers and faults are settled before it begins.
func (b *book) beforehand(e *expr.Expr, table []string) {
	if e == nil {
		return
	}
	for _, r := range e.Refs() {
		switch r.Root {
		case "var", "local", "host", "group", "role", "inventory", "control":
			b.names(nil, placedExpr{e: e, names: table})
			return
		}
		if !slices.Contains(table, r.Root) {
			b.reportAt("CON-R019", r.Range, "%s has no meaning here", r.Root).Hint =
				"answers and faults are settled before the run: they can use var, local, host, group, inventory, and each in a table"
		}
	}
}

// scripted are the expressions of what a test says beforehand: its answers, then its faults.
func scripted(t *runbooks.Test) []*expr.Expr {
	var out []*expr.Expr
	add := func(attrs map[string]*expr.Expr) {
		for _, name := range slices.Sorted(maps.Keys(attrs)) {
			out = append(out, attrs[name])
		}
	}
	for _, a := range t.Answers {
		add(a.Attrs)
	}
	for _, f := range t.Faults {
		add(f.Attrs)
	}
	return out
}

// testRunType is the type of `run` in the expectations of a test. Package simulation makes its values.
func testRunType(rb *runbooks.Runbook) expr.Type {
	text, words := expr.StringType(), expr.ListType(expr.StringType())
	goals := map[string]expr.Type{}
	for _, o := range rb.Objectives {
		goals[o.Name] = expr.ObjectType(map[string]expr.Type{
			"measured": expr.BoolType(), "met": expr.BoolType(), "achieved_s": expr.NumberType(),
		})
	}
	return expr.ObjectType(map[string]expr.Type{
		"id": text, "mode": text, "started_at": text, "operator": text, "incident": text, "change": text,
		"verdict": text, "why": text, "unknown": expr.NumberType(), "deviations": words, "cleaned_up": words, "rolled_back": words,
		"objectives": expr.ObjectType(goals),
	})
}
