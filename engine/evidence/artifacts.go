package evidence

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"unicode/utf8"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/redact"
)

// Bounds of what is kept of one stream.
const (
	// MaxInline is the size in bytes up to which UTF-8 text stands in the journal itself.
	MaxInline = 4 << 10
	// MaxArtifact is how much of a stream is kept, half from its beginning and half from its end.
	MaxArtifact = 16 << 20
)

// Artifacts stores outputs by the SHA-256 of what is stored, after redaction. It implements engine.Artifacts and is safe
// for concurrent use; a writer is used by one goroutine at a time.
type Artifacts struct {
	fs       fsx.FS
	dir      string // of the run
	redactor *redact.Redactor
	limit    int64 // MaxArtifact; tests use less

	mu   sync.Mutex
	made map[string]bool // directories that are there and durable
}

func newArtifacts(fsys fsx.FS, dir string, r *redact.Redactor) *Artifacts {
	if r == nil {
		r = redact.New()
	}
	return &Artifacts{fs: fsys, dir: dir, redactor: r, limit: MaxArtifact, made: map[string]bool{}}
}

// artifactName is where an artifact lies in a bundle.
func artifactName(sum string) string { return ArtifactsDir + "/" + sum[:2] + "/" + sum }

// Put stores a text, redacted, durably, and returns the SHA-256 of what it stored.
func (a *Artifacts) Put(data []byte) (string, error) {
	return a.putRaw([]byte(a.redactor.Redact(string(data))))
}

// putRaw stores bytes as they are.
func (a *Artifacts) putRaw(data []byte) (string, error) {
	digest := sha256.Sum256(data)
	sum := hex.EncodeToString(digest[:])
	name := filepath.Join(a.dir, filepath.FromSlash(artifactName(sum)))
	if fsx.Exists(a.fs, name) {
		return sum, nil
	}
	tmp, err := a.temporary()
	if err != nil {
		return "", fmt.Errorf("store artifact: %w", err)
	}
	if err := fsx.WriteFile(a.fs, tmp, data, 0o600); err != nil {
		return "", fmt.Errorf("store artifact: %w", err)
	}
	return sum, a.place(tmp, sum)
}

// temporary is a fresh name beside the artifacts. It is random: what a crash left there may be of a process with our id.
func (a *Artifacts) temporary() (string, error) {
	dir := filepath.Join(a.dir, filepath.FromSlash(temporaryDir))
	if err := a.mkdir(dir); err != nil {
		return "", err
	}
	return filepath.Join(dir, rand.Text()), nil
}

// mkdir makes a directory once.
func (a *Artifacts) mkdir(dir string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made[dir] {
		return nil
	}
	if err := fsx.MkdirAll(a.fs, dir, 0o700); err != nil {
		return err
	}
	a.made[dir] = true
	return nil
}

// place moves a complete, synced file to its name, durably.
func (a *Artifacts) place(tmp, sum string) error {
	name := filepath.Join(a.dir, filepath.FromSlash(artifactName(sum)))
	err := a.mkdir(filepath.Dir(name))
	if err == nil {
		err = a.fs.Rename(tmp, name)
	}
	if err == nil {
		err = a.fs.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store artifact %s: %w", sum, err), removeIfThere(a.fs, tmp))
	}
	return nil
}

func removeIfThere(fsys fsx.FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Get returns the bytes of an artifact and checks them against their name.
func (a *Artifacts) Get(sum string) ([]byte, error) { return getArtifact(a.fs, a.dir, sum) }

func getArtifact(fsys fsx.FS, dir, sum string) ([]byte, error) {
	if len(sum) != 2*sha256.Size || checkName(sum) != nil {
		return nil, fmt.Errorf("artifact %q: %w", sum, ErrName)
	}
	data, err := fsx.ReadFile(fsys, filepath.Join(dir, filepath.FromSlash(artifactName(sum))), MaxArtifact+4096)
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("artifact %s: content does not match its name", sum)
	}
	return data, nil
}

// Create returns a writer for one stream. Nothing is on disk until the stream is longer than what stands inline.
func (a *Artifacts) Create() (engine.ArtifactWriter, error) {
	s := &stream{store: a, whole: sha256.New()}
	s.redact = a.redactor.NewWriter(writerFunc(s.take))
	return s, nil
}

type writerFunc func([]byte)

// Write implements io.Writer; it cannot fail.
func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// stream is one output on its way to the store: first in memory, then in a file whose second half is a ring.
type stream struct {
	store  *Artifacts
	redact *redact.Writer
	whole  hash.Hash
	size   int64 // after redaction
	memory []byte
	file   fsx.File
	name   string
	err    error // the first one; shown by Finish
}

// Write redacts and keeps. It never fails: the command's output is drained whatever the disk does.
func (s *stream) Write(p []byte) (int, error) {
	_, _ = s.redact.Write(p) // take does not fail
	return len(p), nil
}

// take gets redacted bytes.
func (s *stream) take(p []byte) {
	s.whole.Write(p)
	if s.file == nil && len(s.memory)+len(p) <= MaxInline {
		s.memory = append(s.memory, p...)
		s.size += int64(len(p))
		return
	}
	if s.file == nil && s.err == nil {
		s.spill()
	}
	if s.err != nil {
		s.size += int64(len(p))
		return
	}
	s.keep(p)
}

// spill opens the file and moves there what is in memory.
func (s *stream) spill() {
	if s.name, s.err = s.store.temporary(); s.err != nil {
		return
	}
	s.file, s.err = s.store.fs.OpenFile(s.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if s.err != nil {
		return
	}
	s.size = 0
	s.keep(s.memory)
	s.memory = nil
}

// keep writes p at its place: the first half of the limit straight, what follows round and round in the second.
func (s *stream) keep(p []byte) {
	half := s.store.limit / 2
	for len(p) > 0 && s.err == nil {
		at, room := s.size, half-s.size
		if s.size >= half {
			at = half + (s.size-half)%half
			room = 2*half - at
		}
		n := min(int64(len(p)), room)
		_, s.err = s.file.WriteAt(p[:n], at)
		p = p[n:]
		s.size += n
	}
	s.size += int64(len(p)) // what an error left over was counted and hashed all the same
}

// Finish ends the stream and says where its bytes are. It fills the output's fields from Size to Redactions.
func (s *stream) Finish() (engine.ItemOutput, error) {
	_ = s.redact.Close() // take does not fail
	out := engine.ItemOutput{Size: s.size, SHA256: hex.EncodeToString(s.whole.Sum(nil)), Redactions: s.redact.Count()}
	err := s.err
	switch {
	case err != nil:
	case s.file == nil && utf8.Valid(s.memory) && bytes.IndexByte(s.memory, 0) < 0:
		out.Text = string(s.memory)
	case s.file == nil:
		out.Artifact, err = s.store.putRaw(s.memory)
	case s.size <= s.store.limit:
		out.Artifact, err = out.SHA256, s.finishFile(out.SHA256)
	default:
		out.Truncated = true
		out.Artifact, err = s.shorten()
	}
	if err != nil {
		return out, errors.Join(fmt.Errorf("store output: %w", err), s.discard())
	}
	return out, nil
}

// finishFile makes the file durable under the digest.
func (s *stream) finishFile(sum string) error {
	err := s.file.Sync()
	if cerr := s.file.Close(); err == nil {
		err = cerr
	}
	s.file = nil
	if err != nil {
		return err
	}
	return s.store.place(s.name, sum)
}

// shorten writes head, a line that says what is missing, and tail, in order.
func (s *stream) shorten() (string, error) {
	half := s.store.limit / 2
	split := half + (s.size-half)%half // where the ring begins
	cut := fmt.Sprintf("\n[continuo: %d bytes are not kept here]\n", s.size-2*half)
	in := io.MultiReader(
		io.NewSectionReader(s.file, 0, half), bytes.NewReader([]byte(cut)),
		io.NewSectionReader(s.file, split, 2*half-split), io.NewSectionReader(s.file, half, split-half),
	)
	short := &stream{store: s.store}
	var err error
	if short.name, err = s.store.temporary(); err != nil {
		return "", err
	}
	if short.file, err = s.store.fs.OpenFile(short.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return "", err
	}
	digest := sha256.New()
	if _, err := io.Copy(io.MultiWriter(short.file, digest), in); err != nil {
		return "", errors.Join(err, short.discard())
	}
	sum := hex.EncodeToString(digest.Sum(nil))
	if err := short.finishFile(sum); err != nil {
		return "", errors.Join(err, short.discard())
	}
	return sum, s.discard()
}

// discard removes the temporary file.
func (s *stream) discard() error {
	var err error
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	if s.name == "" {
		return err
	}
	return errors.Join(err, removeIfThere(s.store.fs, s.name))
}
