package loader

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// command reads what runs. optional says that the block may have none (then nil). Of argv and script one is given; the
// caller has reported it otherwise.
func (b *book) command(n *node, check bool) *runbooks.Command {
	if check && !b.exactlyOne(n, "what it runs", "argv", "script") {
		return nil
	}
	c := &runbooks.Command{
		Argv: b.expr(n.attr("argv")), Script: b.expr(n.attr("script")), Interpreter: b.texts(n, "interpreter"),
		Stdin: b.expr(n.attr("stdin")), Success: b.success(n), Range: place(n.rng()),
	}
	if a := n.attr("interpreter"); a != nil {
		switch {
		case c.Argv != nil:
			b.report("CON-S028", a.NameRange, "interpreter goes with script only").Hint = "an argv runs without a shell; its first word is the program"
		case len(c.Interpreter) == 0 && !b.failed(a.Expr.Range()):
			b.report("CON-S031", a.Expr.Range(), "the interpreter is empty").Hint = `write interpreter = ["/bin/bash", "-eu"]`
		case len(c.Interpreter) > 0 && (c.Interpreter[0] == "" || strings.ContainsAny(c.Interpreter[0], " \t")):
			b.report("CON-S031", a.Expr.Range(), "the interpreter %q is no program", c.Interpreter[0]).Hint =
				`each word stands alone: interpreter = ["/bin/bash", "-eu"]`
		}
	}
	b.argvForm(n.attr("argv"))
	b.shellSyntax(n.attr("script"), c.Interpreter)
	return c
}

// argvForm finds the mistakes that the form of an argv shows: a whole command line in one word, or no word at all.
func (b *book) argvForm(a *hclsyntax.Attribute) {
	if a == nil {
		return
	}
	switch e := a.Expr.(type) {
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		b.report("CON-T004", a.Expr.Range(), "argv is a list of words, not one text").Hint =
			`write argv = ["systemctl", "stop", "app"]; for a line of shell use script`
	case *hclsyntax.TupleConsExpr:
		if len(e.Exprs) == 0 {
			b.report("CON-T004", a.Expr.Range(), "argv is empty").Hint = "its first word is the program"
			return
		}
		if s, ok := literal(e.Exprs[0]); ok && (s == "" || strings.ContainsAny(s, " \t\n")) {
			b.report("CON-T004", e.Exprs[0].Range(), "%q is no program", s).Hint =
				"each word of the command is an element of its own; there is no shell to divide it"
		}
	}
}

// literal is the text of a quoted string without interpolation.
func literal(e hclsyntax.Expression) (string, bool) {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return "", false
	}
	v, ds := t.Value(nil)
	if ds.HasErrors() {
		return "", false
	}
	return v.AsString(), true
}

func (b *book) success(n *node) runbooks.Success {
	a := n.attr("success_codes")
	v, ok := b.constant(a, nil)
	if !ok {
		return runbooks.Success{}
	}
	if isText(v) {
		switch s, _ := v.Text(); s {
		case "any":
			return runbooks.Success{Any: true}
		case "nonzero":
			return runbooks.Success{NonZero: true}
		default:
			b.word(a, s, []string{"nonzero", "any"})
			return runbooks.Success{}
		}
	}
	codes := b.wholes(n, "success_codes", 0, 255)
	if len(codes) == 0 && !b.failed(a.Expr.Range()) {
		b.report("CON-S026", a.Expr.Range(), "success_codes is empty").Hint = `write [0], or "any"`
	}
	return runbooks.Success{Codes: codes}
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)

func validHeader(s string) bool { return headerName.MatchString(s) }

// judgement reads captures, expectations and poll.
//
// The item tells which names its results have already.
func (b *book) judgement(n *node, i *runbooks.Item, captures *[]runbooks.Capture, expects, all *[]runbooks.Validation, poll **runbooks.Poll) {
	for _, c := range n.of("capture") {
		if !b.unique(c, n) {
			continue
		}
		if reserved(i, c.label) {
			b.report("CON-S020", c.labelRange(), "a capture cannot be called %q", c.label).Hint = "every result has that already"
		}
		*captures = append(*captures, runbooks.Capture{
			Name: c.label, Value: b.expr(c.attr("value")), Type: b.typeOf(c, "type"), Sensitive: b.flag(c, "sensitive"), Range: place(c.rng()),
		})
	}
	*expects = b.validations(n, "expect")
	*all = b.validations(n, "expect_all")
	if poll == nil {
		return
	}
	if p := n.one("poll"); p != nil {
		*poll = b.poll(p)
	}
}

// reserved reports a name that the item's results have without a capture.
func reserved(i *runbooks.Item, name string) bool {
	if slices.Contains([]string{"outcome", "ok", "started", "by_host", "by_key"}, name) {
		return true
	}
	_, ok := resultTypes(i)[name]
	return ok
}

func (b *book) poll(n *node) *runbooks.Poll {
	p := &runbooks.Poll{Every: b.duration(n, "every"), Within: b.duration(n, "within"), Range: place(n.rng())}
	if p.Every == 0 {
		p.Every = 2 * time.Second
	}
	if p.Within != 0 && p.Every > p.Within {
		b.report("CON-S026", n.rng(), "poll asks every %s within %s: once only", p.Every, p.Within).Hint = "every is shorter than within"
	}
	return p
}

// part reads unless, verify, rollback or after_batch. What it does not say it has from its item.
func (b *book) part(i *runbooks.Item, n *node) *runbooks.Part {
	p := &runbooks.Part{
		Hosts:      firstExpr(b.expr(n.attr("hosts")), i.Hosts),
		Become:     firstExpr(b.expr(n.attr("become")), i.Become),
		WorkingDir: firstExpr(b.expr(n.attr("working_dir")), i.WorkingDir),
		Env:        append(slices.Clone(i.Env), b.env(n, "env", envName.MatchString)...),
		Timeout:    b.duration(n, "timeout"),
		Command:    b.command(n, true),
		Range:      place(n.rng()),
	}
	if p.Timeout == 0 {
		p.Timeout = i.Timeout
	}
	if p.Command != nil && p.Command.Script != nil && n.attr("interpreter") == nil && i.Command != nil {
		p.Command.Interpreter = i.Command.Interpreter
	}
	b.judgement(n, &runbooks.Item{Kind: runbooks.Check}, &p.Captures, &p.Expects, &p.ExpectAll, &p.Poll)
	return p
}

func (b *book) rollout(n *node, i *runbooks.Item) *runbooks.Rollout {
	r := &runbooks.Rollout{
		Batch: b.sizes(n, "batch", 1), Parallel: b.whole(n, "parallel", 1, 100_000, nil), Pause: b.duration(n, "pause"),
		MaxFailures: b.sizes(n, "max_failures", 0), Range: place(n.rng()),
	}
	if a := n.one("after_batch"); a != nil && i != nil {
		r.AfterBatch = b.part(i, a)
	}
	if len(r.MaxFailures) > max(1, len(r.Batch)) {
		b.report("CON-S025", n.attr("max_failures").Expr.Range(), "max_failures has more elements than batch").Hint = "one for each batch; the last repeats"
	}
	if i != nil && i.Kind == runbooks.Check && i.Poll != nil && len(i.ExpectAll) > 0 && len(r.Batch) > 0 {
		b.report("CON-S028", n.rng(), "poll with expect_all looks at all hosts together, and rollout divides them").Hint = "remove one of them"
	}
	return r
}
