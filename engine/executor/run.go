package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// What ends the work on something without an outcome of its own.
var (
	errLeft    = errors.New("the run was left")
	errStopped = errors.New("the run was stopped")
	errKilled  = errors.New("killed by the operator")
	errAborted = errors.New("the run was aborted")
)

// cut is the error of a context that ended: errLeft, or errStopped when the work was killed.
func cut(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errKilled) {
		return errStopped
	}
	return errLeft
}

// run is one run in progress.
type run struct {
	// A called runbook is a run of its own inside that of its caller: it shares all but names, book and tasks. prefix is its
	// call path, such as "call.db."; up is its caller, and call the item there.
	prefix string
	up     *run
	call   *task
	local  localStop
	cfg    Config
	rec    *Recorder
	valve  *valve
	names  *names
	book   *book
	marks  *marks
	dry    bool
	// stay ends when the run is left (its cause is engine.ErrLeft) or the journal fails; work also when the operator kills.
	stay  context.Context //nolint:containedctx // a lifetime of the run itself, not of a call into it
	leave context.CancelCauseFunc
	// questions ends when the run is aborted: nobody is asked any more what the run was to do next.
	questions context.Context //nolint:containedctx // as stay
	withdraw  context.CancelCauseFunc
	workMu    sync.Mutex
	work      context.Context //nolint:containedctx // as stay; a kill ends it and cleanup gets another
	kill      context.CancelCauseFunc
	gates     *gates
	trail     *trail
	tasks     map[runbooks.ItemID]*task
	ends      *ends                             // how items ended in the batches of phases that roll out
	batch     int                               // of a called runbook: the batch of its call; else 0
	tainted   bool                              // dry-run: a phase that ended left things as they would not be
	down      map[string]engine.PreflightResult // hosts whose preflight found them out of reach
	past      *past                             // what an earlier controller left; nil: a new run
}

// Run executes a plan and returns the record of what happened. The error is about the controller (a configuration that
// cannot be run, a journal that fails), never about the recovery: that is the record's verdict. A run that was left is no
// error; its record is not closed.
//
// When ctx ends, the run is left: nothing more is started or cleaned up, and what runs on hosts runs on.
func Run(ctx context.Context, cfg Config) (engine.Record, error) {
	if err := cfg.check(); err != nil {
		return engine.Record{}, err
	}
	r, err := newRun(cfg)
	if err != nil {
		return engine.Record{}, err
	}
	defer r.leave(engine.ErrLeft)
	stop := context.AfterFunc(ctx, func() { r.depart("the controller was told to stop", "") })
	defer stop()
	watched := r.watch()
	err = r.execute()
	r.leave(engine.ErrLeft)
	<-watched
	if cfg.Ended != nil {
		cfg.Ended(r.over)
	}
	return *r.rec.Record(), err
}

// over evaluates an expression over the results of a run that has ended.
func (r *run) over(e *expr.Expr, extra map[string]expr.Value) (expr.Value, error) {
	names, err := r.names.scopeFor(context.Background(), r.book, []*expr.Expr{e})
	if err != nil {
		return expr.Value{}, err
	}
	return eval(e, names.With(extra))
}

func newRun(cfg Config) (*run, error) {
	if cfg.Parallel <= 0 {
		cfg.Parallel = DefaultParallel
	}
	past, err := resumed(&cfg)
	if err != nil {
		return nil, err
	}
	rec, err := recorderOf(cfg)
	if err != nil {
		return nil, err
	}
	r := &run{past: past, cfg: cfg, rec: rec, valve: newValve(cfg.Parallel), dry: cfg.Mode == engine.DryRun, down: map[string]engine.PreflightResult{}}
	r.trail, r.ends = &trail{}, &ends{items: map[runbooks.ItemID]*itemEnds{}}
	r.gates = &gates{operators: []string{cfg.Opened.Operator}, open: map[runbooks.ItemID]*approval.Gate{}, asked: map[runbooks.ItemID]int{}}
	r.stay, r.leave = context.WithCancelCause(context.Background())
	r.questions, r.withdraw = context.WithCancelCause(r.stay)
	r.newWork()
	if r.names, err = newNames(cfg, past); err != nil {
		return nil, err
	}
	r.book = newBook(r.names.refs, append(allExprs(cfg.Runbook), cfg.Reads...), nil)
	r.marks = newMarks(r)
	r.tasks = newTasks(r)
	return r, nil
}

// recorderOf is the recorder that all events of the run go through.
func recorderOf(cfg Config) (*Recorder, error) {
	if rec, ok := cfg.Journal.(*Recorder); ok {
		return rec, nil
	}
	if cfg.Resume != nil {
		return ResumeRecorder(cfg.Journal, cfg.Plan, cfg.Resume.Events, cfg.Observe)
	}
	return NewRecorder(cfg.Journal, cfg.Plan, cfg.Observe), nil
}

// newWork begins a context for what a kill ends. Cleanup has one of its own.
func (r *run) newWork() {
	r = r.top()
	r.workMu.Lock()
	defer r.workMu.Unlock()
	r.work, r.kill = context.WithCancelCause(r.stay)
}

func (r *run) working() (context.Context, context.CancelCauseFunc) {
	r = r.top()
	r.workMu.Lock()
	defer r.workMu.Unlock()
	return r.work, r.kill
}

// emit appends an event. Its error is fatal: the journal is poisoned, and everything stops before its next effect.
func (r *run) emit(p engine.Payload) error {
	_, err := r.rec.Append(context.Background(), p)
	if err != nil {
		r.valve.halt(departed, err.Error(), "")
		r.leave(engine.ErrLeft)
	}
	return err
}

// abort starts nothing new and takes back what people are being asked.
func (r *run) abort(why, by string) {
	r.valve.halt(aborted, why, by)
	r.top().withdraw(errAborted)
}

// asking is the context of a question to people: it ends with ctx, and with the cause errAborted when the run is aborted.
// What cleanup asks is asked after an abort, too.
func (t *task) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.cleanup {
		return context.WithCancel(ctx)
	}
	questions := t.r.top().questions
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(questions, func() { cancel(context.Cause(questions)) })
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// withdrawn is how an item ends whose question was taken back because the run was aborted.
func withdrawn() verdict {
	return verdict{outcome: engine.Failed, cause: causeStopped, reason: "the run was aborted before it was answered", fails: true}
}

// depart leaves the run.
func (r *run) depart(why, by string) {
	r.valve.halt(departed, why, by)
	r.leave(engine.ErrLeft)
}

func (r *run) execute() error {
	if err := r.open(); err != nil {
		return err
	}
	if r.cfg.Undo != nil {
		if err := r.undoAll(); err != nil {
			return r.ended(err)
		}
		return r.ended(r.close())
	}
	if r.dry {
		if err := r.preflight(); err != nil {
			return r.ended(err)
		}
	}
	for _, p := range r.cfg.Runbook.Phases {
		if err := r.phase(p, false); err != nil {
			return r.ended(err)
		}
		r.taintAfter(p)
	}
	s, _, _ := r.valve.standing()
	if s >= held {
		return r.ended(errLeft)
	}
	if err := r.rollback(); err != nil {
		return r.ended(err)
	}
	if err := r.cleanup(); err != nil {
		return r.ended(err)
	}
	return r.ended(r.close())
}

func (r *run) open() error {
	if r.cfg.Resume != nil {
		if err := r.takeUp(); err != nil {
			return err
		}
	} else {
		opened := r.cfg.Opened
		if err := r.emit(&opened); err != nil {
			return err
		}
	}
	if r.cfg.Undo != nil {
		return nil
	}
	if err := r.departures(); err != nil {
		return err
	}
	if err := r.marks.given(); err != nil {
		return err
	}
	if r.dry {
		return nil
	}
	return r.marks.early()
}

// departures records what was asked for that departs from the plan.
func (r *run) departures() error {
	by := r.cfg.Opened.Operator
	if len(r.cfg.Limit) > 0 && !r.past.said(engine.ActionLimit) {
		a := &engine.OperatorAction{Action: engine.ActionLimit, By: by, Reason: fmt.Sprintf("only on %s", list(r.cfg.Limit))}
		if err := r.emit(a); err != nil {
			return err
		}
	}
	if r.cfg.From == "" || r.past.said(engine.ActionFrom) {
		return nil
	}
	return r.emit(&engine.OperatorAction{Action: engine.ActionFrom, By: by, Item: r.cfg.From, Reason: "started from " + string(r.cfg.From)})
}

// ended is the last word about how the execution ended: a run that is left or held says so in its journal.
func (r *run) ended(err error) error {
	if err == nil {
		return nil
	}
	if fatal(err) {
		return err
	}
	s, why, by := r.valve.standing()
	if s < held {
		why = "the run was left"
	}
	return r.emit(&engine.RunInterrupted{Reason: r.cfg.Redactor.Redact(why), By: by})
}

// close measures the objectives and ends the journal.
func (r *run) close() error {
	if !r.dry && r.cfg.Undo == nil {
		if err := r.marks.computed(); err != nil {
			return err
		}
		if err := r.objectives(); err != nil {
			return err
		}
	}
	verdict, why, unknown := r.rec.preview()
	return r.emit(&engine.RunClosed{Verdict: verdict, Unknown: unknown, Reason: r.cfg.Redactor.Redact(why)})
}
