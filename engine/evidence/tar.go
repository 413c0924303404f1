package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

const tarBlock = 512

// ErrTar is in the error of a tar that is not strictly a bundle.
var ErrTar = errors.New("tar is not a bundle")

// tarSource reads a tar in place. Its reader knows plain files and directories of the ustar format and nothing else:
// whatever an unpacker could understand in another way (links, devices, sparse files, extended headers, the same name
// twice, names that leave the directory) is refused.
type tarSource struct {
	file  *os.File
	found []sourceFile
	at    map[string]int64
	sizes map[string]int64
}

func openTar(path string) (*tarSource, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &tarSource{file: f, at: map[string]int64{}, sizes: map[string]int64{}}
	if err := t.index(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return t, nil
}

// index walks the headers.
func (t *tarSource) index() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("not a regular file: %w", ErrTar)
	}
	top := ""
	block := make([]byte, tarBlock)
	for pos := int64(0); ; {
		if _, err := t.file.ReadAt(block, pos); err != nil {
			return fmt.Errorf("header at %d: cut off: %w", pos, ErrTar)
		}
		if isZero(block) {
			return t.checkEnd(pos, info.Size())
		}
		h, err := parseTarHeader(block)
		if err != nil {
			return fmt.Errorf("header at %d: %w", pos, err)
		}
		first, name, _ := strings.Cut(strings.TrimSuffix(h.name, "/"), "/")
		if top == "" {
			top = first
		}
		if first != top {
			return fmt.Errorf("%q and %q: a bundle has one top directory: %w", top, first, ErrTar)
		}
		pos += tarBlock
		if h.dir {
			continue
		}
		if err := t.addFile(name, h.size, pos, info.Size()); err != nil {
			return err
		}
		pos += (h.size + tarBlock - 1) / tarBlock * tarBlock
	}
}

func (t *tarSource) addFile(name string, size, pos, end int64) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("%w: %w", err, ErrTar)
	}
	if _, twice := t.at[name]; twice {
		return fmt.Errorf("%s is there twice: %w", name, ErrTar)
	}
	if size > end-pos {
		return fmt.Errorf("%s: cut off: %w", name, ErrTar)
	}
	t.at[name], t.sizes[name] = pos, size
	t.found = append(t.found, sourceFile{name: name, size: size})
	return nil
}

// checkEnd wants two blocks of zeros and then nothing but zeros.
func (t *tarSource) checkEnd(pos, size int64) error {
	if size-pos < 2*tarBlock || size-pos > 1<<20 {
		return fmt.Errorf("end at %d: want two blocks of zeros: %w", pos, ErrTar)
	}
	rest := make([]byte, size-pos)
	if _, err := t.file.ReadAt(rest, pos); err != nil {
		return err
	}
	if !isZero(rest) {
		return fmt.Errorf("something follows the end at %d: %w", pos, ErrTar)
	}
	return nil
}

func (t *tarSource) files() []sourceFile { return t.found }

func (t *tarSource) oddities() []string { return nil }

func (t *tarSource) has(name string) bool {
	_, ok := t.at[name]
	return ok
}

func (t *tarSource) open(name string) (io.ReadCloser, error) {
	if !t.has(name) {
		return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
	}
	return io.NopCloser(io.NewSectionReader(t.file, t.at[name], t.sizes[name])), nil
}

// Close implements io.Closer.
func (t *tarSource) Close() error { return t.file.Close() }

func isZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

type tarHeader struct {
	name string
	size int64
	dir  bool
}

// parseTarHeader reads one header of POSIX ustar or of GNU tar without its extensions.
func parseTarHeader(b []byte) (tarHeader, error) {
	want, ok := octal(b[148:156])
	got := int64(8 * ' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			got += int64(c)
		}
	}
	if !ok || got != want {
		return tarHeader{}, fmt.Errorf("checksum does not match: %w", ErrTar)
	}
	magic := string(b[257:265])
	if magic != "ustar\x0000" && magic != "ustar  \x00" {
		return tarHeader{}, fmt.Errorf("not the ustar format: %w", ErrTar)
	}
	h := tarHeader{name: cString(b[:100])}
	if prefix := cString(b[345:500]); magic == "ustar\x0000" && prefix != "" {
		h.name = prefix + "/" + h.name
	}
	size, ok := octal(b[124:136])
	if !ok {
		return tarHeader{}, fmt.Errorf("%q: malformed size: %w", h.name, ErrTar)
	}
	switch b[156] {
	case '0', 0:
		h.size = size
		if strings.HasSuffix(h.name, "/") {
			return tarHeader{}, fmt.Errorf("%q: a file that is called a directory: %w", h.name, ErrTar)
		}
	case '5':
		h.dir = true
	default:
		return tarHeader{}, fmt.Errorf("%q: neither file nor directory (type %q); unpack it, or pack it with continuo export: %w",
			h.name, string(b[156]), ErrTar)
	}
	if err := checkName(strings.TrimSuffix(h.name, "/")); err != nil {
		return tarHeader{}, fmt.Errorf("%w: %w", err, ErrTar)
	}
	return h, nil
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// octal reads a number field: octal digits, ended by NUL or blank.
func octal(b []byte) (int64, bool) {
	text := strings.Trim(string(b), " \x00")
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 8, 64)
	return n, err == nil && n >= 0
}
