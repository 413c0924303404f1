package cli

import (
	"os"
	"syscall"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
)

// steering is what signals do to a run; *executor.Control has it.
type steering interface {
	Drain(by string)
	Kill(by string)
	Leave(by, reason string)
	Note(by, text string)
}

// steer turns signals into control until done is closed: the first asks the run to start nothing new, the second kills
// what runs on hosts, the third leaves at once, and a fourth ends the process as any other. A terminal that is closed
// ends a dry-run but not a live run.
func steer(signals <-chan os.Signal, stop func(), done <-chan struct{}, run steering, mode engine.Mode, by string, s *view.Screen) {
	asked := 0
	for {
		var sig os.Signal
		select {
		case <-done:
			return
		case sig = <-signals:
		}
		if sig == syscall.SIGHUP && mode == engine.Live {
			run.Note(by, "the terminal was closed; the run goes on")
			continue
		}
		switch asked++; asked {
		case 1:
			s.Interrupted(view.Draining)
			run.Drain(by)
		case 2:
			s.Interrupted(view.Killing)
			run.Kill(by)
		default:
			s.Interrupted(view.Leaving)
			run.Leave(by, "interrupted three times")
			stop()
			return
		}
	}
}
