package evidence

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

// Status is one of the four verdicts of Verify.
type Status string

// The verdicts. Unchecked is no success.
const (
	StatusOK        Status = "ok"
	StatusFailed    Status = "failed"
	StatusUnchecked Status = "unchecked"
)

// Finding is one verdict and what it rests on.
type Finding struct {
	Status Status
	// Problems are why it is not ok; Notes what was found besides.
	Problems, Notes []string
}

func (f *Finding) fail(format string, args ...any) {
	f.Status = StatusFailed
	f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
}

func (f *Finding) unchecked(format string, args ...any) {
	if f.Status != StatusFailed {
		f.Status = StatusUnchecked
	}
	f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
}

func (f *Finding) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// VerifyOptions says what the verifier brings along. Nothing of it comes from the bundle.
type VerifyOptions struct {
	// Signers says whose keys are whose; nil leaves authenticity unchecked. SignersFrom names where it is from.
	Signers     *Signers
	SignersFrom string
	// Renderers write the reports again, to be compared; Tool is the version of continuo that they belong to.
	Renderers map[string]Renderer
	Tool      string
	// Ledger, when given, must hold the opening and this seal of the run.
	Ledger *LedgerRecord
}

// Result is what Verify found.
type Result struct {
	Path    string
	Run     engine.RunID
	Mode    engine.Mode
	Verdict engine.Verdict // what the journal says, computed again; empty when it cannot be read

	Integrity, Authenticity, Completeness, Meaning Finding

	// Signer is the fingerprint of the key that signed; Principals whom it belongs to by the verifier's signers file.
	Signer     string
	Principals []string
	// SumsSHA256 is the digest of SHA256SUMS: it stands for the whole bundle.
	SumsSHA256 string
	// Anchor says what outside of the signer's reach holds this bundle at a time: "none", "checkpoint …", "timestamp …".
	Anchor string
	// Pruned: only the digests are left; see VerifyPruned.
	Pruned bool
	// After are the pieces that were added after the seal, in order.
	After []Addendum
}

// OK reports whether all four verdicts are.
func (r *Result) OK() bool {
	for _, f := range []Finding{r.Integrity, r.Authenticity, r.Completeness, r.Meaning} {
		if f.Status != StatusOK {
			return false
		}
	}
	return true
}

// Reasons lists all problems, each behind the verdict that it belongs to.
func (r *Result) Reasons() []string {
	var out []string
	for _, f := range []struct {
		name string
		Finding
	}{
		{"integrity", r.Integrity}, {"authenticity", r.Authenticity}, {"completeness", r.Completeness}, {"meaning", r.Meaning},
	} {
		for _, p := range f.Problems {
			out = append(out, f.name+": "+p)
		}
	}
	return out
}

// Verify checks a bundle, a directory or a tar, offline, and believes nothing that it says about itself. An error means
// that there was nothing to check; a bundle that does not hold is a Result.
func Verify(path string, opts VerifyOptions) (*Result, error) {
	src, err := openSource(path)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", path, err)
	}
	defer src.Close()
	if !src.has(journal.FileName) && !src.has(SumsFile) {
		return nil, fmt.Errorf("verify %s: %w", path, ErrNoBundle)
	}
	v := newVerification(src, opts)
	v.res.Path = path
	v.integrity()
	v.rebuild()
	v.sealText()
	v.authenticity()
	v.approvals()
	v.after()
	v.completeness()
	v.meaning()
	v.checkName(path)
	return v.res, nil
}

// ErrNoBundle is returned for what holds neither a journal nor SHA256SUMS.
var ErrNoBundle = fmt.Errorf("not a bundle: there is neither %s nor %s", journal.FileName, SumsFile)

// verification is the state of one Verify.
type verification struct {
	src  source
	opts VerifyOptions
	res  *Result

	sums     []byte
	entries  []Entry
	digests  map[string]string // of the files, as computed
	withheld map[string]bool
	facts    bundleFacts
	journal  journalFacts
	events   []engine.Event
	heads    []journal.Digest // of the journal's lines
	plan     *engine.Plan
	rec      *engine.Record // nil when it could not be rebuilt
	pieces   []piece        // in after/, with their digests
	sealedAt time.Time
}

// piece is a file that was added after the seal.
type piece struct{ file, sha256 string }

func newVerification(src source, opts VerifyOptions) *verification {
	v := &verification{src: src, opts: opts, res: &Result{Anchor: "none"}, digests: map[string]string{}}
	for _, f := range []*Finding{&v.res.Integrity, &v.res.Authenticity, &v.res.Completeness, &v.res.Meaning} {
		f.Status = StatusOK
	}
	return v
}

// checkName compares a directory's name with the run's id: a bundle may be renamed, but that is worth a word.
func (v *verification) checkName(path string) {
	base := strings.TrimSuffix(filepath.Base(path), ".tar")
	if v.res.Run != "" && base != string(v.res.Run) {
		v.res.Integrity.note("%s holds run %s", base, v.res.Run)
	}
}
