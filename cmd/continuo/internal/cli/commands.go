package cli

import "github.com/spf13/cobra"

func writeCommands(a *app) []*cobra.Command { return []*cobra.Command{validateCommand(a)} }

func runCommands(a *app) []*cobra.Command { return nil }

func evidenceCommands(a *app) []*cobra.Command { return nil }

func hostCommands(a *app) []*cobra.Command { return []*cobra.Command{labCommand(a)} }

func otherCommands(a *app) []*cobra.Command {
	return []*cobra.Command{versionCommand(a), completionCommand(a)}
}
