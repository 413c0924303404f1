package sshtransport_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// controllerEnv holds the order for TestControllerProcess: this program, started again to be killed.
const controllerEnv = "CONTINUO_TEST_CONTROLLER"

// order is what the process that is to be killed launches.
type order struct {
	Host        *runbooks.Host
	KnownHosts  string
	ID          engine.AttemptID
	Incarnation *engine.Incarnation
	Script      string
	Timeout     time.Duration
}

func (o order) attempt() engine.Attempt {
	return engine.Attempt{ID: o.ID, Incarnation: o.Incarnation, Command: engine.Command{Script: o.Script, Timeout: o.Timeout}}
}

// TestControllerProcess launches what it was ordered to and waits for it. Without an order it has nothing to do.
func TestControllerProcess(t *testing.T) {
	t.Parallel()
	text := os.Getenv(controllerEnv)
	if text == "" {
		t.Skip("only for TestTimeoutWithoutOurProcess")
	}
	var o order
	require.NoError(t, json.Unmarshal([]byte(text), &o))
	tr := sshtransport.New(sshtransport.Options{KnownHosts: []string{o.KnownHosts}, Dial: fast})
	_, _, err := tr.Launcher().Start(t.Context(), o.Host, o.attempt(), engine.OutputSink{})
	require.NoError(t, err)
}

// Done-when 5: our process is killed while a step with a timeout runs. The host ends the step by itself, also one that does
// not listen to TERM, and knows that it was the timeout.
func TestTimeoutWithoutOurProcess(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	tr := open(t, s, quick)
	h := s.Host("db-1")
	p, err := tr.Launcher().Prepare(t.Context(), h, "")
	require.NoError(t, err)
	file, count := counter(t)
	o := order{Host: h, KnownHosts: s.KnownHosts, ID: transporttest.NewID(), Incarnation: p.Incarnation, Timeout: 3 * time.Second,
		Script: "trap '' TERM; echo $$ >" + file + ".pid; echo x >>" + file + "; while :; do sleep 0.1; done"}
	text, err := json.Marshal(o)
	require.NoError(t, err)
	controller := exec.Command(os.Args[0], "-test.run=^TestControllerProcess$", "-test.count=1")
	controller.Env = append(os.Environ(), controllerEnv+"="+string(text))
	require.NoError(t, controller.Start())
	eventually(t, "the step runs", func() bool { return count() == 1 })
	require.NoError(t, controller.Process.Kill())
	require.Error(t, controller.Wait())
	data, err := os.ReadFile(file + ".pid")
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	rc := filepath.Join(p.Incarnation.StateDir, string(o.ID)+".rc")
	eventually(t, "the host has written the result", func() bool {
		data, _ := os.ReadFile(rc)
		return strings.HasPrefix(string(data), "137 timeout 1 ")
	})
	require.ErrorIs(t, syscall.Kill(-pid, 0), syscall.ESRCH)
	status, _, err := tr.Launcher().Collect(t.Context(), h, o.attempt(), engine.OutputSink{})
	require.NoError(t, err)
	require.True(t, status.TimedOut)
	require.True(t, status.KillConfirmed)
	require.Equal(t, "KILL", status.Signal)
	require.Equal(t, 1, count())
	require.NoError(t, tr.Close())
	s.RequireNothingLeft(t)
}
