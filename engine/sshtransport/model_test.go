package sshtransport_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A model of durable attempts, explored completely within small bounds: one step that must not run twice, at most two
// attempts, a controller that may crash, a network that loses and delays, two hosts behind one address, and whatever
// faults a scenario allows. With all rules of the protocol nothing bad can be reached; each rule that is left out lets
// something bad happen in some scenario, so that none of them is decoration.
//
// Bad is: (a) started twice; (b) succeeded without an exit 0 of that attempt; (c) said never to have started, or to be
// unreachable, but it started; (d) two outcomes of one attempt, or timed out though it ended by itself; (e) unknown where
// the host could have told.

// rule is one thing that the protocol does.
type rule string

const (
	ruleBoot      rule = "the launch carries boot id and start of process 1"
	ruleBaseID    rule = "the launch carries the id of the state directory"
	rulePath      rule = "fence and collect look in the journaled directory"
	ruleTomb      rule = "claim and result are never removed while a launch may be on its way"
	ruleDerived   rule = "the id of an attempt follows from what it is"
	ruleSent      rule = "sent and out of reach is unknown, not unreachable"
	ruleOneWriter rule = "only the runner writes the result"
)

var allRules = []rule{ruleBoot, ruleBaseID, rulePath, ruleTomb, ruleDerived, ruleSent, ruleOneWriter}

// fault is something that the world may do.
type fault string

const (
	disconnect fault = "disconnect"
	lose       fault = "lose"
	crash      fault = "crash"
	relaunch   fault = "relaunch"
	reboot     fault = "reboot"
	vipMoves   fault = "vip"
	homeFlips  fault = "home"
	wipe       fault = "wipe"
	gcOld      fault = "gc"
	unreach    fault = "unreach"
	rollBack   fault = "rollback"
	watchdog   fault = "watchdog"
	enospc     fault = "enospc"
	kill9      fault = "kill9"
)

type scenario struct {
	name          string
	faults        []fault
	nfs, sameBoot bool
	// certain: nothing happens that a host could not tell about later, so that unknown is bad too.
	certain bool
}

var base = []fault{disconnect, lose, crash}

func with(f ...fault) []fault { return append(slices.Clone(base), f...) }

var scenarios = []scenario{
	{name: "controller crashes, launches lost and late", faults: base},
	{name: "a launch is sent again", faults: with(relaunch)},
	{name: "reboot loses what was not synced", faults: with(reboot)},
	{name: "the address moves to the standby", faults: with(vipMoves)},
	{name: "the address moves, both share HOME", faults: with(vipMoves), nfs: true},
	{name: "the address moves between containers of one kernel", faults: with(vipMoves), sameBoot: true},
	{name: "HOME becomes unwritable or writable", faults: with(homeFlips), certain: true},
	{name: "container recreated, same boot id", faults: with(wipe)},
	{name: "finished attempts are removed after 14 days", faults: with(gcOld)},
	{name: "out of reach after the launch was sent", faults: with(unreach)},
	{name: "journal restored from a snapshot", faults: with(rollBack)},
	{name: "the watchdog races with the end", faults: with(watchdog)},
	{name: "disk full, runner killed", faults: with(enospc, kill9)},
}

// The state. Every number fits in a byte; slices are never changed in place.
type (
	incarnation struct{ node, boot, baseID int8 } // -1: not looked at
	claimState  struct{ kind, node, boot int8 }   // kind: fence, run
	fileState   struct {
		base, id int8
		claim    claimState
		rc       int8 // noRC, 0, 1 or rcTimeout
		rcNode   int8
	}
	message struct {
		id, node, base, serial int8
		inc                    incarnation
	}
	process struct{ id, node, base, state int8 } // claimed, running, exited 0, exited 1
	outcome struct{ kind, node int8 }
	record  struct { // of the journal
		intent bool
		id, n  int8
		inc    incarnation
		base   int8
		out    outcome
	}
	controller struct {
		pc      int8
		out     outcome
		cur     int8
		journal []record
	}
	started struct{ id, node int8 }
	ended   struct{ id, node, code int8 }
	world   struct {
		ctrl   controller
		msgs   []message
		procs  []process
		files  []fileState
		boot   [2]int8
		baseID [4]int8
		vip    int8
		home   [2]bool
		starts []started
		ends   []ended
		nextID int8
		used   uint32
	}
)

const (
	fence, run int8 = 1, 2
	noRC       int8 = -1
	rcTimeout  int8 = 2

	claimed, running, exited int8 = 0, 1, 2 // exited+code
)

const (
	pcIdle int8 = iota
	pcIntent
	pcSent
	pcFollow
	pcLost
	pcHave
	pcClean
	pcDone
	pcDown
)

const (
	outNone int8 = iota
	outNever
	outUnknown
	outUnreachable
	outSucceeded
	outFailed
	outTimeout
)

// Things that may happen once or a few times: bits of world.used.
const (
	useSend1, useSend2             = 0, 3 // three each
	useDisconnect, useCrash        = 6, 7
	useReboot, useVIP, useWipe     = 8, 9, 10
	useHome                        = 11 // twice
	useGC, useRollback, useWatchod = 13, 14, 15
)

type model struct {
	rules  []rule
	faults []fault
	sc     scenario
}

func (m *model) has(r rule) bool  { return slices.Contains(m.rules, r) }
func (m *model) may(f fault) bool { return slices.Contains(m.faults, f) }
func (m *model) start() *world {
	return &world{baseID: [4]int8{0, 10, 20, 30}, home: [2]bool{true, true}, nextID: 1}
}
func (w *world) key() string { return fmt.Sprint(*w) }
func sorted[T any](s []T) []T {
	slices.SortFunc(s, func(a, b T) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return s
}
func add[T any](s []T, v T) []T       { return sorted(append(slices.Clone(s), v)) }
func (m *model) reach(n, b int8) bool { return m.sc.nfs && b == 0 || b == n || b == n+2 }

func drop[T comparable](s []T, v T) []T {
	return slices.DeleteFunc(slices.Clone(s), func(x T) bool { return x == v })
}

// dir is the state directory of a node: 0 and 1 are homes, 2 and 3 the fallbacks.
func (m *model) dir(w *world, n int8) int8 {
	switch {
	case !w.home[n]:
		return n + 2
	case m.sc.nfs:
		return 0
	}
	return n
}

func (m *model) inc(w *world, n, b int8) incarnation {
	i := incarnation{-1, -1, -1}
	if m.has(ruleBoot) {
		i.node, i.boot = n, w.boot[n]
		if m.sc.sameBoot {
			i.node = 0
		}
	}
	if m.has(ruleBaseID) {
		i.baseID = w.baseID[b]
	}
	return i
}

func (w *world) file(b, id int8) (fileState, bool) {
	for _, f := range w.files {
		if f.base == b && f.id == id {
			return f, true
		}
	}
	return fileState{}, false
}

func (w *world) put(f fileState) []fileState {
	return add(slices.DeleteFunc(slices.Clone(w.files), func(x fileState) bool { return x.base == f.base && x.id == f.id }), f)
}

func (w *world) use(first, n int) (*world, bool) {
	for i := first; i < first+n; i++ {
		if w.used&(1<<i) == 0 {
			c := *w
			c.used |= 1 << i
			return &c, true
		}
	}
	return nil, false
}

func sendBit(id int8) int {
	if id%2 == 1 {
		return useSend1
	}
	return useSend2
}

// at is w with its controller elsewhere, and perhaps one more line in its journal.
func (w *world) at(pc, cur int8, out outcome, lines ...record) *world {
	c := *w
	c.ctrl = controller{pc: pc, out: out, cur: cur, journal: append(slices.Clone(w.ctrl.journal), lines...)}
	return &c
}

func (w *world) intent(id int8) record {
	for _, r := range w.ctrl.journal {
		if r.intent && r.id == id {
			return r
		}
	}
	return record{}
}

// outcomes of the journal: how many, and the last.
func (w *world) outcomes() (n int, last outcome) {
	for _, r := range w.ctrl.journal {
		if !r.intent {
			n++
			last = r.out
		}
	}
	return n, last
}

func again(o outcome) bool { return o.kind == outNever || o.kind == outUnreachable }

// next are all worlds that can follow.
func (m *model) next(w *world) []*world {
	return slices.Concat(m.controllerSteps(w), m.crashSteps(w), m.hostSteps(w), m.worldSteps(w))
}

func (m *model) controllerSteps(w *world) (out []*world) {
	c, n := w.ctrl, w.vip
	switch c.pc {
	case pcIdle:
		if k, last := w.outcomes(); k < 2 && (k == 0 || again(last)) {
			t, id := w, int8(k+1)
			if !m.has(ruleDerived) {
				cp := *w
				cp.nextID++
				t, id = &cp, 50+w.nextID
			}
			b := m.dir(w, n)
			out = append(out, t.at(pcIntent, id, outcome{}, record{intent: true, id: id, n: int8(k + 1), inc: m.inc(w, n, b), base: b}))
		}
	case pcIntent:
		out = append(out, m.send(w)...)
	case pcSent, pcFollow:
		if t, ok := w.use(useDisconnect, 1); ok && m.may(disconnect) {
			out = append(out, t.at(pcLost, c.cur, outcome{}))
		}
		out = append(out, m.answers(w)...)
	case pcLost:
		out = append(out, m.afterLoss(w)...)
	case pcHave:
		out = append(out, w.at(pcClean, c.cur, c.out, record{id: c.cur, out: c.out}))
	case pcClean:
		pc := pcDone
		if again(c.out) {
			pc = pcIdle
		}
		out = append(out, w.at(pc, c.cur, outcome{}))
		b := m.dir(w, n)
		if f, ok := w.file(b, c.cur); ok && !m.has(ruleTomb) && c.out.kind != outUnknown && c.out.kind != outUnreachable {
			t := w.at(pc, c.cur, outcome{})
			t.files = drop(w.files, f)
			out = append(out, t)
		}
	}
	return out
}

func (m *model) send(w *world) (out []*world) {
	id := w.ctrl.cur
	if t, ok := w.use(sendBit(id), 3); ok {
		i := w.intent(id)
		t = t.at(pcSent, id, outcome{})
		t.msgs = add(w.msgs, message{id: id, node: w.vip, base: i.base, inc: i.inc, serial: int8(len(fmt.Sprintf("%b", t.used)))})
		out = append(out, t)
	}
	return out
}

func have(w *world, kind, node int8) *world { return w.at(pcHave, w.ctrl.cur, outcome{kind, node}) }

func result(w *world, f fileState) *world {
	return have(w, map[int8]int8{0: outSucceeded, 1: outFailed, rcTimeout: outTimeout}[f.rc], f.rcNode)
}

// answers are what a connection that stands can bring.
func (m *model) answers(w *world) (out []*world) {
	c := w.ctrl
	bases := []int8{m.dir(w, w.vip)}
	if c.pc == pcFollow {
		bases = append(bases, w.intent(c.cur).base)
	}
	for _, p := range w.procs {
		if p.id == c.cur {
			bases = append(bases, p.base)
		}
	}
	slices.Sort(bases)
	for _, b := range slices.Compact(bases) {
		f, ok := w.file(b, c.cur)
		switch {
		case ok && f.rc != noRC:
			out = append(out, result(w, f))
		case ok && f.claim.kind == fence && c.pc == pcSent:
			out = append(out, have(w, outNever, 0))
		}
	}
	return out
}

// afterLoss is the way back: give up, send again, or fence and collect.
func (m *model) afterLoss(w *world) (out []*world) {
	c, n := w.ctrl, w.vip
	i := w.intent(c.cur)
	if m.may(unreach) {
		kind := outUnreachable
		if m.has(ruleSent) {
			kind = outUnknown
		}
		out = append(out, have(w, kind, 0))
	}
	if m.may(relaunch) {
		out = append(out, m.send(w)...)
	}
	b := m.dir(w, n)
	if m.has(rulePath) && m.reach(n, i.base) {
		b = i.base
	}
	ifSame := outUnknown
	if m.inc(w, n, b) == i.inc {
		ifSame = outNever
	}
	f, ok := w.file(b, c.cur)
	switch {
	case !ok:
		t := have(w, ifSame, 0)
		t.files = w.put(fileState{base: b, id: c.cur, claim: claimState{fence, 0, w.boot[n]}, rc: noRC})
		out = append(out, t)
	case f.claim.kind == fence:
		out = append(out, have(w, ifSame, 0))
	case f.rc != noRC:
		out = append(out, result(w, f))
	case slices.ContainsFunc(w.procs, func(p process) bool { return p.id == c.cur && p.node == n && p.base == b }):
		out = append(out, w.at(pcFollow, c.cur, outcome{}))
	default:
		out = append(out, have(w, outUnknown, 0))
	}
	return out
}

// crashSteps: the controller dies; one takes over from the journal.
func (m *model) crashSteps(w *world) (out []*world) {
	if w.ctrl.pc != pcDown {
		if t, ok := w.use(useCrash, 1); ok && m.may(crash) {
			out = append(out, t.at(pcDown, 0, outcome{}))
		}
		return out
	}
	open := int8(-1)
	closed := map[int8]bool{}
	for _, r := range w.ctrl.journal {
		if !r.intent {
			closed[r.id] = true
		}
	}
	for _, r := range w.ctrl.journal {
		if r.intent && !closed[r.id] {
			open = r.id
		}
	}
	k, last := w.outcomes()
	switch {
	case open >= 0:
		out = append(out, w.at(pcLost, open, outcome{}))
	case k == 0 || again(last):
		out = append(out, w.at(pcIdle, 0, outcome{}))
	default:
		out = append(out, w.at(pcDone, 0, outcome{}))
	}
	if t, ok := w.use(useRollback, 1); ok && m.may(rollBack) {
		for k := range w.ctrl.journal {
			c := *t
			c.ctrl.journal = slices.Clone(w.ctrl.journal[:k])
			out = append(out, &c)
		}
	}
	return out
}

// hostSteps: launches arrive, commands start and end.
func (m *model) hostSteps(w *world) (out []*world) {
	for _, q := range w.msgs {
		t := *w
		t.msgs = drop(w.msgs, q)
		if m.may(lose) {
			c := t
			out = append(out, &c)
		}
		b := m.dir(w, q.node)
		if m.has(rulePath) && m.reach(q.node, q.base) {
			b = q.base
		}
		_, there := w.file(b, q.id)
		if m.inc(w, q.node, b) == q.inc && !there {
			t.files = w.put(fileState{base: b, id: q.id, claim: claimState{run, q.node, w.boot[q.node]}, rc: noRC})
			t.procs = add(w.procs, process{q.id, q.node, b, claimed})
		}
		out = append(out, &t) // else it refuses, or finds the claim and runs nothing
	}
	for _, p := range w.procs {
		out = append(out, m.processSteps(w, p)...)
	}
	return out
}

func (m *model) processSteps(w *world, p process) (out []*world) {
	rest := drop(w.procs, p)
	change := func(p *process, edit func(*world)) {
		t := *w
		t.procs = rest
		if p != nil {
			t.procs = add(rest, *p)
		}
		if edit != nil {
			edit(&t)
		}
		out = append(out, &t)
	}
	f, ok := w.file(p.base, p.id)
	switch p.state {
	case claimed:
		p.state = running
		change(&p, func(t *world) { t.starts = append(slices.Clone(w.starts), started{p.id, p.node}) })
	case running:
		for code := range int8(2) {
			q := p
			q.state = exited + code
			change(&q, func(t *world) { t.ends = add(w.ends, ended{p.id, p.node, code}) })
		}
		if m.may(kill9) {
			change(nil, nil)
		}
		if t, free := w.use(useWatchod, 1); free && m.may(watchdog) && ok {
			f.rc, f.rcNode = rcTimeout, p.node
			c := *t
			c.files = t.put(f)
			if m.has(ruleOneWriter) {
				c.procs = rest
			} // else the command may still end by itself
			out = append(out, &c)
		}
	default:
		change(nil, func(t *world) {
			if ok {
				f.rc, f.rcNode = p.state-exited, p.node
				t.files = w.put(f)
			}
		})
		if m.may(enospc) {
			change(nil, nil)
		}
	}
	return out
}

// worldSteps: what happens to hosts.
func (m *model) worldSteps(w *world) (out []*world) {
	if t, ok := w.use(useReboot, 1); ok && m.may(reboot) {
		for n := range int8(2) {
			out = append(out, m.reboots(t, n)...)
		}
	}
	if t, ok := w.use(useVIP, 1); ok && m.may(vipMoves) {
		t.vip = 1 - w.vip
		out = append(out, t)
	}
	if t, ok := w.use(useHome, 2); ok && m.may(homeFlips) {
		t.home[0] = !w.home[0]
		out = append(out, t)
	}
	if t, ok := w.use(useWipe, 1); ok && m.may(wipe) {
		t.files = slices.DeleteFunc(slices.Clone(w.files), func(f fileState) bool { return f.base == 0 })
		t.procs = slices.DeleteFunc(slices.Clone(w.procs), func(p process) bool { return p.node == 0 })
		t.msgs = slices.DeleteFunc(slices.Clone(w.msgs), func(q message) bool { return q.node == 0 })
		t.baseID[0] = 99
		out = append(out, t)
	}
	if m.may(gcOld) && !m.has(ruleTomb) {
		for _, f := range w.files {
			if t, ok := w.use(useGC, 1); ok && (f.rc != noRC || f.claim.kind == fence) {
				t.files = drop(w.files, f)
				out = append(out, t)
			}
		}
	}
	return out
}

// reboots are the ways in which node n may come back: with any of its unsynced files lost.
func (m *model) reboots(w *world, n int8) (out []*world) {
	var unsynced []fileState
	for _, f := range w.files {
		if f.base == n || f.base == n+2 {
			unsynced = append(unsynced, f)
		}
	}
	for lost := range 1 << len(unsynced) {
		t := *w
		t.boot[n]++
		t.procs = slices.DeleteFunc(slices.Clone(w.procs), func(p process) bool { return p.node == n })
		t.msgs = slices.DeleteFunc(slices.Clone(w.msgs), func(q message) bool { return q.node == n })
		for i, f := range unsynced {
			if lost&(1<<i) != 0 {
				t.files = drop(t.files, f)
			}
		}
		out = append(out, &t)
	}
	return out
}

// bad says what is wrong with a world; empty: nothing.
func (m *model) bad(w *world) string {
	if len(w.starts) > 1 {
		return "(a) started twice"
	}
	seen := map[int8]outcome{}
	for _, r := range w.ctrl.journal {
		if r.intent {
			continue
		}
		o := r.out
		didStart := slices.ContainsFunc(w.starts, func(s started) bool { return s.id == r.id })
		exit0 := slices.ContainsFunc(w.ends, func(e ended) bool { return e.id == r.id && e.code == 0 })
		onNode := slices.ContainsFunc(w.ends, func(e ended) bool { return e.id == r.id && e.code == 0 && e.node == o.node })
		switch {
		case o.kind == outUnknown && m.sc.certain:
			return "(e) unknown, but the host could have told"
		case o.kind == outSucceeded && !onNode:
			return "(b) succeeded without exit 0"
		case again(o) && didStart:
			return "(c) said not to have started, but it did"
		case o.kind == outTimeout && exit0:
			return "(d) timed out, but it ended by itself"
		}
		if old, ok := seen[r.id]; ok && old != o {
			return "(d) two outcomes"
		}
		seen[r.id] = o
	}
	return ""
}

// explore visits every world, and returns how many there are and the first bad thing.
func (m *model) explore(limit int) (n int, bad string) {
	first := m.start()
	seen := map[string]bool{first.key(): true}
	queue := []*world{first}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		if b := m.bad(w); b != "" {
			return len(seen), b
		}
		for _, t := range m.next(w) {
			if k := t.key(); !seen[k] {
				seen[k] = true
				queue = append(queue, t)
			}
		}
		if len(seen) > limit {
			return len(seen), ""
		}
	}
	return len(seen), ""
}

const modelLimit = 60000

func TestModelHolds(t *testing.T) {
	t.Parallel()
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			m := &model{rules: allRules, faults: sc.faults, sc: sc}
			n, bad := m.explore(modelLimit)
			require.Empty(t, bad)
			require.Greater(t, n, 100, "the model moves")
			t.Logf("%d states", n)
		})
	}
}

func TestModelNeedsEveryRule(t *testing.T) {
	t.Parallel()
	for _, r := range allRules {
		t.Run(string(r), func(t *testing.T) {
			t.Parallel()
			rules := slices.DeleteFunc(slices.Clone(allRules), func(x rule) bool { return x == r })
			for _, sc := range scenarios {
				m := &model{rules: rules, faults: sc.faults, sc: sc}
				if n, bad := m.explore(modelLimit); bad != "" {
					t.Logf("without it, when %s: %s (%d states)", sc.name, bad, n)
					return
				}
			}
			t.Fatal("the protocol holds without this rule, within the bounds")
		})
	}
}
