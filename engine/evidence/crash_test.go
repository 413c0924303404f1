package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx/faultfs"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx/memfs"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// The crash harness runs one small controller over and over. It does what the executor does with a journal: intent, then
// the effect, then output and outcome, and at the end close, seal and ledger. The effect is a line in a witness file that
// no fault reaches, as a host would see it; what Append acknowledged goes into a second one.
//
// After a crash the controller takes up what it finds, never starts again what has an intent and no outcome, and goes on.

const (
	crashItems = 3
	effectLine = "effect"
	ackLine    = "ack"
)

// controller is one life of the program.
type controller struct {
	fs    fsx.FS
	state string
	// witness takes lines from beyond the reach of faults.
	witness func(kind, what string)
	signer  *Signer
}

func crashPlan() *engine.Plan {
	p := samplePlan()
	p.Items = nil
	for n := range crashItems {
		p.Items = append(p.Items, engine.PlanItem{
			ID: crashItem(n), Kind: runbooks.Step, Effect: runbooks.Change, Hosts: []string{"db-b1"}, Disposition: engine.WillRun,
		})
	}
	return p
}

func crashItem(n int) runbooks.ItemID { return runbooks.ItemID(fmt.Sprintf("step.s%d", n)) }

// live runs until the run is sealed and in the ledger, or something fails.
func (c *controller) live() error {
	ledger := NewLedger(c.state, testOrigin)
	ledger.fs = c.fs
	all, err := runs(c.fs, c.state)
	if err != nil {
		return err
	}
	for _, id := range all {
		dir := RunDir(c.state, id)
		if err := c.takeUp(ledger, dir); !errors.Is(err, journal.ErrEmpty) && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		// Nothing had happened in that one: it stays where it is, and a new run begins.
	}
	id := engine.RunID("r" + strconv.Itoa(len(all)+1))
	run, err := Create(c.state, RunOptions{
		Run: id, Nonce: sampleNonce, Mode: engine.Live, Plan: crashPlan(), Files: sampleFiles(), FS: c.fs,
	})
	if err != nil {
		return err
	}
	o := &engine.RunOpened{Run: id, Nonce: sampleNonce, Project: "payments", Runbook: "failover", Operator: "alice@example.org"}
	run.Digests.Fill(o)
	j := c.acking(run.Ledgered(ledger, nil))
	if _, err := j.Append(nil, o); err != nil { //nolint:staticcheck // not consulted
		return errors.Join(err, run.Close())
	}
	return c.work(ledger, run, j, nil)
}

// takeUp goes on with a run that an earlier life left.
func (c *controller) takeUp(ledger *Ledger, dir string) error {
	run, loaded, err := Resume(dir, RunOptions{FS: c.fs}, &engine.RunResumed{By: "bob@example.org"})
	if errors.Is(err, ErrSealed) || errors.Is(err, journal.ErrClosed) {
		return c.seal(ledger, dir)
	}
	if err != nil {
		return err
	}
	if err := ledger.EnsureOpened(loaded); err != nil {
		return errors.Join(err, run.Close())
	}
	return c.work(ledger, run, c.acking(run.Ledgered(ledger, nil)), loaded.Events)
}

// ackJournal tells the witness what was acknowledged as durable.
type ackJournal struct {
	engine.Journal
	c *controller
}

func (c *controller) acking(j engine.Journal) engine.Journal { return ackJournal{Journal: j, c: c} }

// journalAppend has a context nobody needs here.
func (a ackJournal) append(p engine.Payload) error {
	ev, err := a.Append(nil, p) //nolint:staticcheck // not consulted
	if err == nil && p.Durable() {
		a.c.witness(ackLine, fmt.Sprintf("%d %s", ev.Seq, p.EventType()))
	}
	return err
}

func (c *controller) work(ledger *Ledger, run *Run, j engine.Journal, past []engine.Event) error {
	aj, ok := j.(ackJournal)
	if !ok {
		return errors.New("not acknowledging")
	}
	err := func() error {
		for n := range crashItems {
			if err := c.item(run, aj, n, past); err != nil {
				return err
			}
		}
		return c.closeRun(run, aj)
	}()
	if cerr := run.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return c.seal(ledger, run.Dir)
}

// item runs one step unless an earlier life began it. What was begun and has no outcome is unknown.
func (c *controller) item(run *Run, j ackJournal, n int, past []engine.Event) error {
	u := engine.Unit{Item: crashItem(n), Host: "db-b1"}
	id := engine.AttemptID(fmt.Sprintf("%032x", n+1))
	intent, outcome, whole := crashFind(past, u)
	o := &engine.ItemOutcome{Unit: u, Part: engine.PartCommand, Attempt: 1, AttemptID: id, Outcome: engine.Succeeded}
	switch {
	case whole:
		return nil
	case intent && !outcome:
		o.Outcome = engine.Unknown
	case !intent:
		p := &engine.ItemIntent{Unit: u, Part: engine.PartCommand, Attempt: 1, AttemptID: id, Command: "run", Transport: "durable"}
		if err := j.append(&engine.ItemStarted{Item: u.Item, Hosts: []string{u.Host}}); err != nil {
			return err
		}
		if err := j.append(p); err != nil {
			return err
		}
		c.witness(effectLine, string(id)) // what cannot be undone
		if err := c.output(run, j, u); err != nil {
			return err
		}
	}
	if !outcome {
		if err := j.append(o); err != nil {
			return err
		}
	} else {
		o.Outcome = crashOutcome(past, u)
	}
	if !crashUnitEnded(past, u) {
		if err := j.append(&engine.ItemOutcome{Unit: u, Outcome: o.Outcome}); err != nil {
			return err
		}
	}
	return j.append(&engine.ItemOutcome{Unit: engine.Unit{Item: u.Item}, Outcome: o.Outcome})
}

func crashFind(past []engine.Event, u engine.Unit) (intent, outcome, whole bool) {
	for _, e := range past {
		switch p := e.Payload.(type) {
		case *engine.ItemIntent:
			intent = intent || p.Unit == u
		case *engine.ItemOutcome:
			outcome = outcome || p.Unit == u && p.AttemptID != ""
			whole = whole || p.Item == u.Item && p.Host == ""
		}
	}
	return intent, outcome, whole
}

func crashUnitEnded(past []engine.Event, u engine.Unit) bool {
	for _, e := range past {
		if p, ok := e.Payload.(*engine.ItemOutcome); ok && p.Unit == u && p.AttemptID == "" {
			return true
		}
	}
	return false
}

func crashOutcome(past []engine.Event, u engine.Unit) engine.Outcome {
	for _, e := range past {
		if p, ok := e.Payload.(*engine.ItemOutcome); ok && p.Unit == u && p.AttemptID != "" {
			return p.Outcome
		}
	}
	return ""
}

func (c *controller) output(run *Run, j ackJournal, u engine.Unit) error {
	w, err := run.Artifacts.Create()
	if err != nil {
		return err
	}
	_, _ = w.Write([]byte(strings.Repeat(string(u.Item)+" says something\n", 400)))
	out, err := w.Finish()
	if err != nil {
		return err
	}
	out.Unit, out.Part, out.Attempt, out.Stream = u, engine.PartCommand, 1, "stdout"
	return j.append(&out)
}

// closeRun claims what the events say.
func (c *controller) closeRun(run *Run, j ackJournal) error {
	f := engine.NewFolder(crashPlan())
	loaded, err := load(c.fs, run.Dir)
	if err != nil {
		return err
	}
	for _, e := range loaded.Events {
		if err := f.Apply(e); err != nil {
			return err
		}
	}
	v, _, unknown := f.Preview()
	return j.append(&engine.RunClosed{Verdict: v, Unknown: unknown})
}

func (c *controller) seal(ledger *Ledger, dir string) error {
	sealed, err := Seal(dir, SealOptions{Signer: c.signer, Renderers: sampleRenderers(), FS: c.fs})
	if err != nil {
		return err
	}
	_, err = ledger.RecordSeal(sealed, c.signer)
	return err
}

// witnesses collects lines in memory.
type witnesses struct{ lines []string }

func (w *witnesses) take(kind, what string) { w.lines = append(w.lines, kind+" "+what) }

// verdicts are the figures that the harness prints.
type verdicts struct{ cases, lost, twice, silent, broken, refused int }

func (v verdicts) String() string {
	return fmt.Sprintf("%d cases: %d acknowledged records lost, %d steps started twice, %d silent resumes over an unknown, "+
		"%d records that do not verify, %d refused", v.cases, v.lost, v.twice, v.silent, v.broken, v.refused)
}

func (v verdicts) require(t *testing.T) {
	t.Helper()
	t.Log(v)
	require.Zero(t, v.lost+v.twice+v.silent+v.broken)
	require.Positive(t, v.cases)
}

// judge looks at what is there after a recovery: the witness's word against the record's.
func (v *verdicts) judge(t *testing.T, state string, lines []string) {
	t.Helper()
	v.cases++
	started, acked := map[string]int{}, []string{}
	for _, l := range lines {
		kind, what, _ := strings.Cut(l, " ")
		if kind == effectLine {
			started[what]++
		} else {
			acked = append(acked, what)
		}
	}
	for _, n := range started {
		if n > 1 {
			v.twice++
		}
	}
	dir := lastOpened(t, state)
	loaded, err := Load(dir)
	require.NoError(t, err)
	intents, unknown := map[string]bool{}, 0
	for _, e := range loaded.Events {
		switch p := e.Payload.(type) {
		case *engine.ItemIntent:
			intents[string(p.AttemptID)] = true
		case *engine.ItemOutcome:
			if p.AttemptID != "" && p.Outcome == engine.Unknown {
				unknown++
			}
		}
	}
	for id := range started {
		if !intents[id] {
			v.lost++ // an effect without an intent on disk
		}
	}
	for _, a := range acked {
		seq, typ, _ := strings.Cut(a, " ")
		n, err := strconv.Atoi(seq)
		require.NoError(t, err)
		if n >= len(loaded.Events) || loaded.Events[n].Payload.EventType() != typ {
			v.lost++
		}
	}
	if unknown > 0 && loaded.Record.Verdict != engine.Incomplete {
		v.silent++
	}
	res := mustVerify(t, dir)
	if !res.OK() {
		v.broken++
		t.Logf("%s: %v", state, res.Reasons())
	}
	led, err := VerifyLedger(state, LedgerOptions{})
	if err != nil || len(led.Problems) > 0 {
		v.broken++
		t.Logf("%s: ledger: %v %v", state, err, led)
	}
}

// lastOpened is the directory of the run that has events; the others were never opened.
func lastOpened(t *testing.T, state string) string {
	t.Helper()
	all, err := Runs(state)
	require.NoError(t, err)
	var found []string
	for _, id := range all {
		if !neverOpened(RunDir(state, id)) {
			found = append(found, RunDir(state, id))
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

// recover runs further lives without faults: the first finishes, the second must find nothing to do.
func (v *verdicts) recover(t *testing.T, state string, w func(kind, what string)) bool {
	t.Helper()
	c := &controller{fs: noSync{}, state: state, witness: w, signer: testKey(t, "executor")}
	if err := c.live(); err != nil {
		// Lines that were never synced can be lost in their middle: that is more than a torn last line, and refused.
		require.ErrorIs(t, err, journal.ErrHead)
		v.refused++
		return false
	}
	before := snapshot(t, state)
	require.NoError(t, c.live())
	require.Equal(t, before, snapshot(t, state), "a second recovery changes nothing")
	return true
}

// snapshot lists every file with its digest.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	names, err := listFiles(fsx.OS{}, dir, "")
	require.NoError(t, err)
	var b strings.Builder
	for _, n := range names {
		data, err := os.ReadFile(filepath.Join(dir, n))
		require.NoError(t, err)
		fmt.Fprintln(&b, n, sum(data))
	}
	return b.String()
}

// noSync is the real file system without fsyncs, for what needs no power cut.
type noSync struct{ fsx.OS }

func (s noSync) OpenFile(name string, flag int, perm os.FileMode) (fsx.File, error) {
	f, err := s.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return noSyncFile{f}, nil
}

func (noSync) SyncDir(string) error { return nil }

type noSyncFile struct{ fsx.File }

func (noSyncFile) Sync() error { return nil }

// TestCrashChild is not a test: it is the process that the harness kills.
func TestCrashChild(t *testing.T) { //nolint:paralleltest // alone in its process
	at, variant, ok := strings.Cut(os.Getenv("CONTINUO_TEST_CRASH_AT"), ":")
	if !ok {
		t.Skip("only as a child of TestCrashKill")
	}
	n, err := strconv.Atoi(at)
	require.NoError(t, err)
	state, log := os.Getenv("CONTINUO_TEST_STATE"), os.Getenv("CONTINUO_TEST_WITNESS")
	fsys := &faultfs.FS{FS: noSync{}, Decide: func(op faultfs.Op) faultfs.Action {
		if op.N != n {
			return faultfs.Action{}
		}
		die := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
		switch variant {
		case "before":
			return faultfs.Action{Before: die}
		case "torn":
			return faultfs.Action{Torn: die}
		}
		return faultfs.Action{After: die}
	}}
	c := &controller{fs: fsys, state: state, signer: testKey(t, "executor"), witness: func(kind, what string) {
		f, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		require.NoError(t, err)
		_, err = io.WriteString(f, kind+" "+what+"\n")
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}}
	require.NoError(t, c.live())
}

// TestCrashKill kills a real process with SIGKILL before, in and after every operation on the file system.
func TestCrashKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts hundreds of processes")
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	var v verdicts
	step := crashStep()
	for n, alive := 1, false; !alive; n += step {
		for _, variant := range []string{"before", "torn", "after"} {
			state := filepath.Join(t.TempDir(), "state")
			log := filepath.Join(t.TempDir(), "witness")
			cmd := exec.Command(exe, "-test.run=^TestCrashChild$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("CONTINUO_TEST_CRASH_AT=%d:%s", n, variant),
				"CONTINUO_TEST_STATE="+state, "CONTINUO_TEST_WITNESS="+log)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err == nil {
				alive = true
				break
			}
			require.ErrorAs(t, err, &exit, "%s", out)
			status, ok := exit.Sys().(syscall.WaitStatus)
			require.True(t, ok && status.Signal() == syscall.SIGKILL, "%s", out)
			w := &witnesses{}
			if data, err := os.ReadFile(log); err == nil {
				w.lines = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
			}
			if v.recover(t, state, w.take) {
				v.judge(t, state, w.lines)
			}
		}
	}
	require.Zero(t, v.refused)
	v.require(t)
}

// crashStep thins the kill points out in an ordinary test run; `make crash` takes every one.
func crashStep() int {
	if os.Getenv("CONTINUO_CRASH_ALL") != "" {
		return 1
	}
	return 23
}

// TestCrashErrors lets every operation fail once, in each way in which disks do.
func TestCrashErrors(t *testing.T) {
	t.Parallel()
	var v verdicts
	step := crashStep()
	for _, action := range []faultfs.Action{
		{Err: syscall.EIO}, {Err: syscall.ENOSPC}, {Err: syscall.ENOSPC, Short: true}, {Err: syscall.EDQUOT},
	} {
		for n, reached := 1, true; reached; n += step {
			state, w := filepath.Join(t.TempDir(), "state"), &witnesses{}
			reached = false
			fsys := &faultfs.FS{FS: noSync{}, Decide: func(op faultfs.Op) faultfs.Action {
				if op.N == n {
					reached = true
					return action
				}
				return faultfs.Action{}
			}}
			c := &controller{fs: fsys, state: state, witness: w.take, signer: testKey(t, "executor")}
			err := c.live()
			if !reached {
				require.NoError(t, err)
				break
			}
			if v.recover(t, state, w.take) {
				v.judge(t, state, w.lines)
			}
		}
	}
	require.Zero(t, v.refused)
	v.require(t)
}

// TestCrashPowerLoss cuts the power after every operation and tries several of the images that may be left.
func TestCrashPowerLoss(t *testing.T) {
	t.Parallel()
	var v verdicts
	step := crashStep()
	seeds := 1
	if step == 1 {
		seeds = 4
	}
	for n, reached := 1, true; reached; n += step {
		reached = false
		mem, w := memfs.New(), &witnesses{}
		off, done := make(chan struct{}), make(chan error, 1)
		fsys := &faultfs.FS{FS: mem, Decide: func(op faultfs.Op) faultfs.Action {
			if op.N != n {
				return faultfs.Action{}
			}
			return faultfs.Action{After: func() {
				close(off)
				select {} // this life ends here
			}}
		}}
		c := &controller{fs: fsys, state: "/state", witness: w.take, signer: testKey(t, "executor")}
		go func() {
			done <- c.live()
		}()
		select {
		case <-off:
			reached = true
		case err := <-done:
			require.NoError(t, err)
		}
		if !reached {
			break
		}
		for _, loss := range []float64{0, 0.25, 0.5, 1} {
			for seed := range seeds {
				root := t.TempDir()
				require.NoError(t, mem.Image(root, loss, rand.New(rand.NewPCG(uint64(n), uint64(seed)))))
				life := &witnesses{lines: append([]string(nil), w.lines...)}
				state := filepath.Join(root, "state")
				if v.recover(t, state, life.take) {
					v.judge(t, state, life.lines)
				}
			}
		}
	}
	v.require(t)
}

// TestCrashTruncation cuts a sealed and an unsealed journal at every byte, and damages every byte.
func TestCrashTruncation(t *testing.T) {
	t.Parallel()
	state, w := t.TempDir(), &witnesses{}
	c := &controller{fs: noSync{}, state: state, witness: w.take, signer: testKey(t, "executor")}
	require.NoError(t, c.live())
	dir := lastOpened(t, state)
	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	require.NoError(t, err)
	seal, err := os.ReadFile(filepath.Join(dir, SealFile))
	require.NoError(t, err)
	undetected, cuts, damages := 0, 0, 0
	check := func(bad []byte) {
		events, err := journal.Read(bytes.NewReader(bad))
		if err == nil && strconv.Itoa(len(events)) == sealValue(seal, "events") && sum(bad) == sealValue(seal, "journal-sha256") {
			undetected++
		}
	}
	for n := 0; n < len(data); n += crashStep() {
		check(data[:n])
		cuts++
		for _, b := range [][]byte{{data[n] ^ 1}, {0}, {0xff}, {data[n], data[n]}, {}} {
			if len(b) == 1 && b[0] == data[n] {
				continue
			}
			check(append(append(bytes.Clone(data[:n]), b...), data[n+1:]...))
			damages++
		}
	}
	t.Logf("%d truncations, %d damaged bytes: %d undetected", cuts, damages, undetected)
	require.Zero(t, undetected)
}
