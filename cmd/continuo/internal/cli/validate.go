package cli

import (
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
  continuo validate --format sarif`,
		Args: atMost(0),
		RunE: func(*cobra.Command, []string) error {
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
			err = diag.SARIF{Version: tool().Version, Docs: docs, Source: readSource(a.dir())}.Write(a.out, list)
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
