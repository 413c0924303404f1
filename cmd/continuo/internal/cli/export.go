package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

func exportCommand(a *app) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "export RUN",
		Short: "A sealed run as one tar, the same bytes wherever it is made",
		Example: `  continuo export @latest                       writes RUN.tar
  continuo export @latest -o - | ssh archive 'cat > drill.tar'`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := a.runDir(args[0])
			if err != nil {
				return err
			}
			return a.export(dir, output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "write to `PATH`; - is stdout (default: RUN.tar)")
	return c
}

func (a *app) export(dir, output string) error {
	hint := ""
	describe := func(err error) error {
		if errors.Is(err, evidence.ErrNotSealed) {
			hint = "`continuo seal " + filepath.Base(dir) + "` finishes it"
		}
		return fail(BadEvidence, err, hint)
	}
	if output == "-" {
		if a.out.Terminal() {
			return failf(Usage, "name a file with -o, or pipe it somewhere", "export: a tar is not for a terminal")
		}
		if err := evidence.Export(dir, a.out); err != nil {
			return describe(err)
		}
		return nil
	}
	path := filepath.Join(a.dir(), filepath.Base(dir)+".tar")
	if output != "" {
		path = a.path(output)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // evidence is for others to read
	if errors.Is(err, os.ErrExist) {
		return fail(Usage, fmt.Errorf("export: %w", err), "name another file with -o, or remove that one")
	}
	if err != nil {
		return fail(BadEvidence, fmt.Errorf("export: %w", err), "")
	}
	err = evidence.Export(dir, f)
	if cerr := errors.Join(f.Sync(), f.Close()); err == nil {
		err = cerr
	}
	if err != nil {
		return errors.Join(describe(err), os.Remove(path))
	}
	if a.global.json {
		return a.out.JSON(view.FileDocument{Schema: view.FileSchema, Paths: []string{path}})
	}
	a.err.Printf("wrote %s\n", view.Clean(path))
	return nil
}
