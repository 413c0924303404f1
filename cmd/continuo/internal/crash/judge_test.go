package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// ack is an event that the journal acknowledged as durable.
type ack struct {
	seq uint64
	typ string
}

// acks collects what was acknowledged, beyond the reach of faults. Safe for concurrent use.
type acks struct {
	mu  sync.Mutex
	all []ack
}

func (a *acks) take(seq uint64, typ string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, ack{seq, typ})
}

func (a *acks) list() []ack {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.all)
}

// figures are what the harness prints. Safe for concurrent use.
type figures struct {
	mu sync.Mutex
	// cases were tried. Of these unknown had an outcome that nobody knew, and refused could not be taken up: their journal
	// was damaged in its middle, by lines that were never synced, and that is said.
	cases, unknown, refused int
	// What must not be: acknowledged records lost, steps started twice, resumes over an unknown without a word, lines that
	// are not what the first controller wrote and that were taken for it, records that do not verify afterwards.
	lost, twice, silent, undetected, broken int
}

func (f *figures) String() string {
	return fmt.Sprintf("%d: %d acknowledged records lost, %d steps started twice, %d silent resumes over an unknown, %d undetected damages, "+
		"%d records that do not verify (%d held for a person, %d refused)",
		f.cases, f.lost, f.twice, f.silent, f.undetected, f.broken, f.unknown, f.refused)
}

// report prints the figures and requires them to be right. notes say what else was seen.
func (f *figures) report(t *testing.T, what string, notes ...string) {
	t.Helper()
	t.Logf("%-26s %s", what, strings.Join(append([]string{f.String()}, notes...), "; "))
	require.Zero(t, f.lost+f.twice+f.silent+f.undetected+f.broken)
	require.Positive(t, f.cases)
}

// scene is one case: what was left, who can take it up, and what the hosts say.
type scene struct {
	life  life
	acks  *acks
	ran   func() []string // what the hosts say ran, one word an effect
	alive func()          // called before each further life
	// written is the journal as the first controller wrote it, where what is left may differ; nil: it is what is left.
	written []byte
}

// recovers has further controllers take up what a crash left. The first goes on without a person: where it is held, nothing
// may have gone on over what is not known, and a second gets a person's word. A last one finds nothing to do.
func (f *figures) recovers(t *testing.T, s *scene) {
	t.Helper()
	f.mu.Lock()
	f.cases++
	f.mu.Unlock()
	s.life.fs, s.life.acked = noSync{}, s.acks.take
	s.alive()
	left := s.left(t)
	err := s.life.takeUp(context.Background())
	var damaged *journal.LineError
	if errors.As(err, &damaged) {
		f.turnedAway(t, s, damaged)
		return
	}
	if errors.Is(err, errHeld) {
		f.count(&f.unknown, 1)
		f.held(t, s)
		s.life.settler = settleDone{}
		s.alive()
		err = s.life.takeUp(context.Background())
		require.NoError(t, err, story(t, s.life.state))
	}
	require.NoError(t, err)
	f.judge(t, s)
	f.continued(t, s, left)
	before := snapshot(t, s.life.state)
	s.alive()
	require.NoError(t, s.life.takeUp(context.Background()))
	require.Equal(t, before, snapshot(t, s.life.state), "a further recovery changes nothing")
}

func (f *figures) count(n *int, by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*n += by
}

// left gives the events in what the first controller left; none where it wrote nothing that can be read.
func (s *scene) left(t *testing.T) [][]byte {
	t.Helper()
	ids, err := evidence.Runs(s.life.state)
	require.NoError(t, err)
	for _, id := range ids {
		data, err := os.ReadFile(filepath.Join(evidence.RunDir(s.life.state, id), journal.FileName))
		if err != nil {
			continue
		}
		if p, err := journal.ReadPrefix(bytes.NewReader(data)); err == nil && len(p.Events) > 0 {
			if s.written == nil {
				s.written = data
			}
			return bytes.SplitAfter(data, []byte("\n"))[:len(p.Events)]
		}
	}
	return nil
}

// turnedAway checks a journal that nobody takes up, because it is damaged in its middle: what was acknowledged is whole and
// stands before the damage, and nothing ran twice.
func (f *figures) turnedAway(t *testing.T, s *scene, damaged *journal.LineError) {
	t.Helper()
	f.count(&f.refused, 1)
	for _, a := range s.acks.list() {
		if a.seq+1 >= uint64(damaged.Line) { // lines count from 1
			f.count(&f.lost, 1)
			t.Logf("event %d, %s, was acknowledged, and line %d is damaged", a.seq, a.typ, damaged.Line)
		}
	}
	ran := s.ran()
	slices.Sort(ran)
	f.count(&f.twice, len(ran)-len(slices.Compact(slices.Clone(ran))))
}

// continued checks that the lines which were taken up are those that the first controller wrote, and that they are still the
// record's first.
func (f *figures) continued(t *testing.T, s *scene, left [][]byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(opened(t, s.life.state), journal.FileName))
	require.NoError(t, err)
	whole := bytes.Join(left, nil)
	if len(left) > 0 && (!bytes.HasPrefix(s.written, whole) || !bytes.HasPrefix(data, whole)) {
		f.count(&f.undetected, 1)
		t.Logf("%d lines were taken up that are not those that were written", len(left))
	}
}

// held checks a run that waits: the record says so, and nothing started behind what is not known.
func (f *figures) held(t *testing.T, s *scene) {
	t.Helper()
	loaded, err := evidence.Load(opened(t, s.life.state))
	require.NoError(t, err)
	if loaded.Record.Unknown == 0 || loaded.Record.Verdict != engine.Incomplete || loaded.Record.Closed || slices.Contains(s.ran(), "three") {
		f.count(&f.silent, 1)
		t.Logf("held: %d unknown, %s, ran %v", loaded.Record.Unknown, loaded.Record.Verdict, s.ran())
	}
}

// judge compares the word of hosts and witness with the record.
func (f *figures) judge(t *testing.T, s *scene) {
	t.Helper()
	dir := opened(t, s.life.state)
	loaded, err := evidence.Load(dir)
	require.NoError(t, err)
	ran := map[string]int{}
	for _, what := range s.ran() {
		ran[what]++
		if ran[what] > 1 {
			f.count(&f.twice, 1)
			t.Logf("%s ran %d times", what, ran[what])
		}
	}
	intents := map[string]bool{}
	for _, e := range loaded.Events {
		if p, ok := e.Payload.(*engine.ItemIntent); ok {
			intents[strings.TrimPrefix(string(p.Item), "step.")] = true
		}
	}
	for what := range ran {
		if !intents[what] {
			f.count(&f.lost, 1) // an effect without an intent on disk
			t.Logf("%s ran, and its intent is gone", what)
		}
	}
	for _, a := range s.acks.list() {
		if a.seq >= uint64(len(loaded.Events)) || loaded.Events[a.seq].Payload.EventType() != a.typ {
			f.count(&f.lost, 1)
			t.Logf("event %d, %s, was acknowledged and is gone", a.seq, a.typ)
		}
	}
	silent := loaded.Record.Unknown > 0 && loaded.Record.Verdict != engine.Incomplete
	settled := slices.ContainsFunc(loaded.Events, func(e engine.Event) bool {
		_, ok := e.Payload.(*engine.ItemSettled)
		return ok
	})
	if silent || settled && loaded.Record.Verdict == engine.Passed {
		f.count(&f.silent, 1)
		t.Logf("%d unknown, settled %v: %s", loaded.Record.Unknown, settled, loaded.Record.Verdict)
	}
	f.verifies(t, s, dir)
}

// verifies checks the sealed record and the ledger as an auditor does.
func (f *figures) verifies(t *testing.T, s *scene, dir string) {
	t.Helper()
	signers, err := evidence.ParseSigners([]byte(s.life.signer.AllowedSigner("executor", evidence.EvidenceNamespace) + "\n"))
	require.NoError(t, err)
	res, err := evidence.Verify(dir, evidence.VerifyOptions{Signers: signers, Renderers: renderers()})
	require.NoError(t, err)
	if !res.OK() {
		f.count(&f.broken, 1)
		t.Logf("%s: %v", dir, res.Reasons())
	}
	led, err := evidence.VerifyLedger(s.life.state, evidence.LedgerOptions{Signers: signers})
	if err != nil || len(led.Problems) > 0 {
		f.count(&f.broken, 1)
		t.Logf("%s: ledger: %v %v", dir, err, led)
	}
}

// story is what the journal holds, one line an event, for a test that fails.
func story(t *testing.T, state string) string {
	t.Helper()
	data, err := os.ReadFile(opened(t, state) + "/" + journal.FileName)
	require.NoError(t, err)
	return string(data)
}

// opened is the directory of the run that has events; others were never opened.
func opened(t *testing.T, state string) string {
	t.Helper()
	ids, err := evidence.Runs(state)
	require.NoError(t, err)
	var found []string
	for _, id := range ids {
		if l, err := evidence.Load(evidence.RunDir(state, id)); err == nil && len(l.Events) > 0 {
			found = append(found, evidence.RunDir(state, id))
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

// snapshot is all files below a directory, with their content.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	walk(t, dir, "", out)
	return out
}

func walk(t *testing.T, dir, prefix string, out map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir + "/" + prefix)
	require.NoError(t, err)
	for _, e := range entries {
		name := prefix + "/" + e.Name()
		if e.IsDir() {
			walk(t, dir, name, out)
			continue
		}
		data, err := os.ReadFile(dir + "/" + name)
		require.NoError(t, err)
		out[name] = string(data)
	}
}

// noSync is the real file system without fsyncs, for what needs no power cut.
type noSync struct{ fsx.OS }

// OpenFile implements fsx.FS.
func (s noSync) OpenFile(name string, flag int, perm os.FileMode) (fsx.File, error) {
	f, err := s.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return noSyncFile{f}, nil
}

// SyncDir implements fsx.FS.
func (noSync) SyncDir(string) error { return nil }

type noSyncFile struct{ fsx.File }

// Sync implements fsx.File.
func (noSyncFile) Sync() error { return nil }

// every is the distance between the points that are tried: an ordinary test run takes a sample, `make crash` all.
func every(sample int) int {
	if os.Getenv("CONTINUO_CRASH_ALL") != "" {
		return 1
	}
	return sample
}
