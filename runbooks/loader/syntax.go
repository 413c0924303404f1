package loader

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// parse gives the body of a file that has passed the guard. ok is false when the syntax is broken somewhere: then the
// body is what could be read.
func (l *loader) parse(name string, src []byte) (body *hclsyntax.Body, ok bool) {
	file, ds := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if file != nil {
		body, _ = file.Body.(*hclsyntax.Body)
	}
	var errs []*hcl.Diagnostic
	for _, d := range ds {
		if d.Severity != hcl.DiagError || d.Subject == nil {
			continue
		}
		if d.Summary == "Attribute redefined" {
			l.redefined(body, d)
			continue
		}
		errs = append(errs, d)
	}
	if len(errs) == 0 {
		return body, true
	}
	// One mistake confuses the parser about all that follows: the first is the one to mend.
	first := slices.MinFunc(errs, func(a, b *hcl.Diagnostic) int { return cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte) })
	l.syntaxError(first, src)
	return body, false
}

// redefined reports an attribute that was set before in the same block.
func (l *loader) redefined(body *hclsyntax.Body, d *hcl.Diagnostic) {
	name := between(d.Detail, `"`, `"`)
	out := l.report("CON-S004", *d.Subject, "%s is set twice", name)
	out.Hint = "keep one"
	if first, ok := firstSetting(body, *d.Subject, name); ok {
		out.Related = []diag.Related{{Message: "set here before", Range: place(first)}}
	}
}

// firstSetting finds where the innermost block around the place sets the attribute.
func firstSetting(body *hclsyntax.Body, at hcl.Range, name string) (hcl.Range, bool) {
	if body == nil {
		return hcl.Range{}, false
	}
	for _, b := range body.Blocks {
		if b.Body != nil && b.Range().Start.Byte <= at.Start.Byte && at.End.Byte <= b.Range().End.Byte {
			return firstSetting(b.Body, at, name)
		}
	}
	if a := body.Attributes[name]; a != nil {
		return a.NameRange, true
	}
	return hcl.Range{}, false
}

func between(s, open, end string) string {
	_, s, ok := strings.Cut(s, open)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, end)
	return s
}

// syntaxError says in our words what the parser stumbled over: texts and templates first, then the structure.
func (l *loader) syntaxError(d *hcl.Diagnostic, src []byte) {
	at := *d.Subject
	switch s := d.Summary; {
	case s == "Invalid multi-line string", s == "Unterminated template string", s == "Unterminated string literal":
		l.report("CON-S002", at, "the string is not closed on its line").Hint =
			"add the missing quote; a text of many lines is written <<-EOT … EOT"
	case oneLineBlock(d, src):
		l.report("CON-S003", at, "a block on one line holds one attribute only").Hint =
			"give each attribute a line of its own, without commas"
	case s == "Invalid template control keyword" || s == "Unexpected end of template" || strings.HasSuffix(s, "directive") && strings.Contains(s, " "):
		l.report("CON-S005", at, "%%{ begins a template directive").Hint =
			"for a literal percent sign and brace, as in curl -w '%{http_code}', write %%{, or put the script in a file and use file()"
	case strings.Contains(s, "interpolation"):
		l.report("CON-S005", at, "${ begins an expression of the runbook language, and this is none").Hint =
			"for a variable of the shell write $${NAME}, or $NAME, or put the script in a file and use file()"
	default:
		l.structureError(d, src)
	}
}

// structureError is about characters, attributes, blocks and the elements of values.
func (l *loader) structureError(d *hcl.Diagnostic, src []byte) {
	at := *d.Subject
	token := quoteToken(src, at)
	switch d.Summary {
	case "Invalid character", "Unsupported operator", "Invalid escape sequence":
		l.report("CON-S001", at, "%s is not used in the language", token).Hint = characterHint(d.Detail, token)
	case "Unclosed configuration block":
		l.report("CON-S001", at, "the block is not closed").Hint = "add the missing }, perhaps further up"
	case "Argument or block definition required", "Argument definition required", "Invalid argument name":
		l.report("CON-S001", at, "an attribute (name = value) or a block is expected here, not %s", token).Hint = itemHint(src, at)
	case "Invalid block definition":
		l.report("CON-S001", at, "%s does not belong here", token).Hint =
			`a block is written TYPE "NAME" { with the brace on the same line; an attribute NAME = VALUE`
	case "Missing newline after argument", "Unexpected comma after argument", "Missing newline after block definition":
		l.report("CON-S001", at, "%s is not expected here", token).Hint = newlineHint(token)
	case "Missing item separator", "Missing attribute separator", "Missing argument separator":
		l.report("CON-S001", at, "a comma is missing before %s", token).Hint = "elements are separated by commas"
	case "Invalid expression", "Missing expression":
		l.report("CON-S001", at, "a value is expected here, not %s", token).Hint =
			`text stands in quotes; a value is "text", 42, true, [list], { map } or a reference`
	default:
		l.report("CON-S001", at, "%s", lowerFirst(d.Summary)).Hint = strings.TrimSuffix(d.Detail, ".")
	}
}

// oneLineBlock recognises the mistake behind several messages: more than one attribute between braces on one line.
func oneLineBlock(d *hcl.Diagnostic, src []byte) bool {
	if d.Summary == "Invalid single-argument block definition" {
		return true
	}
	return d.Summary == "Argument definition required" && strings.Contains(d.Detail, "single-line") && len(src) > 0
}

func characterHint(detail, token string) string {
	switch {
	case strings.Contains(detail, "Single quotes"), strings.Contains(detail, "Curly quotes"), strings.Contains(detail, "`"):
		return `strings stand in straight double quotes: "text"`
	case strings.Contains(detail, `";"`):
		return "put each attribute on a line of its own"
	case strings.Contains(detail, "boolean AND"):
		return "and is written &&"
	case strings.Contains(detail, "boolean OR"):
		return "or is written ||"
	case strings.Contains(detail, "boolean NOT"):
		return "not is written !"
	case strings.HasPrefix(token, `"\`):
		return `in a string a backslash is written \\`
	}
	return ""
}

func newlineHint(token string) string {
	switch token {
	case `","`:
		return "attributes are separated by line breaks, not commas"
	case `":"`:
		return "an attribute is set with ="
	}
	return "begin a new line; text stands in quotes"
}

// itemHint looks at what follows a word that is neither attribute nor block.
func itemHint(src []byte, at hcl.Range) string {
	rest := ""
	if at.End.Byte <= len(src) {
		rest, _, _ = strings.Cut(string(src[at.End.Byte:]), "\n")
	}
	switch rest = strings.TrimSpace(rest); {
	case strings.HasPrefix(rest, ":"):
		return "an attribute is set with =, not :"
	case strings.HasPrefix(rest, "."):
		return "an attribute's name has no dots; a map is written NAME = { KEY = VALUE }"
	}
	return "an attribute is set with ="
}

func quoteToken(src []byte, at hcl.Range) string {
	if at.Start.Byte >= len(src) {
		return "the end of the file"
	}
	text := string(src[at.Start.Byte:min(at.End.Byte, len(src))])
	if text == "\n" || text == "\r\n" {
		return "the end of the line"
	}
	if len(text) > 30 {
		text = strings.ToValidUTF8(text[:30], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
