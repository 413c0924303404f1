package expr

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// What things cost, as far as it matters for keeping machines alive. A step is of the order of 300 ns.
const (
	loopSteps        = 10  // for each element of a loop, beside what is done with it
	deferSteps       = 20  // for a local that is evaluated where it is used
	valuesPerStep    = 1   // of a list or object that is put together: whoever takes it looks at each
	decodeSteps      = 2   // for each byte of a text that is read as data
	resultSteps      = 15  // for each element that a function gives back
	bytesPerDecoded  = 160 // a value that was read from a text, with its type and its name
	bytesPerElement  = 64  // a value in a list, with its type
	bytesPerStep     = 32  // of a text that a function goes through once
	runesPerStep     = 4   // of a text that is taken apart into characters
	pairsPerStep     = 4   // of elements that are compared with each other
	combinationSteps = 40  // for each combination of a product
	regexPerStep     = 64  // bytes of a text times instructions of a pattern
)

// step counts n steps.
func (b *budget) step(n int) *problem {
	if b == nil {
		return nil
	}
	if b.spent != nil {
		return b.spent
	}
	if b.spent = b.meter.step(n); b.spent != nil {
		return b.spent
	}
	if b.steps -= n; b.steps < 0 {
		b.spent = &problem{code: CodeTooComplex, summary: "expression takes too many steps",
			detail: fmt.Sprintf("One expression takes %d steps at most.", LimitSteps),
			hint:   "filter before you combine, and compute once in a local what is used more than once"}
	}
	return b.spent
}

// hold counts bytes that a value may keep for as long as the project is loaded.
func (b *budget) hold(n int) *problem {
	if b != nil && b.spent == nil {
		b.spent = b.meter.hold(n)
		return b.spent
	}
	return nil // what is spent has been said
}

// nodes is the weight of a whole syntax tree.
func nodes(e hclsyntax.Expression) int {
	n := 0
	_ = hclsyntax.VisitAll(e, func(x hclsyntax.Node) hcl.Diagnostics {
		n += weight(x)
		return nil
	})
	return n
}

// weight is how many steps it takes to evaluate a node of a syntax tree, without what is below it.
func weight(n hclsyntax.Node) int {
	switch n.(type) {
	case *hclsyntax.BinaryOpExpr, *hclsyntax.UnaryOpExpr, *hclsyntax.ConditionalExpr, *hclsyntax.TemplateExpr:
		return 5
	case *hclsyntax.FunctionCallExpr:
		return 10
	}
	return 1
}

// width is how many elements a value has itself, those of its elements not counted: they are shared with what they came
// from.
func width(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}

// result counts what a function gives back: its elements, and those of the lists among them. What it read from a text is
// new altogether.
func (b *budget) result(function string, v cty.Value) *problem {
	n := width(v)
	if n == 0 || b == nil {
		return nil
	}
	switch function {
	case "csvdecode", "jsondecode", "yamldecode", "ansibleinventory":
		left := LimitNodes
		count(v, &left)
		n = LimitNodes - max(left, 0)
		if p := b.step(n * resultSteps); p != nil {
			return p
		}
		return b.hold(n * bytesPerDecoded)
	}
	v, _ = v.Unmark()
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); !e.Type().IsObjectType() {
			n += width(e)
		}
	}
	if p := b.step(n * resultSteps); p != nil {
		return p
	}
	return b.hold(n * bytesPerElement)
}

// paidArg is an argument of a function. The last one that is evaluated pays for the call: functions cannot be stopped, so
// what they will do is counted before they begin.
type paidArg struct {
	hclsyntax.Expression
	function    string
	first, last bool
}

// payingArgs makes the arguments of a call pay for it. hcl evaluates an argument that is expanded before the others.
func payingArgs(c *hclsyntax.FunctionCallExpr) {
	n := len(c.Args)
	for i, a := range c.Args {
		p := &paidArg{Expression: a, function: c.Name, first: i == 0, last: i == n-1}
		if c.ExpandFinal && n > 1 {
			p.first, p.last = i == n-1, i == n-2
		}
		c.Args[i] = p
	}
}

// Value implements hcl.Expression.
func (e *paidArg) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(ctx)
	if b == nil {
		return e.Expression.Value(ctx)
	}
	if e.first {
		b.args = append(b.args, nil)
	}
	at := len(b.args) - 1
	v, ds := e.Expression.Value(ctx)
	b.args = b.args[:at+1] // a call inside that failed half-way has left its own
	if !ds.HasErrors() {
		b.args[at] = append(b.args[at], v)
	}
	if !e.last {
		return v, ds
	}
	args := b.args[at]
	b.args = b.args[:at]
	if ds.HasErrors() {
		return v, ds
	}
	if p := b.step(callCost(e.function, args)); p != nil {
		return cty.DynamicVal, p.asHCL(e.Range())
	}
	return v, ds
}

// callCost is how many steps a function will take, from above.
func callCost(function string, args []cty.Value) int {
	texts := 0
	plain := make([]cty.Value, len(args))
	for i, a := range args {
		plain[i], _ = a.Unmark()
		texts += textLength(a)
	}
	switch function {
	case "setproduct":
		product := combinationSteps
		for _, a := range plain {
			product *= max(1, width(a))
		}
		return product
	case "element", "keys", "lookup":
		return 1
	case "jsondecode", "yamldecode", "csvdecode", "ansibleinventory":
		return 1 + texts*decodeSteps
	case "length", "strlen", "strrev", "substr", "title", "shellquote":
		return 1 + texts/runesPerStep
	case "regex", "regexall":
		return 1 + texts + programSize(stringArg(plain, 0))*len(stringArg(plain, 1))/regexPerStep
	case "regexreplace":
		return 1 + texts + programSize(stringArg(plain, 1))*len(stringArg(plain, 0))/regexPerStep
	}
	values := 0
	for _, a := range args {
		left := LimitNodes
		count(a, &left)
		values += LimitNodes - max(left, 0)
	}
	if function == "distinct" {
		return 1 + values*values/pairsPerStep
	}
	return 1 + values + texts/bytesPerStep
}
