package runbooks

import "github.com/continuo-runbooks/continuo/runbooks/expr"

// Exprs are all expressions of the item and its parts, given ones only, in no particular order.
func (i *Item) Exprs() []*expr.Expr {
	l := exprs{}
	l.add(i.Title, i.Description, i.Owner, i.When, i.Hosts, i.WorkingDir, i.Become, i.ForEach, i.Typed, i.Condition, i.Message,
		i.Duration, i.Instructions, i.Question, i.Variables, i.Destination, i.OwnerUser, i.OwnerGroup)
	l.env(i.Env)
	l.command(i.Command)
	l.judge(i.Captures, i.Expects, i.ExpectAll)
	if i.TCP != nil {
		l.add(i.TCP.Address, i.TCP.Witness)
	}
	if i.HTTP != nil {
		l.add(i.HTTP.URL)
		l.env(i.HTTP.Headers)
	}
	if i.Source != nil {
		l.add(i.Source.Content, i.Source.Host, i.Source.Path, i.Source.SHA256)
	}
	for _, in := range i.Inputs {
		l.judge(nil, in.Validations, nil)
	}
	for _, p := range []*Part{i.Unless, i.Verify, i.Rollback} {
		l.add(p.Exprs()...)
	}
	if i.Rollout != nil {
		l.add(i.Rollout.AfterBatch.Exprs()...)
	}
	return l.list
}

// Exprs are all expressions of the part; none for a nil part.
func (p *Part) Exprs() []*expr.Expr {
	if p == nil {
		return nil
	}
	l := exprs{}
	l.add(p.Text, p.Hosts, p.WorkingDir, p.Become)
	l.env(p.Env)
	l.command(p.Command)
	l.judge(p.Captures, p.Expects, p.ExpectAll)
	return l.list
}

type exprs struct{ list []*expr.Expr }

func (l *exprs) add(es ...*expr.Expr) {
	for _, e := range es {
		if e != nil {
			l.list = append(l.list, e)
		}
	}
}

func (l *exprs) env(vars []EnvVar) {
	for _, v := range vars {
		l.add(v.Value)
	}
}

func (l *exprs) command(c *Command) {
	if c != nil {
		l.add(c.Argv, c.Script, c.Stdin)
	}
}

func (l *exprs) judge(captures []Capture, lists ...[]Validation) {
	for _, c := range captures {
		l.add(c.Value)
	}
	for _, vs := range lists {
		for _, v := range vs {
			l.add(v.Condition, v.Message)
		}
	}
}

// References follows references through the locals of a runbook and its project. Immutable, safe for concurrent use.
type References struct{ locals map[string]*expr.Expr }

// NewReferences is for the expressions of one runbook, whose own locals hide the project's.
func NewReferences(p *Project, r *Runbook) *References {
	locals := map[string]*expr.Expr{}
	for _, l := range p.Locals {
		locals[l.Name] = l.Value
	}
	for _, l := range r.Locals {
		locals[l.Name] = l.Value
	}
	return &References{locals}
}

// Local is the expression of a local, or nil.
func (r *References) Local(name string) *expr.Expr { return r.locals[name] }

// Of are the references of the expressions, with those of the locals that they use, and so on: what must be known to
// evaluate them. The references to the locals themselves are in the list too.
func (r *References) Of(es ...*expr.Expr) []expr.Ref {
	var out []expr.Ref
	var seen map[string]bool
	for n := 0; n < len(es); n++ {
		for _, ref := range es[n].Refs() {
			out = append(out, ref)
			if ref.Root != "local" || seen[ref.Name] {
				continue
			}
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[ref.Name] = true
			es = append(es[:len(es):len(es)], r.locals[ref.Name])
		}
	}
	return out
}

// ReferredItem is the item that a reference to a result names, and whether it names one. A reference into a call names
// the call.
func ReferredItem(ref expr.Ref) (ItemID, bool) {
	switch Kind(ref.Root) {
	case Check, Assert, Step, Transfer, Wait, Manual, Gate, Decision, Call:
		return ItemID(ref.Root + "." + ref.Name), ref.Name != ""
	}
	return "", false
}
