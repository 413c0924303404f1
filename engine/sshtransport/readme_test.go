package sshtransport_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of the forty cases has a row for each, and every test that it names exists.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	name := regexp.MustCompile("`([^`]+)`")
	next := 1
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.TrimSpace(cells[1]) != strconv.Itoa(next) {
			continue
		}
		names := name.FindAllStringSubmatch(cells[3], -1)
		require.NotEmpty(t, names, "case %d names no proof", next)
		for _, n := range names {
			require.True(t, proves(t, n[1]), "case %d: there is no %s", next, n[1])
		}
		next++
	}
	require.Equal(t, 41, next, "the row of this case is missing, or has not three columns")
}

// proves reports whether a name of the table is a test, a case of the conformance suite, or a target of the Makefile.
func proves(t *testing.T, name string) bool {
	t.Helper()
	if target, ok := strings.CutPrefix(name, "make "); ok {
		return contains(t, filepath.Join("..", "..", "Makefile"), "\n"+target+":")
	}
	if regexp.MustCompile(`^\d\d `).MatchString(name) {
		return contains(t, filepath.Join("..", "transporttest", "*.go"), `"`+name+`"`)
	}
	dir := "."
	if pkg, test, ok := strings.Cut(name, "."); ok {
		dir, name = filepath.Join("..", pkg), test
		if pkg == "view" {
			dir = filepath.Join("..", "..", "cmd", "continuo", "internal", pkg)
		}
	}
	return contains(t, filepath.Join(dir, "*_test.go"), "\nfunc "+name+"(")
}

func contains(t *testing.T, pattern, what string) bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		if strings.Contains(string(data), what) {
			return true
		}
	}
	return false
}
