package loader

import (
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// order2After fills Item.After: what is written, or everything before the item in its phase or lane; and what its
// expressions need in the same phase. What follows from the others is left out, so that a phase of thousands of items
// does not hold millions of edges.
func (b *book) order2After(needs [][]need) {
	byPhase := map[int][]*entry{}
	place := make(map[runbooks.ItemID]int, len(b.order)) // among all items: runbooks may have thousands
	for n, e := range b.order {
		byPhase[e.phase] = append(byPhase[e.phase], e)
		place[e.item.ID()] = n
	}
	for k, e := range b.order {
		ids := map[runbooks.ItemID]bool{}
		if !e.given {
			for _, before := range b.before(byPhase[e.phase], e) {
				ids[before.item.ID()] = true
			}
		}
		for _, n := range needs[k] {
			to := b.items[n.id]
			if to.phase == e.phase && (e.given || to.pos > e.pos || e.lane != 0 && to.lane != 0 && to.lane != e.lane) || e.given && e.wrote(n.id) {
				ids[n.id] = true
			}
		}
		e.item.After = make([]runbooks.ItemID, 0, len(ids))
		for id := range ids {
			e.item.After = append(e.item.After, id)
		}
		slices.SortFunc(e.item.After, func(a, b runbooks.ItemID) int { return place[a] - place[b] })
	}
}

func (e *entry) wrote(id runbooks.ItemID) bool {
	return slices.ContainsFunc(e.after, func(r expr.Ref) bool { return runbooks.ItemID(r.Root+"."+r.Name) == id })
}

// before are the items that an item without `after` waits for, without those that they wait for themselves.
func (b *book) before(phase []*entry, e *entry) []*entry {
	var out []*entry
	covered := map[int]bool{}
	for k := e.pos - 1; k >= 0; k-- {
		other := phase[k]
		if e.lane != 0 && other.lane != 0 && other.lane != e.lane || covered[other.lane] {
			continue
		}
		out = append(out, other)
		if other.given {
			continue
		}
		if other.lane == 0 {
			break
		}
		covered[other.lane], covered[0] = true, true
	}
	return out
}

// itemCycles reports items that wait for each other.
func (b *book) itemCycles(needs [][]need) {
	var g graph
	index := map[runbooks.ItemID]int{}
	for _, e := range b.order {
		index[e.item.ID()] = g.add(string(e.item.ID()))
	}
	for k, e := range b.order {
		said := map[runbooks.ItemID]diag.Range{}
		for _, n := range needs[k] {
			if _, ok := said[n.id]; !ok {
				said[n.id] = n.why
			}
		}
		for _, id := range e.item.After {
			why, ok := said[id]
			if !ok {
				why = e.item.Range // written after it
			}
			g.edge(k, index[id], why)
		}
	}
	b.cycles(&g, "CON-R016", "these items wait for each other")
}
