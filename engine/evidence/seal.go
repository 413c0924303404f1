package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/redact"
)

// Renderer writes a report from a record. The same record gives the same bytes.
type Renderer func(*engine.Record) ([]byte, error)

// SealOptions says how a record is finished.
type SealOptions struct {
	// Signer signs; nil leaves the bundle unsigned, to be signed by sealing it again.
	Signer *Signer
	// Renderers make the report files, by name: "report.html".
	Renderers map[string]Renderer
	// Redactor knows the secrets that the bundle is searched for.
	Redactor *redact.Redactor
	// Withhold names files that are replaced by a stub, with By and Reason: what a secret was found in, for example.
	Withhold   []string
	By, Reason string
	// FS is for tests; nil means the real one.
	FS fsx.FS
}

// Sealed is a finished record.
type Sealed struct {
	Run     engine.RunID
	Dir     string
	Verdict engine.Verdict
	Files   int
	// SumsSHA256 is the digest of SHA256SUMS: it stands for the whole bundle.
	SumsSHA256 string
	Signed     bool
	// Already: it was sealed before; at most the signature is new.
	Already bool
	// Problems are what went wrong without harm to the evidence: a report that could not be made.
	Problems []string

	loaded *Loaded // what was sealed
}

// Why a record cannot be sealed. Test with errors.Is.
var (
	ErrNotClosed = errors.New("run is not closed")
	ErrWithhold  = errors.New("only files of the project and outputs can be withheld")
)

// LeakError says in which files a known secret was found. Nothing is lost: the record stays as it is, unsealed, until
// they are withheld.
type LeakError struct{ Leaks []Leak }

// Leak is a file that holds a secret.
type Leak struct {
	File, Secret, Encoding string
	Offset                 int64
}

// Error names the files and the secrets.
func (e *LeakError) Error() string {
	var parts []string
	for _, l := range e.Leaks {
		parts = append(parts, fmt.Sprintf("%s holds secret %q (%s, at byte %d)", l.File, l.Secret, l.Encoding, l.Offset))
	}
	return strings.Join(parts, "; ")
}

// Seal finishes the record of a closed run: reports, seal.txt, README.txt, the search for secrets, SHA256SUMS and its
// signature. It can be done again at any point, after a crash at any point, and gives the same bytes; of a sealed run it
// adds the signature where that is missing. The run's journal must be closed.
func Seal(dir string, opts SealOptions) (*Sealed, error) {
	s := &sealer{fs: orOS(opts.FS), dir: dir, opts: opts}
	lock, err := s.fs.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("seal run %s: %w", filepath.Base(dir), err)
	}
	defer lock.Close()
	out, err := s.seal()
	if err != nil {
		return nil, fmt.Errorf("seal run %s: %w", filepath.Base(dir), err)
	}
	return out, nil
}

type sealer struct {
	fs   fsx.FS
	dir  string
	opts SealOptions

	loaded   *Loaded
	facts    journalFacts
	problems []string
}

func (s *sealer) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *sealer) seal() (*Sealed, error) {
	if fsx.Exists(s.fs, s.path(SumsFile)) {
		return s.sealAgain()
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := s.tidy(); err != nil {
		return nil, err
	}
	if err := s.withhold(); err != nil {
		return nil, err
	}
	if err := s.tidy(); err != nil {
		return nil, err
	}
	derived, sums, err := s.derive()
	if err != nil {
		return nil, err
	}
	signature, err := s.signature(sums)
	if err != nil {
		return nil, err
	}
	if err := s.commit(derived, sums, signature); err != nil {
		return nil, err
	}
	return s.result(sums, signature != nil, false), nil
}

func (s *sealer) result(sums []byte, signed, already bool) *Sealed {
	return &Sealed{
		Run: s.loaded.Record.Opened.Run, Dir: s.dir, Verdict: s.loaded.Record.Verdict, Files: bytes.Count(sums, []byte("\n")),
		SumsSHA256: sum(sums), Signed: signed, Already: already, Problems: s.problems, loaded: s.loaded,
	}
}

// load reads the journal strictly: a torn line is for Resume to deal with.
func (s *sealer) load() error {
	f, err := s.fs.OpenFile(s.path(journal.FileName), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	digest := sha256.New()
	r := journal.NewReader(io.TeeReader(f, digest))
	var events []engine.Event
	for {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		events = append(events, ev)
	}
	if _, closed := events[len(events)-1].Payload.(*engine.RunClosed); !closed {
		return ErrNotClosed
	}
	s.facts = journalFacts{size: r.Offset(), sha256: hex.EncodeToString(digest.Sum(nil)), head: r.Head()}
	s.loaded, err = loadEvents(s.fs, s.dir, events)
	return err
}

// tidy removes what a crash or a control socket left behind: nothing of it is evidence.
func (s *sealer) tidy() error {
	for _, name := range []string{temporaryDir, sealingDir, journal.FileName + ".new"} {
		if err := fsx.RemoveAll(s.fs, s.path(name)); err != nil {
			return err
		}
	}
	entries, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSocket != 0 {
			if err := s.fs.Remove(s.path(e.Name())); err != nil {
				return err
			}
		}
		if e.IsDir() {
			gone, err := removeEmpty(s.fs, s.path(e.Name()))
			if err == nil && !gone {
				err = s.fs.SyncDir(s.path(e.Name()))
			}
			if err != nil {
				return err
			}
		}
	}
	return s.fs.SyncDir(s.dir) // before the list of files is: what is gone must stay gone
}

// removeEmpty removes the directories that hold no file, and reports whether dir was one.
func removeEmpty(fsys fsx.FS, dir string) (bool, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return false, err
	}
	empty, changed := true, false
	for _, e := range entries {
		gone := false
		if e.IsDir() {
			if gone, err = removeEmpty(fsys, filepath.Join(dir, e.Name())); err != nil {
				return false, err
			}
		}
		empty, changed = empty && gone, changed || gone
	}
	if !empty {
		if changed {
			err = fsys.SyncDir(dir)
		}
		return false, err
	}
	return true, fsys.Remove(dir)
}

// withhold puts stubs in the place of files.
func (s *sealer) withhold() error {
	for _, name := range s.opts.Withhold {
		if !mayWithhold(name) {
			return fmt.Errorf("%s: %w", name, ErrWithhold)
		}
		if _, err := s.fs.Lstat(s.path(name)); err != nil {
			return err
		}
		if err := s.replace(name, stub(name, s.opts.By, s.opts.Reason)); err != nil {
			return err
		}
	}
	return nil
}

// replace puts other content under a name. What a crash leaves of it lies where tidy removes it.
func (s *sealer) replace(name string, data []byte) error {
	if err := fsx.MkdirAll(s.fs, s.path(temporaryDir), 0o700); err != nil {
		return err
	}
	tmp := s.path(temporaryDir + "/withheld")
	if err := fsx.WriteFile(s.fs, tmp, data, 0o600); err != nil {
		return err
	}
	if err := s.fs.Rename(tmp, s.path(name)); err != nil {
		return err
	}
	return s.fs.SyncDir(filepath.Dir(s.path(name)))
}

// derive makes the derived files and SHA256SUMS in memory and searches all files for secrets.
func (s *sealer) derive() (derived map[string][]byte, sums []byte, err error) {
	get := func(sum string) ([]byte, error) { return getArtifact(s.fs, s.dir, sum) }
	if derived, err = approvalFiles(s.loaded.Events, textOf(get)); err != nil {
		return nil, nil, err
	}
	derived[ReadmeFile] = readmeText(s.loaded.Record)
	for name, render := range s.opts.Renderers {
		data, err := safely(render, s.loaded.Record)
		if err != nil {
			s.problems = append(s.problems, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		derived[name] = data
	}
	slices.Sort(s.problems)
	var leaks []Leak
	entries, facts, err := s.hashFiles(derived, &leaks)
	if err != nil {
		return nil, nil, err
	}
	signer := noSigner
	if s.opts.Signer != nil {
		signer = s.opts.Signer.Fingerprint()
	}
	derived[SealFile] = sealText(s.loaded.Record, s.loaded.Events, s.facts, facts, signer)
	for _, name := range slices.Sorted(maps.Keys(derived)) {
		if err := s.scan(name, bytes.NewReader(derived[name]), &leaks); err != nil {
			return nil, nil, err
		}
		entries = append(entries, Entry{Name: name, SHA256: sum(derived[name])})
	}
	if len(leaks) > 0 {
		return nil, nil, &LeakError{Leaks: leaks}
	}
	return derived, formatSums(entries), nil
}

// safely keeps a defect of a report from costing the seal.
func safely(render Renderer, rec *engine.Record) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("defect in the report: %v", p)
		}
	}()
	return render(rec)
}

// hashFiles hashes and searches all files that are there already, without those that are about to be derived.
func (s *sealer) hashFiles(derived map[string][]byte, leaks *[]Leak) ([]Entry, bundleFacts, error) {
	names, err := listFiles(s.fs, s.dir, "")
	if err != nil {
		return nil, bundleFacts{}, err
	}
	var entries []Entry
	var facts bundleFacts
	for _, name := range names {
		if _, again := derived[name]; again || name == SealFile || !listed(name) {
			continue
		}
		e, size, withheld, err := s.hashFile(name, leaks)
		if err != nil {
			return nil, bundleFacts{}, err
		}
		entries = append(entries, e)
		facts.count(e, size, withheld)
	}
	facts.projectSHA256, facts.planSHA256 = s.loaded.Record.Opened.ProjectSHA256, s.loaded.Record.Opened.PlanSHA256
	return entries, facts, nil
}

func (b *bundleFacts) count(e Entry, size int64, withheld bool) {
	if strings.HasPrefix(e.Name, ArtifactsDir+"/") {
		b.artifacts++
		b.artifactBytes += size
	}
	if withheld {
		b.withheld++
	}
}

func (s *sealer) hashFile(name string, leaks *[]Leak) (e Entry, size int64, withheld bool, err error) {
	f, err := s.fs.OpenFile(s.path(name), os.O_RDONLY, 0)
	if err != nil {
		return Entry{}, 0, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, 0, false, err
	}
	digest := sha256.New()
	var head bytes.Buffer
	in := io.TeeReader(f, io.MultiWriter(digest, &limitedBuffer{buf: &head, limit: maxStub}))
	if err := s.scan(name, in, leaks); err != nil {
		return Entry{}, 0, false, err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return Entry{}, 0, false, err
	}
	withheld = info.Size() <= maxStub && isStub(name, head.Bytes())
	return Entry{Name: name, SHA256: hex.EncodeToString(digest.Sum(nil))}, info.Size(), withheld, nil
}

// limitedBuffer keeps the beginning of a stream.
type limitedBuffer struct {
	buf   *bytes.Buffer
	limit int
}

// Write implements io.Writer; it never fails.
func (l *limitedBuffer) Write(p []byte) (int, error) {
	l.buf.Write(p[:min(len(p), l.limit-l.buf.Len())])
	return len(p), nil
}

// maxLeaks bounds how many places are named for one file.
const maxLeaks = 3

func (s *sealer) scan(name string, in io.Reader, leaks *[]Leak) error {
	if s.opts.Redactor == nil {
		return nil
	}
	hits, err := s.opts.Redactor.Scan(in, maxLeaks)
	for _, h := range hits {
		*leaks = append(*leaks, Leak{File: name, Secret: h.Name, Encoding: h.Encoding, Offset: h.Offset})
	}
	return err
}

func (s *sealer) signature(sums []byte) ([]byte, error) {
	if s.opts.Signer == nil {
		return nil, nil
	}
	return s.opts.Signer.Sign(sums, EvidenceNamespace)
}

// commit writes everything beside its place, makes it durable and moves it there; SHA256SUMS comes last and is what
// makes the run sealed.
func (s *sealer) commit(derived map[string][]byte, sums, signature []byte) error {
	if err := s.fs.Mkdir(s.path(sealingDir), 0o700); err != nil {
		return err
	}
	order := slices.Sorted(maps.Keys(derived))
	all := maps.Clone(derived)
	if signature != nil {
		all[SignatureFile] = signature
		order = append(order, SignatureFile)
	}
	all[SumsFile] = sums
	aside := func(name string) string { return s.path(sealingDir + "/" + strings.ReplaceAll(name, "/", "%2F")) }
	for _, name := range append(slices.Clone(order), SumsFile) {
		if err := fsx.WriteFile(s.fs, aside(name), all[name], 0o600); err != nil {
			return err
		}
	}
	for _, name := range order {
		if err := s.place(aside(name), name); err != nil {
			return err
		}
	}
	if signature == nil {
		if err := removeIfThere(s.fs, s.path(SignatureFile)); err != nil {
			return err
		}
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	if err := s.fs.Rename(aside(SumsFile), s.path(SumsFile)); err != nil {
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	if err := s.fs.Remove(s.path(sealingDir)); err != nil {
		return err
	}
	return s.fs.SyncDir(s.dir)
}

// place moves a finished file to its name. Its directory is durable then; the bundle's own is synced for all at once.
func (s *sealer) place(from, name string) error {
	dir := filepath.Dir(s.path(name))
	if dir == s.dir {
		return s.fs.Rename(from, s.path(name))
	}
	if err := fsx.MkdirAll(s.fs, dir, 0o700); err != nil {
		return err
	}
	if err := s.fs.Rename(from, s.path(name)); err != nil {
		return err
	}
	return s.fs.SyncDir(dir)
}

// sealAgain finishes what a crash left of a seal and signs what is unsigned.
func (s *sealer) sealAgain() (*Sealed, error) {
	if len(s.opts.Withhold) > 0 {
		return nil, fmt.Errorf("withhold: %w", ErrSealed)
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := fsx.RemoveAll(s.fs, s.path(sealingDir)); err != nil {
		return nil, err
	}
	sums, err := fsx.ReadFile(s.fs, s.path(SumsFile), maxFile)
	if err != nil {
		return nil, err
	}
	if fsx.Exists(s.fs, s.path(SignatureFile)) {
		return s.result(sums, true, true), nil
	}
	signature, err := s.signature(sums)
	if err != nil || signature == nil {
		return s.result(sums, false, true), err
	}
	if err := s.unchanged(sums); err != nil {
		return nil, err
	}
	return s.result(sums, true, true), fsx.ReplaceFile(s.fs, s.path(SignatureFile), signature, 0o600)
}

// unchanged refuses to sign a list that the files no longer match.
func (s *sealer) unchanged(sums []byte) error {
	var leaks []Leak
	entries, err := parseSums(sums)
	if err != nil {
		return err
	}
	for _, want := range entries {
		got, _, _, err := s.hashFile(want.Name, &leaks)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s was changed after the seal; it will not be signed", want.Name)
		}
	}
	return nil
}

// listFiles lists the regular files below a directory by their names in a bundle, in no particular order. Anything else
// that lies there is an error.
func listFiles(fsys fsx.FS, dir, prefix string) ([]string, error) {
	entries, err := fsys.ReadDir(filepath.Join(dir, filepath.FromSlash(prefix)))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		name := e.Name()
		if prefix != "" {
			name = prefix + "/" + name
		}
		switch {
		case e.IsDir():
			inner, err := listFiles(fsys, dir, name)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		case !e.Type().IsRegular():
			return nil, fmt.Errorf("%s: not a regular file", name)
		default:
			if err := checkName(name); err != nil {
				return nil, err
			}
			out = append(out, name)
		}
	}
	return out, nil
}
