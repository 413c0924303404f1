package cli

import "github.com/spf13/cobra"

func writeCommands(a *app) []*cobra.Command {
	return []*cobra.Command{initCommand(a), validateCommand(a), fmtCommand(a), explainCommand(a), planCommand(a)}
}

func runCommands(a *app) []*cobra.Command {
	return []*cobra.Command{runCommand(a)}
}

func evidenceCommands(a *app) []*cobra.Command {
	return []*cobra.Command{runsCommand(a), showCommand(a), reportCommand(a), diffCommand(a), verifyCommand(a), sealCommand(a), exportCommand(a)}
}

func hostCommands(a *app) []*cobra.Command {
	return []*cobra.Command{hostsCommand(a), trustCommand(a), labCommand(a)}
}

func otherCommands(a *app) []*cobra.Command {
	return []*cobra.Command{versionCommand(a), completionCommand(a)}
}
