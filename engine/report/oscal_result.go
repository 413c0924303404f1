package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

func (o *oscal) result() oscalResult {
	r := o.r
	out := oscalResult{
		UUID: o.id("result"), Title: line(modeName(r.Run.Mode) + ": " + r.Run.Title),
		Description: fmt.Sprintf("%s Verdict: %s. %s.", md(ModeWords(r.Run.Mode)), VerdictWords(r.Verdict.Verdict), md(r.Verdict.Rule)),
		Start:       stamp(r.Run.StartedAt), ReviewedControls: reviewedControls(),
		Props: o.props("run", string(r.Run.ID), "mode", string(r.Run.Mode), "verdict", string(r.Verdict.Verdict),
			"exercise-type", r.Run.Exercise, "production-impact", r.Run.Impact, "change", r.Run.Change, "incident", r.Run.Incident,
			"elapsed-s", number(r.Run.Elapsed.Duration().Seconds()), "unknown", strconv.Itoa(r.Unknown),
			"coverage", fmt.Sprintf("%d of %d items", r.Coverage.Exercised, r.Coverage.Items)),
		LocalDefinitions: o.local(),
		Attestations:     o.attestations(),
		Observations:     o.observations(),
		Remarks:          o.remarks(),
	}
	if !r.Run.EndedAt.IsZero() {
		out.End = stamp(r.Run.EndedAt)
	}
	if entries := o.entries(); len(entries) > 0 {
		out.Log = &oscalLog{Entries: entries}
	}
	if r.Run.Mode == engine.Live {
		out.Findings = o.findings(out.Observations)
	}
	return out
}

func (o *oscal) local() *oscalResultLocal {
	tool := o.id("component", "continuo")
	l := &oscalResultLocal{Assets: &oscalAssets{
		Components: []oscalComponent{{UUID: tool, Type: "software", Title: "continuo",
			Description: "Executed the runbook and recorded the run.", Status: oscalState{State: "operational"},
			Props: o.props("version", o.r.Tool.Version, "commit", o.r.Tool.Commit, "go", o.r.Tool.Go, "os", o.r.Tool.OS)}},
		Platforms: []oscalPlatform{{UUID: o.id("platform"), Title: line(cmp.Or(o.r.People.OperatorHost, "controller")),
			Uses: []oscalUses{{UUID: tool}}}},
	}}
	for _, h := range o.r.Hosts {
		props := o.props("address", h.Address, "site", h.Site, "environment", h.Environment, "configuration-item", h.CI, "owner", h.Owner)
		if h.Connected != nil {
			props = append(props, o.props("host-key", h.Connected.HostKey, "server-version", h.Connected.ServerVersion)...)
		}
		if h.Preflight != nil {
			props = append(props, o.props("os", h.Preflight.OS)...)
		}
		l.InventoryItems = append(l.InventoryItems, oscalInventoryItem{UUID: o.host(h.Name), Description: line(h.Name), Props: props})
	}
	for n := range o.r.Items {
		l.Tasks = append(l.Tasks, o.task(&o.r.Items[n]))
	}
	return l
}

func (o *oscal) host(name string) string { return o.id("host", name) }

func (o *oscal) task(i *Item) oscalTask {
	t := oscalTask{UUID: o.id("task", string(i.ID)), Type: "action", Title: line(string(i.ID)), Description: md(i.Title),
		Props: o.props("kind", string(i.Kind), "phase", i.Phase)}
	for _, id := range i.After {
		t.Dependencies = append(t.Dependencies, oscalDependency{UUID: o.id("task", string(id))})
	}
	return t
}

func (o *oscal) entries() []oscalEntry {
	var out []oscalEntry
	by := o.loggedBy(o.r.People.Operators)
	for n := range o.r.Items {
		i := &o.r.Items[n]
		if i.Took == nil {
			continue
		}
		out = append(out, oscalEntry{UUID: o.id("entry", string(i.ID)), Title: line(fmt.Sprintf("%s: %s", i.ID, OutcomeWords(i.Outcome))),
			Description: md(i.Reason), Start: stamp(i.StartedAt), End: stamp(endOf(i.StartedAt, i.Took)), LoggedBy: by,
			Tasks: []oscalTaskRef{{UUID: o.id("task", string(i.ID))}}})
	}
	for n, a := range o.r.Actions {
		out = append(out, oscalEntry{UUID: o.id("action", strconv.Itoa(n)), Title: line(a.Action), Description: md(a.Reason),
			Start: stamp(a.At), LoggedBy: o.loggedBy([]string{a.By})})
	}
	if o.r.Run.Mode != engine.DryRun {
		for n, m := range o.r.Marks {
			out = append(out, oscalEntry{UUID: o.id("mark", strconv.Itoa(n)), Title: line("mark " + m.Mark), Start: stamp(m.At), LoggedBy: by})
		}
	}
	return out
}

func (o *oscal) loggedBy(names []string) []oscalLoggedBy {
	for _, name := range names { // a party must be one of the metadata's
		if plain(name) != "" && slices.Contains(o.r.People.Operators, name) {
			return []oscalLoggedBy{{Party: o.party(name)}}
		}
	}
	return nil
}

// observations are the items that did something: one for each, over all its hosts.
func (o *oscal) observations() []oscalObservation {
	var out []oscalObservation
	known := make(map[string]bool, len(o.r.Hosts))
	for _, h := range o.r.Hosts {
		known[h.Name] = true
	}
	for n := range o.r.Items {
		i := &o.r.Items[n]
		if i.Took == nil || i.Time == WaitingTime {
			continue
		}
		ob := oscalObservation{
			UUID: o.id("observation", string(i.ID)), Title: line(fmt.Sprintf("%s: %s", i.ID, OutcomeWords(i.Outcome))),
			Description: o.observationText(i), Methods: []string{o.method(i.Kind)}, Collected: stamp(endOf(i.StartedAt, i.Took)),
			Props: o.props("outcome", string(i.Outcome), "standing", string(i.Standing), "mode", string(o.r.Run.Mode),
				"took-s", number(i.Took.Duration().Seconds())),
			Origins: []oscalOrigin{{Actors: []oscalActor{{Type: "tool", UUID: o.id("component", "continuo")}},
				Tasks: []oscalTaskRef{{UUID: o.id("task", string(i.ID))}}}},
			Evidence: []oscalEvidence{{Href: "journal.jsonl", Description: "The lines of item " + md(i.ID) + " in the journal of the bundle."}},
		}
		if i.Manual != nil && plain(i.Manual.By) != "" {
			ob.Origins[0].Actors = append(ob.Origins[0].Actors, oscalActor{Type: "party", UUID: o.party(i.Manual.By)})
		}
		seen := map[string]bool{}
		for _, u := range i.Units {
			if u.Host != "" && !seen[u.Host] && known[u.Host] {
				seen[u.Host] = true
				ob.Subjects = append(ob.Subjects, oscalSubject{UUID: o.host(u.Host), Type: "inventory-item"})
			}
		}
		out = append(out, ob)
	}
	return out
}

func (o *oscal) observationText(i *Item) string {
	var parts []string
	if i.Title != "" {
		parts = append(parts, md(i.Title)+".")
	}
	v := newItemView(i)
	for _, c := range v.Counts {
		parts = append(parts, fmt.Sprintf("%s on %s.", OutcomeWords(c.Outcome), plural(c.N, "unit")))
	}
	for _, e := range v.Expected {
		parts = append(parts, expectedText(e)+".")
	}
	for _, l := range i.peopleLines() {
		parts = append(parts, md(l))
	}
	if i.Manual != nil {
		parts = append(parts, fmt.Sprintf("By the word of %s (%s). %s", md(i.Manual.By), signedWord(i.Manual.Signed), md(i.Manual.Note)))
	}
	if i.Reason != "" {
		parts = append(parts, md(i.Reason)+".")
	}
	return strings.TrimSpace(cmp.Or(strings.Join(parts, " "), OutcomeWords(i.Outcome)))
}

func expectedText(e expectRow) string {
	text := "Expected " + mdCode(e.Condition)
	if len(e.Observed) > 0 {
		text += ", observed " + mdCode(strings.Join(e.Observed, "; "))
	}
	results := []string{text}
	for _, c := range e.Results {
		result := md(c.Result)
		if c.N > 1 {
			result += fmt.Sprintf(" on %d", c.N)
		}
		results = append(results, result)
	}
	return strings.Join(results, "; ")
}

// findings say which assessment objectives a live run speaks to: that the plan was tested, and each objective of the
// runbook against its target. What was not measured is not satisfied, for another reason than a failure.
func (o *oscal) findings(observed []oscalObservation) []oscalFinding {
	var related []oscalRelatedObsv
	for _, ob := range observed {
		related = append(related, oscalRelatedObsv{UUID: ob.UUID})
	}
	v := o.r.Verdict
	status := oscalTargetStatus{State: "not-satisfied", Reason: "fail"}
	switch v.Verdict {
	case engine.Passed, engine.PassedWithDeviations:
		status = oscalTargetStatus{State: "satisfied", Reason: "pass"}
	case engine.Aborted, engine.Incomplete:
		status.Reason = "other"
	default:
	}
	out := []oscalFinding{{UUID: o.id("finding", "verdict"), Title: line("Verdict: " + VerdictWords(v.Verdict)),
		Description: md(cmp.Or(v.Rule, string(v.Verdict))), Observations: related,
		Target: oscalTarget{Type: "objective-id", ID: objectiveTested, Status: status}}}
	for _, ob := range o.r.Objectives {
		status := oscalTargetStatus{State: "not-satisfied", Reason: "other"}
		text := "not measured, because " + ob.Problem
		if ob.Met != nil {
			status.Reason = "fail"
			if *ob.Met {
				status = oscalTargetStatus{State: "satisfied", Reason: "pass"}
			}
		}
		if a := achievedWords(ob); a != "" {
			text = "achieved " + a
		}
		out = append(out, oscalFinding{UUID: o.id("finding", "objective", ob.Name), Title: line("Objective " + ob.Name),
			Description: md(fmt.Sprintf("Target %s, %s; %s.", targetWords(ob), text, spanWords(ob))),
			Target:      oscalTarget{Type: "objective-id", ID: objectiveRecovered, Status: status}})
	}
	return out
}

func (o *oscal) attestations() []oscalAttestation {
	var out []oscalAttestation
	for _, s := range o.r.Signed {
		if s.Kind != "review" || !s.Verified || plain(s.Principal) == "" {
			continue
		}
		const word = "The signature was verified when this document was made."
		out = append(out, oscalAttestation{
			ResponsibleParties: []oscalResponsibleParty{{RoleID: "reviewer", PartyUUIDs: []string{o.party(s.Principal)}}},
			Parts: []oscalPart{{Name: "sign-off", NS: oscalNS, Title: "Sign-off",
				Prose: strings.TrimSpace(fmt.Sprintf("%s %s %s", signedAt(s.At), md(s.Text), word))}},
		})
	}
	return out
}

func signedAt(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant(t) + ":"
}

func (o *oscal) remarks() string {
	var out []string
	for _, d := range o.r.Deviations {
		text := "Deviation: " + md(d.Kind)
		if where := placeWords(string(d.Item), d.Host); where != "the run" {
			text += ", " + where
		}
		if d.By != "" {
			text += ", by " + md(d.By)
		}
		out = append(out, text+": "+md(d.Reason))
	}
	if o.r.Rollback != nil {
		for _, l := range rollbackLines(o.r.Rollback) {
			out = append(out, "Rollback: "+md(l))
		}
	}
	for _, n := range o.r.NotExecuted {
		out = append(out, fmt.Sprintf("Not executed: %s: %s", placeWords(string(n.Item), n.Host), md(n.Why)))
	}
	return strings.Join(out, "\n\n")
}
