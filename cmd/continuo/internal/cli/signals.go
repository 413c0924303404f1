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

// helm turns signals into control.
type helm struct {
	run    steering
	mode   engine.Mode
	by     string
	screen *view.Screen
	stop   func() // of the signals: the next one ends the process as any other
	lost   func() // the terminal was closed
}

// steer turns signals into control until done is closed: the first asks the run to start nothing new, the second kills
// what runs on hosts, the third leaves at once, and a fourth ends the process as any other. A terminal that is closed
// ends a dry-run but not a live run.
func (h helm) steer(signals <-chan os.Signal, done <-chan struct{}) {
	asked, closed := 0, false
	for {
		var sig os.Signal
		select {
		case <-done:
			return
		case sig = <-signals:
		}
		if sig == syscall.SIGHUP {
			if closed {
				continue
			}
			closed = true
			h.lost()
			if h.mode == engine.Live {
				h.run.Note(h.by, "the terminal was closed; the run goes on")
				continue
			}
		}
		switch asked++; asked {
		case 1:
			h.screen.Interrupted(view.Draining)
			h.run.Drain(h.by)
		case 2:
			h.screen.Interrupted(view.Killing)
			h.run.Kill(h.by)
		default:
			h.screen.Interrupted(view.Leaving)
			h.run.Leave(h.by, "interrupted three times")
			h.stop()
			return
		}
	}
}
