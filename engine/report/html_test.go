package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWriteSamples writes the samples as HTML to the directory in CONTINUO_REPORT_SAMPLES, to be looked at.
func TestWriteSamples(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CONTINUO_REPORT_SAMPLES")
	if dir == "" {
		t.Skip("set CONTINUO_REPORT_SAMPLES to a directory to get the samples as files")
	}
	for name, s := range samples(t) {
		var html bytes.Buffer
		require.NoError(t, s.report(t).HTML(&html))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".html"), html.Bytes(), 0o600))
		var md bytes.Buffer
		require.NoError(t, s.report(t).Markdown(&md))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".md"), md.Bytes(), 0o600))
	}
}
