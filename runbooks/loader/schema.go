package loader

// Kind is what an attribute takes.
type Kind string

// The kinds of attributes. Those of the first group are constants: they shape the plan and must be known before anything
// runs. Those of the second are expressions and are evaluated when the item runs.
const (
	KindString   Kind = "string"
	KindBool     Kind = "bool"
	KindWhole    Kind = "whole number"
	KindNumber   Kind = "number"
	KindDuration Kind = "duration"        // "90s", "15m", "2h30m"
	KindStrings  Kind = "list of strings" // each a constant
	KindWords    Kind = "list of words"   // each one of Words
	KindWholes   Kind = "list of whole numbers"
	KindSizes    Kind = "sizes"          // 1, "25%" or a list of them
	KindSuccess  Kind = "exit codes"     // [0, 3], "nonzero" or "any"
	KindStrMap   Kind = "map of strings" // keys and values constant (inventory: may use each and local)
	KindRef      Kind = "reference"      // host.a
	KindRefs     Kind = "references"     // [step.a, check.b]
	KindType     Kind = "type"           // string, list(number), host
	KindPath     Kind = "path"           // of a file in the project

	KindText   Kind = "text"                // an expression that gives a string
	KindTruth  Kind = "condition"           // an expression that gives true or false
	KindHosts  Kind = "hosts"               // a host, a list of hosts, or lists of lists
	KindArgv   Kind = "argv"                // a list of strings
	KindEnv    Kind = "environment"         // a map from names to strings
	KindMap    Kind = "map"                 // an expression that gives a map or object
	KindAny    Kind = "any"                 // any expression
	KindLength Kind = "duration expression" // an expression that gives a duration as text or seconds
)

// Label says what stands in quotes after a block's type.
type Label string

// The labels of blocks.
const (
	NoLabel     Label = ""
	NameLabel   Label = "name"      // [a-z][a-z0-9_-]*, can be referred to
	HostLabel   Label = "host name" // a DNS name
	FreeLabel   Label = "text"      // one line of free text
	TargetLabel Label = "target"    // an item, or a part of one: "step.promote.verify"
)

// Attr is an attribute of a block.
type Attr struct {
	Name     string
	Kind     Kind
	Required bool
	// Words are the only values allowed, of KindString and KindWords.
	Words []string
	// Roots are the roots allowed, of KindRef and KindRefs.
	Roots []string
	Doc   string
	// Default is what holds when it is left out, as written in the language; empty: nothing.
	Default string
}

// Block is a kind of block, with what may stand in it.
type Block struct {
	Type  string
	Label Label
	// Once: at most one of it may stand in its parent.
	Once     bool
	Required bool
	Doc      string
	Attrs    []Attr
	// Any attribute name is allowed, each of this kind (locals).
	AnyAttr Kind
	Blocks  []*Block
}

func (b *Block) attr(name string) *Attr {
	for i := range b.Attrs {
		if b.Attrs[i].Name == name {
			return &b.Attrs[i]
		}
	}
	return nil
}

func (b *Block) block(name string) *Block {
	for _, c := range b.Blocks {
		if c.Type == name {
			return c
		}
	}
	return nil
}
