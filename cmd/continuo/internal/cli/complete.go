package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// completed is what completion offers: a word, and after a tab what it is.
type completed = []cobra.Completion

// project loads the project for completion: in silence, and nothing when it is not valid.
func (a *app) project() *runbooks.Project {
	p, _, err := loader.Load(a.dir(), loader.Options{Version: tool().Version})
	if err != nil {
		return nil
	}
	return p
}

// completeRunbook offers the project's runbooks for the first argument.
func (a *app) completeRunbook(_ *cobra.Command, args []string, _ string) (completed, cobra.ShellCompDirective) {
	p := a.project()
	if p == nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out completed
	for _, r := range p.Runbooks {
		out = append(out, cobra.CompletionWithDesc(r.Name, r.Title))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeHosts offers the hosts that are not named yet.
func (a *app) completeHosts(_ *cobra.Command, args []string, _ string) (completed, cobra.ShellCompDirective) {
	var out completed
	if p := a.project(); p != nil {
		for _, h := range p.Hosts {
			if !slices.Contains(args, h.Name) {
				out = append(out, cobra.CompletionWithDesc(h.Name, h.Address))
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeItems offers the items of the runbook that the command line names.
func (a *app) completeItems(_ *cobra.Command, args []string, _ string) (completed, cobra.ShellCompDirective) {
	var out completed
	if p := a.project(); p != nil {
		for _, r := range p.Runbooks {
			if len(args) > 0 && r.Name != args[0] {
				continue
			}
			for _, i := range r.AllItems() {
				out = append(out, cobra.CompletionWithDesc(string(i.ID()), i.Phase))
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeVariables offers `name=` of the runbook's variables.
func (a *app) completeVariables(_ *cobra.Command, args []string, _ string) (completed, cobra.ShellCompDirective) {
	var out completed
	if p := a.project(); p != nil && len(args) > 0 {
		if r := p.Runbook(args[0]); r != nil {
			for _, v := range r.Variables {
				out = append(out, cobra.CompletionWithDesc(v.Name+"=", v.Description))
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeMarks offers `name=` of the runbook's marks.
func (a *app) completeMarks(_ *cobra.Command, args []string, _ string) (completed, cobra.ShellCompDirective) {
	var out completed
	if p := a.project(); p != nil && len(args) > 0 {
		if r := p.Runbook(args[0]); r != nil {
			for _, m := range r.Marks {
				out = append(out, m.Name+"=")
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// wordsOf offers a closed set.
func wordsOf(set ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(set, cobra.ShellCompDirectiveNoFileComp)
}

// completeAnswer offers a run, then its items of a kind.
func (a *app) completeAnswer(kind runbooks.Kind) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, word string) (completed, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return a.completeRuns(c, args, word)
		}
		l, err := a.loadRun(args[0])
		if err != nil || len(args) > 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out completed
		for _, i := range l.Plan.Items {
			if i.Kind == kind {
				out = append(out, cobra.CompletionWithDesc(string(i.ID), i.Title))
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}
