package redact

import (
	"io"
	"os"
	"sync"
)

// Writer replaces the secrets of one stream on its way to another writer. The end of what was written may be held back
// until it is certain that no secret begins there; Close writes it.
type Writer struct {
	redactor *Redactor
	out      io.Writer

	mu     sync.Mutex
	search *search
	err    error
	closed bool
}

// NewWriter returns a Writer to out. It does not close out.
func (r *Redactor) NewWriter(out io.Writer) *Writer {
	return &Writer{redactor: r, out: out, search: newSearch(r.auto.Load())}
}

// Write takes the next bytes of the stream. An error is that of the writer below, and every later Write returns it.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, os.ErrClosed
	}
	w.search.use(w.redactor.auto.Load())
	w.search.feed(p)
	if err := w.pass(false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what was held back.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return w.err
	}
	w.closed = true
	w.search.use(w.redactor.auto.Load())
	return w.pass(true)
}

// Count is how many secrets were replaced so far.
func (w *Writer) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.search.count
}

func (w *Writer) pass(atEnd bool) error {
	if w.err != nil {
		return w.err
	}
	if b := w.search.take(atEnd); len(b) > 0 {
		_, w.err = w.out.Write(b)
	}
	return w.err
}
