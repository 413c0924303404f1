package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// settleFlags are the flags of `settle`.
type settleFlags struct {
	host, key, as, reason, by string
}

func settleCommand(a *app) *cobra.Command {
	var f settleFlags
	c := &cobra.Command{
		Use:   "settle RUN ITEM",
		Short: "Say what became of something that nobody knows the end of",
		Long: `An outcome that is unknown holds the run: what started, or may have, is never started again by itself. Look at the host,
then say what you found: it is done (also by hand), it has failed, or it is safe to start it once more. Your word is recorded
beside the outcome, which stays, and is a deviation.

Of a running run the word goes to its question. Of one that was left it goes into the journal, and ` + "`continuo resume`" + ` goes on
from it. A rollback that failed is settled the same way: done is undone by hand, failed leaves it as it is, retry tries again.`,
		Example: `  continuo settle @latest step.promote --host db-b1 --as done --reason "pg_is_in_recovery() is false"
  continuo settle @latest step.promote --as retry --reason "the log on db-b1 shows no start"`,
		Args:              exactly("RUN", "ITEM"),
		ValidArgsFunction: a.completeUnfinished,
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("as", f.as, engine.SettleDone, engine.SettleFailed, engine.SettleRetry); err != nil {
				return err
			}
			if f.reason == "" {
				return failf(Usage, `say how you know: --reason "…"`, "settle: no reason")
			}
			f.by = a.operator(f.by)
			return a.settleUnit(c.Context(), args[0], runbooks.ItemID(args[1]), f)
		},
	}
	s := c.Flags()
	s.StringVar(&f.as, "as", "", "what became of it: `WORD` is done, failed or retry")
	s.StringVar(&f.host, "host", "", "only on this `HOST`; without it everywhere where it is unknown")
	s.StringVar(&f.key, "key", "", "only this `KEY` of its for_each")
	s.StringVar(&f.reason, "reason", "", "`HOW` you know, for the evidence")
	s.StringVar(&f.by, "by", "", "`PRINCIPAL` who says it (default: user@host)")
	complete(c, "as", wordsOf(engine.SettleDone, engine.SettleFailed, engine.SettleRetry))
	complete(c, "host", a.completeHosts)
	return c
}

// settleUnit brings the word to the run that asks for it, or into the journal of one that was left.
func (a *app) settleUnit(ctx context.Context, ref string, item runbooks.ItemID, f settleFlags) error {
	dir, err := a.runDir(ref)
	if err != nil {
		return err
	}
	if control.Listening(dir) {
		return a.wish(ctx, ref, control.Request{Op: control.Settle, Item: string(item), Host: f.host, Key: f.key, As: f.as, Reason: f.reason, By: f.by})
	}
	l, err := a.unfinished(ref, "settle")
	if err != nil {
		return err
	}
	words, err := settling(l, item, f)
	if err != nil {
		return err
	}
	if err := a.settleLeft(l, words, f); err != nil {
		return err
	}
	if a.global.json {
		return a.out.JSON(view.WishDocument{Schema: view.WishSchema, Run: filepath.Base(dir), Op: string(control.Settle), By: f.by})
	}
	a.err.Printf("settle: in the journal of %s; `continuo resume %s` goes on\n", view.Clean(filepath.Base(dir)), view.Clean(filepath.Base(dir)))
	return nil
}

// settling is what is recorded for a word about the units of an item that are open, or whose rollback failed.
func settling(l *evidence.Loaded, item runbooks.ItemID, f settleFlags) ([]engine.Payload, error) {
	id := filepath.Base(l.Dir)
	var out []engine.Payload
	flight := false
	for _, i := range l.Record.Items {
		for n := range i.Units {
			u := &i.Units[n]
			if u.Item != item || f.host != "" && u.Host != f.host || f.key != "" && u.Key != f.key {
				continue
			}
			switch {
			case backFailed(l.Record, u.Unit):
				out = append(out, f.aboutRollback(u.Unit))
			case u.Standing == engine.Open && u.Outcome == "":
				flight = true
			case u.Standing == engine.Open:
				out = append(out, f.about(u.Unit))
			}
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case flight:
		return nil, failf(Refused, "continuo resume "+id+" asks its host first, and you only if that does not tell",
			"settle %s %s: it was launched, and nobody has asked yet what became of it", id, item)
	case l.Plan.Item(item) == nil:
		return nil, failf(Usage, "open are: "+strings.Join(openUnits(l.Record), ", "), "settle %s: %q is not an item of its plan", id, item)
	}
	open := openUnits(l.Record)
	if len(open) == 0 {
		return nil, failf(Refused, "`continuo show "+id+"` shows where it stands", "settle %s %s: nothing is unknown in this run", id, item)
	}
	return nil, failf(Refused, "open are: "+strings.Join(open, ", "), "settle %s %s: nothing of it is unknown there", id, item)
}

// about is the word about a unit.
func (f settleFlags) about(u engine.Unit) engine.Payload {
	if f.as == engine.SettleRetry {
		return &engine.OperatorAction{Action: engine.ActionRetry, By: f.by, Item: u.Item, Batch: u.Batch, Key: u.Key, Host: u.Host, Reason: f.reason}
	}
	return &engine.ItemSettled{Unit: u, As: standingOf(f.as), By: f.by, Reason: f.reason}
}

// aboutRollback is the word about a unit whose rollback failed.
func (f settleFlags) aboutRollback(u engine.Unit) engine.Payload {
	if f.as == engine.SettleRetry {
		return &engine.OperatorAction{Action: engine.ActionUndoAgain, By: f.by, Item: u.Item, Batch: u.Batch, Key: u.Key, Host: u.Host, Reason: f.reason}
	}
	return &engine.ItemSettled{Unit: u, Part: engine.PartRollback, As: standingOf(f.as), By: f.by, Reason: f.reason}
}

func standingOf(as string) engine.Standing {
	if as == engine.SettleDone {
		return engine.Done
	}
	return engine.Fails
}

// backFailed reports whether the rollback of a unit failed and nobody has said anything about it.
func backFailed(r *engine.Record, u engine.Unit) bool {
	if r.Rollback == nil || !r.Rollback.Ended {
		return false
	}
	for _, s := range r.Rollback.Settled {
		if s.Unit == u {
			return false
		}
	}
	for _, failed := range r.Rollback.Failed {
		if failed == u {
			return true
		}
	}
	return false
}

// openUnits names what can be settled.
func openUnits(r *engine.Record) []string {
	var out []string
	for _, i := range r.Items {
		for n := range i.Units {
			if u := &i.Units[n]; u.Standing == engine.Open && u.Outcome != "" || backFailed(r, u.Unit) {
				name := string(u.Item)
				if u.Host != "" {
					name += " --host " + u.Host
				}
				if u.Key != "" {
					name += " --key " + u.Key
				}
				out = append(out, name)
			}
		}
	}
	return out
}

// settleLeft writes words into the journal of a run that nobody works on. It begins a segment, and is left again.
func (a *app) settleLeft(l *evidence.Loaded, words []engine.Payload, f settleFlags) error {
	run, loaded, err := evidence.Resume(l.Dir, evidence.RunOptions{Redactor: redact.New(), FS: a.env.FS},
		&engine.RunResumed{BootID: journal.BootID(), By: f.by, Tool: tool()})
	if err != nil {
		return a.notReopened(l, err)
	}
	if err := a.ledger().EnsureOpened(loaded); err != nil {
		a.ledgerWarning(err)
	}
	folder := engine.NewFolder(loaded.Plan)
	for _, e := range loaded.Events {
		if err := folder.Apply(e); err != nil {
			return errors.Join(fail(BadEvidence, err, ""), run.Close())
		}
	}
	words = append(words, &engine.RunInterrupted{Reason: fmt.Sprintf("settled as %s; it waits to be resumed", f.as), By: f.by})
	for _, p := range words {
		e, err := run.Journal.Append(context.Background(), p)
		if err == nil {
			err = folder.Apply(e)
		}
		if err != nil {
			return errors.Join(fail(BadEvidence, err, ""), run.Close())
		}
	}
	if err := run.Close(); err != nil {
		return fail(BadEvidence, err, "")
	}
	return nil
}
