package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks"
)

type testOptions struct {
	run      string
	explore  bool
	pairs    bool
	record   string
	output   string
	format   string
	file     bool
	signWith string
	by       string
}

func testCommand(a *app) *cobra.Command {
	var o testOptions
	c := &cobra.Command{
		Use:   "test [RUNBOOK…]",
		Short: "The runbooks' own tests, in simulation; with --explore, every way in which they can fail",
		Long: `Runs the test blocks of *.test.hcl files against simulated hosts and people, in simulated time. Nothing is connected to, and
no secret is read. Exit code 1 when a test fails, or when explore has findings.

With --explore every item is made to go wrong on every class of hosts in every way it can, one case after another, and
continuo itself is killed at every line of its journal and the run resumed. Each case ends safe, held (a person decides), or as
a finding: a hole in the runbook. ` + "`continuo explain CODE`" + ` says what mends it. Hosts that are alike in site, environment, labels
and connection count as one class, as elements of a for_each that name such hosts; of the batches of a rollout the first, the second
and the last are explored. With --file the result becomes evidence like that of a run: of an exercise of type
simulation, in which no host was contacted.

With --record a real run becomes a test: what hosts and people answered then, they answer again.`,
		Example: `  continuo test
  continuo test failover --run 'lagging'
  continuo test --format junit --output results.xml
  continuo test failover --explore
  continuo test failover --explore --format html --output matrix.html
  continuo test --record @latest`,
		ValidArgsFunction: a.completeRunbook,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(a.global.json, args); err != nil {
				return err
			}
			p, _, err := a.load()
			if err != nil {
				return err
			}
			if o.record != "" {
				return a.recordTest(p, o)
			}
			rbs, err := a.someRunbooks(p, args)
			if err != nil {
				return err
			}
			if o.explore {
				return a.explore(cmd, p, rbs, o)
			}
			return a.test(p, rbs, args, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.run, "run", "", "only tests whose name matches `REGEXP`")
	f.BoolVar(&o.explore, "explore", false, "every item, class of hosts and kind of fault")
	f.BoolVar(&o.pairs, "pairs", false, "with --explore: two faults at a time, too (of exit, unreachable, lost-connection, rejected; a crash comes alone)")
	f.BoolVar(&o.file, "file", false, "with --explore: seal the result as evidence")
	f.StringVar(&o.signWith, "sign-with", "", "with --file: sign with this SSH private `KEY` instead of continuo's own")
	f.StringVar(&o.by, "by", "", "with --file: `PRINCIPAL` who explored (default: user@host)")
	f.StringVar(&o.record, "record", "", "write a test from what hosts and people answered in this `RUN`")
	f.StringVar(&o.format, "format", "", "`FORMAT` of the result: text, json, junit; with --explore text, json, html, markdown")
	f.StringVarP(&o.output, "output", "o", "", "write to this `PATH` instead of stdout; a recorded test never over a file that is there")
	complete(c, "record", a.completeRuns)
	complete(c, "format", wordsOf("text", "json", "junit", "html", "markdown"))
	return c
}

// check refuses flags that do not go together.
func (o *testOptions) check(json bool, args []string) error {
	if o.format == "" {
		if o.format = "text"; json {
			o.format = "json"
		}
	}
	formats := []string{"text", "json", "junit"}
	if o.explore {
		formats = []string{"text", "json", "html", "markdown"}
	}
	switch {
	case o.pairs && !o.explore:
		return failf(Usage, "pairs of faults are explored: add --explore", "--pairs without --explore")
	case o.file && !o.explore:
		return failf(Usage, "what is filed is an exploration: add --explore", "--file without --explore")
	case o.record != "" && (o.explore || o.run != "" || len(args) > 0):
		return failf(Usage, "it writes one test, from one run", "--record with --explore, --run or a runbook")
	case !slices.Contains(formats, o.format):
		return failf(Usage, "there are "+strings.Join(formats, ", "), "--format: %q is no format of this", o.format)
	case json && o.format != "json":
		return failf(Usage, "--json is --format json", "--json with --format %s", o.format)
	}
	return nil
}

// someRunbooks are the named ones, or all.
func (a *app) someRunbooks(p *runbooks.Project, names []string) ([]*runbooks.Runbook, error) {
	if len(names) == 0 {
		return p.Runbooks, nil
	}
	var out []*runbooks.Runbook
	for _, n := range names {
		rb, err := a.runbook(p, n)
		if err != nil {
			return nil, err
		}
		out = append(out, rb)
	}
	return out, nil
}

func (a *app) test(p *runbooks.Project, rbs []*runbooks.Runbook, args []string, o testOptions) error {
	match, err := regexp.Compile(o.run)
	if err != nil {
		return failf(Usage, "it is a regular expression as in Go", "--run: %v", err)
	}
	var results []*simulation.TestResult
	failed := 0
	for _, t := range p.Tests {
		mine := slices.ContainsFunc(rbs, func(r *runbooks.Runbook) bool { return r.Name == t.Runbook })
		if !mine && (len(args) > 0 || p.Runbook(t.Runbook) != nil) || !match.MatchString(t.Name) {
			continue
		}
		for _, r := range simulation.Table(p, t) {
			if !r.Passed() {
				failed++
			}
			results = append(results, r)
			if o.format == "text" && o.output == "" {
				a.out.Test(r)
			}
		}
	}
	if err := a.testResults(results, simulation.CoverageOf(p, results), o); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return exit(Fail)
	case len(results) == 0 && o.run != "":
		return failf(Usage, "without --run all tests run", "no test matches %q", o.run)
	}
	return nil
}

// testResults writes what the tests came to, in the form that is wanted.
func (a *app) testResults(results []*simulation.TestResult, coverage []*simulation.Coverage, o testOptions) error {
	doc := view.NewTestDocument(results, coverage)
	switch o.format {
	case "json":
		return a.written(o.output, asJSON(doc))
	case "junit":
		return a.written(o.output, doc.JUnit)
	}
	if o.output != "" {
		return failf(Usage, "--format json or junit", "--output wants a format for machines")
	}
	a.out.TestEnd(results, coverage)
	return nil
}

// asJSON writes a document as JSON.
func asJSON(doc any) func(io.Writer) error {
	return func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(doc)
	}
}

// written writes a document to stdout, or to the file that --output names.
func (a *app) written(path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fail(Defect, err, "")
	}
	if path == "" || path == "-" {
		_, err := a.out.Write(b.Bytes())
		return err
	}
	if err := os.WriteFile(a.path(path), b.Bytes(), 0o644); err != nil { //nolint:gosec // a result is for others to read
		return fail(Fail, fmt.Errorf("write the result: %w", err), "")
	}
	return nil
}
