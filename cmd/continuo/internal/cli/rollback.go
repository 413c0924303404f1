package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/executor"
)

func rollbackCommand(a *app) *cobra.Command {
	var f resumeFlags
	var preview bool
	c := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Roll back what a run has changed, the last started first",
		Long: `Takes the run up as ` + "`continuo resume`" + ` does, starts nothing new, and undoes what may have been changed: each step with a
rollback, each transfer with a backup, each manual item with instructions for the way back. It stops at the point of no
return, the last irreversible step that started; what lies before it is undone only if you say so there. A rollback that fails
stops it: its verdict says what is left to do by hand, and ` + "`continuo settle`" + ` or ` + "`continuo resume`" + ` go on from there.

The record of a sealed run is finished: it is rolled back by a run of its own, which names it and is sealed by itself.`,
		Example: `  continuo rollback @latest --preview          what would be undone, in which order
  continuo rollback @latest --reason "site A is back"
  continuo rollback 20261121t18 --yes --reason "called off" --by ann@example.org --change CHG-13`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			l, err := a.rollbackable(args[0])
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
			if f.reason == "" {
				return failf(Usage, `say why: --reason "…"`, "rollback %s: no reason", filepath.Base(l.Dir))
			}
			if l.Sealed {
				return a.rollbackSealed(c.Context(), l, w, f)
			}
			return a.rollback(c.Context(), l, w, f)
		},
	}
	f.add(a, c)
	c.Flags().StringVar(&f.change, "change", "", "`REF` of the change under which a sealed run is rolled back")
	c.Flags().StringVar(&f.incident, "incident", "", "`REF` of the incident under which a sealed run is rolled back")
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

// rollbackable reads a run that can be rolled back: a live one, unfinished or sealed.
func (a *app) rollbackable(ref string) (*evidence.Loaded, error) {
	dir, err := a.runDir(ref)
	if err != nil {
		return nil, err
	}
	if l, err := evidence.Load(dir); err == nil && l.Sealed {
		switch o := l.Record.Opened; {
		case l.Record.Mode != engine.Live:
			return nil, refuse("rollback", l, "there is nothing to undo", "a dry-run changes nothing")
		case o.RollbackOf != "":
			return nil, refuse("rollback", l, "run "+o.Runbook+" again: continuo run "+o.Runbook+" --live", "it is itself the rollback of %s", o.RollbackOf)
		}
		return l, nil
	}
	return a.unfinished(ref, "rollback")
}

// rollbackSealed rolls a sealed run back in a run of its own.
func (a *app) rollbackSealed(ctx context.Context, l *evidence.Loaded, w engine.WayBack, f resumeFlags) error {
	ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
	work, keys, err := a.sameWork(ctx, l, f, ask)
	if err != nil {
		return err
	}
	if keys != "" {
		a.err.Warn(keys, "")
	}
	flags := runFlags{
		variableFlags: f.variableFlags, live: true, yes: f.yes, parallel: f.parallel, signWith: f.signWith, by: f.by, plain: f.plain,
		change: f.change, incident: f.incident,
	}
	if err := a.settle(&flags, work); err != nil {
		return err
	}
	if touchesProduction(work.plan) && f.change+f.incident == "" {
		return refuse("rollback", l, "say under which change or incident this happens: --change REF or --incident REF",
			"production hosts are touched, and no change or incident is named")
	}
	err = a.confirmResume(ctx, l, f, ask, func(r *engine.Record) {
		a.err.ResumeWarning(r, "rolls back")
		a.err.WayBack(w)
	})
	if err != nil {
		return err
	}
	s, err := a.open(work, flags, ask)
	if err != nil {
		return err
	}
	s.undo(l, f.reason)
	s.execute(ctx)
	return s.finish(ctx)
}

// undo has the session roll back a sealed run and nothing else.
func (s *session) undo(l *evidence.Loaded, reason string) {
	s.undoes = &executor.Undone{Events: l.Events, Artifact: evidence.ArtifactsOf(l.Dir), Reason: reason}
	s.rollbackOf = l.Record.Opened.Run
}
