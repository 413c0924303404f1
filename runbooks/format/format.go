// Package format brings files into their canonical form: two spaces a level, equals signs aligned, one blank line at
// most, # for comments, one line break at the end. Comments are kept, and so is the meaning: every result is compared with
// its source, token by token, before it is handed out.
package format

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// ErrChanged means that formatting would have changed the meaning of a file. It is a defect of this package; the file is
// left as it is.
var ErrChanged = errors.New("formatting would change the meaning")

// maxPasses bounds the search for a form that formatting leaves alone. Two suffice for what people write.
const maxPasses = 8

// Source gives the canonical form of a file. With diagnostics the file cannot be read, and the bytes are nil.
func Source(name string, src []byte) ([]byte, diag.List, error) {
	if ds := loader.Syntax(name, src); ds.HasErrors() {
		return nil, ds, nil
	}
	out := src
	for range maxPasses {
		next := once(name, out)
		if bytes.Equal(next, out) {
			break
		}
		out = next
	}
	if !bytes.Equal(once(name, out), out) || !sameMeaning(name, src, out) {
		return nil, nil, fmt.Errorf("format %s: %w", name, ErrChanged)
	}
	return out, nil, nil
}

func once(name string, src []byte) []byte {
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	src = hclwrite.Format(src)
	return layout(name, src)
}

// Change is a file that is not in canonical form.
type Change struct {
	Path   string
	Before []byte
	After  []byte
}

// Files formats all *.hcl files directly in a project and returns those that differ, in order of path. Files that cannot
// be read as the language are reported and left out.
func Files(fsys fs.FS) ([]Change, diag.List, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, nil, fmt.Errorf("format: %w", err)
	}
	var changes []Change
	var diags diag.List
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".hcl") || strings.HasPrefix(e.Name(), ".") || e.IsDir() {
			continue
		}
		src, problem, err := read(fsys, e.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("format: %w", err)
		}
		if problem != nil {
			diags = append(diags, *problem)
			continue
		}
		out, ds, err := Source(e.Name(), src)
		if err != nil {
			return nil, nil, err
		}
		diags = append(diags, ds...)
		if out != nil && !bytes.Equal(out, src) {
			changes = append(changes, Change{e.Name(), src, out})
		}
	}
	sort.Slice(changes, func(i, j int) bool { return changes[i].Path < changes[j].Path })
	return changes, diags.Sorted(), nil
}

// read gives a file that is small and regular enough to be formatted. Opening a pipe would wait for a writer.
func read(fsys fs.FS, name string) ([]byte, *diag.Diagnostic, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, nil, err
	}
	start := diag.Pos{Line: 1, Column: 1}
	problem := &diag.Diagnostic{Severity: diag.Error, Range: diag.Range{File: name, Start: start, End: start}}
	most := loader.DefaultLimits().FileBytes
	switch {
	case !info.Mode().IsRegular():
		problem.Code, problem.Summary, problem.Hint = "CON-P004", "is not a regular file", "a project holds regular files of its own"
		return nil, problem, nil
	case info.Size() > most:
		problem.Code, problem.Summary = "CON-G001", "the file is larger than the limit"
		problem.Hint = fmt.Sprintf("at most %d bytes a file", most)
		return nil, problem, nil
	}
	src, err := fs.ReadFile(fsys, name)
	return src, nil, err
}

// sameMeaning compares the tokens of two files, without comments, line breaks and white space. Comments must be the same
// too, but for their marker and the white space around them.
func sameMeaning(name string, a, b []byte) bool {
	at, ac := meaning(name, a)
	bt, bc := meaning(name, b)
	return at == bt && ac == bc
}

func meaning(name string, src []byte) (tokens, comments string) {
	lexed, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	var t, c strings.Builder
	for _, x := range lexed {
		switch x.Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenEOF:
		case hclsyntax.TokenComment:
			fmt.Fprintf(&c, "%q", commentText(string(x.Bytes)))
		default:
			text := strings.ReplaceAll(string(x.Bytes), "\r\n", "\n")
			fmt.Fprintf(&t, "%d:%d:%s", x.Type, len(text), text)
		}
	}
	return t.String(), c.String()
}

// commentText is what a comment says.
func commentText(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "/*") {
		return strings.Join(strings.Fields(s), " ")
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(s, "//"), "#"))
}
