package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/runbooks/format"
)

func fmtCommand(a *app) *cobra.Command {
	var check, diff bool
	c := &cobra.Command{
		Use:   "fmt",
		Short: "Bring the project's files into their canonical form; comments are kept",
		Long:  "Formats all *.hcl files of the project. The meaning never changes: what would change it is refused.",
		Example: `  continuo fmt
  continuo fmt --check       exit code 1 when a file is not in canonical form, for CI
  continuo fmt --diff        show what would change, and write nothing`,
		Args: atMost(0),
		RunE: func(*cobra.Command, []string) error {
			return a.format(check, diff)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "write nothing; exit code 1 when something would change")
	c.Flags().BoolVar(&diff, "diff", false, "write nothing; show what would change")
	return c
}

func (a *app) format(check, diff bool) error {
	dir := a.dir()
	if _, err := os.Stat(dir); err != nil {
		return fail(Invalid, err, a.projectHint(err))
	}
	changes, list, err := format.Files(os.DirFS(dir))
	if err != nil {
		return fail(Defect, err, "")
	}
	if err := list.Err(); err != nil {
		return err
	}
	doc := view.FormatDocument{Schema: view.FormatSchema, Changed: []string{}}
	for _, c := range changes {
		doc.Changed = append(doc.Changed, c.Path)
		if diff && !a.global.json {
			a.out.DiffText(format.Diff(c.Path, c.Before, c.After))
		}
		if check || diff {
			continue
		}
		if err := rewrite(filepath.Join(dir, c.Path), c.After); err != nil {
			return fail(Fail, fmt.Errorf("fmt: %w", err), "")
		}
	}
	if a.global.json {
		if err := a.out.JSON(doc); err != nil {
			return err
		}
	} else if !diff {
		for _, p := range doc.Changed {
			a.out.Printf("%s\n", view.Clean(p))
		}
	}
	if check && len(changes) > 0 {
		return exit(Fail)
	}
	return nil
}

// rewrite replaces a file in one step, with its permissions.
func rewrite(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
