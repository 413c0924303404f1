package format

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// lineInfo is what layout knows of a line of the file.
type lineInfo struct {
	text   string
	fixed  bool // inside a text of many lines: left as it is
	opens  bool // ends with an open bracket
	closes bool // begins with a closing bracket
}

// layout settles what hclwrite leaves: comments, blank lines, white space at the ends of lines.
func layout(name string, src []byte) []byte {
	lines := inspect(name, comments(name, src))
	var out []string
	for i, l := range lines {
		if l.fixed {
			out = append(out, l.text)
			continue
		}
		text := strings.TrimRight(l.text, " \t")
		if text == "" && dropBlank(lines, i) {
			continue
		}
		out = append(out, text)
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return nil
	}
	return []byte(strings.Join(out, "\n") + "\n")
}

// dropBlank: no blank line at the start, after another, after an opening or before a closing bracket.
func dropBlank(lines []lineInfo, i int) bool {
	if i == 0 || blank(lines[i-1]) || lines[i-1].opens {
		return true
	}
	for _, next := range lines[i+1:] {
		if !blank(next) {
			return next.closes
		}
	}
	return true
}

func blank(l lineInfo) bool { return !l.fixed && strings.TrimSpace(l.text) == "" }

// comments writes // comments with #.
func comments(name string, src []byte) []byte {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	var out bytes.Buffer
	last := 0
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment || !bytes.HasPrefix(t.Bytes, []byte("//")) {
			continue
		}
		out.Write(src[last:t.Range.Start.Byte])
		out.WriteByte('#')
		last = t.Range.Start.Byte + 2
	}
	out.Write(src[last:])
	return out.Bytes()
}

func inspect(name string, src []byte) []lineInfo {
	var lines []lineInfo
	for text := range strings.SplitSeq(string(src), "\n") {
		lines = append(lines, lineInfo{text: text})
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	first := make([]bool, len(lines)) // a token of the line was seen
	var heredocs []int                // where their texts begin
	for _, t := range tokens {
		at := min(t.Range.Start.Line-1, len(lines)-1)
		l := &lines[at]
		switch {
		case t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenEOF:
			continue
		case t.Type == hclsyntax.TokenComment:
			if bytes.HasPrefix(t.Bytes, []byte("/*")) && t.Range.End.Line > t.Range.Start.Line {
				fix(lines, t.Range.Start.Line, t.Range.End.Line)
			}
		case t.Type == hclsyntax.TokenOHeredoc:
			heredocs = append(heredocs, t.Range.Start.Line+1)
		case t.Type == hclsyntax.TokenCHeredoc && len(heredocs) > 0:
			fix(lines, heredocs[len(heredocs)-1], t.Range.Start.Line)
			heredocs = heredocs[:len(heredocs)-1]
		case opening(t.Type):
			l.opens = true
		case closing(t.Type):
			l.closes = l.closes || !first[at]
			l.opens = false
		default:
			l.opens = false
		}
		first[at] = true
	}
	return lines
}

// fix leaves lines as they are, from one to another, counted from 1.
func fix(lines []lineInfo, from, to int) {
	for n := from; n <= to && n <= len(lines); n++ {
		lines[n-1].fixed = true
	}
}

func opening(t hclsyntax.TokenType) bool {
	return t == hclsyntax.TokenOBrace || t == hclsyntax.TokenOBrack || t == hclsyntax.TokenOParen ||
		t == hclsyntax.TokenTemplateInterp || t == hclsyntax.TokenTemplateControl
}

func closing(t hclsyntax.TokenType) bool {
	return t == hclsyntax.TokenCBrace || t == hclsyntax.TokenCBrack || t == hclsyntax.TokenCParen || t == hclsyntax.TokenTemplateSeqEnd
}
