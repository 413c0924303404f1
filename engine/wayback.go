package engine

import (
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// WayBack is what a rollback would do at this point of a run.
type WayBack struct {
	// Steps are the units to roll back, the last started first.
	Steps []BackStep
	// Until is the last irreversible item that started, the point of no return; Kept are the units at and before it, in the
	// order in which they would follow if a person says so.
	Until runbooks.ItemID
	Kept  []BackStep
	// Open are units of which nobody knows how they ended.
	Open []Unit
}

// BackStep is a unit that may have changed something.
type BackStep struct {
	Unit
	Reversible bool // it has a rollback
}

// FindWayBack computes the way back of a run from its events: what the executor would do, as far as the record tells.
func FindWayBack(plan *Plan, events []Event) (WayBack, error) {
	rec, err := Fold(plan, events)
	if err != nil {
		return WayBack{}, err
	}
	units := map[Unit]*UnitRecord{}
	for n := range rec.Items {
		for k := range rec.Items[n].Units {
			units[rec.Items[n].Units[k].Unit] = &rec.Items[n].Units[k]
		}
	}
	started := startedUnits(plan, events)
	var out WayBack
	var changed []Unit
	for _, id := range started {
		u := units[id]
		switch {
		case u == nil:
		case u.Standing == Open:
			out.Open = append(out.Open, id)
		case mayHaveChanged(u):
			changed = append(changed, id)
		}
	}
	point := -1
	first := map[runbooks.ItemID]bool{}
	for n, id := range changed {
		if !first[id.Item] && plan.Item(id.Item).Irreversible {
			point, out.Until = n, id.Item
		}
		first[id.Item] = true
	}
	for n, id := range slices.Backward(changed) {
		step := BackStep{Unit: id, Reversible: plan.Item(id.Item).HasRollback}
		if n <= point || out.Until != "" && id.Item == out.Until {
			out.Kept = append(out.Kept, step)
		} else {
			out.Steps = append(out.Steps, step)
		}
	}
	return out, nil
}

func mayHaveChanged(u *UnitRecord) bool {
	switch u.Outcome {
	case Succeeded, Failed, TimedOut:
		return true
	case Unknown:
		return u.SettledBy != ""
	default:
		return false
	}
}

// startedUnits are the units whose command was launched, and the manual items that were asked for, in order of their start.
func startedUnits(plan *Plan, events []Event) []Unit {
	var out []Unit
	seen := map[Unit]bool{}
	add := func(u Unit) {
		if !seen[u] {
			seen[u] = true
			out = append(out, u)
		}
	}
	for _, e := range events {
		switch p := e.Payload.(type) {
		case *ItemIntent:
			if p.Part == PartCommand {
				add(p.Unit)
			}
		case *ItemStarted:
			if i := plan.Item(p.Item); i != nil && i.Kind == runbooks.Manual {
				add(Unit{Item: p.Item, Batch: p.Batch})
			}
		}
	}
	return out
}
