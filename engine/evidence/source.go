package evidence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// source is a bundle to read: a directory or a tar.
type source interface {
	// files lists what is there, by name.
	files() []sourceFile
	has(name string) bool
	open(name string) (io.ReadCloser, error)
	// oddities are things that no bundle holds: symlinks, devices, empty directories, names that are not allowed.
	oddities() []string
	io.Closer
}

// sourceFile is one file of a source.
type sourceFile struct {
	name string
	size int64
}

// openSource opens a bundle: a directory, or a file that is taken for a tar.
func openSource(path string) (source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openDir(path)
	}
	return openTar(path)
}

// dirSource reads below one directory and never outside: os.Root refuses links that leave.
type dirSource struct {
	root  *os.Root
	found []sourceFile
	names map[string]bool
	odd   []string
}

func openDir(path string) (*dirSource, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	d := &dirSource{root: root, names: map[string]bool{}}
	children := map[string]int{}
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			children[name[:i]]++
		}
		return d.add(name, e)
	})
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	d.odd = append(d.odd, emptyDirs(root, children)...)
	return d, nil
}

func (d *dirSource) add(name string, e fs.DirEntry) error {
	if name == "." || e.IsDir() {
		return nil
	}
	if err := checkName(name); err != nil {
		d.odd = append(d.odd, err.Error())
		return nil
	}
	if !e.Type().IsRegular() {
		d.odd = append(d.odd, fmt.Sprintf("%s: not a regular file (%s)", name, e.Type()))
		return nil
	}
	info, err := e.Info()
	if err != nil {
		return err
	}
	d.found = append(d.found, sourceFile{name: name, size: info.Size()})
	d.names[name] = true
	return nil
}

// emptyDirs lists directories that hold nothing.
func emptyDirs(root *os.Root, children map[string]int) []string {
	var out []string
	_ = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error { // walked before without error
		if err == nil && e.IsDir() && name != "." && children[name] == 0 {
			out = append(out, name+": an empty directory")
		}
		return nil
	})
	return out
}

func (d *dirSource) files() []sourceFile { return d.found }

func (d *dirSource) has(name string) bool { return d.names[name] }

func (d *dirSource) oddities() []string { return d.odd }

func (d *dirSource) open(name string) (io.ReadCloser, error) { return d.root.Open(name) }

// Close implements io.Closer.
func (d *dirSource) Close() error { return d.root.Close() }

// readWhole reads a file of at most limit bytes.
func readWhole(s source, name string, limit int64) ([]byte, error) {
	f, err := s.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: longer than %d bytes", name, limit)
	}
	return data, err
}
