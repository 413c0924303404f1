package expr

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"go.yaml.in/yaml/v3"
)

// yamlDecodeFunc reads one YAML document. Its nodes are converted here and not by the library, so that aliases cannot
// grow a small text into a huge value, and so that no tag creates anything but plain data.
func yamlDecodeFunc() function.Function {
	decode := func(s string) (cty.Value, error) {
		node, err := parseYAML(s)
		if err != nil || node == nil {
			return cty.NullVal(cty.DynamicPseudoType), err
		}
		c := yamlConverter{left: LimitElements}
		return c.value(node, 0)
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{text("text")},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := decode(args[0].AsString())
			if err != nil {
				return cty.NilType, function.NewArgError(0, err)
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := decode(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return v, nil
		},
	})
}

// parseYAML gives the only document of a text, or nil for an empty one.
func parseYAML(s string) (*yaml.Node, error) {
	if len(s) > LimitString {
		return nil, tooLong()
	}
	if err := yamlDepth(s); err != nil {
		return nil, err
	}
	var doc, second yaml.Node
	d := yaml.NewDecoder(strings.NewReader(s))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil //nolint:nilnil // an empty document is no error and has no node
	case err != nil:
		return nil, fmt.Errorf("it is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one YAML document")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("it is not YAML")
	}
	return doc.Content[0], nil
}

// yamlDepth refuses flow collections nested beyond reason before the parser recurses into them.
func yamlDepth(s string) error {
	depth := 0
	for _, r := range s {
		switch r {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		if depth > 10*maxYAMLDepth {
			return errors.New("it is nested too deeply")
		}
	}
	return nil
}

// maxYAMLDepth is how deeply a document may nest.
const maxYAMLDepth = 64

type yamlConverter struct{ left int }

func (c *yamlConverter) value(n *yaml.Node, depth int) (cty.Value, error) {
	if c.left--; c.left < 0 {
		return cty.NilVal, errors.New("it has too many elements")
	}
	if depth > maxYAMLDepth {
		return cty.NilVal, fmt.Errorf("line %d: it is nested too deeply", n.Line)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		return c.sequence(n, depth)
	case yaml.MappingNode:
		return c.mapping(n, depth)
	case yaml.ScalarNode:
		return yamlScalar(n)
	}
	return cty.NilVal, fmt.Errorf("line %d: it is not plain data", n.Line)
}

func (c *yamlConverter) sequence(n *yaml.Node, depth int) (cty.Value, error) {
	if n.ShortTag() != "!!seq" {
		return cty.NilVal, fmt.Errorf("line %d: the tag %s is not supported", n.Line, n.Tag)
	}
	vals := make([]cty.Value, 0, len(n.Content))
	for _, child := range n.Content {
		v, err := c.value(child, depth+1)
		if err != nil {
			return cty.NilVal, err
		}
		vals = append(vals, v)
	}
	return cty.TupleVal(vals), nil
}

func (c *yamlConverter) mapping(n *yaml.Node, depth int) (cty.Value, error) {
	if n.ShortTag() != "!!map" {
		return cty.NilVal, fmt.Errorf("line %d: the tag %s is not supported", n.Line, n.Tag)
	}
	attrs := make(map[string]cty.Value, len(n.Content)/2)
	merged := map[string]cty.Value{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, child := n.Content[i], n.Content[i+1]
		v, err := c.value(child, depth+1)
		if err != nil {
			return cty.NilVal, err
		}
		if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" {
			if err := mergeYAML(merged, v); err != nil {
				return cty.NilVal, fmt.Errorf("line %d: %w", k.Line, err)
			}
			continue
		}
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			return cty.NilVal, fmt.Errorf("line %d: a key must be plain text", k.Line)
		}
		if _, twice := attrs[k.Value]; twice {
			return cty.NilVal, fmt.Errorf("line %d: the key %q is there twice", k.Line, k.Value)
		}
		attrs[k.Value] = v
	}
	for name, v := range merged {
		if _, own := attrs[name]; !own {
			attrs[name] = v
		}
	}
	return cty.ObjectVal(attrs), nil
}

// mergeYAML takes over the keys of << : a mapping, or a list of them of which earlier ones win.
func mergeYAML(into map[string]cty.Value, v cty.Value) error {
	sources := []cty.Value{v}
	if v.Type().IsTupleType() {
		sources = v.AsValueSlice()
	}
	for _, s := range sources {
		if !s.Type().IsObjectType() {
			return errors.New("<< takes a mapping")
		}
		for name, attr := range s.AsValueMap() {
			if _, have := into[name]; !have {
				into[name] = attr
			}
		}
	}
	return nil
}

// yamlScalar converts by the core schema. Dates stay text: the language has no type for them.
func yamlScalar(n *yaml.Node) (cty.Value, error) {
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		return cty.StringVal(n.Value), nil
	case "!!null":
		return cty.NullVal(cty.DynamicPseudoType), nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return cty.NilVal, fmt.Errorf("line %d: %q is neither true nor false", n.Line, n.Value)
		}
		return cty.BoolVal(b), nil
	case "!!int":
		return yamlInt(n)
	case "!!float":
		if len(n.Value) > maxDigits || !literalInLimits(strings.ReplaceAll(n.Value, "_", "")) {
			return cty.NilVal, fmt.Errorf("line %d: the number is infinite, too large or too long", n.Line)
		}
		v, err := cty.ParseNumberVal(strings.ReplaceAll(n.Value, "_", ""))
		if err != nil {
			return cty.NilVal, fmt.Errorf("line %d: %q is not a number", n.Line, n.Value)
		}
		return v, nil
	}
	return cty.NilVal, fmt.Errorf("line %d: the tag %s is not supported", n.Line, n.Tag)
}

func yamlInt(n *yaml.Node) (cty.Value, error) {
	s := strings.ReplaceAll(n.Value, "_", "")
	if len(s) > maxDigits {
		return cty.NilVal, fmt.Errorf("line %d: the number is too long", n.Line)
	}
	i, ok := new(big.Int).SetString(strings.TrimPrefix(s, "+"), 0)
	if !ok || i.BitLen() > LimitNumberBits {
		return cty.NilVal, fmt.Errorf("line %d: %q is not a number", n.Line, n.Value)
	}
	return cty.NumberVal(new(big.Float).SetPrec(512).SetInt(i)), nil
}
