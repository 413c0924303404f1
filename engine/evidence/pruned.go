package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// FindPruned resolves a reference to a pruned run: an id, or a prefix that only one pruned run has.
func FindPruned(stateDir, ref string) (engine.RunID, error) {
	entries, err := os.ReadDir(filepath.Join(stateDir, prunedDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("list pruned runs: %w", err)
	}
	var found []engine.RunID
	for _, e := range entries {
		switch name := e.Name(); {
		case name == ref:
			return engine.RunID(name), nil
		case ref != "" && strings.HasPrefix(name, ref):
			found = append(found, engine.RunID(name))
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%q: %w", ref, ErrNoRun)
	}
	return "", fmt.Errorf("%q: %w: %s and %s", ref, ErrAmbiguous, found[0], found[1])
}

// VerifyPruned checks what is kept of a pruned run: the list of its files, who signed that, the seal, and what the ledger
// says of all three. The record itself is gone; a copy of it kept elsewhere can still be verified, and against the same
// ledger.
func VerifyPruned(stateDir string, run engine.RunID, opts VerifyOptions) (*Result, error) {
	dir := filepath.Join(stateDir, prunedDir, string(run))
	src, err := openDir(dir)
	if err != nil {
		return nil, fmt.Errorf("verify pruned run %s: %w", run, err)
	}
	defer src.Close()
	v := newVerification(src, opts)
	v.res.Path, v.res.Run, v.res.Pruned = dir, run, true
	v.keptSums()
	v.authenticity()
	v.keptLedger()
	v.res.Meaning.note("the record is not here to be compared; seal.txt says: verdict %s", orElse(string(v.res.Verdict), "unknown"))
	return v.res, nil
}

// keptSums checks that list and seal belong together and to this run.
func (v *verification) keptSums() {
	f := &v.res.Integrity
	if !v.readSums(f) && v.sums == nil {
		return
	}
	seal, err := readWhole(v.src, SealFile, 64<<10)
	if err != nil {
		f.fail("%v", err)
		return
	}
	if !slices.Contains(v.entries, Entry{Name: SealFile, SHA256: sum(seal)}) {
		f.fail("%s is not the one that %s lists", SealFile, SumsFile)
	}
	if got := sealValue(seal, "run"); got != string(v.res.Run) {
		f.fail("%s is of run %q", SealFile, got)
	}
	v.res.Mode, v.res.Verdict = engine.Mode(sealValue(seal, "mode")), engine.Verdict(sealValue(seal, "verdict"))
	if v.sealedAt, err = time.Parse(time.RFC3339Nano, sealValue(seal, "closed")); err != nil {
		f.fail("%s has no time of closing", SealFile)
	}
	for _, file := range v.src.files() {
		if !slices.Contains([]string{SumsFile, SignatureFile, SealFile}, file.name) {
			f.fail("%s does not belong to what is kept of a pruned run", file.name)
		}
	}
}

// keptLedger checks that the ledger says the same, and who pruned the run and why.
func (v *verification) keptLedger() {
	f := &v.res.Completeness
	if v.opts.Ledger == nil {
		f.unchecked("no ledger was given: who pruned the run is not known")
		return
	}
	sealed := false
	var pruned *LedgerEntry
	for i, e := range v.opts.Ledger.Entries {
		if e.Run != v.res.Run || e.SumsSHA256 != v.res.SumsSHA256 {
			continue
		}
		switch e.Type {
		case LedgerRunSealed:
			sealed = true
		case LedgerPruned:
			pruned = &v.opts.Ledger.Entries[i]
		}
	}
	if !sealed {
		f.fail("the ledger does not hold this seal of run %s", v.res.Run)
	}
	if pruned == nil {
		f.fail("the ledger does not say that run %s was pruned", v.res.Run)
		return
	}
	f.note("pruned by %s at %s: %s", orElse(pruned.By, "unknown"), pruned.T, pruned.Reason)
}
