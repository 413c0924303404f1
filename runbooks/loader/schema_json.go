package loader

import "sort"

// SchemaID names the form of SchemaDocument.
const SchemaID = "continuo/schema/v1"

// SchemaDocument is the language as data, for editors and documentation: every block with its attributes, and what may
// stand in what. It is made from the table that the loader itself reads, so it cannot differ from it.
type SchemaDocument struct {
	Schema string `json:"schema"` // SchemaID
	// Files are the blocks at the top of *.hcl, TestFiles those of *.test.hcl.
	Files     []BlockDocument `json:"files"`
	TestFiles []BlockDocument `json:"test_files"`
	// References are the words that references begin with.
	References []string `json:"references"`
	// Functions are those that expressions may call.
	Functions []string `json:"functions"`
	Codes     []string `json:"codes"`
}

// BlockDocument is a kind of block.
type BlockDocument struct {
	Type       string              `json:"type"`
	Label      string              `json:"label,omitempty"` // what stands in quotes after the type; absent: nothing
	Doc        string              `json:"doc"`
	Once       bool                `json:"once,omitempty"`
	Attributes []AttributeDocument `json:"attributes,omitempty"`
	// AnyAttribute: attributes of any name, such as in locals.
	AnyAttribute bool            `json:"any_attribute,omitempty"`
	Blocks       []BlockDocument `json:"blocks,omitempty"`
}

// AttributeDocument is an attribute of a block.
type AttributeDocument struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"` // in words, see Kind
	Constant bool     `json:"constant,omitempty"`
	Required bool     `json:"required,omitempty"`
	Values   []string `json:"values,omitempty"` // the only ones
	RefersTo []string `json:"refers_to,omitempty"`
	Default  string   `json:"default,omitempty"` // as written in the language
	Doc      string   `json:"doc"`
}

// NewSchemaDocument describes the language. Roots and functions are those of expressions.
func NewSchemaDocument(roots, functions []string) SchemaDocument {
	d := SchemaDocument{
		Schema: SchemaID, Files: documentBlocks(ProjectSchema().Blocks), TestFiles: documentBlocks(TestSchema().Blocks),
		References: roots, Functions: functions,
	}
	for _, doc := range Docs() {
		d.Codes = append(d.Codes, doc.Code)
	}
	return d
}

func documentBlocks(blocks []*Block) []BlockDocument {
	out := make([]BlockDocument, 0, len(blocks))
	for _, b := range blocks {
		out = append(out, BlockDocument{
			Type: b.Type, Label: string(b.Label), Doc: b.Doc, Once: b.Once,
			AnyAttribute: b.AnyAttr != "", Attributes: documentAttrs(b), Blocks: documentBlocks(b.Blocks),
		})
	}
	return out
}

func documentAttrs(b *Block) []AttributeDocument {
	var out []AttributeDocument
	for _, a := range b.Attrs {
		out = append(out, AttributeDocument{
			Name: a.Name, Type: string(a.Kind), Constant: a.Kind.Constant(), Required: a.Required, Values: a.Words, RefersTo: a.Roots,
			Default: a.Default, Doc: a.Doc,
		})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Required && !out[j].Required })
	return out
}

// Constant reports whether values of the kind must be known before anything runs.
func (k Kind) Constant() bool {
	switch k {
	case KindText, KindTruth, KindHosts, KindArgv, KindEnv, KindMap, KindAny, KindLength:
		return false
	default:
		return true
	}
}
