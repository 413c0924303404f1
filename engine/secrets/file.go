package secrets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// fromFile reads a file that nobody else may read, without its last newline.
func (r *Resolver) fromFile(path string) (string, error) {
	data, err := readPrivate(r.path(path))
	if err != nil {
		return "", err
	}
	return withoutNewline(string(data)), nil
}

// path resolves a path of the project.
func (r *Resolver) path(p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		return filepath.Join(r.opts.Home, rest)
	}
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.opts.Dir, p)
}

// readPrivate reads a regular file of mode 0600 or stricter that belongs to the user. What is checked is what is read:
// the open file, not the name.
func readPrivate(name string) ([]byte, error) {
	f, info, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: %w; chmod 600 it", name, perm, ErrPermissions)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Getuid() {
		return nil, fmt.Errorf("%s belongs to user %d, not to you: %w", name, st.Uid, ErrPermissions)
	}
	return readBounded(f)
}

// openRegular opens without waiting for the other end of a pipe, and refuses what is no regular file.
func openRegular(name string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

func readBounded(in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, ErrTooLarge
	}
	return data, nil
}

// withoutNewline takes the one newline off that editors and commands put at the end.
func withoutNewline(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
}
