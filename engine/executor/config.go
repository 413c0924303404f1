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
	Scratch   engine.Scratch // nil: what a transfer fetches from another host is held in memory, up to 64 MiB
	Redactor  engine.Learner
	Secrets   engine.Secrets    // nil: the project uses none
	People    engine.People     // nil: nobody to ask
	Operator  engine.Operator   // nil: nobody to ask
	Settler   engine.Settler    // nil: an outcome that nobody knows holds the run
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
	// Resume is what an earlier controller left of this run; nil: a new run.
	Resume *Resumed
	// Undo is a finished run that this one rolls back: Opened.RollbackOf names it, and nothing else of the runbook runs. With
	// Resume, a rollback under way goes on. Nil: the runbook runs.
	Undo *Undone
}

// Undone is a run that is rolled back by another one. What the events do not say is not undone: units whose end nobody knows
// are left, and named.
type Undone struct {
	Events   []engine.Event // all of the finished run
	Artifact func(sha256 string) ([]byte, error)
	Reason   string

	nonce  string
	undone []engine.Unit // that run had rolled these back itself
}

// Resumed is what an earlier controller left of a run, from which Run goes on: with Config.Resume, Run never writes
// run.opened and takes nothing for granted that the events do not say.
//
//   - What has an outcome on record is loaded and not done again. What an expression needs of it is read from the journal
//     and the artifacts; a value that was redacted or never recorded (a sensitive capture) is unknown, and what needs it
//     fails and says so. It is never its placeholder.
//   - An attempt with an intent and no outcome is collected by Launcher.Collect: proven never started (a new attempt
//     follows), finished (its result is judged as always), running (followed to its end), or unknown. An attempt whose
//     recorded outcome is unknown is collected again: the host may be back.
//   - What stays unknown is settled by the step's verify where that may, by a person (Settler), or holds the run.
//   - Numbers of attempts go on: no attempt id is ever launched twice.
//   - Approvals, denials, decisions, manual items, marks, pauses, an abort, a rollback and a cleanup under way stand where
//     they stood. What was asked and not answered is asked again.
//
// Whoever resumes opens the journal, which begins a segment (run.resumed), and gives all events to both the Recorder
// (ResumeRecorder) and here. Config.Opened, Limit and From are taken from the events. A dry-run cannot be resumed.
type Resumed struct {
	// Events are all events of the journal so far, in order, run.resumed of the new segment included.
	Events []engine.Event
	// Artifact reads what was too long for a line of the journal, by its SHA-256. Nil: such texts are unknown.
	Artifact func(sha256 string) ([]byte, error)
	// Rollback has what was changed rolled back instead of going on: nothing new starts, what is under way is followed to
	// its end. Only By and Reason are read. Nil: the run goes on.
	Rollback *engine.OperatorAction
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
	if err := c.checkEarlier(); err != nil {
		return err
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

// checkEarlier checks what there is of an earlier controller, or of a run to roll back.
func (c *Config) checkEarlier() error {
	switch {
	case c.Mode == engine.DryRun && c.Resume != nil:
		return fmt.Errorf("%w: a dry-run is not resumed, it is made again", ErrConfig)
	case c.Undo != nil && (c.Mode == engine.DryRun || len(c.Undo.Events) == 0 || c.Opened.RollbackOf == "" && c.Resume == nil):
		return fmt.Errorf("%w: what is to be rolled back is not said, or by a dry-run", ErrConfig)
	case c.Resume != nil && len(c.Resume.Events) == 0:
		return fmt.Errorf("%w: no events to resume from", ErrConfig)
	}
	return nil
}
