package view

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// PlanMermaid prints a plan as a Mermaid flow chart, phases as subgraphs.
func (s *Screen) PlanMermaid(p *engine.Plan) {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	ids, items := nodeNames(p), itemsOf(p)
	for n, ph := range p.Phases {
		fmt.Fprintf(&b, "  subgraph phase%d[\"%s\"]\n", n, mermaidText(ph.Name+after(": ", phaseRollout(ph.Rollout))))
		for _, id := range ph.Items {
			if i := items[id]; i != nil {
				fmt.Fprintf(&b, "    %s%s\n", ids[id], mermaidShape(i))
			}
		}
		b.WriteString("  end\n")
	}
	for _, e := range edges(p) {
		fmt.Fprintf(&b, "  %s --> %s\n", ids[e[0]], ids[e[1]])
	}
	for _, i := range p.Items {
		if i.Irreversible {
			fmt.Fprintf(&b, "  style %s stroke-width:4px,stroke:#b00020\n", ids[i.ID])
		}
	}
	s.Printf("%s", b.String())
}

// mermaidShape is the node's form: rounded for what reads, a box for what changes, a rhombus for people.
func mermaidShape(i *engine.PlanItem) string {
	text := mermaidText(nodeText(i, "<br/>"))
	text = strings.ReplaceAll(text, "&lt;br/&gt;", "<br/>")
	switch i.Effect {
	case runbooks.Change:
		return `["` + text + `"]`
	case runbooks.Human:
		return `{"` + text + `"}`
	default:
		return `(["` + text + `"])`
	}
}

func mermaidText(s string) string {
	return strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;", "#", "&num;").Replace(Clean(s))
}

// PlanDot prints a plan for Graphviz.
func (s *Screen) PlanDot(p *engine.Plan) {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n", dotText(p.Runbook))
	ids, items := nodeNames(p), itemsOf(p)
	for n, ph := range p.Phases {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n", n, dotText(ph.Name+after("\n", phaseRollout(ph.Rollout))))
		for _, id := range ph.Items {
			if i := items[id]; i != nil {
				fmt.Fprintf(&b, "    %s [label=%s, %s];\n", ids[id], dotText(nodeText(i, "\n")), dotShape(i))
			}
		}
		b.WriteString("  }\n")
	}
	for _, e := range edges(p) {
		fmt.Fprintf(&b, "  %s -> %s;\n", ids[e[0]], ids[e[1]])
	}
	b.WriteString("}\n")
	s.Printf("%s", b.String())
}

func dotShape(i *engine.PlanItem) string {
	var shape string
	switch i.Effect {
	case runbooks.Change:
		shape = "shape=box"
	case runbooks.Human:
		shape = "shape=diamond"
	default:
		shape = "shape=ellipse"
	}
	if i.Irreversible {
		shape += ", penwidth=3, color=\"#b00020\""
	}
	return shape
}

func dotText(s string) string {
	parts := strings.Split(s, "\n")
	for n, p := range parts {
		parts[n] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Clean(p))
	}
	return `"` + strings.Join(parts, `\n`) + `"`
}

// nodeText is what a node says: the item, its hosts, and what is special.
func nodeText(i *engine.PlanItem, newline string) string {
	out := string(i.ID)
	switch n := len(i.Hosts); {
	case n > fewHosts:
		out += newline + Count(n, "host")
	case n > 0:
		out += newline + strings.Join(i.Hosts, ", ")
	}
	if i.Disposition == engine.RunTime {
		out += newline + "decided at run time"
	}
	if i.Disposition == engine.WillSkip {
		out += newline + "will be skipped"
	}
	if i.Irreversible {
		out += newline + "IRREVERSIBLE"
	}
	return out
}

// nodeNames gives each item a name that both formats accept.
func nodeNames(p *engine.Plan) map[runbooks.ItemID]string {
	out := make(map[runbooks.ItemID]string, len(p.Items))
	for n, i := range p.Items {
		out[i.ID] = fmt.Sprintf("n%d", n)
	}
	return out
}

// itemsOf finds items by id; Plan.Item would make every walk quadratic.
func itemsOf(p *engine.Plan) map[runbooks.ItemID]*engine.PlanItem {
	out := make(map[runbooks.ItemID]*engine.PlanItem, len(p.Items))
	for n := range p.Items {
		out[p.Items[n].ID] = &p.Items[n]
	}
	return out
}

// edges are the order between items: what each waits for, and from each phase's last items to the next one's first.
func edges(p *engine.Plan) [][2]runbooks.ItemID {
	var out [][2]runbooks.ItemID
	var ends []runbooks.ItemID
	items := itemsOf(p)
	for _, ph := range p.Phases {
		open := map[runbooks.ItemID]bool{}
		for _, id := range ph.Items {
			i := items[id]
			if i == nil {
				continue
			}
			open[id] = true
			from := direct(items, i)
			for _, a := range from {
				out = append(out, [2]runbooks.ItemID{a, id})
				delete(open, a)
			}
			if len(from) == 0 {
				for _, e := range ends {
					out = append(out, [2]runbooks.ItemID{e, id})
				}
			}
		}
		var next []runbooks.ItemID
		for _, id := range ph.Items {
			if open[id] {
				next = append(next, id)
			}
		}
		if len(next) > 0 {
			ends = next
		}
	}
	return out
}

// direct is an item's `after` without what another entry of it implies already, so that a graph stays readable.
func direct(items map[runbooks.ItemID]*engine.PlanItem, i *engine.PlanItem) []runbooks.ItemID {
	implied := map[runbooks.ItemID]bool{}
	for _, a := range i.After {
		if before := items[a]; before != nil {
			for _, b := range before.After {
				implied[b] = true
			}
		}
	}
	var out []runbooks.ItemID
	for _, a := range i.After {
		if !implied[a] && items[a] != nil {
			out = append(out, a)
		}
	}
	return out
}
