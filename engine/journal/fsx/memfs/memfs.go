// Package memfs is a file system in memory that knows what a power cut may leave: of everything that was not synced, any
// part. It is meaner than any real file system, which only makes what survives it safer.
package memfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// sector is the unit in which a write that was not synced is lost.
const sector = 512

// FS is an empty file system with the root "/". Safe for concurrent use.
type FS struct {
	mu     sync.Mutex
	dirs   map[string]*dir
	locked map[string]bool
}

// dir is a directory: its entries now, and as they were synced last.
type dir struct {
	now, synced map[string]*inode
}

// inode is a file or a directory. A file has its content now, as synced last, and what was written since.
type inode struct {
	isDir   bool
	data    []byte
	durable []byte
	pending []write
}

type write struct {
	off  int64
	data []byte
}

// New returns an empty file system.
func New() *FS {
	return &FS{dirs: map[string]*dir{"/": newDir()}, locked: map[string]bool{}}
}

func newDir() *dir { return &dir{now: map[string]*inode{}, synced: map[string]*inode{}} }

func pathError(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }

// find returns the directory of a name and its inode, which may be nil.
func (m *FS) find(op, name string) (*dir, *inode, error) {
	d, ok := m.dirs[filepath.Dir(name)]
	if !ok {
		if name == "/" {
			return nil, &inode{isDir: true}, nil
		}
		return nil, nil, pathError(op, name, fs.ErrNotExist)
	}
	return d, d.now[filepath.Base(name)], nil
}

// OpenFile implements fsx.FS.
func (m *FS) OpenFile(name string, flag int, _ fs.FileMode) (fsx.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, n, err := m.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case n == nil && flag&os.O_CREATE == 0:
		return nil, pathError("open", name, fs.ErrNotExist)
	case n != nil && flag&os.O_EXCL != 0:
		return nil, pathError("open", name, fs.ErrExist)
	case n != nil && n.isDir:
		return nil, pathError("open", name, errors.New("is a directory"))
	case n == nil:
		n = &inode{}
		d.now[filepath.Base(name)] = n
	}
	return &file{fs: m, node: n, name: filepath.Base(name), appends: flag&os.O_APPEND != 0}, nil
}

// ReadDir implements fsx.FS.
func (m *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.dirs[name]
	if !ok {
		return nil, pathError("readdir", name, fs.ErrNotExist)
	}
	var out []fs.DirEntry
	for base, n := range d.now {
		out = append(out, info{name: base, dir: n.isDir, size: int64(len(n.data))})
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// Lstat implements fsx.FS.
func (m *FS) Lstat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, n, err := m.find("lstat", name)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, pathError("lstat", name, fs.ErrNotExist)
	}
	return info{name: filepath.Base(name), dir: n.isDir, size: int64(len(n.data))}, nil
}

// Mkdir implements fsx.FS.
func (m *FS) Mkdir(name string, _ fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, n, err := m.find("mkdir", name)
	if err != nil {
		return err
	}
	if n != nil {
		return pathError("mkdir", name, fs.ErrExist)
	}
	d.now[filepath.Base(name)] = &inode{isDir: true}
	m.dirs[name] = newDir()
	return nil
}

// Rename implements fsx.FS, for files.
func (m *FS) Rename(oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, n, err := m.find("rename", oldname)
	if err != nil {
		return err
	}
	to, old, err := m.find("rename", newname)
	if err != nil {
		return err
	}
	if n == nil || n.isDir || old != nil && old.isDir {
		return pathError("rename", oldname, fs.ErrNotExist)
	}
	delete(from.now, filepath.Base(oldname))
	to.now[filepath.Base(newname)] = n
	return nil
}

// Remove implements fsx.FS.
func (m *FS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, n, err := m.find("remove", name)
	if err != nil {
		return err
	}
	if n == nil {
		return pathError("remove", name, fs.ErrNotExist)
	}
	if n.isDir {
		if len(m.dirs[name].now) > 0 {
			return pathError("remove", name, errors.New("directory not empty"))
		}
		delete(m.dirs, name)
	}
	delete(d.now, filepath.Base(name))
	return nil
}

// SyncDir implements fsx.FS.
func (m *FS) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.dirs[name]
	if !ok {
		return pathError("sync", name, fs.ErrNotExist)
	}
	d.synced = make(map[string]*inode, len(d.now))
	for k, v := range d.now {
		d.synced[k] = v
	}
	return nil
}

// Lock implements fsx.FS.
func (m *FS) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.dirs[name]; !ok {
		return nil, pathError("lock", name, fs.ErrNotExist)
	}
	if m.locked[name] {
		return nil, fsx.ErrLocked
	}
	m.locked[name] = true
	return unlock(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.locked, name)
	}), nil
}

type unlock func()

// Close implements io.Closer.
func (u unlock) Close() error {
	u()
	return nil
}

// Image writes to a real directory what a power cut may leave. loss is how likely it is, from 0 to 1, that something
// unsynced is gone: an entry of a directory, or a sector of a write. At 0 everything is there, at 1 only what was synced.
func (m *FS) Image(to string, loss float64, random *rand.Rand) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.imageDir("/", to, loss, random)
}

func (m *FS) imageDir(name, to string, loss float64, random *rand.Rand) error {
	d, ok := m.dirs[name]
	if !ok {
		return os.MkdirAll(to, 0o700) // it was removed since, and the removal is lost
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for base, n := range survivors(d, loss, random) {
		path := filepath.Join(to, base)
		if n.isDir {
			if err := m.imageDir(filepath.Join(name, base), path, loss, random); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, n.image(loss, random), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// survivors picks for each name its synced entry or its present one.
func survivors(d *dir, loss float64, random *rand.Rand) map[string]*inode {
	names := map[string]bool{}
	for n := range d.now {
		names[n] = true
	}
	for n := range d.synced {
		names[n] = true
	}
	sorted := make([]string, 0, len(names))
	for n := range names {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	out := map[string]*inode{}
	for _, name := range sorted {
		n := d.now[name]
		if d.now[name] != d.synced[name] && random.Float64() < loss {
			n = d.synced[name]
		}
		if n != nil {
			out[name] = n
		}
	}
	return out
}

// image is what is left of a file's content: every sector of every unsynced write survives or not. Where a later one
// survives beyond an earlier one that did not, there are zeros.
func (n *inode) image(loss float64, random *rand.Rand) []byte {
	out := bytes.Clone(n.durable)
	for _, w := range n.pending {
		for at := int64(0); at < int64(len(w.data)); {
			end := min(int64(len(w.data)), (w.off+at)/sector*sector+sector-w.off)
			if random.Float64() >= loss {
				out = put(out, w.off+at, w.data[at:end])
			}
			at = end
		}
	}
	return out
}

func put(data []byte, off int64, p []byte) []byte {
	if need := off + int64(len(p)); need > int64(len(data)) {
		data = append(data, make([]byte, need-int64(len(data)))...)
	}
	copy(data[off:], p)
	return data
}
