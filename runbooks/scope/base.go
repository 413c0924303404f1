package scope

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// resolver serves what does not depend on results: var, host, group, role, secret. It also is the files of the project
// as they were when it was loaded, so that a run sees what was validated, whatever happens on disk meanwhile.
type resolver struct {
	in    Inputs
	files map[string][]byte
	hosts map[string]*runbooks.Host
	vars  map[string]*runbooks.Variable
	items map[runbooks.ItemID]*runbooks.Item

	mu     sync.Mutex
	values map[[2]string]answer // host, group, var: made once
	plans  map[runbooks.ItemID]expr.Value
	knowns map[runbooks.ItemID]made // the last value made of a result
	forms  map[string]form          // by the text of hosts that depend on the inventory alone
}

// made remembers of what a value was made.
type made struct {
	from Result
	v    expr.Value
}

type answer struct {
	v  expr.Value
	ds diag.List
}

func newBase(in Inputs) *resolver {
	b := &resolver{
		in: in, files: map[string][]byte{}, hosts: index(in.Project), vars: map[string]*runbooks.Variable{},
		items: map[runbooks.ItemID]*runbooks.Item{}, values: map[[2]string]answer{}, plans: map[runbooks.ItemID]expr.Value{},
		knowns: map[runbooks.ItemID]made{}, forms: map[string]form{},
	}
	for _, f := range in.Project.Files {
		b.files[f.Path] = f.Data
	}
	if in.Runbook != nil {
		for _, v := range in.Runbook.Variables {
			b.vars[v.Name] = v
		}
		for _, i := range in.Runbook.AllItems() {
			b.items[i.ID()] = i
		}
	}
	return b
}

// ReadFile implements expr.Files.
func (b *resolver) ReadFile(path string) ([]byte, error) {
	if b.in.Files != nil {
		return b.in.Files.ReadFile(path)
	}
	if data, ok := b.files[path]; ok {
		return data, nil
	}
	if s := diag.Suggest(path, slices.Collect(maps.Keys(b.files))); s != "" {
		return nil, fmt.Errorf("file %s is not part of the project as it was loaded; did you mean %s?", path, s)
	}
	return nil, fmt.Errorf("file %s is not part of the project as it was loaded", path)
}

// Serves implements expr.Resolver.
func (b *resolver) Serves(root string) bool {
	switch root {
	case "var", "host", "group", "role", "secret":
		return true
	}
	return false
}

// Resolve implements expr.Resolver.
func (b *resolver) Resolve(root, name string) (expr.Value, diag.List) {
	key := [2]string{root, name}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a, ok := b.values[key]; ok {
		return a.v, a.ds
	}
	v, ds := b.make(root, name)
	b.values[key] = answer{v, ds}
	return v, ds
}

func (b *resolver) make(root, name string) (expr.Value, diag.List) {
	switch root {
	case "var":
		return b.variable(name)
	case "host":
		if h := b.hosts[name]; h != nil {
			return HostValue(h), nil
		}
	case "group":
		for _, g := range b.in.Project.Groups {
			if g.Name == name {
				return HostList(g.Hosts), nil
			}
		}
	case "role":
		for _, r := range b.in.Project.Roles {
			if r.Name == name {
				return roleValue(r), nil
			}
		}
	case "secret":
		return b.secret(name), nil
	}
	return expr.Value{}, nil
}

func (b *resolver) variable(name string) (expr.Value, diag.List) {
	v := b.vars[name]
	if v == nil {
		return expr.Value{}, nil
	}
	value, ok := b.in.Variables[name]
	if !ok || value.Absent() {
		value = expr.Unknown(v.Type)
	}
	got, err := convertVariable(b.in.Project, v, value)
	if err != nil {
		return expr.Value{}, diag.List{{
			Severity: diag.Error, Code: CodeVariable, Summary: fmt.Sprintf("variable %s: %s", name, err), Range: v.Range,
		}}
	}
	return got, nil
}

func (b *resolver) secret(name string) expr.Value {
	declared := slices.ContainsFunc(b.in.Project.Secrets, func(s *runbooks.Secret) bool { return s.Name == name })
	if !declared {
		return expr.Value{}
	}
	if text, ok := b.in.Secrets[name]; ok {
		return expr.String(text).AsSensitive()
	}
	return expr.Unknown(expr.StringType()).AsSensitive()
}

func roleValue(r *runbooks.Role) expr.Value {
	members := make([]expr.Value, len(r.Members))
	for i, m := range r.Members {
		members[i] = expr.String(m)
	}
	return expr.Object(map[string]expr.Value{
		"name": expr.String(r.Name), "members": expr.ListOf(expr.StringType(), members...),
	})
}

// Names implements expr.Resolver.
func (b *resolver) Names(root string) []string {
	var out []string
	switch root {
	case "var":
		out = slices.Collect(maps.Keys(b.vars))
	case "host":
		out = slices.Collect(maps.Keys(b.hosts))
	case "group":
		for _, g := range b.in.Project.Groups {
			out = append(out, g.Name)
		}
	case "role":
		for _, r := range b.in.Project.Roles {
			out = append(out, r.Name)
		}
	case "secret":
		for _, s := range b.in.Project.Secrets {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return out
}
