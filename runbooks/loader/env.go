package loader

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// env reads a map whose keys are known before anything runs and whose values are expressions: written out, a local that
// is, or a merge of those. valid judges a key.
func (b *book) env(n *node, name string, valid func(string) bool) []runbooks.EnvVar {
	a := n.attr(name)
	if a == nil {
		return nil
	}
	m := mapReader{book: b, name: name, valid: valid}
	m.read(a.Expr)
	return m.out
}

// mapReader takes a map apart into names and expressions.
type mapReader struct {
	*book
	name  string
	valid func(string) bool
	out   []runbooks.EnvVar
	seen  []string // locals on the way
}

func (m *mapReader) read(e hclsyntax.Expression) {
	switch x := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		m.object(x)
		return
	case *hclsyntax.ParenthesesExpr:
		m.read(x.Expression)
		return
	case *hclsyntax.ScopeTraversalExpr:
		if m.local(x) {
			return
		}
	case *hclsyntax.FunctionCallExpr:
		if x.Name == "merge" && !x.ExpandFinal {
			for _, arg := range x.Args {
				m.read(arg)
			}
			return
		}
	}
	m.report("CON-T005", e.Range(), "the names in %s must be known before anything runs", m.name).Hint =
		fmt.Sprintf(`write %s = { NAME = "value" }, a local that is written so, or merge(…) of those`, m.name)
}

// local follows a reference to a local. It reports whether there was anything to follow.
func (m *mapReader) local(x *hclsyntax.ScopeTraversalExpr) bool {
	if x.Traversal.RootName() != "local" || len(x.Traversal) != 2 {
		return false
	}
	step, ok := x.Traversal[1].(hcl.TraverseAttr)
	if !ok {
		return false
	}
	a := m.localAttr(step.Name)
	if a == nil {
		refs := m.newExpr(x).Refs()
		m.unknownLocal(refs[0], append(slices.Clone(m.rb.Locals), m.project.Locals...))
		return true
	}
	if slices.Contains(m.seen, step.Name) {
		return true // a cycle of locals has been reported
	}
	m.seen = append(m.seen, step.Name)
	m.inv.used[step.Name] = true
	m.read(a.Expr)
	return true
}

// localAttr is where a local is written, the runbook's own first.
func (b *book) localAttr(name string) *hclsyntax.Attribute {
	for _, parent := range []*node{b.node, b.root} {
		for _, n := range parent.of("locals") {
			if a := n.attrs[name]; a != nil {
				return a
			}
		}
	}
	return nil
}

func (m *mapReader) object(x *hclsyntax.ObjectConsExpr) {
	var here []string
	for _, kv := range x.Items {
		key, ok := mapKey(kv.KeyExpr)
		if !ok {
			m.report("CON-T005", kv.KeyExpr.Range(), "the names in %s are written out, not computed", m.name).Hint = `write NAME = "value"`
			continue
		}
		if !m.valid(key) {
			m.report("CON-S029", kv.KeyExpr.Range(), "%q is no name for %s", key, m.name).Hint = "letters, digits and _, not beginning with a digit"
			continue
		}
		if slices.Contains(here, key) {
			m.report("CON-S040", kv.KeyExpr.Range(), "%s has %s twice", m.name, key).Hint = "keep one"
			continue
		}
		here = append(here, key)
		v := runbooks.EnvVar{Name: key, Value: m.newExpr(kv.ValueExpr)}
		if i := slices.IndexFunc(m.out, func(o runbooks.EnvVar) bool { return o.Name == key }); i >= 0 {
			m.out[i] = v // merge: the later one wins
			continue
		}
		m.out = append(m.out, v)
	}
}

// mapKey is a key that is a bare word or a quoted string.
func mapKey(e hclsyntax.Expression) (string, bool) {
	k, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok || k.ForceNonLiteral {
		return "", false
	}
	v, ds := k.Value(nil)
	if ds.HasErrors() || !v.IsKnown() || v.IsNull() || v.Type().FriendlyName() != "string" {
		return "", false
	}
	return v.AsString(), true
}
