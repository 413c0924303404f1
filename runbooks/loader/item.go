package loader

import (
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// item reads one item; what refers to other items is resolved later.
func (b *book) item(n *node, def defaults) *runbooks.Item {
	i := &runbooks.Item{
		Kind: runbooks.Kind(n.schema.Type), Name: n.label, Range: place(n.rng()),
		Title: b.expr(n.attr("title")), Description: b.expr(n.attr("description")), Owner: b.expr(n.attr("owner")),
		When: b.expr(n.attr("when")), Marks: b.texts(n, "marks"), MarksStart: b.texts(n, "marks_start"),
		OnFailure: runbooks.OnFailure(b.text(n, "on_failure")), Timeout: b.duration(n, "timeout"),
		Fingerprint: b.fingerprint(n, def.inherited(n)...),
	}
	switch i.Kind {
	case runbooks.Check:
		b.check(i, n, def)
	case runbooks.Assert:
		i.Condition, i.Message = b.expr(n.attr("condition")), b.expr(n.attr("message"))
	case runbooks.Step:
		b.step(i, n, def)
	case runbooks.Transfer:
		b.transfer(i, n, def)
	case runbooks.Wait:
		i.Duration = b.expr(n.attr("duration"))
	case runbooks.Manual:
		b.manual(i, n)
	case runbooks.Gate:
		b.gate(i, n)
	case runbooks.Decision:
		b.decision(i, n)
	case runbooks.Call:
		if r, ok := b.ref(n, "runbook"); ok && b.exists(r, "CON-R008") {
			i.Runbook = r.Name
		}
		i.Variables = b.expr(n.attr("variables"))
	}
	return i
}

// hostSettings reads what items on hosts share, over the phase's defaults.
func (b *book) hostSettings(i *runbooks.Item, n *node, def defaults) {
	i.Hosts = firstExpr(b.expr(n.attr("hosts")), def.hosts)
	i.Become = firstExpr(b.expr(n.attr("become")), def.become)
	i.WorkingDir = firstExpr(b.expr(n.attr("working_dir")), def.workingDir)
	i.Env = append(slices.Clone(def.env), b.env(n, "env", envName.MatchString)...)
	i.ForEach = b.expr(n.attr("for_each"))
	i.MaxItems = b.whole(n, "max_items", 1, 100_000, nil)
	i.ParallelEach = b.whole(n, "parallel_each", 1, 1000, nil)
	if n.schema.attr("tolerate") != nil {
		i.Tolerate = b.texts(n, "tolerate")
		i.AllowNoHosts = b.flag(n, "allow_no_hosts")
	}
	for _, name := range []string{"max_items", "parallel_each"} {
		if a := n.attr(name); a != nil && i.ForEach == nil {
			b.report("CON-S028", a.NameRange, "%s goes with for_each only", name).Hint = "remove it, or add for_each"
		}
	}
	if i.Timeout == 0 {
		i.Timeout = b.duration(n, "timeout")
	}
	if i.Timeout == 0 {
		i.Timeout = def.timeout
	}
}

func firstExpr(es ...*expr.Expr) *expr.Expr {
	for _, e := range es {
		if e != nil {
			return e
		}
	}
	return nil
}

// needHosts reports a command without hosts.
func (b *book) needHosts(i *runbooks.Item, n *node) {
	if i.Hosts == nil {
		b.report("CON-S014", n.rng(), "%s has no hosts", n.title()).Hint =
			"add hosts = host.NAME, or to its phase; hosts = control runs it on the control host"
	}
}

func (b *book) check(i *runbooks.Item, n *node, def defaults) {
	b.hostSettings(i, n, def)
	i.Severity = b.text(n, "severity")
	tcp, http := n.one("tcp"), n.one("http")
	if !b.exactlyOne(n, "what it checks", "argv", "script", "tcp", "http") {
		return
	}
	switch {
	case tcp != nil:
		b.tcp(i, n, tcp)
	case http != nil:
		b.http(i, n, http)
	default:
		i.Command = b.command(n, false)
		b.needHosts(i, n)
	}
	b.judgement(n, i, &i.Captures, &i.Expects, &i.ExpectAll, &i.Poll)
	if r := n.one("rollout"); r != nil {
		i.Rollout = b.rollout(r, i)
	}
}

// notForProbes reports attributes that only a command has.
func (b *book) notForProbes(n *node, kind, hostsHint string) {
	for _, name := range []string{"hosts", "become", "env", "working_dir", "stdin", "interpreter", "success_codes"} {
		a := n.attr(name)
		if a == nil {
			continue
		}
		d := b.report("CON-S028", a.NameRange, "%s does not go with %s", name, kind)
		d.Hint = "remove it"
		if name == "hosts" {
			d.Hint = hostsHint
		}
	}
}

func (b *book) tcp(i *runbooks.Item, n, t *node) {
	b.notForProbes(n, "tcp", "say where it is seen from in tcp { from = … }")
	i.TCP = &runbooks.TCPProbe{
		Address: b.expr(t.attr("address")), Want: b.text(t, "want"), Witness: b.expr(t.attr("witness")), Range: place(t.rng()),
	}
	i.Hosts, i.Become, i.Env, i.WorkingDir = b.expr(t.attr("from")), nil, nil, nil
	if a := t.attr("witness"); a != nil && i.TCP.Want == "" {
		b.report("CON-S028", a.NameRange, "witness goes with want only").Hint = `add want = "closed"`
	}
}

func (b *book) http(i *runbooks.Item, n, h *node) {
	b.notForProbes(n, "http", "it is asked from the control host; from others use argv = [\"curl\", …]")
	i.HTTP = &runbooks.HTTPProbe{
		URL: b.expr(h.attr("url")), Method: orElse(b.text(h, "method"), "GET"), Headers: b.env(h, "headers", validHeader),
		WantStatus: b.wholes(h, "want_status", 100, 599), CAFile: b.material(h, "ca_file"), Range: place(h.rng()),
	}
	i.Hosts, i.Become, i.Env, i.WorkingDir = nil, nil, nil, nil
	for _, name := range []string{"for_each", "tolerate", "allow_no_hosts"} {
		if a := n.attr(name); a != nil {
			b.report("CON-S028", a.NameRange, "%s does not go with http", name).Hint = "remove it"
		}
	}
}

func (b *book) step(i *runbooks.Item, n *node, def defaults) {
	b.hostSettings(i, n, def)
	b.needHosts(i, n)
	if b.exactlyOne(n, "what it runs", "argv", "script") {
		i.Command = b.command(n, false)
	}
	b.judgement(n, i, &i.Captures, &i.Expects, &i.ExpectAll, nil)
	b.changing(i, n)
	if u := n.one("unless"); u != nil {
		i.Unless = b.part(i, u)
	}
}

// changing reads what steps and transfers share.
func (b *book) changing(i *runbooks.Item, n *node) {
	i.Idempotent, i.Irreversible, i.Typed = b.flag(n, "idempotent"), b.flag(n, "irreversible"), b.expr(n.attr("typed"))
	if v := n.one("verify"); v != nil {
		i.Verify = b.part(i, v)
	}
	if r := n.one("rollback"); r != nil {
		i.Rollback = b.part(i, r)
		if i.Irreversible {
			b.report("CON-S028", r.rng(), "%s is irreversible and has a rollback", n.title()).Hint = "keep one of the two"
		}
	}
	if r := n.one("retry"); r != nil {
		i.Retry = b.retry(r)
	}
	if r := n.one("rollout"); r != nil {
		i.Rollout = b.rollout(r, i)
	}
}

func (b *book) retry(n *node) *runbooks.Retry {
	r := &runbooks.Retry{
		Attempts: b.whole(n, "attempts", 1, 100, nil), Delay: b.duration(n, "delay"), MaxDelay: b.duration(n, "max_delay"), Range: place(n.rng()),
	}
	if f := b.number(n, "backoff"); f != nil {
		if *f < 1 || *f > 10 {
			b.report("CON-S026", n.attr("backoff").Expr.Range(), "backoff is %g, not from 1 to 10", *f).Hint = "write 1 for equal delays, 2 to double them"
		}
		r.Backoff = *f
	}
	return r
}

func (b *book) transfer(i *runbooks.Item, n *node, def defaults) {
	b.hostSettings(i, n, def)
	b.needHosts(i, n)
	i.Source = &runbooks.TransferSource{File: b.material(n, "source"), Content: b.expr(n.attr("content"))}
	if f := n.one("from"); f != nil {
		i.Source.Host, i.Source.Path, i.Source.SHA256 = b.expr(f.attr("host")), b.expr(f.attr("path")), b.expr(f.attr("sha256"))
	}
	b.exactlyOne(n, "what to put there", "source", "content", "from")
	i.Destination, i.OwnerUser, i.OwnerGroup = b.expr(n.attr("destination")), b.expr(n.attr("owner_user")), b.expr(n.attr("owner_group"))
	i.Mode = b.text(n, "mode")
	if v, err := strconv.ParseUint(i.Mode, 8, 32); i.Mode != "" && (err != nil || v > 0o7777) {
		b.report("CON-S026", n.attr("mode").Expr.Range(), "mode %q is no file mode", i.Mode).Hint = `write it in octal: "0644"`
	}
	i.Backup = n.attr("backup") == nil || b.flag(n, "backup")
	b.judgement(n, i, &i.Captures, &i.Expects, &i.ExpectAll, nil)
	b.changing(i, n)
}

func (b *book) role(n *node) string {
	r, ok := b.ref(n, "role")
	if !ok || !b.exists(r, "CON-R006") {
		return ""
	}
	return r.Name
}

func (b *book) manual(i *runbooks.Item, n *node) {
	i.Instructions, i.Role, i.People = b.expr(n.attr("instructions")), b.role(n), b.whole(n, "people", 1, 20, nil)
	if a := n.attr("rollback"); a != nil {
		i.Rollback = &runbooks.Part{Text: b.expr(a), Range: place(a.NameRange)}
	}
	for _, in := range n.of("input") {
		if b.unique(in, n) {
			i.Inputs = append(i.Inputs, runbooks.Input{
				Name: in.label, Type: b.typeOf(in, "type"), Sensitive: b.flag(in, "sensitive"), Validations: b.validations(in, "validation"),
				Range: place(in.rng()),
			})
		}
	}
	b.enough(n, "people", i.Role, i.People)
}

// enough reports a role with too few members.
func (b *book) enough(n *node, name, role string, want int) {
	if role == "" {
		return
	}
	for _, r := range b.project.Roles {
		if r.Name == role && len(r.Members) < want {
			b.report("CON-S026", n.attr(name).Expr.Range(), "%s is %d, and role %q has %d members", name, want, role, len(r.Members)).Hint =
				"they must be distinct people, none of them the operator"
		}
	}
}

func (b *book) gate(i *runbooks.Item, n *node) {
	i.Question, i.Role, i.Typed = b.expr(n.attr("question")), b.role(n), b.expr(n.attr("typed"))
	i.Approvals = max(1, b.whole(n, "approvals", 1, 20, nil))
	i.Expires, i.StartWithin = b.duration(n, "expires"), b.duration(n, "start_within")
	b.enough(n, "approvals", i.Role, i.Approvals)
}

func (b *book) decision(i *runbooks.Item, n *node) {
	i.Question, i.Role, i.Expires = b.expr(n.attr("question")), b.role(n), b.duration(n, "expires")
	i.Options, i.Stops = b.texts(n, "options"), b.texts(n, "stops")
	if a := n.attr("options"); a != nil && !b.failed(a.Expr.Range()) {
		if len(i.Options) < 2 {
			b.report("CON-S026", a.Expr.Range(), "decision %q has fewer than two options", n.label).Hint = "a question with one answer is a gate or a manual item"
		}
		b.distinct(a, i.Options)
	}
	for _, s := range i.Stops {
		if !slices.Contains(i.Options, s) {
			b.word(n.attr("stops"), s, i.Options)
		}
	}
}

func (b *book) distinct(a *hclsyntax.Attribute, words []string) {
	for k, w := range words {
		if w == "" || slices.Contains(words[:k], w) {
			b.report("CON-S026", a.Expr.Range(), "%s holds %q twice or empty", a.Name, w).Hint = "each is another word"
		}
	}
}
