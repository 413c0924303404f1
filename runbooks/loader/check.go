package loader

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Syntax says what is wrong with the text of one file: limits first, then grammar. It knows nothing of blocks and names.
func Syntax(name string, src []byte) diag.List {
	if ds := guard(name, src, DefaultLimits()); len(ds) > 0 {
		return ds
	}
	l := &loader{parsed: map[string][]byte{name: src}, exprs: map[*hclsyntax.Attribute]*expr.Expr{}}
	l.parse(name, src)
	return l.diags.Sorted()
}
