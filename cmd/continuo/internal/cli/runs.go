package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

func runsCommand(a *app) *cobra.Command {
	var runbook string
	var most int
	c := &cobra.Command{
		Use:   "runs",
		Short: "What was run, newest first",
		Example: `  continuo runs
  continuo runs --runbook failover --last 5
  continuo runs --json`,
		Args: atMost(0),
		RunE: func(*cobra.Command, []string) error {
			if most < 0 {
				return failf(Usage, "", "--last: %d is no number of runs", most)
			}
			doc, err := a.listRuns(runbook, most)
			if err != nil {
				return err
			}
			if a.global.json {
				return a.out.JSON(doc)
			}
			a.out.Runs(doc)
			return nil
		},
	}
	c.Flags().StringVar(&runbook, "runbook", "", "only runs of this `RUNBOOK`")
	c.Flags().IntVar(&most, "last", 0, "only the last `N` (default: all)")
	complete(c, "runbook", a.completeRunbook)
	return c
}

func (a *app) listRuns(runbook string, most int) (view.RunsDocument, error) {
	doc := view.RunsDocument{Schema: view.RunsSchema, Runs: []view.RunEntry{}}
	ids, err := evidence.Runs(a.stateDir())
	if err != nil {
		return doc, fail(BadEvidence, err, "")
	}
	slices.Reverse(ids)
	for _, id := range ids {
		if most > 0 && len(doc.Runs) == most {
			break
		}
		e := a.runEntry(id)
		if runbook == "" || e.Runbook == runbook {
			doc.Runs = append(doc.Runs, e)
		}
	}
	return doc, nil
}

func (a *app) runEntry(id engine.RunID) view.RunEntry {
	e := view.RunEntry{Run: id, Bundle: evidence.RunDir(a.stateDir(), id)}
	l, err := evidence.Load(e.Bundle)
	if err != nil {
		e.Problem = err.Error()
		return e
	}
	r := l.Record
	e.Runbook, e.Mode, e.Verdict, e.Operator = r.Opened.Runbook, r.Mode, r.Verdict, r.Opened.Operator
	e.StartedAt, e.EndedAt, e.Sealed = r.StartedAt, r.EndedAt, l.Sealed
	return e
}
