package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// ReviewNamespace is the namespace of the signatures of what is added after a seal.
const ReviewNamespace = "review@continuo"

// The kinds of what can be added after the seal.
const (
	Review     = "review"
	Commentary = "addendum"
	Withdrawal = "withdrawal"
	timestamp  = "timestamp"
)

var afterRE = regexp.MustCompile(`^after/([0-9]{4})-(review|addendum|withdrawal|timestamp)\.(txt|sig|tsr)$`)

const addendumHead = "continuo-addendum v1"

// maxAddendum bounds the text of a piece in bytes.
const maxAddendum = 1 << 20

// What can be wrong with a piece. Test with errors.Is.
var (
	ErrAddendum  = errors.New("not an addendum to this run")
	ErrOtherSeal = errors.New("it is about another seal")
	ErrNotSigner = errors.New("it was signed by someone else than it says")
)

// Addendum is a piece that was added after the seal: a review, an addendum, a withdrawal, a time stamp. Its first lines
// say what it belongs to, so that neither the text nor its signature means anything elsewhere.
type Addendum struct {
	File       string // of the text, in the bundle
	Run        engine.RunID
	SumsSHA256 string
	Kind       string
	Role       string
	Principal  string
	Time       time.Time
	Text       string
	// Status says whether its signature holds for the principal it names; Problem why not, or what was not checked.
	Status  Status
	Problem string
	// Operator: the principal worked on the run too, so that the piece is no independent word.
	Operator bool
	// Key is the fingerprint of the key that signed.
	Key string
	// WithdrawnBy is the file in which its author took the piece back; it counts for nothing then.
	WithdrawnBy string
}

// withdraws begins the text of a withdrawal, before the file of the piece that is taken back.
const withdraws = "withdraws "

// Withdraws is the file of the piece that a withdrawal takes back; of any other piece it is empty.
func (a Addendum) Withdraws() string {
	if a.Kind != Withdrawal {
		return ""
	}
	first, _, _ := strings.Cut(a.Text, "\n")
	file, _ := strings.CutPrefix(first, withdraws)
	return file
}

// WithdrawalText is the text of a piece that takes another back.
func WithdrawalText(file, reason string) string { return withdraws + file + "\n\n" + reason }

// ErrWithdrawal is in the error of a withdrawal of what is not there, is not the author's, or was taken back before.
var ErrWithdrawal = errors.New("only a review or an addendum can be withdrawn, once, and by its author")

// withdraw marks the piece that a withdrawal takes back. pieces are those before it.
func withdraw(pieces []Addendum, w Addendum) error {
	for i := range pieces {
		p := &pieces[i]
		if p.File != w.Withdraws() {
			continue
		}
		if p.Kind != Review && p.Kind != Commentary || p.WithdrawnBy != "" || !SamePerson(p.Principal, w.Principal) {
			return fmt.Errorf("%s: %w", p.File, ErrWithdrawal)
		}
		p.WithdrawnBy = w.File
		return nil
	}
	return fmt.Errorf("%q: %w", w.Withdraws(), ErrWithdrawal)
}

// bytes is the exact text that is signed.
func (a Addendum) bytes() []byte {
	return fmt.Appendf(nil, "%s\nrun %s\nsums-sha256 %s\nkind %s\nrole %s\nprincipal %s\ntime %s\n\n%s\n", addendumHead,
		a.Run, a.SumsSHA256, a.Kind, a.Role, a.Principal, a.Time.UTC().Format(time.RFC3339), strings.TrimRight(a.Text, "\n"))
}

// ParseAddendum reads the text of a piece: exactly what AddendumText writes, and nothing else.
func ParseAddendum(data []byte) (Addendum, error) {
	head, text, ok := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || !utf8.Valid(data) || len(lines) != 7 || lines[0] != addendumHead {
		return Addendum{}, ErrAddendum
	}
	var values [6]string
	for i, key := range []string{"run", "sums-sha256", "kind", "role", "principal", "time"} {
		if values[i], ok = strings.CutPrefix(lines[i+1], key+" "); !ok || values[i] == "" {
			return Addendum{}, fmt.Errorf("line %d: want %q: %w", i+2, key, ErrAddendum)
		}
	}
	at, err := time.Parse(time.RFC3339, values[5])
	if err != nil {
		return Addendum{}, fmt.Errorf("line 7: %q is not a time: %w", values[5], ErrAddendum)
	}
	a := Addendum{
		Run: engine.RunID(values[0]), SumsSHA256: values[1], Kind: values[2], Role: values[3], Principal: values[4], Time: at.UTC(),
		Text: strings.TrimRight(text, "\n"),
	}
	if !bytes.Equal(a.bytes(), data) {
		return Addendum{}, fmt.Errorf("not in its one form: %w", ErrAddendum)
	}
	return a, nil
}

// AddendumText is the text to be signed for a sealed run: run and digest are taken from its directory. It can be signed
// here or anywhere with `ssh-keygen -Y sign -n review@continuo`.
func AddendumText(dir string, a Addendum) ([]byte, error) {
	sums, err := fsx.ReadFile(fsx.OS{}, filepath.Join(dir, SumsFile), maxFile)
	if err != nil {
		return nil, fmt.Errorf("add to run %s: %w: %w", filepath.Base(dir), ErrNotSealed, err)
	}
	l, err := Load(dir)
	if err != nil {
		return nil, err
	}
	a.Run, a.SumsSHA256 = l.Record.Opened.Run, sum(sums)
	out := a.bytes()
	if _, err := ParseAddendum(out); err != nil || len(out) > maxAddendum {
		return nil, fmt.Errorf("kind, role and principal are one line each, the text at most %d bytes: %w", maxAddendum, ErrAddendum)
	}
	return out, nil
}

// AddSigned puts a signed piece beside a sealed run. The signature must be of the principal that the text names, by the
// signers; nil signers take any key that signed, for a first look at where no signers file is.
func AddSigned(dir string, text, signature []byte, signers *Signers) (Addendum, error) {
	fsys := fsx.OS{}
	fail := func(err error) (Addendum, error) {
		return Addendum{}, fmt.Errorf("add to run %s: %w", filepath.Base(dir), err)
	}
	lock, err := fsys.Lock(dir)
	if err != nil {
		return fail(err)
	}
	defer lock.Close()
	sums, err := fsx.ReadFile(fsys, filepath.Join(dir, SumsFile), maxFile)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrNotSealed, err))
	}
	a, err := ParseAddendum(text)
	if err != nil {
		return fail(err)
	}
	if a.SumsSHA256 != sum(sums) {
		return fail(ErrOtherSeal)
	}
	if a.Key, err = checkAddendum(a, text, signature, signers); err != nil {
		return fail(err)
	}
	if a.Kind == Withdrawal {
		pieces, err := AfterPieces(dir, signers)
		if err == nil {
			err = withdraw(pieces, a)
		}
		if err != nil {
			return fail(err)
		}
	}
	name, err := nextAfter(fsys, dir, a.Kind)
	if err != nil {
		return fail(err)
	}
	// The signature first: a text without one would be a broken bundle, a signature alone is no piece.
	for _, f := range []struct {
		ext  string
		data []byte
	}{{".sig", signature}, {".txt", text}} {
		if err := fsx.ReplaceFile(fsys, filepath.Join(dir, filepath.FromSlash(name+f.ext)), f.data, 0o600); err != nil {
			return fail(err)
		}
	}
	a.File, a.Status = name+".txt", StatusOK
	return a, nil
}

// checkAddendum checks a piece's signature and names the key that made it.
func checkAddendum(a Addendum, text, signature []byte, signers *Signers) (fingerprint string, err error) {
	if !slices.Contains([]string{Review, Commentary, Withdrawal}, a.Kind) {
		return "", fmt.Errorf("kind %q: %w", a.Kind, ErrAddendum)
	}
	key, err := checkSignature(text, signature, ReviewNamespace)
	if err != nil {
		return "", err
	}
	fingerprint = ssh.FingerprintSHA256(key)
	if signers == nil {
		return fingerprint, nil
	}
	if err := signers.Check(a.Principal, key, ReviewNamespace, a.Time); err != nil {
		if errors.Is(err, ErrPrincipal) {
			return "", fmt.Errorf("%s: %w", a.Principal, ErrNotSigner)
		}
		return "", fmt.Errorf("%s, signed by %s: %w", a.Principal, fingerprint, err)
	}
	return fingerprint, nil
}

// nextAfter is the name, without extension, of the next piece.
func nextAfter(fsys fsx.FS, dir, kind string) (string, error) {
	if err := fsx.MkdirAll(fsys, filepath.Join(dir, AfterDir), 0o700); err != nil {
		return "", err
	}
	entries, err := fsys.ReadDir(filepath.Join(dir, AfterDir))
	if err != nil {
		return "", err
	}
	next := 1
	for _, e := range entries {
		name := filepath.Join(dir, AfterDir, e.Name())
		base, signature := strings.CutSuffix(name, ".sig")
		// What a crash left is no piece: a half-written file, and a signature whose text never came.
		if strings.HasSuffix(name, ".tmp") || signature && !fsx.Exists(fsys, base+".txt") {
			if err := fsys.Remove(name); err != nil {
				return "", err
			}
			continue
		}
		var n int
		if _, err := fmt.Sscanf(e.Name(), "%04d-", &n); err == nil {
			next = max(next, n+1)
		}
	}
	return fmt.Sprintf("%s/%04d-%s", AfterDir, next, kind), nil
}

// after checks what was added after the seal.
func (v *verification) after() {
	f := &v.res.Integrity
	numbers := map[string]bool{}
	for _, name := range v.afterFiles() {
		m := afterRE.FindStringSubmatch(name)
		kindOK := m != nil && (m[2] == timestamp) == (m[3] == "tsr")
		switch {
		case !kindOK:
			f.fail("%s is not the name of a piece that was added later", name)
			continue
		case m[3] == "sig":
			if text := strings.TrimSuffix(name, ".sig") + ".txt"; !v.src.has(text) {
				f.fail("%s signs nothing: %s is missing", name, text)
			}
			continue
		case numbers[m[1]]:
			f.fail("%s: there are two pieces of this number", name)
		}
		numbers[m[1]] = true
		if m[3] == "tsr" {
			v.timestamp(name)
		} else {
			v.addendum(name, m[2])
		}
	}
	for i := range len(numbers) {
		if n := fmt.Sprintf("%04d", i+1); !numbers[n] {
			v.res.Completeness.fail("%s/%s-… is missing, and later pieces are there", AfterDir, n)
		}
	}
}

func (v *verification) afterFiles() []string {
	var out []string
	for _, file := range v.src.files() {
		if strings.HasPrefix(file.name, AfterDir+"/") {
			out = append(out, file.name)
		}
	}
	slices.Sort(out)
	return out
}

// addendum checks one signed piece. Whatever is wrong with its signature is the bundle's authenticity.
func (v *verification) addendum(name, kind string) {
	text, err := readWhole(v.src, name, maxAddendum)
	var a Addendum
	if err == nil {
		a, err = ParseAddendum(text)
	}
	if err == nil && a.Kind != kind {
		err = fmt.Errorf("it says %q: %w", a.Kind, ErrAddendum)
	}
	if err == nil && (a.SumsSHA256 != v.res.SumsSHA256 || a.Run != v.res.Run) {
		err = ErrOtherSeal
	}
	var signature []byte
	if err == nil {
		signature, err = readWhole(v.src, strings.TrimSuffix(name, ".txt")+".sig", 64<<10)
	}
	if err == nil {
		a.Key, err = checkAddendum(a, text, signature, v.opts.Signers)
	}
	a.File, a.Status = name, StatusOK
	if err == nil && a.Kind == Withdrawal {
		err = withdraw(v.res.After, a)
	}
	switch {
	case err != nil:
		a.Status, a.Problem = StatusFailed, err.Error()
		v.res.Authenticity.fail("%s: %v", name, err)
	case v.opts.Signers == nil:
		a.Status, a.Problem = StatusUnchecked, "no signers file was given"
	default:
		v.res.Authenticity.note("%s: %s by %s as %s, %s", name, a.Kind, a.Principal, a.Role, a.Time.Format(time.RFC3339))
	}
	v.pieces = append(v.pieces, piece{name, sum(text)})
	if v.rec != nil {
		a.Operator = slices.ContainsFunc(Operators(v.events), func(o string) bool { return SamePerson(o, a.Principal) })
		if a.Operator && a.Kind == Review {
			v.res.Authenticity.note("%s: %s worked on the run: this is no independent review", name, a.Principal)
		}
	}
	v.res.After = append(v.res.After, a)
}

// AfterPieces lists the signed pieces of a run's directory, checked against the signers.
func AfterPieces(dir string, signers *Signers) ([]Addendum, error) {
	src, err := openDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read what was added to run %s: %w", filepath.Base(dir), err)
	}
	defer src.Close()
	v := newVerification(src, VerifyOptions{Signers: signers})
	if v.sums, err = readWhole(src, SumsFile, maxFile); err != nil {
		return nil, fmt.Errorf("read what was added to run %s: %w", filepath.Base(dir), err)
	}
	v.res.SumsSHA256 = sum(v.sums)
	v.readJournal(&v.res.Integrity)
	v.rebuild()
	v.after()
	return v.res.After, nil
}
