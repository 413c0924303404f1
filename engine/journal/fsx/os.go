package fsx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

const (
	readOnly  = os.O_RDONLY
	createNew = os.O_WRONLY | os.O_CREATE | os.O_EXCL
)

// OS is the file system of the operating system.
type OS struct{}

// OpenFile implements FS.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if flag&os.O_CREATE != 0 {
		flag |= unix.O_NOFOLLOW
	}
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // a nil *os.File must not become a File
	}
	return f, nil
}

// ReadDir implements FS.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Lstat implements FS.
func (OS) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// Mkdir implements FS.
func (OS) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// Rename implements FS.
func (OS) Rename(oldname, newname string) error { return os.Rename(oldname, newname) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// SyncDir implements FS.
func (OS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// Lock implements FS with flock on the directory itself: no lock file is left in the evidence, and the kernel drops the
// lock when the process dies, however it dies.
func (OS) Lock(dir string) (io.Closer, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return dirLock{d}, nil
	}
	_ = d.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("lock %s: %w", dir, ErrLocked)
	}
	return nil, &fs.PathError{Op: "flock", Path: dir, Err: err}
}

// dirLock is a locked directory.
type dirLock struct{ dir *os.File }

// Close gives the lock back by name: closing alone would leave it with any child that was just forked and has not yet
// closed its copy of the descriptor.
func (l dirLock) Close() error {
	err := unix.Flock(int(l.dir.Fd()), unix.LOCK_UN)
	return errors.Join(err, l.dir.Close())
}
