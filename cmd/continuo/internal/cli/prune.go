package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

func pruneCommand(a *app) *cobra.Command {
	var reason, by string
	var yes bool
	c := &cobra.Command{
		Use:   "prune RUN",
		Short: "Remove a sealed run at the end of its retention; its digests stay",
		Long: `Removes the record, and keeps what stands for it: SHA256SUMS, its signature and seal.txt, beside the runs, and a line in the
ledger that says who pruned it and why. "continuo verify RUN" goes on to check these, and a copy of the bundle that is kept
elsewhere still verifies against them. Nothing brings the record back: export it first.

On a terminal the run's id is typed first; without one, --yes is needed.`,
		Example: `  continuo export @latest -o archive/drill.tar
  continuo prune 20191121t182001123z-7f3a09bc --reason "kept for seven years"`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if reason == "" {
				return failf(Usage, `say why: --reason "…"`, "prune: no reason")
			}
			return a.prune(c.Context(), args[0], a.operator(by), reason, yes)
		},
	}
	s := c.Flags()
	s.StringVar(&reason, "reason", "", "`WHY`, for the ledger")
	s.StringVar(&by, "by", "", "`PRINCIPAL` who does this (default: user@host)")
	s.BoolVarP(&yes, "yes", "y", false, "remove it without a question")
	return c
}

func (a *app) prune(ctx context.Context, ref, by, reason string, yes bool) error {
	id, err := evidence.Find(a.stateDir(), ref)
	if err != nil {
		return fail(Usage, fmt.Errorf("prune: %w", err), "`continuo runs` lists them")
	}
	if !yes {
		ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
		if !ask.Present() {
			return failf(Refused, "with a terminal the run's id is typed; without one, --yes confirms", "prune %s: not confirmed, and nobody to ask", id)
		}
		got, err := ask.Line(ctx, fmt.Sprintf("This removes the record of run %s for good. Type its id to go on:", id))
		if err != nil && !errors.Is(err, io.EOF) || got != string(id) {
			return failf(Refused, "nothing was removed", "prune %s: not confirmed", id)
		}
	}
	err = evidence.Prune(a.stateDir(), id, a.ledger(), by, reason)
	switch {
	case errors.Is(err, evidence.ErrNotSealed):
		return fail(Refused, err, "`continuo seal "+string(id)+"` finishes it; only a sealed run has digests that can stand for it")
	case err != nil:
		return fail(BadEvidence, err, "prune it again: it finishes what it began")
	}
	if a.global.json {
		return a.out.JSON(view.FileDocument{Schema: view.FileSchema, Paths: []string{filepath.Join(a.stateDir(), "pruned", string(id))}})
	}
	a.err.Printf("pruned %s; its digests are kept, and `continuo verify %s` checks them\n", id, id)
	return nil
}
