package report

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// DiffSchema names the JSON form of a Diff.
const DiffSchema = "continuo/diff/v1"

// Diff is what changed from one run of a runbook to a later one. Lengths are compared only where both runs have one.
type Diff struct {
	Schema     string            `json:"schema"`
	Runbook    string            `json:"runbook"`
	Before     DiffRun           `json:"before"`
	After      DiffRun           `json:"after"`
	Notes      []string          `json:"notes,omitempty"` // what makes the comparison less than like with like
	Items      []DiffItem        `json:"items,omitempty"` // those that changed, in order of the later plan
	Objectives []DiffObjective   `json:"objectives,omitempty"`
	OnlyBefore []runbooks.ItemID `json:"only_before,omitempty"`
	OnlyAfter  []runbooks.ItemID `json:"only_after,omitempty"`
	Elapsed    *Seconds          `json:"elapsed_change_s,omitempty"`
}

// DiffRun names one side.
type DiffRun struct {
	Run       engine.RunID   `json:"run"`
	Mode      engine.Mode    `json:"mode"`
	Verdict   engine.Verdict `json:"verdict"`
	StartedAt time.Time      `json:"started_at"`
	Elapsed   Seconds        `json:"elapsed_s"`
}

// The kinds of change of an item.
const (
	NewlyFailed = "newly-failed" // it was done, and is not any more
	// NewlyNotReached: it was done, and its turn did not come any more; something before it failed.
	NewlyNotReached = "newly-not-reached"
	Recovered       = "recovered" // the reverse of both
	Changed         = "changed"   // another outcome, both done or both not
	Slower          = "slower"
	Faster          = "faster"
)

// DiffItem is an item that changed.
type DiffItem struct {
	Item   runbooks.ItemID `json:"item"`
	Kind   string          `json:"kind"`
	Before engine.Outcome  `json:"before"`
	After  engine.Outcome  `json:"after"`
	// Hosts are those on which it newly failed.
	Hosts      []string `json:"hosts,omitempty"`
	BeforeTook *Seconds `json:"before_s,omitempty"`
	AfterTook  *Seconds `json:"after_s,omitempty"`
	Change     *Seconds `json:"change_s,omitempty"`
	Reason     string   `json:"reason,omitempty"`
}

// DiffObjective is an objective in both runs.
type DiffObjective struct {
	Name     string   `json:"name"`
	Before   *float64 `json:"before,omitempty"` // seconds, or the value of a measured one
	After    *float64 `json:"after,omitempty"`
	MetThen  *bool    `json:"met_before,omitempty"`
	MetNow   *bool    `json:"met_after,omitempty"`
	TargetS  *Seconds `json:"target_s,omitempty"`
	Measured bool     `json:"measured,omitempty"` // a value, not a length
}

// What counts as slower or faster: both more than a fifth and more than half a second, which is beyond what networks vary.
const (
	diffRatio = 5
	diffFloor = 500 * time.Millisecond
)

// Compare says what changed from before to after. Both must be of one runbook.
func Compare(before, after *Report) (*Diff, error) {
	if before.Run.Runbook != after.Run.Runbook {
		return nil, fmt.Errorf("compare runs: %s is of runbook %q, %s of %q", before.Run.ID, before.Run.Runbook, after.Run.ID, after.Run.Runbook)
	}
	d := &Diff{Schema: DiffSchema, Runbook: after.Run.Runbook, Before: diffRun(before), After: diffRun(after)}
	d.Notes = diffNotes(before, after)
	old := make(map[runbooks.ItemID]*Item, len(before.Items))
	for n := range before.Items {
		old[before.Items[n].ID] = &before.Items[n]
	}
	for n := range after.Items {
		now := &after.Items[n]
		then := old[now.ID]
		if then == nil {
			d.OnlyAfter = append(d.OnlyAfter, now.ID)
			continue
		}
		delete(old, now.ID)
		if c, changed := diffItem(then, now); changed {
			d.Items = append(d.Items, c)
		}
	}
	for _, i := range before.Items {
		if old[i.ID] != nil {
			d.OnlyBefore = append(d.OnlyBefore, i.ID)
		}
	}
	slices.SortStableFunc(d.Items, func(a, b DiffItem) int { return diffRank(a.Kind) - diffRank(b.Kind) })
	d.Objectives = diffObjectives(before, after)
	if before.Run.Mode == after.Run.Mode && before.Verdict.Closed && after.Verdict.Closed {
		change := after.Run.Elapsed - before.Run.Elapsed
		d.Elapsed = &change
	}
	return d, nil
}

// JSON writes the comparison. The error is the writer's.
func (d *Diff) JSON(w io.Writer) error { return writeJSON(w, d) }

func diffRun(r *Report) DiffRun {
	return DiffRun{Run: r.Run.ID, Mode: r.Run.Mode, Verdict: r.Verdict.Verdict, StartedAt: r.Run.StartedAt, Elapsed: r.Run.Elapsed}
}

func diffNotes(before, after *Report) []string {
	var out []string
	if before.Run.Mode != after.Run.Mode {
		out = append(out, fmt.Sprintf("The modes differ (%s, %s): lengths and outcomes do not mean the same.", before.Run.Mode, after.Run.Mode))
	}
	if digestOf(before, "plan (") != digestOf(after, "plan (") {
		out = append(out, "The plans differ; items of the same name may do different things.")
	}
	for _, r := range []*Report{before, after} {
		if !r.Verdict.Closed {
			out = append(out, fmt.Sprintf("Run %s is not closed.", r.Run.ID))
		}
	}
	return out
}

func digestOf(r *Report, prefix string) string {
	for _, d := range r.Digests {
		if len(d.Name) >= len(prefix) && d.Name[:len(prefix)] == prefix {
			return d.SHA256
		}
	}
	return ""
}

func diffRank(kind string) int {
	return slices.Index([]string{NewlyFailed, NewlyNotReached, Recovered, Changed, Slower, Faster}, kind)
}

func diffItem(then, now *Item) (DiffItem, bool) {
	c := DiffItem{Item: now.ID, Before: then.Outcome, After: now.Outcome, BeforeTook: then.Took, AfterTook: now.Took, Reason: now.Reason}
	if then.Took != nil && now.Took != nil {
		change := *now.Took - *then.Took
		c.Change = &change
	}
	was, is := then.Standing == engine.Done, now.Standing == engine.Done
	switch {
	case was && (now.Outcome == engine.NotReached || now.Outcome == ""):
		c.Kind = NewlyNotReached
	case was && !is:
		c.Kind, c.Hosts = NewlyFailed, newlyFailing(then, now)
	case !was && is:
		c.Kind = Recovered
	case then.Outcome != now.Outcome:
		c.Kind = Changed
	case c.Change != nil && notable(*then.Took, *c.Change):
		c.Kind = Slower
		if *c.Change < 0 {
			c.Kind = Faster
		}
	default:
		return DiffItem{}, false
	}
	return c, true
}

func notable(before, change Seconds) bool {
	if change < 0 {
		before, change = before+change, -change
	}
	return change.Duration() > diffFloor && change > before/diffRatio
}

func newlyFailing(then, now *Item) []string {
	was := make(map[string]bool)
	for _, u := range then.Units {
		was[u.Key+"\x00"+u.Host] = badUnit(&u)
	}
	var out []string
	for _, u := range now.Units {
		if badUnit(&u) && !was[u.Key+"\x00"+u.Host] && u.Host != "" {
			out = append(out, unitName(&u))
		}
	}
	return out
}

func diffObjectives(before, after *Report) []DiffObjective {
	var out []DiffObjective
	for _, now := range after.Objectives {
		o := DiffObjective{Name: now.Name, After: achievedNumber(now), MetNow: now.Met, TargetS: now.Target, Measured: now.Kind == engine.GoalMeasured}
		for _, then := range before.Objectives {
			if then.Name == now.Name && then.Kind == now.Kind {
				o.Before, o.MetThen = achievedNumber(then), then.Met
			}
		}
		out = append(out, o)
	}
	return out
}

func achievedNumber(o Objective) *float64 {
	if o.Achieved != nil {
		s := o.Achieved.Duration().Seconds()
		return &s
	}
	return o.Value
}
