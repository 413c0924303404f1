package loader

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// callVariables compares what calls give with what the called runbooks declare, as far as it is written out.
func (b *book) callVariables() {
	for _, e := range b.order {
		child := b.project.Runbook(e.item.Runbook)
		if e.item.Kind != runbooks.Call || child == nil {
			continue
		}
		if given, ok := b.givenNames(e.node, child); ok {
			b.missingVariables(e.node, child, given)
		}
	}
}

// givenNames are the names in the variables of a call; ok is false when they are computed.
func (b *book) givenNames(n *node, child *runbooks.Runbook) (given []string, ok bool) {
	a := n.attr("variables")
	if a == nil {
		return nil, true
	}
	obj, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return nil, false
	}
	declared := make([]string, 0, len(child.Variables))
	for _, v := range child.Variables {
		declared = append(declared, v.Name)
	}
	for _, kv := range obj.Items {
		name, ok := mapKey(kv.KeyExpr)
		if !ok {
			return nil, false
		}
		given = append(given, name)
		if slices.Contains(declared, name) {
			continue
		}
		d := b.report("CON-R002", kv.KeyExpr.Range(), "runbook %q has no variable %q", child.Name, name)
		d.Hint = "it declares none"
		if s := diag.Suggest(name, declared); s != "" {
			d.Hint = "did you mean " + s + "?"
		} else if len(declared) > 0 {
			d.Hint = "it declares: " + shortList(declared)
		}
	}
	return given, true
}

func (b *book) missingVariables(n *node, child *runbooks.Runbook, given []string) {
	for _, v := range child.Variables {
		if v.Default == nil && !slices.Contains(given, v.Name) && diag.Suggest(v.Name, given) == "" {
			d := b.report("CON-S014", n.rng(), "%s gives no value for variable %q of runbook %q", n.title(), v.Name, child.Name)
			d.Hint = fmt.Sprintf("add variables = { %s = … }", v.Name)
			d.Related = []diag.Related{{Message: "declared here, without a default", Range: v.Range}}
		}
	}
}

// callCycles reports runbooks that call each other.
func (l *loader) callCycles() {
	var g graph
	index := map[string]int{}
	for _, rb := range l.project.Runbooks {
		index[rb.Name] = g.add("runbook." + rb.Name)
	}
	for k, rb := range l.project.Runbooks {
		for _, i := range rb.AllItems() {
			if to, ok := index[i.Runbook]; ok && i.Kind == runbooks.Call {
				g.edge(k, to, i.Range)
			}
		}
	}
	l.cycles(&g, "CON-R022", "these runbooks call each other")
	if !l.hasCode("CON-R022") {
		if !l.expansions() {
			return
		}
		l.marksExist()
		l.nestedRollouts()
		l.askingCleanup()
	}
}

// askingCleanup reports calls in cleanup to runbooks that would ask people there, or do what cannot be taken back.
func (l *loader) askingCleanup() {
	seen := map[string]*runbooks.Item{}
	for _, rb := range l.project.Runbooks {
		if rb.Cleanup == nil {
			continue
		}
		for _, i := range rb.Cleanup.Items {
			inner := l.unfitForCleanup(l.project.Runbook(i.Runbook), seen)
			if i.Kind != runbooks.Call || inner == nil {
				continue
			}
			d := l.reportAt("CON-S034", i.Range, "%s stands in cleanup, and runbook %q has %s", i.ID(), i.Runbook, inner.ID())
			d.Hint = "cleanup always runs: no gates, no decisions, nothing irreversible, in the runbooks that it calls neither"
			d.Related = []diag.Related{{Message: "declared here", Range: inner.Range}}
		}
	}
}

// unfitForCleanup is the first item of a runbook, or of those that it calls, that cannot be part of a cleanup; nil: none.
func (l *loader) unfitForCleanup(rb *runbooks.Runbook, seen map[string]*runbooks.Item) *runbooks.Item {
	if rb == nil {
		return nil
	}
	if i, ok := seen[rb.Name]; ok {
		return i
	}
	seen[rb.Name] = nil
	for _, i := range rb.AllItems() {
		found := i
		if i.Kind != runbooks.Gate && i.Kind != runbooks.Decision && !i.Irreversible {
			found = nil
		}
		if i.Kind == runbooks.Call {
			found = l.unfitForCleanup(l.project.Runbook(i.Runbook), seen)
		}
		if found != nil {
			seen[rb.Name] = found
			return found
		}
	}
	return nil
}

// nestedRollouts reports calls from a phase that rolls out to a runbook that rolls out itself: a batch has no batches.
func (l *loader) nestedRollouts() {
	seen := map[string]*runbooks.Phase{}
	for _, rb := range l.project.Runbooks {
		for _, p := range rb.Phases {
			if p.Rollout == nil {
				continue
			}
			for _, i := range p.Items {
				inner := l.rollsOut(l.project.Runbook(i.Runbook), seen)
				if i.Kind != runbooks.Call || inner == nil {
					continue
				}
				d := l.reportAt("CON-R023", i.Range, "%s runs in every batch of phase %q, and runbook %q rolls out itself", i.ID(), p.Name, i.Runbook)
				d.Hint = "call it from a phase without a rollout, or give its items hosts = batch of this one by a variable"
				d.Related = []diag.Related{{Message: "the rollout inside", Range: inner.Rollout.Range}}
			}
		}
	}
}

// rollsOut is the first phase of a runbook, or of those that it calls, that rolls out; nil: none does. Each runbook is
// looked into once.
func (l *loader) rollsOut(rb *runbooks.Runbook, seen map[string]*runbooks.Phase) *runbooks.Phase {
	if rb == nil {
		return nil
	}
	if p, ok := seen[rb.Name]; ok {
		return p
	}
	seen[rb.Name] = nil
	for _, p := range rb.Phases {
		if p.Rollout != nil {
			seen[rb.Name] = p
			return p
		}
	}
	for _, i := range rb.AllItems() {
		if i.Kind != runbooks.Call {
			continue
		}
		if p := l.rollsOut(l.project.Runbook(i.Runbook), seen); p != nil {
			seen[rb.Name] = p
			return p
		}
	}
	return nil
}
