package loader

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// graph is a directed graph of named things whose edges have a place.
type graph struct {
	names []string
	edges [][]edge
}

type edge struct {
	to  int
	why diag.Range
}

func (g *graph) add(name string) int {
	g.names = append(g.names, name)
	g.edges = append(g.edges, nil)
	return len(g.names) - 1
}

func (g *graph) edge(from, to int, why diag.Range) {
	g.edges[from] = append(g.edges[from], edge{to, why})
}

// components are the strongly connected components that hold a cycle (Tarjan), in order of their first member. The walk
// keeps its own stack: a project may hold a chain of thousands of items.
func (g *graph) components() [][]int {
	t := tarjan{g: g, index: make([]int, len(g.names)), low: make([]int, len(g.names)), on: make([]bool, len(g.names))}
	for v := range g.names {
		if t.index[v] == 0 {
			t.walk(v)
		}
	}
	return t.found
}

type tarjan struct {
	g          *graph
	index, low []int // from 1; 0: not seen
	on         []bool
	stack      []int
	next       int
	found      [][]int
}

func (t *tarjan) push(v int) {
	t.next++
	t.index[v], t.low[v] = t.next, t.next
	t.stack = append(t.stack, v)
	t.on[v] = true
}

func (t *tarjan) walk(root int) {
	type call struct{ v, e int }
	calls := []call{{root, 0}}
	t.push(root)
	for len(calls) > 0 {
		c := &calls[len(calls)-1]
		if c.e < len(t.g.edges[c.v]) {
			w := t.g.edges[c.v][c.e].to
			c.e++
			switch {
			case t.index[w] == 0:
				t.push(w)
				calls = append(calls, call{w, 0})
			case t.on[w]:
				t.low[c.v] = min(t.low[c.v], t.index[w])
			}
			continue
		}
		v := c.v
		calls = calls[:len(calls)-1]
		if len(calls) > 0 {
			up := calls[len(calls)-1].v
			t.low[up] = min(t.low[up], t.low[v])
		}
		if t.low[v] == t.index[v] {
			t.pop(v)
		}
	}
}

func (t *tarjan) pop(v int) {
	var comp []int
	for {
		w := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.on[w] = false
		comp = append(comp, w)
		if w == v {
			break
		}
	}
	if len(comp) > 1 || t.g.has(v, v) {
		t.found = append(t.found, comp)
	}
}

func (g *graph) has(from, to int) bool {
	for _, e := range g.edges[from] {
		if e.to == to {
			return true
		}
	}
	return false
}

// cycle is a shortest cycle through the first member, within the component: the edges in order.
func (g *graph) cycle(comp []int) (nodes []int, why []diag.Range) {
	in := map[int]bool{}
	start := comp[0]
	for _, v := range comp {
		in[v] = true
		start = min(start, v)
	}
	type back struct {
		from int
		why  diag.Range
	}
	came := map[int]back{}
	queue := []int{start}
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		for _, e := range g.edges[v] {
			if e.to == start {
				nodes, why = []int{v}, []diag.Range{e.why}
				for at := v; at != start; at = came[at].from {
					nodes = append([]int{came[at].from}, nodes...)
					why = append([]diag.Range{came[at].why}, why...)
				}
				return nodes, why
			}
			if _, seen := came[e.to]; in[e.to] && !seen {
				came[e.to] = back{v, e.why}
				queue = append(queue, e.to)
			}
		}
	}
	return comp, nil
}

// cycles reports each cycle once, naming every edge with its place.
func (l *loader) cycles(g *graph, code, what string) {
	for _, comp := range g.components() {
		nodes, why := g.cycle(comp)
		if len(why) == 0 {
			continue
		}
		path := make([]string, 0, len(nodes)+1)
		for _, v := range nodes {
			path = append(path, g.names[v])
		}
		path = append(path, path[0])
		d := l.reportAt(code, why[0], "%s: %s", what, strings.Join(path, " → "))
		for i, r := range why[1:] {
			d.Related = append(d.Related, diag.Related{Message: fmt.Sprintf("%s needs %s here", path[i+1], path[i+2]), Range: r})
		}
		d.Hint = "remove one of these references"
	}
}
