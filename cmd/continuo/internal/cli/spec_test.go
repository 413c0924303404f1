package cli

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// TestSpec: testdata/spec/*.txtar are projects with what is wanted of them in comments, in the form of the loader's suite,
// for what only a command finds: `# want CON-W001 "text"` at the end of a line is a finding on that line, with that text in
// its summary. The archive's first line is the command. A finding without a place in a *.hcl file is wanted in the lines
// after it. Every finding must be wanted, and every want be met.
func TestSpec(t *testing.T) {
	t.Parallel()
	for _, name := range specFiles(t, "testdata/spec") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			require.NoError(t, err)
			command, loose, _ := strings.Cut(string(archive.Comment), "\n")
			files := map[string][]byte{}
			wanted := specWants("", loose)
			for _, f := range archive.Files {
				files[f.Name] = f.Data
				wanted = append(wanted, specWants(f.Name, string(f.Data))...)
			}
			for _, got := range specFindings(t, files, strings.TrimPrefix(command, "$ ")) {
				n := -1
				for k, w := range wanted {
					if w.file == got.file && w.line == got.line && w.code == got.code && strings.Contains(got.text, w.text) {
						n = k
					}
				}
				require.GreaterOrEqual(t, n, 0, "not wanted: %+v", got)
				wanted = append(wanted[:n], wanted[n+1:]...)
			}
			require.Empty(t, wanted, "wanted and not given")
		})
	}
}

// finding is a want or what was found. Without a place in a *.hcl file it has no file and no line.
type finding struct {
	file string
	line int
	code string
	text string
}

var wantComment = regexp.MustCompile(`# want (CON-[A-Z][0-9]{3})(?: "([^"]*)")?`)

func specWants(file, text string) []finding {
	var out []finding
	for n, line := range strings.Split(text, "\n") {
		for _, m := range wantComment.FindAllStringSubmatch(line, -1) {
			f := finding{file: file, line: n + 1, code: m[1], text: m[2]}
			if file == "" {
				f.line = 0
			}
			out = append(out, f)
		}
	}
	return out
}

// specFindings are what the command finds. A run names codes in its messages, an exploration in its findings.
func specFindings(t *testing.T, files map[string][]byte, command string) []finding {
	t.Helper()
	if strings.HasPrefix(command, "continuo run ") {
		stdout, stderr, _ := executed(t, files, command)
		m := regexp.MustCompile(`not reached +\S+ on \S+: (\S+?):(\d+):\d+: (.*) \((CON-E\d+)\)`).FindStringSubmatch(stdout + stderr)
		require.NotNil(t, m, "%s\n%s", stdout, stderr)
		line := 0
		require.NoError(t, json.Unmarshal([]byte(m[2]), &line))
		return []finding{{m[1], line, m[4], m[3]}}
	}
	stdout, stderr, _ := executed(t, files, command+" --json")
	var doc struct {
		Diagnostics []struct {
			Code, Summary, File, Hint string
			Line                      int
		}
		Findings []struct{ Code, Why string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &doc), "%s\n%s", stdout, stderr)
	var out []finding
	for _, d := range doc.Diagnostics {
		require.NotEmpty(t, d.Hint, "%s: what to do", d.Summary)
		f := finding{d.File, d.Line, d.Code, d.Summary}
		if files[d.File] == nil {
			f.file, f.line = "", 0
		}
		out = append(out, f)
	}
	for _, f := range doc.Findings {
		out = append(out, finding{code: f.Code, text: f.Why})
	}
	return out
}

func specFiles(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, path)
		}
		return err
	}))
	require.NotEmpty(t, out)
	return out
}

// TestSpec_everyCode: for every code there is a file, here or in the loader's suite, that gives it, and one that shows how it is
// right, which is every file of a suite that wants nothing of the code.
func TestSpec_everyCode(t *testing.T) {
	t.Parallel()
	elsewhere := map[string]string{
		"CON-G001": "a file of a MiB: its explanation is executed", "CON-G007": "200,000 tokens: its explanation is executed",
		"CON-G010": "1,001 problems: its explanation is executed", "CON-E099": "a defect: expr.TestDefect",
	}
	given := map[string]bool{}
	for _, root := range []string{"testdata/spec", "../../../../runbooks/loader/testdata/spec"} {
		for _, name := range specFiles(t, root) {
			src, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range regexp.MustCompile(`want(?:-next)? (CON-[A-Z][0-9]{3})`).FindAllStringSubmatch(string(src), -1) {
				given[m[1]] = true
			}
		}
	}
	table, err := codes()
	require.NoError(t, err)
	for _, d := range table.All() {
		_, excused := elsewhere[d.Code]
		require.True(t, given[d.Code] || excused, "no file of a suite gives %s", d.Code)
		require.False(t, given[d.Code] && excused, "%s is given after all", d.Code)
	}
}
