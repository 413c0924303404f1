package evidence

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// prunedDir holds what is kept of pruned runs.
const prunedDir = "pruned"

// Prune removes a sealed run at the end of its retention. Its digests stay: SHA256SUMS, the signature and seal.txt move to
// <state>/pruned/<run>/, and the ledger says who pruned it and why, before anything is removed. A copy of the bundle
// kept elsewhere can be verified against them. Done again after a crash, it finishes.
func Prune(stateDir string, run engine.RunID, l *Ledger, by, reason string) error {
	if err := prune(stateDir, run, l, by, reason); err != nil {
		return fmt.Errorf("prune run %s: %w", run, err)
	}
	return nil
}

// ErrNoReason is returned for a prune without a reason.
var ErrNoReason = errors.New("say why")

func prune(stateDir string, run engine.RunID, l *Ledger, by, reason string) error {
	if reason == "" {
		return ErrNoReason
	}
	if err := checkName(string(run)); err != nil {
		return err
	}
	dir := RunDir(stateDir, run)
	lock, err := l.fs.Lock(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	done, err := l.pruned(run)
	if err != nil {
		return err
	}
	if !done {
		if err := keepDigests(l.fs, stateDir, dir, run); err != nil {
			return err
		}
		sums, err := fsx.ReadFile(l.fs, filepath.Join(dir, SumsFile), maxFile)
		if err != nil {
			return err
		}
		if _, err := l.Append(LedgerEntry{Type: LedgerPruned, Run: run, By: by, Reason: reason, SumsSHA256: sum(sums)}); err != nil {
			return err
		}
	}
	if err := fsx.RemoveAll(l.fs, dir); err != nil {
		return err
	}
	return l.fs.SyncDir(filepath.Dir(dir))
}

// pruned reports whether the ledger says that a run was.
func (l *Ledger) pruned(run engine.RunID) (bool, error) {
	rec, _, err := l.load()
	if err != nil {
		return false, err
	}
	for _, e := range rec.Entries {
		if e.Type == LedgerPruned && e.Run == run {
			return true, nil
		}
	}
	return false, nil
}

// keepDigests copies what stays.
func keepDigests(fsys fsx.FS, stateDir, dir string, run engine.RunID) error {
	if !fsx.Exists(fsys, filepath.Join(dir, SumsFile)) {
		return ErrNotSealed
	}
	to := filepath.Join(stateDir, prunedDir, string(run))
	if err := fsx.MkdirAll(fsys, to, 0o700); err != nil {
		return err
	}
	for _, name := range []string{SumsFile, SignatureFile, SealFile} {
		if name == SignatureFile && !fsx.Exists(fsys, filepath.Join(dir, name)) {
			continue
		}
		data, err := fsx.ReadFile(fsys, filepath.Join(dir, name), maxFile)
		if err != nil {
			return err
		}
		if err := fsx.ReplaceFile(fsys, filepath.Join(to, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
