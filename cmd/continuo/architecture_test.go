package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/continuo-runbooks/continuo"

// pkg is what `go list` says of a package. Paths of this module are without the module's prefix; the root is ".".
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Standard   bool
}

// rule forbids packages to know others, directly or through any chain of packages of this module.
type rule struct {
	name string
	// who the rule is about: prefixes of packages of this module; but are exceptions.
	who, but []string
	// forbidden are prefixes: of this module, or of import paths outside.
	forbidden []string
	// direct: only own imports count. A package outside may be reached through one that may use it.
	direct bool
}

func rules() []rule {
	transports := []string{
		"engine/sshtransport", "engine/drytransport", "engine/simtransport", "engine/localtransport", "engine/lab",
	}
	product := []string{"cmd", "engine", "runbooks"} // beside it there are examples, programs of their own
	recorders := []string{"engine/journal", "engine/evidence", "engine/report"}
	return []rule{
		{name: "runbooks is static", who: []string{"runbooks"}, forbidden: []string{"engine", "cmd"}},
		{name: "diag is a leaf", who: []string{"runbooks/diag"}, forbidden: []string{"runbooks/", "runbooks=", "engine", "cmd"}, direct: true},
		{name: "expr knows diag only", who: []string{"runbooks/expr"}, forbidden: []string{"runbooks=", "runbooks/scope", "runbooks/loader", "runbooks/lint", "runbooks/format", "runbooks/catalog"}},
		{name: "the domain knows no loader", who: []string{"runbooks=", "runbooks/scope"}, forbidden: []string{"runbooks/loader", "runbooks/lint", "runbooks/format", "runbooks/catalog"}},
		{name: "the engine knows no command line", who: []string{"engine"}, forbidden: []string{"cmd"}},
		{name: "the dynamic domain knows only the static one", who: []string{"engine="}, forbidden: []string{"engine/", "runbooks/loader", "runbooks/lint", "runbooks/format", "runbooks/catalog"}},
		{name: "the planner is pure", who: []string{"engine/planner"}, forbidden: append(append([]string{"engine/executor", "engine/secrets"}, transports...), recorders...)},
		{name: "the executor knows interfaces only", who: []string{"engine/executor"}, forbidden: append(append([]string{"engine/secrets"}, transports...), recorders...)},
		{name: "evidence never sees the executor", who: recorders, forbidden: append([]string{"engine/executor", "engine/planner"}, transports...)},
		{name: "transports do not record", who: transports, forbidden: append([]string{"engine/executor"}, recorders...)},
		{name: "hcl and cty stay in runbooks", who: product, but: []string{"runbooks"}, direct: true, forbidden: []string{"github.com/hashicorp/hcl", "github.com/zclconf"}},
		{name: "ssh stays in sshtransport and lab, signatures in evidence", who: product, but: []string{"engine/sshtransport", "engine/lab", "engine/evidence", "engine/transporttest"}, direct: true, forbidden: []string{"golang.org/x/crypto/ssh", "github.com/skeema/knownhosts", "github.com/hiddeco/sshsig"}},
		{name: "terminals and colour stay in view", who: product, but: []string{"cmd/continuo/internal/view"}, direct: true, forbidden: []string{"golang.org/x/term", "charm.land", "github.com/charmbracelet", "github.com/mattn/go-isatty"}},
		{name: "cobra stays in cli", who: product, but: []string{"cmd/continuo/internal/cli"}, direct: true, forbidden: []string{"github.com/spf13"}},
		// simulation runs in a bubble of testing/synctest, for its clock
		{name: "tests do not ship", who: product, but: []string{"engine/transporttest", "engine/simulation"}, direct: true, forbidden: []string{"testing", "github.com/stretchr", "github.com/rogpeppe", "pgregory.net"}},
	}
}

func TestImportDirection(t *testing.T) {
	t.Parallel()
	tree := listPackages(t)
	require.Contains(t, tree, "cmd/continuo", "go list found no program")
	for _, r := range rules() {
		t.Run(strings.ReplaceAll(r.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			for path := range tree {
				if !matches(path, r.who) || len(r.but) > 0 && matches(path, r.but) {
					continue
				}
				if chain := offence(tree, path, r); chain != nil {
					t.Errorf("%s: %s", r.name, strings.Join(chain, " → "))
				}
			}
		})
	}
}

// matches reports whether a path falls under one of the prefixes: "x" is x and everything below it, "x/" only what is
// below, "x=" only itself, "" everything of this module.
func matches(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		switch {
		case p == "":
			return true
		case strings.HasSuffix(p, "="):
			return path == strings.TrimSuffix(p, "=")
		case strings.HasSuffix(p, "/"):
			return strings.HasPrefix(path, p)
		}
		return path == p || strings.HasPrefix(path, p+"/")
	})
}

// offence finds the shortest chain of imports by which a package breaks a rule.
func offence(tree map[string]pkg, start string, r rule) []string {
	from := map[string]string{start: ""}
	queue := []string{start}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range tree[at].Imports {
			if _, seen := from[next]; seen {
				continue
			}
			from[next] = at
			if matches(next, r.forbidden) {
				return chain(from, next)
			}
			if _, own := tree[next]; own && !r.direct {
				queue = append(queue, next)
			}
		}
	}
	return nil
}

func chain(from map[string]string, end string) []string {
	var out []string
	for at := end; at != ""; at = from[at] {
		out = append([]string{at}, out...)
	}
	return out
}

// listPackages gives the packages of this module by their path inside it.
func listPackages(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,GoFiles,Imports,Standard", "./...")
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	tree := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return tree
		}
		require.NoError(t, err)
		path, own := inModule(p.ImportPath)
		if !own {
			continue
		}
		for i, imp := range p.Imports {
			p.Imports[i], _ = inModule(imp)
		}
		tree[path] = p
	}
}

// inModule strips the module's prefix.
func inModule(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// outside are the calls by which a program reaches its surroundings. They belong to cmd.
func outside() map[string][]string {
	return map[string][]string{
		"os": {"Exit", "Getenv", "LookupEnv", "Environ", "Setenv", "Unsetenv", "ExpandEnv", "Getwd", "Chdir", "UserHomeDir",
			"UserConfigDir", "UserCacheDir", "Stdin", "Stdout", "Stderr", "Args"},
		"fmt": {"Print", "Println", "Printf"},
		"log": {"Fatal", "Fatalf", "Fatalln", "Print", "Printf", "Println", "Panic", "Panicf"},
	}
}

func TestSurroundingsBelongToCmd(t *testing.T) {
	t.Parallel()
	files := 0
	for path, p := range listPackages(t) {
		if matches(path, []string{"examples", "engine/transporttest"}) {
			continue
		}
		for _, name := range p.GoFiles {
			files++
			inspect(t, path, filepath.Join(p.Dir, name))
		}
	}
	require.NotZero(t, files)
}

// inspect fails for an init function, for os.Exit outside main.go, and for surroundings outside cmd.
func inspect(t *testing.T, path, file string) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	imported := map[string]string{} // local name → import path
	for _, imp := range f.Imports {
		p, err := strconv.Unquote(imp.Path.Value)
		require.NoError(t, err)
		name := p[strings.LastIndex(p, "/")+1:]
		if imp.Name != nil {
			name = imp.Name.Name
		}
		imported[name] = p
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				t.Errorf("%s: func init: pass tables and configuration instead", set.Position(n.Pos()))
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok || !slices.Contains(outside()[imported[x.Name]], n.Sel.Name) {
				return true
			}
			if !mayReachOut(path, n.Sel.Name) {
				t.Errorf("%s: %s.%s belongs to cmd", set.Position(n.Pos()), x.Name, n.Sel.Name)
			}
		}
		return true
	})
}

func mayReachOut(path, what string) bool {
	switch what {
	case "Exit":
		return path == "cmd/continuo"
	case "Stderr":
		if path == "engine/lab" {
			return true // the daemon is a process of its own, and its stderr is the lab's log
		}
	}
	return matches(path, []string{"cmd/continuo="}) || path == "cmd/continuo/internal/cli"
}

func TestMainIsThin(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.LessOrEqual(t, bytes.Count(b, []byte("\n")), 20)
}

func TestOffenceNamesTheChain(t *testing.T) {
	t.Parallel()
	tree := map[string]pkg{
		"engine/executor": {Imports: []string{"engine", "engine/odd"}},
		"engine":          {Imports: []string{"time"}},
		"engine/odd":      {Imports: []string{"engine/journal"}},
		"engine/journal":  {},
	}
	r := rule{forbidden: []string{"engine/journal"}}
	require.Equal(t, []string{"engine/executor", "engine/odd", "engine/journal"}, offence(tree, "engine/executor", r))
	r.direct = true
	require.Nil(t, offence(tree, "engine/executor", r))
	require.Equal(t, []string{"engine/odd", "engine/journal"}, offence(tree, "engine/odd", r))
}
