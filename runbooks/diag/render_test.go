package diag_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// at makes the range of the first part in the source.
func at(t testing.TB, file, src, part string) diag.Range {
	t.Helper()
	i := strings.Index(src, part)
	require.GreaterOrEqual(t, i, 0, part)
	pos := func(i int) diag.Pos {
		line := strings.LastIndexByte(src[:i], '\n') + 1
		return diag.Pos{Line: strings.Count(src[:i], "\n") + 1, Column: len([]rune(src[line:i])) + 1, Byte: i}
	}
	return diag.Range{File: file, Start: pos(i), End: pos(i + len(part))}
}

func source(files map[string]string) func(string) []byte {
	return func(name string) []byte {
		if s, ok := files[name]; ok {
			return []byte(s)
		}
		return nil
	}
}

func render(t testing.TB, text diag.Text, l ...diag.Diagnostic) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, text.Write(&b, l))
	return b.String()
}

func TestText(t *testing.T) {
	t.Parallel()
	src := "runbook \"payments-failover\" {\n  phase \"p\" {\n    step \"promote\" {\n      after = [check.replicaton]\n    }\n  }\n}\n"
	d := diag.Diagnostic{
		Severity: diag.Error, Code: "CON-R012", Summary: `step "promote" refers to an unknown check`,
		Hint: "did you mean check.replication (payments.hcl:6)?", Context: `runbook "payments-failover"`,
		Range: at(t, "payments.hcl", src, "check.replicaton"),
	}
	require.Equal(t, `error[CON-R012]: step "promote" refers to an unknown check
  --> payments.hcl:4:16, in runbook "payments-failover"
   4 |       after = [check.replicaton]
     |                ^^^^^^^^^^^^^^^^
   hint: did you mean check.replication (payments.hcl:6)?
`, render(t, diag.Text{Source: source(map[string]string{"payments.hcl": src})}, d))
}

func TestTextWithRelatedPlaces(t *testing.T) {
	t.Parallel()
	src := strings.Repeat("\n", 8) + "step \"a\" {}\n" + strings.Repeat("\n", 90) + "step \"a\" {}\n"
	byteAt := strings.LastIndex(src, "step")
	second := diag.Range{File: "a.hcl", Start: diag.Pos{Line: 100, Column: 1, Byte: byteAt}, End: diag.Pos{Line: 100, Column: 9, Byte: byteAt + 8}}
	d := diag.Diagnostic{
		Severity: diag.Warning, Code: "CON-R001", Summary: "two steps have one name", Detail: "Names are unique.\nIn all phases together.",
		Range: second, Related: []diag.Related{{Message: "the first one", Range: at(t, "a.hcl", src, `step "a"`)}},
	}
	require.Equal(t, `warning[CON-R001]: two steps have one name
  --> a.hcl:100:1
   100 | step "a" {}
       | ^^^^^^^^
  ::: a.hcl:9:1: the first one
     9 | step "a" {}
       | ^^^^^^^^
   Names are unique.
   In all phases together.
`, render(t, diag.Text{Source: source(map[string]string{"a.hcl": src})}, d))
}

func TestSnippets(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ src, part, line, carets string }{
		"tab":             {"\tx = bad\n", "bad", "    x = bad", "        ^^^"},
		"tab inside":      {"a\tbad\n", "bad", "a   bad", "    ^^^"},
		"wide characters": {"名前 = bad\n", "bad", "名前 = bad", "       ^^^"},
		"wide place":      {"x = 名前\n", "名前", "x = 名前", "    ^^^^"},
		"combining":       {"e\u0301 = bad\n", "bad", "e\u0301 = bad", "    ^^^"},
		"escape":          {"x = \"\x1b[2Jbad\"\n", "bad", `x = "␛[2Jbad"`, "         ^^^"},
		"bidi":            {"x = \"\u202ebad\"\n", "bad", `x = "<U+202E>bad"`, "             ^^^"},
		"zero width":      {"x\u200b = bad\n", "bad", "x<U+200B> = bad", "            ^^^"},
		"not UTF-8":       {"x = \xffbad\n", "bad", `x = \xffbad`, "        ^^^"},
		"carriage return": {"x = bad\r\n", "bad", "x = bad", "    ^^^"},
		"inner return":    {"x = \rbad\n", "bad", "x = ␍bad", "     ^^^"},
		"two lines":       {"x = [\n  1\n]\n", "[\n  1\n]", "x = [", "    ^"},
		"empty place":     {"x = \n", "", "x =", "^"},
		"last line":       {"x = bad", "bad", "x = bad", "    ^^^"},
		"NUL":             {"x = \x00bad\n", "bad", "x = ␀bad", "     ^^^"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render(t, diag.Text{Source: source(map[string]string{"x.hcl": tt.src})},
				diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: "s", Range: at(t, "x.hcl", tt.src, tt.part)})
			lines := strings.Split(got, "\n")
			require.Len(t, lines, 5)
			require.Equal(t, "   1 | "+tt.line, lines[2])
			require.Equal(t, "     | "+tt.carets, lines[3])
		})
	}
}

func TestLongLinesAreWindowed(t *testing.T) {
	t.Parallel()
	src := "x = \"" + strings.Repeat("a", 5000) + "bad" + strings.Repeat("b", 5000) + "\"\n"
	for _, width := range []int{30, 40, 80, 200} {
		got := render(t, diag.Text{Width: width, Source: source(map[string]string{"x.hcl": src})},
			diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: "s", Range: at(t, "x.hcl", src, "bad")})
		lines := strings.Split(got, "\n")
		require.LessOrEqual(t, diag.Width(lines[2]), width)
		column := strings.IndexRune(lines[3], '^')
		require.Equal(t, "^^^", strings.TrimSpace(lines[3][column:]))
		require.Equal(t, "bad", string([]rune(lines[2])[column:column+3]), lines[2])
		require.Contains(t, lines[2], "| …")
		require.True(t, strings.HasSuffix(lines[2], "…"))
	}
}

func TestLongPlaceIsCutWithItsWindow(t *testing.T) {
	t.Parallel()
	src := "x = " + strings.Repeat("a", 5000) + "\n"
	got := render(t, diag.Text{Width: 60, Source: source(map[string]string{"x.hcl": src})},
		diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: "s", Range: at(t, "x.hcl", src, strings.Repeat("a", 5000))})
	for line := range strings.Lines(got) {
		require.LessOrEqual(t, diag.Width(strings.TrimSuffix(line, "\n")), 60, line)
	}
}

func TestHugeTextsAreBounded(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 1<<20)
	src := huge + "bad" + huge
	got := render(t, diag.Text{Width: 60, Source: source(map[string]string{"x.hcl": src})},
		diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: huge, Detail: huge, Hint: huge, Context: huge, Range: at(t, "x.hcl", src, "bad")})
	require.Less(t, len(got), 20_000)
	require.Contains(t, got, "bad")
	for _, line := range strings.Split(got, "\n")[2:4] {
		require.LessOrEqual(t, diag.Width(line), 60)
	}
}

func TestNothingReachesTheTerminalRaw(t *testing.T) {
	t.Parallel()
	evil := "\x1b]0;owned\x07\u202e\u200b\x9b\xff\r\n"
	d := diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: evil, Detail: evil, Hint: evil, Context: evil,
		Range:   diag.Range{File: "a" + evil, Start: diag.Pos{Line: 1, Column: 1}, End: diag.Pos{Line: 1, Column: 3, Byte: 2}},
		Related: []diag.Related{{Message: evil, Range: diag.Range{File: evil, Start: diag.Pos{Line: 1, Column: 1}}}}}
	got := render(t, diag.Text{Source: func(string) []byte { return []byte(evil) }}, d)
	for _, r := range got {
		require.False(t, r != '\n' && r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' || r == '\u200b' || r == '\ufffd', "%q", got)
	}
	require.Contains(t, d.String(), "␛")
}

func TestHiddenFilesAreNamedAndNotShown(t *testing.T) {
	t.Parallel()
	src := `password = "hunter2"`
	text := diag.Text{Source: source(map[string]string{"s.hcl": src}), Hidden: func(f string) bool { return f == "s.hcl" }}
	got := render(t, text, diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: "s", Range: at(t, "s.hcl", src, "hunter2")})
	require.Contains(t, got, "s.hcl:1:13")
	require.NotContains(t, got, "hunter2")
}

func TestSourceThatIsAnotherOne(t *testing.T) {
	t.Parallel()
	d := diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: "s",
		Range: diag.Range{File: "x", Start: diag.Pos{Line: 2, Column: 3, Byte: 4000}, End: diag.Pos{Line: 2, Column: 9, Byte: 4006}}}
	for _, src := range []string{"", "a", "a\n", "a\nbcdef\n", "a\nb", strings.Repeat("x", 9000)} {
		got := render(t, diag.Text{Source: func(string) []byte { return []byte(src) }}, d)
		require.Contains(t, got, "--> x:2:3", src)
		require.LessOrEqual(t, strings.Count(got, "^"), 1, got)
	}
	require.NotContains(t, render(t, diag.Text{}, d), "|")
}

func TestAtMostTwenty(t *testing.T) {
	t.Parallel()
	var l diag.List
	for i := range 30 {
		sev := diag.Error
		if i >= 25 {
			sev = diag.Warning
		}
		l = append(l, diag.Diagnostic{Severity: sev, Code: "C", Summary: fmt.Sprintf("n%02d", i),
			Range: diag.Range{File: "x", Start: diag.Pos{Line: i + 1, Column: 1, Byte: i}}})
	}
	got := render(t, diag.Text{}, l...)
	require.Equal(t, 20, strings.Count(got, "[C]"))
	require.True(t, strings.HasSuffix(got, "\n… and 10 more, 5 errors among them\n"), got)
	require.True(t, strings.HasSuffix(render(t, diag.Text{Max: 29}, l...), "… and 1 more\n"))
	require.True(t, strings.HasSuffix(render(t, diag.Text{Max: 24}, l...), "… and 6 more, 1 error among them\n"))
	require.NotContains(t, render(t, diag.Text{Max: 30}, l...), "more")
	require.Empty(t, render(t, diag.Text{}))
}

func TestSortedAndWithoutRepetitions(t *testing.T) {
	t.Parallel()
	d := func(file string, line int, summary string) diag.Diagnostic {
		return diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: summary,
			Range: diag.Range{File: file, Start: diag.Pos{Line: line, Column: 1, Byte: line * 10}}}
	}
	got := render(t, diag.Text{}, d("b", 1, "x"), d("a", 9, "y"), d("a", 2, "z"), d("a", 9, "y"))
	require.Equal(t, "error[C]: z\n  --> a:2:1\n\nerror[C]: y\n  --> a:9:1\n\nerror[C]: x\n  --> b:1:1\n", got)
}

func TestStyleIsGivenEveryPart(t *testing.T) {
	t.Parallel()
	seen := map[diag.Role]bool{}
	src := "x = bad\n"
	text := diag.Text{Source: source(map[string]string{"x.hcl": src}), Style: func(r diag.Role, s string) string {
		seen[r] = true
		return s
	}}
	d := diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: "s", Hint: "h", Range: at(t, "x.hcl", src, "bad")}
	plain := render(t, diag.Text{Source: text.Source}, d)
	require.Equal(t, plain, render(t, text, d))
	d.Severity = diag.Warning
	render(t, text, d)
	for r := diag.RoleError; r <= diag.RoleHint; r++ {
		require.True(t, seen[r], r)
	}
}

func TestParagraphsAreWrapped(t *testing.T) {
	t.Parallel()
	d := diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: "s", Detail: strings.Repeat("word ", 40),
		Hint: "see " + strings.Repeat("x", 120) + " there"}
	got := render(t, diag.Text{Width: 60}, d)
	for line := range strings.Lines(got) {
		if !strings.Contains(line, "xxx") {
			require.LessOrEqual(t, len(line), 61, line)
		}
	}
	require.Contains(t, got, "   hint: see\n         "+strings.Repeat("x", 120)+"\n         there\n")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterErrors(t *testing.T) {
	t.Parallel()
	l := diag.List{{Severity: diag.Error, Code: "C", Summary: "s"}}
	require.EqualError(t, diag.Text{}.Write(brokenWriter{}, l), "disk full")
	require.EqualError(t, diag.SARIF{}.Write(brokenWriter{}, l), "disk full")
}

func FuzzText(f *testing.F) {
	f.Add("x = bad\n", 4, 7, 80)
	f.Add("\t名\x1b\u202e\xff\n\n", 1, 99, 30)
	f.Fuzz(func(t *testing.T, src string, start, end, width int) {
		pos := func(i int) diag.Pos {
			i = max(0, min(i, len(src)))
			return diag.Pos{Line: strings.Count(src[:i], "\n") + 1, Column: i + 1, Byte: i}
		}
		text := diag.Text{Width: width % 300, Source: func(string) []byte { return []byte(src) }}
		got := render(t, text, diag.Diagnostic{Severity: diag.Error, Code: "C", Summary: src, Detail: src,
			Range: diag.Range{File: "x", Start: pos(start), End: pos(end)}})
		for _, r := range got {
			if r != '\n' && r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
				t.Fatalf("control character %U in %q", r, got)
			}
		}
	})
}
