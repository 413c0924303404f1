package examples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// projects are the directories of the examples that hold a project.
func projects(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*/*.hcl", "*/*/*.hcl", "../runbooks/catalog/templates/*/*.hcl"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, f := range files {
			if dir := filepath.Dir(f); len(out) == 0 || out[len(out)-1] != dir {
				out = append(out, dir)
			}
		}
	}
	require.Greater(t, len(out), 10)
	return out
}

// Formatting brings every example back to the same bytes, however it was spaced, twice the same, and neither spacing nor
// formatting changes the digest of any plan.
func TestFormat_examples(t *testing.T) {
	t.Parallel()
	for _, dir := range projects(t) {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(dir, "../runbooks/catalog/"), "/", "-"), func(t *testing.T) {
			t.Parallel()
			p := copyExample(t, dir, t.TempDir())
			before, digests := p.files(), p.digests()
			require.NotEmpty(t, digests)
			p.continuo(0, "fmt", "--check")
			for name, text := range before {
				require.NoError(t, os.WriteFile(filepath.Join(p.dir, name), []byte(spaced(text)), 0o600))
			}
			require.NotEqual(t, before, p.files())
			require.Equal(t, digests, p.digests(), "spaces have no meaning")
			require.NotEmpty(t, p.continuo(1, "fmt", "--check"))
			require.Contains(t, p.continuo(0, "fmt", "--diff"), "+++ ")
			for range 2 {
				p.continuo(0, "fmt")
				require.Equal(t, before, p.files())
			}
			require.Equal(t, digests, p.digests())
		})
	}
}

// files are the project's *.hcl files.
func (p *project) files() map[string]string {
	p.t.Helper()
	names, err := filepath.Glob(filepath.Join(p.dir, "*.hcl"))
	require.NoError(p.t, err)
	out := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(p.t, err)
		out[filepath.Base(name)] = string(data)
	}
	return out
}

// digests are those of the plans of all runbooks.
func (p *project) digests() map[string]string {
	p.t.Helper()
	out := map[string]string{}
	for _, name := range runbooksIn(p.t, p.dir) {
		args := []string{"plan", name, "--json"}
		for _, known := range procedures {
			for _, v := range known.vars {
				if known.runbook == name {
					args = append(args, "--var", v)
				}
			}
		}
		var plan struct{ Digest string }
		require.NoError(p.t, json.Unmarshal([]byte(p.continuo(0, args...)), &plan))
		require.NotEmpty(p.t, plan.Digest)
		out[name] = plan.Digest
	}
	return out
}

var (
	heredoc   = regexp.MustCompile(`<<-?([A-Z]+)$`)
	attribute = regexp.MustCompile(`^( +)([a-z_]+) += `)
)

// spaced writes a file with other spaces than the canonical ones, outside texts of many lines.
func spaced(text string) string {
	var out strings.Builder
	end := ""
	for line := range strings.Lines(text) {
		bare := strings.TrimSuffix(line, "\n")
		switch {
		case end != "":
			if strings.TrimSpace(bare) == end {
				end = ""
			}
			out.WriteString(line)
			continue
		case heredoc.MatchString(bare):
			end = heredoc.FindStringSubmatch(bare)[1]
		}
		bare = attribute.ReplaceAllString(bare, "$1$1 $2=")
		if end == "" && bare != "" {
			bare += "  "
		}
		out.WriteString(bare + "\n")
		if bare == "" {
			out.WriteString("\n\n")
		}
	}
	return out.String()
}
