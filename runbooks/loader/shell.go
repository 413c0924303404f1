package loader

import (
	"bytes"
	"errors"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"mvdan.cc/sh/v3/syntax"
)

// shellSyntax parses a script with the grammar of its interpreter. Interpreters that are no shells are not checked.
func (b *book) shellSyntax(a *hclsyntax.Attribute, interpreter []string) {
	if a == nil {
		return
	}
	lang, ok := shellOf(interpreter)
	if !ok {
		return
	}
	if name, data := b.scriptFile(a.Expr); data != nil {
		if b.longScript(a, len(data)) {
			return
		}
		if err := parseShell(string(data), lang); err != nil {
			b.shellError(a.Expr.Range(), name, err)
		}
		return
	}
	text, pieces := scriptText(a.Expr)
	if pieces == nil || b.longScript(a, len(text)) {
		return
	}
	if err := parseShell(text, lang); err != nil {
		b.shellError(b.sourceOf(a.Expr.Range(), pieces, err.Pos), "", err)
	}
}

// longScript refuses what could exhaust the stack of the parser.
func (b *book) longScript(a *hclsyntax.Attribute, size int) bool {
	if size <= b.opts.Limits.ScriptBytes {
		return false
	}
	b.report("CON-G001", a.Expr.Range(), "the script is larger than %d KiB", b.opts.Limits.ScriptBytes>>10).Hint =
		"transfer it to the hosts as a file, and run that; what a script needs beside its commands is data"
	return true
}

// shellOf is the grammar that an interpreter reads; none given is /bin/sh.
func shellOf(interpreter []string) (syntax.LangVariant, bool) {
	if len(interpreter) == 0 {
		return syntax.LangPOSIX, true
	}
	name := path.Base(interpreter[0])
	if name == "env" && len(interpreter) > 1 {
		name = path.Base(interpreter[1])
	}
	switch name {
	case "sh", "dash", "ash", "busybox":
		return syntax.LangPOSIX, true
	case "bash":
		return syntax.LangBash, true
	case "ksh", "mksh":
		return syntax.LangMirBSDKorn, true
	}
	return syntax.LangPOSIX, false
}

// shellProblem is where and why the shell's grammar does not hold.
type shellProblem struct {
	Pos  syntax.Pos
	Text string
}

func parseShell(text string, lang syntax.LangVariant) *shellProblem {
	_, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), "")
	if err == nil {
		return nil
	}
	var pe syntax.ParseError
	var le syntax.LangError
	switch {
	case errors.As(err, &pe):
		return &shellProblem{pe.Pos, pe.Text}
	case errors.As(err, &le):
		return &shellProblem{le.Pos, strings.TrimPrefix(le.Error(), le.Pos.String()+": ")}
	}
	return &shellProblem{Text: err.Error()}
}

func (b *book) shellError(at hcl.Range, file string, p *shellProblem) {
	where := ""
	if file != "" {
		where = file + ":" + p.Pos.String() + ": "
	}
	d := b.report("CON-S033", at, "the script is not valid shell: %s%s", where, p.Text)
	d.Hint = "mend it, or name its interpreter if it is none of sh: interpreter = [\"/bin/bash\", \"-eu\"]"
}

// scriptFile is the file that script = file("x.sh") names.
func (b *book) scriptFile(e hclsyntax.Expression) (string, []byte) {
	call, ok := e.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "file" || len(call.Args) != 1 {
		return "", nil
	}
	name, ok := literal(call.Args[0])
	if !ok {
		return "", nil
	}
	data, err := b.source.ReadFile(name)
	if err != nil {
		return "", nil // evaluation says so
	}
	return name, data
}

// piece is a run of script text and where it stands in the project's file.
type piece struct {
	offset int
	rng    hcl.Range
}

// scriptText is the text of a script written out in the file, each interpolation replaced by one word.
func scriptText(e hclsyntax.Expression) (string, []piece) {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return "", nil
	}
	var text strings.Builder
	var pieces []piece
	for _, part := range t.Parts {
		pieces = append(pieces, piece{text.Len(), part.Range()})
		lit, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok {
			text.WriteString("VALUE")
			continue
		}
		if v := lit.Val; v.IsKnown() && !v.IsNull() && v.Type().FriendlyName() == "string" {
			text.WriteString(v.AsString())
		}
	}
	if len(pieces) == 0 {
		return "", nil
	}
	return text.String(), pieces
}

// sourceOf is the place in the project's file of a place in the script: the line of a text of many lines, the exact place
// in a string where nothing is escaped.
func (b *book) sourceOf(whole hcl.Range, pieces []piece, pos syntax.Pos) hcl.Range {
	if !pos.IsValid() {
		return whole
	}
	if whole.Start.Line != whole.End.Line {
		return b.lineOf(whole, whole.Start.Line+int(pos.Line()))
	}
	offset := int(pos.Offset())
	for i := len(pieces) - 1; i >= 0; i-- {
		p := pieces[i]
		if p.offset > offset {
			continue
		}
		r := p.rng
		r.Start.Byte = min(r.Start.Byte+offset-p.offset, max(r.Start.Byte, r.End.Byte-1))
		r.Start.Column += r.Start.Byte - p.rng.Start.Byte
		r.End = hcl.Pos{Line: r.Start.Line, Column: r.Start.Column + 1, Byte: min(r.Start.Byte+1, whole.End.Byte)}
		return r
	}
	return whole
}

// lineOf is a line of the file inside a range, without the white space around it.
func (b *book) lineOf(whole hcl.Range, line int) hcl.Range {
	src := b.parsed[whole.Filename]
	start := whole.Start.Byte
	for n := whole.Start.Line; n < line; n++ {
		i := bytes.IndexByte(src[start:], '\n')
		if i < 0 || start+i+1 >= whole.End.Byte {
			return whole
		}
		start += i + 1
	}
	text, _, _ := bytes.Cut(src[start:], []byte("\n"))
	indent := len(text) - len(bytes.TrimLeft(text, " \t"))
	text = bytes.TrimSpace(text)
	return hcl.Range{
		Filename: whole.Filename,
		Start:    hcl.Pos{Line: line, Column: indent + 1, Byte: start + indent},
		End:      hcl.Pos{Line: line, Column: indent + 1 + utf8.RuneCount(text), Byte: start + indent + len(text)},
	}
}
