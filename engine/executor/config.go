package executor

import (
	"errors"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// DefaultParallel is how many hosts are worked on at once in a whole run.
const DefaultParallel = 256

// Config is everything that a run needs. Project, Runbook, Plan, Opened, Mode, Journal, Artifacts, Redactor, Clock and
// Prober are required; Launcher outside a dry-run, where it must be nil.
type Config struct {
	Project   *runbooks.Project
	Runbook   *runbooks.Runbook
	Plan      *engine.Plan
	Variables map[string]expr.Value // as planned
	Opened    engine.RunOpened      // the first event
	Mode      engine.Mode

	// Journal takes the events. Whoever else writes events of this run (a transport that connected) must write them to
	// the same Recorder, so that the record sees all of them.
	Journal   engine.Journal
	Artifacts engine.Artifacts
	Redactor  engine.Learner
	Secrets   engine.Secrets    // nil: the project uses none
	People    engine.People     // nil: nobody to ask
	Operator  engine.Operator   // nil: nobody to ask
	Approver  engine.Approver   // nil: nobody to ask
	Verifier  approval.Verifier // whose signature an approval is; nil: none counts
	HTTP      engine.HTTPProber // nil: http checks are inconclusive
	Clock     engine.Clock
	Prober    engine.Prober
	Launcher  engine.Launcher

	Parallel int             // hosts at once in the whole run; 0: DefaultParallel
	Limit    []string        // hosts; empty: all. Other hosts are skipped, and that is a deviation
	From     runbooks.ItemID // items written before it are skipped, and that is a deviation
	// Marks are set by --at before anything starts.
	Marks map[string]time.Time
	// OnFailure is what happens when item, phase and runbook say nothing; empty: stop. Ask without an Operator is stop.
	OnFailure runbooks.OnFailure
	// Observe is called for every event, in order, one at a time. It must not block for long and never append events.
	Observe func(engine.Event)
	Control *Control // nil: nobody steers
	// Ended is called once when the run has ended, with a way to evaluate expressions over its results: a runbook's own
	// tests judge by it. extra are names that hide those of the runbook. Only results that the runbook or Reads names are
	// kept.
	Ended func(eval func(e *expr.Expr, extra map[string]expr.Value) (expr.Value, error))
	Reads []*expr.Expr
}

// ErrConfig is wrapped by errors about a Config that cannot be run. Nothing has been journaled then.
var ErrConfig = errors.New("cannot run")

func (c *Config) check() error {
	missing := map[string]bool{
		"project": c.Project == nil, "runbook": c.Runbook == nil, "plan": c.Plan == nil, "journal": c.Journal == nil,
		"artifacts": c.Artifacts == nil, "redactor": c.Redactor == nil, "clock": c.Clock == nil, "prober": c.Prober == nil,
	}
	for _, name := range []string{"project", "runbook", "plan", "journal", "artifacts", "redactor", "clock", "prober"} {
		if missing[name] {
			return fmt.Errorf("%w: no %s", ErrConfig, name)
		}
	}
	switch {
	case c.Mode == engine.DryRun && c.Launcher != nil:
		return fmt.Errorf("%w: a dry-run is given a launcher", ErrConfig)
	case c.Mode != engine.DryRun && c.Launcher == nil:
		return fmt.Errorf("%w: a %s run without a launcher", ErrConfig, c.Mode)
	case c.Mode != engine.DryRun && c.Mode != engine.Live && c.Mode != engine.Simulate:
		return fmt.Errorf("%w: mode %q", ErrConfig, c.Mode)
	case c.From != "" && c.Runbook.Item(c.From) == nil:
		return fmt.Errorf("%w: no item %q to start from", ErrConfig, c.From)
	}
	for _, i := range c.Runbook.AllItems() {
		if c.Plan.Item(i.ID()) == nil {
			return fmt.Errorf("%w: the plan lacks %s", ErrConfig, i.ID())
		}
	}
	return nil
}
