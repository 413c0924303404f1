package simulation

import "github.com/continuo-runbooks/continuo/runbooks/diag"

// Docs explain the codes of findings.
func Docs() []diag.Doc {
	wrap := func(items string) string {
		return "runbook \"example\" {\n  phase \"work\" {\n    hosts = control\n" + items + "  }\n}\n"
	}
	const promote = `    step "promote" {
      argv         = ["promote"]
      irreversible = true
      verify { argv = ["is-promoted"] }
    }
`
	const freeze = "    step \"freeze\" {\n      argv = [\"freeze\"]\n      verify { argv = [\"is-frozen\"] }\n"
	const ready = "    check \"ready\" {\n      argv = [\"ready\"]\n"
	return []diag.Doc{
		{
			Code: CodeIrreversibleAfterFailure, Title: "an irreversible step ran after a failed check",
			Meaning: "A check failed, the run went on, and something was done that cannot be taken back. Let the failure stop the run, or " +
				"put the step under a gate that a person opens.",
			Wrong: wrap(ready + "      on_failure = \"continue\"\n    }\n" + promote), Right: wrap(ready + "    }\n" + promote),
		},
		{
			Code: CodeNoRollback, Title: "a completed step before the point of no return has no rollback",
			Meaning: "When something later fails, the run goes back as far as it can; this step stays as it is. Say how it is undone, or mark " +
				"it irreversible if it cannot be.",
			Wrong: wrap(freeze + "    }\n" + ready + "    }\n"), Right: wrap(freeze + "      rollback { argv = [\"thaw\"] }\n    }\n" + ready + "    }\n"),
		},
		{
			Code: CodeNotCleaned, Title: "cleanup did not run",
			Meaning: "The run ended and left what cleanup would have removed. This is a defect of continuo rather than of the runbook: report it.",
		},
		{
			Code: CodeUnsettled, Title: "an unknown outcome cannot be settled",
			Meaning: "The connection was lost after the command had started, and its result is gone. Nothing starts it again, and nothing says " +
				"whether it worked: a person must look, at the worst moment. Give the step a verify that tells, or say that it is idempotent.",
			Wrong: wrap("    step \"freeze\" {\n      argv = [\"freeze\"]\n      rollback { argv = [\"thaw\"] }\n    }\n"),
			Right: wrap(freeze + "      rollback { argv = [\"thaw\"] }\n    }\n"),
		},
		{
			Code: CodeGateOutOfReach, Title: "a gate cannot be opened when a member of its role operates",
			Meaning: "The operator never approves their own run. With one member of the role at the keyboard, fewer others are left than the " +
				"gate wants approvals. Add members to the role, or have the run operated by somebody else.",
		},
		{
			Code: CodeUnnoticed, Title: "a failure would go unnoticed",
			Meaning: "Something went wrong, and the run ended as passed without a deviation. Expect what must be true, or verify it.",
		},
	}
}
