// Package faultfs makes file systems fail for tests: it counts every operation that changes something, and asks before
// each of them what shall happen.
package faultfs

import (
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// Op is one operation that changes the file system.
type Op struct {
	N    int    // counted from 1
	Name string // open, write, sync, mkdir, rename, remove, syncdir
	Path string
}

// Action is what happens at an operation. The zero value lets it pass.
type Action struct {
	// Err is returned instead of doing it. A write does its first half before, when Short is set.
	Err   error
	Short bool
	// Before and After are called around the operation; Torn after the first half of a write, and after any other
	// operation. A test kills its process there.
	Before, After, Torn func()
}

// FS asks Decide before every operation that changes something. It is as safe for concurrent use as Decide is.
type FS struct {
	fsx.FS
	// Decide says what happens; nil lets everything pass.
	Decide func(Op) Action

	count atomic.Int64
}

// Count is how many operations there were.
func (f *FS) Count() int { return int(f.count.Load()) }

// do runs one operation that has no half.
func (f *FS) do(name, path string, run func() error) error {
	a := f.action(name, path)
	if a.Err != nil {
		return &fs.PathError{Op: name, Path: path, Err: a.Err}
	}
	call(a.Before)
	err := run()
	call(a.Torn)
	call(a.After)
	return err
}

func (f *FS) action(name, path string) Action {
	n := int(f.count.Add(1))
	if f.Decide == nil {
		return Action{}
	}
	return f.Decide(Op{N: n, Name: name, Path: path})
}

func call(hook func()) {
	if hook != nil {
		hook()
	}
}

// OpenFile implements fsx.FS. Opening counts when it can create a file.
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (fsx.File, error) {
	var file fsx.File
	open := func() (err error) {
		file, err = f.FS.OpenFile(name, flag, perm)
		return err
	}
	var err error
	if flag&os.O_CREATE != 0 {
		err = f.do("open", name, open)
	} else {
		err = open()
	}
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fs: f, path: name}, nil
}

// Mkdir implements fsx.FS.
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func() error { return f.FS.Mkdir(name, perm) })
}

// Rename implements fsx.FS.
func (f *FS) Rename(oldname, newname string) error {
	return f.do("rename", newname, func() error { return f.FS.Rename(oldname, newname) })
}

// Remove implements fsx.FS.
func (f *FS) Remove(name string) error {
	return f.do("remove", name, func() error { return f.FS.Remove(name) })
}

// SyncDir implements fsx.FS.
func (f *FS) SyncDir(name string) error {
	return f.do("syncdir", name, func() error { return f.FS.SyncDir(name) })
}

type faultFile struct {
	fsx.File
	fs   *FS
	path string
}

// Write implements io.Writer.
func (f *faultFile) Write(p []byte) (int, error) {
	return f.write(p, f.File.Write)
}

// WriteAt implements io.WriterAt.
func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	done := int64(0)
	return f.write(p, func(part []byte) (int, error) {
		n, err := f.File.WriteAt(part, off+done)
		done += int64(n)
		return n, err
	})
}

// write does a write in two halves where the action asks for it.
func (f *faultFile) write(p []byte, run func([]byte) (int, error)) (int, error) {
	a := f.fs.action("write", f.path)
	half := len(p) / 2
	if a.Err != nil {
		n := 0
		if a.Short {
			n, _ = run(p[:half])
		}
		return n, &fs.PathError{Op: "write", Path: f.path, Err: a.Err}
	}
	call(a.Before)
	if a.Torn != nil {
		n, err := run(p[:half])
		call(a.Torn)
		if err != nil {
			return n, err
		}
		m, err := run(p[half:])
		return n + m, err
	}
	n, err := run(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	call(a.After)
	return n, err
}

// Sync implements fsx.File.
func (f *faultFile) Sync() error { return f.fs.do("sync", f.path, f.File.Sync) }
