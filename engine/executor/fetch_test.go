package executor_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
)

// disk is a Scratch that counts its files.
type disk struct {
	dir          string
	made, closed atomic.Int64
	fail         error // of every Write
}

func (d *disk) Create() (engine.ScratchFile, error) {
	f, err := os.CreateTemp(d.dir, "")
	if err != nil {
		return nil, err
	}
	d.made.Add(1)
	return &diskFile{f, d}, nil
}

type diskFile struct {
	*os.File
	d *disk
}

func (f *diskFile) Write(p []byte) (int, error) {
	if f.d.fail != nil {
		return 0, f.d.fail
	}
	return f.File.Write(p)
}

func (f *diskFile) Close() error {
	f.d.closed.Add(1)
	return errors.Join(f.File.Close(), os.Remove(f.Name()))
}

const fetching = `
phase "p" {
  transfer "dump" {
    hosts       = [host.b, host.c]
    destination = "/srv/dump"
    from {
      host   = host.a
      path   = "/srv/dump"
      sha256 = "SUM"
    }
  }
}`

// received are the contents that launches were given, by host.
func received(t *testing.T, w *world) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, c := range w.sim.Calls() {
		if c.What != "start" || c.Part != engine.PartCommand {
			continue
		}
		content := c.Command.Stdin
		if c.Command.Input != nil {
			r, err := c.Command.Input.Open()
			require.NoError(t, err)
			content, err = io.ReadAll(r)
			require.NoError(t, err)
			require.Len(t, content, int(c.Command.Input.Size))
		}
		out[c.On] = string(content)
	}
	return out
}

// What is too large for memory goes to a scratch file, is read from its host once, and is gone when the item ends.
func TestTransfer_fromLarge(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789abcdef", 200_000)
	w := newWorld(t, engine.Live, strings.ReplaceAll(fetching, "SUM", digestOf(big)))
	d := &disk{dir: t.TempDir()}
	w.cfg.Scratch = d
	w.sim.On("transfer.dump", engine.PartSource, simtransport.Answer{Stdout: big})
	var mu sync.Mutex
	got := map[string]string{}
	w.sim.OnLaunch(func(c simtransport.Call) {
		r, err := c.Command.Input.Open()
		if err != nil {
			t.Error(err)
			return
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got[c.On] = string(content)
	})
	rec := w.run()
	require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
	require.Equal(t, []string{"transfer.dump@a"}, w.called("observe"), "it is read once for all hosts")
	require.Equal(t, map[string]string{"b": big, "c": big}, got)
	require.EqualValues(t, 1, d.made.Load())
	require.EqualValues(t, 1, d.closed.Load())
	require.Empty(t, names(t, d.dir))
}

func TestTransfer_fromSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Live, strings.ReplaceAll(fetching, "SUM", digestOf("data")))
	d := &disk{dir: t.TempDir()}
	w.cfg.Scratch = d
	w.sim.On("transfer.dump", engine.PartSource, simtransport.Answer{Stdout: "data"})
	require.Equal(t, engine.Passed, w.run().Verdict)
	require.Equal(t, map[string]string{"b": "data", "c": "data"}, received(t, w))
	require.Zero(t, d.made.Load(), "memory will do")
}

// A file that could not be read is read again by the next attempt; a reading that failed leaves nothing.
func TestTransfer_fromFails(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 2<<20)
	tests := map[string]struct {
		answers []simtransport.Answer
		fail    error
		none    bool // no scratch
		want    string
		outcome engine.Outcome
	}{
		"exit code":         {answers: []simtransport.Answer{{Stdout: big, Stderr: "cat: gone\n", ExitCode: 1}}, want: "exit code 1: cat: gone", outcome: engine.NotReached},
		"signal":            {answers: []simtransport.Answer{{Stdout: big, Signal: "KILL"}}, want: "read /srv/dump on a", outcome: engine.NotReached},
		"lost":              {answers: []simtransport.Answer{{Stdout: big, Err: engine.ErrUnreachable}}, want: "unreachable", outcome: engine.Unreachable},
		"another digest":    {answers: []simtransport.Answer{{Stdout: big + "x"}}, want: "its SHA-256 is", outcome: engine.NotReached},
		"disk full":         {answers: []simtransport.Answer{{Stdout: big}}, fail: errors.New("no space left on device"), want: "no space left on device", outcome: engine.NotReached},
		"nowhere to put it": {answers: []simtransport.Answer{{Stdout: strings.Repeat("x", 64<<20+1)}}, none: true, want: "there is no place to keep them", outcome: engine.NotReached},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.Live, strings.ReplaceAll(strings.ReplaceAll(fetching, "SUM", digestOf(big)), "[host.b, host.c]", "host.b"))
			d := &disk{dir: t.TempDir(), fail: tt.fail}
			if !tt.none {
				w.cfg.Scratch = d
			}
			w.sim.On("transfer.dump", engine.PartSource, tt.answers...)
			rec := w.run()
			require.Equal(t, tt.outcome, w.outcome(rec, "transfer.dump"))
			require.Contains(t, item(rec, "transfer.dump").Reason, tt.want)
			require.Empty(t, w.called("start"), "nothing was sent")
			require.Equal(t, d.made.Load(), d.closed.Load())
		})
	}
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, engine.Live, strings.Replace(strings.ReplaceAll(fetching, "SUM", digestOf(big)), "from {", "retry { attempts = 2 }\n    from {", 1))
		d := &disk{dir: t.TempDir()}
		w.cfg.Scratch = d
		w.cfg.Parallel = 1
		w.sim.On("transfer.dump", engine.PartSource, simtransport.Answer{Err: engine.ErrUnreachable}, simtransport.Answer{Stdout: big})
		rec := w.run()
		require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
		require.Len(t, w.called("observe"), 2)
		require.Equal(t, d.made.Load(), d.closed.Load())
	})
}
