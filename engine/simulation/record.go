package simulation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// Past is a run whose journal is read, to make a test of it.
type Past struct {
	Record *engine.Record
	Events []engine.Event
	// Output gives the bytes of an output, Text a text that was too long for the journal.
	Output func(engine.ItemOutput) ([]byte, error)
	Text   func(string) (string, error)
}

// Recorded is a test that was made of a run.
type Recorded struct {
	// Source is the *.test.hcl file, not yet in canonical form.
	Source []byte
	Name   string // of its test
	// Notes say what of the run could not be recorded, or cannot be simulated, one a line.
	Notes []string
}

// Record makes a test of a run: what hosts and people answered becomes its `on` blocks, what the run came to its
// expectations. Secrets are not in a journal, so they are not in the test. Items that the runbook does not have any more are
// left out. The error is about what cannot be read.
func Record(p *runbooks.Project, past Past) (*Recorded, error) {
	rb := p.Runbook(past.Record.Opened.Runbook)
	if rb == nil {
		return nil, fmt.Errorf("%w: the project has no runbook %q any more", errScript, past.Record.Opened.Runbook)
	}
	r := &recorder{p: p, rb: rb, past: past}
	if err := r.listen(); err != nil {
		return nil, err
	}
	o := past.Record.Opened
	name := fmt.Sprintf("as recorded on %s in run %s", past.Record.StartedAt.UTC().Format(time.DateOnly), o.Run)
	var w writer
	r.head(&w)
	w.open("test %s", quote(name))
	w.attr("runbook", quote(rb.Name))
	r.variables(&w)
	if o.Operator != "" {
		w.attr("operator", quote(o.Operator))
	}
	r.before(&w)
	r.answers(&w)
	r.expectations(&w)
	w.end()
	return &Recorded{Source: w.Bytes(), Name: name, Notes: r.notes}, nil
}

// recorder makes one test.
type recorder struct {
	p    *runbooks.Project
	rb   *runbooks.Runbook
	past Past
	said []saying // by hosts, in order of first appearance
	// launched are the units of which an attempt was launched.
	launched map[engine.Unit]bool
	notes    []string
}

func (r *recorder) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(r.notes, n) {
		r.notes = append(r.notes, n)
	}
}

func (r *recorder) head(w *writer) {
	rec := r.past.Record
	o := rec.Opened
	w.comment("Recorded from %s run %s of %s: %s.", rec.Mode, o.Run, rec.StartedAt.UTC().Format(time.RFC3339), rec.Verdict)
	for _, x := range []struct{ what, value string }{{"exercise", o.Exercise}, {"change", o.Change}, {"incident", o.Incident}} {
		if x.value != "" {
			w.comment("%s: %s", x.what, x.value)
		}
	}
	w.comment("What hosts and people said then, they say again, in simulation: a change to the runbook that would have gone")
	w.comment("another way that day shows here. Edit it like any other test.")
	w.line("")
}

// variables are those that differ from their defaults.
func (r *recorder) variables(w *writer) {
	var given []string
	defaults, _ := scope.Variables(scope.Inputs{Project: r.p, Runbook: r.rb}, nil, r.rb.Range)
	for _, v := range r.past.Record.Opened.Variables {
		decl := variableOf(r.rb, v.Name)
		switch {
		case decl == nil:
			r.note("variable %s is not in the runbook any more", v.Name)
		case v.Sensitive:
			given = append(given, fmt.Sprintf("%s = %s # it is sensitive: its value was not recorded", v.Name, quote("not-recorded")))
			r.note("variable %s is sensitive: its value is not in the record; the test says \"not-recorded\"", v.Name)
		case !defaults[v.Name].Absent() && defaults[v.Name].String() == v.Value:
		default:
			given = append(given, fmt.Sprintf("%s = %s", v.Name, literal(decl, v.Value)))
		}
	}
	if len(given) == 0 {
		return
	}
	w.open("variables =")
	for _, g := range given {
		w.line(g)
	}
	w.end()
}

func variableOf(rb *runbooks.Runbook, name string) *runbooks.Variable {
	for _, v := range rb.Variables {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// literal writes the value of a variable as it was recorded, as text.
func literal(v *runbooks.Variable, value string) string {
	switch t := v.Type.String(); {
	case t == "number" || t == "bool":
		return value
	case t == "string" || v.Type.IsHost():
		return quote(value)
	}
	if json.Valid([]byte(value)) {
		return "jsondecode(" + quote(value) + ")"
	}
	return quote(value)
}

// before is what the run was given on its command line, and when it began: what is compared with the time compares as then.
func (r *recorder) before(w *writer) {
	rec := r.past.Record
	o := rec.Opened
	w.line("")
	w.open("before")
	w.attr("started_at", quote(rec.StartedAt.UTC().Format(time.RFC3339Nano)))
	if o.From != "" {
		w.attr("from", quote(o.From))
	}
	if len(o.Limit) > 0 {
		w.attr("limit", quoted(o.Limit))
	}
	if o.Change != "" {
		w.attr("change", quote(o.Change))
	}
	if o.Incident != "" {
		w.attr("incident", quote(o.Incident))
	}
	var marks []string
	for _, m := range rec.Marks {
		if m.Source == engine.MarkByOperator {
			marks = append(marks, fmt.Sprintf("%s = %s", quote(m.Mark), quote(m.At.UTC().Format(time.RFC3339Nano))))
		}
	}
	if len(marks) > 0 {
		w.open("marks =")
		for _, m := range marks {
			w.line(m)
		}
		w.end()
	}
	w.end()
}

// unsimulated are deviations that no simulated run has: what happened to the controller and to its connections.
func unsimulated(kind string) bool {
	return slices.Contains([]string{"legacy-algorithm", "resumed", "clock-anomaly", "journal-recovered"}, kind)
}

// expectations are what the run came to.
func (r *recorder) expectations(w *writer) {
	rec := r.past.Record
	w.line("")
	if rec.Mode == engine.DryRun {
		r.note("a dry-run runs checks only: the test has no answers of steps and people, and expects only what the checks came to")
		r.checksHeld(w)
		return
	}
	if rec.Verdict == engine.PassedWithDeviations {
		w.expect(`startswith(run.verdict, "passed")`)
	} else {
		w.expect("run.verdict == " + quote(string(rec.Verdict)))
	}
	for n := range rec.Items {
		i := &rec.Items[n]
		if top(i) && i.Standing == engine.Fails && i.Outcome != engine.NotReached {
			w.expect(fmt.Sprintf("%s.outcome == %s", i.Plan.ID, quote(string(i.Outcome))))
		}
	}
	r.listed(w, "rolled_back", rolledBack)
	r.listed(w, "cleaned_up", func(i *engine.ItemRecord) bool {
		return i.Plan.Phase == runbooks.CleanupPhase && i.Outcome == engine.Succeeded
	})
	for _, o := range rec.Objectives {
		if o.Met != nil {
			w.expect(map[bool]string{true: "", false: "!"}[*o.Met] + "run.objectives." + o.Name + ".met")
		}
	}
	seen := map[string]bool{}
	for _, d := range rec.Deviations {
		switch {
		case seen[d.Kind]:
		case unsimulated(d.Kind):
			r.note("the run's deviation %q cannot be simulated", d.Kind)
		case d.Kind == "settled" || d.Kind == engine.ActionSkip || d.Kind == engine.ActionByHand || d.Kind == engine.ActionAbort || d.Kind == engine.ActionRetry:
			r.note("a person chose %q at %s: a test has nobody who leads, so the simulated run may go another way", d.Kind, d.Item)
		case d.Kind != "objective-missed" && d.Kind != "not-measured":
			w.expect(fmt.Sprintf("contains(run.deviations, %s)", quote(d.Kind)))
		}
		seen[d.Kind] = true
	}
}

// top reports whether the item is of the runbook itself and not of one that it calls: results in calls have other names.
func top(i *engine.ItemRecord) bool { return strings.Count(string(i.Plan.ID), ".") == 1 }

func (r *recorder) checksHeld(w *writer) {
	for n := range r.past.Record.Items {
		i := &r.past.Record.Items[n]
		if top(i) && i.Outcome == engine.Exercised && r.rb.Item(i.Plan.ID) != nil {
			w.expect(string(i.Plan.ID) + ".ok")
		}
	}
}

// listed expects the items that something is true of in a list of run.
func (r *recorder) listed(w *writer, list string, is func(*engine.ItemRecord) bool) {
	var ids []string
	for n := range r.past.Record.Items {
		if i := &r.past.Record.Items[n]; is(i) {
			ids = append(ids, string(i.Plan.ID))
		}
	}
	if len(ids) > 0 {
		w.expect(fmt.Sprintf("alltrue([for item in %s : contains(run.%s, item)])", quoted(ids), list))
	}
}
