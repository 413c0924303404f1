package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// ModeWords says what a mode means for whoever reads the record.
func ModeWords(m engine.Mode) string {
	switch m {
	case engine.Live:
		return "Live run: the steps were executed on the hosts."
	case engine.DryRun:
		return "Dry-run: no step was executed. Only checks ran on the hosts; that they change nothing is their author's word. " +
			"This is no test of recovery."
	case engine.Simulate:
		return "Test in simulation: no host was contacted. What hosts and people said was made up by the test."
	}
	return "Mode not known."
}

// modeName is the mode as a heading names it.
func modeName(m engine.Mode) string {
	switch m {
	case engine.Live:
		return "Live"
	case engine.DryRun:
		return "Dry-run"
	case engine.Simulate:
		return "Simulation"
	}
	return string(m)
}

// VerdictWords is a verdict as people say it.
func VerdictWords(v engine.Verdict) string {
	switch v {
	case "":
		return "no verdict yet"
	case engine.PassedWithDeviations:
		return "passed with deviations"
	case engine.ReadyWithGaps:
		return "ready, with gaps"
	case engine.NotReady:
		return "not ready"
	default:
		return string(v)
	}
}

// verdictTone says how a verdict is painted; the word stands beside it always.
func verdictTone(v engine.Verdict) string {
	switch v {
	case engine.Passed, engine.Ready:
		return "good"
	case engine.PassedWithDeviations, engine.ReadyWithGaps:
		return "warn"
	default:
		return "bad"
	}
}

// OutcomeWords is an outcome as people say it.
func OutcomeWords(o engine.Outcome) string {
	switch o {
	case "":
		return "no word"
	case engine.TimedOut:
		return "timed out"
	case engine.NeverStarted:
		return "never started"
	case engine.NotReached:
		return "not reached"
	case engine.NotExercised:
		return "not exercised"
	default:
		return string(o)
	}
}

// outcomeSign is a shape that tells outcomes apart without colour.
func outcomeSign(o engine.Outcome) string {
	switch o {
	case engine.Succeeded, engine.Exercised:
		return "✓"
	case engine.Failed, engine.TimedOut, engine.Unreachable, engine.NeverStarted:
		return "✗"
	case engine.Unknown:
		return "?"
	default:
		return "–"
	}
}

func outcomeTone(o engine.Outcome) string {
	switch o {
	case engine.Succeeded, engine.Exercised:
		return "good"
	case engine.Failed, engine.TimedOut, engine.Unreachable, engine.NeverStarted:
		return "bad"
	case engine.Unknown:
		return "warn"
	default:
		return "mute"
	}
}

// resultSign does the same for the result of an expectation.
func resultSign(result string) string {
	switch result {
	case "holds":
		return "✓"
	case "fails":
		return "✗"
	case "inconclusive":
		return "?"
	}
	return "–"
}

func resultTone(result string) string {
	switch result {
	case "holds":
		return "good"
	case "fails":
		return "bad"
	case "inconclusive":
		return "warn"
	}
	return "mute"
}

// clockWords says which clock measured an objective.
func clockWords(clock string) string {
	switch clock {
	case "monotonic":
		return "the controller's monotonic clock"
	case "wall":
		return "the controller's wall clock"
	case "host":
		return "a time that a host gave"
	}
	return clock
}

// joinWords is a list in a sentence.
func joinWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// plural counts in words: 1 host, 2 hosts.
func plural(n int, one string) string {
	return count(n) + " " + map[bool]string{true: one, false: one + "s"}[n == 1]
}

// rollbackLines say what the way back came to, a line for each fact.
func rollbackLines(b *Rollback) []string {
	out := []string{fmt.Sprintf("%s to roll back. Why: %s.", plural(b.Units, "unit"), cmp.Or(b.Reason, "no reason on record"))}
	if b.By != "" {
		out[0] += " By " + b.By + "."
	}
	if b.Until != "" {
		out = append(out, fmt.Sprintf("The point of no return was %s; what came before it is not rolled back by itself.", b.Until))
	}
	for _, part := range []struct {
		words string
		units []engine.Unit
	}{
		{"Rolled back", b.Done}, {"Its rollback failed", b.Failed},
		{"May have changed something and was not rolled back", b.Left},
	} {
		if len(part.units) > 0 {
			out = append(out, part.words+": "+unitList(part.units)+".")
		}
	}
	for _, s := range b.Settled {
		word := "was undone by hand"
		if s.As != engine.Done {
			word = "stays as it is"
		}
		out = append(out, fmt.Sprintf("%s says that %s %s: %s.", s.By, unitList([]engine.Unit{s.Unit}), word, s.Reason))
	}
	switch {
	case b.Held != "":
		out = append(out, "It stopped and waits for a person: "+b.Held+".")
	case !b.Ended:
		out = append(out, "It did not come to its end.")
	}
	return append(out, "Verdict of the rollback: "+string(b.Verdict)+".")
}

func unitList(units []engine.Unit) string {
	var out []string
	for _, u := range units {
		name := string(u.Item)
		if u.Key != "" {
			name += "[" + u.Key + "]"
		}
		if u.Host != "" {
			name += " on " + u.Host
		}
		out = append(out, name)
	}
	if left := len(out) - failingNamed; left > 0 {
		out = append(out[:failingNamed], count(left)+" more")
	}
	return joinWords(out)
}

// cleanupWords says what the cleanup came to.
func cleanupWords(r *Report) string {
	c := &r.Cleanup
	switch {
	case c.Planned == 0:
		return "The runbook has none."
	case r.Run.Mode == engine.DryRun:
		return plural(c.Planned, "item") + "; a dry-run does not clean up."
	case !c.Ran:
		return "It did not run to its end."
	case len(c.Failed) > 0:
		names := make([]string, len(c.Failed))
		for n, id := range c.Failed {
			names[n] = string(id)
		}
		return "It ran, and these items failed, so that something may be left: " + strings.Join(names, ", ") + "."
	}
	return "It ran, and every item of it is done."
}
