package cli

import (
	"context"
	"os"
	"syscall"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/executor"
)

// console makes what a person sees of a run that begins here. It is shown by steer.
func (a *app) console(s *session) *view.Console {
	by, steer := s.flags.operator, s.socket.control
	return view.NewConsole(s.ask, view.NewBoard(s.work.plan, s.mode), view.ConsoleConfig{
		Now: a.env.Now, Environ: a.env.Environ, Leaving: "stop", Guard: a.guard,
		Interrupt: func() { s.signal(os.Interrupt) },
		Lost:      func() { s.signal(syscall.SIGHUP) },
		Note:      func(text string) { steer.Note(by, text) },
		Pause: func(on bool) {
			if on {
				steer.Pause(by)
			} else {
				steer.Continue(by)
			}
		},
	})
}

// signal hands a signal to the helm, as if the process had got it.
func (s *session) signal(sig os.Signal) {
	select {
	case s.helm <- sig:
	default: // nobody takes them any more, or not so many
	}
}

// observer shows each event to everyone who wants to know: the board, the lines, the stream, and whoever waits for a wish.
func (s *session) observer() func(engine.Event) {
	progress := view.NewProgress(s.app.err, s.work.plan, s.mode)
	if s.shown() {
		progress.Brief()
	}
	return func(e engine.Event) {
		s.console.Event(e)
		progress.Event(e)
		if s.flags.stream {
			s.app.out.EventLine(e)
		}
		s.socket.observe(e)
	}
}

// shown reports whether the run has a live view: a person at a terminal who did not ask for lines, and no log between them.
func (s *session) shown() bool { return s.ask.Live() && !s.flags.plain && s.app.global.log != "-" }

// steer shows the live view and has signals and its keys steer the run, until the function that it returns is called. That
// one gives the terminal back, also when the controller panics.
func (s *session) steer(run *executor.Control) (end func()) {
	signals, stop := s.app.env.Signals()
	done := make(chan struct{})
	all := make(chan os.Signal, 8)
	s.helm = all
	go func() {
		for {
			select {
			case sig := <-signals:
				s.signal(sig)
			case <-done:
				return
			}
		}
	}()
	h := helm{run: run, mode: s.mode, by: s.flags.operator, screen: s.app.err, stop: stop, lost: s.lost}
	go h.steer(all, done)
	hide := func() {}
	if s.shown() {
		s.console.Start()
		hide = s.console.Stop
	}
	return func() {
		hide()
		close(done)
		go sealing(signals, stop)
	}
}

// sealing keeps a closed terminal from ending the process while the record of the run is sealed. Any other signal is taken
// once, and ends it when it comes again.
func sealing(signals <-chan os.Signal, stop func()) {
	for sig := range signals {
		if sig != syscall.SIGHUP {
			stop()
			return
		}
	}
}

// lost takes note that the terminal was closed: nobody is asked there, and nothing is written to it.
func (s *session) lost() {
	s.socket.people.lose()
	s.ask.Lose()
}

// desk is the person at a terminal.
func (a *app) desk(ask *view.Asker, by string, c *view.Console) *view.Desk {
	d := view.NewDesk(ask, by, func(ctx context.Context, key string, text []byte) ([]byte, error) {
		return a.signApproval(ctx, ask, key, text)
	})
	d.Read(c.Read)
	return d
}
