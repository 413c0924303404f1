// Package lint gives advice about valid projects: what would hurt on the night it is needed. Its findings are warnings;
// `validate --strict` makes them errors. It judges the project alone and connects to nothing.
package lint

import (
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// Options say how to judge. The zero value judges no dates and asks for nothing that this version cannot execute.
type Options struct {
	// Now is the day that review_by is compared with; zero: not compared.
	Now time.Time
}

// Project gives the findings of all rules, sorted by place.
func Project(p *runbooks.Project, opts Options) diag.List {
	var out diag.List
	for _, rb := range p.Runbooks {
		l := &linter{project: p, rb: rb, opts: opts, steps: runItems(rb)}
		l.scope = planScope(p, rb)
		for _, rule := range rules() {
			rule(l)
		}
		out = append(out, l.diags...)
	}
	return append(out, unusedShared(p)...).Sorted()
}

// rules in order of code. Each looks at one runbook.
func rules() []func(*linter) {
	return []func(*linter){
		(*linter).timeouts, (*linter).approvals, (*linter).noWayBack, (*linter).objectives, (*linter).verified, (*linter).review,
		(*linter).failback, (*linter).rollouts, (*linter).options, (*linter).pipes, (*linter).spareApprovers, (*linter).changingChecks,
		(*linter).interpolations, (*linter).neverFails, (*linter).unused,
	}
}

// linter looks at one runbook.
type linter struct {
	project *runbooks.Project
	rb      *runbooks.Runbook
	opts    Options
	steps   []*runbooks.Item // items of the phases, in order
	scope   *expr.Scope      // plan time; nil when it could not be made
	diags   diag.List
}

func (l *linter) warn(code string, at diag.Range, hint, format string, args ...any) {
	l.diags = append(l.diags, diag.Diagnostic{
		Severity: diag.Warning, Code: code, Summary: fmt.Sprintf(format, args...), Hint: hint, Range: at,
		Context: fmt.Sprintf("runbook %q", l.rb.Name),
	})
}

// runItems are the items of all phases, without cleanup.
func runItems(rb *runbooks.Runbook) []*runbooks.Item {
	var out []*runbooks.Item
	for _, p := range rb.Phases {
		out = append(out, p.Items...)
	}
	return out
}

// planScope is what is known before anything runs.
func planScope(p *runbooks.Project, rb *runbooks.Runbook) *expr.Scope {
	in := scope.Inputs{Project: p, Runbook: rb, Variables: scope.UnknownVariables(rb)}
	base, ds := scope.Base(in)
	if base == nil || ds.HasErrors() {
		return nil
	}
	s, ds := scope.WithResults(base, in, nil, true)
	if ds.HasErrors() {
		return nil
	}
	return s.With(map[string]expr.Value{
		"self":  expr.Unknown(expr.HostType()),
		"batch": expr.Unknown(expr.ListType(expr.HostType())),
		"each":  expr.Unknown(expr.ObjectType(map[string]expr.Type{"key": expr.StringType(), "value": expr.AnyType()})),
	})
}

// hosts are the hosts of an expression as far as they are known before anything runs.
func (l *linter) hosts(e *expr.Expr) []*runbooks.Host {
	if l.scope == nil || e == nil {
		return nil
	}
	v, ds := e.Eval(l.scope)
	if ds.HasErrors() {
		return nil
	}
	hosts, err := scope.Hosts(l.project, v)
	if err != nil {
		return nil
	}
	return hosts
}

// changes reports whether an item changes something on hosts.
func changes(i *runbooks.Item) bool { return i.Kind == runbooks.Step || i.Kind == runbooks.Transfer }
