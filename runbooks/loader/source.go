package loader

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// source reads the project's files, remembers every one, and refuses what lies outside. It is safe for concurrent use:
// expressions are evaluated on many goroutines and may call file().
type source struct {
	fsys   fs.FS
	limits Limits

	mu    sync.Mutex
	files map[string][]byte
	total int64
}

// Why a file of the project could not be read.
var (
	ErrOutside  = errors.New("lies outside the project")
	ErrTooLarge = errors.New("is larger than the limit")
	ErrTooMany  = errors.New("the project has more files than the limit")
	ErrNotFile  = errors.New("is not a regular file")
)

func newSource(fsys fs.FS, limits Limits) *source {
	return &source{fsys: fsys, limits: limits, files: map[string][]byte{}}
}

// ReadFile implements expr.Files. The same path always gives the same bytes, even if the file has changed meanwhile.
func (s *source) ReadFile(name string) ([]byte, error) {
	clean, err := inside(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if data, ok := s.files[clean]; ok {
		return data, nil
	}
	data, err := s.read(clean)
	if err != nil {
		return nil, err
	}
	s.files[clean] = data
	s.total += int64(len(data))
	return data, nil
}

func inside(name string) (string, error) {
	if strings.ContainsAny(name, "\\\x00") || path.IsAbs(name) || slices.Contains(strings.Split(name, "/"), "..") || strings.HasPrefix(name, "~") {
		return "", fmt.Errorf("file %q: %w", name, ErrOutside)
	}
	clean := path.Clean(name)
	if !fs.ValidPath(clean) || clean == "." {
		return "", fmt.Errorf("file %q: %w", name, ErrNotFile)
	}
	return clean, nil
}

func (s *source) read(name string) ([]byte, error) {
	if len(s.files) >= s.limits.Files {
		return nil, fmt.Errorf("file %q: %w (%d)", name, ErrTooMany, s.limits.Files)
	}
	// Stat first: opening a pipe would wait for a writer.
	info, err := fs.Stat(s.fsys, name)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", name, cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("file %q: %w", name, ErrNotFile)
	}
	f, err := s.fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", name, cause(err))
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, s.limits.FileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", name, cause(err))
	}
	if int64(len(data)) > s.limits.FileBytes || s.total+int64(len(data)) > s.limits.TotalBytes {
		return nil, fmt.Errorf("file %q: %w (%d bytes each, %d together)", name, ErrTooLarge, s.limits.FileBytes, s.limits.TotalBytes)
	}
	return data, nil
}

// cause drops the operation and path that a PathError repeats, and names the escape that os.Root refused.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if strings.Contains(err.Error(), "escapes from parent") {
		return ErrOutside
	}
	return err
}

// all returns the files read so far, in order of path.
func (s *source) all() []runbooks.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]runbooks.File, 0, len(s.files))
	for p, data := range s.files {
		out = append(out, runbooks.File{Path: p, Data: data})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}
