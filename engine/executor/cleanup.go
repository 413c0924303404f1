package executor

import (
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// cleanup runs each item of cleanup whatever happened before and to the other ones. In a dry-run it is only shown.
func (r *run) cleanup() error {
	c := r.cfg.Runbook.Cleanup
	if c == nil || len(c.Items) == 0 {
		return nil
	}
	// What a kill ended stays ended; cleanup is work of its own.
	r.newWork()
	if r.dry {
		return r.phase(c, true)
	}
	if r.past == nil || !r.past.cleaning {
		if err := r.emit(&engine.CleanupStarted{Items: len(c.Items)}); err != nil {
			return err
		}
	}
	if err := r.phase(c, true); err != nil {
		return err
	}
	ended := &engine.CleanupEnded{}
	for _, i := range c.Items {
		if r.tasks[i.ID()].outcome.fails {
			ended.Failed = append(ended.Failed, i.ID())
		}
	}
	if r.past != nil && r.past.cleaned {
		return nil
	}
	return r.emit(ended)
}

// excuse turns a cleanup that lacks data of an item that never started into a skip: there is nothing to clean up. When
// the item started and left no data, what it left behind is not cleaned up, and that is a failure.
func (t *task) excuse(o *engine.ItemOutcome) {
	if !t.cleanup || o.Outcome != engine.NotReached || o.Cause != causeExpression {
		return
	}
	if id := t.neverStarted(); id != "" {
		o.Outcome, o.Cause, o.Reason = engine.Skipped, causeDependency, string(id)+" never started, so there is nothing to clean up"
		return
	}
	o.Reason = "not cleaned: " + o.Reason
}

// neverStarted is the first item that the task refers to and that never started, if there is one.
func (t *task) neverStarted() runbooks.ItemID {
	for _, ref := range t.r.names.refs.Of(t.item.Exprs()...) {
		id, ok := runbooks.ReferredItem(ref)
		if !ok {
			continue
		}
		if other := t.r.tasks[id]; other != nil && !other.began() {
			return id
		}
	}
	return ""
}
