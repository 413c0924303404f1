package expr

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// The bounds of evaluation. They are far above what a runbook needs and far below what would hurt the machine.
const (
	// LimitDepth is how many levels an expression may nest.
	LimitDepth = 512
	// LimitForDepth is how many for expressions may run inside one another.
	LimitForDepth = 2
	// LimitIterations is how many elements all for expressions and splats of one evaluation may visit together.
	LimitIterations = 100_000
	// LimitString is the length of the longest string, in bytes, that an expression may produce.
	LimitString = 1 << 20
	// LimitStrings is how many bytes the strings in one list or map may have together.
	LimitStrings = 16 << 20
	// LimitWork is how many bytes of strings one evaluation may produce altogether.
	LimitWork = 64 << 20
	// LimitNumberBits bounds a number: its magnitude and its fraction need no more bits than this before and after the
	// point. It holds every IEEE 754 double.
	LimitNumberBits = 1100
	// LimitNodes is how many values a list or an object may hold, all levels together. Lists that hold one another share
	// memory, but whoever goes through them visits each again.
	LimitNodes = 200_000
	// LimitVisits is how many values one evaluation may visit to count those.
	LimitVisits = 4_000_000
	// LimitElements is how many elements a function may give back.
	LimitElements = 100_000
	// LimitSteps is how many steps one evaluation may take: a node of an expression each time it is evaluated, loopSteps
	// more in a loop, and for functions what their arguments make them do. A step is of the order of 300 ns.
	LimitSteps = 4_000_000
	// LimitProjectSteps is how many steps all evaluations of a project may take together before anything runs.
	LimitProjectSteps = 8_000_000
	// LimitProjectBytes is how many bytes of texts and lists they may build.
	LimitProjectBytes = 128 << 20
)

// budget is what is left of one evaluation. It belongs to one goroutine.
type budget struct {
	iterations int
	work       int
	visits     int
	steps      int
	args       [][]cty.Value // of the calls whose arguments are being evaluated
	meter      *Meter
	spent      *problem // the first bound that was exceeded
}

// budgetName hides the budget in an evaluation context. It is no identifier, so no expression can refer to it.
const budgetName = " budget"

func budgetType() cty.Type { return budgetCapsule }

// budgetCapsule is immutable: cty compares capsule types by identity.
//
//nolint:gochecknoglobals // see above
var budgetCapsule = cty.Capsule("budget", reflect.TypeFor[budget]())

func newBudget(m *Meter) budget {
	return budget{iterations: LimitIterations, work: LimitWork, visits: LimitVisits, steps: LimitSteps, meter: m}
}

// budgetOf finds the budget of the running evaluation, or nil outside Expr.Eval.
func budgetOf(ctx *hcl.EvalContext) *budget {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[budgetName]; ok && v.Type() == budgetType() {
			b, _ := v.EncapsulatedValue().(*budget)
			return b
		}
	}
	return nil
}

// over reports whether a bound was exceeded: then nothing more is worth computing. Eval says so once.
func (b *budget) over() bool { return b != nil && b.spent != nil }

// iterate counts one element of a loop.
func (b *budget) iterate() *problem {
	if b == nil {
		return nil
	}
	if b.spent != nil {
		return b.spent
	}
	if b.iterations--; b.iterations < 0 {
		b.spent = &problem{code: CodeTooComplex, summary: "expression visits too many elements",
			detail: fmt.Sprintf("The for expressions of one expression visit %d elements at most.", LimitIterations),
			hint:   "filter before you combine, or move a part into a local"}
	}
	return b.spent
}

// charge counts n bytes of a string.
func (b *budget) charge(n int) *problem {
	if n > LimitString {
		p := tooLong()
		if b != nil && b.spent == nil {
			b.spent = p
		}
		return p
	}
	if b == nil {
		return nil
	}
	if b.spent != nil {
		return b.spent
	}
	if p := b.hold(n); p != nil {
		return p
	}
	if b.work -= n; b.work < 0 {
		b.spent = &problem{code: CodeTooComplex, summary: "expression builds too much text",
			detail: fmt.Sprintf("One expression may build %d MiB of text altogether.", LimitWork>>20),
			hint:   "keep large material in a file and hand it over with source or stdin"}
	}
	return b.spent
}

func tooLong() *problem {
	return &problem{code: CodeTooComplex, summary: "text is too long",
		detail: fmt.Sprintf("A text that an expression builds has %d MiB at most.", LimitString>>20),
		hint:   "keep large material in a file and hand it over with source or stdin"}
}

func tooLarge() *problem {
	return &problem{code: CodeTooComplex, summary: "number is too large",
		detail: fmt.Sprintf("Numbers have %d bits before and after the point at most.", LimitNumberBits),
		hint:   "count in larger units, such as MiB for bytes"}
}

// numberInLimits is true for everything but a number out of bounds. Marked values are looked through.
func numberInLimits(v cty.Value) bool {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
		return true
	}
	return floatInLimits(v.AsBigFloat())
}

func floatInLimits(f *big.Float) bool {
	if f.IsInf() {
		return false
	}
	e := f.MantExp(nil)
	return f.Sign() == 0 || e <= LimitNumberBits && e >= -LimitNumberBits
}

// lexLimits refuses a text that would hurt the parser: it recurses without a bound, and a stack overflow cannot be
// recovered from. Lexing itself is iterative.
func lexLimits(text, file string) diag.List {
	at := diag.Range{File: file, Start: diag.Pos{Line: 1, Column: 1}, End: diag.Pos{Line: 1, Column: 1}}
	refuse := func(summary string) diag.List {
		return diag.List{{Severity: diag.Error, Code: CodeTooComplex, Summary: summary, Range: at}}
	}
	if len(text) > maxTyped {
		return refuse("expression is too long")
	}
	tokens, _ := hclsyntax.LexExpression([]byte(text), file, hcl.InitialPos)
	if len(tokens) > maxTokens {
		return refuse("expression is too long")
	}
	depth, run := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
			run = 0
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
			run = 0
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenQuestion:
			run++
		}
		if depth > maxBrackets || run > maxOperators {
			return refuse("expression is nested too deeply")
		}
		if t.Type == hclsyntax.TokenNumberLit && !literalInLimits(string(t.Bytes)) {
			return refuse("number is too large")
		}
	}
	return nil
}

// What the parser is given at most: brackets inside one another, and unary or conditional operators in a row.
const (
	maxTyped     = 64 << 10 // bytes
	maxTokens    = 20_000
	maxBrackets  = 64
	maxOperators = 256
)

// literalInLimits bounds the digits and the exponent of a number literal.
func literalInLimits(s string) bool {
	if len(s) > maxDigits {
		return false
	}
	f, _, err := big.ParseFloat(s, 10, 64, big.ToNearestEven)
	return err == nil && floatInLimits(f)
}

const maxDigits = 512
