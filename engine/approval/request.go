// Package approval decides when a gate is open: what approvers sign, and whose signature counts.
//
// It is pure. A Verifier, given by the caller, says whose key made a signature; the clock and the record of what was
// used are the caller's. Everything else, the rules of four eyes, is here and nowhere else:
//
//   - a grant is a signature over the exact text of one request, and a request is bound to one run, one plan, one gate
//     and one nonce: it opens nothing else, and nothing twice;
//   - distinct people, k of them, each a member of the role when granting and again when the gate is used;
//   - never the operator, and an operator is everyone who opened, resumed or steered the run, also later;
//   - two clocks: approve by, and start within;
//   - one denial ends it.
package approval

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Namespace is the SSHSIG namespace of approvals: a signature made for another purpose is none.
const Namespace = "approval@continuo"

const (
	title  = "continuo approval request v1"
	pledge = "By signing this text I approve that this run goes on past this gate."
)

// Request is what an approver is asked. All times are UTC, to the second.
type Request struct {
	Run         engine.RunID
	Mode        engine.Mode
	Runbook     string
	PlanDigest  string // Plan.Digest
	Gate        runbooks.ItemID
	Question    string // as shown; may have several lines
	Hosts       []string
	Role        string
	Approvals   int
	Operator    string
	Requested   time.Time
	ApproveBy   time.Time     // zero: no limit
	StartWithin time.Duration // from the last grant needed; zero: no limit
	Nonce       string        // 32 hex digits
}

// Text is the exact text that is signed: lines of "name: value", a question that may have several lines, each indented
// by two spaces, and the pledge. The same request gives the same bytes.
func (r Request) Text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", title)
	for _, f := range r.fields() {
		fmt.Fprintf(&b, "%s: %s\n", f.name, f.value)
	}
	b.WriteString("question:\n")
	for line := range strings.SplitSeq(visible(r.Question), "\n") {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	fmt.Fprintf(&b, "\n%s\n", pledge)
	return b.Bytes()
}

type field struct{ name, value string }

func (r Request) fields() []field {
	f := []field{
		{"run", string(r.Run)}, {"mode", string(r.Mode)}, {"runbook", r.Runbook}, {"plan", r.PlanDigest},
		{"gate", string(r.Gate)}, {"hosts", strings.Join(r.Hosts, " ")}, {"role", r.Role},
		{"approvals", strconv.Itoa(r.Approvals)}, {"operator", visible(r.Operator)}, {"requested", stamp(r.Requested)},
		{"approve-by", stamp(r.ApproveBy)}, {"start-within", span(r.StartWithin)}, {"nonce", r.Nonce},
	}
	for i := range f {
		f[i].value = strings.ReplaceAll(f[i].value, "\n", " ")
	}
	return f
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "no limit"
	}
	return t.UTC().Format(time.RFC3339)
}

func span(d time.Duration) string {
	if d == 0 {
		return "no limit"
	}
	return d.String()
}

// visible replaces what could make a text look like another one on a terminal: control, format and bidi characters.
// Line ends stay.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c != utf8.RuneError && unicode.IsGraphic(c) && !unicode.Is(unicode.Cf, c) {
			return c
		}
		return '\uFFFD'
	}, strings.TrimRight(s, "\n"))
}

// ErrText is wrapped by errors about a text that is no approval request.
var ErrText = errors.New("not an approval request")

// ParseRequest reads a text back. It accepts exactly what Text writes and nothing else, so that two different texts
// never mean the same request.
func ParseRequest(text []byte) (Request, error) {
	var r Request
	head, rest, ok := strings.Cut(string(text), "question:\n")
	if !ok {
		return r, fmt.Errorf("%w: no question", ErrText)
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != title {
		return r, fmt.Errorf("%w: it does not begin with %q", ErrText, title)
	}
	for _, line := range lines[2 : len(lines)-1] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return r, fmt.Errorf("%w: line %q", ErrText, line)
		}
		if err := r.set(name, value); err != nil {
			return r, err
		}
	}
	question, _, ok := strings.Cut(rest, "\n\n"+pledge)
	if !ok {
		return r, fmt.Errorf("%w: no pledge", ErrText)
	}
	r.Question = strings.TrimPrefix(strings.ReplaceAll("\n"+question, "\n  ", "\n"), "\n")
	if !bytes.Equal(r.Text(), text) {
		return Request{}, fmt.Errorf("%w: it was changed after it was written", ErrText)
	}
	return r, nil
}

func (r *Request) set(name, value string) error {
	var err error
	switch name {
	case "run":
		r.Run = engine.RunID(value)
	case "mode":
		r.Mode = engine.Mode(value)
	case "runbook":
		r.Runbook = value
	case "plan":
		r.PlanDigest = value
	case "gate":
		r.Gate = runbooks.ItemID(value)
	case "hosts":
		r.Hosts = strings.Fields(value)
	case "role":
		r.Role = value
	case "approvals":
		r.Approvals, err = strconv.Atoi(value)
	case "operator":
		r.Operator = value
	case "requested":
		r.Requested, err = unstamp(value)
	case "approve-by":
		r.ApproveBy, err = unstamp(value)
	case "start-within":
		r.StartWithin, err = unspan(value)
	case "nonce":
		r.Nonce = value
	default:
		return fmt.Errorf("%w: unknown line %q", ErrText, name)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrText, name, err)
	}
	return nil
}

func unstamp(s string) (time.Time, error) {
	if s == "no limit" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

func unspan(s string) (time.Duration, error) {
	if s == "no limit" {
		return 0, nil
	}
	return time.ParseDuration(s)
}
