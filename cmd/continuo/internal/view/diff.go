package view

import (
	"fmt"

	"github.com/continuo-runbooks/continuo/engine/report"
)

// Diff prints what changed between two runs for people.
func (s *Screen) Diff(d *report.Diff) {
	s.Printf("%s\n", s.paint(bold, "Runs of "+Clean(d.Runbook)))
	var t table
	for _, side := range []struct {
		word string
		run  report.DiffRun
	}{{"before", d.Before}, {"after", d.After}} {
		t.row(cell{side.word, dim}, cell{Clean(string(side.run.Run)), plainInk}, cell{modeWords(side.run.Mode), plainInk},
			cell{string(side.run.Verdict), verdictInk(side.run.Verdict)}, cell{Duration(side.run.Elapsed.Duration()), plainInk})
	}
	t.print(s, "  ")
	for _, n := range d.Notes {
		s.Printf("  %s %s\n", s.paint(yellow, "note:"), Clean(n))
	}
	if len(d.Items)+len(d.Objectives)+len(d.OnlyBefore)+len(d.OnlyAfter) == 0 {
		s.Printf("no difference that counts: the same outcomes, and no length that changed by more than a fifth\n")
		return
	}
	s.diffItems(d)
	s.diffObjectives(d)
	if len(d.OnlyBefore) > 0 {
		s.Printf("only before: %s\n", list(words(d.OnlyBefore), 20))
	}
	if len(d.OnlyAfter) > 0 {
		s.Printf("only after:  %s\n", list(words(d.OnlyAfter), 20))
	}
}

func (s *Screen) diffItems(d *report.Diff) {
	var t table
	for _, i := range d.Items {
		kind := cell{i.Kind, plainInk}
		switch i.Kind {
		case report.NewlyFailed:
			kind = cell{"NEWLY FAILED", red}
		case report.Recovered, report.Faster:
			kind.ink = green
		case report.Slower:
			kind.ink = yellow
		}
		change := fmt.Sprintf("%s → %s", outcomeWord(i.Before).text, outcomeWord(i.After).text)
		if i.Kind == report.Slower || i.Kind == report.Faster {
			change = fmt.Sprintf("%s → %s", tookText(i.BeforeTook), tookText(i.AfterTook))
		}
		t.row(kind, cell{string(i.Item), bold}, cell{change, plainInk}, cell{after("on ", list(i.Hosts, fewHosts)), plainInk},
			cell{Clean(i.Reason), plainInk})
	}
	t.print(s, "")
}

func tookText(d *report.Seconds) string {
	if d == nil {
		return "-"
	}
	return Duration(d.Duration())
}

func (s *Screen) diffObjectives(d *report.Diff) {
	var t table
	for _, o := range d.Objectives {
		t.row(cell{"objective", dim}, cell{Clean(o.Name), bold},
			cell{valueText(o.Before, o.Measured) + " → " + valueText(o.After, o.Measured), plainInk}, metCell(o.MetNow))
	}
	t.print(s, "")
}

func metCell(met *bool) cell {
	switch {
	case met == nil:
		return cell{"not measured", yellow}
	case *met:
		return cell{"met", green}
	}
	return cell{"MISSED", red}
}

func valueText(v *float64, measured bool) string {
	switch {
	case v == nil:
		return "not measured"
	case measured:
		return fmt.Sprintf("%g", *v)
	}
	return Seconds(*v)
}
