package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// maxFile bounds the files that are read whole: the plan and the project's files.
const maxFile = 64 << 20

// Loaded is a run as it lies in its directory.
type Loaded struct {
	Dir    string
	Plan   *engine.Plan
	Events []engine.Event
	Record *engine.Record
	// Sealed: SHA256SUMS is there; Signed: and its signature. Neither was checked: that is Verify's work.
	Sealed, Signed bool
	// Cut is the size of a torn last line, which is not among the events.
	Cut int64
}

// Load reads a run's plan and journal and computes its record, whether it is sealed, running or cut by a crash. It
// checks the journal's chain, not the bundle.
func Load(dir string) (*Loaded, error) { return load(fsx.OS{}, dir) }

func load(fsys fsx.FS, dir string) (*Loaded, error) {
	prefix, err := readJournal(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("load run %s: %w", filepath.Base(dir), err)
	}
	l, err := loadEvents(fsys, dir, prefix.Events)
	if err != nil {
		return nil, err
	}
	l.Cut = int64(len(prefix.Torn))
	return l, nil
}

func readJournal(fsys fsx.FS, dir string) (journal.Prefix, error) {
	f, err := fsys.OpenFile(filepath.Join(dir, journal.FileName), os.O_RDONLY, 0)
	if err != nil {
		return journal.Prefix{}, err
	}
	defer f.Close()
	return journal.ReadPrefix(f)
}

// loadEvents completes the events with the plan.
func loadEvents(fsys fsx.FS, dir string, events []engine.Event) (*Loaded, error) {
	l := &Loaded{Dir: dir, Events: events}
	data, err := fsx.ReadFile(fsys, filepath.Join(dir, PlanFile), maxFile)
	if err != nil {
		return nil, fmt.Errorf("load run %s: %w", filepath.Base(dir), err)
	}
	get := func(sum string) ([]byte, error) { return getArtifact(fsys, dir, sum) }
	if l.Plan, l.Record, err = rebuild(data, events, get); err != nil {
		return nil, fmt.Errorf("load run %s: %w", filepath.Base(dir), err)
	}
	l.Sealed = fsx.Exists(fsys, filepath.Join(dir, SumsFile))
	l.Signed = l.Sealed && fsx.Exists(fsys, filepath.Join(dir, SignatureFile))
	return l, nil
}

// rebuild computes the record from nothing but plan.json, the journal's events and the artifacts they refer to.
func rebuild(planJSON []byte, events []engine.Event, get func(string) ([]byte, error)) (*engine.Plan, *engine.Record, error) {
	plan, err := parsePlan(planJSON)
	if err != nil {
		return nil, nil, err
	}
	if err := journal.Expand(events, get); err != nil {
		return nil, nil, err
	}
	rec, err := engine.Fold(plan, events)
	return plan, rec, err
}

func parsePlan(data []byte) (*engine.Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var p engine.Plan
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("%s: %w", PlanFile, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s: something follows the plan", PlanFile)
	}
	return &p, nil
}

// Files returns the project's files as they were read when the run began, in order of path.
func (l *Loaded) Files() ([]runbooks.File, error) {
	root, err := os.OpenRoot(filepath.Join(l.Dir, ProjectDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("project files of run %s: %w", filepath.Base(l.Dir), err)
	}
	defer root.Close()
	var out []runbooks.File
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := DecodeName(p)
		if err != nil {
			return err
		}
		data, err := root.ReadFile(p)
		out = append(out, runbooks.File{Path: name, Data: data})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("project files of run %s: %w", filepath.Base(l.Dir), err)
	}
	return sortedFiles(out), nil
}

// ErrInputs is returned when the plan or the project beside a journal is not what the run was opened with.
var ErrInputs = errors.New("not as the run was opened with")

// CheckInputs compares plan.json and the copies of the project's files with the digests in run.opened.
func (l *Loaded) CheckInputs() error {
	data, err := fsx.ReadFile(fsx.OS{}, filepath.Join(l.Dir, PlanFile), maxFile)
	if err != nil {
		return fmt.Errorf("inputs of run %s: %w", filepath.Base(l.Dir), err)
	}
	files, err := l.Files()
	if err != nil {
		return err
	}
	project, err := ProjectDigest(files)
	if err != nil {
		return fmt.Errorf("inputs of run %s: %w", filepath.Base(l.Dir), err)
	}
	switch o := l.Record.Opened; {
	case sum(data) != o.PlanSHA256:
		return fmt.Errorf("%s: %w", filepath.Join(l.Dir, PlanFile), ErrInputs)
	case project != o.ProjectSHA256:
		return fmt.Errorf("%s: %w", filepath.Join(l.Dir, ProjectDir), ErrInputs)
	}
	return nil
}

// Output returns what a command wrote, as it is kept: the inline text or the artifact.
func (l *Loaded) Output(o engine.ItemOutput) ([]byte, error) {
	if o.Artifact == "" {
		return []byte(o.Text), nil
	}
	return getArtifact(fsx.OS{}, l.Dir, o.Artifact)
}

// Text resolves a text that was too long for the journal ("artifact:<sha256>"); any other comes back as it is.
func (l *Loaded) Text(s string) (string, error) {
	ref, ok := strings.CutPrefix(s, journal.ArtifactRef)
	if !ok {
		return s, nil
	}
	data, err := getArtifact(fsx.OS{}, l.Dir, ref)
	return string(data), err
}

// ArtifactsOf reads the artifacts of a run's directory by their SHA-256.
func ArtifactsOf(dir string) func(sum string) ([]byte, error) {
	return func(sum string) ([]byte, error) { return getArtifact(fsx.OS{}, dir, sum) }
}
