package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/lint"
)

func validateCommand(a *app) *cobra.Command {
	var strict bool
	var format string
	c := &cobra.Command{
		Use:   "validate",
		Short: "Everything that can be known of the project without connecting to anything",
		Long: `Checks syntax, references, types, order and the shell syntax of scripts. Nothing is connected to and no secret is read.
Exit code 3 when the project is not valid.`,
		Example: `  continuo validate
  continuo validate --strict             warnings are errors, for CI
  continuo -C runbooks/payments validate --format sarif > continuo.sarif     for a code host, from the repository's root`,
		Args: atMost(0),
		RunE: func(*cobra.Command, []string) error {
			a.collectLess()
			if a.global.json {
				format = "json"
			}
			if err := oneOf("format", format, "text", "json", "sarif"); err != nil {
				return err
			}
			return a.validate(strict, format)
		},
	}
	f := c.Flags()
	f.BoolVar(&strict, "strict", false, "warnings are errors")
	f.StringVar(&format, "format", "text", "`FORMAT` is text, json or sarif")
	return c
}

// home is where continuo is described.
const home = "https://github.com/continuo-runbooks/continuo"

// base is the project's directory as seen from the working directory, which is the repository's root where a code host
// runs commands; empty for a project elsewhere.
func (a *app) base() string {
	rel, err := filepath.Rel(a.env.Dir, a.dir())
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}

func (a *app) validate(strict bool, format string) error {
	p, list, err := a.load()
	if p == nil && len(list) == 0 {
		return err
	}
	if p != nil {
		list = append(list, lint.Project(p, lint.Options{Now: a.env.Now()})...).Sorted()
	}
	bad := list.HasErrors() || strict && len(list) > 0
	switch format {
	case "json":
		err = a.out.JSON(list)
	case "sarif":
		var docs *diag.Table
		if docs, err = codes(); err == nil {
			err = diag.SARIF{
				Version: tool().Version, URI: home, Base: a.base(), Docs: docs, Source: readSource(a.dir()),
			}.Write(a.out, list)
		}
	default:
		err = a.err.DiagnosticText(list, readSource(a.dir()))
		if err == nil && !bad {
			a.out.Valid(p, len(list))
		}
	}
	if err != nil {
		return err
	}
	if bad {
		return exit(Invalid)
	}
	return nil
}
