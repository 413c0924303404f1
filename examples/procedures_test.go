package examples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// waiting are procedures that use what the engine cannot execute yet: validate says so.
var waiting = map[string]string{
	"rolling-restart": "rollouts of whole phases come in a later version",
}

// Every procedure validates without a warning, is written in the canonical form, and plans with what a person would give.
func TestProcedures_validateAndPlan(t *testing.T) {
	t.Parallel()
	vars := map[string][]string{
		"remove-replica":         {"--var", "target=patroni-04"},
		"restore-replica":        {"--var", "target=patroni-04"},
		"restore-drill":          {"--var", "target_time=2026-11-20T14:05:00Z"},
		"wrong-backup-must-fail": {"--var", "target_time=2026-11-20T14:05:00Z", "--var", "later_backup=20261121-F"},
		"drain-zone":             {"--var", "zone=d"},
		"replace-replicas":       {"--var", "zone=d", "--var", "max_snapshot_age_h=6"},
	}
	dirs, err := filepath.Glob("procedures/*/project.hcl")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(dirs), 9)
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			p := copyExample(t, dir, t.TempDir())
			if why, ok := waiting[filepath.Base(dir)]; ok {
				_, errOut, code := p.exec(binary, "validate")
				require.Equal(t, 3, code)
				require.Contains(t, errOut, why)
				return
			}
			p.continuo(0, "validate", "--strict")
			p.continuo(0, "fmt", "--check")
			names := runbooksIn(t, p.dir)
			require.NotEmpty(t, names)
			for _, name := range names {
				var plan struct {
					Digest string
					Items  []struct{ ID, Disposition string }
				}
				out := p.continuo(0, append([]string{"plan", name, "--json"}, vars[name]...)...)
				require.NoError(t, json.Unmarshal([]byte(out), &plan))
				require.NotEmpty(t, plan.Items, name)
				require.Regexp(t, `^sha256:[0-9a-f]{64}$`, plan.Digest)
			}
		})
	}
}

var runbookBlock = regexp.MustCompile(`(?m)^runbook "([^"]+)" \{`)

// runbooksIn are the names of the runbooks of a project, read from its files.
func runbooksIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	require.NoError(t, err)
	var out []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, m := range runbookBlock.FindAllStringSubmatch(string(data), -1) {
			out = append(out, m[1])
		}
	}
	return out
}
