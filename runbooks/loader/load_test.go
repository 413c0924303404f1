package loader_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// Every example of the repository is a valid project of the whole language.
func TestLoad_examples(t *testing.T) {
	t.Parallel()
	var dirs []string
	for _, pattern := range []string{"../../examples/*", "../../examples/*/*"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, d := range found {
			if files, _ := filepath.Glob(filepath.Join(d, "*.hcl")); len(files) > 0 {
				dirs = append(dirs, d)
			}
		}
	}
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			p, ds, err := loader.Load(dir, loader.Options{AllowLater: true})
			require.NoError(t, err)
			for _, d := range ds {
				t.Errorf("%s %s: %s (%s) %s", d.Code, d.Range, d.Summary, d.Detail, d.Hint)
			}
			if !ds.HasErrors() {
				require.NotNil(t, p)
				require.NotEmpty(t, p.Runbooks)
			}
		})
	}
	_ = os.Stdout
}
