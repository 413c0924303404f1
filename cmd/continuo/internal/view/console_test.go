package view

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/vt"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

var updateScreens = flag.Bool("update", false, "write the golden screens anew")

// night is a recovery over 30 hosts as people see it: its plan, and its events one after another.
type night struct {
	t       *testing.T
	plan    *engine.Plan
	console *Console
	desk    *Desk
	lines   *Progress
	term    *vt.Terminal
	now     time.Time
	seq     uint64
	keys    *os.File
	notes   []string
	stops   int
	paused  []bool
	written []string
	open    []context.CancelFunc
}

func nightPlan() *engine.Plan {
	target := 900.0
	var web []string
	for n := 1; n <= 30; n++ {
		web = append(web, fmt.Sprintf("web-%02d", n))
	}
	p := &engine.Plan{
		Runbook: "site-failover", Title: "Move the shop to site B", Marks: []string{"declared", "verified"},
		Goals: []engine.PlanObjective{{Name: "rto", Kind: "elapsed", TargetS: &target, From: "declared", To: "verified"}},
		Phases: []engine.PlanPhase{
			{Name: "drain", Owner: "web team", Items: []runbooks.ItemID{"step.stop-writers"}},
			{Name: "move", Title: "the point of no return", Owner: "dba", Items: []runbooks.ItemID{"gate.promote", "step.promote", "decision.way"}},
			{Name: "open", Items: []runbooks.ItemID{"step.start", "manual.smoke"}},
		},
		Items: []engine.PlanItem{
			{ID: "step.stop-writers", Kind: runbooks.Step, Phase: "drain", Hosts: web, Effect: runbooks.Change, HasRollback: true},
			{ID: "gate.promote", Kind: runbooks.Gate, Phase: "move", Effect: runbooks.Human},
			{ID: "step.promote", Kind: runbooks.Step, Phase: "move", Hosts: []string{"db-b1"}, Effect: runbooks.Change, Irreversible: true},
			{ID: "decision.way", Kind: runbooks.Decision, Phase: "move", Effect: runbooks.Human, Owner: "incident manager"},
			{ID: "step.start", Kind: runbooks.Step, Phase: "open", Hosts: web, Effect: runbooks.Change, HasRollback: true},
			{ID: "manual.smoke", Kind: runbooks.Manual, Phase: "open", Effect: runbooks.Human, Owner: "service desk"},
		},
	}
	for _, h := range append([]string{"db-b1"}, web...) {
		p.Hosts = append(p.Hosts, engine.PlanHost{Name: h})
	}
	return p
}

// newNight begins the recovery on a terminal of that size.
func newNight(t *testing.T, width, height int) *night {
	t.Helper()
	n := &night{t: t, plan: nightPlan(), term: vt.New(width, height), now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
	n.term.MapNewline = true // the program has no keyboard whose mode it could change
	s := NewScreen(n.term, Options{Color: "never", Zone: time.UTC})
	s.terminal, s.columns = true, width
	in, keys, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = keys.Close(); _ = in.Close() })
	n.keys = keys
	ask := NewAsker(strings.NewReader(""), s, false)
	ask.tty = in
	n.console = NewConsole(ask, NewBoard(n.plan, engine.Live), ConsoleConfig{
		Now: func() time.Time { return n.now }, Environ: []string{"TERM=xterm-256color"}, Leaving: "stop",
		Note: func(text string) { n.notes = append(n.notes, text) }, Interrupt: func() { n.stops++ },
		Pause: func(on bool) { n.paused = append(n.paused, on) },
	})
	n.console.height = height
	n.desk = NewDesk(ask, "ann@example.org", nil)
	n.desk.Read(n.console.Read)
	n.lines = NewProgress(s, n.plan, engine.Live)
	n.lines.Brief()
	n.console.frames = 100
	n.console.start(tea.WithInput(nil), tea.WithOutput(&watched{n.term, n.console}), tea.WithWindowSize(width, height))
	s.redirect(func(b []byte) {
		n.console.change(func() {
			for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
				for _, r := range strings.Split(wrapped(l, width), "\n") {
					n.written = append(n.written, strings.TrimRight(r, " "))
				}
			}
		})
		n.console.print(b)
	})
	t.Cleanup(n.console.Stop)
	return n
}

// watched tells the console of its first frame, as its own output does.
type watched struct {
	*vt.Terminal
	c *Console
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Terminal.Write(b)
	w.c.frame(b)
	return n, err
}

// after lets time pass, then things happen.
func (n *night) after(d time.Duration, payloads ...engine.Payload) {
	n.console.change(func() { n.now = n.now.Add(d) })
	for _, p := range payloads {
		e := engine.Event{Seq: n.seq, Time: n.now, Mode: engine.Live, Payload: p}
		n.seq++
		n.console.Event(e)
		n.lines.Event(e)
	}
}

// asked waits until a question is open.
func (n *night) asked(ask func(context.Context)) {
	n.t.Helper()
	ctx, cancel := context.WithCancel(n.t.Context())
	n.t.Cleanup(cancel)
	n.open = append(n.open, cancel)
	go ask(ctx)
	require.Eventually(n.t, func() bool {
		n.console.mu.Lock()
		defer n.console.mu.Unlock()
		return n.console.focus != nil && n.console.focus.ask != nil
	}, 30*time.Second, time.Millisecond)
}

// typed presses keys: a text, and the names of keys in angle brackets.
func (n *night) typed(keys ...string) {
	for _, k := range keys {
		if name, ok := strings.CutPrefix(k, "<"); ok {
			n.console.key(named(strings.TrimSuffix(name, ">")))
			continue
		}
		for _, r := range k {
			n.console.key(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
}

func named(name string) tea.KeyPressMsg {
	if c, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(c[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: map[string]rune{
		"enter": tea.KeyEnter, "tab": tea.KeyTab, "esc": tea.KeyEscape, "backspace": tea.KeyBackspace,
	}[name]}
}

// shown waits until the terminal shows what was written and below it the view, and nothing else, scrollback included; then
// it gives what is seen.
func (n *night) shown() string {
	n.t.Helper()
	c := n.console
	want := func() []string {
		c.mu.Lock()
		defer c.mu.Unlock()
		out := append([]string{}, n.written...)
		for _, r := range c.layout().rows {
			out = append(out, strings.TrimRight(r.text(c.s), " "))
		}
		return out
	}
	ok := func() bool { return slices.Equal(want(), n.term.All()) }
	for end := time.Now().Add(20 * time.Second); !ok() && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		c.wake()
	}
	require.Equal(n.t, strings.Join(want(), "\n"), strings.Join(n.term.All(), "\n"))
	require.Empty(n.t, n.term.Faults())
	// Empty rows below the view are left out: how many there are depends on which views were drawn on the way.
	all := n.term.All()
	return strings.Join(all[max(0, len(all)-c.height):], "\n") + "\n"
}

// golden compares a screen with the one on record.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "screens", name+".txt")
	if *updateScreens {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "%s; go test ./cmd/continuo/internal/view -update writes it anew", path)
}

// sizes are the terminals that a run must be led at.
var sizes = [][2]int{{120, 40}, {80, 24}, {40, 20}}

// TestConsoleThroughTheNight leads a recovery from its beginning to its end, and looks at the screen at each stage.
func TestConsoleThroughTheNight(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			t.Parallel()
			n := newNight(t, size[0], size[1])
			look := func(stage string) { golden(t, fmt.Sprintf("%dx%d/%s", size[0], size[1], stage), n.shown()) }
			n.begins()
			look("1-running")
			n.fails()
			look("2-failed")
			n.asksForApproval()
			look("3-gate")
			n.decides()
			look("4-decision")
			n.breaks()
			look("5-broken")
			n.rollsBack()
			look("6-rollback")
			n.ends()
			look("7-ended")
		})
	}
}

func units(item runbooks.ItemID, hosts []string, o engine.Outcome) []engine.Payload {
	var out []engine.Payload
	for _, h := range hosts {
		out = append(out, &engine.ItemOutcome{Unit: engine.Unit{Item: item, Host: h}, Outcome: o, DurationNS: time.Second})
	}
	return out
}

// begins: the first step is under way on 30 hosts.
func (n *night) begins() {
	web := n.plan.Items[0].Hosts
	n.after(0, &engine.RunOpened{Run: "20261121t030000z-7f3a09bc", Runbook: "site-failover", Items: 6, Hosts: 31, Operator: "ann@example.org"},
		&engine.MarkSet{Mark: "declared", At: n.now.Add(-5 * time.Minute), Source: "operator"})
	n.after(time.Second, &engine.ItemStarted{Item: "step.stop-writers", Hosts: web})
	for _, h := range web {
		n.after(0, &engine.ItemIntent{Unit: engine.Unit{Item: "step.stop-writers", Host: h}, Part: engine.PartCommand, Attempt: 1})
	}
	n.after(3*time.Second, units("step.stop-writers", web[:26], engine.Succeeded)...)
}

// fails: one host refuses, and the operator is asked.
func (n *night) fails() {
	web := n.plan.Items[0].Hosts
	bad := engine.Unit{Item: "step.stop-writers", Host: "web-29"}
	n.after(4*time.Second, units("step.stop-writers", append(web[26:28:28], web[29]), engine.Succeeded)...)
	failed := engine.ItemOutcome{Unit: bad, Outcome: engine.Failed, ExitCode: code(3), Reason: "exit code 3", DurationNS: 7 * time.Second}
	n.after(time.Second,
		&engine.ItemOutput{Unit: bad, Part: engine.PartCommand, Stream: "stderr", Text: "stopping shop-writer\nwaiting for 14 open orders\nshop-writer: 3 orders do not drain, gave up after 5 s\n", Size: 80},
		&failed,
		&engine.ItemOutcome{Unit: engine.Unit{Item: bad.Item}, Outcome: engine.Failed, Reason: "29 of 30 hosts", Hosts: &engine.HostCount{Expected: 30, Reached: 30, Done: 29}})
	n.asked(func(ctx context.Context) {
		_, _ = n.desk.Failed(ctx, engine.FailureQuestion{
			Item: bad.Item, Outcome: engine.ItemOutcome{Unit: engine.Unit{Item: bad.Item}, Outcome: engine.Failed, Reason: "29 of 30 hosts"},
			Units: []engine.ItemOutcome{failed}, Options: []string{engine.ActionRetry, engine.ActionSkip, engine.ActionByHand, engine.ActionRollback, engine.ActionAbort, engine.ActionLeave},
		})
	})
	n.typed("h")
}

// asksForApproval: the failure is settled, and the gate waits for two people.
func (n *night) asksForApproval() {
	n.typed("<enter>")
	n.prompted("why?")
	n.typed("drained by hand, orders 17..19 parked", "<enter>")
	n.quiet()
	n.after(20*time.Second,
		&engine.OperatorAction{Action: engine.ActionByHand, By: "ann@example.org", Item: "step.stop-writers", Reason: "drained by hand, orders 17..19 parked"},
		&engine.ItemSettled{Unit: engine.Unit{Item: "step.stop-writers", Host: "web-29"}, As: engine.Done, By: "ann@example.org", Reason: "drained by hand"},
		&engine.ItemStarted{Item: "gate.promote"},
		&engine.ApprovalRequested{Item: "gate.promote", Role: "mim", Approvals: 2, ApproveBy: n.now.Add(30 * time.Minute)})
	n.after(40*time.Second, &engine.ApprovalGranted{Item: "gate.promote", By: "bob@example.org", Fingerprint: "SHA256:Zm9v"})
	n.asked(func(ctx context.Context) {
		_, _ = n.desk.Gate(ctx, engine.GateQuestion{
			Item: "gate.promote", Question: "Promote db-b1? The last 3 s of orders are lost.", Role: "mim",
			Members: []string{"bob@example.org", "cay@example.org", "dan@example.org"}, Granted: []string{"bob@example.org"}, Missing: 1,
			ApproveBy: n.now.Add(29 * time.Minute),
		})
	})
}

// decides: the step past which there is no way back has run, and somebody is to choose.
func (n *night) decides() {
	n.withdraw()
	n.after(30*time.Second,
		&engine.ApprovalGranted{Item: "gate.promote", By: "cay@example.org", Fingerprint: "SHA256:YmFy"},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "gate.promote"}, Outcome: engine.Succeeded},
		&engine.ApprovalUsed{Item: "gate.promote", For: "step.promote", By: []string{"bob@example.org", "cay@example.org"}},
		&engine.ItemStarted{Item: "step.promote", Hosts: []string{"db-b1"}})
	n.after(12*time.Second, append(units("step.promote", []string{"db-b1"}, engine.Succeeded),
		&engine.ItemOutcome{Unit: engine.Unit{Item: "step.promote"}, Outcome: engine.Succeeded},
		&engine.ItemStarted{Item: "decision.way"})...)
	n.asked(func(ctx context.Context) {
		_, _ = n.desk.Decide(ctx, engine.DecisionQuestion{
			Item: "decision.way", Question: "Open the shop read-only first, or at once?", Options: []string{"read-only", "at-once", "back-out"}, Stops: []string{"back-out"},
		})
	})
	n.typed("1")
}

// breaks: the start fails on two hosts, late, while a note is typed.
func (n *night) breaks() {
	n.typed("<enter>")
	n.prompted("why?")
	n.typed("safer", "<enter>")
	n.quiet()
	web := n.plan.Items[4].Hosts
	n.after(8*time.Minute,
		&engine.DecisionMade{Item: "decision.way", Choice: "read-only", By: "ann@example.org", Reason: "safer"},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "decision.way"}, Outcome: engine.Succeeded},
		&engine.ItemStarted{Item: "step.start", Hosts: web})
	for _, h := range web {
		n.after(0, &engine.ItemIntent{Unit: engine.Unit{Item: "step.start", Host: h}, Part: engine.PartCommand, Attempt: 1})
	}
	n.after(2*time.Minute, units("step.start", web[:11], engine.Succeeded)...)
	n.after(0, &engine.ItemOutcome{Unit: engine.Unit{Item: "step.start", Host: "web-12"}, Outcome: engine.TimedOut, Reason: "did not end in time and was killed"},
		&engine.ItemOutcome{Unit: engine.Unit{Item: "step.start", Host: "web-13"}, Outcome: engine.Unknown, Reason: "the connection was lost after it had started"})
	n.typed("<ctrl+n>", "bridge: storage team joins")
}

// rollsBack: what can be taken back is.
func (n *night) rollsBack() {
	n.typed("<enter>")
	require.Equal(n.t, []string{"bridge: storage team joins"}, n.notes)
	web := n.plan.Items[4].Hosts
	n.after(5*time.Second, &engine.OperatorAction{Action: engine.ActionNote, By: "ann@example.org", Reason: n.notes[0]})
	n.after(time.Minute, units("step.start", web[13:], engine.Succeeded)...)
	n.after(0, &engine.ItemOutcome{Unit: engine.Unit{Item: "step.start"}, Outcome: engine.Unknown, Hosts: &engine.HostCount{Expected: 30, Reached: 30, Done: 28}},
		&engine.OperatorAction{Action: engine.ActionRollback, By: "ann@example.org", Item: "step.start", Reason: "two of thirty do not come up"},
		&engine.RollbackStarted{Reason: "two of thirty do not come up", By: "ann@example.org", Units: 30, Until: "step.promote"})
	for _, h := range web[:17] {
		n.after(0, &engine.ItemOutcome{Unit: engine.Unit{Item: "step.start", Host: h}, Part: engine.PartRollback, AttemptID: "x", Outcome: engine.Succeeded})
	}
}

// ends: the rollback has come to the point of no return, and the run is over.
func (n *night) ends() {
	n.after(20*time.Second, &engine.RollbackEnded{
		Done: []engine.Unit{{Item: "step.start", Host: "web-01"}}, Left: []engine.Unit{{Item: "step.promote", Host: "db-b1"}},
	}, &engine.ItemOutcome{Unit: engine.Unit{Item: "manual.smoke"}, Outcome: engine.NotReached, Reason: "the run was rolled back"},
		&engine.CleanupStarted{}, &engine.CleanupEnded{},
		&engine.RunClosed{Verdict: engine.VerdictFailed, Reason: "step.start ended as unknown"})
}

// prompted waits until a question of the open conversation begins with this.
func (n *night) prompted(text string) {
	n.t.Helper()
	require.Eventually(n.t, func() bool {
		n.console.mu.Lock()
		defer n.console.mu.Unlock()
		f := n.console.focus
		return f != nil && f.ask != nil && strings.HasPrefix(f.ask.text, text)
	}, 30*time.Second, time.Millisecond)
}

// quiet waits until nothing is asked.
func (n *night) quiet() {
	n.t.Helper()
	require.Eventually(n.t, func() bool {
		n.console.mu.Lock()
		defer n.console.mu.Unlock()
		return n.console.focus == nil
	}, 30*time.Second, time.Millisecond)
}

// withdraw ends what is asked, as an answer from another terminal does.
func (n *night) withdraw() {
	for _, cancel := range n.open {
		cancel()
	}
	n.quiet()
}

// TestConsoleSeveralQuestions: what has failed comes before what waits, unless something is being typed; Tab goes round.
func TestConsoleSeveralQuestions(t *testing.T) {
	t.Parallel()
	n := newNight(t, 80, 24)
	n.begins()
	gate := func(ctx context.Context) {
		_, _ = n.desk.Gate(ctx, engine.GateQuestion{Item: "gate.promote", Question: "Promote?", Role: "mim", Missing: 1})
	}
	failed := func(ctx context.Context) {
		_, _ = n.desk.Failed(ctx, engine.FailureQuestion{
			Item: "step.start", Outcome: engine.ItemOutcome{Outcome: engine.Failed}, Options: []string{engine.ActionRetry, engine.ActionSkip},
		})
	}
	interrupted := func(ctx context.Context) { _, _ = n.desk.Interrupted(ctx, engine.InterruptQuestion{}) }
	n.asked(gate)
	require.Contains(t, n.shown(), "APPROVAL WANTED gate.promote")
	n.asked(failed)
	n.prompted("what now?")
	require.Contains(t, n.shown(), "FAILED step.start")
	require.Contains(t, n.shown(), "waits for your word about step.start")
	require.Contains(t, n.shown(), "Tab 1 more question")
	n.typed("<tab>")
	n.prompted("what is your word?")
	n.typed("a<") // something is typed
	n.asked(failed)
	require.Eventually(t, func() bool {
		n.console.mu.Lock()
		defer n.console.mu.Unlock()
		return len(n.console.talks) == 3
	}, 30*time.Second, time.Millisecond)
	require.Contains(t, n.shown(), "APPROVAL WANTED gate.promote")
	n.asked(interrupted) // who pressed Ctrl-C is asked about that
	n.prompted("what now?")
	require.Contains(t, n.shown(), "INTERRUPTED nothing runs now.")
	n.typed("x", "<enter>")
	require.Contains(t, n.shown(), `"x" is none of them.`)
	n.typed("<ctrl+c>", "<ctrl+p>")
	require.Equal(t, 1, n.stops)
	require.Equal(t, []bool{true}, n.paused)
	n.withdraw()
}

// TestConsoleLost: who is asked at a terminal that is closed is not there any more, and nothing is written to it.
func TestConsoleLost(t *testing.T) {
	t.Parallel()
	n := newNight(t, 80, 24)
	n.begins()
	ended := make(chan error, 1)
	n.asked(func(ctx context.Context) {
		_, err := n.desk.Manual(ctx, engine.ManualQuestion{Item: "manual.smoke"})
		ended <- err
	})
	n.console.ask.Lose()
	require.ErrorIs(t, <-ended, engine.ErrNobody)
	_, err := n.desk.Manual(t.Context(), engine.ManualQuestion{Item: "manual.smoke"})
	require.ErrorIs(t, err, engine.ErrNobody)
}

// TestConsoleStopGivesTheTerminalBack: the view goes, what was written stays, and nothing of it is lost.
func TestConsoleStopGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	n := newNight(t, 80, 24)
	n.begins()
	before := n.shown()
	require.Contains(t, before, "^N note")
	n.console.Stop()
	n.console.s.Printf("the end\n")
	require.Empty(t, n.term.Restored())
	got := n.term.All()
	require.Equal(t, append(append([]string{}, n.written...), "the end"), got)
}
