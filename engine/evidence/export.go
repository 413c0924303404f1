package evidence

import (
	"archive/tar"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Export packs a sealed bundle as a tar that is the same bytes whenever and wherever it is made from the same files:
// ustar, names in byte order below <run>/, no directories, owner 0, mode 0644, time 0. What was added after the seal is
// in it. It refuses what is not sealed and what a bundle may not hold; that the content is unchanged is Verify's work.
func Export(dir string, w io.Writer) error {
	if err := export(dir, w); err != nil {
		return fmt.Errorf("export run %s: %w", filepath.Base(dir), err)
	}
	return nil
}

func export(dir string, w io.Writer) error {
	src, err := openDir(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	if !src.has(SumsFile) {
		return fmt.Errorf("%s is missing: %w", SumsFile, ErrNotSealed)
	}
	if len(src.odd) > 0 {
		return fmt.Errorf("%s", src.odd[0])
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	top := filepath.Base(abs)
	if err := checkName(top); err != nil {
		return err
	}
	files := slices.SortedFunc(slices.Values(src.files()), func(a, b sourceFile) int { return strings.Compare(a.name, b.name) })
	out := tar.NewWriter(w)
	for _, f := range files {
		if err := exportFile(out, src, top, f); err != nil {
			return err
		}
	}
	return out.Close()
}

func exportFile(out *tar.Writer, src source, top string, f sourceFile) error {
	in, err := src.open(f.name)
	if err != nil {
		return err
	}
	defer in.Close()
	err = out.WriteHeader(&tar.Header{
		Format: tar.FormatUSTAR, Typeflag: tar.TypeReg, Name: top + "/" + f.name, Size: f.size, Mode: 0o644,
		ModTime: time.Unix(0, 0).UTC(),
	})
	if err != nil {
		return err
	}
	n, err := io.Copy(out, in)
	if err == nil && n != f.size {
		err = fmt.Errorf("%s changed while it was packed", f.name)
	}
	return err
}
