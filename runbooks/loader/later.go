package loader

import "fmt"

// later lists what the language has and the executor cannot execute yet, by block type (or parent/type), or by block.attribute
// (or block.attribute=word). Using it is an error that says so: nothing is ever ignored. Entries go as the engine grows.
func later() map[string]string {
	return map[string]string{}
}

// refuseLater reports what the table names, anywhere below a node.
func (l *loader) refuseLater(n *node, table map[string]string) {
	if why, ok := table[n.schema.Type]; ok && n.block != nil {
		l.report("CON-L001", n.rng(), "%s", why).Hint = "this version would have to ignore it, which it never does"
		return
	}
	for _, a := range sortedAttrs(n.attrs) {
		keys := []string{n.schema.Type + "." + a.Name}
		if n.schema.Type != "fleet" {
			keys = append(keys, "*."+a.Name)
		}
		if s, ok := literal(a.Expr); ok {
			keys = append(keys, fmt.Sprintf("*.%s=%s", a.Name, s))
		}
		for _, k := range keys {
			if why, ok := table[k]; ok {
				l.report("CON-L001", a.NameRange, "%s", why).Hint = "this version would have to ignore it, which it never does"
				break
			}
		}
	}
	for _, c := range n.blocks {
		if why, ok := table[n.schema.Type+"/"+c.schema.Type]; ok {
			l.report("CON-L001", c.rng(), "%s", why).Hint = "this version would have to ignore it, which it never does"
			continue
		}
		l.refuseLater(c, table)
	}
}

// IsLater reports whether the executor cannot execute yet what later names so: a block type, or "*.attribute". Advice must
// not ask for what would be refused.
func IsLater(key string) bool {
	_, ok := later()[key]
	return ok
}
