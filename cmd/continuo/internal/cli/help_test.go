package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// everyCommand calls f for each command that a person can find.
func everyCommand(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			everyCommand(sub, f)
		}
	}
}

// TestEveryCommandHasHelpWithAnExample: the help of every command leads with an example that names it, and says what each
// of its flags is for.
func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	t.Parallel()
	n := 0
	everyCommand(newRoot(&app{env: Env{Lookup: func(string) (string, bool) { return "", false }}}), func(c *cobra.Command) {
		n++
		var out bytes.Buffer
		c.SetOut(&out)
		require.NoError(t, c.Help())
		require.NotEmpty(t, c.Short, c.CommandPath())
		require.Contains(t, out.String(), c.Example, c.CommandPath())
		require.Contains(t, c.Example, c.CommandPath(), "an example of %s", c.CommandPath())
		require.NotContains(t, out.String(), "\t\t", c.CommandPath())
		for _, l := range strings.Split(c.LocalFlags().FlagUsages(), "\n") {
			require.NotRegexp(t, `^ +(-., )?--\S+( \S+)?$`, l, "a flag of %s says nothing", c.CommandPath())
		}
	})
	require.Greater(t, n, 30)
}

// TestEveryExitCodeHasAScript: each code of the contract is produced by a script of the command line.
func TestEveryExitCodeHasAScript(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("../../testdata/script/*.txtar")
	require.NoError(t, err)
	var all strings.Builder
	for _, s := range scripts {
		data, err := os.ReadFile(s)
		require.NoError(t, err)
		all.Write(data)
	}
	for _, code := range []Code{OK, Fail, Usage, Invalid, Refused, Held, BadEvidence, Aborted, Defect} {
		require.Regexp(t, fmt.Sprintf(`(?m)^(exits|exited) %d\b`, code), all.String(), "exit code %d", code)
		require.Contains(t, exitCodesText, fmt.Sprintf("\n%4d  ", code))
	}
}

func TestManualPages(t *testing.T) {
	t.Parallel()
	root := newRoot(&app{env: Env{Lookup: func(string) (string, bool) { return "", false }}})
	dir := t.TempDir()
	require.NoError(t, writeManual(root, dir))
	everyCommand(root, func(c *cobra.Command) {
		page, err := os.ReadFile(filepath.Join(dir, manName(c)+".1"))
		require.NoError(t, err)
		for _, want := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES", ".SH EXIT STATUS"} {
			require.Contains(t, string(page), want, c.CommandPath())
		}
		require.NotRegexp(t, `(?m)^'`, string(page), "a request that none is")
	})
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("no groff: nobody renders the pages here")
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	require.NoError(t, err)
	cmd := exec.CommandContext(context.Background(), groff, append([]string{"-man", "-Tascii", "-ww", "-z"}, pages...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out), "groff warns")
}
