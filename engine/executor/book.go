package executor

import (
	"slices"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// maxText bounds what expressions see of one stream, in bytes. More makes the stream absent for them, with a reason; the
// evidence has it all.
const maxText = 1 << 20

// interest is what somebody may read of an item's results. What nobody reads is not kept in memory.
type interest struct {
	any, stdout, stderr bool
}

func (a interest) or(b interest) interest {
	return interest{a.any || b.any, a.stdout || b.stdout, a.stderr || b.stderr}
}

// book keeps the results of items for the expressions of later ones.
type book struct {
	mu    sync.RWMutex
	kept  map[runbooks.ItemID]scope.Result
	wants map[runbooks.ItemID]interest
	refs  []expr.Ref // all that anybody may read
}

// newBook keeps what the expressions name.
// callers are the references that others make to the same items.
func newBook(refs *runbooks.References, readers []*expr.Expr, callers []expr.Ref) *book {
	b := &book{kept: map[runbooks.ItemID]scope.Result{}, wants: map[runbooks.ItemID]interest{}}
	b.refs = append(refs.Of(readers...), callers...)
	for _, ref := range b.refs {
		if id, ok := runbooks.ReferredItem(ref); ok {
			b.wants[id] = b.wants[id].or(interestOf(ref.Path))
		}
	}
	return b
}

// allExprs are the expressions of a runbook that may refer to results.
func allExprs(r *runbooks.Runbook) []*expr.Expr {
	var es []*expr.Expr
	for _, i := range r.AllItems() {
		es = append(es, i.Exprs()...)
	}
	for _, p := range r.Phases {
		es = append(es, p.When, p.Hosts)
	}
	for _, m := range r.Marks {
		es = append(es, m.At)
	}
	for _, o := range r.Objectives {
		es = append(es, o.Point, o.Value)
	}
	for _, o := range r.Outputs {
		es = append(es, o.Value)
	}
	return slices.DeleteFunc(es, func(e *expr.Expr) bool { return e == nil })
}

// interestOf reads a reference's path: an attribute that is named is all that is read; a whole object may be anything.
func interestOf(path []string) interest {
	if len(path) == 0 || path[0] == "by_host" || path[0] == "by_key" || path[0] == "*" {
		return interest{true, true, true}
	}
	return interest{any: true, stdout: slices.Contains(path, "stdout"), stderr: slices.Contains(path, "stderr")}
}

// ownInterest is what the expressions of a command read of its own result.
func ownInterest(refs *runbooks.References, es []*expr.Expr) interest {
	var out interest
	for _, ref := range refs.Of(es...) {
		switch ref.Root {
		case "results":
			return interest{true, true, true}
		case "result":
			path := ref.Path
			if ref.Name != "" {
				path = append([]string{ref.Name}, path...)
			}
			out = out.or(interestOf(path))
		}
	}
	return out
}

// want is what somebody may read of the item.
func (b *book) want(id runbooks.ItemID) interest { return b.wants[id] }

func (b *book) put(id runbooks.ItemID, res scope.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[id] = res
}

// results are those that the references name, as far as they exist.
func (b *book) results(refs []expr.Ref) map[runbooks.ItemID]scope.Result {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[runbooks.ItemID]scope.Result{}
	for _, ref := range refs {
		id, ok := runbooks.ReferredItem(ref)
		if !ok {
			continue
		}
		if res, ok := b.kept[id]; ok {
			out[id] = res
		}
		if ref.Root != string(runbooks.Call) {
			continue
		}
		for inner, res := range b.kept {
			if strings.HasPrefix(string(inner), string(id)+".") {
				out[inner] = res
			}
		}
	}
	return out
}
