package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/report"
)

func reportCommand(a *app) *cobra.Command {
	var format, output, zone, signers, commentary, role, oscal string
	var piece pieceFlags
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "The report of a run, in the form that its reader wants",
		Long: `The report is computed from the record. What was added after the seal (reviews, commentary, time stamps) is in it, each with
whether its signature holds.

With --commentary a remark is added to a sealed run: signed by its author, beside the record, never an edit of it. It is
signed as "continuo sign" does it: --key here, or --request and --signature.`,
		Example: `  continuo report @latest --format html --output report.html
  continuo report @latest --format md
  continuo report @latest --format junit --output junit.xml
  continuo report @latest --commentary lessons.md --by ann@example.org --key ~/.ssh/id_ed25519`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if commentary != "" || piece.signature != "" {
				return a.comment(c, args[0], commentary, role, piece)
			}
			if err := oneOf("format", format, report.Formats()...); err != nil {
				return err
			}
			if err := oneOf("oscal-version", oscal, report.OSCALVersions()...); err != nil {
				return err
			}
			l, err := a.loadRun(args[0])
			if err != nil {
				return err
			}
			if x := report.FiledExploration(l.Record); x != nil {
				return a.reportExploration(x, format, output)
			}
			opts, err := a.verifyOptions(signers, "")
			if err != nil {
				return err
			}
			signed, err := a.pieces(l, opts.Signers)
			if err != nil {
				return err
			}
			r, err := report.Build(l.Record, report.Options{Timezone: zone, Signed: signed, OSCALVersion: oscal})
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
	f.StringVar(&oscal, "oscal-version", report.OSCALVersions()[0], "`VERSION` of OSCAL that the documents say they are of: some readers want 1.1.2")
	f.StringVar(&signers, "signers", "", "whose keys are whose, for what was added later: an OpenSSH allowed_signers `FILE`")
	f.StringVar(&commentary, "commentary", "", "add what this `FILE` says, signed, to a sealed run; - is stdin")
	f.StringVar(&role, "role", "author", "the `ROLE` of who comments, in words")
	piece.add(c)
	complete(c, "format", wordsOf(report.Formats()...))
	complete(c, "oscal-version", wordsOf(report.OSCALVersions()...))
	return c
}

// comment adds a signed remark to a sealed run.
func (a *app) comment(c *cobra.Command, ref, file, role string, f pieceFlags) error {
	if err := f.how(c); err != nil {
		return err
	}
	dir, err := a.sealedDir(ref)
	if err != nil {
		return err
	}
	piece := evidence.Addendum{Kind: evidence.Commentary, Role: role, Principal: a.operator(f.by)}
	if file != "" {
		text, err := a.read(file)
		if err != nil {
			return fail(Usage, fmt.Errorf("--commentary: %w", err), "")
		}
		piece.Text = string(text)
	}
	if strings.TrimSpace(piece.Text) == "" && f.signature == "" {
		return failf(Usage, "", "--commentary: %s says nothing", file)
	}
	return a.addPiece(c.Context(), dir, piece, f)
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
