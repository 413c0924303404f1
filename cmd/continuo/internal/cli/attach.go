package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

func attachCommand(a *app) *cobra.Command {
	var by string
	var plain bool
	c := &cobra.Command{
		Use:   "attach [RUN]",
		Short: "Take a seat at a running run from another terminal: see it, answer its questions",
		Long: `Shows a run that another process works on, as at its own terminal: first what happened so far, then what happens. Questions
are answered here too; whoever answers first is heard. Ctrl-C leaves the seat, and the run goes on.

A live run whose terminal was closed goes on, and waits where it needs a person: this is how it is taken up again. A run
that nobody works on any more is taken up with ` + "`continuo resume`" + `.

Exit code 0 after Ctrl-C; when the run ends meanwhile, the code of the run.`,
		Example: `  continuo attach                       the run that began last
  continuo attach 20261121t18 --by ann@example.org`,
		Args: atMost(1), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			ref := evidence.Latest
			if len(args) == 1 {
				ref = args[0]
			}
			return a.attach(c.Context(), ref, a.operator(by), plain)
		},
	}
	c.Flags().StringVar(&by, "by", "", "`PRINCIPAL` who sits here (default: user@host)")
	c.Flags().BoolVar(&plain, "plain", false, "one line an event, also on a terminal")
	return c
}

// seat is a terminal at a run that another process works on.
type seat struct {
	app     *app
	dir, by string
	ask     *view.Asker
	console *view.Console
	leave   context.CancelCauseFunc
}

// errUnseated is the cause of a context that ends because the person has left.
var errUnseated = errors.New("left the seat")

func (a *app) attach(ctx context.Context, ref, by string, plain bool) error {
	l, err := a.loadRun(ref)
	if err != nil {
		return err
	}
	name := filepath.Base(l.Dir)
	if !control.Listening(l.Dir) {
		hint := "`continuo show " + name + "` says how it ended"
		if !l.Record.Closed {
			hint = "`continuo resume " + name + "` takes it up again"
		}
		return failf(Refused, hint, "attach %s: %w", name, control.ErrNotRunning)
	}
	s := &seat{app: a, dir: l.Dir, by: by, ask: view.NewAsker(a.env.Stdin, a.err, a.global.noInput)}
	ctx, s.leave = context.WithCancelCause(ctx)
	defer s.leave(errUnseated)
	live := s.ask.Live() && !plain
	progress := view.NewProgress(a.err, l.Plan, l.Record.Mode)
	s.console = view.NewConsole(s.ask, view.NewBoard(l.Plan, l.Record.Mode), view.ConsoleConfig{
		Now: a.env.Now, Environ: a.env.Environ, Leaving: "leaves, the run goes on", Guard: a.guard,
		Interrupt: func() { s.leave(errUnseated) }, Lost: func() { s.leave(errUnseated) },
		Note:  func(text string) { s.send(ctx, control.Request{Op: control.Note, Reason: text}) },
		Pause: s.pause(ctx),
	})
	a.forecaster(s.console, l.Plan, l.Record.Opened.Run)
	if live {
		progress.Brief()
		s.console.Start()
		defer s.console.Stop()
	}
	stop := s.signals()
	defer stop()
	ended, caughtUp := make(chan error, 1), make(chan struct{})
	go func() { ended <- s.follow(ctx, len(l.Events), progress, caughtUp) }()
	select { // a question says what the board knows
	case <-caughtUp:
	case <-ctx.Done():
	}
	s.answer(ctx)
	err = <-ended
	s.console.Stop()
	return s.end(ctx, err)
}

// pause has the run start nothing new, or go on.
func (s *seat) pause(ctx context.Context) func(bool) {
	return func(on bool) {
		op := control.Continue
		if on {
			op = control.Pause
		}
		s.send(ctx, control.Request{Op: op})
	}
}

// signals has every signal leave the seat: none of them is meant for the run.
func (s *seat) signals() (stop func()) {
	c, off := s.app.env.Signals()
	done := make(chan struct{})
	go func() {
		select {
		case <-c:
			s.leave(errUnseated)
		case <-done:
		}
	}()
	return func() { close(done); off() }
}

// send brings a wish or an answer to the run, and says when it was not taken.
func (s *seat) send(ctx context.Context, r control.Request) {
	if r.By == "" {
		r.By = s.by
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	got, err := control.Send(ctx, s.dir, r)
	switch {
	case err != nil && ctx.Err() == nil:
		s.app.err.Warn(err.Error(), "")
	case err == nil && !got.OK:
		s.app.err.Warn(got.Error, got.Hint)
	}
}

// answer asks here what the run asks, until nobody works on it any more or the seat is left.
func (s *seat) answer(ctx context.Context) {
	if !s.ask.Present() || s.app.global.noInput {
		<-s.over(ctx)
		return
	}
	desk := s.app.desk(s.ask, s.by, s.console)
	open := map[uint64]context.CancelFunc{}
	defer func() {
		for _, withdraw := range open {
			withdraw()
		}
	}()
	var seen uint64
	for ctx.Err() == nil {
		got, err := control.Send(ctx, s.dir, control.Request{Op: control.Watch, Seen: seen, By: s.by})
		if err != nil {
			return
		}
		seen = got.Version
		asked := map[uint64]bool{}
		for _, q := range got.Asked {
			asked[q.ID] = true
			if open[q.ID] == nil {
				qctx, withdraw := context.WithCancel(ctx)
				open[q.ID] = withdraw
				go s.put(qctx, desk, q)
			}
		}
		for id, withdraw := range open {
			if !asked[id] {
				withdraw()
				delete(open, id)
			}
		}
	}
}

// over is closed when nobody works on the run any more, or ctx has ended.
func (s *seat) over(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil && control.Listening(s.dir) {
			pause(ctx)
		}
	}()
	return done
}

// put asks one question and hands the answer in. A question that is withdrawn was answered elsewhere.
func (s *seat) put(ctx context.Context, desk *view.Desk, q control.Asked) {
	r, err := reply(ctx, desk, q)
	if err != nil || ctx.Err() != nil {
		return
	}
	s.send(ctx, r)
}

// reply is a person's answer as it travels.
func reply(ctx context.Context, desk *view.Desk, q control.Asked) (control.Request, error) {
	switch {
	case q.Manual != nil:
		a, err := desk.Manual(ctx, *q.Manual)
		r := control.Request{Op: control.Done, Item: string(q.Manual.Item), By: a.By, Inputs: a.Inputs, Reason: a.Note}
		if !a.Done {
			r.As = failedWord
		}
		return r, err
	case q.Gate != nil:
		a, err := desk.Gate(ctx, *q.Gate)
		r := control.Request{Op: control.Approve, Item: string(q.Gate.Item), By: a.By, Signature: string(a.Signature), Signed: string(a.Text)}
		if a.Deny {
			r = control.Request{Op: control.Deny, Item: string(q.Gate.Item), By: a.By, Reason: a.Reason}
		}
		return r, err
	case q.Decision != nil:
		a, err := desk.Decide(ctx, *q.Decision)
		return control.Request{Op: control.Decide, Item: string(q.Decision.Item), By: a.By, Option: a.Choice, Reason: a.Reason}, err
	case q.Confirm != nil:
		a, err := desk.Confirm(ctx, *q.Confirm)
		return control.Request{Op: control.Answer, ID: q.ID, Item: string(q.Confirm.Item), By: a.By, Typed: a.Typed}, err
	case q.Failure != nil:
		a, err := desk.Failed(ctx, *q.Failure)
		return control.Request{Op: control.Answer, ID: q.ID, Item: string(q.Failure.Item), By: a.By, Option: a.Action, Reason: a.Reason}, err
	case q.Settle != nil:
		a, err := desk.Settle(ctx, *q.Settle)
		u := q.Settle.Unit
		return control.Request{Op: control.Settle, Item: string(u.Item), Host: u.Host, Key: u.Key, By: a.By, As: a.As, Reason: a.Reason}, err
	case q.Interrupt != nil:
		a, err := desk.Interrupted(ctx, *q.Interrupt)
		return control.Request{Op: control.Answer, ID: q.ID, By: a.By, Option: a.Action, Reason: a.Reason}, err
	}
	return control.Request{}, errors.New("a question that this version does not know")
}

// shownBefore is how many of the events before the seat was taken get a line.
const shownBefore = 30

// follow reads the journal from its beginning and on, as it grows, until the run has ended or nobody works on it. caughtUp is
// closed when it has come to where the run was.
func (s *seat) follow(ctx context.Context, before int, progress *view.Progress, caughtUp chan<- struct{}) error {
	done := sync.OnceFunc(func() { close(caughtUp) })
	defer done()
	f, err := os.Open(filepath.Join(s.dir, journal.FileName))
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	defer f.Close()
	r := journal.NewReader(&growing{ctx: ctx, f: f, alive: func() bool { return control.Listening(s.dir) }})
	for n := 0; ; n++ {
		e, err := r.Next()
		if err != nil {
			return err
		}
		s.console.Event(e)
		progress.Silent(n < before-shownBefore)
		progress.Event(e)
		if n >= before-1 {
			done()
		}
		if _, ok := e.Payload.(*engine.RunClosed); ok {
			return nil
		}
	}
}

// growing reads a file that another process appends to. At its end it waits, while that process is alive.
type growing struct {
	ctx   context.Context //nolint:containedctx // an io.Reader has no other way to be told
	f     *os.File
	alive func() bool
}

// Read implements io.Reader.
func (g *growing) Read(b []byte) (int, error) {
	for {
		alive := g.alive()
		n, err := g.f.Read(b)
		if n > 0 || !alive || g.ctx.Err() != nil {
			return n, err
		}
		pause(g.ctx)
	}
}

// pause waits a moment before a file or a socket is looked at again.
func pause(ctx context.Context) {
	t := time.NewTimer(100 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// end says how it ended, and gives the code of a run that has.
func (s *seat) end(ctx context.Context, _ error) error {
	a, name := s.app, filepath.Base(s.dir)
	if errors.Is(context.Cause(ctx), errUnseated) {
		a.err.Printf("you have left; the run goes on: continuo attach %s\n", name)
		return nil
	}
	l, err := a.loadRun(name)
	if err != nil {
		return err
	}
	a.err.RunEnd(view.Ending{Record: l.Record, Bundle: l.Dir, Sealed: l.Sealed, SignedBy: sealedBy(l), Next: nextCommands(l)})
	return exit(runCode(l.Record))
}
