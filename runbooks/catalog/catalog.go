// Package catalog holds the projects that `continuo init` begins with. Each is a whole project: it validates, is in
// canonical form, and carries tests. The embedded files are the same that the tests of this package load.
package catalog

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed all:templates
var templates embed.FS

// Template is a project to begin with.
type Template struct {
	Name  string
	Title string // one line: what it is for
	// Next are the commands to try, in order, in the new project.
	Next []string
}

// Default is the template of `continuo init` without --template.
const Default = "restore-drill"

// Templates lists what there is, the default first.
func Templates() []Template {
	return []Template{
		{
			Name: Default, Title: "restore a small backup on this machine, measured and cleaned up",
			Next: []string{"continuo validate", "continuo test", "continuo run restore", "continuo run restore --live"},
		},
		{
			Name: "failover", Title: "promote a PostgreSQL standby over SSH; put in your hosts",
			Next: []string{"continuo validate", "continuo test failover --explore", "continuo trust add db-a db-b", "continuo run failover"},
		},
		{
			Name: "minimal", Title: "the smallest runbook, on this machine",
			Next: []string{"continuo validate", "continuo run example", "continuo run example --live"},
		},
	}
}

// Find returns the template of that name.
func Find(name string) (Template, bool) {
	for _, t := range Templates() {
		if t.Name == name {
			return t, true
		}
	}
	return Template{}, false
}

// Names are the names of all templates, the default first.
func Names() []string {
	var out []string
	for _, t := range Templates() {
		out = append(out, t.Name)
	}
	return out
}

// Files is the project of a template: a file system whose root is the project.
func Files(name string) (fs.FS, error) {
	if _, ok := Find(name); !ok {
		return nil, fmt.Errorf("template %q: %w", name, fs.ErrNotExist)
	}
	sub, err := fs.Sub(templates, path.Join("templates", name))
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", name, err)
	}
	return sub, nil
}
