package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const (
	// oscalNS is the namespace of our own properties; it names them and need not resolve.
	oscalNS = "https://github.com/continuo-runbooks/continuo/ns/oscal"
	// OSCALPlanName is the file name under which the results look for the plan beside them.
	OSCALPlanName = "oscal-plan.json"
	controlTest   = "cp-4"  // contingency plan testing
	controlCP10   = "cp-10" // system recovery and reconstitution
	// objectiveTested and objectiveRecovered are the assessment objectives of SP 800-53A that a live run speaks to.
	objectiveTested    = "cp-4_obj.a-2"
	objectiveRecovered = "cp-10_obj-1"
)

// OSCALVersions are the versions of OSCAL that a document can say it is of, the newest first. What we write is common to
// all of them.
func OSCALVersions() []string { return []string{"1.2.2", "1.2.1", "1.2.0", "1.1.3", "1.1.2"} }

// OSCAL writes the report as OSCAL assessment results (JSON). Checks of a live run are observations by TEST, those
// of a dry-run or a simulation by EXAMINE, people's items by INTERVIEW. Only a live run has findings. All identifiers are
// UUIDs of version 5 over the run's id, so that the same record gives the same bytes. The error is the writer's.
func (r *Report) OSCAL(w io.Writer) error {
	o := &oscal{r: r}
	doc, err := o.results()
	if err != nil {
		return err
	}
	return writeJSON(w, doc)
}

// OSCALPlan writes the assessment plan that belongs to the results: what the runbook set out to do. Put it beside the
// results under the name OSCALPlanName. The error is the writer's.
func (r *Report) OSCALPlan(w io.Writer) error { return writeJSON(w, (&oscal{r: r}).plan()) }

type oscal struct{ r *Report }

// id is the identifier of a part of this run's documents.
func (o *oscal) id(parts ...string) string {
	name := oscalNS + "\x00" + string(o.r.Run.ID) + "\x00" + strings.Join(parts, "\x00")
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()
}

func (o *oscal) results() (*oscalResultsFile, error) {
	var plan bytes.Buffer
	if err := o.r.OSCALPlan(&plan); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plan.Bytes())
	planID := o.id("resource", "plan")
	return &oscalResultsFile{Results: oscalResults{
		UUID:     o.id("assessment-results"),
		Metadata: o.metadata("Results of " + o.r.Run.Title),
		ImportAP: oscalHref{Href: "#" + planID},
		Results:  []oscalResult{o.result()},
		BackMatter: &oscalBackMatter{Resources: []oscalResource{
			{UUID: planID, Title: "Assessment plan", RLinks: []oscalRLink{{Href: OSCALPlanName, MediaType: "application/oscal+json",
				Hashes: []oscalHash{{Algorithm: "SHA-256", Value: hex.EncodeToString(sum[:])}}}}},
			{UUID: o.id("resource", "runbook"), Title: "Plan of the run", Description: "plan.json of the evidence bundle.",
				RLinks: o.planLink()},
		}},
	}}, nil
}

func (o *oscal) planLink() []oscalRLink {
	link := oscalRLink{Href: "plan.json", MediaType: "application/json"}
	for _, d := range o.r.Digests {
		if len(d.SHA256) == 64 && strings.HasPrefix(d.Name, "plan.json") {
			link.Hashes = []oscalHash{{Algorithm: "SHA-256", Value: d.SHA256}}
		}
	}
	return []oscalRLink{link}
}

func (o *oscal) plan() *oscalPlanFile {
	r := o.r
	ssp := o.id("resource", "ssp")
	p := oscalPlan{
		UUID:             o.id("assessment-plan"),
		Metadata:         o.metadata("Assessment plan: " + r.Run.Title),
		ImportSSP:        oscalHref{Href: "#" + ssp},
		ReviewedControls: reviewedControls(),
		LocalDefinitions: &oscalPlanLocal{},
		BackMatter: &oscalBackMatter{Resources: []oscalResource{{UUID: ssp, Title: "System security plan",
			Description: "Not part of the record of a run. Put the reference to the system's own plan here."}}},
	}
	for n := range r.Items {
		i := &r.Items[n]
		p.LocalDefinitions.Activities = append(p.LocalDefinitions.Activities, oscalActivity{
			UUID: o.id("activity", string(i.ID)), Title: line(string(i.ID)), Description: o.activityText(i),
			Props: []oscalProp{{Name: "method", Value: o.method(i.Kind)}},
		})
		p.Tasks = append(p.Tasks, o.task(i))
	}
	if len(r.Items) == 0 {
		p.LocalDefinitions = nil
	}
	return &oscalPlanFile{Plan: p}
}

func (o *oscal) activityText(i *Item) string {
	text := fmt.Sprintf("%s of phase %s", i.Kind, md(i.Phase))
	if i.Title != "" {
		text = md(i.Title)
	}
	if len(i.Expects) > 0 {
		text += ". Expected: " + md(strings.Join(i.Expects, "; "))
	}
	return text
}

// method is how something of the kind was assessed.
func (o *oscal) method(k runbooks.Kind) string {
	switch {
	case o.r.Run.Mode != engine.Live:
		return "EXAMINE"
	case k.Effect() == runbooks.Human:
		return "INTERVIEW"
	}
	return "TEST"
}

func (o *oscal) metadata(title string) oscalMetadata {
	r := o.r
	m := oscalMetadata{Title: line(title), LastModified: stamp(r.lastInstant()), Version: "1", OSCALVersion: r.oscalVersion,
		Props: o.props("run", string(r.Run.ID), "mode", string(r.Run.Mode)), Remarks: md(ModeWords(r.Run.Mode))}
	roles := []struct {
		id, title string
		names     []string
	}{
		{"operator", "Operator of the run", r.People.Operators}, {"approver", "Approver", r.People.Approvers},
		{"reviewer", "Reviewer", r.People.Reviewers}, {"performer", "Performed manual items", r.People.Manual}, {"decider", "Made decisions", r.People.Decided},
		{"participant", "Took part", participantNames(r.People.Participants)},
	}
	known := map[string]bool{}
	for _, role := range roles {
		var ids []string
		for _, name := range role.names {
			if plain(name) == "" {
				continue
			}
			ids = append(ids, o.party(name))
			if !known[o.party(name)] {
				known[o.party(name)] = true
				m.Parties = append(m.Parties, oscalParty{UUID: o.party(name), Type: "person", Name: plain(name)})
			}
		}
		if len(ids) > 0 {
			m.Roles = append(m.Roles, oscalRole{ID: role.id, Title: role.title})
			m.ResponsibleParties = append(m.ResponsibleParties, oscalResponsibleParty{RoleID: role.id, PartyUUIDs: ids})
		}
	}
	return m
}

func (o *oscal) party(name string) string { return o.id("party", name) }

func participantNames(list []engine.Participant) []string {
	var out []string
	for _, p := range list {
		out = addName(out, p.Name)
	}
	return out
}

// lastInstant is the last one that the record knows: a report has no time of its own.
func (r *Report) lastInstant() time.Time {
	if !r.Run.EndedAt.IsZero() {
		return r.Run.EndedAt
	}
	return r.Run.StartedAt.Add(r.Run.Elapsed.Duration())
}

func reviewedControls() oscalControls {
	return oscalControls{Selections: []oscalSelection{{Include: []oscalControl{{ID: controlTest}, {ID: controlCP10}}}}}
}

// props makes properties of our namespace from names and values; empty values are left out.
func (o *oscal) props(pairs ...string) []oscalProp {
	var out []oscalProp
	for n := 0; n+1 < len(pairs); n += 2 {
		if v := plain(pairs[n+1]); v != "" {
			out = append(out, oscalProp{Name: pairs[n], NS: oscalNS, Value: v})
		}
	}
	return out
}

// plain is foreign text as an OSCAL string: one line, nothing invisible, no blanks at its ends.
func plain(text string) string { return strings.TrimSpace(visible(text)) }

// line is foreign text as a line of OSCAL markup, never empty.
func line(text string) string { return cmp.Or(md(strings.TrimSpace(text)), "untitled") }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
