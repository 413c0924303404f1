package simulation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"runtime"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// End is where a case ended.
type End string

// The ends. Safe: recovered, or stopped with everything before the point of no return rolled back and cleaned up. Held:
// it waits for a person, and says what to decide. Finding: the runbook has a hole.
const (
	Safe  End = engine.CaseSafe
	Held  End = engine.CaseHeld
	Found End = engine.CaseFinding
)

// CaseResult is one explored case.
type CaseResult struct {
	Item  runbooks.ItemID
	Part  engine.PartName
	Host  string // empty: items without hosts
	Alike int    // hosts of which Host is one, alike in all that matters here
	Fault string // in words, as the matrix shows it
	Kind  FaultKind
	// With is the second fault of a pair; empty: one fault.
	With  string
	End   End
	Holes []Hole // what the case shows to be wrong, the worst first
	Why   string
	Story []string // what happened, in order
}

// Codes are those of the holes.
func (c CaseResult) Codes() []string {
	var out []string
	for _, h := range c.Holes {
		if !slices.Contains(out, h.Code) {
			out = append(out, h.Code)
		}
	}
	return out
}

// Finding is a hole, with the shortest story that leads to it.
type Finding struct {
	Hole
	Case  CaseResult // the one with the shortest story
	Cases int        // in how many cases it shows
}

// Exploration is what became of a runbook when everything went wrong, one thing at a time.
type Exploration struct {
	Runbook  string
	Plan     *engine.Plan // of the sound run
	Baseline string       // the test that gave the answers of the sound run; empty: none was needed
	Cases    []CaseResult
	Findings []Finding
	Safe     int
	Held     int
	Found    int // cases that show a hole
	// Skipped says what was not explored, and why.
	Skipped []string
}

// aboutRun stands for an item where a case is about the run as a whole.
const aboutRun runbooks.ItemID = "run"

// ErrBaseline: there is no sound run to start from.
var ErrBaseline = errors.New("explore starts from a run in which everything works")

// explorer is one exploration in progress.
type explorer struct {
	p        *runbooks.Project
	rb       *runbooks.Runbook
	base     Case // the sound case, without its world
	plan     *engine.Plan
	operator string
	script   *scenario
	sound    *engine.Record
	events   []engine.Event // of the sound run
	skipped  map[string]bool
	likes    map[likenessOf]string
}

// Options of Explore.
type Options struct {
	Pairs bool // two faults at a time, too
	// Parallel is how many cases run at once; 0: one for each processor.
	Parallel int
	// Progress is told, one call after another, how many of all cases have run. Nil: nobody is.
	Progress func(done, all int)
}

// Explore runs a runbook once for every item, class of hosts and kind of fault. The sound answers are those of the
// runbook's first test without faults whose run passes, else empty ones. The context ends it early, with its error.
func Explore(ctx context.Context, p *runbooks.Project, rb *runbooks.Runbook, o Options) (*Exploration, error) {
	x := &explorer{p: p, rb: rb, skipped: map[string]bool{}, likes: map[likenessOf]string{}}
	name, err := x.baseline()
	if err != nil {
		return nil, err
	}
	out := &Exploration{Runbook: rb.Name, Plan: x.plan, Baseline: name}
	cases := x.inOrder(append(x.cases(), x.crashes()...))
	if o.Pairs {
		cases = append(cases, x.pairs(cases)...)
	}
	out.Cases = make([]CaseResult, len(cases))
	var counting sync.Mutex
	ran := 0
	g, ctx := errgroup.WithContext(ctx)
	if o.Parallel <= 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	g.SetLimit(o.Parallel)
	for n, c := range cases {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			res, err := x.run(c)
			out.Cases[n] = res
			if o.Progress != nil {
				counting.Lock()
				defer counting.Unlock()
				ran++
				o.Progress(ran, len(cases))
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out.count(x.gates())
	for s := range x.skipped {
		out.Skipped = append(out.Skipped, s)
	}
	sort.Strings(out.Skipped)
	return out, nil
}

// baseline finds the sound run: the first row of the first test without faults whose run passes, else that of empty
// answers.
func (x *explorer) baseline() (string, error) {
	why := "no test of it passes without faults"
	for _, t := range x.p.Tests {
		if t.Runbook != x.rb.Name || len(t.Faults) > 0 {
			continue
		}
		table, err := rows(x.p, x.rb, t)
		if err != nil {
			continue
		}
		for _, r := range table {
			w := x.tryBaseline(r)
			if w == "" {
				return r.name(), nil
			}
			why = fmt.Sprintf("test %q: %s", r.name(), w)
		}
	}
	if x.tryBaseline(row{test: &runbooks.Test{Runbook: x.rb.Name}}) == "" {
		return "", nil
	}
	return "", fmt.Errorf("%s: %w: %s; write a test of runbook %q whose answers make it pass", x.rb.Name, ErrBaseline, why, x.rb.Name)
}

// inOrder has the cases of one item together, in the order of the runbook; those about the run as a whole come last.
func (x *explorer) inOrder(cases []faultCase) []faultCase {
	at := map[runbooks.ItemID]int{"": len(x.plan.Items)}
	for n := range x.plan.Items {
		at[x.plan.Items[n].ID] = n
	}
	sort.SliceStable(cases, func(a, b int) bool { return at[cases[a].item] < at[cases[b].item] })
	return cases
}

// tryBaseline takes a row for the sound run, or says why it is none.
func (x *explorer) tryBaseline(r row) (why string) {
	c := Case{Project: x.p, Runbook: x.rb, Operator: r.test.Operator}
	s, err := r.prepare(&c)
	if err != nil {
		return err.Error()
	}
	x.base, x.script = c, s
	ended, err := Run(x.world(s))
	switch {
	case err != nil:
		return err.Error()
	case !recovered(ended.Record):
		return ended.Record.Why
	}
	x.plan, x.operator, x.sound, x.events = c.Plan, c.Operator, ended.Record, ended.Events
	return ""
}

// world is the sound case with fresh hosts and people of a scenario.
func (x *explorer) world(s *scenario) Case {
	c := x.base
	c.Hosts, c.People = s.world()
	c.Hosts.Latency(distance)
	return c
}

// distance is another for every call, one to two milliseconds: what runs side by side would else end in the same instant, and
// which of two comes first would be another in every exploration.
func distance(c simtransport.Call) time.Duration {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, c.Place, c.What, c.On) // never fails
	return time.Millisecond + time.Duration(h.Sum64()%uint64(time.Millisecond))
}

// leader is the operator of every case: rolls back what failed, and never goes past the point of no return alone.
type leader struct{}

// Interrupted implements engine.Operator.
func (leader) Interrupted(context.Context, engine.InterruptQuestion) (engine.InterruptAnswer, error) {
	return engine.InterruptAnswer{Action: engine.ActionLeave, By: DefaultOperator}, nil
}

// Failed implements engine.Operator.
func (leader) Failed(_ context.Context, q engine.FailureQuestion) (engine.FailureAnswer, error) {
	a := engine.FailureAnswer{Action: engine.ActionLeave, By: DefaultOperator, Reason: "explored"}
	// At the point of no return there is nothing else to choose; before it, the way back is.
	if slices.Contains(q.Options, engine.ActionAbort) {
		a.Action = engine.ActionRollback
	}
	return a, nil
}

// faultCase is a case before it runs.
type faultCase struct {
	injection
	words string
	alike int
	with  *faultCase
	crash *Crash // nil: continuo lives
}

// run plays one case and says where it ended.
func (x *explorer) run(c faultCase) (CaseResult, error) {
	res := CaseResult{Item: c.item, Part: c.part, Host: c.host, Alike: c.alike, Fault: c.words, Kind: c.kind}
	if res.Item == "" {
		res.Item = aboutRun
	}
	s := x.script.clone()
	if c.crash == nil {
		if err := s.inject(itemAt(x.p, x.rb, c.item), c.injection, x.operator); err != nil {
			return res, err
		}
	}
	if c.with != nil {
		res.With = fmt.Sprintf("%s of %s", c.with.words, placeName(c.with.place))
		if err := s.inject(itemAt(x.p, x.rb, c.with.item), c.with.injection, x.operator); err != nil {
			return res, err
		}
	}
	w := x.world(s)
	w.Lead = leader{}
	if c.crash != nil {
		crash := *c.crash
		_, crash.People = s.world()
		w.Crash = &crash
	}
	ended, err := Run(w)
	if errors.Is(err, ErrStuck) {
		res.End, res.Why = Held, "everything waits for a person"
		return res, nil
	}
	if err != nil {
		return res, err
	}
	res.End, res.Holes, res.Why = x.classify(c, ended)
	res.Story = x.story(c, ended, res.Holes)
	return res, nil
}

// count sums up, and gathers findings that are the same.
func (e *Exploration) count(more []CaseResult) {
	e.Cases = append(e.Cases, more...)
	e.Found = 0
	index := map[string]int{}
	for _, c := range e.Cases {
		switch c.End {
		case Safe:
			e.Safe++
			continue
		case Held:
			e.Held++
			continue
		case Found:
			e.Found++
		}
		for _, h := range c.Holes {
			e.gather(index, h, c)
		}
	}
	sort.SliceStable(e.Findings, func(a, b int) bool { return e.Findings[a].Code < e.Findings[b].Code })
}

// gather adds a hole to the finding that it belongs to: the same code about the same item.
func (e *Exploration) gather(index map[string]int, h Hole, c CaseResult) {
	key := h.Code + "|" + string(h.Item)
	n, ok := index[key]
	if !ok {
		index[key] = len(e.Findings)
		e.Findings = append(e.Findings, Finding{Hole: h, Case: c, Cases: 1})
		return
	}
	f := &e.Findings[n]
	f.Cases++
	if len(c.Story) < len(f.Case.Story) {
		f.Hole, f.Case = h, c
	}
}

func placeName(p place) string {
	out := string(p.item)
	if p.part != "" && p.part != engine.PartCommand {
		out += "." + string(p.part)
	}
	if p.host != "" {
		out += " on " + p.host
	}
	return out
}
