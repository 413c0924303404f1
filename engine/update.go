package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Update is the progress update that a runbook promises its stakeholders (update_every). The clock begins with the run and
// again with every note: who gives the update says so in the journal by one.
type Update struct {
	Every time.Duration
	// Last is when the last one was given; the run's beginning while none was.
	Last time.Time
	Due  time.Time
}

// Update is the next progress update of an open run; nil when none is promised, in a dry-run, or when the run has ended.
func (r *Record) Update() *Update {
	if r.Plan == nil || r.Plan.UpdateEveryS <= 0 || r.Closed || r.Mode == DryRun || r.StartedAt.IsZero() {
		return nil
	}
	u := &Update{Every: time.Duration(r.Plan.UpdateEveryS * float64(time.Second)), Last: r.StartedAt}
	for _, a := range r.Actions {
		if a.Action == ActionNote && a.At.After(u.Last) {
			u.Last = a.At
		}
	}
	u.Due = u.Last.Add(u.Every)
	return u
}

// DraftUpdate is a text for the next progress update, from what is on record at an instant: where the recovery stands, who
// is waited for, and how its objectives do. It holds nothing that the record does not, and is a person's to change before it
// is sent. Times are in loc.
func (r *Record) DraftUpdate(now time.Time, loc *time.Location) string {
	clock := func(t time.Time) string { return t.In(loc).Format("15:04 MST") }
	d := draft{r: r, now: now}
	d.add("%s: %s, %s, begun %s", reasonOr(r.Plan.Title, r.Plan.Runbook), modeWord(r.Mode), clock(now), ago(now.Sub(r.StartedAt)))
	if s := r.Plan.Scenario; s != nil && s.Title != "" {
		d.add("Situation: %s.", strings.TrimSuffix(s.Title, "."))
	}
	d.items(clock)
	d.batches()
	d.goals()
	if u := r.Update(); u != nil {
		d.add("Next update by %s.", clock(now.Add(u.Every)))
	}
	return strings.Join(d.lines, "\n")
}

func modeWord(m Mode) string {
	if m == Live {
		return "live"
	}
	return string(m)
}

// draft gathers the lines of an update.
type draft struct {
	r     *Record
	now   time.Time
	lines []string
}

func (d *draft) add(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// items says what is done, what runs, who is waited for, and what failed.
func (d *draft) items(clock func(time.Time) string) {
	done, ended := 0, (*ItemRecord)(nil)
	var lastEnd time.Time
	for n := range d.r.Items {
		i := &d.r.Items[n]
		if i.Outcome == "" || i.Outcome == NotReached {
			continue
		}
		done++
		if end := i.StartedAt.Add(i.Duration); i.Started && i.Standing == Done && !end.Before(lastEnd) {
			ended, lastEnd = i, end
		}
	}
	text := fmt.Sprintf("Done: %d of %d items", done, len(d.r.Items))
	if ended != nil {
		text += fmt.Sprintf(", last %s at %s", named(ended), clock(lastEnd))
	}
	d.add("%s.", text)
	for n := range d.r.Items {
		if i := &d.r.Items[n]; i.atWork() {
			d.add("%s: %s since %s%s.", verb(i), named(i), clock(i.workingSince()), d.where(i))
		}
	}
	for n := range d.r.Items {
		i := &d.r.Items[n]
		switch {
		case i.Standing == Open:
			d.add("Not known how it ended: %s.", named(i))
		case i.Standing == Fails && i.Outcome != NotReached && i.Plan.Severity != severityFinding:
			d.add("Failed: %s (%s).", named(i), reasonOr(i.Reason, string(i.Outcome)))
		}
	}
}

// atWork reports whether the item has begun and not ended, in its batch where it has several.
func (i *ItemRecord) atWork() bool {
	if len(i.Batches) > 0 {
		last := i.Batches[len(i.Batches)-1]
		return i.Outcome == "" && last.Outcome == "" && !last.StartedAt.IsZero()
	}
	return i.Started && i.Outcome == ""
}

// workingSince is when the item, or the item in the batch that runs, began.
func (i *ItemRecord) workingSince() time.Time {
	if len(i.Batches) > 0 {
		return i.Batches[len(i.Batches)-1].StartedAt
	}
	return i.StartedAt
}

func verb(i *ItemRecord) string {
	if i.Plan.Effect == runbooks.Human {
		return "Waiting for people"
	}
	return "Running"
}

// named is the item's title with its id, or the id.
func named(i *ItemRecord) string {
	if i.Plan.Title == "" {
		return string(i.Plan.ID)
	}
	return fmt.Sprintf("%s (%s)", i.Plan.Title, i.Plan.ID)
}

func (d *draft) where(i *ItemRecord) string {
	switch n := len(i.Plan.Hosts); {
	case i.Plan.Effect == runbooks.Human && i.Plan.Owner != "":
		return ", " + i.Plan.Owner
	case i.Plan.Effect == runbooks.Human && len(i.Approvals) > 0:
		return ", " + plural(len(i.Approvals), "approval") + " so far"
	case n == 1:
		return " on " + i.Plan.Hosts[0]
	case n > 1:
		return fmt.Sprintf(" on %d hosts", n)
	}
	return ""
}

// batches says how far the rollouts have come.
func (d *draft) batches() {
	done, failed, hosts := 0, 0, 0
	phase := ""
	for _, b := range d.r.Batches {
		hosts += len(b.Hosts)
		done += b.Count.Done
		failed += len(b.Failed)
		if !b.Started.IsZero() && !b.Ended {
			phase = fmt.Sprintf(", batch %d of %d of %s runs", b.Batch, b.Of, b.Phase)
		}
	}
	if hosts > 0 {
		d.add("Rolled out to %d of %d hosts, %d failed%s.", done, hosts, failed, phase)
	}
}

// goals says how the objectives do that have a clock.
func (d *draft) goals() {
	for _, o := range d.r.Objectives {
		if o.Kind != GoalElapsed || o.TargetS == nil {
			continue
		}
		target := span(time.Duration(*o.TargetS * float64(time.Second)))
		from := d.r.markAt(o.From)
		switch {
		case o.AchievedS != nil && o.Met != nil && *o.Met:
			d.add("Objective %s: met, %s of %s.", o.Name, span(time.Duration(*o.AchievedS*float64(time.Second))), target)
		case o.AchievedS != nil:
			d.add("Objective %s: missed, %s of %s.", o.Name, span(time.Duration(*o.AchievedS*float64(time.Second))), target)
		case !from.IsZero() && d.now.Sub(from).Seconds() > *o.TargetS:
			d.add("Objective %s: missed, %s of %s and not there yet.", o.Name, span(d.now.Sub(from)), target)
		case !from.IsZero():
			d.add("Objective %s: %s of %s used.", o.Name, span(d.now.Sub(from)), target)
		}
	}
}

// markAt is the earliest instant of a mark; zero while it is not set.
func (r *Record) markAt(name string) time.Time {
	var at time.Time
	for _, m := range r.Marks {
		if m.Mark == name && (at.IsZero() || m.At.Before(at)) {
			at = m.At
		}
	}
	return at
}

func ago(d time.Duration) string { return span(d) + " ago" }

// span is a length of time as people say it: whole minutes, seconds below one.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return plural(int(d/time.Second), "second")
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute")
	}
	return fmt.Sprintf("%d h %d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
}
