package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// load reads the project of the working directory. An invalid one is an error that carries its diagnostics; warnings
// come beside a project.
func (a *app) load() (*runbooks.Project, diag.List, error) {
	p, list, err := loader.Load(a.dir(), loader.Options{Version: tool().Version})
	if err != nil {
		return nil, list, fail(Invalid, err, a.projectHint(err))
	}
	if err := list.Err(); err != nil {
		return nil, list, err
	}
	return p, list, nil
}

// projectHint says what to do when there is no readable project.
func (a *app) projectHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "name the project's directory with -C DIR; `continuo init DIR` makes a new one"
	case errors.Is(err, fs.ErrPermission):
		return "the files must be readable for the user who runs continuo"
	}
	return ""
}

// runbook finds a runbook by name.
func (a *app) runbook(p *runbooks.Project, name string) (*runbooks.Runbook, error) {
	if rb := p.Runbook(name); rb != nil {
		return rb, nil
	}
	hint := didYouMean(name, runbookNames(p), "`continuo validate` lists the project's runbooks")
	if len(p.Runbooks) == 0 {
		hint = "the project has none; write a `runbook \"NAME\" { … }` block"
	}
	return nil, failf(Usage, hint, "unknown runbook %q in project %s", name, projectName(p))
}

// soleRunbook is the runbook that is meant when none is named: the only one.
func (a *app) soleRunbook(p *runbooks.Project, args []string) (*runbooks.Runbook, error) {
	if len(args) > 0 {
		return a.runbook(p, args[0])
	}
	if len(p.Runbooks) == 1 {
		return p.Runbooks[0], nil
	}
	return nil, failf(Usage, "there are: "+strings.Join(runbookNames(p), ", "), "RUNBOOK is missing, and the project has %d", len(p.Runbooks))
}

func runbookNames(p *runbooks.Project) []string {
	out := make([]string, 0, len(p.Runbooks))
	for _, r := range p.Runbooks {
		out = append(out, r.Name)
	}
	return out
}

func projectName(p *runbooks.Project) string {
	if p.Name != "" {
		return p.Name
	}
	return filepath.Base(p.Dir)
}

// readSource gives a file of the project for the lines that findings show. It never leaves the project.
func readSource(dir string) view.Source {
	return func(name string) []byte {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil
		}
		defer root.Close()
		info, err := root.Stat(filepath.FromSlash(name))
		if err != nil || !info.Mode().IsRegular() || info.Size() > loader.DefaultLimits().FileBytes {
			return nil // the place is named without its line
		}
		data, err := root.ReadFile(filepath.FromSlash(name))
		if err != nil {
			return nil
		}
		return data
	}
}
