package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

func rollbackCommand(a *app) *cobra.Command {
	var f resumeFlags
	var preview bool
	c := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Roll back what an unfinished run has changed, the last started first",
		Long: `Takes the run up as ` + "`continuo resume`" + ` does, starts nothing new, and undoes what may have been changed: each step with a
rollback, each transfer with a backup, each manual item with instructions for the way back. It stops at the point of no
return, the last irreversible step that started; what lies before it is undone only if you say so there. A rollback that fails
stops it: its verdict says what is left to do by hand, and ` + "`continuo settle`" + ` or ` + "`continuo resume`" + ` go on from there.`,
		Example: `  continuo rollback @latest --preview          what would be undone, in which order
  continuo rollback @latest --reason "site A is back"
  continuo rollback 20261121t18 --yes --reason "called off" --by ann@example.org`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeUnfinished,
		RunE: func(c *cobra.Command, args []string) error {
			l, err := a.unfinished(args[0], "rollback")
			if err != nil {
				return err
			}
			w, err := engine.FindWayBack(l.Plan, l.Events)
			if err != nil {
				return fail(BadEvidence, err, "")
			}
			if preview {
				return a.previewRollback(l, w)
			}
			return a.rollback(c.Context(), l, w, f)
		},
	}
	f.add(a, c)
	c.Flags().StringVar(&f.reason, "reason", "", "`WHY`, for the evidence")
	c.Flags().BoolVar(&preview, "preview", false, "show what would be undone, and do nothing")
	return c
}

// previewRollback shows the way back. Nothing is connected to.
func (a *app) previewRollback(l *evidence.Loaded, w engine.WayBack) error {
	if a.global.json {
		return a.out.JSON(view.NewWayBackDocument(l.Record.Opened.Run, w))
	}
	a.out.WayBack(w)
	return a.out.Err()
}

func (a *app) rollback(ctx context.Context, l *evidence.Loaded, w engine.WayBack, f resumeFlags) error {
	if f.reason == "" {
		return failf(Usage, `say why: --reason "…"`, "rollback %s: no reason", filepath.Base(l.Dir))
	}
	ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
	s, err := a.takeUp(ctx, l, f, ask, func(r *engine.Record) {
		a.err.ResumeWarning(r, "rolls back")
		a.err.WayBack(w)
	})
	if err != nil {
		return err
	}
	s.wish = &engine.OperatorAction{By: s.flags.operator, Reason: f.reason}
	s.execute(ctx)
	return s.finish(ctx)
}
