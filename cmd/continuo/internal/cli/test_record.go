package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/format"
)

// recordTest writes a test from a run's journal, loads the project with it and runs it once: a test that does not pass is
// kept, and said to be one.
func (a *app) recordTest(p *runbooks.Project, o testOptions) error {
	l, err := a.loadRun(o.record)
	if err != nil {
		return err
	}
	rec, err := simulation.Record(p, simulation.Past{Record: l.Record, Events: l.Events, Output: l.Output, Text: l.Text})
	if err != nil {
		return fail(Usage, fmt.Errorf("record run %s: %w", o.record, err), "")
	}
	src, ds, err := format.Source("recorded.test.hcl", rec.Source)
	if err == nil {
		err = ds.Err()
	}
	if err != nil {
		return fail(Defect, fmt.Errorf("record run %s: %w", o.record, err), "")
	}
	if o.output == "-" {
		_, err := a.out.Write(src)
		return err
	}
	path := a.path(o.output)
	if o.output == "" {
		path = filepath.Join(a.dir(), fmt.Sprintf("%s-%s.test.hcl", l.Record.Opened.Runbook, l.Record.Opened.Run))
	}
	if err := writeNew(path, src); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fail(Refused, fmt.Errorf("record: %w", err), "remove the file, or name another with --output; it may have been edited since")
		}
		return fail(Fail, fmt.Errorf("record: %w", err), "")
	}
	doc := view.RecordDocument{Schema: "continuo/test-record/v1", Run: string(l.Record.Opened.Run), Path: path, Test: rec.Name, Notes: rec.Notes}
	failed, err := a.tryRecorded(&doc, path, rec.Name)
	if err != nil {
		return err
	}
	if a.global.json {
		if err := a.out.JSON(doc); err != nil {
			return err
		}
	} else {
		a.out.Recorded(doc)
	}
	if failed {
		return exit(Fail)
	}
	return nil
}

// tryRecorded runs the test that was just written, where it is part of the project.
func (a *app) tryRecorded(doc *view.RecordDocument, path, name string) (failed bool, err error) {
	if filepath.Dir(path) != filepath.Clean(a.dir()) {
		doc.Notes = append(doc.Notes, "the file is not in the project's directory: its test was not tried")
		return false, nil
	}
	p, _, err := a.load()
	if err != nil {
		return false, err
	}
	for _, t := range p.Tests {
		if t.Name != name {
			continue
		}
		r := simulation.Test(p, t)
		doc.Passed = r.Passed()
		entry := view.NewTestDocument([]*simulation.TestResult{r}, nil)
		doc.Failures = entry.Tests[0].Failures
		return !r.Passed(), nil
	}
	return false, nil
}

// writeNew writes a file that is not there yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a test is for a team to read
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
