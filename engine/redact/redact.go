// Package redact replaces secrets in what is recorded, printed and hashed, before it is.
//
// A secret is looked for as it is, trimmed, line by line, and in the encodings in which programs print things: base64 at
// its three alignments with both alphabets, hexadecimal, URL-, JSON- and shell-quoted. Streams are searched across the
// borders of their chunks. What is found is replaced by [redacted:NAME].
//
// This guards against accidents: a script that echoes its environment, an error that quotes its input. It does not
// guard against a host that wants to leak: whoever can compute can encode in a way that nobody looks for.
package redact

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// MinLength is the length in bytes below which a secret is refused: replacing shorter ones would destroy the record
	// and, by what is missing, tell them.
	MinLength = 6
	// MaxLength is the length in bytes above which a secret is refused.
	MaxLength = 64 << 10
)

// Why a secret is refused. Errors never hold its value.
var (
	ErrTooShort = fmt.Errorf("shorter than %d characters without white space: it cannot be kept out of the record", MinLength)
	ErrTooLong  = fmt.Errorf("longer than %d bytes", MaxLength)
	ErrMarker   = errors.New("part of the words that replace a secret: it cannot be kept out of the record")
)

// Redactor knows the secrets of a run. New ones may be added at any time, also while streams run; they are replaced in
// what is written from then on. Safe for concurrent use. The zero value knows none and is ready to use.
type Redactor struct {
	mu     sync.Mutex
	values map[string]map[string]bool // name → values
	auto   atomic.Pointer[automaton]
}

// New returns a redactor that knows no secret.
func New() *Redactor { return &Redactor{} }

// Marker is what stands in the place of a secret.
func Marker(name string) string { return "[redacted:" + name + "]" }

// Add makes a secret known. It must be called before the value can reach any output. A name may have several values: a
// secret that was changed while the run went on.
func (r *Redactor) Add(name, value string) error {
	switch {
	case len(strings.TrimSpace(value)) < MinLength:
		return fmt.Errorf("secret %q: %w", name, ErrTooShort)
	case len(value) > MaxLength:
		return fmt.Errorf("secret %q: %w", name, ErrTooLong)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values[name][value] {
		return nil
	}
	next := make(map[string]map[string]bool, len(r.values)+1)
	for n, vs := range r.values {
		next[n] = maps.Clone(vs)
	}
	if next[name] == nil {
		next[name] = map[string]bool{}
	}
	next[name][value] = true
	if err := checkMarkers(next); err != nil {
		return fmt.Errorf("secret %q: %w", name, err)
	}
	r.values = next
	r.auto.Store(build(allForms(next)))
	return nil
}

// checkMarkers refuses a value that a marker would show.
func checkMarkers(values map[string]map[string]bool) error {
	for name := range values {
		for _, vs := range values {
			for v := range vs {
				if strings.Contains(Marker(name), strings.TrimSpace(v)) {
					return ErrMarker
				}
			}
		}
	}
	return nil
}

// allForms lists every form of every value, in a fixed order.
func allForms(values map[string]map[string]bool) []form {
	var out []form
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range slices.Sorted(maps.Keys(values[name])) {
			out = append(out, forms(name, value)...)
		}
	}
	return out
}

// Redact replaces secrets in a whole text. It implements engine.Redactor.
func (r *Redactor) Redact(s string) string {
	if r.auto.Load() == nil {
		return s
	}
	var b strings.Builder
	w := r.NewWriter(&b)
	_, _ = io.WriteString(w, s) // a Builder takes everything
	_ = w.Close()
	if w.Count() == 0 {
		return s
	}
	return b.String()
}

// Hit is a secret that Scan found.
type Hit struct {
	Name     string
	Encoding string // raw, trimmed, line, base64, base64url, hex, url, json, shell
	Offset   int64  // of the first byte
}

// Scan looks for secrets in a stream without replacing them: the search before a seal. It returns at most limit hits;
// zero means all.
func (r *Redactor) Scan(in io.Reader, limit int) ([]Hit, error) {
	auto := r.auto.Load()
	if auto == nil {
		return nil, nil
	}
	s := newSearch(auto)
	var hits []Hit
	s.found = func(f form, start int64) { hits = append(hits, Hit{Name: f.name, Encoding: f.encoding, Offset: start}) }
	buf := make([]byte, 64<<10)
	for limit <= 0 || len(hits) < limit {
		n, err := in.Read(buf)
		s.feed(buf[:n])
		s.take(false)
		if err == io.EOF {
			break
		}
		if err != nil {
			return hits, err
		}
	}
	s.take(true)
	if limit > 0 && len(hits) > limit {
		hits = hits[:limit]
	}
	return hits, nil
}
