package redact

// automaton finds all forms at once (Aho and Corasick, 1975). It is immutable once built.
type automaton struct {
	nodes []node
	forms []form
	root  [256]int32 // transitions of the root; 0 stays there
}

// node is a prefix of some form. Children are a linked list: most prefixes have one.
type node struct {
	child, sibling int32
	fail           int32 // the longest proper suffix that is a prefix too
	depth          int32
	best           int32 // index of the longest form that ends here, or -1
	label          byte
}

// build makes the automaton for the forms. Of two with the same text the first counts.
func build(forms []form) *automaton {
	a := &automaton{nodes: []node{{best: -1}}, forms: forms}
	for i, f := range forms {
		n := int32(0)
		for j := range len(f.text) {
			n = a.extend(n, f.text[j])
		}
		if a.nodes[n].best < 0 {
			a.nodes[n].best = int32(i)
		}
	}
	a.link()
	return a
}

// extend returns the child of n for b, making it when there is none.
func (a *automaton) extend(n int32, b byte) int32 {
	if c := a.childOf(n, b); c != 0 {
		return c
	}
	c := int32(len(a.nodes))
	a.nodes = append(a.nodes, node{sibling: a.nodes[n].child, depth: a.nodes[n].depth + 1, best: -1, label: b})
	a.nodes[n].child = c
	if n == 0 {
		a.root[b] = c
	}
	return c
}

func (a *automaton) childOf(n int32, b byte) int32 {
	if n == 0 {
		return a.root[b]
	}
	for c := a.nodes[n].child; c != 0; c = a.nodes[c].sibling {
		if a.nodes[c].label == b {
			return c
		}
	}
	return 0
}

// link sets the failure links, breadth first.
func (a *automaton) link() {
	queue := []int32{0}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for c := a.nodes[n].child; c != 0; c = a.nodes[c].sibling {
			if n != 0 {
				a.nodes[c].fail = a.next(a.nodes[n].fail, a.nodes[c].label)
			}
			if a.nodes[c].best < 0 {
				a.nodes[c].best = a.nodes[a.nodes[c].fail].best
			}
			queue = append(queue, c)
		}
	}
}

// next is the state after b.
func (a *automaton) next(n int32, b byte) int32 {
	for {
		if c := a.childOf(n, b); c != 0 {
			return c
		}
		if n == 0 {
			return 0
		}
		n = a.nodes[n].fail
	}
}
