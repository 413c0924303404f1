package view

import (
	"strconv"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// phaseRollout says how a phase rolls out: "rolls out over 200 hosts in 6 batches: 2, 10, 3 × 50, 38; pause 30s; stops when
// any host fails".
func phaseRollout(r *engine.PlanRollout) string {
	if r == nil {
		return ""
	}
	out := "rolls out over hosts that the run will know"
	if len(r.Hosts) > 0 {
		out = "rolls out over " + Count(len(r.Hosts), "host")
	}
	return out + rolloutText(r)
}

// itemRollout says how an item of its own divides its hosts.
func itemRollout(r *engine.PlanRollout) string {
	switch {
	case r == nil, r.Phase && len(r.Sizes) == 0 && r.Parallel == 0:
		return "" // as its phase does
	case r.Phase:
		return strings.TrimPrefix(rolloutText(r), " ") + " of each batch"
	}
	return strings.TrimPrefix(rolloutText(r), " ")
}

func rolloutText(r *engine.PlanRollout) string {
	out := ""
	switch {
	case len(r.Batches) > 0:
		out = " in " + countBatches(len(r.Batches)) + ": " + sizesText(r.Batches)
	case len(r.Sizes) > 0:
		out = " in batches of " + strings.Join(r.Sizes, ", ")
	}
	if r.Parallel > 0 {
		out += "; " + strconv.Itoa(r.Parallel) + " at once"
	}
	if r.PauseS > 0 {
		out += "; pause " + Seconds(r.PauseS)
	}
	if len(r.MaxFailures) > 0 && strings.Join(r.MaxFailures, "") != "0" {
		return out + "; stops when more than " + strings.Join(r.MaxFailures, ", ") + " failed"
	}
	return out + "; stops when any fails"
}

// everyText says how often stakeholders hear of the run.
func everyText(p *engine.Plan) string {
	if p.UpdateEveryS == 0 {
		return ""
	}
	return "progress update promised every " + Seconds(p.UpdateEveryS)
}
