package view

import (
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// PlanDocument is a plan for machines: the plan as it is recorded, and what earlier runs say of its length.
type PlanDocument struct {
	*engine.Plan
	Forecast *PlanForecast `json:"forecast,omitempty"`
}

// PlanForecast is how long a plan is expected to take. Times are in seconds; an item that was never done has none, and then
// nothing is known of the whole.
type PlanForecast struct {
	Runs         int                         `json:"runs"` // earlier live runs that it is from
	TakesS       *float64                    `json:"takes_s,omitempty"`
	CriticalPath []runbooks.ItemID           `json:"critical_path,omitempty"`
	ItemsS       map[runbooks.ItemID]float64 `json:"items_s,omitempty"`
}

// NewPlanDocument makes the document. Without an earlier run there is no forecast.
func NewPlanDocument(p *engine.Plan, o PlanOutlook) PlanDocument {
	out := PlanDocument{Plan: p}
	if o.Runs == 0 {
		return out
	}
	out.Forecast = &PlanForecast{Runs: o.Runs, CriticalPath: o.Path, ItemsS: map[runbooks.ItemID]float64{}}
	for id, took := range o.Items {
		out.Forecast.ItemsS[id] = took.Round(time.Millisecond).Seconds()
	}
	if o.Known {
		takes := o.Takes.Round(time.Millisecond).Seconds()
		out.Forecast.TakesS = &takes
	}
	return out
}
