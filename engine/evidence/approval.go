package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

const approvalHead = "continuo-approval v1"

var approvalRE = regexp.MustCompile(`^approvals/([a-z0-9._-]+)/([0-9]+)\.(txt|sig)$`)

// Why an approval counts for nothing. Test with errors.Is.
var (
	ErrApprovalText    = errors.New("not the text that was asked to be signed")
	ErrApprovalExpired = errors.New("the request has expired")
	ErrOperator        = errors.New("who works on the run cannot approve it")
	ErrSamePerson      = errors.New("this person has approved already")
	ErrNotMember       = errors.New("not a member of the role")
)

// ApprovalRequest is what an approver is asked. Its text is signed as it stands: any other run, plan, gate, question,
// host, nonce or time is another text, which this signature does not cover.
type ApprovalRequest struct {
	Run        engine.RunID
	Mode       engine.Mode
	PlanDigest string
	Project    string
	Runbook    string
	Gate       string // item, with its call path
	Question   string
	Role       string
	Approvals  int // how many distinct people
	Operators  []string
	Hosts      []string
	Asked      time.Time
	Expires    time.Time // approve by; zero: never
	StartBy    time.Time // begin what it allows by; zero: no bound
	Nonce      string    // 32 hex digits, fresh for every request
}

// Text is the exact text to be signed, with `ssh-keygen -Y sign -n approval@continuo` or by this program.
func (r ApprovalRequest) Text() []byte {
	var b bytes.Buffer
	line := func(key, value string) { fmt.Fprintf(&b, "%s %s\n", key, orElse(plain(value), "-")) }
	b.WriteString(approvalHead + "\n")
	line("run", string(r.Run))
	line("mode", string(r.Mode))
	line("plan", r.PlanDigest)
	line("project", r.Project)
	line("runbook", r.Runbook)
	line("gate", r.Gate)
	line("role", r.Role)
	line("approvals", strconv.Itoa(r.Approvals))
	line("operators", strings.Join(r.Operators, " "))
	line("hosts", strings.Join(r.Hosts, " "))
	line("asked", approvalTime(r.Asked))
	line("approve-by", approvalTime(r.Expires))
	line("start-by", approvalTime(r.StartBy))
	line("nonce", r.Nonce)
	line("question", r.Question)
	b.WriteString("\nWhoever signs this text for approval@continuo answers the question with yes, for this run, this plan and these\n" +
		"hosts, once.\n")
	return b.Bytes()
}

func approvalTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

// ApprovalRules say who may approve, now.
type ApprovalRules struct {
	Signers *Signers
	// Members of the role at this moment; Operators of the run at this moment, whatever the request says.
	Members, Operators []string
	// Already are the principals whose approval of this request counts.
	Already []string
	Now     time.Time
}

// CheckApproval checks one signature of a request and names who approved. It is asked again, with the rules as they are
// then, before what the gate allows begins.
func CheckApproval(r ApprovalRequest, signature []byte, rules ApprovalRules) (principal string, err error) {
	key, err := checkSignature(r.Text(), signature, ApprovalNamespace)
	switch {
	case errors.Is(err, ErrSignature):
		return "", fmt.Errorf("%w: %w", ErrApprovalText, err)
	case err != nil:
		return "", err
	case !r.Expires.IsZero() && rules.Now.After(r.Expires):
		return "", fmt.Errorf("at %s: %w", approvalTime(r.Expires), ErrApprovalExpired)
	}
	who, err := rules.Signers.Principals(key, ApprovalNamespace, rules.Now)
	if err != nil {
		return "", fmt.Errorf("signed by %s: %w", ssh.FingerprintSHA256(key), err)
	}
	return rules.pick(who)
}

// pick chooses whom a key stands for. A key of several principals is one person: if any of them must not approve, none
// may.
func (rules ApprovalRules) pick(who []string) (string, error) {
	among := func(list []string, p string) bool {
		return slices.ContainsFunc(list, func(o string) bool { return SamePerson(o, p) })
	}
	for _, p := range who {
		if among(rules.Operators, p) {
			return "", fmt.Errorf("%s: %w", p, ErrOperator)
		}
		if among(rules.Already, p) {
			return "", fmt.Errorf("%s: %w", p, ErrSamePerson)
		}
	}
	for _, p := range who {
		if among(rules.Members, p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w", strings.Join(who, ", "), ErrNotMember)
}

// StoreApproval keeps the request's text and a signature of it as the n-th approval of its gate, from 1, durably.
func (r *Run) StoreApproval(req ApprovalRequest, n int, signature []byte) error {
	dir := filepath.Join(r.Dir, ApprovalsDir, EncodeName(req.Gate, false))
	fsys := r.Artifacts.fs
	if err := fsx.MkdirAll(fsys, dir, 0o700); err != nil {
		return fmt.Errorf("keep approval of %s: %w", req.Gate, err)
	}
	base := filepath.Join(dir, strconv.Itoa(n))
	for ext, data := range map[string][]byte{".sig": signature, ".txt": req.Text()} {
		if err := fsx.WriteFile(fsys, base+ext, data, 0o600); err != nil {
			return fmt.Errorf("keep approval of %s: %w", req.Gate, err)
		}
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("keep approval of %s: %w", req.Gate, err)
	}
	return nil
}

// approvals checks every approval in the bundle: its signature, and that it is about this run and this plan.
func (v *verification) approvals() {
	f := &v.res.Authenticity
	for _, file := range v.src.files() {
		if !strings.HasPrefix(file.name, ApprovalsDir+"/") {
			continue
		}
		m := approvalRE.FindStringSubmatch(file.name)
		base := strings.TrimSuffix(strings.TrimSuffix(file.name, ".txt"), ".sig")
		switch {
		case m == nil:
			v.res.Integrity.fail("%s is not the name of an approval", file.name)
		case !v.src.has(base+".txt") || !v.src.has(base+".sig"):
			f.fail("%s: text and signature are not both there", base)
		case m[3] == "txt":
			if err := v.approval(base, m[1]); err != nil {
				f.fail("%s.txt: %v", base, err)
			}
		}
	}
}

func (v *verification) approval(base, gate string) error {
	text, err := readWhole(v.src, base+".txt", 1<<20)
	if err != nil {
		return err
	}
	signature, err := readWhole(v.src, base+".sig", 64<<10)
	if err != nil {
		return err
	}
	key, err := checkSignature(text, signature, ApprovalNamespace)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(text, []byte(approvalHead+"\n")) {
		return ErrApprovalText
	}
	if v.rec != nil {
		for name, want := range map[string]string{
			"run": string(v.rec.Opened.Run), "mode": string(v.rec.Mode), "plan": v.rec.Opened.PlanDigest, "gate": gate,
		} {
			if got := sealValue(text, name); got != want {
				return fmt.Errorf("it is for %s %q, not %q: %w", name, got, want, ErrApprovalText)
			}
		}
	}
	if v.opts.Signers == nil {
		return nil
	}
	at, err := time.Parse(time.RFC3339, sealValue(text, "asked"))
	if err != nil {
		return fmt.Errorf("asked at %q: %w", sealValue(text, "asked"), ErrApprovalText)
	}
	who, err := v.opts.Signers.Principals(key, ApprovalNamespace, at)
	if err != nil {
		return fmt.Errorf("signed by %s: %w", ssh.FingerprintSHA256(key), err)
	}
	for _, p := range who {
		if slices.ContainsFunc(Operators(v.events), func(o string) bool { return SamePerson(o, p) }) {
			return fmt.Errorf("%s: %w", p, ErrOperator)
		}
	}
	v.res.Authenticity.note("%s: approved by %s", base, strings.Join(who, ", "))
	return nil
}
