package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// sendTimeout bounds how long another terminal waits for the run's answer.
const sendTimeout = 15 * time.Second

func statusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status [RUN]",
		Short: "Where a run stands: what runs, what comes next, elapsed against each objective",
		Example: `  continuo status                 the run that began last
  continuo status 20261121t18 --json`,
		Args: atMost(1), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			ref := evidence.Latest
			if len(args) == 1 {
				ref = args[0]
			}
			l, err := a.loadRun(ref)
			if err != nil {
				return err
			}
			if a.global.json {
				return report.NewRunDocument(l.Record, l.Dir).JSON(a.out)
			}
			working := control.Listening(l.Dir)
			var asks []string
			if working {
				asks = asked(c.Context(), l.Dir)
			}
			a.out.Status(l.Record, a.env.Now(), working, asks, nextCommands(l))
			return nil
		},
	}
}

// askedWait bounds the wait for a run that does not say what it asks: where it stands is known without.
const askedWait = 2 * time.Second

// asked are the questions that a run has put and nobody has answered, a line each.
func asked(ctx context.Context, dir string) []string {
	ctx, cancel := context.WithTimeout(ctx, askedWait)
	defer cancel()
	got, err := control.Send(ctx, dir, control.Request{Op: control.Watch, Seen: math.MaxUint64}) // no version: it tells at once
	if err != nil {
		return nil
	}
	var out []string
	for _, q := range got.Asked {
		out = append(out, askedLine(q))
	}
	return out
}

// askedLine says in a line what is asked.
func askedLine(q control.Asked) string {
	or := func(words []string) string { return strings.Join(words, ", ") + "?" }
	switch {
	case q.Failure != nil:
		return fmt.Sprintf("%s %s: %s", q.Failure.Item, cmp.Or(string(q.Failure.Outcome.Outcome), "failed"), or(q.Failure.Options))
	case q.Settle != nil:
		return fmt.Sprintf("%s on %s is %s: %s", q.Settle.Unit.Item, q.Settle.Unit.Host, q.Settle.Outcome.Outcome, or(q.Settle.Options))
	case q.Interrupt != nil:
		return "the run was interrupted: go on, roll back, abort or leave?"
	case q.Confirm != nil:
		return fmt.Sprintf("%s is to be confirmed", q.Confirm.Item)
	case q.Gate != nil:
		return fmt.Sprintf("%s wants %d more from role %s", q.Gate.Item, q.Gate.Missing, q.Gate.Role)
	case q.Decision != nil:
		return fmt.Sprintf("%s: %s %s", q.Decision.Item, q.Decision.Question, or(q.Decision.Options))
	case q.Manual != nil:
		return fmt.Sprintf("%s is to be done by hand", q.Manual.Item)
	}
	return "a question"
}

// steerCommand is a command that wishes something of a running run.
func steerCommand(a *app, op control.Op, short, example string) *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use: string(op) + " RUN", Short: short, Example: example, Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			return a.wish(c.Context(), args[0], control.Request{Op: op, By: a.operator(by), Reason: reason})
		},
	}
	c.Flags().StringVar(&by, "by", "", "`PRINCIPAL` who wishes it (default: user@host)")
	if op == control.Abort {
		c.Flags().StringVar(&reason, "reason", "aborted from another terminal", "`WHY`, for the evidence")
	}
	return c
}

func noteCommand(a *app) *cobra.Command {
	var by string
	c := &cobra.Command{
		Use: "note RUN TEXT", Short: "Put a remark into the journal of a running run",
		Example: `  continuo note @latest "the bridge call began; 12 people"`,
		Args:    exactly("RUN", "TEXT"), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			return a.wish(c.Context(), args[0], control.Request{Op: control.Note, By: a.operator(by), Reason: args[1]})
		},
	}
	c.Flags().StringVar(&by, "by", "", "`PRINCIPAL` who says it (default: user@host)")
	return c
}

// wish brings a wish to the process that works on the run.
func (a *app) wish(ctx context.Context, ref string, r control.Request) error {
	dir, err := a.runDir(ref)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	answer, err := control.Send(ctx, dir, r)
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return failf(Refused, "`continuo show "+filepath.Base(dir)+"` says how it ended", "%s %s: %w", r.Op, filepath.Base(dir), err)
	case err != nil:
		return fail(Fail, err, "")
	case !answer.OK:
		return failf(Refused, answer.Hint, "%s", answer.Error)
	}
	if a.global.json {
		return a.out.JSON(view.WishDocument{Schema: view.WishSchema, Run: filepath.Base(dir), Op: string(r.Op), By: r.By})
	}
	if answer.Text != "" {
		a.err.Printf("%s: %s\n", r.Op, view.CleanText(answer.Text))
		return nil
	}
	a.err.Printf("%s: in the journal of %s\n", r.Op, view.Clean(filepath.Base(dir)))
	return nil
}
