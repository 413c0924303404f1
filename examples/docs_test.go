package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tours in the documents are executed: every line of a ```console block that begins with "$ " runs in a copy of the
// quickstart, in order, and must end with exit code 0, or with the N of a trailing "# exit N". Lines of output that a
// block shows must be printed, with "…" for what differs from run to run.
func TestDocs_toursRun(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"the project's README": "../README.md", "the quickstart's README": "quickstart/README.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			steps := tour(string(text))
			require.NotEmpty(t, steps, "%s has no console block", file)

			p := copyExample(t, "quickstart", t.TempDir())
			p.replace("project.hcl", `22201`, freePort(t, "127.0.0.1"))
			p.replace("project.hcl", `22202`, freePort(t, "127.0.0.1"))
			p.env = append(p.env, "PATH="+filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"), "CI=")
			t.Cleanup(func() { p.exec(binary, "lab", "down") })
			for _, s := range steps {
				p.follow(s)
			}
		})
	}
}

type tourStep struct {
	command string
	code    int
	shows   []string
}

var (
	consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	exitNote     = regexp.MustCompile(`\s+#.*?\bexit (\d+)\b.*$`)
	comment      = regexp.MustCompile(`\s{2,}#.*$`)
)

func tour(text string) []tourStep {
	var out []tourStep
	for _, block := range consoleBlock.FindAllStringSubmatch(text, -1) {
		for line := range strings.SplitSeq(strings.TrimRight(block[1], "\n"), "\n") {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				if len(out) > 0 && strings.TrimSpace(line) != "" {
					out[len(out)-1].shows = append(out[len(out)-1].shows, line)
				}
				continue
			}
			s := tourStep{}
			if m := exitNote.FindStringSubmatch(command); m != nil {
				s.code, _ = strconv.Atoi(m[1])
			}
			s.command = comment.ReplaceAllString(command, "")
			out = append(out, s)
		}
	}
	return out
}

// follow runs one step as a person would who answers the question of a live run beforehand.
func (p *project) follow(s tourStep) {
	p.t.Helper()
	if strings.HasPrefix(s.command, "make") || strings.HasPrefix(s.command, "ssh ") {
		return // the one is what runs this test; the other has its own in package lab
	}
	command := s.command
	if strings.Contains(command, "--live") && !strings.Contains(command, "--yes") {
		command = strings.Replace(command, "--live", "--live --yes", 1)
	}
	out, errOut, code := p.exec("/bin/sh", "-c", command)
	require.Equal(p.t, s.code, code, "$ %s\n%s%s", s.command, out, errOut)
	for _, want := range s.shows {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", ".*")
		require.Regexp(p.t, pattern, out+errOut, "$ %s", s.command)
	}
}

// The taste of the language in the project's README is a phase of a runbook that validates.
func TestDocs_tasteOfTheLanguageValidates(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	m := regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$").FindStringSubmatch(string(text))
	require.NotNil(t, m, "README.md has no hcl block")
	p := copyExample(t, "quickstart", t.TempDir())
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, "taste.hcl"), []byte(`
host "db-b1" {
  address = "10.2.0.11"
}
runbook "taste" {
  title = "A taste"
  variable "max_lag" {
    type    = number
    default = 30
  }
`+m[1]+"}\n"), 0o600))
	p.continuo(0, "validate")
}

func TestTour_readsCommandsCodesAndOutput(t *testing.T) {
	t.Parallel()
	got := tour("text\n```console\n$ continuo plan x      # what would happen\nPlan of …\n\n$ continuo verify y  # exit 6, it was changed\n```\n")
	require.Equal(t, []tourStep{{command: "continuo plan x", shows: []string{"Plan of …"}}, {command: "continuo verify y", code: 6}}, got)
}
