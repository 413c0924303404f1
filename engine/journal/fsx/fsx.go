// Package fsx is the small door through which the journal and the evidence reach a file system. Everything that must
// survive a crash goes through it, so that tests can kill, tear, fill and unplug at every single operation.
//
// OS is the real one. Package faultfs injects crashes and errors around any FS; package memfs models what a power cut
// leaves behind.
package fsx

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
)

// FS is what is needed of a file system. Names are paths of the operating system. Implementations are safe for
// concurrent use.
type FS interface {
	// OpenFile opens with the flags of package os. It never follows a symlink in the last element when O_CREATE is given.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	// Lstat does not follow symlinks.
	Lstat(name string) (fs.FileInfo, error)
	// Mkdir makes one directory.
	Mkdir(name string, perm fs.FileMode) error
	Rename(oldname, newname string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	// SyncDir makes the entries of a directory (creations, renames, removals) durable.
	SyncDir(name string) error
	// Lock takes the exclusive lock of a directory without waiting; ErrLocked when another holds it. The lock ends with
	// Close or with the process.
	Lock(dir string) (io.Closer, error)
}

// File is an open file. Sync makes its content and size durable; after a failed Sync nothing about the content is known.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	Sync() error
	Stat() (fs.FileInfo, error)
}

// ErrLocked is returned by Lock when another holder, of this process or another, has the lock.
var ErrLocked = errors.New("locked by another process")

// MkdirAll makes a directory and its parents, each of them durable in its parent before the next.
func MkdirAll(fsys FS, dir string, perm fs.FileMode) error {
	info, err := fsys.Lstat(dir)
	if err == nil {
		if info.IsDir() || info.Mode()&fs.ModeSymlink != 0 {
			return nil
		}
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a directory")}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MkdirAll(fsys, parent, perm); err != nil {
			return err
		}
	}
	if err := fsys.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(parent)
}

// ReadFile reads a whole file of at most limit bytes; a longer one is an error. A limit of zero or less means no limit.
func ReadFile(fsys FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.OpenFile(name, readOnly, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if limit <= 0 {
		return io.ReadAll(f)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &fs.PathError{Op: "read", Path: name, Err: ErrTooLarge}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// ErrTooLarge is returned by ReadFile for a file beyond the limit.
var ErrTooLarge = errors.New("file is too large")

// WriteFile creates a new file, which must not exist, with the data, and makes its content durable. The directory's
// entry is not yet durable: SyncDir does that, once for many files. A file that could not be written whole is removed.
func WriteFile(fsys FS, name string, data []byte, perm fs.FileMode) error {
	f, err := fsys.OpenFile(name, createNew, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return errors.Join(err, fsys.Remove(name))
	}
	return nil
}

// ReplaceFile puts the data under name as one durable step: a reader, and a crash, find the old file or the new one,
// never a part. It uses name + ".tmp" in the same directory.
func ReplaceFile(fsys FS, name string, data []byte, perm fs.FileMode) error {
	tmp := name + ".tmp"
	if err := fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := WriteFile(fsys, tmp, data, perm); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(name))
}

// Exists reports whether there is something of that name. Any error but "does not exist" counts as existing: who asks
// wants to know whether the name is free.
func Exists(fsys FS, name string) bool {
	_, err := fsys.Lstat(name)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// RemoveAll removes a directory with what is in it, or a file; nothing there is no error.
func RemoveAll(fsys FS, name string) error {
	info, err := fsys.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		entries, err := fsys.ReadDir(name)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := RemoveAll(fsys, filepath.Join(name, e.Name())); err != nil {
				return err
			}
		}
	}
	return fsys.Remove(name)
}
