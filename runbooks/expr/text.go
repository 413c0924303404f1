package expr

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// normalText is the text of an expression with comments gone and white space as the language writes it: two texts are
// the same exactly when formatting could have made one of the other. Texts of strings are kept byte for byte.
func normalText(r hcl.Range, src []byte) string {
	if r.Start.Byte < 0 || r.End.Byte > len(src) || r.Start.Byte >= r.End.Byte {
		return ""
	}
	part := src[r.Start.Byte:r.End.Byte]
	if len(part) > LimitString {
		return ""
	}
	part = append(bytes.Clone(part), '\n') // a heredoc ends with its line
	tokens, _ := hclsyntax.LexExpression(part, r.Filename, hcl.InitialPos)
	p := textPrinter{}
	for i := range tokens {
		p.token(tokens, i)
	}
	return strings.TrimSpace(p.out.String())
}

type textPrinter struct {
	out  bytes.Buffer
	prev hclsyntax.TokenType // the last significant token; 0: none
	// brackets is what is open: { wants commas between its items, ( and [ do not.
	brackets []hclsyntax.TokenType
	unary    bool // prev is a unary operator
}

func (p *textPrinter) token(tokens hclsyntax.Tokens, i int) {
	t := tokens[i]
	switch t.Type {
	case hclsyntax.TokenComment:
		if bytes.HasSuffix(t.Bytes, []byte("\n")) {
			p.newline(tokens, i)
		}
		return
	case hclsyntax.TokenEOF:
		return
	case hclsyntax.TokenNewline:
		p.newline(tokens, i)
		return
	case hclsyntax.TokenComma:
		if closes(next(tokens, i)) {
			return
		}
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		p.out.Write(t.Bytes)
		p.prev = t.Type
		return
	case hclsyntax.TokenCHeredoc:
		p.out.Write(bytes.TrimLeft(t.Bytes, " \t"))
		p.prev = t.Type
		return
	}
	unary := p.isUnary(t.Type)
	if p.spaceBefore(t.Type) {
		p.out.WriteByte(' ')
	}
	p.out.Write(t.Bytes)
	p.track(t.Type)
	p.unary = unary
	p.prev = t.Type
}

// newline ends an item of an object; elsewhere it is space.
func (p *textPrinter) newline(tokens hclsyntax.Tokens, i int) {
	if n := len(p.brackets); n == 0 || p.brackets[n-1] != hclsyntax.TokenOBrace {
		return
	}
	switch p.prev {
	case hclsyntax.TokenComma, hclsyntax.TokenOBrace, hclsyntax.TokenEqual, hclsyntax.TokenColon:
		return
	}
	if closes(next(tokens, i)) || p.prev == hclsyntax.TokenCHeredoc && next(tokens, i) == hclsyntax.TokenComma {
		return
	}
	p.out.WriteByte(',')
	p.prev = hclsyntax.TokenComma
}

// next is the type of the next token that is neither comment nor line break.
func next(tokens hclsyntax.Tokens, i int) hclsyntax.TokenType {
	for _, t := range tokens[i+1:] {
		if t.Type != hclsyntax.TokenNewline && t.Type != hclsyntax.TokenComment {
			return t.Type
		}
	}
	return hclsyntax.TokenEOF
}

func closes(t hclsyntax.TokenType) bool {
	return t == hclsyntax.TokenCBrace || t == hclsyntax.TokenCBrack || t == hclsyntax.TokenCParen || t == hclsyntax.TokenEOF
}

func (p *textPrinter) track(t hclsyntax.TokenType) {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
		hclsyntax.TokenTemplateControl:
		p.brackets = append(p.brackets, t)
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
		if n := len(p.brackets); n > 0 {
			p.brackets = p.brackets[:n-1]
		}
	}
}

// isUnary tells -x from a - x by what stands before.
func (p *textPrinter) isUnary(t hclsyntax.TokenType) bool {
	if t == hclsyntax.TokenBang {
		return true
	}
	return t == hclsyntax.TokenMinus && !endsOperand(p.prev)
}

func endsOperand(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
		hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen:
		return true
	}
	return false
}

func (p *textPrinter) spaceBefore(t hclsyntax.TokenType) bool {
	if p.prev == 0 || p.unary {
		return false
	}
	switch p.prev {
	case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenDot, hclsyntax.TokenTemplateInterp,
		hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenTemplateSeqEnd,
		hclsyntax.TokenDoubleColon:
		return false
	}
	switch t {
	case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenDot, hclsyntax.TokenComma, hclsyntax.TokenTemplateSeqEnd,
		hclsyntax.TokenCQuote, hclsyntax.TokenEllipsis, hclsyntax.TokenDoubleColon:
		return false
	case hclsyntax.TokenOParen:
		return p.prev != hclsyntax.TokenIdent
	case hclsyntax.TokenOBrack:
		return !endsOperand(p.prev)
	case hclsyntax.TokenCBrace:
		return p.prev != hclsyntax.TokenOBrace
	case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return false
	}
	return true
}
