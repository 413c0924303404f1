package journal

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// shape is what a type of event may look like in JSON: which fields, and which of them must be there.
type shape struct {
	fields map[string]reflect.Type
	must   []string
}

// shapes remembers the shapes of the types that one reader met.
type shapes map[reflect.Type]shape

// of gives the shape of a struct. Fields of embedded structs count as its own.
func (s shapes) of(t reflect.Type) shape {
	if known, ok := s[t]; ok {
		return known
	}
	sh := shape{fields: map[string]reflect.Type{}}
	for f := range t.Fields() {
		if f.Anonymous {
			inner := s.of(f.Type)
			for n, ft := range inner.fields {
				sh.fields[n] = ft
			}
			sh.must = append(sh.must, inner.must...)
			continue
		}
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		sh.fields[name] = f.Type
		if !strings.Contains(opts, "omit") {
			sh.must = append(sh.must, name)
		}
	}
	s[t] = sh
	return sh
}

// scanner walks one line of JSON and refuses whatever two readers could understand differently: white space, duplicate
// or unknown or missing fields, escapes in names, lone surrogates, bad UTF-8, numbers that are not in their one form,
// null where nothing can be absent, and anything after the end.
type scanner struct {
	b      []byte
	i      int
	shapes shapes
}

func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("column %d: %s: %w", s.i+1, fmt.Sprintf(format, args...), ErrSyntax)
}

func (s *scanner) take(c byte) error {
	if s.i >= len(s.b) || s.b[s.i] != c {
		return s.errorf("want %q", string(c))
	}
	s.i++
	return nil
}

func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) literal(word string) bool {
	if !strings.HasPrefix(string(s.b[s.i:min(len(s.b), s.i+len(word))]), word) {
		return false
	}
	s.i += len(word)
	return true
}

// value checks one value of type t.
func (s *scanner) value(t reflect.Type) error {
	if (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) && s.literal("null") {
		return nil
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return s.time()
	}
	switch t.Kind() {
	case reflect.String:
		_, err := s.str()
		return err
	case reflect.Bool:
		if s.literal("true") || s.literal("false") {
			return nil
		}
		return s.errorf("want true or false")
	case reflect.Struct:
		if err := s.take('{'); err != nil {
			return err
		}
		return s.members(t, true)
	case reflect.Slice:
		return s.list(t.Elem())
	}
	return s.number(t)
}

// members checks the fields of an object up to its closing brace. With first, the next one is the object's first.
func (s *scanner) members(t reflect.Type, first bool) error {
	sh := s.shapes.of(t)
	seen := map[string]bool{}
	for ; s.peek() != '}'; first = false {
		if !first {
			if err := s.take(','); err != nil {
				return err
			}
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		ft, ok := sh.fields[name]
		if !ok {
			return s.errorf("unknown field %q", name)
		}
		if seen[name] {
			return s.errorf("field %q appears twice", name)
		}
		seen[name] = true
		if err := s.value(ft); err != nil {
			return err
		}
	}
	s.i++
	for _, name := range sh.must {
		if !seen[name] {
			return s.errorf("field %q is missing", name)
		}
	}
	return nil
}

// name takes a field's name with its colon. Names are plain: no escape can spell one in a second way.
func (s *scanner) name() (string, error) {
	if err := s.take('"'); err != nil {
		return "", err
	}
	start := s.i
	for c := s.peek(); c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'; c = s.peek() {
		s.i++
	}
	name := string(s.b[start:s.i])
	if !s.literal(`":`) {
		return "", s.errorf("want a field's name of [a-z0-9_]")
	}
	return name, nil
}

func (s *scanner) list(elem reflect.Type) error {
	if err := s.take('['); err != nil {
		return err
	}
	for first := true; s.peek() != ']'; first = false {
		if !first {
			if err := s.take(','); err != nil {
				return err
			}
		}
		if err := s.value(elem); err != nil {
			return err
		}
	}
	s.i++
	return nil
}

// str takes a string and returns what it stands for.
func (s *scanner) str() (string, error) {
	if err := s.take('"'); err != nil {
		return "", err
	}
	start := s.i
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			raw := s.b[start-1 : s.i+1]
			s.i++
			var out string
			if err := json.Unmarshal(raw, &out); err != nil {
				return "", s.errorf("%v", err)
			}
			return out, nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return "", err
			}
		case c < 0x20:
			return "", s.errorf("control character in a string")
		case c < utf8.RuneSelf:
			s.i++
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return "", s.errorf("bad UTF-8")
			}
			s.i += n
		}
	}
	return "", s.errorf("string without end")
}

// escape takes one escape; a surrogate only as the first of a pair.
func (s *scanner) escape() error {
	if s.i+1 >= len(s.b) {
		return s.errorf("escape without end")
	}
	if c := s.b[s.i+1]; c != 'u' {
		if !strings.ContainsRune(`"\/bfnrt`, rune(c)) {
			return s.errorf("unknown escape")
		}
		s.i += 2
		return nil
	}
	r, ok := s.hex4()
	if !ok {
		return s.errorf("malformed escape")
	}
	if !utf16.IsSurrogate(r) {
		return nil
	}
	if s.i+1 < len(s.b) && s.b[s.i] == '\\' && s.b[s.i+1] == 'u' {
		if low, ok := s.hex4(); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			return nil
		}
	}
	return s.errorf("lone surrogate")
}

// hex4 takes \uXXXX.
func (s *scanner) hex4() (rune, bool) {
	if s.i+6 > len(s.b) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.b[s.i+2:s.i+6]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.i += 6
	return rune(n), true
}

func (s *scanner) time() error {
	text, err := s.str()
	if err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Format(time.RFC3339Nano) != text || !strings.HasSuffix(text, "Z") {
		return s.errorf("%q is not a time in UTC in its shortest form", text)
	}
	return nil
}

// number checks a number for the one form it may have: for whole types no sign but minus, no leading zero, no fraction;
// else the shortest decimal that reads back as the same double, as ECMAScript and RFC 8785 write it.
func (s *scanner) number(t reflect.Type) error {
	start := s.i
	for s.i < len(s.b) && strings.IndexByte("+-.0123456789eE", s.b[s.i]) >= 0 {
		s.i++
	}
	text := string(s.b[start:s.i])
	var want string
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return s.errorf("%q is not a whole number", text)
		}
		want = strconv.FormatInt(n, 10)
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return s.errorf("%q is not a whole number", text)
		}
		want = strconv.FormatUint(n, 10)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return s.errorf("%q is not a number", text)
		}
		b, err := json.Marshal(f)
		if err != nil {
			return s.errorf("%q is not a number", text)
		}
		want = string(b)
	default:
		return s.errorf("no value of type %s is known here", t)
	}
	if text != want || text == "-0" {
		return s.errorf("%q is not the shortest form of the number", text)
	}
	return nil
}

// DecodeStrict decodes one JSON object into the struct that into points to, with the rules that the journal's lines
// obey: one spelling for everything, every field known, none twice, none missing that is not omitempty.
func DecodeStrict(data []byte, into any) error {
	s := &scanner{b: data, shapes: shapes{}}
	if err := s.take('{'); err != nil {
		return err
	}
	if err := s.members(reflect.TypeOf(into).Elem(), true); err != nil {
		return err
	}
	if s.i != len(data) {
		return s.errorf("something follows the object")
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", err, ErrSyntax)
	}
	return nil
}
