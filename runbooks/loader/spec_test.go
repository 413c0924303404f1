package loader_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// The spec suite: testdata/spec/**/*.hcl are projects of one file, *.txtar of several. A comment
//
//	# want CON-R012 "unknown check" at "replicaton"
//
// at the end of a line says that a diagnostic of that code is given on the line, with that text in its summary and that
// source text as its place (both may be left out); `# want-next` means the line after. Every diagnostic must be wanted,
// every want must be met. A file without any shows a rule that holds. testdata/said holds what is said about each file to
// the letter, with place and hint, as a person reads it; UPDATE_SPEC=1 writes it anew, to be read in the change.
var wantComment = regexp.MustCompile(`want(-next)? (CON-[A-Z][0-9]{3})(?: "([^"]*)")?(?: at "([^"]*)")?`)

type want struct {
	file string
	line int
	code string
	text string
	at   string
}

func (w want) String() string {
	return fmt.Sprintf("%s:%d: %s %q at %q", w.file, w.line, w.code, w.text, w.at)
}

func wantsOf(name string, src []byte) []want {
	var out []want
	for i, line := range strings.Split(string(src), "\n") {
		_, comment, ok := strings.Cut(line, "# want")
		if !ok {
			continue
		}
		for _, m := range wantComment.FindAllStringSubmatch("want"+comment, -1) {
			w := want{file: name, line: i + 1, code: m[2], text: m[3], at: m[4]}
			if m[1] != "" {
				w.line++
			}
			out = append(out, w)
		}
	}
	return out
}

func (w want) met(d diag.Diagnostic, fsys fstest.MapFS) bool {
	if d.Code != w.code || d.Range.File != w.file || d.Range.Start.Line != w.line || !strings.Contains(d.Summary, w.text) {
		return false
	}
	return w.at == "" || sourceText(d.Range, fsys) == w.at
}

func sourceText(r diag.Range, fsys fstest.MapFS) string {
	f := fsys[r.File]
	if f == nil || r.End.Byte > len(f.Data) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return string(f.Data[r.Start.Byte:r.End.Byte])
}

func TestSpec(t *testing.T) {
	t.Parallel()
	used := 0
	err := filepath.WalkDir("testdata/spec", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		used++
		name := strings.TrimPrefix(filepath.ToSlash(path), "testdata/spec/")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec(t, path, loader.Options{})
		})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, used, 50)
}

func spec(t *testing.T, path string, opts loader.Options) {
	t.Helper()
	src, err := os.ReadFile(path)
	require.NoError(t, err)
	fsys := fstest.MapFS{"spec.hcl": {Data: src}}
	if strings.HasSuffix(path, ".txtar") {
		fsys = fstest.MapFS{}
		for _, f := range txtar.Parse(src).Files {
			fsys[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	var wants []want
	for name, f := range fsys {
		wants = append(wants, wantsOf(name, f.Data)...)
	}
	_, ds, err := loader.LoadFS(fsys, "/project", opts)
	require.NoError(t, err)
	for _, d := range ds {
		checkForm(t, d, fsys)
		met := false
		for i, w := range wants {
			if w.met(d, fsys) {
				wants = append(wants[:i], wants[i+1:]...)
				met = true
				break
			}
		}
		if !met {
			t.Errorf("not wanted: %s at %s %q: %s\n  detail: %s\n  hint: %s", d.Code, d.Range, sourceText(d.Range, fsys), d.Summary, d.Detail, d.Hint)
		}
	}
	for _, w := range wants {
		t.Errorf("wanted and not given: %s", w)
	}
	said(t, path, ds, fsys)
}

// said compares what a person reads with the record of it.
func said(t *testing.T, path string, ds diag.List, fsys fstest.MapFS) {
	t.Helper()
	record := strings.Replace(path, "spec", "said", 1) + ".txt"
	var b strings.Builder
	text := diag.Text{Max: 100, Source: func(file string) []byte { return fsys[file].Data }}
	require.NoError(t, text.Write(&b, ds))
	if os.Getenv("UPDATE_SPEC") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(record), 0o750))
		require.NoError(t, os.RemoveAll(record))
		if len(ds) > 0 {
			require.NoError(t, os.WriteFile(record, []byte(b.String()), 0o600))
		}
		return
	}
	want, err := os.ReadFile(record)
	if len(ds) > 0 {
		require.NoError(t, err, "UPDATE_SPEC=1 writes it")
	}
	require.Equal(t, string(want), b.String())
}

// checkForm holds for every diagnostic: a place inside its file, one line that begins in lower case or with a name, no
// full stop.
func checkForm(t *testing.T, d diag.Diagnostic, fsys fstest.MapFS) {
	t.Helper()
	require.NotEmpty(t, d.Code)
	require.NotEmpty(t, d.Summary)
	require.NotContains(t, d.Summary, "\n")
	require.False(t, strings.HasSuffix(d.Summary, "."), d.Summary)
	require.NotEmpty(t, d.Hint, "%s: what to do about it: %s", d.Code, d.Summary)
	for _, r := range append([]diag.Range{d.Range}, related(d)...) {
		f := fsys[r.File]
		require.NotNil(t, f, "%s: place in no file: %+v", d.Code, r)
		require.LessOrEqual(t, r.Start.Byte, r.End.Byte)
		require.LessOrEqual(t, r.End.Byte, len(f.Data))
		require.Equal(t, 1+bytes.Count(f.Data[:r.Start.Byte], []byte("\n")), r.Start.Line, "%s: %s", d.Code, d.Summary)
	}
}

func related(d diag.Diagnostic) []diag.Range {
	var out []diag.Range
	for _, r := range d.Related {
		out = append(out, r.Range)
	}
	return out
}
