package hostshell

import (
	"io"
	"sync"
)

// offsetWriter delivers a stream exactly once, whoever reads it from wherever.
type offsetWriter struct {
	mu sync.Mutex
	w  io.Writer
	n  int64
}

// Write implements io.Writer: p follows what was delivered.
func (o *offsetWriter) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	writeAll(o.w, p)
	o.n += int64(len(p))
	return len(p), nil
}

func (o *offsetWriter) offset() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.n
}

// from is a writer for the stream from position at, of which only what is new is delivered.
func (o *offsetWriter) from(at int64) io.Writer { return &skipWriter{o: o, at: at} }

type skipWriter struct {
	o  *offsetWriter
	at int64
}

// Write implements io.Writer.
func (s *skipWriter) Write(p []byte) (int, error) {
	n := len(p)
	if known := s.o.offset() - s.at; known > 0 {
		p = p[min(known, int64(len(p))):]
	}
	s.at += int64(n)
	if len(p) > 0 {
		_, _ = s.o.Write(p)
	}
	return n, nil
}
