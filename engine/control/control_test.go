package control_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/control"
)

func serve(t *testing.T, dir string, h control.Handler) *control.Server {
	t.Helper()
	s, err := control.Serve(t.Context(), dir, h)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSend_bringsTheWishAndTheAnswer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var got control.Request
	serve(t, dir, func(_ context.Context, r control.Request) control.Response {
		got = r
		return control.Response{OK: true, Text: "paused"}
	})
	want := control.Request{Op: control.Done, By: "alice@example.org", Item: "manual.smoke", Inputs: map[string]string{"n": "1"}}
	resp, err := control.Send(t.Context(), dir, want)
	require.NoError(t, err)
	require.Equal(t, control.Response{OK: true, Text: "paused"}, resp)
	require.Equal(t, want, got)
}

func TestServe_worksInALongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long-name/", 15))
	require.Greater(t, len(dir), 150)
	require.NoError(t, os.MkdirAll(dir, 0o700))
	serve(t, dir, func(context.Context, control.Request) control.Response { return control.Response{OK: true} })
	resp, err := control.Send(t.Context(), dir, control.Request{Op: control.Pause})
	require.NoError(t, err)
	require.True(t, resp.OK)
}

func TestServe_onlyTheOwnerMayOpenTheSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir, nil)
	fi, err := os.Stat(filepath.Join(dir, control.SocketName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), fi.Mode().Perm())
}

func TestSend_withoutAController(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := control.Send(t.Context(), dir, control.Request{Op: control.Pause})
	require.ErrorIs(t, err, control.ErrNotRunning)

	s, err := control.Serve(t.Context(), dir, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoFileExists(t, filepath.Join(dir, control.SocketName))
	_, err = control.Send(t.Context(), dir, control.Request{Op: control.Pause})
	require.ErrorIs(t, err, control.ErrNotRunning)
}

func TestServe_replacesASocketThatADeadControllerLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, control.SocketName), Net: "unix"})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	_, err = control.Send(t.Context(), dir, control.Request{})
	require.ErrorIs(t, err, control.ErrNotRunning, "refused, not missing")
	require.False(t, control.Listening(dir))
	require.False(t, control.Listening(filepath.Join(dir, "gone")))

	serve(t, dir, func(context.Context, control.Request) control.Response { return control.Response{OK: true} })
	resp, err := control.Send(t.Context(), dir, control.Request{})
	require.NoError(t, err)
	require.True(t, resp.OK)
	require.True(t, control.Listening(dir))
}

func TestServe_answersManyAndSurvivesNonsense(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir, func(_ context.Context, r control.Request) control.Response {
		return control.Response{OK: true, Text: r.Item}
	})
	for _, nonsense := range []string{"", "{", "null\n", "[1]\n", strings.Repeat("x", 2<<20)} {
		c, err := net.Dial("unix", filepath.Join(dir, control.SocketName))
		require.NoError(t, err)
		_, _ = c.Write([]byte(nonsense))
		require.NoError(t, c.(*net.UnixConn).CloseWrite())
		var resp control.Response
		if json.NewDecoder(c).Decode(&resp) == nil && nonsense != "null\n" {
			require.False(t, resp.OK)
			require.NotEmpty(t, resp.Error)
		}
		require.NoError(t, c.Close())
	}
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			item := strings.Repeat("i", n)
			resp, err := control.Send(t.Context(), dir, control.Request{Op: control.Note, Item: item})
			if err != nil || resp.Text != item {
				t.Errorf("%q answered %+v, %v", item, resp, err)
			}
		})
	}
	wg.Wait()
}

func TestClose_waitsForAWishUnderWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	begun, end := make(chan struct{}), make(chan struct{})
	s := serve(t, dir, func(context.Context, control.Request) control.Response {
		close(begun)
		<-end
		return control.Response{OK: true}
	})
	answered := make(chan bool, 1)
	go func() {
		resp, err := control.Send(context.WithoutCancel(t.Context()), dir, control.Request{Op: control.Abort})
		answered <- err == nil && resp.OK
	}()
	<-begun
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	close(end)
	require.NoError(t, <-closed)
	require.True(t, <-answered)
}
