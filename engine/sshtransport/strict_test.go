package sshtransport_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// With durability = "strict" the host syncs the claim before the command starts, and result and output after its end.
func TestStrictDurability(t *testing.T) {
	t.Parallel()
	tools := t.TempDir()
	ran := filepath.Join(tools, "ran")
	log := filepath.Join(tools, "log")
	// What stands in sync's place notes what it was called for, and when.
	write(t, filepath.Join(tools, "sync"), "#!/bin/sh\nif [ -e "+ran+" ]; then w=after; else w=before; fi\n"+
		"for f in \"$@\"; do read -r l <\"$f\"; echo \"$w ${f##*.} $l\" >>"+log+"; done 2>/dev/null\nexec /bin/sync \"$@\"\n")
	require.NoError(t, os.Chmod(filepath.Join(tools, "sync"), 0o700))
	require.NoError(t, os.Chmod(tools, 0o755))
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Env: []string{"PATH=" + tools + ":/usr/bin:/bin"}})
	h := s.Host("db-1")
	h.Connection.Durability = runbooks.StrictDurability
	tr := open(t, s, quick)
	suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: h, Durable: true}
	got := suite.Start(t.Context(), t, engine.Command{Script: "echo x >" + ran + "; echo said; exit 4"})
	require.NoError(t, got.Err)
	require.Equal(t, 4, got.Status.Code)
	require.Equal(t, "said\n", got.Stdout)
	data, err := os.ReadFile(log)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	require.Regexp(t, `^before go run \d+ \S+ \d+ \.$`, lines[0], "the claim is whole, and the command has not started")
	all := strings.Join(lines, "\n")
	require.Contains(t, all, "after rc 4 exit 1 0 -  .")
	require.Contains(t, all, "after out said")
	normal := *h
	normal.Name, normal.Connection.Durability = "db-2", ""
	suite.Host = &normal
	require.NoError(t, suite.Start(t.Context(), t, engine.Command{Argv: []string{"true"}}).Err)
	again, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, string(data), string(again), "nothing is synced that did not ask for it")
}

// A host that cannot sync starts nothing.
func TestStrictDurabilityWithoutSync(t *testing.T) {
	t.Parallel()
	tools := t.TempDir()
	require.NoError(t, os.Chmod(tools, 0o755))
	for _, p := range []string{"sh", "mkdir", "ls", "ln", "rm", "mv", "id", "cat"} {
		require.NoError(t, os.Symlink(transporttest.NeedProgram(t, p), filepath.Join(tools, p)))
	}
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Env: []string{"PATH=" + tools}})
	h := s.Host("db-1")
	h.Connection.Durability = runbooks.StrictDurability
	tr := open(t, s, quick)
	suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: h, Durable: true}
	file, count := counter(t)
	got := suite.Start(t.Context(), t, engine.Command{Script: "echo x >>" + file})
	requireHostError(t, got.Err, engine.ErrRefused, "program", "no program to sync", "durability")
	require.Zero(t, count())
}
