package executor

import (
	"context"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// site is one place that is observed, and the last observation of it.
type site struct {
	unit   engine.Unit
	host   *runbooks.Host
	names  *expr.Scope
	trial  *trial
	rounds int
	// written is the digest of what was last recorded of each stream: a poll records an output when it changes.
	written map[string]string
}

// survey is what the observations of several sites came to.
type survey struct {
	sites  []*site
	all    []engine.Expectation // expect_all
	failed string               // why expect_all does not hold
}

func (s *survey) holds() bool {
	for _, x := range s.sites {
		if !x.trial.ok() {
			return false
		}
	}
	return s.failed == ""
}

// done reports whether every site was observed.
func (s *survey) done() bool {
	for _, x := range s.sites {
		if x.trial == nil {
			return false
		}
	}
	return true
}

// hopeless reports whether a further round could not differ: something cannot be evaluated, or is unknown in a dry-run.
func (s *survey) hopeless() bool {
	for _, x := range s.sites {
		if x.trial.outcome == engine.NotReached || x.trial.outcome == engine.NotExercised {
			return true
		}
	}
	return false
}

// survey observes the sites once or, with a poll, in rounds over those that do not hold yet (with expect_all over all)
// until they hold or the time is over. names are those of expect_all.
func (r *run) survey(ctx context.Context, w work, sites []*site, parallel int, names *expr.Scope) (*survey, error) {
	s := &survey{sites: sites}
	began := time.Now()
	for {
		if err := r.round(ctx, w, s, parallel, names); err != nil {
			return s, err
		}
		if w.poll == nil || s.holds() || s.hopeless() {
			return s, nil
		}
		if time.Since(began)+w.poll.Every > w.poll.Within {
			s.overdue(w.poll)
			return s, nil
		}
		if err := pause(ctx, w.poll.Every); err != nil {
			return s, err
		}
	}
}

// overdue adds to each site that does not hold how long was waited.
func (s *survey) overdue(p *runbooks.Poll) {
	for _, x := range s.sites {
		if !x.trial.ok() {
			x.trial.reason = fmt.Sprintf("%s (not within %s, %d rounds)", x.trial.reason, p.Within, x.rounds)
		}
	}
	if s.failed != "" {
		s.failed = fmt.Sprintf("%s (not within %s)", s.failed, p.Within)
	}
}

func (r *run) round(ctx context.Context, w work, s *survey, parallel int, names *expr.Scope) error {
	err := each(s.sites, parallel, func(x *site) error {
		if x.trial != nil && x.trial.ok() && len(w.all) == 0 {
			return nil
		}
		x.rounds++
		t, err := r.observe(ctx, w, x.unit, x.host, x.names, x.rounds)
		if err != nil {
			return err
		}
		x.trial = t
		return r.written(x)
	})
	if err != nil || len(w.all) == 0 {
		return err
	}
	s.all, s.failed = nil, ""
	if w.unjudged {
		return nil
	}
	results := map[string]expr.Value{}
	for _, x := range s.sites {
		if x.trial.data != nil {
			results[hostName(x.host)] = expr.Object(x.trial.data)
		}
	}
	s.all, s.failed = r.expect(w.all, names.With(map[string]expr.Value{"results": expr.Object(results)}), nil)
	return nil
}

// written appends the events of outputs that differ from the round before.
func (r *run) written(x *site) error {
	if x.written == nil {
		x.written = map[string]string{}
	}
	for n := range x.trial.outputs {
		o := &x.trial.outputs[n]
		if x.written[o.Stream] == o.SHA256 {
			continue
		}
		x.written[o.Stream] = o.SHA256
		if err := r.emit(o); err != nil {
			return err
		}
	}
	x.trial.outputs = nil
	return nil
}
