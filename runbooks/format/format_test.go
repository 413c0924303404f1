package format_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/continuo-runbooks/continuo/runbooks/format"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// testdata/*.txtar hold a file before and after.
func TestSource(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, path := range cases {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			files := txtar.Parse(src).Files
			require.Len(t, files, 2)
			got := formatted(t, visible(files[0].Data))
			require.Equal(t, string(visible(files[1].Data)), string(got))
		})
	}
}

// visible turns the signs that stand for what editors strip into themselves.
func visible(src []byte) []byte {
	return []byte(strings.NewReplacer("·", " ", "→", "\t", "¶", "\r").Replace(string(src)))
}

func formatted(t *testing.T, src []byte) []byte {
	t.Helper()
	got, ds, err := format.Source("test.hcl", src)
	require.NoError(t, err)
	require.Empty(t, ds)
	again, ds, err := format.Source("test.hcl", got)
	require.NoError(t, err)
	require.Empty(t, ds)
	require.Equal(t, string(got), string(again), "formatting is idempotent")
	return got
}

// Every file of the repository's projects is in canonical form already, and no file of the spec suite changes its meaning.
func TestSource_projects(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{
		"../catalog/templates/*/*.hcl", "../../examples/*/*.hcl", "../../examples/*/*/*.hcl", "../loader/testdata/spec/*/*.hcl",
	} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	require.Greater(t, len(files), 50)
	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(name)
			require.NoError(t, err)
			if loader.Syntax(name, src).HasErrors() {
				t.Skip("broken on purpose")
			}
			got := formatted(t, src)
			if !strings.Contains(name, "spec") {
				require.Equal(t, string(src), string(got))
			}
		})
	}
}

// Formatting never changes the fingerprint of an item.
func TestSource_fingerprints(t *testing.T) {
	t.Parallel()
	const ugly = `runbook "r" {
phase "p"   { # a phase
   hosts=control
env = {A="1",B   =   "2"}


  step "s" {
      argv=["echo","a"  ,
  "b"] // words
     verify{
       script = <<-EOT
         true
       EOT
     }
  }
}
}
`
	before := fingerprints(t, []byte(ugly))
	after := fingerprints(t, formatted(t, []byte(ugly)))
	require.Equal(t, before, after)
	changed := fingerprints(t, []byte(strings.Replace(ugly, `"b"]`, `"c"]`, 1)))
	require.NotEqual(t, before, changed)
	fromPhase := fingerprints(t, []byte(strings.Replace(ugly, `A="1"`, `A="3"`, 1)))
	require.NotEqual(t, before, fromPhase, "what an item has from its phase belongs to it")
}

func fingerprints(t *testing.T, src []byte) []string {
	t.Helper()
	p, ds, err := loader.LoadFS(fstest.MapFS{"a.hcl": {Data: src}}, "/p", loader.Options{})
	require.NoError(t, err)
	require.Empty(t, ds)
	var out []string
	for _, i := range p.Runbooks[0].AllItems() {
		require.Len(t, i.Fingerprint, 64)
		out = append(out, i.Fingerprint)
	}
	return out
}

func TestSource_broken(t *testing.T) {
	t.Parallel()
	got, ds, err := format.Source("a.hcl", []byte("host \"a\" {\n"))
	require.NoError(t, err)
	require.Nil(t, got)
	require.True(t, ds.HasErrors())
	_, ds, err = format.Source("a.hcl", []byte("a = "+strings.Repeat("(", 100_000)))
	require.NoError(t, err)
	require.Equal(t, "CON-G006", ds[0].Code)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"good.hcl":    {Data: []byte("host \"a\" {\n  address = \"a\"\n}\n")},
		"ugly.hcl":    {Data: []byte("host \"b\" {\naddress=\"b\"\n}\n")},
		"broken.hcl":  {Data: []byte("host {{\n")},
		"x.test.hcl":  {Data: []byte("test \"t\" {\n    runbook = \"r\"\n}\n")},
		"notes.txt":   {Data: []byte("a=1\n")},
		".hidden.hcl": {Data: []byte("a=1\n")},
		"sub/a.hcl":   {Data: []byte("a=1\n")},
	}
	changes, ds, err := format.Files(fsys)
	require.NoError(t, err)
	require.Len(t, ds, 1)
	require.Equal(t, "broken.hcl", ds[0].Range.File)
	require.Len(t, changes, 2)
	require.Equal(t, "ugly.hcl", changes[0].Path)
	require.Equal(t, "host \"b\" {\n  address = \"b\"\n}\n", string(changes[0].After))
	require.Equal(t, "x.test.hcl", changes[1].Path)
}

// What is no file of the language is reported before it is read: the first would fill the memory, the second wait for ever.
func TestFiles_neitherHugeNorPipes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "huge.hcl"), nil, 0o600))
	require.NoError(t, os.Truncate(filepath.Join(dir, "huge.hcl"), 64<<30))
	fsys := os.DirFS(dir)
	_, ds, err := format.Files(fsys)
	require.NoError(t, err)
	require.Len(t, ds, 1)
	require.Equal(t, "CON-G001", ds[0].Code)
	pipe := fstest.MapFS{"pipe.hcl": {Mode: fs.ModeNamedPipe}}
	_, ds, err = format.Files(pipe)
	require.NoError(t, err)
	require.Len(t, ds, 1)
	require.Equal(t, "CON-P004", ds[0].Code)
	require.NotEmpty(t, ds[0].Hint)
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before := "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm"
	after := "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nl\nm\n"
	require.Empty(t, format.Diff("x", []byte(before), []byte(before)))
	require.Equal(t, `--- x
+++ x (formatted)
@@ -1,5 +1,5 @@
 a
-b
+B
 c
 d
 e
@@ -8,6 +8,5 @@
 h
 i
 j
-k
 l
-m
\ No newline at end of file
+m
`, format.Diff("x", []byte(before), []byte(after)))
	require.Contains(t, format.Diff("x", nil, []byte("a\n")), "@@ -1,0 +1,1 @@\n+a\n")
	big := strings.Repeat("x\n", 3000)
	require.Contains(t, format.Diff("x", []byte(big), []byte(strings.Repeat("y\n", 3000))), "@@ -1,3000 +1,3000 @@")
}

func FuzzFormat(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txtar", "../loader/testdata/spec/*/*.hcl", "../catalog/templates/*/*.hcl"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, name := range files {
			src, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got, ds, err := format.Source("fuzz.hcl", src)
		require.NoError(t, err)
		if ds.HasErrors() {
			return
		}
		require.False(t, loader.Syntax("fuzz.hcl", got).HasErrors(), "the result is valid: %q", got)
		again, _, err := format.Source("fuzz.hcl", got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	})
}
