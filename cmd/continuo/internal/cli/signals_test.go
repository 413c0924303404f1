package cli

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
)

// steered records what signals made of a run.
type steered struct{ did chan string }

func (s *steered) Drain(by string)         { s.did <- "drain " + by }
func (s *steered) Kill(by string)          { s.did <- "kill " + by }
func (s *steered) Leave(by, reason string) { s.did <- "leave " + by + ": " + reason }
func (s *steered) Note(by, text string)    { s.did <- "note " + by + ": " + text }

func TestSteer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		mode    engine.Mode
		signals []os.Signal
		want    []string
		ends    bool
	}{
		{"three times", engine.Live, []os.Signal{os.Interrupt, os.Interrupt, os.Interrupt},
			[]string{"drain op", "kill op", "leave op: interrupted three times"}, true},
		{"told to end", engine.DryRun, []os.Signal{syscall.SIGTERM}, []string{"drain op"}, false},
		{"terminal closed, live", engine.Live, []os.Signal{syscall.SIGHUP, os.Interrupt},
			[]string{"note op: the terminal was closed; the run goes on", "drain op"}, false},
		{"terminal closed, dry", engine.DryRun, []os.Signal{syscall.SIGHUP}, []string{"drain op"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			signals, done, over := make(chan os.Signal, 4), make(chan struct{}), make(chan struct{})
			run := &steered{did: make(chan string, 8)}
			var out bytes.Buffer
			stopped := false
			go func() {
				defer close(over)
				helm{run: run, mode: tc.mode, by: "op", screen: view.NewScreen(&out, view.Options{}),
					stop: func() { stopped = true }, lost: func() {}}.steer(signals, done)
			}()
			for n, s := range tc.signals {
				signals <- s
				require.Equal(t, tc.want[n], <-run.did)
			}
			if !tc.ends {
				close(done)
			}
			<-over
			require.Equal(t, tc.ends, stopped)
		})
	}
}
