package evidence

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// How often a running run's head goes into the ledger.
const (
	headEvents = 100
	headEvery  = 30 * time.Second
)

// Ledgered is a run's journal whose opening and heads are also in the ledger, so that neither the run nor the end of its
// journal can vanish unseen. It implements engine.Journal.
//
// run.opened fails when the ledger cannot be written: nothing has happened yet. After that a failure is told to report
// and never stops a recovery.
type Ledgered struct {
	run    *Run
	ledger *Ledger
	report func(error)

	mu     sync.Mutex
	id     engine.RunID
	events uint64
	at     time.Time
}

// Ledgered wraps the run's journal. report may be nil.
func (r *Run) Ledgered(l *Ledger, report func(error)) *Ledgered {
	return &Ledgered{run: r, ledger: l, report: report, id: engine.RunID(filepath.Base(r.Dir)), at: l.now()}
}

// Append implements engine.Journal.
func (l *Ledgered) Append(ctx context.Context, p engine.Payload) (engine.Event, error) {
	ev, err := l.run.Journal.Append(ctx, p)
	if err != nil {
		return ev, err
	}
	if o, ok := p.(*engine.RunOpened); ok {
		return ev, l.ledger.recordOpened(o, ev.Mode)
	}
	if err := l.head(ev.Seq); err != nil && l.report != nil {
		l.report(err)
	}
	return ev, nil
}

// recordOpened puts the opening of a run into the ledger.
func (l *Ledger) recordOpened(o *engine.RunOpened, mode engine.Mode) error {
	genesis := journal.Genesis(o.Run, o.Nonce)
	_, err := l.Append(LedgerEntry{
		Type: LedgerRunOpened, Run: o.Run, Mode: mode, Project: o.Project, Runbook: o.Runbook, By: o.Operator,
		PlanDigest: o.PlanDigest, Genesis: hex.EncodeToString(genesis[:]),
	})
	return err
}

// EnsureOpened puts a run's opening into the ledger where a crash kept it out: before a run is resumed or sealed.
func (l *Ledger) EnsureOpened(loaded *Loaded) error {
	rec, _, err := l.load()
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	o := loaded.Record.Opened
	for _, e := range rec.Entries {
		if e.Type == LedgerRunOpened && e.Run == o.Run {
			return nil
		}
	}
	return l.recordOpened(&o, loaded.Record.Mode)
}

// head writes run.head when it is time; only what is on disk for certain counts. While one event's caller is at it, the others
// do not wait for the ledger's disk: the next event looks again.
func (l *Ledgered) head(seq uint64) error {
	if !l.mu.TryLock() {
		return nil
	}
	defer l.mu.Unlock()
	now := l.ledger.now()
	if seq < l.events+headEvents && now.Sub(l.at) < headEvery {
		return nil
	}
	lines, head := l.run.Journal.Synced()
	if lines == 0 || lines == l.events {
		return nil
	}
	l.events, l.at = lines, now
	_, err := l.ledger.Append(LedgerEntry{Type: LedgerRunHead, Run: l.id, Events: lines, Head: hex.EncodeToString(head[:])})
	return err
}

// has reports whether the ledger has an entry of this type, about this run, seal and key.
func (r *LedgerRecord) has(want LedgerEntry) bool {
	return slices.ContainsFunc(r.Entries, func(e LedgerEntry) bool {
		return e.Type == want.Type && e.Run == want.Run && e.SumsSHA256 == want.SumsSHA256 && e.Key == want.Key
	})
}

// RecordAbandoned puts into the ledger that a run was given up, by whom and why, before its record is closed.
func (l *Ledger) RecordAbandoned(loaded *Loaded, by, reason string) error {
	if err := l.EnsureOpened(loaded); err != nil {
		return err
	}
	_, err := l.Append(LedgerEntry{Type: LedgerAbandoned, Run: loaded.Record.Opened.Run, By: by, Reason: reason})
	return err
}

// RecordPiece puts a signed piece that was added to a sealed run into the ledger, with its digest, so that it cannot
// vanish unseen.
func (l *Ledger) RecordPiece(dir string, a Addendum) error {
	text, err := fsx.ReadFile(fsx.OS{}, filepath.Join(dir, filepath.FromSlash(a.File)), maxAddendum)
	if err != nil {
		return err
	}
	_, err = l.Append(LedgerEntry{
		Type: LedgerReview, Run: a.Run, By: a.Principal, Role: a.Role, Key: a.Key, SumsSHA256: a.SumsSHA256, File: a.File, SHA256: sum(text),
	})
	return err
}

// RecordTimestamp puts a time stamp into the ledger.
func (l *Ledger) RecordTimestamp(s *Sealed, t Timestamp) error {
	_, err := l.Append(LedgerEntry{Type: LedgerTimestamp, Run: s.Run, SumsSHA256: s.SumsSHA256, File: t.File, SHA256: t.SHA256})
	return err
}

// RecordSeal puts a seal into the ledger, once, after the key that signed it, and signs a checkpoint. Without a signer
// there is no checkpoint.
func (l *Ledger) RecordSeal(s *Sealed, signer *Signer) (*Checkpoint, error) {
	loaded := s.loaded
	if loaded == nil {
		var err error
		if loaded, err = load(l.fs, s.Dir); err != nil {
			return nil, err
		}
	}
	if err := l.EnsureOpened(loaded); err != nil {
		return nil, err
	}
	rec, _, err := l.load()
	if err != nil {
		return nil, err
	}
	if signer != nil && !rec.has(LedgerEntry{Type: LedgerKeyAdded, Key: signer.Fingerprint()}) {
		if _, err := l.Append(LedgerEntry{Type: LedgerKeyAdded, Key: signer.Fingerprint()}); err != nil {
			return nil, err
		}
	}
	if !rec.has(LedgerEntry{Type: LedgerRunSealed, Run: s.Run, SumsSHA256: s.SumsSHA256}) {
		if _, err := l.Append(LedgerEntry{Type: LedgerRunSealed, Run: s.Run, Verdict: s.Verdict, SumsSHA256: s.SumsSHA256}); err != nil {
			return nil, err
		}
	}
	if signer == nil {
		return nil, nil //nolint:nilnil // no signer, no checkpoint, no fault
	}
	c, err := l.Checkpoint(signer)
	if err != nil {
		return nil, err
	}
	return &c, nil
}
