package report_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden compares every face of three samples with the files of testdata/golden.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*story{"passed": passedDrill(t), "failed": failedDrill(t), "dry-run": readyDryRun(t)} {
		rec := s.record(t)
		r := s.report(t)
		for file, write := range map[string]func(io.Writer) error{
			"report.html":     r.HTML,
			"report.md":       r.Markdown,
			"report.json":     r.JSON,
			"run.json":        report.NewRunDocument(rec, "/runs/sample").JSON,
			"junit.xml":       r.JUnit,
			"units.csv":       r.CSV,
			"oscal.json":      r.OSCAL,
			"oscal-plan.json": r.OSCALPlan,
			"in-toto.json": func(w io.Writer) error {
				return r.InToto(w, report.Subject{Name: string(rec.Opened.Run) + "/SHA256SUMS", SHA256: digest("SHA256SUMS")})
			},
		} {
			t.Run(name+"/"+file, func(t *testing.T) {
				t.Parallel()
				var got bytes.Buffer
				require.NoError(t, write(&got))
				golden(t, filepath.Join("testdata", "golden", name, file), got.Bytes())
			})
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, got, 0o600))
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // a path of this test
	require.NoError(t, err, "run go test -update ./engine/report")
	require.Equal(t, string(want), string(got), "%s differs; run with -update when that is meant, and look at the difference", path)
}
