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

// placed are all expressions of an item.
func placed(i *runbooks.Item) []placedExpr {
	var out []placedExpr
	add := func(names []string, own bool, es ...*expr.Expr) {
		for _, e := range es {
			if e != nil {
				out = append(out, placedExpr{e, names, own})
			}
		}
	}
	once := []string{"batch"}
	unit := []string{"self", "batch"}
	if i.ForEach != nil {
		unit = append(unit, "each")
	}
	judged := append(slices.Clone(unit), "result")
	all := []string{"results", "batch"}
	if i.ForEach != nil {
		all = append(all, "each")
	}
	add(once, false, i.Title, i.Description, i.Owner, i.When, i.ForEach, i.Condition, i.Message, i.Duration, i.Instructions, i.Question, i.Typed, i.Variables)
	hosts := once
	if i.ForEach != nil {
		hosts = append(slices.Clone(once), "each")
	}
	add(hosts, false, i.Hosts)
	add(unit, false, i.WorkingDir, i.Become, i.Destination, i.OwnerUser, i.OwnerGroup)
	for _, v := range i.Env {
		add(unit, false, v.Value)
	}
	command := func(c *runbooks.Command, own bool) {
		if c != nil {
			add(unit, own, c.Argv, c.Script, c.Stdin)
		}
	}
	command(i.Command, false)
	if t := i.TCP; t != nil {
		add(unit, false, t.Address, t.Witness)
	}
	if h := i.HTTP; h != nil {
		add(unit, false, h.URL)
		for _, v := range h.Headers {
			add(unit, false, v.Value)
		}
	}
	if s := i.Source; s != nil {
		add(unit, false, s.Content, s.Host, s.Path, s.SHA256)
	}
	judge := func(own bool, captures []runbooks.Capture, expects, expectAll []runbooks.Validation) {
		for _, c := range captures {
			add(judged, own, c.Value)
		}
		for _, v := range expects {
			add(judged, own, v.Condition, v.Message)
		}
		for _, v := range expectAll {
			add(all, own, v.Condition, v.Message)
		}
	}
	judge(false, i.Captures, i.Expects, i.ExpectAll)
	for _, part := range []*runbooks.Part{i.Unless, i.Verify, i.Rollback, afterBatch(i)} {
		if part == nil {
			continue
		}
		own := part == i.Rollback
		add(hosts, own, part.Hosts)
		add(unit, own, part.WorkingDir, part.Become, part.Text)
		for _, v := range part.Env {
			add(unit, own, v.Value)
		}
		command(part.Command, own)
		judge(own, part.Captures, part.Expects, part.ExpectAll)
	}
	return out
}

func afterBatch(i *runbooks.Item) *runbooks.Part {
	if i.Rollout == nil {
		return nil
	}
	return i.Rollout.AfterBatch
}
