package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// LedgerFile is the ledger's name in a state directory.
const LedgerFile = "ledger.jsonl"

// The types of ledger entries: a closed set.
const (
	LedgerOpened    = "ledger.opened"
	LedgerRecovered = "ledger.recovered" // a torn last line was cut off
	LedgerRunOpened = "run.opened"
	LedgerRunHead   = "run.head"
	LedgerRunSealed = "run.sealed"
	LedgerAbandoned = "run.abandoned"
	LedgerKeyAdded  = "key.added"
	LedgerReview    = "review.signed"   // any signed piece of after/
	LedgerTimestamp = "timestamp.added" // a time stamp in after/
	LedgerPruned    = "pruned"
)

// LedgerEntry is one line of the ledger, which says which runs there are. Seq, Prev and T are given by Append. A line has
// the head and the chain of a journal's, without mono and mode.
type LedgerEntry struct {
	V    int    `json:"v"`
	Seq  uint64 `json:"seq"`
	Prev string `json:"prev"`
	T    string `json:"t"`
	Type string `json:"type"`

	Origin     string         `json:"origin,omitempty"` // of the ledger: its first line
	Run        engine.RunID   `json:"run,omitempty"`
	Mode       engine.Mode    `json:"mode,omitempty"`
	Project    string         `json:"project,omitempty"`
	Runbook    string         `json:"runbook,omitempty"`
	By         string         `json:"by,omitempty"`
	PlanDigest string         `json:"plan_digest,omitempty"`
	Genesis    string         `json:"genesis,omitempty"`
	Events     uint64         `json:"events,omitempty"`
	Head       string         `json:"head,omitempty"` // of the journal after Events lines
	Verdict    engine.Verdict `json:"verdict,omitempty"`
	SumsSHA256 string         `json:"sums_sha256,omitempty"`
	Key        string         `json:"key,omitempty"` // fingerprint
	Role       string         `json:"role,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	File       string         `json:"file,omitempty"`   // of a piece in after/
	SHA256     string         `json:"sha256,omitempty"` // of that file
	CutBytes   int64          `json:"cut_bytes,omitempty"`
	CutSHA256  string         `json:"cut_sha256,omitempty"`
}

// What can be wrong with a ledger. Test with errors.Is.
var (
	ErrLedger     = errors.New("ledger is broken")
	ErrLedgerBusy = errors.New("ledger is busy")
)

// ledgerWait is how long Append waits for another process that appends.
const ledgerWait = 10 * time.Second

// Ledger appends to the ledger of a state directory. Many processes may, each append for itself; nothing is kept open.
type Ledger struct {
	fs     fsx.FS
	dir    string
	now    func() time.Time
	origin string

	mu sync.Mutex
	// What was read last: an append reads on from there.
	known  *LedgerRecord
	size   int
	digest string // of these bytes
}

// NewLedger returns the ledger of a state directory. origin names it when the first entry makes it: a host name and
// random bits, in one word.
func NewLedger(stateDir, origin string) *Ledger {
	return &Ledger{fs: fsx.OS{}, dir: stateDir, now: time.Now, origin: origin}
}

// On has the ledger use another file system: that on which the runs are recorded. Nil is the real one. It is for the
// beginning, before the first append.
func (l *Ledger) On(fsys fsx.FS) *Ledger {
	l.fs = orOS(fsys)
	return l
}

func (l *Ledger) path() string { return filepath.Join(l.dir, LedgerFile) }

// Append adds an entry, durably. The entry comes back as written.
func (l *Ledger) Append(e LedgerEntry) (LedgerEntry, error) {
	out, err := l.append(e)
	if err != nil {
		return LedgerEntry{}, fmt.Errorf("append %s to the ledger: %w", e.Type, err)
	}
	return out, nil
}

func (l *Ledger) append(e LedgerEntry) (LedgerEntry, error) {
	if err := fsx.MkdirAll(l.fs, l.dir, 0o700); err != nil {
		return LedgerEntry{}, err
	}
	lock, err := l.lock()
	if err != nil {
		return LedgerEntry{}, err
	}
	defer lock.Close()
	rec, torn, err := l.load()
	if err != nil {
		return LedgerEntry{}, err
	}
	var add []LedgerEntry
	if len(rec.Entries) == 0 {
		add = append(add, LedgerEntry{Type: LedgerOpened, Origin: l.origin})
	}
	if len(torn) > 0 {
		add = append(add, LedgerEntry{Type: LedgerRecovered, CutBytes: int64(len(torn)), CutSHA256: sum(torn)})
	}
	var text []byte
	for _, next := range append(add, e) {
		line, err := rec.next(next, l.now())
		if err != nil {
			return LedgerEntry{}, err
		}
		text = append(text, line...)
	}
	if err := l.write(rec, torn, text); err != nil {
		return LedgerEntry{}, err
	}
	return rec.Entries[len(rec.Entries)-1], nil
}

// lock waits for its turn.
func (l *Ledger) lock() (io.Closer, error) {
	for deadline := time.Now().Add(ledgerWait); ; time.Sleep(10 * time.Millisecond) {
		lock, err := l.fs.Lock(l.dir)
		if !errors.Is(err, fsx.ErrLocked) {
			return lock, err
		}
		if time.Now().After(deadline) {
			return nil, ErrLedgerBusy
		}
	}
}

// load reads the ledger, and the torn end that a crash may have left.
func (l *Ledger) load() (*LedgerRecord, []byte, error) {
	data, err := fsx.ReadFile(l.fs, l.path(), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return &LedgerRecord{}, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	whole := wholeLines(data)
	l.mu.Lock()
	defer l.mu.Unlock()
	rec, from := &LedgerRecord{}, 0
	if l.known != nil && l.size <= whole && sum(data[:l.size]) == l.digest {
		rec, from = &LedgerRecord{Entries: slices.Clip(l.known.Entries), lines: slices.Clip(l.known.lines)}, l.size
	}
	if err := rec.parse(data[from:whole]); err != nil {
		return nil, nil, err
	}
	if len(rec.lines) > 0 {
		l.known = &LedgerRecord{Entries: slices.Clip(rec.Entries), lines: slices.Clip(rec.lines)}
		l.size, l.digest = whole, sum(data[:whole])
	}
	return rec, data[whole:], nil
}

// wholeLines is where the torn end of a ledger begins that a crash or a power cut may have left: an append is one line, of
// which the end is missing, or sectors in its middle, which are NUL then.
func wholeLines(data []byte) int {
	whole := bytes.LastIndexByte(data, '\n') + 1
	if whole == 0 {
		return 0
	}
	last := bytes.LastIndexByte(data[:whole-1], '\n') + 1
	if bytes.IndexByte(data[last:whole], 0) >= 0 {
		return last
	}
	return whole
}

// write appends lines to the file. One with a torn end, and a new one, is written whole and put in its place.
func (l *Ledger) write(rec *LedgerRecord, torn, text []byte) error {
	if len(torn) > 0 || len(rec.lines) == bytes.Count(text, []byte("\n")) {
		return fsx.ReplaceFile(l.fs, l.path(), bytes.Join(rec.lines, nil), 0o600)
	}
	f, err := l.fs.OpenFile(l.path(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// LedgerRecord is a ledger that was read: its chain holds.
type LedgerRecord struct {
	Entries []LedgerEntry
	lines   [][]byte // with their LF: the leaves of the tree
}

// ledgerGenesis is the prev of the first line: it binds the chain to the ledger's name.
func ledgerGenesis(origin string) string { return sum([]byte("continuo-ledger-v1\n" + origin + "\n")) }

// next adds an entry and returns its line.
func (r *LedgerRecord) next(e LedgerEntry, now time.Time) ([]byte, error) {
	e.V, e.Seq, e.T = 1, uint64(len(r.lines)), now.UTC().Format("2006-01-02T15:04:05.000000000Z")
	e.Prev = ledgerGenesis(e.Origin)
	if n := len(r.lines); n > 0 {
		e.Prev = sum(r.lines[n-1])
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, err
	}
	if err := r.add(b.Bytes()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ledgerHead begins every line.
var ledgerHead = regexp.MustCompile(`^\{"v":1,"seq":(0|[1-9][0-9]{0,18}),"prev":"`)

// add checks a line against those before it.
func (r *LedgerRecord) add(line []byte) error {
	n := len(r.lines)
	var e LedgerEntry
	if m := ledgerHead.FindSubmatch(line); m == nil || len(line) > journal.MaxLine {
		return fmt.Errorf("line %d: malformed head: %w", n+1, ErrLedger)
	} else if string(m[1]) != strconv.Itoa(n) {
		return fmt.Errorf("line %d says that it is number %s from 0: lines before it were taken out or put in: %w", n+1, m[1], ErrLedger)
	}
	if err := journal.DecodeStrict(bytes.TrimSuffix(line, []byte("\n")), &e); err != nil {
		return fmt.Errorf("line %d: %w: %w", n+1, ErrLedger, err)
	}
	want := ledgerGenesis(e.Origin)
	if n > 0 {
		want = sum(r.lines[n-1])
	}
	switch {
	case (e.Type == LedgerOpened) != (n == 0):
		return fmt.Errorf("line %d: %s out of place: %w", n+1, e.Type, ErrLedger)
	case e.Prev != want:
		return fmt.Errorf("line %d: prev is not the digest of the line before: %w", n+1, ErrLedger)
	case !knownLedgerType(e.Type):
		return fmt.Errorf("line %d: unknown type %q: %w", n+1, e.Type, ErrLedger)
	}
	r.Entries = append(r.Entries, e)
	r.lines = append(r.lines, bytes.Clone(line))
	return nil
}

func knownLedgerType(t string) bool {
	switch t {
	case LedgerOpened, LedgerRecovered, LedgerRunOpened, LedgerRunHead, LedgerRunSealed, LedgerAbandoned, LedgerKeyAdded,
		LedgerReview, LedgerTimestamp, LedgerPruned:
		return true
	}
	return false
}

// ParseLedger reads a ledger strictly.
func ParseLedger(data []byte) (*LedgerRecord, error) {
	r := &LedgerRecord{}
	if err := r.parse(data); err != nil {
		return nil, err
	}
	return r, nil
}

// parse adds lines.
func (r *LedgerRecord) parse(data []byte) error {
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			return fmt.Errorf("line %d: does not end with LF: %w", len(r.lines)+1, ErrLedger)
		}
		if err := r.add(line); err != nil {
			return err
		}
	}
	return nil
}

// ReadLedger reads the ledger of a file strictly. One that is not there is an error.
func ReadLedger(name string) (*LedgerRecord, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	r, err := ParseLedger(data)
	if err != nil {
		return nil, fmt.Errorf("read ledger %s: %w", name, err)
	}
	return r, nil
}

// Origin names the ledger.
func (r *LedgerRecord) Origin() string {
	if len(r.Entries) == 0 {
		return ""
	}
	return r.Entries[0].Origin
}

// ledger looks for the run in the verifier's ledger.
func (v *verification) ledger(f *Finding) {
	if v.opts.Ledger == nil {
		f.note("no ledger was given: whether other runs are missing was not checked")
		return
	}
	opened, sealed := false, false
	for _, e := range v.opts.Ledger.Entries {
		if e.Run != v.res.Run {
			continue
		}
		switch e.Type {
		case LedgerRunOpened:
			opened = true
			if genesis := journal.Genesis(v.rec.Opened.Run, v.rec.Opened.Nonce); e.Genesis != hex.EncodeToString(genesis[:]) {
				f.fail("the ledger opened a run of this id with another journal (line %d)", e.Seq+1)
			}
		case LedgerRunHead:
			if n := e.Events; n == 0 || n > uint64(len(v.heads)) || hex.EncodeToString(v.heads[n-1][:]) != e.Head {
				f.fail("the ledger saw a journal of %d lines that this one does not begin with (line %d)", e.Events, e.Seq+1)
			}
		case LedgerRunSealed:
			sealed = sealed || e.SumsSHA256 == v.res.SumsSHA256
		case LedgerReview, LedgerTimestamp:
			if e.SumsSHA256 == v.res.SumsSHA256 && !slices.Contains(v.pieces, piece{e.File, e.SHA256}) {
				f.fail("%s, which %s added at %s, is gone or was changed (line %d of the ledger)", e.File, orElse(e.By, "somebody"), e.T, e.Seq+1)
			}
		}
	}
	if !opened {
		f.fail("the ledger does not hold run %s", v.res.Run)
	}
	if opened && !sealed {
		f.fail("the ledger does not hold this seal of run %s", v.res.Run)
	}
	if sealed {
		f.note("the ledger %s holds this seal", v.opts.Ledger.Origin())
	}
}
