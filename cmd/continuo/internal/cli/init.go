package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/runbooks/catalog"
)

func initCommand(a *app) *cobra.Command {
	var template string
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "A small project that validates, tests and dry-runs as it stands",
		Example: `  continuo init drill && cd drill
  continuo init failover --template failover`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := a.dir()
			if len(args) == 1 {
				dir = a.path(args[0])
			}
			return a.init(dir, template)
		},
	}
	c.Flags().StringVarP(&template, "template", "t", catalog.Default, "begin with this `NAME`: "+fmt.Sprint(catalog.Names()))
	complete(c, "template", wordsOf(catalog.Names()...))
	return c
}

// init copies a template into a directory that has no project yet. No file that is there is ever overwritten.
func (a *app) init(dir, name string) error {
	t, ok := catalog.Find(name)
	if !ok {
		return failf(Usage, didYouMean(name, catalog.Names(), ""), "init: unknown template %q", name)
	}
	files, err := catalog.Files(name)
	if err != nil {
		return fail(Defect, err, "")
	}
	paths, err := templateFiles(files)
	if err != nil {
		return fail(Defect, err, "")
	}
	if there, err := filepath.Glob(filepath.Join(dir, "*.hcl")); err == nil && len(there) > 0 {
		return failf(Usage, "name another directory: continuo init DIR", "init %s: there is a project already (%s)", dir, filepath.Base(there[0]))
	}
	for _, p := range paths {
		if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(p))); err == nil {
			return failf(Usage, "nothing was written; name another directory", "init %s: %s is there already", dir, p)
		}
	}
	doc := view.InitDocument{Schema: view.InitSchema, Dir: dir, Template: t.Name, Next: t.Next}
	for _, p := range paths {
		if err := copyFile(files, p, filepath.Join(dir, filepath.FromSlash(p))); err != nil {
			return fail(Fail, fmt.Errorf("init: %w", err), "")
		}
		doc.Files = append(doc.Files, p)
	}
	if a.global.json {
		return a.out.JSON(doc)
	}
	a.out.Init(doc, t.Title, dir != a.env.Dir)
	return nil
}

func templateFiles(files fs.FS) ([]string, error) {
	var out []string
	err := fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, p)
		}
		return err
	})
	return out, err
}

// copyFile writes a new file. Scripts can be executed, also where the template's file system has no such bits.
func copyFile(from fs.FS, name, to string) error {
	data, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if len(data) > 2 && string(data[:2]) == "#!" {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // a project is for a team to read
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
