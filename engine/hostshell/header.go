package hostshell

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// maxJunk is how much of what precedes an answer is kept, to show when no answer comes.
const maxJunk = 2 << 10

// maxHeader bounds the answer's first line.
const maxHeader = 16 << 10

// headerWriter finds the line "<nonce> …" in a stream, hands its fields to found, and passes everything that follows to
// the writer that found returns. It never fails: what nobody wants is discarded.
type headerWriter struct {
	nonce string
	found func(fields []string) io.Writer

	mu   sync.Mutex
	buf  []byte // since the last line that is no answer
	junk []byte
	next io.Writer
	done bool
}

// Write implements io.Writer.
func (w *headerWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.done {
		next := w.next
		w.mu.Unlock()
		writeAll(next, p)
		return len(p), nil
	}
	w.buf = append(w.buf, p...)
	rest, fields := w.scan()
	w.mu.Unlock()
	if fields == nil {
		return len(p), nil
	}
	next := w.found(fields)
	w.mu.Lock()
	w.next, w.done, w.buf = next, true, nil
	w.mu.Unlock()
	writeAll(next, rest)
	return len(p), nil
}

// scan looks for the answer in buf. It drops what cannot be part of it.
func (w *headerWriter) scan() (rest []byte, fields []string) {
	mark := []byte(w.nonce + " ")
	i := bytes.Index(w.buf, mark)
	if i < 0 {
		if keep := len(mark) - 1; len(w.buf) > keep {
			w.keepJunk(w.buf[:len(w.buf)-keep])
			w.buf = append([]byte(nil), w.buf[len(w.buf)-keep:]...)
		}
		return nil, nil
	}
	w.keepJunk(w.buf[:i])
	w.buf = w.buf[i:]
	end := bytes.IndexByte(w.buf, '\n')
	if end < 0 {
		if len(w.buf) > maxHeader { // no host of ours sends this
			w.buf = w.buf[len(mark):]
		}
		return nil, nil
	}
	return w.buf[end+1:], strings.Fields(string(w.buf[len(mark):end]))
}

func (w *headerWriter) keepJunk(p []byte) {
	if room := maxJunk - len(w.junk); room > 0 {
		w.junk = append(w.junk, p[:min(room, len(p))]...)
	}
}

// Junk is what came before the answer, or instead of it.
func (w *headerWriter) Junk() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := append([]byte(nil), w.junk...)
	if !w.done {
		all = append(all, w.buf...)
	}
	return strings.TrimSpace(string(all))
}

// writeAll gives p to w and forgets w's errors: a sink that fails has its own way to say so, and the stream is drained
// all the same.
func writeAll(w io.Writer, p []byte) {
	if w != nil && len(p) > 0 {
		_, _ = w.Write(p)
	}
}

// splitWriter passes a stream to first until it meets the line "<nonce> err\n", and what follows to second.
type splitWriter struct {
	mark          []byte
	first, second io.Writer
	held          []byte
	split         bool
}

func newSplitWriter(nonce string, first, second io.Writer) *splitWriter {
	return &splitWriter{mark: []byte(nonce + " err\n"), first: first, second: second}
}

// Write implements io.Writer.
func (w *splitWriter) Write(p []byte) (int, error) {
	if w.split {
		writeAll(w.second, p)
		return len(p), nil
	}
	w.held = append(w.held, p...)
	before, rest, found := cutAt(w.held, w.mark)
	writeAll(w.first, before)
	if found {
		writeAll(w.second, rest)
		w.split, w.held = true, nil
		return len(p), nil
	}
	w.held = append(w.held[:0], rest...)
	return len(p), nil
}

// cutAt cuts b at mark. When it is not there, rest is what may be a beginning of it.
func cutAt(b, mark []byte) (before, rest []byte, found bool) {
	if i := bytes.Index(b, mark); i >= 0 {
		return b[:i], b[i+len(mark):], true
	}
	keep := len(b) - partialSuffix(b, mark)
	return b[:keep], b[keep:], false
}

// Complete reports whether the separator was seen.
func (w *splitWriter) Complete() bool { return w.split }

// partialSuffix is the length of the longest end of b that is a beginning of mark.
func partialSuffix(b, mark []byte) int {
	for n := min(len(mark)-1, len(b)); n > 0; n-- {
		if bytes.HasSuffix(b, mark[:n]) {
			return n
		}
	}
	return 0
}
