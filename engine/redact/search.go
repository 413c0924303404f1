package redact

import "bytes"

// search is the state of looking through one stream. Bytes are held back only while they may be the beginning of a
// secret, and a region that several forms cover becomes one marker; so the result does not depend on how the stream was
// cut into chunks.
type search struct {
	auto  *automaton
	state int32
	end   int64 // bytes fed

	held    []byte // bytes from start on that are not yet decided
	start   int64
	regions []region // of secrets, in order, without overlaps
	count   int
	found   func(f form, start int64)
}

// region is a part of the stream that holds a secret. form is the longest one that was found in it.
type region struct {
	from, to int64
	form     form
}

func newSearch(a *automaton) *search { return &search{auto: a} }

// use goes on with another automaton: what is held is searched again.
func (s *search) use(a *automaton) {
	if s.auto == a {
		return
	}
	held := s.held
	s.auto, s.state, s.end, s.held = a, 0, s.start, nil
	s.feed(held)
}

// feed takes the next bytes of the stream.
func (s *search) feed(p []byte) {
	s.held = append(s.held, p...)
	if s.auto == nil {
		s.end += int64(len(p))
		return
	}
	a, state := s.auto, s.state
	for i := range p {
		state = a.next(state, p[i])
		if best := a.nodes[state].best; best >= 0 {
			to := s.end + int64(i) + 1
			s.mark(region{from: to - int64(len(a.forms[best].text)), to: to, form: a.forms[best]})
		}
	}
	s.state = state
	s.end += int64(len(p))
}

// mark adds a region and merges it with those that it overlaps.
func (s *search) mark(r region) {
	for n := len(s.regions); n > 0 && s.regions[n-1].to > r.from; n = len(s.regions) {
		last := s.regions[n-1]
		s.regions = s.regions[:n-1]
		if len(last.form.text) >= len(r.form.text) {
			r.form = last.form
		}
		r.from = min(r.from, last.from)
		r.to = max(r.to, last.to)
	}
	s.regions = append(s.regions, r)
}

// take returns what is decided, with markers in the place of secrets. At the end of the stream everything is.
func (s *search) take(atEnd bool) []byte {
	safe := s.end // no secret that is still to be found begins before it
	if s.auto != nil && !atEnd {
		safe -= int64(s.auto.nodes[s.state].depth)
	}
	var out bytes.Buffer
	for len(s.regions) > 0 {
		r := s.regions[0]
		if r.from > s.start {
			s.emit(&out, min(r.from, safe))
		}
		if r.to > safe {
			if r.from <= s.start {
				s.drop(safe)
			}
			return out.Bytes()
		}
		if s.found != nil {
			s.found(r.form, r.from)
		}
		out.WriteString(Marker(r.form.name))
		s.count++
		s.drop(r.to)
		s.regions = s.regions[1:]
	}
	s.emit(&out, safe)
	return out.Bytes()
}

// emit moves held bytes up to the offset to out.
func (s *search) emit(out *bytes.Buffer, to int64) {
	if n := to - s.start; n > 0 {
		out.Write(s.held[:n])
		s.drop(to)
	}
}

// drop forgets held bytes up to the offset.
func (s *search) drop(to int64) {
	if n := to - s.start; n > 0 {
		s.held = append(s.held[:0], s.held[n:]...)
		s.start = to
	}
}
