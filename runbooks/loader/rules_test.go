package loader_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// rule is a row of testdata/RULES.md.
type rule struct {
	text          string
	shown, broken []string
}

func rules(t *testing.T) []rule {
	t.Helper()
	src, err := os.ReadFile("testdata/RULES.md")
	require.NoError(t, err)
	var out []rule
	for line := range strings.Lines(string(src)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || strings.Contains(line, "**") || strings.HasPrefix(line, "| rule") {
			continue
		}
		out = append(out, rule{strings.TrimSpace(cells[0]), names(cells[1]), names(cells[2])})
	}
	return out
}

func names(cell string) []string {
	var out []string
	for name := range strings.SplitSeq(cell, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// Each rule of the language has something that shows it and something that breaks it, and both are there.
func TestRules(t *testing.T) {
	t.Parallel()
	all := rules(t)
	require.Greater(t, len(all), 80)
	tests := testsOfTheRepository(t)
	used := map[string]bool{}
	for _, r := range all {
		require.NotEmpty(t, r.shown, r.text)
		require.NotEmpty(t, r.broken, r.text)
		breaks := false
		for _, name := range append(r.shown, r.broken...) {
			if pkg, test, ok := strings.Cut(name, ".Test"); ok {
				require.Contains(t, tests[pkg], "Test"+test, "%s: no such test", r.text)
				continue
			}
			used[name] = true
			_, err := os.Stat(filepath.Join("testdata/spec", name))
			require.NoError(t, err, r.text)
		}
		for _, name := range r.broken {
			breaks = breaks || strings.Contains(name, ".Test") || wanted(t, name) != nil
		}
		require.True(t, breaks, "%s: nothing breaks it", r.text)
	}
	for _, name := range specs(t) {
		require.True(t, used[name], "%s shows or breaks no rule of RULES.md", name)
	}
	require.NoError(t, fs.WalkDir(os.DirFS("testdata/said"), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			require.True(t, used[strings.TrimSuffix(path, ".txt")], "%s is about no file of the suite", path)
		}
		return err
	}))
}

// specs are the files of the suite.
func specs(t *testing.T) []string {
	t.Helper()
	var out []string
	require.NoError(t, fs.WalkDir(os.DirFS("testdata/spec"), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, path)
		}
		return err
	}))
	return out
}

var wantedCode = regexp.MustCompile(`want(?:-next)? (CON-[A-Z][0-9]{3})`)

// wanted are the codes that a file wants.
func wanted(t *testing.T, name string) []string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata/spec", name))
	require.NoError(t, err)
	var out []string
	for _, m := range wantedCode.FindAllStringSubmatch(string(src), -1) {
		out = append(out, m[1])
	}
	return out
}

// testsOfTheRepository are the names of all tests, by the name of their package.
func testsOfTheRepository(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	function := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	clause := regexp.MustCompile(`(?m)^package ([a-z]+)`)
	for _, root := range []string{"../../cmd", "../../engine", "../../runbooks"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			pkg := strings.TrimSuffix(string(clause.FindSubmatch(src)[1]), "_test")
			for _, m := range function.FindAllSubmatch(src, -1) {
				out[pkg] = append(out[pkg], string(m[1]))
			}
			return nil
		}))
	}
	return out
}

// Each code has a file of the suite that gives it. Those that validate does not give have theirs beside the tests of the
// command line, which hold them to the same; the others are named here, with why.
func TestRules_everyCode(t *testing.T) {
	t.Parallel()
	elsewhere := map[string]string{
		"CON-E007": "found in a run", "CON-E020": "found by plan", "CON-V001": "found by plan", "CON-V002": "found by plan",
		"CON-P001": "a project without files has no place for a comment",
		"CON-E099": "a defect: TestDefect", "CON-G001": "a file of a MiB: TestDocs_examples", "CON-G007": "200,000 tokens: TestDocs_examples",
		"CON-G010": "1,001 problems: TestDocs_examples",
	}
	given := map[string]bool{}
	for _, name := range specs(t) {
		for _, code := range wanted(t, name) {
			given[code] = true
		}
	}
	for _, docs := range [][]diag.Doc{expr.Docs(), scope.Docs(), loader.Docs()} {
		for _, d := range docs {
			_, excused := elsewhere[d.Code]
			require.True(t, given[d.Code] || excused, "no file of the suite gives %s", d.Code)
			require.False(t, excused && given[d.Code], "%s is given after all", d.Code)
			require.NotEmpty(t, d.Right, d.Code)
			require.NotEmpty(t, d.Wrong, d.Code)
		}
	}
}
