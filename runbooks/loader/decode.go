package loader

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// node is a block whose structure has been compared with the schema. Its attributes are expressions still.
type node struct {
	schema *Block
	block  *hclsyntax.Block // nil for a file
	label  string
	attrs  map[string]*hclsyntax.Attribute
	blocks []*node // in order of writing
	// unknown are attributes and blocks that the language has not, already reported.
	unknown []string
	named   map[[2]string]*node // the first block of each type and label; made when one is looked for
}

// first is the first block of a type with a label. The node is complete.
func (n *node) first(typ, label string) *node {
	if n.named == nil {
		n.named = make(map[[2]string]*node, len(n.blocks))
		for _, b := range n.blocks {
			key := [2]string{b.schema.Type, b.label}
			if n.named[key] == nil {
				n.named[key] = b
			}
		}
	}
	return n.named[[2]string{typ, label}]
}

// meant reports whether something unknown was probably meant to be this.
func (n *node) meant(name string) bool {
	return slices.ContainsFunc(n.unknown, func(u string) bool {
		return diag.Suggest(u, []string{name}) != "" || called(u, []string{name}) != "" || u == name
	})
}

// rng is the place of the block's header.
func (n *node) rng() hcl.Range {
	if n.block == nil {
		return hcl.Range{}
	}
	return n.block.DefRange()
}

// labelRange is the place of the label without its quotes, or of the header.
func (n *node) labelRange() hcl.Range {
	if n.block == nil || len(n.block.LabelRanges) == 0 {
		return n.rng()
	}
	return n.block.LabelRanges[0]
}

// title is the block as people name it: step "promote".
func (n *node) title() string {
	if n.label == "" {
		return n.schema.Type
	}
	return fmt.Sprintf("%s %q", n.schema.Type, n.label)
}

func (n *node) attr(name string) *hclsyntax.Attribute { return n.attrs[name] }

// of returns the blocks of that type.
func (n *node) of(typ string) []*node {
	var out []*node
	for _, b := range n.blocks {
		if b.schema.Type == typ {
			out = append(out, b)
		}
	}
	return out
}

// one returns the block of that type, or nil.
func (n *node) one(typ string) *node {
	if bs := n.of(typ); len(bs) > 0 {
		return bs[0]
	}
	return nil
}

// sortedAttrs are the attributes in order of writing; the parser keeps them in a map.
func sortedAttrs(m map[string]*hclsyntax.Attribute) []*hclsyntax.Attribute {
	out := make([]*hclsyntax.Attribute, 0, len(m))
	for _, a := range m {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].SrcRange.Start.Byte < out[j].SrcRange.Start.Byte })
	return out
}

// decode compares a body with the schema of its node and fills the node. partial says that the parser gave up somewhere
// in the file: then what is missing may only not have been read.
func (l *loader) decode(body *hclsyntax.Body, n *node, partial bool) {
	if n.attrs == nil {
		n.attrs = map[string]*hclsyntax.Attribute{}
	}
	for _, a := range sortedAttrs(body.Attributes) {
		if n.schema.AnyAttr == "" && n.schema.attr(a.Name) == nil {
			l.unknownAttr(n, a)
			continue
		}
		n.attrs[a.Name] = a
	}
	for _, b := range body.Blocks {
		if child := l.decodeBlock(n, b, partial); child != nil {
			n.blocks = append(n.blocks, child)
		}
	}
	if !partial && n.block != nil {
		l.missing(n)
	}
}

func (l *loader) decodeBlock(parent *node, b *hclsyntax.Block, partial bool) *node {
	schema := parent.schema.block(b.Type)
	if schema == nil {
		l.unknownBlock(parent, b)
		return nil
	}
	n := &node{schema: schema, block: b}
	if !l.labels(n) {
		return nil
	}
	before := l.context
	if b.Type == "runbook" || b.Type == "test" || parent.block == nil {
		l.context = n.title()
	}
	defer func() { l.context = before }()
	if schema.Once {
		if first := parent.one(b.Type); first != nil && parent.block != nil {
			d := l.report("CON-S019", b.TypeRange, "%s has more than one %s block", parent.title(), b.Type)
			d.Related = []diag.Related{{Message: "the first one", Range: place(first.rng())}}
			d.Hint = "keep one"
		}
	}
	l.decode(b.Body, n, partial)
	return n
}

// labels checks the words between a block's type and its brace.
func (l *loader) labels(n *node) bool {
	b := n.block
	want := 0
	if n.schema.Label != NoLabel {
		want = 1
	}
	if len(b.Labels) < want {
		d := l.report("CON-S016", b.TypeRange, "%s has no %s", b.Type, n.schema.Label)
		d.Hint = fmt.Sprintf(`write %s "NAME" {`, b.Type)
		return false
	}
	if len(b.Labels) > want {
		d := l.report("CON-S017", b.LabelRanges[want], "%s takes %s", b.Type, [...]string{"no label", "one label"}[want])
		d.Hint = "remove " + fmt.Sprintf("%q", b.Labels[want])
		return false
	}
	if want == 0 {
		return true
	}
	n.label = b.Labels[0]
	rng := b.LabelRanges[0]
	if src := l.parsed[rng.Filename]; rng.Start.Byte < len(src) && src[rng.Start.Byte] != '"' {
		l.report("CON-S018", rng, "the label %s is not in quotes", n.label).Hint = fmt.Sprintf("write %s %q", b.Type, n.label)
	}
	l.labelForm(n)
	return true
}

func (l *loader) labelForm(n *node) {
	rng := n.labelRange()
	switch n.schema.Label {
	case NameLabel:
		if !validName(n.label) {
			d := l.report("CON-S020", rng, "%q is not a name", n.label)
			d.Detail = "Names begin with a lower-case letter and go on with lower-case letters, digits, - and _."
			d.Hint = suggestName(n.label)
		}
	case HostLabel:
		if !validHostName(n.label) {
			d := l.report("CON-S020", rng, "%q is not a host name", n.label)
			d.Detail = "Host names are DNS names: letters, digits, - and _, in parts divided by dots."
			d.Hint = "write a name such as db-1 or db1.example.org; its address stands in address"
		}
	case FreeLabel:
		if strings.TrimSpace(n.label) == "" || strings.ContainsAny(n.label, "\n\r") {
			l.report("CON-S020", rng, "the label of a %s is one line of text", n.schema.Type).Hint =
				fmt.Sprintf(`say in it what it is about: %s "…" {`, n.schema.Type)
		}
	case NoLabel, TargetLabel:
	}
}

func (l *loader) unknownAttr(n *node, a *hclsyntax.Attribute) {
	n.unknown = append(n.unknown, a.Name)
	if l.full() {
		return
	}
	in := n.title()
	if n.block == nil {
		in = "a file"
	}
	if n.schema.block(a.Name) != nil {
		d := l.report("CON-S013", a.NameRange, "%s is a block, not an attribute", a.Name)
		d.Hint = fmt.Sprintf("write %s {", a.Name)
		if n.schema.block(a.Name).Label != NoLabel {
			d.Hint = fmt.Sprintf(`write %s "NAME" {`, a.Name)
		}
		return
	}
	d := l.report("CON-S011", a.NameRange, "%s has no attribute %q", in, a.Name)
	d.Hint = l.attrHint(n, a.Name)
}

func (l *loader) attrHint(n *node, name string) string {
	var free, all []string
	for _, s := range n.schema.Attrs {
		all = append(all, s.Name)
		if n.attrs[s.Name] == nil {
			free = append(free, s.Name)
		}
	}
	if s := called(name, all); s != "" {
		return "it is called " + s + " here"
	}
	if s := diag.Suggest(name, free); s != "" {
		return "did you mean " + s + "?"
	}
	for _, b := range n.schema.Blocks {
		if diag.Suggest(name, []string{b.Type}) != "" {
			return "did you mean the block " + b.Type + "?"
		}
	}
	if len(all) == 0 {
		return "it takes blocks only"
	}
	return "it takes: " + strings.Join(all, ", ")
}

func (l *loader) unknownBlock(parent *node, b *hclsyntax.Block) {
	parent.unknown = append(parent.unknown, b.Type)
	if l.full() {
		return // a suggestion costs more than all the rest
	}
	in := parent.title()
	if parent.block == nil {
		in = parent.schema.Type
	}
	if a := parent.schema.attr(b.Type); a != nil {
		d := l.report("CON-S012", b.TypeRange, "%s is an attribute, not a block", b.Type)
		d.Hint = fmt.Sprintf("write %s = %s", b.Type, shapeOf(a.Kind))
		return
	}
	if d := l.misplaced(parent, b, in); d {
		return
	}
	var types []string
	for _, s := range parent.schema.Blocks {
		types = append(types, s.Type)
	}
	d := l.report("CON-S010", b.TypeRange, "%s has no block %q", in, b.Type)
	switch s := diag.Suggest(b.Type, types); {
	case s != "":
		d.Hint = "did you mean " + s + "?"
	case len(types) > 0:
		d.Hint = "it takes: " + strings.Join(types, ", ")
	default:
		d.Hint = "it takes attributes only"
	}
}

// misplaced reports a block that exists elsewhere in the language.
func (l *loader) misplaced(parent *node, b *hclsyntax.Block, in string) bool {
	places := whereIs(b.Type)
	if len(places) == 0 {
		return false
	}
	d := l.report("CON-S010", b.TypeRange, "%s has no block %q", in, b.Type)
	d.Hint = fmt.Sprintf("%s stands in %s", b.Type, strings.Join(places, ", "))
	switch {
	case b.Type == "test":
		d.Hint = "tests stand in files whose name ends in .test.hcl"
	case parent.schema.Type == "test file":
		d.Hint = "*.test.hcl files hold test blocks and nothing else"
	}
	return true
}

// whereIs names the kinds of blocks that a block type may stand in, "a file" first.
func whereIs(typ string) []string {
	var out []string
	var walk func(b *Block)
	walk = func(b *Block) {
		for _, c := range b.Blocks {
			if c.Type == typ && !slices.Contains(out, b.Type) {
				out = append(out, b.Type)
			}
			walk(c)
		}
	}
	walk(ProjectSchema())
	walk(TestSchema())
	return out
}

func (l *loader) missing(n *node) {
	for _, a := range n.schema.Attrs {
		if a.Required && n.attrs[a.Name] == nil && !n.meant(a.Name) {
			d := l.report("CON-S014", n.rng(), "%s has no %s", n.title(), a.Name)
			d.Hint = fmt.Sprintf("add %s = %s: %s", a.Name, shapeOf(a.Kind), a.Doc)
		}
	}
	for _, b := range n.schema.Blocks {
		if b.Required && n.one(b.Type) == nil {
			l.report("CON-S015", n.rng(), "%s has no %s block", n.title(), b.Type).Hint = b.Doc
		}
	}
}

// shapeOf is a value of the kind as one would write it, for hints.
func shapeOf(k Kind) string {
	switch k {
	case KindBool, KindTruth:
		return "true"
	case KindWhole, KindNumber, KindSizes:
		return "1"
	case KindDuration, KindLength:
		return `"30s"`
	case KindStrings, KindWords, KindArgv:
		return `["…"]`
	case KindWholes, KindSuccess:
		return "[0]"
	case KindStrMap, KindEnv, KindMap:
		return `{ NAME = "…" }`
	case KindRef:
		return "KIND.NAME"
	case KindRefs:
		return "[KIND.NAME]"
	case KindType:
		return "string"
	case KindHosts:
		return "host.NAME"
	case KindString, KindPath, KindText:
		return `"…"`
	case KindAny:
		return "…"
	}
	return "…"
}
