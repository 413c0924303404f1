package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// copyName is where Resume writes the copy of the journal before it takes the journal's name.
const copyName = FileName + ".new"

// Resumed is what Resume found and wrote.
type Resumed struct {
	// Events are all events, the ones that Resume appended included.
	Events []engine.Event
	// Cut is how many bytes of a torn last line were cut off; they are in the artifact that journal.recovered names.
	Cut int64
}

// Resume takes up the journal of an unfinished run in dir: it takes the lock, reads it strictly, cuts a torn last line
// (its bytes go to Put first), copies it to a new file that takes its place, and begins a segment with the given
// run.resumed, followed by journal.recovered where something was cut and clock.anomaly where the wall clock is behind
// the last event. The copy is what makes a failed fsync harmless: a page that the kernel gave up is written again.
//
// Run, Nonce and Mode of opts may be empty; else they must be the journal's. A closed run is ErrClosed.
func Resume(dir string, opts Options, resumed *engine.RunResumed) (*Journal, Resumed, error) {
	j, err := lockDir(dir, opts)
	if err != nil {
		return nil, Resumed{}, err
	}
	res, err := j.resume(dir, resumed)
	if err != nil {
		return nil, Resumed{}, errors.Join(fmt.Errorf("resume journal: %w", err), j.release())
	}
	return j, res, nil
}

func (j *Journal) resume(dir string, resumed *engine.RunResumed) (Resumed, error) {
	prefix, data, err := j.load()
	if err != nil {
		return Resumed{}, err
	}
	if err := j.adopt(prefix.Events); err != nil {
		return Resumed{}, err
	}
	recovered := &engine.JournalRecovered{CutBytes: int64(len(prefix.Torn))}
	if len(prefix.Torn) > 0 {
		if j.opts.Put == nil {
			return Resumed{}, fmt.Errorf("nowhere to keep the torn line: %w", ErrTorn)
		}
		if recovered.Artifact, err = j.opts.Put(prefix.Torn); err != nil {
			return Resumed{}, fmt.Errorf("keep the torn line: %w", err)
		}
	}
	if err := j.replace(dir, data[:prefix.Size]); err != nil {
		return Resumed{}, err
	}
	j.prev, j.next = prefix.Head, uint64(len(prefix.Events))
	j.written, j.synced, j.syncedHead = j.next, j.next, j.prev
	res := Resumed{Events: prefix.Events, Cut: recovered.CutBytes}
	more, err := j.beginSegment(prefix.Events[len(prefix.Events)-1], resumed, recovered)
	res.Events = append(res.Events, more...)
	return res, err
}

// load reads the journal as a crash may have left it, with its bytes.
func (j *Journal) load() (Prefix, []byte, error) {
	f, err := j.opts.FS.OpenFile(j.name, os.O_RDONLY, 0)
	if err != nil {
		return Prefix{}, nil, err
	}
	defer f.Close()
	var kept writeBuffer
	prefix, err := ReadPrefix(io.TeeReader(f, &kept))
	return prefix, kept, err
}

// writeBuffer keeps what is read, for the copy must be of the bytes that were checked and no others.
type writeBuffer []byte

// Write implements io.Writer.
func (w *writeBuffer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

// adopt takes run, nonce and mode from the journal and refuses one that is not what the caller expects, or is closed.
func (j *Journal) adopt(events []engine.Event) error {
	if len(events) == 0 {
		return ErrEmpty
	}
	opened, ok := events[0].Payload.(*engine.RunOpened)
	if !ok {
		return ErrOrder
	}
	o := &j.opts
	if o.Run != "" && o.Run != opened.Run || o.Nonce != "" && o.Nonce != opened.Nonce {
		return fmt.Errorf("journal of another run, %q: %w", opened.Run, ErrOrder)
	}
	if o.Mode != "" && o.Mode != events[0].Mode {
		return fmt.Errorf("run is %s, not %s: %w", events[0].Mode, o.Mode, ErrMode)
	}
	o.Run, o.Nonce, o.Mode = opened.Run, opened.Nonce, events[0].Mode
	if _, ok := events[len(events)-1].Payload.(*engine.RunClosed); ok {
		return ErrClosed
	}
	return nil
}

// replace puts a durable copy of the intact lines in the journal's place and opens it for appending.
func (j *Journal) replace(dir string, data []byte) error {
	tmp := filepath.Join(dir, copyName)
	if err := j.opts.FS.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := fsx.WriteFile(j.opts.FS, tmp, data, 0o600); err != nil {
		return err
	}
	if err := j.opts.FS.Rename(tmp, j.name); err != nil {
		return err
	}
	if err := j.opts.FS.SyncDir(dir); err != nil {
		return err
	}
	f, err := j.opts.FS.OpenFile(j.name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	j.file, j.size = f, int64(len(data))
	return nil
}

// beginSegment appends what a new controller says first.
func (j *Journal) beginSegment(
	last engine.Event, resumed *engine.RunResumed, recovered *engine.JournalRecovered,
) ([]engine.Event, error) {
	j.clocks.restart()
	first := []engine.Payload{resumed}
	if recovered.CutBytes > 0 {
		first = append(first, recovered)
	}
	var out []engine.Event
	for i, p := range first {
		ev, err := j.Append(context.Background(), p)
		if err != nil {
			return out, err
		}
		out = append(out, ev)
		if step := ev.Time.Sub(last.Time); i == 0 && step < 0 {
			back, err := j.Append(context.Background(), &engine.ClockAnomaly{StepMS: step.Milliseconds()})
			if err != nil {
				return out, err
			}
			out = append(out, back)
		}
	}
	return out, nil
}
