package executor

import (
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// Bounds of what is held of a stream in memory.
const (
	maxHeld = 4 << 20 // output that waits for its sensitive captures
	maxTail = 512     // the end of stderr, for the reason of a failure
)

// stream takes one output stream of one execution: everything goes to the artifact, a bounded part stays in memory for
// expressions. A held stream keeps all in memory until release, and what exceeds the bound is not recorded.
type stream struct {
	name     string
	artifact engine.ArtifactWriter
	held     bool
	reads    bool
	kept     []byte
	size     int64
	tail     []byte
}

// Write implements io.Writer and never fails: a slow or failing record must not stop a command.
func (s *stream) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	bound := 0
	switch {
	case s.held:
		bound = maxHeld
	case s.reads:
		bound = maxText + 1
	}
	if room := bound - len(s.kept); room > 0 {
		s.kept = append(s.kept, p[:min(room, len(p))]...)
	}
	s.tail = append(s.tail, p[max(0, len(p)-maxTail):]...)
	s.tail = s.tail[max(0, len(s.tail)-maxTail):]
	if !s.held {
		_, _ = s.artifact.Write(p)
	}
	return len(p), nil
}

// text is the stream as expressions see it: without trailing newlines. Not ok: more than they may see.
func (s *stream) text() (text string, ok bool) {
	if s.size > maxText {
		return "", false
	}
	return strings.TrimRight(strings.ToValidUTF8(string(s.kept), "\uFFFD"), "\r\n"), true
}

// release writes a held stream, now that the redactor knows its secrets. Not ok: it was too long to hold back, and
// nothing of it is recorded.
func (s *stream) release() (ok bool) {
	if s.held && s.size > maxHeld {
		return false
	}
	if s.held {
		s.held = false
		_, _ = s.artifact.Write(s.kept)
	}
	return true
}

// lastLine is the last line that is not empty, for a reason. A line that may have lost its beginning is left out: a
// redactor would not know half a secret.
func (s *stream) lastLine() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(s.tail), "\uFFFD"))
	n := strings.LastIndexByte(text, '\n')
	if n < 0 && s.size > maxTail {
		return ""
	}
	return strings.TrimSpace(text[n+1:])
}

// output is both streams of one execution.
type output struct {
	stdout, stderr stream
}

func (r *run) newOutput(w work) (*output, error) {
	o := &output{
		stdout: stream{name: "stdout", held: w.held, reads: w.reads.stdout},
		stderr: stream{name: "stderr", held: w.held, reads: w.reads.stderr},
	}
	for _, s := range []*stream{&o.stdout, &o.stderr} {
		a, err := r.cfg.Artifacts.Create()
		if err != nil {
			return nil, &recordError{err}
		}
		s.artifact = a
	}
	return o, nil
}

func (o *output) sink() engine.OutputSink {
	return engine.OutputSink{Stdout: &o.stdout, Stderr: &o.stderr}
}

// finish ends both streams and returns the events for those that are not empty. withheld names what was not recorded
// because it could not be redacted.
func (o *output) finish(u engine.Unit, part engine.PartName, attempt int, recordable, background bool) (outs []engine.ItemOutput, withheld bool, err error) {
	for _, s := range []*stream{&o.stdout, &o.stderr} {
		ok := recordable && s.release()
		withheld = withheld || !ok && s.size > 0
		ev, failed := s.artifact.Finish()
		if failed != nil && err == nil {
			err = &recordError{failed}
		}
		if s.size == 0 || !ok || failed != nil {
			continue
		}
		ev.Unit, ev.Part, ev.Attempt, ev.Stream, ev.BackgroundOpen = u, part, attempt, s.name, background
		outs = append(outs, ev)
	}
	return outs, withheld, err
}
