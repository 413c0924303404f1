package loader

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Options say how to load. The zero value is what the command line uses, but for Version.
type Options struct {
	// Version of continuo, compared with the project's required_version; empty or "dev": not compared.
	Version string
	// Limits bound the work. The zero value means DefaultLimits.
	Limits Limits
}

// Load reads the project in dir. The diagnostics are sorted; with an error among them the Project is nil. The error is
// about the world: the directory cannot be read.
func Load(dir string, opts Options) (*runbooks.Project, diag.List, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("project %s: %w", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, nil, fmt.Errorf("project %s: %w", dir, cause(err))
	}
	defer func() { _ = root.Close() }()
	return LoadFS(root.FS(), abs, opts)
}

// LoadFS is Load for a file system whose root is the project. dir becomes Project.Dir. The file system must refuse paths
// that lead outside it, as os.Root does. It is not used after the call has returned.
func LoadFS(fsys fs.FS, dir string, opts Options) (*runbooks.Project, diag.List, error) {
	if opts.Limits == (Limits{}) {
		opts.Limits = DefaultLimits()
	}
	l := &loader{
		opts: opts, source: newSource(fsys, opts.Limits), parsed: map[string][]byte{}, tokens: map[string]hclsyntax.Tokens{},
		exprs: map[*hclsyntax.Attribute]*expr.Expr{}, hosts: map[string]*runbooks.Host{}, books: map[string]*book{},
		project: &runbooks.Project{Dir: dir, Environment: runbooks.Production},
	}
	names, err := listFiles(fsys)
	if err != nil {
		return nil, nil, fmt.Errorf("project %s: %w", dir, cause(err))
	}
	if err := l.load(names); err != nil {
		return nil, nil, fmt.Errorf("project %s: %w", dir, err)
	}
	l.closeReport()
	diags := onlyFirst(expr.CodeTooMuch, l.diags).Sorted()
	if diags.HasErrors() {
		return nil, diags, nil
	}
	l.project.Files = l.source.all()
	return l.project, diags, nil
}

// onlyFirst keeps one diagnostic of a code that, once given, would be given for everything that follows.
func onlyFirst(code string, ds diag.List) diag.List {
	said := false
	return slices.DeleteFunc(ds, func(d diag.Diagnostic) bool {
		again := said && d.Code == code
		said = said || d.Code == code
		return again
	})
}

// listFiles are the *.hcl files directly in the project, sorted. Hidden files are editors' business.
func listFiles(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".hcl") && !strings.HasPrefix(e.Name(), ".") && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// loader is one call of Load.
type loader struct {
	opts    Options
	source  *source
	exprs   map[*hclsyntax.Attribute]*expr.Expr
	parsed  map[string][]byte           // source of each *.hcl file, for expr.New
	tokens  map[string]hclsyntax.Tokens // of the same files, as the lexer gave them
	diags   diag.List
	unsaid  diag.Diagnostic // takes what is beyond Limits.Problems
	more    int             // how many those are
	context string          // what encloses the place that is being read
	project *runbooks.Project

	root  *node // everything of the *.hcl files
	tests *node // everything of the *.test.hcl files

	names     names
	hclBytes  int64
	allTokens int

	meter *expr.Meter // of all evaluations while the project is loaded
	plain *expr.Scope // functions only
	inv   inventory
	hosts map[string]*runbooks.Host
	books map[string]*book // of the runbooks, by name, for their tests
}

func (l *loader) load(names []string) error {
	if len(names) == 0 {
		l.report("CON-P001", hcl.Range{Filename: "."}, "the project has no *.hcl files").Hint = "`continuo init` makes a small project to begin with"
		return nil
	}
	l.root = &node{schema: ProjectSchema()}
	l.tests = &node{schema: TestSchema()}
	for _, name := range names {
		if err := l.readFile(name); err != nil {
			return err
		}
	}
	l.meter = expr.NewMeter(l.opts.Limits.Steps, l.opts.Limits.Bytes)
	l.plain = expr.NewScope(l.source).WithMeter(l.meter)
	if l.diags.HasErrors() && l.broken() {
		return nil
	}
	l.build()
	return nil
}

// readFile reads, guards, parses and checks the structure of one file.
func (l *loader) readFile(name string) error {
	src, err := l.source.ReadFile(name)
	switch {
	case errors.Is(err, ErrOutside), errors.Is(err, ErrNotFile), errors.Is(err, ErrTooMany):
		l.report("CON-P004", startOf(name), "%s", strings.TrimPrefix(err.Error(), fmt.Sprintf("file %q: ", name))).
			Hint = "a project holds regular files of its own"
		return nil
	case errors.Is(err, ErrTooLarge):
		l.report("CON-G001", startOf(name), "the file is larger than the limit").Hint =
			fmt.Sprintf("at most %d bytes a file, %d together", l.opts.Limits.FileBytes, l.opts.Limits.TotalBytes)
		return nil
	case err != nil:
		return err
	}
	if l.hclBytes += int64(len(src)); l.hclBytes > l.opts.Limits.HCLBytes {
		l.report("CON-G001", startOf(name), "the *.hcl files are larger than the limit together").Hint =
			fmt.Sprintf("at most %d MiB; keep data and scripts in files of their own, or divide the project", l.opts.Limits.HCLBytes>>20)
		return nil
	}
	tokens, ds := guarded(name, src, l.opts.Limits)
	if len(ds) > 0 {
		l.diags = append(l.diags, ds...)
		return nil
	}
	if l.allTokens += len(tokens); l.allTokens > l.opts.Limits.AllTokens {
		l.report("CON-G007", startOf(name), "the *.hcl files have more than %d tokens together", l.opts.Limits.AllTokens).Hint =
			"divide the project; data stands in files of its own, read with csvdecode(file(…))"
		return nil
	}
	l.parsed[name], l.tokens[name] = src, tokens
	body, ok := l.parse(name, src)
	if body == nil {
		return nil
	}
	target := l.root
	if strings.HasSuffix(name, ".test.hcl") {
		target = l.tests
	}
	l.decode(body, target, !ok)
	return nil
}

// broken reports whether so little could be read that anything said about references would mislead.
func (l *loader) broken() bool {
	for _, d := range l.diags {
		if d.Severity == diag.Error && (strings.HasPrefix(d.Code, "CON-G") || strings.HasPrefix(d.Code, "CON-S00") || d.Code == "CON-P004") {
			return true
		}
	}
	return false
}

// report adds an error and returns it, to be completed at once: the pointer is good until the next report.
func (l *loader) report(code string, rng hcl.Range, format string, args ...any) *diag.Diagnostic {
	return l.reportAt(code, place(rng), format, args...)
}

func (l *loader) reportAt(code string, rng diag.Range, format string, args ...any) *diag.Diagnostic {
	if l.full() {
		return &l.unsaid
	}
	l.diags = append(l.diags, diag.Diagnostic{
		Severity: diag.Error, Code: code, Summary: fmt.Sprintf(format, args...), Range: rng, Context: l.context,
	})
	return &l.diags[len(l.diags)-1]
}

// full counts one more problem and says whether there are too many of them to report it.
func (l *loader) full() bool {
	if len(l.diags) < l.opts.Limits.Problems || l.opts.Limits.Problems == 0 {
		return false
	}
	l.more++
	return true
}

// closeReport says how many problems were not reported. It is given at the last place that was.
func (l *loader) closeReport() {
	if l.more == 0 {
		return
	}
	l.diags = append(l.diags, diag.Diagnostic{
		Severity: diag.Error, Code: "CON-G010", Summary: fmt.Sprintf("there are %d more problems, which are not shown", l.more),
		Range: l.diags[len(l.diags)-1].Range, Hint: "mend the first ones; the others may follow from them",
	})
}

// within sets the context for what f reports.
func (l *loader) within(context string, f func()) {
	before := l.context
	l.context = context
	f()
	l.context = before
}
