package executor_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// randomBook draws a runbook of steps and checks with edges between them.
func randomBook(t *rapid.T) string {
	var b strings.Builder
	var before []string
	phases := rapid.IntRange(1, 3).Draw(t, "phases")
	n := 0
	for p := range phases {
		fmt.Fprintf(&b, "phase \"p%d\" {\n", p)
		before = before[:0]
		for range rapid.IntRange(1, 6).Draw(t, "items") {
			kind := rapid.SampledFrom([]string{"step", "check"}).Draw(t, "kind")
			id := fmt.Sprintf("%s.i%d", kind, n)
			fmt.Fprintf(&b, "%s \"i%d\" {\n", kind, n)
			fmt.Fprintf(&b, "hosts = %s\nargv = [\"x\"]\ntimeout = \"30s\"\n", rapid.SampledFrom([]string{"host.a", "group.all", "[host.b, host.c]"}).Draw(t, "hosts"))
			if rapid.Bool().Draw(t, "after") {
				var after []string
				for _, a := range before {
					if rapid.Bool().Draw(t, "edge") {
						after = append(after, a)
					}
				}
				fmt.Fprintf(&b, "after = [%s]\n", strings.Join(after, ", "))
			}
			if policy := rapid.SampledFrom([]string{"", "continue", "stop", "rollback"}).Draw(t, "policy"); policy != "" {
				fmt.Fprintf(&b, "on_failure = %q\n", policy)
			}
			if kind == "step" {
				step(t, &b)
			}
			b.WriteString("}\n")
			before = append(before, id)
			n++
		}
		b.WriteString("}\n")
	}
	b.WriteString("cleanup {\nstep \"tidy\" {\nhosts = host.a\nargv = [\"tidy\"]\n}\n}\n")
	return b.String()
}

func step(t *rapid.T, b *strings.Builder) {
	if rapid.Bool().Draw(t, "idempotent") {
		b.WriteString("idempotent = true\n")
	}
	if rapid.Bool().Draw(t, "retry") {
		b.WriteString("retry { attempts = 3 }\n")
	}
	if rapid.Bool().Draw(t, "verify") {
		b.WriteString("verify { argv = [\"look\"] }\n")
	}
	if rapid.Bool().Draw(t, "rollback") {
		b.WriteString("rollback { argv = [\"undo\"] }\n")
	} else if rapid.Bool().Draw(t, "irreversible") {
		b.WriteString("irreversible = true\n")
	}
}

// drawAnswer is a function and not one generator for all: a generator of rapid
// notes its own description when it is first used, and tests run side by side.
func drawAnswer(t *rapid.T) simtransport.Answer {
	a := simtransport.Answer{Delay: time.Duration(rapid.IntRange(0, 40).Draw(t, "delay")) * time.Second}
	switch rapid.IntRange(0, 12).Draw(t, "how") {
	case 0:
		a.ExitCode = 1
	case 1:
		a.Err = engine.ErrOutcomeUnknown
	case 2:
		a.Err = engine.ErrNeverStarted
	case 3:
		a.Err = engine.ErrLost
	case 4:
		a.Err, a.Prepare = engine.ErrUnreachable, true
	case 5:
		a.Unkillable = true
	}
	return a
}

// TestProperties runs random runbooks over hosts that fail at random.
func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		src := randomBook(rt)
		answers := map[string][]simtransport.Answer{}
		for _, part := range []engine.PartName{engine.PartCommand, engine.PartVerify, engine.PartRollback} {
			for n := range 18 {
				answers[fmt.Sprint(part, n)] = rapid.SliceOfN(rapid.Custom(drawAnswer), 1, 3).Draw(rt, "answers")
			}
		}
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, engine.Live, src)
			for n := range 18 {
				for _, kind := range []string{"step", "check"} {
					for _, part := range []engine.PartName{engine.PartCommand, engine.PartVerify, engine.PartRollback} {
						w.sim.On(runbooks.ItemID(fmt.Sprintf("%s.i%d", kind, n)), part, answers[fmt.Sprint(part, n)]...)
					}
				}
			}
			rec := w.run() // also: at most one outcome for an intent, one start for an intent
			holdOrder(t, w)
			holdUnknown(t, w, rec)
			if rec.Verdict != engine.Incomplete {
				require.True(t, rec.CleanupRan, "cleanup always runs unless the run is held: %s", rec.Why)
				require.True(t, rec.Closed)
			}
		})
	})
}

// holdOrder: nothing starts before all that it comes after have ended, in its phase and in the phases before.
func holdOrder(t *testing.T, w *world) {
	t.Helper()
	ended := map[runbooks.ItemID]bool{}
	phase := map[runbooks.ItemID]int{}
	for n, p := range w.cfg.Plan.Phases {
		for _, id := range p.Items {
			phase[id] = n
		}
	}
	for _, e := range w.journal.Events() {
		switch p := e.Payload.(type) {
		case *engine.ItemStarted:
			for _, a := range w.cfg.Plan.Item(p.Item).After {
				require.True(t, ended[a], "%s started before %s had ended", p.Item, a)
			}
			for id, n := range phase {
				require.True(t, n >= phase[p.Item] || ended[id], "%s started before its phase", p.Item)
			}
		case *engine.ItemOutcome:
			if p.Host == "" && p.Key == "" && p.Part == "" {
				ended[p.Item] = true
			}
		}
	}
}

// holdUnknown: an attempt whose end nobody knows is never followed by another, unless the step is idempotent; and with an
// unsettled one the run is held.
func holdUnknown(t *testing.T, w *world, rec engine.Record) {
	t.Helper()
	lost := map[engine.Unit]bool{}
	settled := map[engine.Unit]bool{}
	for _, e := range w.journal.Events() {
		switch p := e.Payload.(type) {
		case *engine.ItemIntent:
			if p.Part == engine.PartCommand && !w.cfg.Runbook.Item(p.Item).Idempotent {
				require.False(t, lost[p.Unit], "%v was started again after an unknown outcome", p.Unit)
			}
			delete(lost, p.Unit)
		case *engine.ItemOutcome:
			if p.AttemptID != "" && p.Outcome == engine.Unknown {
				lost[p.Unit] = true
			}
		case *engine.ItemSettled:
			settled[p.Unit] = true
		}
	}
	for u := range lost {
		if !settled[u] {
			require.Equal(t, engine.Incomplete, rec.Verdict)
		}
	}
}

// TestProperties_dryRun: whatever the runbook, a dry-run starts nothing.
func TestProperties_dryRun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		src := randomBook(rt)
		answer := rapid.Custom(drawAnswer).Draw(rt, "answer")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, engine.DryRun, src)
			for n := range 18 {
				w.sim.On(runbooks.ItemID(fmt.Sprintf("check.i%d", n)), engine.PartCommand, answer)
			}
			rec := w.run()
			require.Empty(t, w.called("start"))
			require.Empty(t, w.called("prepare"))
			require.Contains(t, []engine.Verdict{engine.Ready, engine.ReadyWithGaps, engine.NotReady}, rec.Verdict)
			for _, c := range w.sim.Calls() {
				require.NotEqual(t, engine.PartVerify, c.Part)
			}
			for _, i := range rec.Items {
				require.NotEmpty(t, i.Outcome, i.Plan.ID)
			}
		})
	})
}
