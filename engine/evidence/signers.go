package evidence

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Why a good signature counts for nobody. Test with errors.Is.
var (
	ErrUnknownKey  = errors.New("key is not in the signers file")
	ErrPrincipal   = errors.New("key belongs to someone else")
	ErrNotYetValid = errors.New("key was not valid yet")
	ErrExpired     = errors.New("key was not valid any more")
	ErrRevoked     = errors.New("key is revoked")
	ErrNotAllowed  = errors.New("key may not sign for this purpose")
)

// Signers says whose keys are whose: a file in the format of OpenSSH's allowed_signers, and keys that are revoked.
// Lines with cert-authority are understood and never match: certificates are not judged here.
type Signers struct {
	lines   []signerLine
	revoked map[string]bool // fingerprints
}

type signerLine struct {
	number     int
	principals []string
	namespaces []string // nil: all
	after      time.Time
	before     time.Time
	authority  bool
	key        ssh.PublicKey
}

// ParseSigners reads an allowed_signers file. Any line that is not understood is an error with its number: a file about
// trust is not guessed at. Times without a zone are UTC.
func ParseSigners(data []byte) (*Signers, error) {
	s := &Signers{revoked: map[string]bool{}}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		l, err := parseSignerLine(line)
		if err != nil {
			return nil, fmt.Errorf("signers file line %d: %w", n, err)
		}
		l.number = n
		s.lines = append(s.lines, l)
	}
	return s, nil
}

// Revoke adds revoked keys: a text of public keys or of fingerprints (SHA256:…), one a line. Binary revocation lists of
// OpenSSH are not understood and an error.
func (s *Signers) Revoke(data []byte) error {
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "SHA256:"):
			s.revoked[line] = true
		default:
			k, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("revoked keys line %d: want a public key or SHA256:…", n)
			}
			s.revoked[ssh.FingerprintSHA256(k)] = true
		}
	}
	return nil
}

// Merge adds the lines of another file.
func (s *Signers) Merge(other *Signers) {
	s.lines = append(s.lines, other.lines...)
	for k := range other.revoked {
		s.revoked[k] = true
	}
}

// Principals names whom the key signs for, for a namespace at a time: the principals of all lines that hold, without
// patterns. The error says why there is none.
func (s *Signers) Principals(key ssh.PublicKey, namespace string, at time.Time) ([]string, error) {
	var out []string
	why := ErrUnknownKey
	for _, l := range s.lines {
		err := l.allows(key, namespace, at)
		if errors.Is(err, ErrUnknownKey) {
			continue
		}
		if err != nil {
			why = err
			continue
		}
		for _, p := range l.principals {
			if !strings.ContainsAny(p, "*?!") && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	if s.revoked[ssh.FingerprintSHA256(key)] {
		return nil, ErrRevoked
	}
	if len(out) == 0 {
		return nil, why
	}
	return out, nil
}

// Check reports whether the key signs for the principal, as `ssh-keygen -Y verify -I` does.
func (s *Signers) Check(principal string, key ssh.PublicKey, namespace string, at time.Time) error {
	if s.revoked[ssh.FingerprintSHA256(key)] {
		return ErrRevoked
	}
	why := ErrUnknownKey
	for _, l := range s.lines {
		err := l.allows(key, namespace, at)
		switch {
		case errors.Is(err, ErrUnknownKey):
			continue
		case err != nil:
			why = err
		case matchList(principal, l.principals):
			return nil
		default:
			why = ErrPrincipal
		}
	}
	return why
}

// allows checks everything but the principal.
func (l signerLine) allows(key ssh.PublicKey, namespace string, at time.Time) error {
	switch {
	case l.authority || !bytes.Equal(l.key.Marshal(), key.Marshal()):
		return ErrUnknownKey
	case l.namespaces != nil && !matchList(namespace, l.namespaces):
		return ErrNotAllowed
	case !l.after.IsZero() && at.Before(l.after):
		return ErrNotYetValid
	case !l.before.IsZero() && at.After(l.before):
		return ErrExpired
	}
	return nil
}

// matchList matches a name against OpenSSH's pattern list: * and ?, and ! which forbids.
func matchList(name string, patterns []string) bool {
	found := false
	for _, p := range patterns {
		neg, no := strings.CutPrefix(p, "!")
		if !matchPattern(name, neg) {
			continue
		}
		if no {
			return false
		}
		found = true
	}
	return found
}

// matchPattern knows * and ? and nothing else.
func matchPattern(name, pattern string) bool {
	escaped := strings.NewReplacer(`\`, `\\`, `[`, `\[`, "/", "\x00").Replace(pattern)
	ok, err := path.Match(escaped, strings.ReplaceAll(name, "/", "\x00"))
	return ok && err == nil
}

// parseSignerLine reads `principals [options] type base64 [comment]`.
func parseSignerLine(line string) (signerLine, error) {
	var l signerLine
	names, rest, err := field(line)
	if err != nil {
		return l, err
	}
	l.principals = strings.Split(names, ",")
	if slices.Contains(l.principals, "") {
		return l, errors.New("empty principal")
	}
	if l.key, err = parseKey(rest); err == nil {
		return l, nil
	}
	options, rest2, err := optionsField(rest)
	if err != nil {
		return l, err
	}
	if err := l.options(options); err != nil {
		return l, err
	}
	l.key, err = parseKey(rest2)
	return l, err
}

// field takes the first word, which may be quoted.
func field(line string) (word, rest string, err error) {
	if q, ok := strings.CutPrefix(line, `"`); ok {
		word, rest, ok = strings.Cut(q, `"`)
		if !ok {
			return "", "", errors.New("quote without end")
		}
	} else if i := strings.IndexAny(line, " \t"); i >= 0 {
		word, rest = line[:i], line[i:]
	} else {
		return "", "", errors.New("no key")
	}
	return word, strings.TrimLeft(rest, " \t"), nil
}

// parseKey reads `type base64 [comment]`.
func parseKey(text string) (ssh.PublicKey, error) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return nil, errors.New("no key")
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil {
		return nil, errors.New("malformed key")
	}
	k, err := ssh.ParsePublicKey(blob)
	if err != nil || k.Type() != fields[0] {
		return nil, errors.New("malformed key")
	}
	return k, nil
}

// optionsField takes the options, which end at the first blank outside quotes.
func optionsField(text string) (options []string, rest string, err error) {
	quoted, start := false, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			options = append(options, text[start:i])
			start = i + 1
		case c == ' ' || c == '\t':
			return append(options, text[start:i]), strings.TrimLeft(text[i:], " \t"), nil
		}
	}
	return nil, "", errors.New("no key")
}

func (l *signerLine) options(options []string) error {
	seen := map[string]bool{}
	for _, o := range options {
		name, value, has := strings.Cut(o, "=")
		name = strings.ToLower(name)
		if seen[name] {
			return fmt.Errorf("option %q is there twice", name)
		}
		seen[name] = true
		if name == "cert-authority" && !has {
			l.authority = true
			continue
		}
		text, ok := strings.CutPrefix(value, `"`)
		text, ok2 := strings.CutSuffix(text, `"`)
		if !has || !ok || !ok2 || text == "" {
			return fmt.Errorf("option %q is not understood", o)
		}
		if err := l.option(name, text); err != nil {
			return err
		}
	}
	if !l.after.IsZero() && !l.before.IsZero() && !l.after.Before(l.before) {
		return errors.New("valid-after is not before valid-before")
	}
	return nil
}

func (l *signerLine) option(name, value string) error {
	var err error
	switch name {
	case "namespaces":
		l.namespaces = strings.Split(value, ",")
	case "valid-after":
		l.after, err = parseValidity(value)
	case "valid-before":
		l.before, err = parseValidity(value)
	default:
		return fmt.Errorf("unknown option %q", name)
	}
	return err
}

// parseValidity reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with or without Z.
func parseValidity(text string) (time.Time, error) {
	digits := strings.TrimSuffix(text, "Z")
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(digits) == len(layout) {
			if t, err := time.Parse(layout, digits); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("time %q is not YYYYMMDD[HHMM[SS]][Z]", text)
}
