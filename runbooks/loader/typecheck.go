package loader

import (
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// types evaluates every expression of the runbook with what is known before anything runs: variables and results are
// unknown values of their types, so that a typing error in the name of a result is found now. An expression whose names
// are wrong has been reported and is left out.
func (b *book) types() {
	in := scope.Inputs{Project: b.project, Runbook: b.rb, Variables: map[string]expr.Value{}, Files: b.source, Meter: b.meter}
	for _, v := range b.rb.Variables {
		value := expr.Unknown(v.Type)
		if v.Sensitive {
			value = value.AsSensitive()
		}
		in.Variables[v.Name] = value
	}
	if b.diags.HasErrors() && b.namesBroken() {
		return
	}
	for _, v := range b.rb.Variables {
		b.variableTypes(v, in)
	}
	base, ds := scope.Base(in)
	b.addAll(ds)
	if base == nil || ds.HasErrors() {
		return
	}
	s, ds := scope.WithResults(base, in, nil, true)
	b.addAll(ds)
	if s == nil || ds.HasErrors() {
		return
	}
	b.scope = s
	for _, p := range b.rb.Phases {
		c := &checker{book: b, scope: s, seen: map[*expr.Expr]bool{}}
		if p.Rollout != nil {
			c.scope = s.With(map[string]expr.Value{"batch": expr.Unknown(expr.ListType(expr.HostType()))})
			c.want(p.Hosts, c.scope, wantHosts)
		}
		c.want(p.When, s, wantTruth)
		c.compared(p.When)
		for _, i := range p.Items {
			c.item(i)
		}
	}
	if b.rb.Cleanup != nil {
		for _, i := range b.rb.Cleanup.Items {
			(&checker{book: b, scope: s, seen: map[*expr.Expr]bool{}}).item(i)
		}
	}
	b.closingTypes(s)
}

// namesBroken reports whether a wrong name or form, in the runbook or in what all runbooks share, would make every further
// message about types misleading.
func (b *book) namesBroken() bool {
	for _, d := range b.diags {
		switch {
		case d.Severity != diag.Error:
		case d.Context != b.node.title() && strings.HasPrefix(d.Context, "runbook "):
		case strings.HasPrefix(d.Code, "CON-R"), strings.HasPrefix(d.Code, "CON-E"):
			return true
		}
	}
	return false
}

func (b *book) variableTypes(v *runbooks.Variable, in scope.Inputs) {
	if v.Type.IsHost() || v.Type.IsHostList() {
		b.hostDefault(v)
	} else if v.Default != nil && len(v.Default.Refs()) == 0 {
		d, ds := v.Default.Eval(b.plain)
		b.addAll(ds)
		if !ds.HasErrors() && !d.Absent() {
			if _, err := d.ConvertTo(v.Type); err != nil || !fits(d, v.Type) {
				b.reportAt("CON-T008", v.Default.Range(), "default of variable %q is %s, not %s", v.Name, d.Type(), v.Type).Hint =
					"change the default, or the type"
			}
		}
	}
	own := map[string]expr.Value{"var": expr.Object(map[string]expr.Value{v.Name: in.Variables[v.Name]})}
	c := &checker{book: b}
	for _, val := range v.Validations {
		c.validation(val, b.plain.With(own))
	}
}

// hostDefault checks that the hosts that a default names exist.
func (b *book) hostDefault(v *runbooks.Variable) {
	if v.Default == nil || len(v.Default.Refs()) > 0 {
		return
	}
	only := *v
	only.Validations = nil
	rb := &runbooks.Runbook{Name: b.rb.Name, Variables: []*runbooks.Variable{&only}}
	if _, ds := scope.Variables(scope.Inputs{Project: b.project, Runbook: rb}, nil, v.Range); ds.HasErrors() {
		b.reportAt("CON-T008", v.Default.Range(), "default of %s", ds[0].Summary).Hint = "hosts are given by name, in quotes"
	}
}

// fits refuses the conversions that hide a mistake: a text for a number, a number for a truth.
func fits(v expr.Value, t expr.Type) bool {
	from, to := v.Type().String(), t.String()
	primitive := func(s string) bool { return s == "string" || s == "number" || s == "bool" }
	if !primitive(from) || !primitive(to) {
		return true
	}
	return from == to || to == "string"
}

func (b *book) closingTypes(s *expr.Scope) {
	c := &checker{book: b, scope: s}
	for _, m := range b.rb.Marks {
		c.want(m.At, s, wantInstant)
		c.compared(m.At)
	}
	for _, o := range b.rb.Objectives {
		c.want(o.Point, s, wantInstant)
		c.want(o.Value, s, wantNumber)
		c.compared(o.Point)
		c.compared(o.Value)
	}
	for _, o := range b.rb.Outputs {
		c.want(o.Value, s, wantAny)
		c.compared(o.Value)
	}
	for _, l := range b.rb.Locals {
		c.compared(l.Value)
		c.want(l.Value, s.With(anyPlace()), wantAnySensitive)
	}
}

// want is what a place takes.
type want struct {
	name      string
	ok        func(expr.Type) bool
	sensitive bool // may hold a secret
	code      string
	hint      string
}

func primitive(names ...string) func(expr.Type) bool {
	return func(t expr.Type) bool {
		for _, n := range names {
			if t.String() == n {
				return true
			}
		}
		return false
	}
}

//nolint:gochecknoglobals // immutable tables
var (
	wantTruth = want{name: "true or false", ok: primitive("bool"), sensitive: true, code: "CON-T001", hint: `compare: a == "b", a > 3, contains(list, a)`}
	wantText  = want{name: "a text", ok: primitive("string", "number", "bool"), code: "CON-T002", hint: `put it in quotes, or pick a part of it; jsonencode(…) writes any value as text`}
	wantData  = want{name: "a text", ok: primitive("string", "number", "bool"), sensitive: true, code: "CON-T002", hint: `put it in quotes, or pick a part of it; jsonencode(…) writes any value as text`}
	wantHosts = want{name: "a host or a list of hosts", ok: hostsType, code: "CON-T003", hint: "write host.NAME, group.NAME, control, or a list of them"}
	wantArgv  = want{name: "a list of texts", ok: argvType, code: "CON-T004", hint: `write argv = ["program", "argument"]`}
	wantEach  = want{name: "a list, set or map", ok: func(t expr.Type) bool { return t.IsSequence() || t.IsMapping() }, code: "CON-T009", hint: "write a list: [\"a\", \"b\"]"}
	wantMap   = want{name: "a map", ok: func(t expr.Type) bool { return t.IsMapping() }, sensitive: true, code: "CON-T009", hint: "write { name = value }"}

	wantNumber  = want{name: "a number", ok: primitive("number", "string"), code: "CON-T009", hint: "give a capture type = number"}
	wantInstant = want{name: "an instant", ok: primitive("string", "number"), code: "CON-T009", hint: "RFC 3339 text or epoch seconds"}
	wantLength  = want{name: "a duration", ok: primitive("string", "number"), code: "CON-T009", hint: `write "30s", or seconds`}

	wantAny          = want{name: "a value", ok: func(expr.Type) bool { return true }}
	wantAnySensitive = want{name: "a value", ok: func(expr.Type) bool { return true }, sensitive: true}
)

func hostsType(t expr.Type) bool {
	if t.IsAny() || t.IsHost() || t.IsHostList() {
		return true
	}
	return t.IsSequence() // lists of lists; the hosts in them are looked at when they are known
}

func argvType(t expr.Type) bool { return t.IsSequence() }

// checker checks the expressions of one phase.
type checker struct {
	*book
	scope *expr.Scope
	seen  map[*expr.Expr]bool // hosts that were looked at: items share those of their phase
}

// want evaluates an expression and compares what it gives with what its place takes.
func (c *checker) want(e *expr.Expr, s *expr.Scope, w want) expr.Value {
	if e == nil {
		return expr.Value{}
	}
	v, ds := e.Eval(s)
	c.addAll(ds)
	if ds.HasErrors() || v.Absent() {
		return expr.Value{}
	}
	plain := v.Clear()
	if !plain && v.IsSensitive() && !w.sensitive {
		c.reportAt("CON-T006", e.Range(), "a secret cannot stand here").Hint =
			"secrets go by env or stdin, where no list of processes and no record shows them"
		return expr.Value{}
	}
	if t := v.Type(); !t.IsAny() && !w.ok(t) {
		if !c.said(w.code, e.Range()) {
			c.reportAt(w.code, e.Range(), "%s is expected here, not %s", w.name, t).Hint = c.hint(w, v)
		}
		return expr.Value{}
	}
	if plain {
		c.knownValue(e, v, w)
	}
	return v
}

// said reports whether the code was given at the place already, from the form of the expression.
func (c *checker) said(code string, at diag.Range) bool {
	for _, d := range c.diags {
		if d.Code == code && d.Range.File == at.File && d.Range.Start == at.Start {
			return true
		}
	}
	return false
}

// hint says what to write, with the name that was written where a host was meant.
func (c *checker) hint(w want, v expr.Value) string {
	if name, err := v.Text(); err == nil && w.name == wantHosts.name && c.loader.names["host"][name] != nil {
		return "write " + refText("host", name) + ", without quotes"
	}
	return w.hint
}

// knownValue checks what the value itself shows.
func (c *checker) knownValue(e *expr.Expr, v expr.Value, w want) {
	switch w.name {
	case wantText.name:
		if s, err := v.Text(); err == nil && strings.ContainsRune(s, 0) {
			c.reportAt("CON-S032", e.Range(), "the text holds a NUL byte").Hint = "no command or file name can hold one"
		}
	case wantHosts.name:
		if _, err := scope.Hosts(c.project, v); err != nil {
			c.reportAt("CON-T003", e.Range(), "hosts: %s", err).Hint = wantHosts.hint
		}
	case wantArgv.name:
		words, err := v.Strings()
		if err != nil {
			c.reportAt("CON-T004", e.Range(), "argv is a list of texts: %s", err).Hint = wantArgv.hint
			return
		}
		for _, w := range words {
			if strings.ContainsRune(w, 0) {
				c.reportAt("CON-S032", e.Range(), "a word of argv holds a NUL byte").Hint = "no command can hold one"
			}
		}
	case wantLength.name:
		if _, err := runbooks.WaitDuration(v); err != nil {
			c.reportAt("CON-S024", e.Range(), "%s", err).Hint = wantLength.hint
		}
	case wantTruth.name:
		if _, err := v.Truth(); err != nil {
			c.reportAt("CON-T001", e.Range(), "the condition %s", err).Hint = wantTruth.hint
		}
	}
}

func (c *checker) validation(v runbooks.Validation, s *expr.Scope) {
	c.want(v.Condition, s, wantTruth)
	c.want(v.Message, s, wantText)
}

// unitScope adds what is known of one unit: the host, and the element of for_each.
func (c *checker) unitScope(i *runbooks.Item, each expr.Value) *expr.Scope {
	names := map[string]expr.Value{"self": expr.Unknown(expr.HostType())}
	if i.ForEach != nil {
		names["each"] = eachValue(each)
	}
	return c.scope.With(names)
}

func eachValue(collection expr.Value) expr.Value {
	elem := expr.AnyType()
	if !collection.Absent() {
		elem = collection.Type().Elem()
	}
	return expr.Unknown(expr.ObjectType(map[string]expr.Type{"key": expr.StringType(), "value": elem}))
}

func (c *checker) item(i *runbooks.Item) {
	before := c.context
	defer func() { c.context = before }()
	for _, e := range []*expr.Expr{i.Title, i.Description, i.Owner, i.Message, i.Instructions, i.Question, i.Typed} {
		c.want(e, c.scope, wantText)
	}
	c.want(i.When, c.scope, wantTruth)
	c.want(i.Condition, c.scope, wantTruth)
	c.want(i.Duration, c.scope, wantLength)
	c.want(i.Variables, c.scope, wantMap)
	each := c.want(i.ForEach, c.scope, wantEach)
	unit := c.unitScope(i, each)
	c.onHosts(i.Hosts, i.Become, i.WorkingDir, i.Env, unit)
	c.command(i.Command, unit)
	if t := i.TCP; t != nil {
		c.address(c.want(t.Address, unit, wantText), t.Address)
		c.address(c.want(t.Witness, unit, wantText), t.Witness)
	}
	if h := i.HTTP; h != nil {
		c.url(c.want(h.URL, unit, wantText), h.URL)
		c.env(h.Headers, unit)
	}
	c.transfer(i, unit)
	c.judge(resultTypes(i), i.Captures, i.Expects, i.ExpectAll, unit)
	for _, p := range []*runbooks.Part{i.Unless, i.Verify, i.Rollback, afterBatch(i)} {
		c.part(p, unit)
	}
	for _, in := range i.Inputs {
		s := c.plain.With(map[string]expr.Value{"var": expr.Object(map[string]expr.Value{in.Name: expr.Unknown(in.Type)})})
		for _, v := range in.Validations {
			c.validation(v, s)
		}
	}
	c.words(i)
}

func (c *checker) onHosts(hosts, become, dir *expr.Expr, env []runbooks.EnvVar, s *expr.Scope) {
	c.hosts(hosts, s)
	if v := c.want(become, s, wantText); v.Known() {
		if u, err := v.Text(); err == nil && u != "" && !userName.MatchString(u) {
			c.reportAt("CON-S030", become.Range(), "%q is no user name", u).Hint = "letters, digits, . _ - and not beginning with -"
		}
	}
	if v := c.want(dir, s, wantText); v.Known() {
		if d, err := v.Text(); err == nil && !strings.HasPrefix(d, "/") && d != "" {
			c.reportAt("CON-S030", dir.Range(), "working_dir %q is not absolute", d).Hint = "write a path that begins with /"
		}
	}
	c.env(env, s)
}

// hosts are looked at once where items share them, or write the same of the inventory.
func (c *checker) hosts(e *expr.Expr, s *expr.Scope) {
	if c.seen[e] || c.sound[e.Text()] {
		return
	}
	before := len(c.diags)
	c.want(e, s, wantHosts)
	if !ofUnit(e) {
		c.seen[e] = true
	}
	if len(c.diags) == before && scope.OfInventory(e) {
		if c.sound == nil {
			c.sound = map[string]bool{}
		}
		c.sound[e.Text()] = true
	}
}

// ofUnit reports an expression whose value differs between the items, elements or hosts that share it.
func ofUnit(e *expr.Expr) bool {
	if e == nil {
		return false
	}
	return slices.ContainsFunc(e.Refs(), func(r expr.Ref) bool { return r.Root == "each" || r.Root == "self" || r.Root == "local" })
}

func (c *checker) env(env []runbooks.EnvVar, s *expr.Scope) {
	for _, v := range env {
		c.want(v.Value, s, wantData)
	}
}

func (c *checker) command(cmd *runbooks.Command, s *expr.Scope) {
	if cmd == nil {
		return
	}
	c.want(cmd.Argv, s, wantArgv)
	c.want(cmd.Script, s, wantText)
	c.want(cmd.Stdin, s, wantData)
}

func (c *checker) part(p *runbooks.Part, unit *expr.Scope) {
	if p == nil {
		return
	}
	c.onHosts(p.Hosts, p.Become, p.WorkingDir, p.Env, unit)
	c.command(p.Command, unit)
	c.want(p.Text, c.scope, wantText)
	c.judge(commandResult(), p.Captures, p.Expects, p.ExpectAll, unit)
}

func (c *checker) transfer(i *runbooks.Item, s *expr.Scope) {
	if i.Source != nil {
		c.want(i.Source.Content, s, wantData)
		c.want(i.Source.Host, s, wantHosts)
		c.want(i.Source.Path, s, wantText)
		c.want(i.Source.SHA256, s, wantText)
	}
	if v := c.want(i.Destination, s, wantText); v.Known() {
		if d, err := v.Text(); err == nil && !strings.HasPrefix(d, "/") {
			c.reportAt("CON-S030", i.Destination.Range(), "destination %q is not absolute", d).Hint = "write a path that begins with /"
		}
	}
	c.want(i.OwnerUser, s, wantText)
	c.want(i.OwnerGroup, s, wantText)
}
