package scope

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// notReached is the outcome of an item that has no result.
const notReached = "not-reached"

// Outcomes are the words that the outcome of a result can be.
func Outcomes() []string {
	return []string{"succeeded", "failed", "timed-out", "unreachable", "never-started", "unknown", "skipped", notReached, "exercised", "not-exercised"}
}

// IsOutcome reports whether a reference is the outcome of an item, as a whole, on a host or of an element.
func IsOutcome(r expr.Ref) bool {
	path := r.Path
	if r.Root == string(runbooks.Call) && len(path) > 2 && isResult(path[0]) {
		path = path[2:]
	}
	for len(path) > 2 && (path[0] == "by_host" || path[0] == "by_key") {
		path = path[2:]
	}
	return isResult(r.Root) && len(path) == 1 && path[0] == "outcome"
}

func isResult(root string) bool {
	switch runbooks.Kind(root) {
	case runbooks.Check, runbooks.Assert, runbooks.Step, runbooks.Transfer, runbooks.Wait, runbooks.Manual, runbooks.Gate,
		runbooks.Decision, runbooks.Call:
		return true
	}
	return false
}

// resultNames serves the results of items.
type resultNames struct {
	base    *resolver
	scope   *expr.Scope // everything but results
	results map[runbooks.ItemID]Result
	plan    bool
	busy    []runbooks.ItemID // items whose form is being found and calls that are looked into, outermost first
	opened  *int              // calls that were looked into for this reference
}

// Serves implements expr.Resolver.
func (r *resultNames) Serves(root string) bool { return isResult(root) }

// Names implements expr.Resolver.
func (r *resultNames) Names(root string) []string {
	var out []string
	for id := range r.base.items {
		if kind, name, _ := strings.Cut(string(id), "."); kind == root {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Resolve implements expr.Resolver.
func (r *resultNames) Resolve(root, name string) (expr.Value, diag.List) {
	i := r.base.items[runbooks.ItemID(root+"."+name)]
	if i == nil {
		return expr.Value{}, nil
	}
	one := *r
	one.opened = new(int)
	return one.value(i, ""), nil
}

// value is the result of an item; path is the call path before its id.
func (r *resultNames) value(i *runbooks.Item, path runbooks.ItemID) expr.Value {
	id := path + i.ID()
	res, ok := r.results[id]
	if i.Kind == runbooks.Call {
		return r.call(i, id, res, ok)
	}
	switch {
	case ok:
		return r.given(i, id, res)
	case r.plan:
		return r.planned(i, id)
	}
	return known(i, Result{Unit: Unit{Outcome: notReached}})
}

// given is made once for each result: a thousand units that each read their host's part of one must not make the whole a
// thousand times.
func (r *resultNames) given(i *runbooks.Item, id runbooks.ItemID, res Result) expr.Value {
	r.base.mu.Lock()
	last, ok := r.base.knowns[id]
	r.base.mu.Unlock()
	if ok && same(last.from, res) {
		return last.v
	}
	v := known(i, res)
	r.base.mu.Lock()
	defer r.base.mu.Unlock()
	r.base.knowns[id] = made{res, v}
	return v
}

// same reports whether two results are one: what they say agrees, and they share their maps.
func same(a, b Result) bool {
	return a.Started == b.Started && a.Outcome == b.Outcome && a.OK == b.OK && a.Single == b.Single &&
		shared(a.Data, b.Data) && shared(a.ByHost, b.ByHost) && shared(a.ByKey, b.ByKey)
}

func shared[M ~map[K]V, K comparable, V any](a, b M) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// planned is made once for each item: it depends on nothing but the runbook.
func (r *resultNames) planned(i *runbooks.Item, id runbooks.ItemID) expr.Value {
	r.base.mu.Lock()
	v, ok := r.base.plans[id]
	r.base.mu.Unlock()
	if ok {
		return v
	}
	v = r.unknown(i, id) // without the lock: the form of hosts may refer to further results
	r.base.mu.Lock()
	defer r.base.mu.Unlock()
	r.base.plans[id] = v
	return v
}

// known is a result as an object: what the item has, and nothing that it has not.
func known(i *runbooks.Item, res Result) expr.Value {
	fields := Data(i)
	out := map[string]expr.Value{}
	if res.Single || !i.Kind.OnHosts() {
		out = data(i, fields, res.Data)
	}
	state(out, res.Unit)
	if i.Kind.OnHosts() {
		hosts := make(map[string]expr.Value, len(res.ByHost))
		for name, u := range res.ByHost {
			hosts[name] = unit(i, fields, u)
		}
		out["by_host"] = expr.Object(hosts)
	}
	if i.ForEach != nil {
		keys := make(map[string]expr.Value, len(res.ByKey))
		for key, inner := range res.ByKey {
			keys[key] = element(i, fields, inner)
		}
		out["by_key"] = expr.Object(keys)
	}
	return expr.Object(out)
}

func element(i *runbooks.Item, fields map[string]Field, res Result) expr.Value {
	out := map[string]expr.Value{}
	if res.Single {
		out = data(i, fields, res.Data)
	}
	state(out, res.Unit)
	hosts := make(map[string]expr.Value, len(res.ByHost))
	for name, u := range res.ByHost {
		hosts[name] = unit(i, fields, u)
	}
	out["by_host"] = expr.Object(hosts)
	return expr.Object(out)
}

func unit(i *runbooks.Item, fields map[string]Field, u Unit) expr.Value {
	out := data(i, fields, u.Data)
	state(out, u)
	return expr.Object(out)
}

func state(out map[string]expr.Value, u Unit) {
	outcome := u.Outcome
	if outcome == "" && !u.Started {
		outcome = notReached
	}
	out["outcome"], out["ok"], out["started"] = expr.String(outcome), expr.Bool(u.OK), expr.Bool(u.Started)
}

// data gives the marks that the item's declaration asks for.
func data(i *runbooks.Item, fields map[string]Field, values map[string]expr.Value) map[string]expr.Value {
	out := make(map[string]expr.Value, len(values)+5)
	for name, v := range values {
		switch {
		case v.Absent() || reserved(name):
			continue
		case name == "inputs" && i.Kind == runbooks.Manual:
			v = inputs(i, v)
		case fields[name].Sensitive && !v.IsSensitive():
			v = v.AsSensitive()
		}
		out[name] = v
	}
	return out
}

func inputs(i *runbooks.Item, v expr.Value) expr.Value {
	out := map[string]expr.Value{}
	for _, in := range i.Inputs {
		value := v.Attr(in.Name)
		if in.Sensitive && !value.Absent() && !value.IsSensitive() {
			value = value.AsSensitive()
		}
		out[in.Name] = value
	}
	return expr.Object(out)
}

// unknown is the result of an item before it ran, with all its types. Hosts that are known already are named, so that a
// misspelt one is found.
func (r *resultNames) unknown(i *runbooks.Item, id runbooks.ItemID) expr.Value {
	out := unknownState()
	switch {
	case i.Kind == runbooks.Manual:
		out["inputs"] = unknownInputs(i)
	case !i.Kind.OnHosts():
		maps.Copy(out, dataUnknown(i))
	default:
		r.unknownOnHosts(i, id, out)
	}
	return expr.Object(out)
}

func dataUnknown(i *runbooks.Item) map[string]expr.Value {
	out := map[string]expr.Value{}
	for name, f := range Data(i) {
		if !reserved(name) {
			out[name] = f.unknown()
		}
	}
	return out
}

func unknownInputs(i *runbooks.Item) expr.Value {
	out := map[string]expr.Value{}
	for _, in := range i.Inputs {
		out[in.Name] = Field{Type: in.Type, Sensitive: in.Sensitive}.unknown()
	}
	return expr.Object(out)
}

func (r *resultNames) unknownOnHosts(i *runbooks.Item, id runbooks.ItemID, out map[string]expr.Value) {
	f := r.form(i, id)
	byHost := unknownByHost(i, f.hosts, f.known)
	out["by_host"] = byHost
	if i.ForEach == nil {
		if f.single {
			maps.Copy(out, dataUnknown(i))
		}
		return
	}
	one := unknownState()
	one["by_host"] = byHost
	if f.single {
		maps.Copy(one, dataUnknown(i))
	}
	v := expr.Object(one)
	keys := expr.Unknown(expr.MapType(v.Type()))
	if v.IsSensitive() {
		keys = keys.AsSensitive()
	}
	out["by_key"] = keys
}

// form is what the hosts of an item are before it runs: whether they are one host by their types, and which they are
// where that is known.
type form struct {
	single bool
	hosts  []*runbooks.Host
	known  bool
}

func (r *resultNames) form(i *runbooks.Item, id runbooks.ItemID) form {
	if i.Hosts == nil {
		return form{single: true, known: true}
	}
	if !OfInventory(i.Hosts) {
		return r.newForm(i, id)
	}
	r.base.mu.Lock()
	f, ok := r.base.forms[i.Hosts.Text()]
	r.base.mu.Unlock()
	if ok {
		return f
	}
	f = r.newForm(i, id)
	r.base.mu.Lock()
	defer r.base.mu.Unlock()
	r.base.forms[i.Hosts.Text()] = f
	return f
}

func (r *resultNames) newForm(i *runbooks.Item, id runbooks.ItemID) form {
	// Items whose hosts need one another are an error that is found elsewhere; here they must only not run for ever.
	if slices.Contains(r.busy, id) || len(r.busy) > maxLocalChain {
		return form{}
	}
	inner := *r
	inner.busy = append(slices.Clone(r.busy), id)
	s := typeNames(inner.place())
	f := form{single: Single(s, i.Hosts)}
	v, ds := i.Hosts.Eval(s)
	if ds.HasErrors() {
		return f
	}
	hosts, err := hostsOf(v, func() map[string]*runbooks.Host { return r.base.hosts })
	f.hosts, f.known = hosts, err == nil
	return f
}

// place is the scope that has these results.
func (r *resultNames) place() *expr.Scope {
	s := r.scope.WithResolver(r)
	outer, _ := r.scope.ResolverOf("local").(*locals)
	if outer == nil {
		return s
	}
	inner := outer.inner()
	inner.scope = s.WithResolver(inner)
	return inner.scope
}

// typeNames adds what only a unit has, as unknowns of its type.
func typeNames(s *expr.Scope) *expr.Scope {
	return s.With(map[string]expr.Value{
		"self":  expr.Unknown(expr.HostType()),
		"batch": expr.Unknown(expr.ListType(expr.HostType())),
		"each":  expr.Unknown(expr.ObjectType(map[string]expr.Type{"key": expr.StringType(), "value": expr.AnyType()})),
	})
}

// maxNamedHosts bounds how many hosts are named in a result that is not known yet: a thousand items on a thousand hosts
// would be a million names. Beyond it a misspelt host is found when the item is planned.
const maxNamedHosts = 100

func unknownByHost(i *runbooks.Item, hosts []*runbooks.Host, hostsKnown bool) expr.Value {
	if hostsKnown && i.ForEach == nil && len(hosts) <= maxNamedHosts {
		one := unitUnknown(i)
		out := make(map[string]expr.Value, len(hosts))
		for _, h := range hosts {
			out[h.Name] = one
		}
		return expr.Object(out)
	}
	t, secret := unitType(i)
	v := expr.Unknown(expr.MapType(t))
	if secret {
		v = v.AsSensitive()
	}
	return v
}
