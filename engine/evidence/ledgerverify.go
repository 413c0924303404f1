package evidence

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

// LedgerOptions says what the ledger is compared with.
type LedgerOptions struct {
	// Pin is a checkpoint that someone else kept, SIZE:ROOT; empty: none.
	Pin string
	// Signers judge the kept checkpoints; nil leaves their signatures unchecked.
	Signers *Signers
}

// LedgerRun is one run as the ledger knows it.
type LedgerRun struct {
	Run     engine.RunID
	Mode    engine.Mode
	Runbook string
	Opened  string
	// State is open, sealed, abandoned or pruned.
	State   string
	Verdict engine.Verdict
	// Abandoned says who gave up an unfinished run, and why (`BY: REASON`): it was sealed as incomplete then.
	Abandoned string
	// Problem says what is wrong with it, such as that its directory is gone.
	Problem string
}

// LedgerResult is what VerifyLedger found.
type LedgerResult struct {
	Checkpoint Checkpoint
	Runs       []LedgerRun
	Problems   []string
	// Notes are oddities that are no fault: a directory of a run that was never opened, which a crash leaves.
	Notes []string
	// Anchored: the pin was given and held. Without one, whoever holds the executor key could have written all of this anew.
	Anchored bool
}

// VerifyLedger checks the ledger of a state directory: its chain, its kept checkpoints, and the runs that lie there
// against those that it lists.
func VerifyLedger(stateDir string, opts LedgerOptions) (*LedgerResult, error) {
	rec, err := ReadLedger(filepath.Join(stateDir, LedgerFile))
	if err != nil {
		return nil, err
	}
	res := &LedgerResult{}
	if res.Checkpoint, err = rec.Checkpoint(int64(len(rec.lines))); err != nil {
		return nil, err
	}
	if opts.Pin != "" {
		err := rec.CheckPin(opts.Pin)
		if err != nil {
			res.Problems = append(res.Problems, err.Error())
		}
		res.Anchored = err == nil
	}
	if err := res.checkCheckpoints(rec, stateDir, opts.Signers); err != nil {
		return nil, err
	}
	res.Runs = rec.runs()
	byRun := map[engine.RunID][]LedgerEntry{}
	for _, e := range rec.Entries {
		byRun[e.Run] = append(byRun[e.Run], e)
	}
	for i := range res.Runs {
		r := &res.Runs[i]
		if r.Problem = checkLedgerRun(byRun[r.Run], stateDir, r); r.Problem != "" {
			res.Problems = append(res.Problems, fmt.Sprintf("run %s: %s", r.Run, r.Problem))
		}
	}
	there, err := Runs(stateDir)
	if err != nil {
		return nil, err
	}
	for _, id := range there {
		switch {
		case len(byRun[id]) > 0:
		case neverOpened(RunDir(stateDir, id)):
			res.Notes = append(res.Notes, fmt.Sprintf("run %s: was never opened; its directory holds no event", id))
		default:
			res.Problems = append(res.Problems, fmt.Sprintf("run %s: lies in the state directory, but the ledger does not know it", id))
		}
	}
	return res, nil
}

// checkCheckpoints compares the ledger with the checkpoints that were kept beside it.
func (res *LedgerResult) checkCheckpoints(rec *LedgerRecord, stateDir string, signers *Signers) error {
	all, err := checkpoints(stateDir)
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	for _, text := range all {
		var c Checkpoint
		if signers != nil {
			if c, err = ParseCheckpoint(text, signers); err != nil {
				res.Problems = append(res.Problems, err.Error())
				continue
			}
		} else if lines := bytes.Split(text, []byte("\n")); len(lines) > 3 {
			c = Checkpoint{Root: string(lines[2])}
			if _, err := fmt.Sscanf(string(lines[1]), "%d", &c.Size); err != nil {
				res.Problems = append(res.Problems, "a kept checkpoint is malformed")
				continue
			}
		}
		if err := rec.CheckPin(c.Pin()); err != nil {
			res.Problems = append(res.Problems, fmt.Sprintf("checkpoint of %d lines: %v", c.Size, err))
		}
	}
	return nil
}

// runs lists the runs in the order in which they were opened.
func (r *LedgerRecord) runs() []LedgerRun {
	var out []LedgerRun
	index := map[engine.RunID]int{}
	for _, e := range r.Entries {
		if e.Type == LedgerRunOpened {
			index[e.Run] = len(out)
			out = append(out, LedgerRun{Run: e.Run, Mode: e.Mode, Runbook: e.Runbook, Opened: e.T, State: "open"})
			continue
		}
		i, known := index[e.Run]
		if !known {
			continue
		}
		switch e.Type {
		case LedgerRunSealed:
			out[i].State, out[i].Verdict = "sealed", e.Verdict
		case LedgerAbandoned:
			if out[i].State == "open" {
				out[i].State = "abandoned"
			}
			out[i].Abandoned = e.By + ": " + e.Reason
		case LedgerPruned:
			out[i].State = "pruned"
		}
	}
	return out
}

// checkLedgerRun compares a run's directory with the ledger and says what is wrong.
func checkLedgerRun(entries []LedgerEntry, stateDir string, r *LedgerRun) string {
	dir := RunDir(stateDir, r.Run)
	if r.State == "pruned" {
		return checkPruned(entries, stateDir, r.Run)
	}
	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "missing: the ledger knows it, and its record is gone"
	case err != nil:
		return err.Error()
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	sums, sumsErr := os.ReadFile(filepath.Join(dir, SumsFile))
	for _, e := range entries {
		switch e.Type {
		case LedgerRunHead:
			if uint64(len(lines)) < e.Events || e.Events == 0 || sum(lines[e.Events-1]) != e.Head {
				return fmt.Sprintf("its journal does not hold the %d lines that the ledger saw at %s: its end was cut off or changed", e.Events, e.T)
			}
		case LedgerRunSealed:
			if sumsErr != nil {
				return "the ledger knows its seal, and its record has none"
			}
			if sum(sums) != e.SumsSHA256 {
				return "its seal is not the one that the ledger knows"
			}
		case LedgerReview, LedgerTimestamp:
			data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(e.File)))
			if err != nil || sum(data) != e.SHA256 {
				return fmt.Sprintf("%s, which %s added at %s, is gone or was changed", e.File, orElse(e.By, "somebody"), e.T)
			}
		case LedgerRunOpened:
			if problem := checkGenesis(lines[0], e); problem != "" {
				return problem
			}
		}
	}
	return ""
}

// checkPruned compares what is kept of a pruned run with the ledger.
func checkPruned(entries []LedgerEntry, stateDir string, run engine.RunID) string {
	sums, err := os.ReadFile(filepath.Join(stateDir, prunedDir, string(run), SumsFile))
	if err != nil {
		return "it was pruned, and the digests that should have been kept are gone"
	}
	for _, e := range entries {
		if e.Type == LedgerPruned && e.SumsSHA256 != sum(sums) {
			return "it was pruned, and the digests that were kept are not those of its seal"
		}
	}
	return ""
}

// checkGenesis compares a journal's first line with the ledger's opening of the run.
func checkGenesis(line []byte, e LedgerEntry) string {
	r := journal.NewReader(bytes.NewReader(line))
	ev, err := r.Next()
	if err != nil {
		return err.Error()
	}
	o, ok := ev.Payload.(*engine.RunOpened)
	if !ok {
		return "its journal does not begin with run.opened"
	}
	if g := journal.Genesis(o.Run, o.Nonce); hex.EncodeToString(g[:]) != e.Genesis {
		return "its journal is not the one that the ledger saw opened"
	}
	return ""
}

// neverOpened reports whether a run's directory holds no whole event: nothing has happened.
func neverOpened(dir string) bool {
	f, err := os.Open(filepath.Join(dir, journal.FileName))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	p, err := journal.ReadPrefix(f)
	return len(p.Events) == 0 && (err == nil || errors.Is(err, journal.ErrEmpty))
}
