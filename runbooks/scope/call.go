package scope

import (
	"maps"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// call is the result of a call: its outputs, and by kind the results of the called runbook's items.
func (r *resultNames) call(i *runbooks.Item, id runbooks.ItemID, res Result, have bool) expr.Value {
	out := map[string]expr.Value{}
	child := r.base.in.Project.Runbook(i.Runbook)
	switch {
	case have:
		out = data(i, nil, res.Data)
		state(out, res.Unit)
	case r.plan:
		maps.Copy(out, dataUnknown(i))
		maps.Copy(out, unknownState())
		out["outputs"] = r.unknownOutputs(child, id)
	default:
		state(out, Unit{Outcome: notReached})
	}
	if child != nil && r.mayOpen() {
		maps.Copy(out, r.inside(child, id))
	}
	return expr.Object(out)
}

// The bounds of looking into calls: how deep, and how many for one reference. The loader has made sure that calls are
// acyclic; what lies beyond is of a type that only the run tells.
const (
	maxCallDepth = 16
	maxCalls     = 2_000
)

func (r *resultNames) mayOpen() bool {
	*r.opened++
	return len(r.busy) < maxCallDepth && *r.opened <= maxCalls
}

// inside holds the items of a called runbook under their kinds.
func (r *resultNames) inside(child *runbooks.Runbook, id runbooks.ItemID) map[string]expr.Value {
	inner := r.called(child, id)
	kinds := map[string]map[string]expr.Value{}
	for _, item := range child.AllItems() {
		kind := string(item.Kind)
		if kinds[kind] == nil {
			kinds[kind] = map[string]expr.Value{}
		}
		kinds[kind][item.Name] = inner.value(item, id+".")
	}
	out := make(map[string]expr.Value, len(kinds))
	for kind, items := range kinds {
		out[kind] = expr.Object(items)
	}
	return out
}

// called is what serves the results inside a called runbook.
func (r *resultNames) called(child *runbooks.Runbook, id runbooks.ItemID) *resultNames {
	inner := *r
	inner.busy = append(inner.busy[:len(inner.busy):len(inner.busy)], id)
	in := r.base.in
	in.Runbook, in.Variables = child, UnknownVariables(child)
	inner.base = newBase(in)
	inner.scope, _ = Base(in) // its diagnostics are about the child, and reported there
	return &inner
}

// unknownOutputs have the types that the called runbook's expressions give.
func (r *resultNames) unknownOutputs(child *runbooks.Runbook, id runbooks.ItemID) expr.Value {
	out := map[string]expr.Value{}
	if child == nil || !r.mayOpen() {
		return expr.Unknown(expr.AnyType())
	}
	inner := r.called(child, id)
	inner.plan, inner.results = true, nil
	s := inner.place()
	for _, o := range child.Outputs {
		v, ds := o.Value.Eval(s)
		f := Field{Type: expr.AnyType()}
		if !ds.HasErrors() {
			f = Field{Type: v.Type(), Sensitive: v.IsSensitive()}
		}
		out[o.Name] = f.unknown()
	}
	return expr.Object(out)
}
