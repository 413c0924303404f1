package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// runFlags are the flags of `run`.
type runFlags struct {
	variableFlags
	live, yes                  bool
	parallel                   int
	exercise, change, incident string
	at, participants           []string
	limit                      []string
	from, signWith, by         string
	plain, stream              bool
	marks                      map[string]time.Time
	people                     []engine.Participant
	operator                   string
}

func runCommand(a *app) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [RUNBOOK]",
		Short: "Rehearse a runbook, or with --live run it; the record is sealed as evidence",
		Long: `Without --live this is a dry-run: it connects, runs the checks, and changes nothing. Its best verdict is "ready".
With --live the steps run too. On a terminal the runbook's name is typed first; without one --yes is needed, and where
production hosts are touched --change or --incident as well.

On a terminal the run stays in view: where it stands, what runs where, whom it waits for, what comes next. Questions are
asked there; Ctrl-N writes a note into the record, Ctrl-P pauses. A live run goes on when its terminal is closed:
` + "`continuo attach`" + ` takes it up again.

Ctrl-C: nothing new starts, what runs may end, then you are asked; without a terminal the run is left (exit code 5).
Again: what runs on the hosts is killed. A third time: continuo leaves at once, and the journal is enough to go on from.`,
		Example: `  continuo run failover                              rehearse
  continuo run failover --live                       the drill; asks you to type the name
  continuo run failover --live --incident INC-4711 --at declared=03:10
  continuo run failover --live --yes --change CHG-12 --var max_lag=10 --json`,
		Args:              atMost(1),
		ValidArgsFunction: a.completeRunbook,
		RunE: func(c *cobra.Command, args []string) error {
			return a.run(c.Context(), args, f)
		},
	}
	f.add(a, c)
	return c
}

func (f *runFlags) add(a *app, c *cobra.Command) {
	f.variableFlags.add(a, c)
	s := c.Flags()
	s.BoolVar(&f.live, "live", false, "run the steps too: this changes hosts")
	s.BoolVarP(&f.yes, "yes", "y", false, "confirm --live without a question; answers no gate, decision or manual item")
	s.IntVar(&f.parallel, "parallel", 0, "work on at most `N` hosts at once (default 256)")
	s.StringVar(&f.exercise, "exercise", "", "`TYPE` of exercise for the record, such as tabletop, simulation, switchover")
	s.StringVar(&f.change, "change", "", "`REF` of the change under which this happens")
	s.StringVar(&f.incident, "incident", "", "`REF` of the incident under which this happens")
	s.StringArrayVar(&f.at, "at", nil, "when a mark was: `MARK=TIME` as 2026-11-21T03:15:00Z, 03:15, -20m or now; repeated for more")
	s.StringArrayVar(&f.participants, "participant", nil, "who takes part: `NAME=ROLE`; repeated for more")
	s.StringSliceVar(&f.limit, "limit", nil, "only on these `HOSTS`; a deviation")
	s.StringVar(&f.from, "from", "", "begin at this `ITEM`; a deviation")
	s.StringVar(&f.signWith, "sign-with", "", "sign the evidence with this SSH private `KEY` instead of continuo's own")
	s.StringVar(&f.by, "by", "", "`PRINCIPAL` who operates the run (default: user@host)")
	s.BoolVar(&f.plain, "plain", false, "one line an event, also on a terminal")
	s.BoolVar(&f.stream, "stream", false, "every event as one line of JSON on stdout; with --json the document is the last line")
	complete(c, "limit", a.completeHosts)
	complete(c, "from", a.completeItems)
	complete(c, "at", a.completeMarks)
}

func (a *app) run(ctx context.Context, args []string, f runFlags) error {
	w, err := a.plan(args, f.variableFlags)
	if err != nil {
		return err
	}
	if err := a.settle(&f, w); err != nil {
		return err
	}
	ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
	if f.live {
		reference := f.change + f.incident
		if err := confirmLive(ctx, ask, a.err, w.plan, reference, f.yes); err != nil {
			return err
		}
		if err := a.askMarks(ctx, ask, &f, w); err != nil {
			return err
		}
	}
	s, err := a.open(w, f, ask)
	if err != nil {
		return err
	}
	s.execute(ctx)
	return s.finish(ctx)
}

// settle checks the flags against the plan and fills in what follows from them.
func (a *app) settle(f *runFlags, w *work) error {
	var err error
	if f.marks, err = givenMarks(f.at, w.runbook, zoneOf(w.project), a.env.Now()); err != nil {
		return err
	}
	if f.people, err = participants(f.participants); err != nil {
		return err
	}
	if err := knownHosts(f.limit, w.plan); err != nil {
		return err
	}
	if err := knownItem(f.from, w.plan); err != nil {
		return err
	}
	if f.parallel < 0 {
		return failf(Usage, "", "--parallel: %d is no number of hosts", f.parallel)
	}
	if f.yes && !f.live {
		a.err.Warn("--yes confirms --live; a dry-run needs no confirmation", "")
	}
	f.operator = a.operator(f.by)
	return nil
}

// askMarks asks for the marks that only a person can give and nobody gave. An empty answer leaves one unset: what is
// measured from it will say so.
func (a *app) askMarks(ctx context.Context, ask *view.Asker, f *runFlags, w *work) error {
	if !ask.Present() || f.yes {
		return nil
	}
	set := setByItems(w.runbook)
	for _, m := range w.runbook.Marks {
		if _, given := f.marks[m.Name]; given || m.At != nil || set[m.Name] {
			continue
		}
		for {
			text, err := ask.Line(ctx, "When was "+view.Clean(m.Name)+"? (03:15, -20m, now, RFC 3339; Enter: not known)")
			if err != nil {
				return fail(Refused, err, "")
			}
			if text == "" {
				break
			}
			at, err := instant(text, zoneOf(w.project), a.env.Now())
			if err == nil {
				f.marks[m.Name] = at
				break
			}
			a.err.Warn(err.Error(), "")
		}
	}
	return nil
}

// setByItems are the marks that items set.
func setByItems(rb *runbooks.Runbook) map[string]bool {
	out := map[string]bool{}
	for _, i := range rb.AllItems() {
		for _, m := range append(i.Marks[:len(i.Marks):len(i.Marks)], i.MarksStart...) {
			out[m] = true
		}
	}
	return out
}
