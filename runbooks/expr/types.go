package expr

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// hostType is the type of every host, so that any list of hosts has one type. Values that are absent are empty strings.
//
//nolint:gochecknoglobals // immutable
var hostType = cty.Object(map[string]cty.Type{
	"name": cty.String, "address": cty.String, "port": cty.Number, "site": cty.String, "environment": cty.String,
	"ci": cty.String, "owner": cty.String, "labels": cty.Map(cty.String),
})

// HostType is the type of hosts. Variables of this type are given by the host's name.
func HostType() Type { return Type{hostType} }

// IsAny reports whether nothing is known of the type.
func (t Type) IsAny() bool { return t.cty() == cty.DynamicPseudoType }

// IsHost reports whether it is the type of hosts.
func (t Type) IsHost() bool { return t.cty().Equals(hostType) }

// IsHostList reports whether it is a list, set or tuple of hosts.
func (t Type) IsHostList() bool {
	c := t.cty()
	switch {
	case c.IsListType(), c.IsSetType():
		return c.ElementType().Equals(hostType)
	case c.IsTupleType():
		return !slices.ContainsFunc(c.TupleElementTypes(), func(e cty.Type) bool { return !e.Equals(hostType) })
	}
	return false
}

// IsSequence reports whether it is a list, set or tuple.
func (t Type) IsSequence() bool { return isSequence(t.cty()) }

// IsMapping reports whether it is a map or an object.
func (t Type) IsMapping() bool { return isMapping(t.cty()) }

// Elem is the type of the elements of a list, set or map, and AnyType otherwise.
func (t Type) Elem() Type {
	if c := t.cty(); c.IsCollectionType() {
		return Type{c.ElementType()}
	}
	return AnyType()
}

// Equal reports whether both are the same type.
func (t Type) Equal(o Type) bool { return t.cty().Equals(o.cty()) }

// String is the type as it is written in the language.
func (t Type) String() string { return typeText(t.cty(), 0) }

func typeText(t cty.Type, depth int) string {
	switch {
	case depth > maxTypeDepth:
		return "…"
	case t == cty.DynamicPseudoType:
		return "any"
	case t.Equals(hostType):
		return "host"
	case t.IsPrimitiveType():
		return t.FriendlyName()
	case t.IsListType():
		return "list(" + typeText(t.ElementType(), depth+1) + ")"
	case t.IsSetType():
		return "set(" + typeText(t.ElementType(), depth+1) + ")"
	case t.IsMapType():
		return "map(" + typeText(t.ElementType(), depth+1) + ")"
	case t.IsTupleType():
		var parts []string
		for _, e := range t.TupleElementTypes() {
			parts = append(parts, typeText(e, depth+1))
		}
		return "tuple([" + shortList(parts) + "])"
	case t.IsObjectType():
		attrs := t.AttributeTypes()
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(attrs)) {
			parts = append(parts, name+" = "+typeText(attrs[name], depth+1))
		}
		return "object({ " + shortList(parts) + " })"
	}
	return t.FriendlyName()
}

// maxTypeDepth is how deeply a type may nest.
const maxTypeDepth = 8

// ParseType reads a type as it is written: string, number, bool, any, host, list(…), set(…), map(…), tuple([…]) and
// object({ name = type }).
func ParseType(e hcl.Expression, file string) (Type, diag.List) {
	p := typeParser{file: file}
	t := p.parse(e, 0)
	if p.diags.HasErrors() {
		return AnyType(), p.diags.Sorted()
	}
	return Type{t}, nil
}

// ParseType reads the expression as a type.
func (e *Expr) ParseType() (Type, diag.List) { return ParseType(e.src, e.rng.File) }

type typeParser struct {
	file  string
	diags diag.List
}

func (p *typeParser) wrong(r hcl.Range, summary, hint string) cty.Type {
	p.diags = append(p.diags, diag.Diagnostic{Severity: diag.Error, Code: CodeTypeExpr, Summary: summary, Hint: hint,
		Detail: "Types are string, number, bool, any, host, list(…), set(…), map(…), tuple([…]) and object({ … }).",
		Range:  rangeOf(r, p.file)})
	return cty.DynamicPseudoType
}

func (p *typeParser) parse(e hcl.Expression, depth int) cty.Type {
	e = unwrap(e)
	if depth > maxTypeDepth {
		return p.wrong(e.Range(), "type is nested too deeply", "use any for its inner part")
	}
	if text, ok := literalString(e); ok {
		return p.wrong(e.Range(), "type is a text", "write it without quotes: "+text)
	}
	if word := hcl.ExprAsKeyword(e); word != "" {
		return p.word(e, word)
	}
	call, ok := e.(*hclsyntax.FunctionCallExpr)
	if !ok {
		return p.wrong(e.Range(), "this is not a type", "")
	}
	if len(call.Args) != 1 || call.ExpandFinal {
		return p.wrong(call.Range(), fmt.Sprintf("%s takes one type", call.Name), fmt.Sprintf("write %s(string)", call.Name))
	}
	switch call.Name {
	case "list":
		return cty.List(p.parse(call.Args[0], depth+1))
	case "set":
		return cty.Set(p.parse(call.Args[0], depth+1))
	case "map":
		return cty.Map(p.parse(call.Args[0], depth+1))
	case "tuple":
		return p.tuple(call.Args[0], depth)
	case "object":
		return p.object(call.Args[0], depth)
	}
	return p.wrong(call.NameRange, fmt.Sprintf("there is no type %s", call.Name), suggestType(call.Name))
}

func (p *typeParser) word(e hcl.Expression, word string) cty.Type {
	switch word {
	case "string":
		return cty.String
	case "number":
		return cty.Number
	case "bool":
		return cty.Bool
	case "any":
		return cty.DynamicPseudoType
	case "host":
		return hostType
	case "list", "set", "map":
		return p.wrong(e.Range(), word+" of what?", fmt.Sprintf("write %s(string)", word))
	case "object", "tuple":
		return p.wrong(e.Range(), word+" of what?", "write object({ name = string }) or tuple([string, number])")
	case "int", "integer", "float", "double":
		return p.wrong(e.Range(), "there is no type "+word, "did you mean number?")
	case "boolean":
		return p.wrong(e.Range(), "there is no type "+word, "did you mean bool?")
	case "text", "str":
		return p.wrong(e.Range(), "there is no type "+word, "did you mean string?")
	}
	return p.wrong(e.Range(), "there is no type "+word, suggestType(word))
}

func suggestType(word string) string {
	s := diag.Suggest(word, []string{"string", "number", "bool", "any", "host", "list", "set", "map", "tuple", "object"})
	if s == "" {
		return ""
	}
	return "did you mean " + s + "?"
}

func (p *typeParser) tuple(e hclsyntax.Expression, depth int) cty.Type {
	list, ok := unwrap(e).(*hclsyntax.TupleConsExpr)
	if !ok {
		return p.wrong(e.Range(), "tuple takes a list of types", "write tuple([string, number])")
	}
	ts := make([]cty.Type, len(list.Exprs))
	for i, x := range list.Exprs {
		ts[i] = p.parse(x, depth+1)
	}
	return cty.Tuple(ts)
}

func (p *typeParser) object(e hclsyntax.Expression, depth int) cty.Type {
	obj, ok := unwrap(e).(*hclsyntax.ObjectConsExpr)
	if !ok {
		return p.wrong(e.Range(), "object takes the types of its attributes", "write object({ name = string })")
	}
	ts := make(map[string]cty.Type, len(obj.Items))
	for _, it := range obj.Items {
		name := hcl.ExprAsKeyword(it.KeyExpr)
		if k, isKey := it.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); name == "" && isKey {
			name, _ = literalString(k.Wrapped)
		}
		if name == "" {
			return p.wrong(it.KeyExpr.Range(), "the name of an attribute is a word", "")
		}
		if _, twice := ts[name]; twice {
			return p.wrong(it.KeyExpr.Range(), name+" is in the object twice", "")
		}
		ts[name] = p.parse(it.ValueExpr, depth+1)
	}
	return cty.Object(ts)
}
