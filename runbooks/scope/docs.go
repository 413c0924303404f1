package scope

import "github.com/continuo-runbooks/continuo/runbooks/diag"

// Docs explains the codes of this package.
func Docs() []diag.Doc {
	runbook := func(inside string) string {
		return "runbook \"recover\" {\n" + inside + "  phase \"a\" {\n    wait \"b\" { duration = \"1s\" }\n  }\n}\n"
	}
	const shared = "locals {\n  site  = \"${local.short}-north\"\n  short = \"b\"\n}\n\n"
	return []diag.Doc{
		{
			Code: CodeVariable, Title: "a variable without a fitting value",
			Meaning: "A variable is given with --var, in a file with --var-file, or has a default; its value has the declared type, names " +
				"hosts of the inventory where hosts are wanted, and passes its validations. What the runbook does not declare is refused: " +
				"it would be a misspelt name.",
			Wrong: "$ continuo plan recover\n" + runbook("  variable \"lag\" { type = number }\n"),
			Right: "$ continuo plan recover --var lag=30\n" + runbook("  variable \"lag\" { type = number }\n"),
		},
		{
			Code: CodeLocalCycle, Title: "locals that need one another",
			Meaning: "Each waits for the other's value, so none has one. The message names every step of the circle. A runbook's own " +
				"locals win over those of the project, also where the project's need one of that name.",
			Wrong: shared + runbook("  locals {\n    short = substr(local.site, 0, 1)\n  }\n"),
			Right: shared + runbook("  locals {\n    letter = substr(local.site, 0, 1)\n  }\n"),
		},
	}
}
