package ansible

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readYAML reads the YAML form: groups with hosts, children and vars.
func (inv *inventory) readYAML(text string) error {
	var doc yaml.Node
	switch err := yaml.NewDecoder(strings.NewReader(text)).Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("it is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	r := yamlReader{inv: inv, left: 10 * MaxHosts}
	return r.pairs(doc.Content[0], 0, func(name string, n *yaml.Node) error { return r.group(name, n, 1) })
}

type yamlReader struct {
	inv  *inventory
	left int // nodes, aliases counted each time
}

// pairs calls f for each key of a mapping. A null is an empty mapping, as inventories have them.
func (r *yamlReader) pairs(n *yaml.Node, depth int, f func(key string, value *yaml.Node) error) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a mapping is expected", n.Line)
	}
	if depth > maxDepth {
		return fmt.Errorf("line %d: it is nested too deeply", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if r.left--; r.left < 0 {
			return ErrTooLarge
		}
		k, v := n.Content[i], n.Content[i+1]
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		if k.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a name is expected", k.Line)
		}
		if err := f(k.Value, v); err != nil {
			return err
		}
	}
	return nil
}

func (r *yamlReader) group(name string, n *yaml.Node, depth int) error {
	g := r.inv.group(name)
	if len(r.inv.groups) > maxGroups {
		return ErrTooLarge
	}
	return r.pairs(n, depth, func(key string, v *yaml.Node) error {
		switch key {
		case "hosts":
			return r.pairs(v, depth+1, func(host string, vars *yaml.Node) error {
				own := map[string]string{}
				if err := r.vars(vars, depth+2, own); err != nil {
					return err
				}
				return r.inv.add(host, name, own)
			})
		case "vars":
			return r.vars(v, depth+1, g.vars)
		case "children":
			return r.pairs(v, depth+1, func(child string, c *yaml.Node) error {
				g.children = append(g.children, child)
				return r.group(child, c, depth+2)
			})
		}
		return fmt.Errorf("line %d: a group has hosts, vars and children, not %s", v.Line, key)
	})
}

// vars takes plain values as text. Lists, mappings and encrypted values have no place in a host's text variables and are
// left out.
func (r *yamlReader) vars(n *yaml.Node, depth int, into map[string]string) error {
	return r.pairs(n, depth, func(key string, v *yaml.Node) error {
		if v.Kind == yaml.ScalarNode && strings.HasPrefix(v.ShortTag(), "!!") && v.ShortTag() != "!!null" {
			into[key] = v.Value
		}
		return nil
	})
}
