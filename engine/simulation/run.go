package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// DefaultOperator runs every simulated run unless a test names another. It is in no role.
const DefaultOperator = "operator@test"

// Case is one simulated run.
type Case struct {
	Project   *runbooks.Project
	Runbook   *runbooks.Runbook
	Variables map[string]expr.Value
	Plan      *engine.Plan // of the runbook with these variables; nil: made
	Operator  string       // empty: DefaultOperator
	Hosts     *simtransport.Transport
	People    *simtransport.People
	// Lead is asked after a failure whose on_failure is ask, which is then the default. Nil: nobody leads, and stop is.
	Lead engine.Operator
	// Judge is called inside the run's bubble when it has ended: see executor.Config.Ended.
	Judge func(eval func(e *expr.Expr, extra map[string]expr.Value) (expr.Value, error), rec *engine.Record)
	// Reads are the expressions that Judge evaluates.
	Reads []*expr.Expr
	// What the run is given on its command line: see executor.Config.
	Marks            map[string]time.Time
	From             runbooks.ItemID
	Limit            []string
	Change, Incident string
	// Start is when the run begins; zero: Epoch.
	Start time.Time
	Crash *Crash // nil: continuo is not killed
}

// Ended is what came of a case.
type Ended struct {
	Plan   *engine.Plan
	Events []engine.Event
	Record *engine.Record
	Calls  []simtransport.Call
	// Crashed: continuo was killed and the run resumed.
	Crashed   bool
	Artifacts engine.Artifacts
}

// simulatedRun is the id of every simulated run.
const simulatedRun = "simulated"

// secretWord stands for every secret: no simulated run resolves a real one.
const secretWord = "simulated-secret-"

type vault struct{}

// Secret implements engine.Secrets.
func (vault) Secret(_ context.Context, name string) (string, error) { return secretWord + name, nil }

// MakePlan plans a runbook for simulation.
func MakePlan(p *runbooks.Project, rb *runbooks.Runbook, vars map[string]expr.Value) (*engine.Plan, error) {
	plan, ds := planner.Plan(planner.Input{Project: p, Runbook: rb, Variables: vars})
	return plan, ds.Err()
}

// Run runs a case to its end or to where it is held, in simulated time. The error is about the simulation itself
// (ErrStuck, a plan that cannot be made, a defect), never about the recovery: that is the record's verdict.
func Run(c Case) (*Ended, error) {
	if c.Plan == nil {
		var err error
		if c.Plan, err = MakePlan(c.Project, c.Runbook, c.Variables); err != nil {
			return nil, err
		}
	}
	c.askInBatches(c.People)
	if c.Crash != nil {
		c.askInBatches(c.Crash.People)
	}
	out := &Ended{Plan: c.Plan}
	err := Bubble(c.Start, func(ctx context.Context) error { return c.play(ctx, out) })
	if err != nil {
		return nil, fmt.Errorf("simulate %s: %w", c.Runbook.Name, err)
	}
	return out, nil
}

// askInBatches has people asked anew in every batch of a rollout, through calls too.
func (c Case) askInBatches(people *simtransport.People) {
	if people == nil {
		return
	}
	var calls []string
	for n := range c.Plan.Items {
		i := &c.Plan.Items[n]
		id := string(i.ID)
		batched := i.Rollout != nil && i.Rollout.Phase ||
			slices.ContainsFunc(calls, func(call string) bool { return strings.HasPrefix(id, call+".") })
		switch {
		case !batched:
		case i.Kind == runbooks.Call:
			calls = append(calls, id)
		case i.Effect == runbooks.Human:
			people.Repeat(i.ID)
		}
	}
}

// config is what every process that works on the case is given, but for its journal.
func (c Case) config() executor.Config {
	operator := c.Operator
	if operator == "" {
		operator = DefaultOperator
	}
	secrets := redact.New()
	cfg := executor.Config{
		Project: c.Project, Runbook: c.Runbook, Plan: c.Plan, Variables: c.Variables, Mode: engine.Simulate,
		Opened: engine.RunOpened{
			Run: simulatedRun, Nonce: "00000000000000000000000000000000", Project: c.Project.Name, Runbook: c.Runbook.Name,
			Title: c.Runbook.Title, Operator: operator, OperatorHost: "simulated", PlanDigest: c.Plan.Digest,
			Hosts: len(c.Plan.Hosts), Items: len(c.Plan.Items), Exercise: "simulation",
			Change: c.Change, Incident: c.Incident, From: string(c.From), Limit: c.Limit,
		},
		Artifacts: &simtransport.Artifacts{Redact: secrets.Redact}, Redactor: secrets, Secrets: vault{},
		People: c.People, Approver: c.People, Verifier: simtransport.Verifier{}, Operator: c.Lead, HTTP: c.Hosts, Clock: simtransport.Clock{}, Prober: c.Hosts, Launcher: c.Hosts,
		OnFailure: runbooks.Stop, Marks: c.Marks, From: c.From, Limit: c.Limit,
	}
	if c.Lead != nil {
		cfg.OnFailure = runbooks.Ask
	}
	return cfg
}

// judged has the case judged when the run has ended, by the record that its events give.
func (c Case) judged(cfg *executor.Config, journal *simtransport.Journal) {
	if c.Judge == nil {
		return
	}
	cfg.Reads = c.Reads
	cfg.Ended = func(eval func(*expr.Expr, map[string]expr.Value) (expr.Value, error)) {
		if c.Crash != nil && cfg.Resume == nil && cfg.Journal != nil && journal.Failed() != nil {
			return // the process was killed: it judges nothing
		}
		rec, err := engine.Fold(c.Plan, journal.Events())
		if err == nil {
			c.Judge(eval, rec)
		}
	}
}
