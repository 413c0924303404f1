package loader

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// guard refuses what would harm the parser or the evaluator, before either sees it. The parser recurses without a limit:
// 160 KB of opening parentheses overflow the stack of the process, which nothing can recover from. The lexer does not.
func guard(name string, src []byte, lim Limits) diag.List {
	_, ds := guarded(name, src, lim)
	return ds
}

// guarded is guard for who goes on with the tokens.
func guarded(name string, src []byte, lim Limits) (hclsyntax.Tokens, diag.List) {
	if ds := guardBytes(name, src, lim); len(ds) > 0 {
		return nil, ds
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if len(tokens) > lim.Tokens {
		return nil, refuse("CON-G007", tokens[lim.Tokens].Range, fmt.Sprintf("the file has more than %d tokens", lim.Tokens),
			"split it; all *.hcl files of the directory are loaded together")
	}
	return tokens, guardTokens(tokens, lim)
}

func refuse(code string, rng hcl.Range, summary, hint string) diag.List {
	return diag.List{{Severity: diag.Error, Code: code, Summary: summary, Hint: hint, Range: place(rng)}}
}

func guardBytes(name string, src []byte, lim Limits) diag.List {
	if int64(len(src)) > lim.FileBytes {
		return refuse("CON-G001", startOf(name), fmt.Sprintf("the file is larger than %d bytes", lim.FileBytes),
			"keep data in a file of its own and runbooks small")
	}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		return refuse("CON-G004", startOf(name), "the file begins with a byte order mark", "save it as UTF-8 without a byte order mark")
	}
	if ds := guardRuns(name, src, lim); ds != nil {
		return ds
	}
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return refuse("CON-G003", at(name, src, i, 1), fmt.Sprintf("byte 0x%02x is not UTF-8", src[i]), "save the file as UTF-8")
		case forbiddenRune(r):
			return refuse("CON-G005", at(name, src, i, n), fmt.Sprintf("character U+%04X is not allowed", r),
				`it is invisible or changes the order of what is shown; inside a string write it as \u`+fmt.Sprintf("%04x", r))
		}
		i += n
	}
	return nil
}

// guardRuns refuses long runs of one opening bracket or bang before even the lexer works on a million of them. Nobody
// writes such a run, not in a comment either.
func guardRuns(name string, src []byte, lim Limits) diag.List {
	run := 0
	for i, c := range src {
		if i > 0 && c == src[i-1] && (c == '(' || c == '[' || c == '{' || c == '!') {
			run++
		} else {
			run = 0
		}
		if run < 4*lim.Nesting {
			continue
		}
		if c == '!' {
			return refuse("CON-G009", at(name, src, i, 1), fmt.Sprintf("more than %d unary operators in a row", lim.Unary), "two of them cancel out: write none, or one")
		}
		return refuse("CON-G006", at(name, src, i, 1), fmt.Sprintf("nested more than %d deep", lim.Nesting), "give parts a name in locals")
	}
	return nil
}

// forbiddenRune reports control characters and those that let text show other than it is read.
func forbiddenRune(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return false
	case r < 0x20 || r >= 0x7f && r < 0xa0:
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidirectional controls
		return true
	case r == 0x200b || r == 0x200e || r == 0x200f || r == 0x061c || r == 0xfeff || r == 0x2028 || r == 0x2029:
		return true
	}
	return false
}

// frame counts within one pair of brackets.
type frame struct{ operators, conditions int }

func guardTokens(tokens hclsyntax.Tokens, lim Limits) diag.List {
	stack := []frame{{}}
	unary, directives := 0, 0
	for i, t := range tokens {
		top := &stack[len(stack)-1]
		if t.Type == hclsyntax.TokenBang || t.Type == hclsyntax.TokenMinus {
			if unary++; unary > lim.Unary {
				return refuse("CON-G009", t.Range, fmt.Sprintf("more than %d unary operators in a row", lim.Unary), "two of them cancel out: write none, or one")
			}
		} else {
			unary = 0
		}
		switch {
		case opens(t.Type):
			if t.Type == hclsyntax.TokenOBrack {
				top.operators++
			}
			stack = append(stack, frame{})
			if t.Type == hclsyntax.TokenTemplateControl {
				directives += directive(tokens, i)
			}
		case closes(t.Type):
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		case t.Type == hclsyntax.TokenComma, t.Type == hclsyntax.TokenNewline && !continued(tokens, i):
			*top = frame{}
		case t.Type == hclsyntax.TokenQuestion:
			top.conditions++
		case isOperator(t.Type):
			top.operators++
		case t.Type == hclsyntax.TokenNumberLit:
			if ds := guardNumber(t, lim); ds != nil {
				return ds
			}
		}
		if len(stack)-1+max(directives, 0) > lim.Nesting {
			return refuse("CON-G006", t.Range, fmt.Sprintf("nested more than %d deep", lim.Nesting), "give parts a name in locals")
		}
		top = &stack[len(stack)-1]
		if top.operators > lim.Operators || top.conditions > lim.Conditions {
			return refuse("CON-G009", t.Range, "the expression is too long",
				fmt.Sprintf("at most %d operators and %d conditions; give parts a name in locals", lim.Operators, lim.Conditions))
		}
	}
	return nil
}

// continued reports whether a line break stands inside an expression. The count would only be too high if it were not, so
// an operator on either side decides.
func continued(tokens hclsyntax.Tokens, i int) bool {
	prev, next := hclsyntax.TokenNil, hclsyntax.TokenNil
	if i > 0 {
		prev = tokens[i-1].Type
	}
	for j := i + 1; j < len(tokens); j++ {
		if next = tokens[j].Type; next != hclsyntax.TokenNewline {
			break
		}
	}
	joins := func(t hclsyntax.TokenType) bool {
		return isOperator(t) || t == hclsyntax.TokenQuestion || t == hclsyntax.TokenColon || t == hclsyntax.TokenNewline
	}
	return joins(prev) || joins(next) || next == hclsyntax.TokenOBrack
}

// directive says how a template directive changes the depth: the parser recurses into `if` and `for`.
func directive(tokens hclsyntax.Tokens, i int) int {
	if i+1 >= len(tokens) {
		return 0
	}
	switch string(tokens[i+1].Bytes) {
	case "if", "for":
		return 1
	case "endif", "endfor":
		return -1
	}
	return 0
}

func guardNumber(t hclsyntax.Token, lim Limits) diag.List {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(t.Bytes)), "e")
	digits := len(strings.ReplaceAll(mantissa, ".", ""))
	e, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	tooLarge := exponent != "" && (err != nil || e > lim.Exponent || e < -lim.Exponent)
	if digits > lim.Digits || tooLarge {
		return refuse("CON-G008", t.Range, fmt.Sprintf("the number has more than %d digits or an exponent beyond %d", lim.Digits, lim.Exponent),
			"write it as a string if it is no quantity")
	}
	return nil
}

func opens(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
		hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
		return true
	}
	return false
}

func closes(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc:
		return true
	}
	return false
}

func isOperator(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenPlus, hclsyntax.TokenMinus, hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent,
		hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq,
		hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenDot:
		return true
	}
	return false
}

func startOf(name string) hcl.Range {
	return hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
}

// at is the range of n bytes at an offset of the source.
func at(name string, src []byte, offset, n int) hcl.Range {
	line := 1 + bytes.Count(src[:offset], []byte("\n"))
	begin := bytes.LastIndexByte(src[:offset], '\n') + 1
	col := 1 + utf8.RuneCount(src[begin:offset])
	return hcl.Range{
		Filename: name,
		Start:    hcl.Pos{Line: line, Column: col, Byte: offset},
		End:      hcl.Pos{Line: line, Column: col + 1, Byte: offset + n},
	}
}

// place is an hcl range as a diagnostic has it.
func place(r hcl.Range) diag.Range {
	return diag.Range{
		File:  r.Filename,
		Start: diag.Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:   diag.Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}
