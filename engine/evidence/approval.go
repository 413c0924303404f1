package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/runbooks"
)

var approvalRE = regexp.MustCompile(`^approvals/[A-Za-z0-9._%-]+/[0-9]+\.(txt|sig)$`)

// ErrApproval is in the error of an approval that the rules do not allow or that belongs to something else.
var ErrApproval = errors.New("this approval counts for nothing")

// lateGrace is how much later than its decision an approval's line may be in the journal.
const lateGrace = 10 * time.Second

// approvalFiles are the approvals of a journal as files, which ssh-keygen can check: the request's exact text and the
// signature, n from 1 for each gate. An approval that did not count is in the journal alone. text resolves what was too
// long for the journal.
func approvalFiles(events []engine.Event, text func(string) (string, error)) (map[string][]byte, error) {
	out := map[string][]byte{}
	asked, count := map[runbooks.ItemID]string{}, map[runbooks.ItemID]int{}
	for i, e := range events {
		var err error
		switch p := e.Payload.(type) {
		case *engine.ApprovalRequested:
			asked[p.Item], err = text(p.Request)
		case *engine.ApprovalGranted:
			if p.Void != "" {
				continue
			}
			count[p.Item]++
			base := ApprovalsDir + "/" + EncodeName(string(p.Item), false) + "/" + strconv.Itoa(count[p.Item])
			var signature string
			signature, err = text(p.Signature)
			out[base+".txt"], out[base+".sig"] = []byte(asked[p.Item]), []byte(signature)
		}
		if err != nil {
			return nil, fmt.Errorf("approval on line %d of %s: %w", i+1, journal.FileName, err)
		}
	}
	return out, nil
}

// textOf resolves a text of the journal that may be kept as an artifact.
func textOf(get func(sha256 string) ([]byte, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		ref, ok := strings.CutPrefix(s, journal.ArtifactRef)
		if !ok {
			return s, nil
		}
		data, err := get(ref)
		return string(data), err
	}
}

// approvals checks that the files of approvals are those of the journal, and then plays the gates again: each approval's
// signature, and all rules at the moment when it was given and when it was used.
func (v *verification) approvals() {
	if v.rec == nil {
		return
	}
	text := textOf(v.artifact)
	want, err := approvalFiles(v.events, text)
	if err != nil {
		v.res.Integrity.fail("%v", err)
		return
	}
	v.approvalFiles(want)
	g := gates{v: v, text: text, open: map[runbooks.ItemID]*approval.Gate{}, count: map[runbooks.ItemID]int{}}
	for i, e := range v.events {
		if err := g.apply(e); err != nil {
			v.res.Authenticity.fail("line %d of %s: %v", i+1, journal.FileName, err)
		}
	}
}

// approvalFiles compares the files with those that the journal gives.
func (v *verification) approvalFiles(want map[string][]byte) {
	f := &v.res.Integrity
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got, err := readWhole(v.src, name, 1<<20)
		switch {
		case v.sums == nil: // they are written when the run is sealed
		case !v.src.has(name):
			f.fail("%s is missing: the journal holds this approval", name)
		case err != nil:
			f.fail("%s: %v", name, err)
		case !bytes.Equal(got, want[name]):
			f.fail("%s is not what the journal holds of this approval", name)
		}
	}
	for _, file := range v.src.files() {
		switch {
		case !strings.HasPrefix(file.name, ApprovalsDir+"/"):
		case !approvalRE.MatchString(file.name):
			f.fail("%s is not the name of an approval", file.name)
		case want[file.name] == nil:
			f.fail("%s: the journal knows no such approval", file.name)
		}
	}
}

// gates plays the gates of a journal again.
type gates struct {
	v         *verification
	text      func(string) (string, error)
	open      map[runbooks.ItemID]*approval.Gate
	count     map[runbooks.ItemID]int
	operators []string
}

func (g *gates) apply(e engine.Event) error {
	for _, who := range operatorsOf(e) {
		g.operators = append(g.operators, who)
		for _, gate := range g.open {
			gate.Steered(who)
		}
	}
	switch p := e.Payload.(type) {
	case *engine.ApprovalRequested:
		return g.requested(p)
	case *engine.ApprovalGranted:
		if p.Void == "" {
			return g.granted(p, e.Time)
		}
	case *engine.ApprovalUsed:
		return g.used(p, e.Time)
	}
	return nil
}

func (g *gates) requested(p *engine.ApprovalRequested) error {
	delete(g.open, p.Item)
	text, err := g.text(p.Request)
	if err != nil {
		return err
	}
	if sum([]byte(text)) != p.SHA256 {
		return fmt.Errorf("request of %s: its digest is not the one beside it: %w", p.Item, ErrApproval)
	}
	req, err := approval.ParseRequest([]byte(text))
	if err != nil {
		return fmt.Errorf("request of %s: %w: %w", p.Item, ErrApproval, err)
	}
	o := g.v.rec.Opened
	for _, f := range []struct{ name, got, want string }{
		{"run", string(req.Run), string(o.Run)}, {"mode", string(req.Mode), string(g.v.rec.Mode)},
		{"plan", req.PlanDigest, o.PlanDigest}, {"gate", string(req.Gate), string(p.Item)}, {"role", req.Role, p.Role},
		{"number of approvals", strconv.Itoa(req.Approvals), strconv.Itoa(p.Approvals)},
	} {
		if f.got != f.want {
			return fmt.Errorf("request of %s: it is for %s %q, not %q: %w", p.Item, f.name, f.got, f.want, ErrApproval)
		}
	}
	g.open[p.Item] = approval.NewGate(req, p.Members, g.operators)
	return nil
}

func (g *gates) granted(p *engine.ApprovalGranted, at time.Time) error {
	g.count[p.Item]++
	gate := g.open[p.Item]
	if gate == nil {
		return fmt.Errorf("approval of %s: nobody asked for it: %w", p.Item, ErrApproval)
	}
	signature, err := g.text(p.Signature)
	if err != nil {
		return err
	}
	var verifier approval.Verifier = claimed{p.By}
	if g.v.opts.Signers != nil {
		verifier = ApprovalVerifier{Signers: g.v.opts.Signers}
	}
	grant, err := gate.Add(verifier, nil, []byte(signature), notAfter(at, gate.Request.ApproveBy))
	if err != nil {
		return fmt.Errorf("approval of %s by %s: %w: %w", p.Item, p.By, ErrApproval, err)
	}
	if !SamePerson(grant.Principal, p.By) || grant.Fingerprint != p.Fingerprint {
		return fmt.Errorf("approval of %s: the journal names %s with %s, but %s signed with %s: %w",
			p.Item, p.By, p.Fingerprint, grant.Principal, grant.Fingerprint, ErrApproval)
	}
	if g.v.opts.Signers != nil {
		g.v.res.Authenticity.note("%s approved by %s (%s/%s/%d.sig)", p.Item, grant.Principal, ApprovalsDir,
			EncodeName(string(p.Item), false), g.count[p.Item])
	}
	return nil
}

// notAfter is t, or the limit where t is only a moment later: the line comes after the decision.
func notAfter(t, limit time.Time) time.Time {
	if !limit.IsZero() && t.After(limit) && t.Sub(limit) < lateGrace {
		return limit
	}
	return t
}

func (g *gates) used(p *engine.ApprovalUsed, at time.Time) error {
	gate := g.open[p.Item]
	if gate == nil {
		return fmt.Errorf("%s started behind %s, which nobody asked to approve: %w", p.For, p.Item, ErrApproval)
	}
	counting := gate.Counting()
	if n := gate.Request.Approvals; len(counting) >= n && gate.Request.StartWithin > 0 {
		at = notAfter(at, counting[n-1].At.Add(gate.Request.StartWithin))
	}
	if missing := gate.Missing(); missing > 0 {
		return fmt.Errorf("%s started behind %s, which lacked %d of %d approvals: %w", p.For, p.Item, missing, gate.Request.Approvals, ErrApproval)
	}
	if err := gate.Use(at); err != nil {
		return fmt.Errorf("%s started behind %s: %w: %w", p.For, p.Item, ErrApproval, err)
	}
	return nil
}

// claimed takes the journal's word for whose key it is, where no signers file says so. The signature itself is checked.
type claimed struct{ by string }

// Verify implements approval.Verifier.
func (c claimed) Verify(text, signature []byte, _ time.Time) (approval.Signer, error) {
	key, err := checkSignature(text, signature, ApprovalNamespace)
	if err != nil {
		return approval.Signer{}, err
	}
	return approval.Signer{Principal: c.by, Fingerprint: ssh.FingerprintSHA256(key)}, nil
}
