package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// usageTemplate leads with an example: who looks at help at night wants a line to copy.
const usageTemplate = `{{if .HasExample}}{{.Example}}

{{end}}Usage:{{if .Runnable}}{{if not .HasAvailableSubCommands}} {{.UseLine}}{{end}}{{end}}{{if .HasAvailableSubCommands}} {{.CommandPath}} COMMAND{{end}}
{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if eq (len .Groups) 0}}
Commands:{{range $cmds}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}
{{else}}{{range $group := .Groups}}
{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}
{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Everywhere:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableSubCommands}}
"{{.CommandPath}} COMMAND --help" says more about one.
{{end}}`

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}`

func useTemplates(root *cobra.Command) {
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate(helpTemplate)
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about any command, or the exit codes",
		Example: "  continuo help run\n  continuo help exit-codes",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "exit-codes" {
				_, err := c.OutOrStdout().Write([]byte(exitCodesText))
				return err
			}
			target, rest, err := c.Root().Find(args)
			if err != nil || target == nil || len(rest) > 0 {
				word := strings.Join(args, " ")
				if len(rest) > 0 {
					word = rest[0]
				}
				return unknownCommand(c.Root(), []string{word})
			}
			return target.Help()
		},
	}
}

const exitCodesText = `Exit codes:

   0  passed, passed with deviations and no objective missed, ready, ready with gaps, verified, valid
   1  failed, an objective missed, not ready, a gate denied or expired; a test failed; explore has findings
   2  wrong usage
   3  the project is not valid
   4  refused before the first intent: not confirmed, no change reference; resume refused
   5  incomplete, held, or left: an outcome is unknown or waits for a person
   6  evidence does not verify, is unsigned, or could not be written
   7  aborted by the operator
  70  a defect of continuo; the message says what to report

Where several apply, the first of these wins: 70, 5, 7, 1, 6, 4.
`
