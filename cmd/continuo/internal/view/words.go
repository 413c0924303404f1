package view

import (
	"github.com/continuo-runbooks/continuo/engine"
)

// modeWords are the words that no one may mistake.
func modeWords(m engine.Mode) string {
	switch m {
	case engine.Live:
		return "LIVE"
	case engine.DryRun:
		return "DRY RUN"
	case engine.Simulate:
		return "SIMULATED"
	}
	return string(m)
}

func (s *Screen) mode(m engine.Mode) string {
	if m == engine.Live {
		return s.paint(alert, modeWords(m))
	}
	return s.paint(bold, modeWords(m))
}

// outcomeWord is the word of an outcome in progress and tables. Those that want a person are in capitals.
func outcomeWord(o engine.Outcome) cell {
	switch o {
	case engine.Succeeded, engine.Exercised:
		return cell{"ok", green}
	case engine.Failed:
		return cell{"FAILED", red}
	case engine.TimedOut:
		return cell{"TIMED OUT", red}
	case engine.Unreachable:
		return cell{"UNREACHABLE", red}
	case engine.NeverStarted:
		return cell{"never started", yellow}
	case engine.Unknown:
		return cell{"UNKNOWN", red}
	case engine.Skipped:
		return cell{"skipped", dim}
	case engine.NotReached:
		return cell{"not reached", yellow}
	case engine.NotExercised:
		return cell{"not exercised", dim}
	case "":
		return cell{"-", dim}
	}
	return cell{Clean(string(o)), plainInk}
}

// good reports whether an outcome wants no attention.
func good(o engine.Outcome) bool {
	switch o {
	case engine.Succeeded, engine.Exercised, engine.Skipped, engine.NotExercised:
		return true
	default:
		return false
	}
}

func verdictInk(v engine.Verdict) ink {
	switch v {
	case engine.Passed, engine.Ready:
		return green
	case engine.PassedWithDeviations, engine.ReadyWithGaps:
		return yellow
	default:
		return red
	}
}
