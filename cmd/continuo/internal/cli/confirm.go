package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// confirmLive lets a live run begin only when someone meant it: a change or an incident where production is touched, and
// the runbook's name typed at the terminal, or --yes where there is none. Its refusals have exit code 4.
func confirmLive(ctx context.Context, ask *view.Asker, s *view.Screen, plan *engine.Plan, reference string, yes bool) error {
	if touchesProduction(plan) && reference == "" {
		return failf(Refused, "say under which change or incident this happens: --change REF or --incident REF",
			"run %s --live: production hosts are touched, and no change or incident is named", plan.Runbook)
	}
	if yes {
		return nil
	}
	if !ask.Present() {
		return failf(Refused, "with a terminal the runbook's name is typed; without one, --yes confirms",
			"run %s --live: not confirmed, and nobody to ask", plan.Runbook)
	}
	s.LiveWarning(plan)
	got, err := ask.Line(ctx, fmt.Sprintf("Type the runbook's name (%s) to begin:", view.Clean(plan.Runbook)))
	if err != nil && !errors.Is(err, io.EOF) {
		return fail(Refused, fmt.Errorf("run %s --live: not confirmed: %w", plan.Runbook, err), "")
	}
	if got != plan.Runbook {
		return failf(Refused, "nothing was connected to and nothing has changed", "run %s --live: not confirmed", plan.Runbook)
	}
	return nil
}

// touchesProduction reports whether a host of the plan is a production host. The control host is not one.
func touchesProduction(plan *engine.Plan) bool {
	for _, h := range plan.Hosts {
		if h.Environment == string(runbooks.Production) && !h.Control {
			return true
		}
	}
	return false
}
