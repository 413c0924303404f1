package approval

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Why a grant does not count. Each is final for that grant; the gate stays as it was.
var (
	ErrSignature = errors.New("the signature does not hold")
	ErrOther     = errors.New("it was given for another request")
	ErrOperator  = errors.New("an operator of the run cannot approve it")
	ErrMember    = errors.New("not a member of the role")
	ErrTwice     = errors.New("this person has approved already")
	ErrLate      = errors.New("it came after the time to approve by")
	ErrEnded     = errors.New("the gate takes no approvals any more")
)

// Verifier says who made a signature over text: a principal of allowed_signers whose key was valid at the instant, with
// the namespace of this package. Where a key stands for several principals, it returns all of them.
type Verifier interface {
	Verify(text, signature []byte, at time.Time) (Signer, error)
}

// Signer is who made a signature.
type Signer struct {
	Principal   string
	Fingerprint string // SHA256:… of the key
	// Aliases are other principals that the key stands for. They are the same person.
	Aliases []string
}

// names are all principals of the person.
func (s Signer) names() []string { return append([]string{s.Principal}, s.Aliases...) }

// same reports whether two signers are one person: they have a principal in common, whatever its case.
func (s Signer) same(o Signer) bool {
	return slices.ContainsFunc(s.names(), func(n string) bool { return among(o.names(), n) })
}

// among reports whether a principal is in a list. Principals that differ only in case are one.
func among(list []string, name string) bool {
	return slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, name) })
}

// Grant is an approval that counted when it was given.
type Grant struct {
	Signer
	At        time.Time
	Signature []byte
}

// State is where a gate stands.
type State string

// The states. Only Open lets what requires the gate start.
const (
	Waiting State = "waiting"
	Open    State = "open"
	Denied  State = "denied"
	Expired State = "expired"
	Used    State = "used"
)

// Gate is one request and what people said to it. It is not safe for concurrent use.
type Gate struct {
	Request  Request
	Members  []string // of the role, now; set again when the project says so
	grants   []Grant
	denied   string // by whom
	expired  bool
	used     bool
	operator []string
}

// NewGate asks a request. operators are everyone who opened, resumed or steered the run until now.
func NewGate(r Request, members, operators []string) *Gate {
	g := &Gate{Request: r, Members: members}
	for _, o := range operators {
		g.Steered(o)
	}
	return g
}

// Steered makes a person an operator: from now on their grant does not count, also one given before.
func (g *Gate) Steered(principal string) {
	if !among(g.operator, principal) {
		g.operator = append(g.operator, principal)
	}
}

// Add takes a signature over the request's text. text may be nil when the signer was sent the very text of this request;
// a text that comes along must be that text, byte for byte.
func (g *Gate) Add(v Verifier, text, signature []byte, at time.Time) (Grant, error) {
	ended := g.denied != "" || g.used || g.expired
	if !ended && !g.Request.ApproveBy.IsZero() && at.After(g.Request.ApproveBy) {
		return Grant{}, fmt.Errorf("approve by %s: %w", stamp(g.Request.ApproveBy), ErrLate)
	}
	if s := g.State(at); s != Waiting && s != Open {
		return Grant{}, fmt.Errorf("gate is %s: %w", s, ErrEnded)
	}
	want := g.Request.Text()
	if text != nil && !bytes.Equal(text, want) {
		return Grant{}, other(g.Request, text)
	}
	who, err := v.Verify(want, signature, at)
	if err != nil {
		return Grant{}, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	for i, name := range who.names() { // the principal is the one that holds the role
		if among(g.Members, name) && !among(g.Members, who.Principal) {
			who.Principal, who.Aliases[i-1] = name, who.Principal
		}
	}
	if err := g.may(who); err != nil {
		return Grant{}, err
	}
	if slices.ContainsFunc(g.grants, func(o Grant) bool { return o.same(who) }) {
		return Grant{}, fmt.Errorf("%s: %w", who.Principal, ErrTwice)
	}
	grant := Grant{Signer: who, At: at, Signature: signature}
	g.grants = append(g.grants, grant)
	return grant, nil
}

func other(want Request, text []byte) error {
	got, err := ParseRequest(text)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOther, err)
	case got.Run != want.Run:
		return fmt.Errorf("%w: run %s", ErrOther, got.Run)
	case got.PlanDigest != want.PlanDigest:
		return fmt.Errorf("%w: plan %s", ErrOther, got.PlanDigest)
	case got.Gate != want.Gate:
		return fmt.Errorf("%w: gate %s", ErrOther, got.Gate)
	}
	return fmt.Errorf("%w: an earlier or changed request of this gate", ErrOther)
}

// may checks a person: if any of their principals must not approve, none may.
func (g *Gate) may(who Signer) error {
	for _, name := range who.names() {
		if among(g.operator, name) {
			return fmt.Errorf("%s: %w", name, ErrOperator)
		}
	}
	if !among(g.Members, who.Principal) {
		return fmt.Errorf("%s in role %s: %w", who.Principal, g.Request.Role, ErrMember)
	}
	return nil
}

// Deny ends the gate. Any member of the role may deny, an operator too: a denial is always safe.
func (g *Gate) Deny(by string, at time.Time) error {
	if s := g.State(at); s != Waiting && s != Open {
		return fmt.Errorf("gate is %s: %w", s, ErrEnded)
	}
	g.denied = by
	return nil
}

// Counting are the people whose grants count now: still members, and no operators.
func (g *Gate) Counting() []Grant {
	var out []Grant
	for _, o := range g.grants {
		if g.may(o.Signer) == nil {
			out = append(out, o)
		}
	}
	return out
}

// Missing is how many approvals are still needed.
func (g *Gate) Missing() int { return max(0, g.Request.Approvals-len(g.Counting())) }

// State is where the gate stands at an instant.
func (g *Gate) State(at time.Time) State {
	switch {
	case g.denied != "":
		return Denied
	case g.used:
		return Used
	case g.expired:
		return Expired
	}
	counting := g.Counting()
	if len(counting) < g.Request.Approvals {
		if by := g.Request.ApproveBy; !by.IsZero() && at.After(by) {
			return Expired
		}
		return Waiting
	}
	if within := g.Request.StartWithin; within > 0 && at.After(counting[g.Request.Approvals-1].At.Add(within)) {
		return Expired
	}
	return Open
}

// Expire ends the gate for good; a late approval is void.
func (g *Gate) Expire() { g.expired = true }

// Spend says that the approvals were used already, as a record tells.
func (g *Gate) Spend() { g.used = true }

// Use opens the way once: the rules are checked again at this instant, and the approvals are spent.
func (g *Gate) Use(at time.Time) error {
	if s := g.State(at); s != Open {
		return fmt.Errorf("gate is %s: %w", s, ErrEnded)
	}
	g.used = true
	return nil
}

// Reachable reports whether the gate can still be opened: whether enough members are no operators.
func (g *Gate) Reachable() bool {
	n := 0
	for _, m := range g.Members {
		if !among(g.operator, m) {
			n++
		}
	}
	return n >= g.Request.Approvals
}
