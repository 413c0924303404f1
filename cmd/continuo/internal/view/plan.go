package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// PlanText prints a plan for people: who is touched, then every item in order with what is known of it.
func (s *Screen) PlanText(p *engine.Plan) {
	s.Printf("%s%s\n", s.paint(bold, "Plan of "+Clean(p.Runbook)), after(": ", Clean(p.Title)))
	s.Printf("Nothing was connected to. %s\n\n", planCounts(p))
	s.planHosts(p)
	s.planInputs(p)
	items := itemsOf(p)
	for _, ph := range p.Phases {
		s.Printf("%s%s\n", s.paint(bold, "phase "+Clean(ph.Name)), after(", owner ", Clean(ph.Owner))+after("; ", phaseRollout(ph.Rollout)))
		for _, id := range ph.Items {
			if item := items[id]; item != nil {
				s.planItem(item)
			}
		}
		s.Printf("\n")
	}
	s.planEnd(p)
}

func planCounts(p *engine.Plan) string {
	counts := map[engine.Disposition]int{}
	effects := map[runbooks.Effect]int{}
	for _, i := range p.Items {
		counts[i.Disposition]++
		if i.Disposition != engine.WillSkip {
			effects[i.Effect]++
		}
	}
	out := fmt.Sprintf("%s on %s: %d will run", Count(len(p.Items), "item"), Count(len(p.Hosts), "host"), counts[engine.WillRun])
	if n := counts[engine.RunTime]; n > 0 {
		out += fmt.Sprintf(", %d decided at run time", n)
	}
	if n := counts[engine.WillSkip]; n > 0 {
		out += fmt.Sprintf(", %d skipped", n)
	}
	return out + fmt.Sprintf("; %d read, %d change, %d for people.", effects[runbooks.Read], effects[runbooks.Change], effects[runbooks.Human])
}

func (s *Screen) planHosts(p *engine.Plan) {
	var t table
	for _, h := range p.Hosts {
		env := cell{h.Environment, plainInk}
		if h.Environment == string(runbooks.Production) {
			env.ink = red
		}
		t.row(cell{Clean(h.Name), plainInk}, cell{hostAddress(h), dim}, env, cell{Clean(h.Site), dim}, cell{via(h), dim})
	}
	if len(p.Hosts) > 0 {
		s.Printf("%s\n", s.paint(bold, "hosts"))
		t.print(s, "  ")
		s.Printf("\n")
	}
}

func hostAddress(h engine.PlanHost) string {
	if h.Control {
		return "this machine"
	}
	out := h.Address
	if h.User != "" {
		out = h.User + "@" + out
	}
	if h.Port != 0 && h.Port != 22 {
		out += fmt.Sprintf(":%d", h.Port)
	}
	return Clean(out)
}

func via(h engine.PlanHost) string { return after("via ", Clean(h.Via)) }

// planInputs prints variables and objectives.
func (s *Screen) planInputs(p *engine.Plan) {
	if len(p.Variables) > 0 {
		s.Printf("%s\n", s.paint(bold, "variables"))
		for _, v := range p.Variables {
			s.Printf("  %s = %s\n", Clean(v.Name), shorten(Clean(v.Value), 80))
		}
		s.Printf("\n")
	}
	if every := everyText(p); every != "" {
		s.Printf("%s\n\n", every)
	}
	if len(p.Goals) > 0 {
		s.Printf("%s\n", s.paint(bold, "objectives"))
		for _, g := range p.Goals {
			s.Printf("  %s\n", goalText(g))
		}
		s.Printf("\n")
	}
}

// goalText says an objective: "rto: within 15m00s, from declared to verified".
func goalText(g engine.PlanObjective) string {
	out := Clean(g.Name) + ":"
	switch {
	case g.TargetS != nil:
		out += " within " + Seconds(*g.TargetS)
	case g.AtMost != nil:
		out += fmt.Sprintf(" at most %g", *g.AtMost)
	case g.AtLeast != nil:
		out += fmt.Sprintf(" at least %g", *g.AtLeast)
	}
	switch {
	case g.From != "" && g.To != "":
		out += fmt.Sprintf(", from %s to %s", Clean(g.From), Clean(g.To))
	case g.From != "":
		out += fmt.Sprintf(", back from %s", Clean(g.From))
	}
	return out
}

func (s *Screen) planItem(i *engine.PlanItem) {
	s.Printf("  %s %s%s\n", cellText(s, dispositionWord(i.Disposition), 13), s.paint(bold, string(i.ID)), s.planNotes(i))
	for _, c := range i.When {
		s.Printf("                only when %s\n", s.paint(dim, shorten(Clean(c), 100)))
	}
	for _, c := range i.Commands {
		label := commandLabel(c)
		if label != "" {
			label += ": "
		}
		for n, l := range commandLines(c) {
			if n == 3 {
				s.Printf("                …\n")
				break
			}
			s.Printf("                %s%s\n", label, s.paint(dim, shorten(Clean(l), 100)))
		}
	}
	if len(i.Options) > 0 {
		s.Printf("                options: %s\n", Clean(optionsText(i)))
	}
}

// optionsText lists what a decision offers, and what comes of those that fail it.
func optionsText(i *engine.PlanItem) string {
	out := make([]string, len(i.Options))
	for n, o := range i.Options {
		if out[n] = o; slices.Contains(i.Stops, o) {
			out[n] += " (fails it)"
		}
	}
	return strings.Join(out, ", ")
}

// commandLabel says which part of its item a command is and where it runs, as far as that is not the item's own.
func commandLabel(c engine.PlanCommand) string {
	out := string(c.Part)
	where := c.Hosts
	if c.Host != "" {
		where = []string{c.Host}
	}
	if len(where) > 0 {
		out = strings.TrimSpace(out + " on " + list(where, fewHosts))
	}
	if c.Become != "" {
		out = strings.TrimSpace(out + " as " + Clean(c.Become))
	}
	return out
}

func dispositionWord(d engine.Disposition) cell {
	switch d {
	case engine.WillRun:
		return cell{"will run", green}
	case engine.WillSkip:
		return cell{"will skip", dim}
	case engine.RunTime:
		return cell{"at run time", yellow}
	}
	return cell{string(d), plainInk}
}

func (s *Screen) planNotes(i *engine.PlanItem) string {
	var notes []string
	if i.Title != "" {
		notes = append(notes, Clean(i.Title))
	}
	switch n := len(i.Hosts); {
	case n > fewHosts:
		notes = append(notes, "on "+Count(n, "host"))
	case n > 0:
		notes = append(notes, "on "+list(i.Hosts, fewHosts))
	}
	if i.Become != "" {
		notes = append(notes, "as "+Clean(i.Become))
	}
	if i.ForEach {
		notes = append(notes, forEachText(i))
	}
	if r := itemRollout(i.Rollout); r != "" {
		notes = append(notes, r)
	}
	if len(i.WaitsFor) > 0 {
		notes = append(notes, "waits for "+list(i.WaitsFor, fewHosts))
	}
	if i.SkipReason != "" {
		notes = append(notes, Clean(i.SkipReason))
	}
	if i.Effect == runbooks.Change && i.HasRollback {
		notes = append(notes, "has a rollback")
	}
	out := after("  ", strings.Join(notes, "; "))
	if i.Irreversible {
		out += "  " + s.paint(red, "IRREVERSIBLE")
	}
	return out
}

func forEachText(i *engine.PlanItem) string {
	if len(i.Elements) > 0 {
		return "for each of " + list(i.Elements, fewHosts)
	}
	return "for each of a list that the run will know"
}

// commandLines is what a command does, as lines.
func commandLines(c engine.PlanCommand) []string {
	switch {
	case len(c.Argv) > 0:
		return []string{"$ " + ArgvText(c.Argv)}
	case c.Script != "":
		return lines(c.Script)
	case c.Probe != "":
		return lines(c.Probe)
	}
	return nil
}

// ArgvText shows an argument vector so that word boundaries can be seen.
func ArgvText(argv []string) string {
	out := make([]string, len(argv))
	for i, a := range argv {
		if a != "" && strings.IndexFunc(a, needsQuotes) < 0 {
			out[i] = a
			continue
		}
		out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return strings.Join(out, " ")
}

func needsQuotes(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	digit := '0' <= r && r <= '9'
	return !letter && !digit && !strings.ContainsRune("-_./:=@%+,", r)
}

func (s *Screen) planEnd(p *engine.Plan) {
	var points []string
	for _, i := range p.Items {
		if i.Irreversible {
			points = append(points, string(i.ID))
		}
	}
	if len(points) > 0 {
		s.Printf("%s after the last of these nothing is rolled back unless a person says so: %s\n",
			s.paint(red, "point of no return:"), strings.Join(points, ", "))
	}
	if len(p.CriticalPath) > 0 {
		s.Printf("critical path: %s\n", strings.Join(words(p.CriticalPath), " → "))
	}
	s.Printf("digest: %s\n", p.Digest)
	s.Printf("next: continuo run %s   (a dry-run: checks run, nothing changes)\n", p.Runbook)
}
