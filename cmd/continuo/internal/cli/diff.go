package cli

import (
	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/engine/report"
)

func diffCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff RUN RUN", //nolint:dupword // the command takes two runs
		Short: "Two runs of one runbook side by side: what got slower, what failed newly",
		Example: `  continuo diff 20261014 @latest
  continuo diff 20261014 @latest --json`,
		Args:              exactly("RUN", "RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(_ *cobra.Command, args []string) error {
			var sides [2]*report.Report
			for n, ref := range args {
				l, err := a.loadRun(ref)
				if err != nil {
					return err
				}
				if sides[n], err = report.Build(l.Record, report.Options{}); err != nil {
					return fail(BadEvidence, err, "")
				}
			}
			d, err := report.Compare(sides[0], sides[1])
			if err != nil {
				return fail(Usage, err, "only runs of the same runbook can be compared")
			}
			if a.global.json {
				return a.out.JSON(d)
			}
			a.out.Diff(d)
			return nil
		},
	}
}
