// Package forecast says how long a run will take, by how long the items of earlier runs of the same runbook took. It is
// arithmetic over plans and records: no I/O, no clock.
//
// A forecast is no promise and decides nothing. Where an item that is still to come was never done before, there is none.
package forecast

import (
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Expected is how long each item is expected to take. An item that is not in it was never done.
type Expected struct {
	Items map[runbooks.ItemID]time.Duration
	// Runs is how many earlier runs it is from.
	Runs int
}

// From takes the median over earlier runs of what each item took. Only live runs count, and in them only items that ended
// well: a failure says nothing about how long the thing itself takes.
func From(earlier []*engine.Record) Expected {
	took := map[runbooks.ItemID][]time.Duration{}
	e := Expected{Items: map[runbooks.ItemID]time.Duration{}}
	for _, r := range earlier {
		if r.Mode != engine.Live {
			continue
		}
		e.Runs++
		for _, i := range r.Items {
			if i.Started && i.Outcome == engine.Succeeded {
				took[i.Plan.ID] = append(took[i.Plan.ID], i.Duration)
			}
		}
	}
	for id, all := range took {
		slices.Sort(all)
		e.Items[id] = (all[(len(all)-1)/2] + all[len(all)/2]) / 2
	}
	return e
}

// Point is where a run stands: what has begun, and what has ended.
type Point struct {
	Now     time.Time
	Started map[runbooks.ItemID]time.Time
	Ended   map[runbooks.ItemID]bool
}

// Outlook is when a run is expected to end and to come to its marks, and the chain of items that decides it.
type Outlook struct {
	End   time.Time
	Marks map[string]time.Time
	Path  []runbooks.ItemID
}

// Ahead is the outlook from a point of a run. It is not known while an item that is still to come was never done before.
func (e Expected) Ahead(plan *engine.Plan, at Point) (Outlook, bool) {
	out := Outlook{End: at.Now, Marks: map[string]time.Time{}}
	if len(e.Items) == 0 {
		return out, false
	}
	w := walk{e: e, at: at, ends: map[runbooks.ItemID]time.Time{}, cause: map[runbooks.ItemID]runbooks.ItemID{}}
	gate, last := at.Now, runbooks.ItemID("") // no phase begins before the one before it has ended
	for _, phase := range inPhases(plan) {
		begin, cause := gate, last
		for _, i := range phase {
			start, end, ok := w.item(i, begin, cause)
			if !ok {
				return Outlook{}, false
			}
			for _, m := range i.MarksStart {
				out.Marks[m] = start
			}
			for _, m := range i.Marks {
				out.Marks[m] = end
			}
			if end.After(gate) {
				gate, last = end, i.ID
			}
		}
	}
	out.End = gate
	for id := last; id != ""; id = w.cause[id] {
		out.Path = append(out.Path, id)
	}
	slices.Reverse(out.Path)
	return out, true
}

// walk goes over the items in the order of the plan.
type walk struct {
	e     Expected
	at    Point
	ends  map[runbooks.ItemID]time.Time
	cause map[runbooks.ItemID]runbooks.ItemID // what an item waited for last
}

func (w *walk) item(i *engine.PlanItem, begin time.Time, after runbooks.ItemID) (start, end time.Time, ok bool) {
	took, known := w.e.Items[i.ID]
	switch {
	case w.at.Ended[i.ID] || i.Disposition == engine.WillSkip:
		w.ends[i.ID] = w.at.Now
		return w.at.Now, w.at.Now, true
	case !known && i.Disposition == engine.RunTime && len(i.WaitsFor) > 0:
		took = 0 // it may be skipped, as it was before
	case !known:
		return start, end, false
	}
	start = begin
	if at, ok := w.at.Started[i.ID]; ok {
		start = at
	} else {
		for _, a := range i.After {
			if t, ok := w.ends[a]; ok && !w.at.Ended[a] && !t.Before(start) {
				start, after = t, a
			}
		}
	}
	end = start.Add(took)
	if end.Before(w.at.Now) {
		end = w.at.Now // it takes longer than expected
	}
	w.ends[i.ID], w.cause[i.ID] = end, after
	return start, end, true
}

// inPhases are the items phase by phase, in the order of the plan.
func inPhases(plan *engine.Plan) [][]*engine.PlanItem {
	var out [][]*engine.PlanItem
	last := ""
	for n := range plan.Items {
		i := &plan.Items[n]
		if n == 0 || i.Phase != last {
			out = append(out, nil)
			last = i.Phase
		}
		out[len(out)-1] = append(out[len(out)-1], i)
	}
	return out
}
