package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// somebody says what nobody else was named for.
const somebody = "person@test"

// person takes an `on` block about an item for people, or about undoing one.
func (s *scenario) person(at place, i *runbooks.Item, a attrs) error {
	delay, err := a.duration("delay")
	if err != nil {
		return err
	}
	silent, err := a.truth("silent")
	if err != nil {
		return err
	}
	switch i.Kind {
	case runbooks.Manual:
		as, err := manuals(a, max(1, i.People), delay)
		if silent {
			as = nil // nobody is there: nothing bounds how long a manual item takes
		}
		if at.part == engine.PartRollback {
			s.backs[at.item] = as
			return err
		}
		s.manuals[at.item] = as
		return err
	case runbooks.Gate:
		return s.approve(at.item, i, a, delay, silent)
	default:
		return s.choose(at.item, i, a, delay, silent)
	}
}

// approve takes an `on` block about a gate.
func (s *scenario) approve(id runbooks.ItemID, i *runbooks.Item, a attrs, delay time.Duration, silent bool) error {
	if typed := a.at("typed", 0); !typed.Absent() {
		text, err := typed.Text()
		if err != nil {
			return fmt.Errorf("typed: %w", err)
		}
		s.typed[id] = engine.ConfirmAnswer{By: s.operator, Typed: text}
	}
	said, err := words(a, delay)
	if err != nil {
		return err
	}
	if silent && i.Expires > 0 {
		said = append(said, simtransport.GateWord{Silent: true})
	}
	if silent || len(a["approve"])+len(a["deny"]) > 0 {
		s.gates[id] = said
	}
	return nil
}

// choose takes an `on` block about a decision.
func (s *scenario) choose(id runbooks.ItemID, i *runbooks.Item, a attrs, delay time.Duration, silent bool) error {
	by, err := a.word("done_by")
	if err != nil {
		return err
	}
	cs := []simtransport.Choice{}
	for n := range max(1, len(a["choose"])) {
		choice := goingOn(i)
		if len(a["choose"]) > 0 {
			if choice, err = a.text("choose", n); err != nil {
				return err
			}
		}
		if !slices.Contains(i.Options, choice) {
			return fmt.Errorf("choose: %q is none of %s", choice, strings.Join(i.Options, ", "))
		}
		cs = append(cs, simtransport.Choice{DecisionAnswer: engine.DecisionAnswer{Choice: choice, By: by}, After: delay})
	}
	switch {
	case silent && i.Expires > 0:
		cs[0].Silent = true
	case silent:
		cs = nil
	}
	s.choices[id] = cs
	return nil
}

// words are what people say to a gate: those who approve, in order, then those who deny.
func words(a attrs, delay time.Duration) ([]simtransport.GateWord, error) {
	var out []simtransport.GateWord
	for _, list := range []string{"approve", "deny"} {
		for n := range a[list] {
			who, err := a.text(list, n)
			if err != nil {
				return nil, err
			}
			w := simtransport.Approve(who)
			if list == "deny" {
				w = simtransport.Deny(who, "denied in the test")
			}
			w.After = delay
			out = append(out, w)
		}
	}
	return out, nil
}

// willing people do what nobody said anything about, as hosts do: whoever of a role does not operate approves, the first
// option that stops nothing is chosen, what is to be typed is typed.
func (s *scenario) willing(p *runbooks.Project, plan *engine.Plan, rb *runbooks.Runbook, operator string) {
	if operator == "" {
		operator = DefaultOperator
	}
	for n := range plan.Items {
		id := plan.Items[n].ID
		i := itemAt(p, rb, id)
		if i == nil {
			continue
		}
		members := membersOf(p, i.Role, operator)
		switch i.Kind {
		case runbooks.Manual:
			s.doneBy(id, i, members)
		case runbooks.Gate:
			s.approvedBy(id, i, members)
		case runbooks.Decision:
			s.chosenBy(id, i, members)
		default: // no people in it
		}
	}
}

func (s *scenario) doneBy(id runbooks.ItemID, i *runbooks.Item, members []string) {
	if _, ok := s.manuals[id]; !ok {
		s.manuals[id] = slices.Repeat([]simtransport.ManualAnswer{{ManualAnswer: engine.ManualAnswer{Done: true}}}, max(1, i.People))
	}
	if _, ok := s.backs[id]; !ok && i.Rollback != nil {
		s.backs[id] = []simtransport.ManualAnswer{{ManualAnswer: engine.ManualAnswer{Done: true}}}
	}
	for _, list := range [][]simtransport.ManualAnswer{s.manuals[id], s.backs[id]} {
		for k := range list {
			if list[k].By == "" {
				list[k].By = member(members, k)
			}
		}
	}
}

func (s *scenario) approvedBy(id runbooks.ItemID, i *runbooks.Item, members []string) {
	if _, ok := s.gates[id]; ok {
		return
	}
	for _, m := range members[:min(len(members), max(1, i.Approvals))] {
		s.gates[id] = append(s.gates[id], simtransport.Approve(m))
	}
}

func (s *scenario) chosenBy(id runbooks.ItemID, i *runbooks.Item, members []string) {
	if _, ok := s.choices[id]; !ok {
		s.choices[id] = []simtransport.Choice{{DecisionAnswer: engine.DecisionAnswer{Choice: goingOn(i)}}}
	}
	for k := range s.choices[id] {
		if c := &s.choices[id][k]; c.By == "" {
			c.By = member(members, k)
		}
	}
}

// membersOf are the members of a role who do not operate.
func membersOf(p *runbooks.Project, role, operator string) []string {
	for _, r := range p.Roles {
		if r.Name == role {
			return slices.DeleteFunc(slices.Clone(r.Members), func(m string) bool { return m == operator })
		}
	}
	return nil
}

// member is the n-th of them, or somebody where the role is anyone's.
func member(members []string, n int) string {
	if len(members) == 0 {
		return somebody
	}
	return members[n%len(members)]
}

// goingOn is the first option that does not stop the run.
func goingOn(i *runbooks.Item) string {
	for _, o := range i.Options {
		if !slices.Contains(i.Stops, o) {
			return o
		}
	}
	return ""
}

// refuse makes people do what a fault of theirs is: say no, say nothing, or approve what they may not.
func (s *scenario) refuse(i *runbooks.Item, f injection, operator string) error {
	switch {
	case f.kind == FaultRejected && i.Kind == runbooks.Manual:
		as := slices.Clone(s.manuals[f.item])
		for n := range as {
			as[n].Done, as[n].Note = false, "simulated: it could not be done"
		}
		s.manuals[f.item] = as
	case f.kind == FaultRejected && i.Kind == runbooks.Gate:
		by := somebody
		if ws := s.gates[f.item]; len(ws) > 0 {
			by = ws[0].By
		}
		s.gates[f.item] = []simtransport.GateWord{simtransport.Deny(by, "simulated")}
	case f.kind == FaultRejected && i.Kind == runbooks.Decision && len(i.Stops) > 0:
		cs := slices.Clone(s.choices[f.item])
		for n := range cs {
			cs[n].Choice = i.Stops[0]
		}
		s.choices[f.item] = cs
	case f.kind == FaultExpired && i.Kind == runbooks.Gate:
		s.gates[f.item] = []simtransport.GateWord{{Silent: true}}
	case f.kind == FaultExpired && i.Kind == runbooks.Decision:
		s.choices[f.item] = []simtransport.Choice{{Silent: true}}
	case f.kind == FaultWrongApprover && i.Kind == runbooks.Gate:
		if operator == "" {
			operator = DefaultOperator
		}
		s.gates[f.item] = []simtransport.GateWord{simtransport.Approve(operator), {Silent: true}}
	default:
		return fmt.Errorf("%w: kind %q of %s", errScript, f.kind, f.item)
	}
	return nil
}

func (a attrs) duration(name string) (time.Duration, error) {
	text, err := a.word(name)
	if err != nil || text == "" {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// manuals are what so many people say to a manual item.
func manuals(a attrs, people int, delay time.Duration) ([]simtransport.ManualAnswer, error) {
	one := simtransport.ManualAnswer{ManualAnswer: engine.ManualAnswer{Done: true}, After: delay}
	if v := a.at("inputs", 0); !v.Absent() {
		es, err := v.Elements()
		if err != nil {
			return nil, fmt.Errorf("inputs: %w", err)
		}
		one.Inputs = map[string]string{}
		for _, k := range es {
			if one.Inputs[k.Key], err = k.Value.Text(); err != nil {
				return nil, fmt.Errorf("inputs.%s: %w", k.Key, err)
			}
		}
	}
	switch o, err := a.word("outcome"); {
	case err != nil:
		return nil, err
	case o != "" && o != string(engine.Succeeded) && o != string(engine.Failed):
		return nil, fmt.Errorf("%w: outcome %q of people: they say that it is succeeded, or failed", errScript, o)
	case o == string(engine.Failed):
		one.Done, one.Note = false, "simulated: it could not be done"
	}
	out := slices.Repeat([]simtransport.ManualAnswer{one}, max(people, len(a["done_by"])))
	for n := range out {
		if n >= len(a["done_by"]) {
			break
		}
		var err error
		if out[n].By, err = a.text("done_by", n); err != nil {
			return nil, err
		}
	}
	return out, nil
}
