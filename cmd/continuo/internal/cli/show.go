package cli

import (
	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/report"
)

func showCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "One run: every item and what became of it",
		Long: `Shows a run as its journal tells it, or a filed exploration: its cases and findings. RUN is an id, the beginning of one, or
@latest. The exit code is that of the command; what the run came to is in its verdict.`,
		Example: `  continuo show @latest
  continuo show 20261121t18 --json`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := a.loadRun(args[0])
			if err != nil {
				return err
			}
			end := view.Ending{Record: l.Record, Bundle: l.Dir, Sealed: l.Sealed, SignedBy: sealedBy(l), Next: nextCommands(l)}
			if x := report.FiledExploration(l.Record); x != nil {
				if a.global.json {
					return x.JSON(a.out)
				}
				a.out.ShowExploration(end, x)
				return nil
			}
			if a.global.json {
				return report.NewRunDocument(l.Record, l.Dir).JSON(a.out)
			}
			a.out.Show(end)
			return nil
		},
	}
}

// sealedBy says that there is a signature; whose it is only verify can tell.
func sealedBy(l *evidence.Loaded) string {
	if l.Signed {
		return "a key that `continuo verify` names"
	}
	return ""
}

// nextCommands are what one does next with a run.
func nextCommands(l *evidence.Loaded) []string {
	id := string(l.Record.Opened.Run)
	if !l.Record.Closed {
		return unfinishedCommands(l.Record)
	}
	if !l.Sealed {
		return []string{"continuo seal " + id + "   (finishes the record)"}
	}
	return []string{"continuo verify " + id, "continuo report " + id + " --format html --output report.html"}
}
