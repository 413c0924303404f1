package cli

import (
	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

func schemaCommand(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "schema",
		Short: "The runbook language as data: blocks, attributes, names and functions, for editors and documentation",
		Example: `  continuo schema --format json
  continuo schema | jq '.blocks[].type'`,
		Args: atMost(0),
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("format", format, "json"); err != nil {
				return err
			}
			return a.out.JSON(loader.NewSchemaDocument(expr.RootNames(), expr.FunctionNames()))
		},
	}
	c.Flags().StringVar(&format, "format", "json", "`FORMAT` is json")
	return c
}
