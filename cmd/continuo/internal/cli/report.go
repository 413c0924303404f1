package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/report"
)

func reportCommand(a *app) *cobra.Command {
	var format, output, zone string
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "The report of a run, in the form that its reader wants",
		Example: `  continuo report @latest --format html --output report.html
  continuo report @latest --format md
  continuo report @latest --format junit --output junit.xml`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, report.Formats()...); err != nil {
				return err
			}
			l, err := a.loadRun(args[0])
			if err != nil {
				return err
			}
			r, err := report.Build(l.Record, report.Options{Timezone: zone})
			if err != nil {
				return fail(Usage, err, "--timezone takes an IANA name such as Europe/London")
			}
			subject, err := bundleSubject(l, format)
			if err != nil {
				return err
			}
			return a.writeReport(r, subject, format, output)
		},
	}
	f := c.Flags()
	f.StringVarP(&format, "format", "f", "md", "`FORMAT` is html, md, json, junit, csv, oscal, oscal-plan or in-toto")
	f.StringVarP(&output, "output", "o", "", "write to `PATH` instead of stdout")
	f.StringVar(&zone, "timezone", "", "show times in this `ZONE` beside UTC (default: the project's)")
	complete(c, "format", wordsOf(report.Formats()...))
	return c
}

// writeReport renders before it opens the file: a report that fails leaves no half of one behind.
func (a *app) writeReport(r *report.Report, subject report.Subject, format, output string) error {
	var b bytes.Buffer
	if err := r.Write(&b, format, subject); err != nil {
		return fail(Defect, err, "")
	}
	if output == "" || output == "-" {
		_, err := a.out.Write(b.Bytes())
		return err
	}
	path := a.path(output)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // a report is for others to read
		return fail(BadEvidence, fmt.Errorf("write report: %w", err), "")
	}
	if a.global.json {
		return a.out.JSON(view.FileDocument{Schema: view.FileSchema, Paths: []string{path}})
	}
	a.err.Printf("wrote %s\n", view.Clean(path))
	return nil
}

// bundleSubject is what an in-toto statement is about: the list of the bundle's files, which stands for all of them.
func bundleSubject(l *evidence.Loaded, format string) (report.Subject, error) {
	s := report.Subject{Name: string(l.Record.Opened.Run)}
	if format != "in-toto" {
		return s, nil
	}
	if !l.Sealed {
		return s, failf(Usage, "`continuo seal "+s.Name+"` finishes it", "report in-toto: run %s is not sealed, so that there is nothing yet to state a digest of", s.Name)
	}
	data, err := os.ReadFile(filepath.Join(l.Dir, evidence.SumsFile))
	if err != nil {
		return s, fail(BadEvidence, err, "")
	}
	sum := sha256.Sum256(data)
	s.SHA256 = hex.EncodeToString(sum[:])
	return s, nil
}
