package view

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// Ending is what the last lines of a run say beside its record.
type Ending struct {
	Record *engine.Record
	// Bundle is where the evidence is, absolute.
	Bundle string
	Sealed bool
	// SignedBy is the fingerprint of the key of the seal; empty: unsigned.
	SignedBy string
	Reports  []string // absolute paths, the one to open first
	Problems []string // what went wrong with the evidence itself
	Next     []string // commands
}

// RunEnd prints the last lines of a run: verdict, objectives, deviations, where the evidence is, the next command.
func (s *Screen) RunEnd(e Ending) {
	r := e.Record
	s.para("\n%s %s of %s: %s%s\n", s.mode(r.Mode), r.Opened.Run, Clean(r.Opened.Runbook),
		s.paint(verdictInk(r.Verdict), string(r.Verdict)), after(", ", Clean(r.Why)))
	s.runFacts(r)
	s.objectives(r)
	s.troubles(r)
	s.wentBack(r)
	s.deviations(r)
	s.evidence(e)
	for n, c := range e.Next {
		label := "next:"
		if n > 0 {
			label = ""
		}
		s.para("  %-13s%s\n", label, c)
	}
}

func (s *Screen) runFacts(r *engine.Record) {
	text := Duration(r.Elapsed)
	if !r.ElapsedExact {
		text += " (partly by the wall clock: more than one controller worked on it)"
	}
	if r.PeopleTime > 0 {
		text += fmt.Sprintf(", of that %s people", Duration(r.PeopleTime))
	}
	s.para("  %-13s%s\n", "took:", text)
	not := ""
	if len(r.Gaps) > 0 {
		not = "; not: " + gapsText(r.Gaps)
	}
	s.para("  %-13s%d of %s%s\n", "exercised:", r.Coverage.Exercised, Count(r.Coverage.Items, "item"), not)
}

// gapsText groups gaps by their reason.
func gapsText(gaps []engine.Gap) string {
	var order []string
	count := map[string]int{}
	for _, g := range gaps {
		if count[g.Why] == 0 {
			order = append(order, g.Why)
		}
		count[g.Why]++
	}
	parts := make([]string, len(order))
	for i, w := range order {
		parts[i] = fmt.Sprintf("%d because %s", count[w], Clean(w))
	}
	return strings.Join(parts, ", ")
}

func (s *Screen) objectives(r *engine.Record) {
	if r.Mode == engine.DryRun || len(r.Objectives) == 0 {
		return
	}
	var t table
	for _, o := range r.Objectives {
		t.row(cell{"objective", plainInk}, cell{Clean(o.Name), bold}, metCell(o.Met), cell{achieved(o), plainInk})
	}
	t.print(s, "  ")
}

// achieved is what was measured against what was agreed.
func achieved(o engine.ObjectiveRecord) string {
	if o.AchievedS == nil {
		return Clean(o.Problem)
	}
	switch {
	case o.TargetS != nil:
		return Seconds(*o.AchievedS) + " of " + Seconds(*o.TargetS)
	case o.AtMost != nil:
		return fmt.Sprintf("%g, at most %g", *o.AchievedS, *o.AtMost)
	case o.AtLeast != nil:
		return fmt.Sprintf("%g, at least %g", *o.AchievedS, *o.AtLeast)
	}
	return fmt.Sprintf("%g", *o.AchievedS)
}

// troubles are the hosts and units that did not go well, a few by name.
func (s *Screen) troubles(r *engine.Record) {
	const most = 10
	down := s.hostTroubles(r)
	n := 0
	for _, i := range r.Items {
		for _, u := range i.Units {
			if good(u.Outcome) || u.Outcome == "" || u.Outcome == engine.NotReached || down[u.Host] && u.Outcome == engine.Unreachable {
				continue
			}
			if n++; n > most {
				continue
			}
			settled := ""
			if u.SettledBy != "" {
				settled = fmt.Sprintf(" (settled as %s by %s)", u.Standing, Clean(u.SettledBy))
			}
			s.para("  %s %s%s%s\n", cellText(s, outcomeWord(u.Outcome), 11), unitName(u.Unit), after(": ", Clean(u.Reason)), settled)
		}
	}
	if n > most {
		s.Printf("  … and %d more: continuo show %s\n", n-most, r.Opened.Run)
	}
	s.leftOver(r)
}

// hostTroubles prints what the preflight found wrong, with what to do, and returns the hosts whose other troubles follow
// from it.
func (s *Screen) hostTroubles(r *engine.Record) map[string]bool {
	down := map[string]bool{}
	for _, h := range r.Hosts {
		if h.Preflight == nil || h.Preflight.OK {
			continue
		}
		down[h.Name] = true
		for _, c := range h.Preflight.Checks {
			if c.OK {
				continue
			}
			s.para("  %s %s: %s%s\n", s.paint(red, "NOT READY"), Clean(h.Name), c.Name, after(": ", Clean(c.Detail)))
			if c.Hint != "" {
				s.para("    %s %s\n", s.paint(cyan, "hint:"), Clean(c.Hint))
			}
		}
	}
	return down
}

// leftOver is what was not reached, not cleaned, or is not known.
func (s *Screen) leftOver(r *engine.Record) {
	if len(r.NotReached) > 0 {
		s.para("  %-13s%s\n", "not reached:", list(words(r.NotReached), fewHosts))
	}
	if len(r.CleanupFailed) > 0 {
		s.para("  %s  %s\n", s.paint(red, "not cleaned:"), list(words(r.CleanupFailed), fewHosts))
	}
	if r.Unknown > 0 {
		s.para("  %s %s: nobody knows whether it ran; look at the host before anything is repeated\n",
			s.paint(red, "unknown:"), Count(r.Unknown, "outcome"))
	}
}

func (s *Screen) deviations(r *engine.Record) {
	if len(r.Deviations) == 0 {
		s.para("  %-13s%s\n", "deviations:", "none")
		return
	}
	s.Printf("  %-13s%d\n", "deviations:", len(r.Deviations))
	for _, d := range r.Deviations {
		s.para("    %s\n", deviationText(d))
	}
}

func deviationText(d engine.Deviation) string {
	about := subject(string(d.Item), Clean(d.Host))
	return Clean(d.Kind) + after(" ", about) + after(": ", Clean(d.Reason)) + after(" (by ", Clean(d.By)+closing(d.By))
}

func closing(by string) string {
	if by == "" {
		return ""
	}
	return ")"
}

// subject is an item and the host that it is about.
func subject(item, host string) string {
	if item == "" {
		return after("on ", host)
	}
	return item + after(" on ", host)
}

func (s *Screen) evidence(e Ending) {
	state := "not sealed"
	switch {
	case e.Sealed && e.SignedBy != "":
		state = "sealed, signed by " + e.SignedBy
	case e.Sealed:
		state = "sealed, UNSIGNED"
	}
	s.para("  %-13s%s (%s)\n", "evidence:", e.Bundle, state)
	for _, r := range e.Reports {
		s.para("  %-13s%s\n", "report:", r)
	}
	for _, p := range e.Problems {
		s.para("  %s %s\n", s.paint(red, "evidence problem:"), CleanText(p))
	}
}

// Show prints one run item by item, then its last lines.
func (s *Screen) Show(e Ending) {
	r := e.Record
	s.Printf("%s %s of %s%s\n", s.mode(r.Mode), r.Opened.Run, Clean(r.Opened.Runbook), after(": ", Clean(r.Opened.Title)))
	s.Printf("  began %s by %s on %s\n", r.StartedAt.In(s.zone).Format("2006-01-02 15:04:05 MST"),
		Clean(r.Opened.Operator), Clean(r.Opened.OperatorHost))
	for _, ref := range []struct{ name, value string }{
		{"change", r.Opened.Change}, {"incident", r.Opened.Incident}, {"exercise", r.Opened.Exercise}, {"rolls back", r.Opened.RollbackOf},
	} {
		if ref.value != "" {
			s.Printf("  %s %s\n", ref.name, Clean(ref.value))
		}
	}
	s.Printf("\n")
	s.showItems(r)
	s.showHosts(r)
	s.RunEnd(e)
}

func (s *Screen) showItems(r *engine.Record) {
	var t table
	phase := ""
	for _, i := range r.Items {
		if i.Plan.Phase != phase {
			phase = i.Plan.Phase
			t.row(cell{"phase " + Clean(phase), bold})
		}
		word := outcomeWord(i.Outcome)
		if i.Outcome == "" {
			word = cell{"no word", dim}
		}
		when, took := "", ""
		if i.Started {
			when = "+" + Duration(i.Offset)
			took = Duration(i.Duration)
		}
		t.row(cell{"  " + string(i.Plan.ID), plainInk}, word, cell{when, dim}, cell{took, dim}, cell{itemNote(&i), plainInk})
		for _, u := range i.Units {
			if len(i.Units) == 1 && i.Plan.Kind.OnHosts() == (u.Host != "") && u.Outcome == i.Outcome {
				continue
			}
			if good(u.Outcome) && len(i.Units) > fewHosts {
				continue
			}
			t.row(cell{"    " + unitLabel(u.Unit), plainInk}, outcomeWord(u.Outcome), cell{}, cell{Duration(u.Duration), dim},
				cell{unitNote(&u), plainInk})
		}
	}
	t.print(s, "")
}

func unitLabel(u engine.Unit) string {
	out := Clean(u.Host)
	if u.Key != "" {
		out = "[" + Clean(u.Key) + "] " + out
	}
	return strings.TrimSpace(out)
}

func itemNote(i *engine.ItemRecord) string {
	var notes []string
	if len(i.Units) == 1 {
		if i.Units[0].Host != "" {
			notes = append(notes, "on "+Clean(i.Units[0].Host))
		}
		if n := unitNote(&i.Units[0]); n != "" {
			notes = append(notes, n)
		}
	}
	if n := back(i); n > 0 && len(i.Units) > 1 {
		notes = append(notes, fmt.Sprintf("%d of %d ROLLED BACK", n, len(i.Units)))
	}
	if i.Count != nil && i.Count.Expected > 1 {
		notes = append(notes, fmt.Sprintf("%d of %d hosts done", i.Count.Done, i.Count.Expected))
	}
	if i.Reason != "" && (len(i.Units) != 1 || i.Units[0].Reason != i.Reason) {
		notes = append(notes, Clean(i.Reason))
	}
	if i.Manual != nil {
		notes = append(notes, "says "+Clean(i.Manual.By))
	}
	return strings.Join(notes, "; ")
}

// back counts the units of an item that were rolled back.
func back(i *engine.ItemRecord) int {
	n := 0
	for k := range i.Units {
		if undone(&i.Units[k]) == "ROLLED BACK" {
			n++
		}
	}
	return n
}

func unitNote(u *engine.UnitRecord) string {
	var notes []string
	if u.Reason != "" {
		notes = append(notes, shorten(Clean(u.Reason), 120))
	}
	for _, c := range u.Captures {
		if c.Sensitive {
			notes = append(notes, c.Name+" = (sensitive)")
			continue
		}
		notes = append(notes, c.Name+" = "+shorten(Clean(c.Value), 40))
	}
	if u.SettledBy != "" {
		notes = append(notes, fmt.Sprintf("settled as %s by %s", u.Standing, Clean(u.SettledBy)))
	}
	if word := undone(u); word != "" {
		notes = append(notes, word)
	}
	return strings.Join(notes, "; ")
}

// undone says what came of a unit's way back; empty when there was none.
func undone(u *engine.UnitRecord) string {
	word := ""
	for _, p := range u.Parts {
		switch {
		case p.Part != engine.PartRollback:
		case good(p.Outcome):
			word = "ROLLED BACK"
		default:
			word = "rollback " + outcomeWord(p.Outcome).text
		}
	}
	return word
}

func (s *Screen) showHosts(r *engine.Record) {
	if len(r.Hosts) == 0 {
		return
	}
	var t table
	for _, h := range r.Hosts {
		if c := h.Connected; c != nil {
			t.text(Clean(h.Name), Clean(c.Address), Clean(c.HostKeyType), Clean(c.HostKey), after("via ", list(c.Via, fewHosts)))
			continue
		}
		t.text(Clean(h.Name), "not connected")
	}
	s.Printf("\n%s\n", s.paint(bold, "hosts"))
	t.print(s, "  ")
}
