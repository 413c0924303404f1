package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// How much the faces for people show of one item. The rest is counted; report.json and the journal have all of it.
const (
	hostsShown    = 3  // hosts that did as expected
	failingShown  = 20 // failing hosts with their details
	failingNamed  = 200
	outputLines   = 40
	outputBytes   = 4096
	observedShown = 4 // different observations of one expectation
)

// itemView is an item as the faces for people show it.
type itemView struct {
	*Item
	Counts   []outcomeCount
	Expected []expectRow
	Commands []commandRow
	Shown    []unitView
	// Failing names the failing hosts beyond those shown; FailingLeft counts what is not even named.
	Failing     []string
	FailingLeft int
	// Others counts the units that are not shown and did not fail, and says how long they took.
	Others  string
	OnHosts bool
	Outputs []outputView
}

// outputView is an output with the units that wrote the same.
type outputView struct {
	Output
	Who string
}

// unitView is a unit with the parts that are worth a line.
type unitView struct {
	*Unit
	Name    string
	Details []string
}

type outcomeCount struct {
	Outcome engine.Outcome
	N       int
}

// expectRow is one expectation over all units: what was expected, what was observed where.
type expectRow struct {
	Condition string
	Where     string // the part, when it is not the command
	Results   []resultCount
	Observed  []string
	Message   string
}

type resultCount struct {
	Result string
	N      int
	Hosts  []string // named for what does not hold
}

func newItemView(i *Item) itemView {
	v := itemView{Item: i}
	v.OnHosts = i.Kind.OnHosts() && slices.ContainsFunc(i.Units, func(u Unit) bool { return u.Host != "" || u.Key != "" || ran(u.Outcome) })
	v.Counts = countOutcomes(i.Units)
	v.Expected = expectRows(i)
	v.Commands = commandRows(i)
	var failing, fine []*Unit
	for n := range i.Units {
		u := &i.Units[n]
		if badUnit(u) {
			failing = append(failing, u)
		} else {
			fine = append(fine, u)
		}
	}
	for n, u := range failing {
		switch {
		case n < failingShown:
			v.Shown = append(v.Shown, newUnitView(u))
		case len(v.Failing) < failingNamed:
			v.Failing = append(v.Failing, unitName(u))
		default:
			v.FailingLeft++
		}
	}
	for n, u := range fine {
		if n < hostsShown || len(fine) <= hostsShown+1 {
			v.Shown = append(v.Shown, newUnitView(u))
		}
	}
	if left := fine[min(len(fine), len(v.Shown)-min(len(failing), failingShown)):]; len(left) > 0 {
		v.Others = othersWords(left)
	}
	v.Outputs = outputViews(v.Shown)
	return v
}

// outputViews shows an output once when several units wrote the same.
func outputViews(units []unitView) []outputView {
	var out []outputView
	var who [][]string
	for _, u := range units {
		for _, o := range u.Outputs {
			n := slices.IndexFunc(out, func(v outputView) bool {
				return v.SHA256 == o.SHA256 && v.Part == o.Part && v.Stream == o.Stream && v.Attempt == o.Attempt
			})
			if n < 0 {
				out, who = append(out, outputView{Output: o}), append(who, nil)
				n = len(out) - 1
			}
			who[n] = append(who[n], u.Name)
		}
	}
	for n := range out {
		out[n].Who = someOf(who[n])
	}
	return out
}

// badUnit reports whether a unit deserves a reader's attention: it failed, is unknown, or took more than one attempt.
func badUnit(u *Unit) bool {
	return u.Outcome.Standing() != engine.Done && u.Outcome != engine.NotReached || u.SettledBy != "" || len(u.Survivors) > 0
}

func unitName(u *Unit) string {
	switch {
	case u.Key != "" && u.Host != "":
		return u.Key + " on " + u.Host
	case u.Key != "":
		return u.Key
	case u.Host != "":
		return u.Host
	}
	return "the run"
}

func countOutcomes(units []Unit) []outcomeCount {
	var out []outcomeCount
	for _, u := range units {
		n := slices.IndexFunc(out, func(c outcomeCount) bool { return c.Outcome == u.Outcome })
		if n < 0 {
			out = append(out, outcomeCount{Outcome: u.Outcome})
			n = len(out) - 1
		}
		out[n].N++
	}
	slices.SortStableFunc(out, func(a, b outcomeCount) int { return outcomeRank(a.Outcome) - outcomeRank(b.Outcome) })
	return out
}

func outcomeRank(o engine.Outcome) int {
	switch outcomeTone(o) {
	case "bad":
		return 0
	case "warn":
		return 1
	case "good":
		return 2
	}
	return 3
}

func othersWords(left []*Unit) string {
	var lengths []time.Duration
	same := left[0].Outcome
	for _, u := range left {
		if u.Took != nil {
			lengths = append(lengths, u.Took.Duration())
		}
		if u.Outcome != same {
			same = ""
		}
	}
	text := plural(len(left), "more host")
	if same != "" {
		text += ": " + OutcomeWords(same)
	}
	if len(lengths) > 1 {
		slices.Sort(lengths)
		text += fmt.Sprintf(", in %s to %s, median %s", human(lengths[0]), human(lengths[len(lengths)-1]), human(lengths[len(lengths)/2]))
	}
	return text + "."
}

func newUnitView(u *Unit) unitView {
	v := unitView{Unit: u, Name: unitName(u)}
	add := func(format string, args ...any) { v.Details = append(v.Details, fmt.Sprintf(format, args...)) }
	if u.Reason != "" {
		add("%s", u.Reason)
	}
	if u.Hint != "" {
		add("Hint: %s", u.Hint)
	}
	if u.SettledBy != "" {
		add("Settled as %s by %s; the outcome stands.", u.Standing, u.SettledBy)
	}
	if u.Attempts > 1 {
		add("%d attempts.", u.Attempts)
		for _, p := range u.Parts {
			if p.Part == engine.PartCommand && p.Attempt < u.Attempts {
				add("Attempt %d: %s.", p.Attempt, endWords(p))
			}
		}
	}
	for _, p := range u.Parts {
		if p.Part == "" {
			add("Before a person had it tried again: %s.", endWords(p))
		}
	}
	if u.Reattached > 0 {
		add("The connection was lost and taken up again %s; the command ran on.", times(u.Reattached))
	}
	if u.Rounds > 1 {
		add("Asked %s until it held or the time was up.", times(u.Rounds))
	}
	if u.KillConfirmed != nil && !*u.KillConfirmed {
		add("It was told to end; that it is gone is not confirmed.")
	}
	if len(u.Survivors) > 0 {
		add("Left running: %s.", joinWords(u.Survivors))
	}
	return v
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return count(n) + " times"
}

func endWords(p Part) string {
	text := OutcomeWords(p.Outcome)
	switch {
	case p.Signal != "":
		text += ", signal " + p.Signal
	case p.ExitCode != nil && !strings.Contains(p.Reason, "exit code"):
		text += fmt.Sprintf(", exit code %d", *p.ExitCode)
	}
	if p.Reason != "" {
		text += ", " + p.Reason
	}
	return text
}

// expectRows gathers the expectations of an item over its units, then those of the item as a whole.
func expectRows(i *Item) []expectRow {
	var rows []expectRow
	add := func(where, host string, list []engine.Expectation) {
		for _, e := range list {
			n := slices.IndexFunc(rows, func(r expectRow) bool { return r.Condition == e.Condition && r.Where == where })
			if n < 0 {
				rows = append(rows, expectRow{Condition: e.Condition, Where: where})
				n = len(rows) - 1
			}
			rows[n].add(host, e)
		}
	}
	for n := range i.Units {
		u := &i.Units[n]
		add("", unitName(u), u.Expectations)
		for _, p := range u.Parts {
			if p.Part != engine.PartCommand && p.Part != "" {
				add(string(p.Part), unitName(u), p.Expects)
			}
		}
	}
	add("all", "", i.Expectations)
	for _, condition := range i.Expects { // what was never judged is listed too
		if !slices.ContainsFunc(rows, func(r expectRow) bool { return r.Condition == condition }) {
			rows = append(rows, expectRow{Condition: condition, Results: []resultCount{{Result: "not judged", N: 0}}})
		}
	}
	return rows
}

func (r *expectRow) add(host string, e engine.Expectation) {
	n := slices.IndexFunc(r.Results, func(c resultCount) bool { return c.Result == e.Result })
	if n < 0 {
		r.Results = append(r.Results, resultCount{Result: e.Result})
		n = len(r.Results) - 1
	}
	r.Results[n].N++
	if e.Result != "holds" && host != "" && len(r.Results[n].Hosts) < failingShown {
		r.Results[n].Hosts = append(r.Results[n].Hosts, host)
	}
	if e.Observed != "" && !slices.Contains(r.Observed, e.Observed) && len(r.Observed) < observedShown {
		r.Observed = append(r.Observed, e.Observed)
	}
	if e.Result != "holds" && r.Message == "" {
		r.Message = e.Message
	}
}

// instructions is the text of a manual item, Markdown as it was written.
func (v itemView) instructions() string {
	if v.Kind != runbooks.Manual {
		return ""
	}
	for _, c := range v.Planned {
		if c.Probe != "" {
			return c.Probe
		}
	}
	return ""
}
