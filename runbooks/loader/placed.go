package loader

import (
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// placedExpr is an expression of an item with the names that have a meaning where it stands.
type placedExpr struct {
	e     *expr.Expr
	names []string
	own   bool // may refer to its own item
}

// places gathers the expressions of an item, and knows the names that have a meaning in each place.
type places struct {
	out    []placedExpr
	once   []string // evaluated once for the item
	hosts  []string // where the hosts are chosen
	unit   []string // for each host
	judged []string // what looks at the result on one host
	all    []string // what looks at the results on all hosts
}

func newPlaces(forEach bool) *places {
	p := &places{once: []string{"batch"}, hosts: []string{"batch"}, unit: []string{"self", "batch"}, all: []string{"results", "batch"}}
	if forEach {
		p.hosts, p.unit, p.all = append(p.hosts, "each"), append(p.unit, "each"), append(p.all, "each")
	}
	p.judged = append(slices.Clone(p.unit), "result")
	return p
}

func (p *places) add(names []string, own bool, es ...*expr.Expr) {
	for _, e := range es {
		if e != nil {
			p.out = append(p.out, placedExpr{e, names, own})
		}
	}
}

func (p *places) command(c *runbooks.Command, own bool) {
	if c != nil {
		p.add(p.unit, own, c.Argv, c.Script, c.Stdin)
	}
}

func (p *places) judge(own bool, captures []runbooks.Capture, expects, expectAll []runbooks.Validation) {
	for _, c := range captures {
		p.add(p.judged, own, c.Value)
	}
	for _, v := range expects {
		p.add(p.judged, own, v.Condition, v.Message)
	}
	for _, v := range expectAll {
		p.add(p.all, own, v.Condition, v.Message)
	}
}

// action is what the item does on each host, whatever its kind.
func (p *places) action(i *runbooks.Item) {
	p.command(i.Command, false)
	if t := i.TCP; t != nil {
		p.add(p.unit, false, t.Address, t.Witness)
	}
	if h := i.HTTP; h != nil {
		p.add(p.unit, false, h.URL)
		for _, v := range h.Headers {
			p.add(p.unit, false, v.Value)
		}
	}
	if s := i.Source; s != nil {
		p.add(p.unit, false, s.Content, s.Host, s.Path, s.SHA256)
	}
}

func (p *places) part(part *runbooks.Part, own bool) {
	if part == nil {
		return
	}
	p.add(p.hosts, own, part.Hosts)
	p.add(p.unit, own, part.WorkingDir, part.Become, part.Text)
	for _, v := range part.Env {
		p.add(p.unit, own, v.Value)
	}
	p.command(part.Command, own)
	p.judge(own, part.Captures, part.Expects, part.ExpectAll)
}

// placed are all expressions of an item.
func placed(i *runbooks.Item) []placedExpr {
	p := newPlaces(i.ForEach != nil)
	p.add(p.once, false, i.Title, i.Description, i.Owner, i.When, i.ForEach, i.Condition, i.Message, i.Duration, i.Instructions, i.Question, i.Typed, i.Variables)
	p.add(p.hosts, false, i.Hosts)
	p.add(p.unit, false, i.WorkingDir, i.Become, i.Destination, i.OwnerUser, i.OwnerGroup)
	for _, v := range i.Env {
		p.add(p.unit, false, v.Value)
	}
	p.action(i)
	p.judge(false, i.Captures, i.Expects, i.ExpectAll)
	p.part(i.Unless, false)
	p.part(i.Verify, false)
	p.part(i.Rollback, true)
	p.part(afterBatch(i), false)
	return p.out
}

func afterBatch(i *runbooks.Item) *runbooks.Part {
	if i.Rollout == nil {
		return nil
	}
	return i.Rollout.AfterBatch
}
