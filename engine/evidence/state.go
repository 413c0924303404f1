package evidence

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// runsDir holds the runs in a state directory.
const runsDir = "runs"

// Latest is the reference to the run that began last.
const Latest = "@latest"

// Why a reference names no run.
var (
	ErrNoRun     = errors.New("no such run")
	ErrAmbiguous = errors.New("more than one run begins with it")
)

// NewRunID names a run by its UTC time to the millisecond and 32 random bits: 20261121t182001123z-7f3a09bc. Two runs that one
// person starts one after the other sort in that order.
func NewRunID(now time.Time, random io.Reader) (engine.RunID, error) {
	b := make([]byte, 4)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("name the run: %w", err)
	}
	return engine.RunID(strings.Replace(now.UTC().Format("20060102t150405.000z"), ".", "", 1) + "-" + hex.EncodeToString(b)), nil
}

// NewNonce gives the 128 random bits, in hex, that make attempts and chain of a run its own.
func NewNonce(random io.Reader) (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("make the run's nonce: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// Runs lists the runs of a state directory, oldest first. A state directory that is not there has none.
func Runs(stateDir string) ([]engine.RunID, error) { return runs(fsx.OS{}, stateDir) }

func runs(fsys fsx.FS, stateDir string) ([]engine.RunID, error) {
	entries, err := fsys.ReadDir(filepath.Join(stateDir, runsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var out []engine.RunID
	for _, e := range entries {
		if e.IsDir() && checkName(e.Name()) == nil && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, engine.RunID(e.Name()))
		}
	}
	slices.Sort(out)
	return out, nil
}

// RunDir is where a run lies.
func RunDir(stateDir string, run engine.RunID) string {
	return filepath.Join(stateDir, runsDir, string(run))
}

// Find resolves a reference: an id, a prefix that only one run has, or @latest.
func Find(stateDir, ref string) (engine.RunID, error) {
	all, err := Runs(stateDir)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%s: %w: there is none in %s", ref, ErrNoRun, stateDir)
	}
	if ref == Latest {
		return all[len(all)-1], nil
	}
	var found []engine.RunID
	for _, id := range all {
		if string(id) == ref {
			return id, nil
		}
		if ref != "" && strings.HasPrefix(string(id), ref) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%q: %w; the latest is %s", ref, ErrNoRun, all[len(all)-1])
	}
	return "", fmt.Errorf("%q: %w: %s and %s", ref, ErrAmbiguous, found[0], found[1])
}

// IsRunDir reports whether a directory looks like a run or a bundle: it holds a journal.
func IsRunDir(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, "journal.jsonl"))
	return err == nil && info.Mode().IsRegular()
}

func sortedFiles(files []runbooks.File) []runbooks.File {
	slices.SortFunc(files, func(a, b runbooks.File) int { return strings.Compare(a.Path, b.Path) })
	return files
}
