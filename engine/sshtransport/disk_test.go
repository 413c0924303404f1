package sshtransport_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

// smallDisk mounts a tmpfs where the state directory goes. Only root can.
func (r *rig) smallDisk(kib int) (dir string, fill func() (empty func())) {
	if os.Geteuid() != 0 {
		r.t.Skip("only root can mount a small disk")
	}
	dir = filepath.Join(r.server.Home, ".continuo")
	require.NoError(r.t, os.Mkdir(dir, 0o700))
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dk,mode=700", kib), "continuo-test", dir).CombinedOutput()
	if err != nil {
		r.t.Skipf("mount: %s", out)
	}
	r.t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	return dir, func() func() {
		file := filepath.Join(dir, "filler")
		f, err := os.Create(file)
		require.NoError(r.t, err)
		defer f.Close()
		block := make([]byte, 4096)
		for err == nil {
			_, err = f.Write(block)
		}
		return func() { require.NoError(r.t, os.Remove(file)) }
	}
}

// Case 31: a full disk under the state directory.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("before the launch nothing starts", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		_, fill := r.smallDisk(256)
		file, count := counter(t)
		a := r.attempt(engine.Command{Script: "echo x >>" + file})
		empty := fill()
		got := r.start(r.tr, a).wait()
		requireHostError(t, got.Err, engine.ErrRefused, "state-directory", "nothing was started", "make room")
		require.Zero(t, count())
		empty()
		require.NoError(t, r.start(r.tr, r.attempt(engine.Command{Script: "echo x >>" + file})).wait().Err)
		require.Equal(t, 1, count())
	})
	t.Run("while it runs the result is kept", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		dir, _ := r.smallDisk(256)
		file, count := counter(t)
		a := r.attempt(engine.Command{Script: "echo x >>" + file + "; head -c 10000000 /dev/zero >" + dir + "/filler 2>/dev/null || true; exit 7"})
		got := r.start(r.tr, a).wait()
		require.NoError(t, got.Err)
		require.Equal(t, 7, got.Status.Code)
		require.Equal(t, 1, count())
	})
	t.Run("the preflight says so", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.smallDisk(256)
		pre, err := r.tr.Preflight(t.Context(), r.host, engine.PreflightRequest{Steps: true})
		require.NoError(t, err)
		require.False(t, pre.OK)
		last := pre.Checks[len(pre.Checks)-1]
		require.Equal(t, "free-space", last.Name)
		require.Contains(t, last.Hint, "10 MiB")
	})
}

// Tombstones go after 14 days, and only those of an earlier boot.
func TestOldTombstones(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.attempt(engine.Command{Script: "true"})
	dir := a.Incarnation.StateDir
	old := time.Now().Add(-15 * 24 * time.Hour)
	boot, earlier := a.Incarnation.BootID, "00000000-0000-4000-8000-000000000000"
	tombstone := func(c, line string, age time.Time) string {
		id := strings.Repeat(c, 32)
		for name, text := range map[string]string{".go": line + "\n", ".rc": "0 exit 1 0 - .\n"} {
			write(t, filepath.Join(dir, id+name), text)
			require.NoError(t, os.Chtimes(filepath.Join(dir, id+name), age, age))
		}
		return id
	}
	kept := []string{
		tombstone("1", "run 4711 "+boot+" 12 .", old),
		tombstone("2", "fence "+boot+" .", old),
		tombstone("3", "run 4711 "+earlier+" 12 .", time.Now()),
		tombstone("4", "", old),
	}
	gone := []string{tombstone("5", "run 4711 "+earlier+" 12 .", old), tombstone("6", "fence "+earlier+" .", old)}
	require.NoError(t, r.start(r.tr, a).wait().Err)
	require.NoError(t, r.tr.Close())
	for _, id := range append(kept, string(a.ID)) {
		require.FileExists(t, filepath.Join(dir, id+".go"))
		require.FileExists(t, filepath.Join(dir, id+".rc"))
	}
	for _, id := range gone {
		require.NoFileExists(t, filepath.Join(dir, id+".go"))
		require.NoFileExists(t, filepath.Join(dir, id+".rc"))
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pre, err := r.tr.Preflight(t.Context(), r.host, engine.PreflightRequest{Programs: []string{"ls", "nonsuch", "it's"}, Interpreters: []string{"/bin/sh"}, Steps: true})
	require.NoError(t, err)
	require.False(t, pre.OK)
	byName := map[string][]engine.PreflightCheck{}
	for _, c := range pre.Checks {
		byName[c.Name] = append(byName[c.Name], c)
	}
	for _, name := range []string{"reach", "host-key", "authentication", "identity", "clock", "interpreter", "state-directory", "free-space"} {
		require.Len(t, byName[name], 1, name)
		require.True(t, byName[name][0].OK, name)
	}
	require.Equal(t, []bool{false, true, false}, []bool{byName["program"][0].OK, byName["program"][1].OK, byName["program"][2].OK})
	require.Contains(t, byName["program"][2].Detail, "nonsuch not found")
	name, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, name, pre.Hostname)
	require.NotEmpty(t, pre.OS)
	require.NotEmpty(t, pre.BootID)
	require.NotNil(t, pre.ClockOffsetMS)
	require.Less(t, *pre.ClockOffsetMS, int64(60000))
	files, err := os.ReadDir(filepath.Join(r.server.Home, ".continuo"))
	require.NoError(t, err)
	require.Empty(t, files, "a preflight leaves the directory and nothing in it")

	r.proxy.Refuse(true)
	r.proxy.Reset()
	other := r.transport()
	pre, err = other.Preflight(t.Context(), r.host, engine.PreflightRequest{})
	require.NoError(t, err)
	require.False(t, pre.OK)
	require.Equal(t, "reach", pre.Checks[0].Name)
	require.NotEmpty(t, pre.Checks[0].Detail)
}

func TestProbeTCP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.host
	state, err := r.tr.ProbeTCP(t.Context(), h, addr(r.server))
	require.NoError(t, err)
	require.Equal(t, engine.TCPOpen, state)
	state, err = r.tr.ProbeTCP(t.Context(), h, "127.0.0.1:1")
	require.NoError(t, err)
	require.Equal(t, engine.TCPRefused, state)
	_, err = r.tr.ProbeTCP(t.Context(), h, "nosuch.invalid:1")
	requireHostError(t, err, engine.ErrRefused, "resolve", "does not resolve", "db-1")
}

// Where forwarding is forbidden a command asks.
func TestProbeTCPWithoutForwarding(t *testing.T) {
	t.Parallel()
	s := startForbidding(t)
	tr := open(t, s)
	for address, want := range map[string]engine.TCPState{addr(s): engine.TCPOpen, "127.0.0.1:1": engine.TCPRefused} {
		state, err := tr.ProbeTCP(t.Context(), s.Host("db-1"), address)
		require.NoError(t, err)
		require.Equal(t, want, state, address)
	}
	_, err := tr.ProbeTCP(t.Context(), s.Host("db-1"), "no port")
	require.Error(t, err)
}
