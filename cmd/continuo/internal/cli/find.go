package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

// runDir finds the directory of a run: an id, a prefix of one, @latest, or the path of a run's directory.
func (a *app) runDir(ref string) (string, error) {
	if strings.ContainsRune(ref, filepath.Separator) && evidence.IsRunDir(a.path(ref)) {
		return a.path(ref), nil
	}
	id, err := evidence.Find(a.stateDir(), ref)
	switch {
	case err == nil:
		return evidence.RunDir(a.stateDir(), id), nil
	case errors.Is(err, evidence.ErrAmbiguous):
		return "", fail(Usage, err, "write more of it")
	case errors.Is(err, evidence.ErrNoRun):
		return "", fail(Usage, fmt.Errorf("run %w", err), "`continuo runs` lists them; runs of another project need -C DIR")
	}
	return "", fail(BadEvidence, err, "")
}

// loadRun reads the run that is meant by a reference.
func (a *app) loadRun(ref string) (*evidence.Loaded, error) {
	dir, err := a.runDir(ref)
	if err != nil {
		return nil, err
	}
	l, err := evidence.Load(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fail(BadEvidence, err, "the run began but has no journal; nothing was done to any host")
	}
	if err != nil {
		return nil, fail(BadEvidence, err, "`continuo verify "+filepath.Base(dir)+"` says which file")
	}
	return l, nil
}

// completeRuns offers the latest runs.
func (a *app) completeRuns(_ *cobra.Command, args []string, _ string) (completed, cobra.ShellCompDirective) {
	const most = 20
	all, err := evidence.Runs(a.stateDir())
	if err != nil || len(all) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	slices.Reverse(all)
	out := completed{cobra.CompletionWithDesc(evidence.Latest, "the run that began last")}
	for _, id := range all[:min(len(all), most)] {
		if !slices.Contains(args, string(id)) {
			out = append(out, cobra.CompletionWithDesc(string(id), a.runNote(id)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// runNote is what completion says of a run.
func (a *app) runNote(id engine.RunID) string {
	l, err := evidence.Load(evidence.RunDir(a.stateDir(), id))
	if err != nil {
		return "unreadable"
	}
	return fmt.Sprintf("%s, %s, %s", l.Record.Opened.Runbook, l.Record.Mode, l.Record.Verdict)
}
