package evidence

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// RunOptions says what a new run is of.
type RunOptions struct {
	Run   engine.RunID
	Nonce string
	Mode  engine.Mode
	Plan  *engine.Plan
	// Files are the project's files as they were read; they are written as they are.
	Files []runbooks.File
	// Redactor replaces secrets in everything that is recorded. It is the one that the secrets register with.
	Redactor *redact.Redactor
	// Clock and FS are for tests; nil means the real ones.
	Clock engine.Clock
	FS    fsx.FS
}

// Run is the directory of an unfinished run: its journal and its artifacts. One process holds it at a time.
type Run struct {
	Dir       string
	Journal   *journal.Journal
	Artifacts *Artifacts
	Digests   Digests
}

// Create makes the directory of a new run, <state>/runs/<run>, with the project, the plan and an empty journal, all of
// it durable. The caller's first event is run.opened, filled with Digests. A run of that id must not exist.
func Create(stateDir string, opts RunOptions) (*Run, error) {
	fsys := orOS(opts.FS)
	dir := filepath.Join(stateDir, runsDir, string(opts.Run))
	r, err := create(fsys, dir, opts)
	if err != nil {
		return nil, fmt.Errorf("create run %s: %w", opts.Run, err)
	}
	return r, nil
}

func create(fsys fsx.FS, dir string, opts RunOptions) (*Run, error) {
	if err := checkName(string(opts.Run)); err != nil {
		return nil, err
	}
	runs := filepath.Dir(dir)
	if err := fsx.MkdirAll(fsys, runs, 0o700); err != nil {
		return nil, err
	}
	if err := fsys.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := fsys.SyncDir(runs); err != nil {
		return nil, err
	}
	digests, err := writeInputs(fsys, dir, opts)
	if err != nil {
		return nil, err
	}
	artifacts := newArtifacts(fsys, dir, opts.Redactor)
	j, err := journal.Create(dir, journalOptions(opts, artifacts))
	if err != nil {
		return nil, err
	}
	return &Run{Dir: dir, Journal: j, Artifacts: artifacts, Digests: digests}, nil
}

func journalOptions(opts RunOptions, a *Artifacts) journal.Options {
	j := journal.Options{
		Run: opts.Run, Nonce: opts.Nonce, Mode: opts.Mode, Clock: opts.Clock, FS: opts.FS, Put: a.putRaw,
	}
	if opts.Redactor != nil {
		j.Redactor = opts.Redactor
	}
	return j
}

// writeInputs writes project/ and plan.json.
func writeInputs(fsys fsx.FS, dir string, opts RunOptions) (Digests, error) {
	plan, err := encodePlan(opts.Plan)
	if err != nil {
		return Digests{}, err
	}
	entries, err := projectEntries(opts.Files)
	if err != nil {
		return Digests{}, err
	}
	vars, err := VariablesDigest(opts.Plan.Variables)
	if err != nil {
		return Digests{}, err
	}
	dirs := map[string]bool{}
	for i, f := range opts.Files {
		name := filepath.Join(dir, filepath.FromSlash(entries[i].Name))
		if err := fsx.MkdirAll(fsys, filepath.Dir(name), 0o700); err != nil {
			return Digests{}, err
		}
		if err := fsx.WriteFile(fsys, name, f.Data, 0o600); err != nil {
			return Digests{}, err
		}
		dirs[filepath.Dir(name)] = true
	}
	if err := fsx.WriteFile(fsys, filepath.Join(dir, PlanFile), plan, 0o600); err != nil {
		return Digests{}, err
	}
	dirs[dir] = true
	for d := range dirs {
		if err := fsys.SyncDir(d); err != nil {
			return Digests{}, err
		}
	}
	return Digests{
		PlanSHA256: sum(plan), PlanDigest: opts.Plan.Digest, ProjectSHA256: projectDigest(entries), VariablesSHA256: vars,
	}, nil
}

// Resume takes up an unfinished run: its journal is read strictly, a torn last line is cut off and kept, and a new
// segment begins with resumed. It refuses a sealed run.
func Resume(dir string, opts RunOptions, resumed *engine.RunResumed) (*Run, *Loaded, error) {
	fsys := orOS(opts.FS)
	if fsx.Exists(fsys, filepath.Join(dir, SumsFile)) {
		return nil, nil, fmt.Errorf("resume run %s: %w", filepath.Base(dir), ErrSealed)
	}
	artifacts := newArtifacts(fsys, dir, opts.Redactor)
	j, res, err := journal.Resume(dir, journalOptions(opts, artifacts), resumed)
	if err != nil {
		return nil, nil, err
	}
	loaded, err := loadEvents(fsys, dir, res.Events)
	if err != nil {
		return nil, nil, errors.Join(err, j.Close())
	}
	loaded.Cut = res.Cut
	opened := loaded.Record.Opened
	return &Run{Dir: dir, Journal: j, Artifacts: artifacts, Digests: Digests{
		PlanSHA256: opened.PlanSHA256, PlanDigest: opened.PlanDigest, ProjectSHA256: opened.ProjectSHA256,
		VariablesSHA256: opened.VariablesSHA256,
	}}, loaded, nil
}

// Close closes the journal and gives the run's lock back.
func (r *Run) Close() error { return r.Journal.Close() }

// ErrSealed is returned for a run whose record is finished.
var ErrSealed = errors.New("run is sealed")

// ErrNotSealed is returned where only a sealed run will do.
var ErrNotSealed = errors.New("run is not sealed")

func orOS(fsys fsx.FS) fsx.FS {
	if fsys == nil {
		return fsx.OS{}
	}
	return fsys
}
