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

// goldenNames are the files of the formats.
var goldenNames = map[string]string{
	"html": "report.html", "md": "report.md", "json": "report.json", "junit": "junit.xml", "csv": "units.csv",
	"oscal": "oscal.json", "oscal-plan": "oscal-plan.json", "in-toto": "in-toto.json",
}

// TestGolden compares every face of three samples with the files of testdata/golden.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*story{"passed": passedDrill(t), "failed": failedDrill(t), "dry-run": readyDryRun(t), "rolled-back": rolledBackDrill(t)} {
		rec, r := s.record(t), s.report(t)
		subject := report.Subject{Name: string(rec.Opened.Run) + "/SHA256SUMS", SHA256: digest("SHA256SUMS")}
		faces := map[string]func(io.Writer) error{"run.json": report.NewRunDocument(rec, "/runs/sample").JSON}
		for _, format := range report.Formats() {
			faces[goldenNames[format]] = func(w io.Writer) error { return r.Write(w, format, subject) }
		}
		for file, write := range faces {
			t.Run(name+"/"+file, func(t *testing.T) {
				t.Parallel()
				var got bytes.Buffer
				require.NoError(t, write(&got))
				golden(t, filepath.Join("testdata", "golden", name, file), got.Bytes())
			})
		}
	}
}

func TestWrite_unknownFormat(t *testing.T) {
	t.Parallel()
	err := passedDrill(t).report(t).Write(io.Discard, "pdf", report.Subject{})
	require.ErrorContains(t, err, `unknown format "pdf"; one of html, md`)
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, got, 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update ./engine/report")
	require.Equal(t, string(want), string(got), "%s differs; run with -update when that is meant, and look at the difference", path)
}
