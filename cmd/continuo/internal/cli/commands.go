package cli

import (
	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/engine/control"
)

func writeCommands(a *app) []*cobra.Command {
	return []*cobra.Command{initCommand(a), validateCommand(a), fmtCommand(a), explainCommand(a), planCommand(a), testCommand(a), schemaCommand(a)}
}

func runCommands(a *app) []*cobra.Command {
	return []*cobra.Command{
		runCommand(a), resumeCommand(a), rollbackCommand(a), settleCommand(a), statusCommand(a),
		steerCommand(a, control.Pause, "Start nothing new in a running run; what runs goes on", "  continuo pause @latest"),
		steerCommand(a, control.Continue, "Go on after a pause", "  continuo continue @latest"),
		steerCommand(a, control.Abort, "End a running run: what runs may end, then it is cleaned up and sealed (exit code 7)",
			`  continuo abort @latest --reason "the storage team called it off"`),
		attachCommand(a), noteCommand(a), approveCommand(a), denyCommand(a), decideCommand(a), doneCommand(a),
	}
}

func evidenceCommands(a *app) []*cobra.Command {
	return []*cobra.Command{runsCommand(a), showCommand(a), reportCommand(a), diffCommand(a), verifyCommand(a), signCommand(a), sealCommand(a),
		exportCommand(a), pruneCommand(a), ledgerCommand(a)}
}

func hostCommands(a *app) []*cobra.Command {
	return []*cobra.Command{hostsCommand(a), trustCommand(a), labCommand(a)}
}

func otherCommands(a *app) []*cobra.Command {
	return []*cobra.Command{versionCommand(a), completionCommand(a), manCommand(a), guardCommand()}
}
