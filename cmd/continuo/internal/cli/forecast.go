package cli

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/forecast"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const (
	forecastRuns = 5  // earlier runs that a forecast is made from
	forecastLook = 40 // runs that are looked at to find so many
)

// expected is how long the items of a runbook took in its last live runs. A record that cannot be read is no earlier run.
func (a *app) expected(runbook string, but engine.RunID) forecast.Expected {
	ids, err := evidence.Runs(a.stateDir())
	if err != nil {
		return forecast.Expected{}
	}
	slices.Reverse(ids)
	var earlier []*engine.Record
	for _, id := range ids[:min(len(ids), forecastLook)] {
		if id == but {
			continue
		}
		l, err := evidence.Load(evidence.RunDir(a.stateDir(), id))
		if err != nil || l.Record.Mode != engine.Live || l.Record.Opened.Runbook != runbook {
			continue
		}
		if earlier = append(earlier, l.Record); len(earlier) == forecastRuns {
			break
		}
	}
	return forecast.From(earlier)
}

// forecaster has the console say when the run will end, by earlier runs of its runbook. They are read once somebody looks at
// the console, and beside the run: nothing that is urgent waits for history.
func (a *app) forecaster(c *view.Console, plan *engine.Plan, run engine.RunID) {
	var once sync.Once
	var found atomic.Pointer[forecast.Expected]
	c.Forecast(func(now time.Time, started map[runbooks.ItemID]time.Time, ended map[runbooks.ItemID]bool) (view.Outlook, bool) {
		once.Do(func() {
			go func() {
				e := a.expected(plan.Runbook, run)
				found.Store(&e)
			}()
		})
		e := found.Load()
		if e == nil || e.Runs == 0 {
			return view.Outlook{}, false
		}
		o, ok := e.Ahead(plan, forecast.Point{Now: now, Started: started, Ended: ended})
		return view.Outlook{End: o.End, Marks: o.Marks}, ok
	})
}

// outlook is what a plan says of its length.
func (a *app) outlook(plan *engine.Plan) view.PlanOutlook {
	e := a.expected(plan.Runbook, "")
	begin := time.Unix(0, 0)
	o, ok := e.Ahead(plan, forecast.Point{Now: begin})
	if !ok {
		return view.PlanOutlook{Runs: e.Runs}
	}
	return view.PlanOutlook{Runs: e.Runs, Known: true, Takes: o.End.Sub(begin), Path: o.Path, Items: e.Items}
}
