package localtransport_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/localtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// The protocol's texts must mean the same to every shell that calls itself /bin/sh somewhere.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, sh := range []string{"sh", "dash", "bash --posix", "busybox sh", "zsh --emulate sh"} {
		t.Run(sh, func(t *testing.T) {
			t.Parallel()
			path := transporttest.NeedProgram(t, strings.Fields(sh)[0])
			tr := open(t, append([]string{path}, strings.Fields(sh)[1:]...))
			transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: &runbooks.Host{Name: "control", Control: true}, Durable: true}.Run(t)
		})
	}
}

// open returns a transport with a home of its own.
func open(t testing.TB, sh []string) *localtransport.Transport {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	require.NoError(t, os.Mkdir(home, 0o700))
	tr := localtransport.New(localtransport.Options{Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}, Shell: sh,
		Limits: hostshell.Limits{KillGrace: 1e9}})
	t.Cleanup(func() { require.NoError(t, tr.Close()) })
	return tr
}
