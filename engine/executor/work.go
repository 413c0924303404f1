package executor

import (
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// work is what runs at one place and how it is judged: an item's own command or probe, or one of its parts.
type work struct {
	kind     runbooks.Kind
	part     engine.PartName
	command  *runbooks.Command
	tcp      *runbooks.TCPProbe
	http     *runbooks.HTTPProbe
	env      []runbooks.EnvVar
	dir      *expr.Expr
	become   *expr.Expr
	timeout  time.Duration
	captures []runbooks.Capture
	expects  []judgement
	all      []judgement
	poll     *runbooks.Poll
	// reads is what this work's expressions and those of later items read of the output.
	reads interest
	// held: the output waits until its sensitive captures are known to the redactor.
	held bool
	// withhold: nothing of the output is recorded, because it may hold a sensitive value that nobody knows any more.
	withhold bool
	// unjudged: in a dry-run, after something that did not run; it is observed once and not judged.
	unjudged bool
	// cleanup: it runs although the run was stopped.
	cleanup bool
}

// judgement is a condition with the references whose values are shown beside it.
type judgement struct {
	runbooks.Validation
	seen []*expr.Expr
}

func judgements(vs []runbooks.Validation) []judgement {
	out := make([]judgement, 0, len(vs))
	for _, v := range vs {
		j := judgement{Validation: v}
		known := map[string]bool{}
		for _, ref := range v.Condition.Refs() {
			text := ref.String()
			if known[text] {
				continue
			}
			known[text] = true
			if e, ds := expr.Parse(text, ""); !ds.HasErrors() {
				j.seen = append(j.seen, e)
			}
		}
		out = append(out, j)
	}
	return out
}

// itemWork is what the item itself does. want is what later items read of it.
func itemWork(refs *runbooks.References, i *runbooks.Item, want interest) work {
	w := work{
		kind: i.Kind, part: engine.PartCommand, command: i.Command, tcp: i.TCP, http: i.HTTP, env: i.Env, dir: i.WorkingDir,
		become: i.Become, timeout: i.Timeout, captures: i.Captures, expects: judgements(i.Expects), all: judgements(i.ExpectAll),
		poll: i.Poll,
	}
	return w.finish(refs, i.Captures, want, i.Expects, i.ExpectAll)
}

// partWork is what a part of the item does.
func partWork(refs *runbooks.References, i *runbooks.Item, name engine.PartName, p *runbooks.Part) work {
	w := work{
		kind: i.Kind, part: name, command: p.Command, env: p.Env, dir: p.WorkingDir, become: p.Become, timeout: p.Timeout,
		captures: p.Captures, expects: judgements(p.Expects), all: judgements(p.ExpectAll), poll: p.Poll,
	}
	return w.finish(refs, p.Captures, interest{}, p.Expects, p.ExpectAll)
}

func (w work) finish(refs *runbooks.References, cs []runbooks.Capture, want interest, vs ...[]runbooks.Validation) work {
	var es []*expr.Expr
	for _, c := range cs {
		es = append(es, c.Value)
		w.held = w.held || c.Sensitive
	}
	for _, list := range vs {
		for _, v := range list {
			es = append(es, v.Condition, v.Message)
		}
	}
	w.reads = want.or(ownInterest(refs, es))
	if w.kind == runbooks.Transfer && w.command == nil {
		w.reads.stdout = true // its script says there whether it changed anything
	}
	if w.timeout <= 0 {
		w.timeout = runbooks.DefaultTimeout
	}
	return w
}

// success reports whether the exit code is one. What has no command of its own, a transfer, succeeds with 0.
func (w work) success(code int) bool {
	if w.command == nil {
		return code == 0
	}
	return w.command.Success.Holds(code)
}
