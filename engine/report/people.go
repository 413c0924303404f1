package report

import (
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func buildPeople(rec *engine.Record, signed []Signed) People {
	p := People{OperatorHost: rec.Opened.OperatorHost, Participants: rec.Opened.Participants}
	p.Operators = addName(p.Operators, rec.Opened.Operator)
	for _, d := range rec.Deviations {
		if d.Kind == "resumed" {
			p.Operators = addName(p.Operators, d.By)
		}
	}
	for _, a := range rec.Actions {
		if a.Action != engine.ActionNote {
			p.Operators = addName(p.Operators, a.By)
		}
	}
	for _, s := range signed {
		switch {
		case !s.Verified:
		case s.Kind == "approval":
			p.Approvers = addName(p.Approvers, s.Principal)
		case s.Kind == "review":
			p.Reviewers = addName(p.Reviewers, s.Principal)
		}
	}
	for _, i := range rec.Items {
		for _, a := range i.Approvals {
			if a.Void == "" {
				p.Approvers = addName(p.Approvers, a.By)
			}
		}
		if i.Manual != nil {
			p.Manual = addName(p.Manual, i.Manual.By)
		}
		if i.Decision != nil {
			p.Decided = addName(p.Decided, i.Decision.By)
		}
	}
	gates := slices.ContainsFunc(rec.Plan.Items, func(i engine.PlanItem) bool { return i.Kind == runbooks.Gate })
	nobody := "the plan asks for no approval"
	if gates {
		nobody = "no approval is on record"
	}
	p.Independence = []Statement{
		different("Are operator and approver different people?", p.Operators, p.Approvers, nobody),
		different("Are operator and reviewer different people?", p.Operators, p.Reviewers, "not reviewed when this report was made"),
	}
	if len(p.Approvers) > 0 && len(p.Reviewers) > 0 {
		p.Independence = append(p.Independence,
			different("Are approver and reviewer different people?", p.Approvers, p.Reviewers, ""))
	}
	if owner := rec.Plan.Owner; owner != "" && len(p.Reviewers) > 0 {
		p.Independence = append(p.Independence, different("Are the runbook's owner and the reviewer different people?", []string{owner}, p.Reviewers, ""))
	}
	return p
}

func addName(names []string, name string) []string {
	if name == "" || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// different answers whether no one is in both groups. Names are compared as principals, without regard to case.
func different(question string, a, b []string, nobody string) Statement {
	s := Statement{Question: question}
	if len(b) == 0 {
		s.Answer = nobody
		return s
	}
	var both []string
	for _, name := range b {
		if slices.ContainsFunc(a, func(o string) bool { return strings.EqualFold(o, name) }) {
			both = append(both, name)
		}
	}
	holds := len(both) == 0
	s.Holds = &holds
	s.Answer = "yes"
	if !holds {
		s.Answer = "no: " + joinWords(both) + " was both"
	}
	return s
}
