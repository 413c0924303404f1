package drytransport_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/drytransport"
	"github.com/continuo-runbooks/continuo/engine/localtransport"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// TestConformance: what a dry-run observes with passes the suite's observing half, and launches nothing.
func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("ssh", func(t *testing.T) {
		t.Parallel()
		s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
		conforms(t, sshtransport.New(sshtransport.Options{KnownHosts: []string{s.KnownHosts}}), s.Host("db-1"))
	})
	t.Run("control", func(t *testing.T) {
		t.Parallel()
		conforms(t, localtransport.New(localtransport.Options{Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}}),
			&runbooks.Host{Name: runbooks.ControlName, Control: true})
	})
}

func conforms(t *testing.T, p engine.Prober, h *runbooks.Host) {
	t.Helper()
	dry := drytransport.New(p)
	t.Cleanup(func() { require.NoError(t, dry.Close()) })
	_, launches := any(dry).(engine.Launcher)
	require.False(t, launches)
	transporttest.Suite{Prober: dry, Host: h}.Run(t)
}
