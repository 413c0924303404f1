package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// Reader reads a journal line by line and checks everything that can be checked without another file: the form of every
// byte, the chain, the order of the numbers, one mode, one run.
type Reader struct {
	in     *bufio.Reader
	types  map[string]engine.Payload
	shapes shapes

	line   int   // lines read
	offset int64 // bytes of the lines that were good
	prev   Digest
	first  Head
	opened *engine.RunOpened
	mono   time.Duration
	closed bool
	bad    []byte // the line that was refused, with its LF if it had one
}

// NewReader reads from r. A byte order mark, like anything else that is no line, is an error of line 1.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, MaxLine+1), types: engine.PayloadTypes(), shapes: shapes{}}
}

// Next returns the next event, io.EOF after the last line, or a LineError. After an error it is not called again.
func (r *Reader) Next() (engine.Event, error) {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		if r.line == 0 {
			return engine.Event{}, ErrEmpty
		}
		return engine.Event{}, io.EOF
	}
	r.line++
	r.bad = bytes.Clone(line)
	switch {
	case errors.Is(err, io.EOF):
		err = ErrTorn
	case errors.Is(err, bufio.ErrBufferFull) || err == nil && len(line) > MaxLine:
		err = ErrTooLong
	}
	if err != nil {
		return engine.Event{}, &LineError{Line: r.line, Err: err}
	}
	ev, err := r.parse(line)
	if err != nil {
		return engine.Event{}, &LineError{Line: r.line, Err: err}
	}
	r.bad = nil
	r.prev = sha256.Sum256(line)
	r.offset += int64(len(line))
	return ev, nil
}

// parse checks one line, its LF included, against all before it.
func (r *Reader) parse(line []byte) (engine.Event, error) {
	h, rest, err := parseHead(line[:len(line)-1])
	if err != nil {
		return engine.Event{}, err
	}
	proto, ok := r.types[h.Type]
	if !ok {
		return engine.Event{}, fmt.Errorf("%q: %w", h.Type, ErrUnknownType)
	}
	p, err := r.payload(proto, line[:len(line)-1], rest)
	if err != nil {
		return engine.Event{}, err
	}
	if err := r.follow(h, p); err != nil {
		return engine.Event{}, err
	}
	return engine.Event{Seq: h.Seq, Time: h.T, Mono: h.Mono, Mode: h.Mode, Payload: p}, nil
}

// payload checks the fields after the head and decodes them.
func (r *Reader) payload(proto engine.Payload, line, rest []byte) (engine.Payload, error) {
	t := reflect.TypeOf(proto).Elem()
	s := &scanner{b: line, i: len(line) - len(rest), shapes: r.shapes}
	if err := s.members(t, false); err != nil {
		return nil, err
	}
	if s.i != len(line) {
		return nil, s.errorf("something follows the object")
	}
	p, err := newPayload(proto)
	if err != nil {
		return nil, err
	}
	body := append([]byte{'{'}, bytes.TrimPrefix(rest, []byte{','})...)
	if err := json.Unmarshal(body, p); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrSyntax)
	}
	return p, nil
}

// follow checks that the line may stand where it stands.
func (r *Reader) follow(h Head, p engine.Payload) error {
	opened, first := p.(*engine.RunOpened)
	if first != (r.line == 1) {
		return fmt.Errorf("%s as line %d: %w", h.Type, r.line, ErrOrder)
	}
	if first {
		r.first, r.opened, r.prev = h, opened, Genesis(opened.Run, opened.Nonce)
	}
	_, resumed := p.(*engine.RunResumed)
	switch {
	case h.Prev != r.prev:
		return ErrChain
	case h.Seq != uint64(r.line-1): // a line count is never negative
		return ErrSeq
	case h.Mode != r.first.Mode:
		return ErrMode
	case r.closed:
		return fmt.Errorf("%s after run.closed: %w", h.Type, ErrOrder)
	case h.Mono < r.mono && !resumed:
		return ErrClock
	}
	r.mono = h.Mono
	_, r.closed = p.(*engine.RunClosed)
	return nil
}

// Head is the digest of the last good line: what the next line's prev must be.
func (r *Reader) Head() Digest { return r.prev }

// Offset is the size in bytes of the lines that were good.
func (r *Reader) Offset() int64 { return r.offset }

// Read reads a whole journal strictly. On an error it returns the events before it too.
func Read(in io.Reader) ([]engine.Event, error) {
	p, err := readAll(NewReader(in))
	return p.Events, err
}

// Prefix is a journal as far as it is intact, and the torn end of it.
type Prefix struct {
	Events []engine.Event
	// Size is the length of the intact lines in bytes; Head the digest of the last one.
	Size int64
	Head Digest
	// Torn are the bytes of a torn last line; nil when there is none.
	Torn []byte
}

// ReadPrefix reads a journal that a crash may have cut: a torn last line is no error but comes back as Torn. Torn is a
// last line without LF, or one with NUL bytes, which a power cut leaves where blocks were not written and this package
// never writes. Any other damage is an error, for it is no crash that made it.
func ReadPrefix(in io.Reader) (Prefix, error) {
	r := NewReader(in)
	p, err := readAll(r)
	var le *LineError
	if !errors.As(err, &le) {
		return p, err
	}
	rest, rerr := r.tornRest(err)
	if rerr != nil {
		return p, err
	}
	p.Torn = slices.Concat(r.bad, rest)
	return p, nil
}

// maxTorn bounds the end of a journal that ReadPrefix takes for torn.
const maxTorn = 16 << 20

// tornRest reads what follows the refused line if it is a torn last line, or returns the error that tells why not.
func (r *Reader) tornRest(err error) ([]byte, error) {
	if errors.Is(err, ErrTorn) {
		return nil, nil
	}
	if bytes.IndexByte(r.bad, 0) < 0 {
		return nil, err
	}
	rest, rerr := io.ReadAll(io.LimitReader(r.in, maxTorn))
	if rerr != nil {
		return nil, rerr
	}
	whole := append(bytes.Clone(r.bad), rest...)
	if i := bytes.IndexByte(whole, '\n'); len(rest) == maxTorn || i >= 0 && i != len(whole)-1 {
		return nil, err // lines follow: this was not the last one
	}
	return rest, nil
}

func readAll(r *Reader) (Prefix, error) {
	var p Prefix
	for {
		ev, err := r.Next()
		p.Head, p.Size = r.Head(), r.Offset()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		p.Events = append(p.Events, ev)
	}
}
