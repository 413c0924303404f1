package main

import (
	"io/fs"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/cli"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// mainWithFullDisk is continuo on a disk on which CONTINUO_TEST_DISK more bytes fit.
func mainWithFullDisk() cli.Code {
	env := cli.OSEnv()
	text, _ := env.Lookup("CONTINUO_TEST_DISK")
	room, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	disk := &smallDisk{FS: fsx.OS{}}
	disk.room.Store(room)
	env.FS = disk
	return cli.Main(env)
}

// smallDisk is a file system that fills up.
type smallDisk struct {
	fsx.FS
	room atomic.Int64
}

// OpenFile counts what is written.
func (d *smallDisk) OpenFile(name string, flag int, perm fs.FileMode) (fsx.File, error) {
	f, err := d.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return smallFile{f, d}, nil
}

type smallFile struct {
	fsx.File
	disk *smallDisk
}

func (f smallFile) Write(b []byte) (int, error) {
	return f.fit(b, f.File.Write)
}

func (f smallFile) WriteAt(b []byte, at int64) (int, error) {
	return f.fit(b, func(b []byte) (int, error) { return f.File.WriteAt(b, at) })
}

// fit writes what fits, as a disk does: half a line, then ENOSPC.
func (f smallFile) fit(b []byte, write func([]byte) (int, error)) (int, error) {
	left := f.disk.room.Add(-int64(len(b)))
	if left >= 0 {
		return write(b)
	}
	n, err := write(b[:max(0, int64(len(b))+left)])
	if err != nil {
		return n, err
	}
	return n, syscall.ENOSPC
}
