package simulation

import (
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Docs explain the codes of findings. Each has a runbook with the hole, and the same after the obvious repair; the tests
// explore both.
func Docs() []diag.Doc {
	wrap := func(items string) string {
		return "$ continuo test example --explore\nrunbook \"example\" {\n  phase \"work\" {\n    hosts = control\n" + items + "  }\n}\n"
	}
	cleaned := func(step, tidy string) string {
		return "$ continuo test example --explore\nrunbook \"example\" {\n  phase \"work\" {\n    hosts = control\n" + step + "  }\n  cleanup {\n    step \"tidy\" {\n" +
			"      hosts      = control\n      argv       = " + tidy + "\n      idempotent = true\n    }\n  }\n}\n"
	}
	const promote = `    step "promote" {
      argv         = ["promote"]
      irreversible = true
      verify { argv = ["is-promoted"] }
    }
`
	const freeze = "    step \"freeze\" {\n      argv = [\"freeze\"]\n      verify { argv = [\"is-frozen\"] }\n"
	const thaw = "      rollback { argv = [\"thaw\"] }\n    }\n"
	const ready = "    check \"ready\" {\n      argv = [\"ready\"]\n"
	const scratch = `    step "scratch" {
      argv       = ["mktemp", "-d"]
      idempotent = true
      capture "dir" { value = result.stdout }
      rollback { argv = ["true"] }
    }
`
	gate := func(members string) string {
		return wrap(`    gate "go" {
      question  = "Promote?"
      role      = role.deciders
      approvals = 2
      expires   = "30m"
    }
`+promote) + "\nrole \"deciders\" { members = [" + members + "] }\n"
	}
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
			Wrong: wrap(freeze + "    }\n" + ready + "    }\n"), Right: wrap(freeze + thaw + ready + "    }\n"),
		},
		{
			Code: CodeNotCleaned, Title: "cleanup did not run",
			Meaning: "The run ended and left what cleanup would have removed: an item of cleanup needs a result that is not there when the " +
				"item that gives it fails halfway. Clean up by a name that is known beforehand, such as one with run.id in it, or give what is missing a " +
				"value with try.",
			Wrong: cleaned(scratch, `["rm", "-rf", step.scratch.dir]`),
			Right: cleaned(strings.Replace(scratch, `["mktemp", "-d"]`, `["mkdir", "-p", "/tmp/drill-${run.id}"]`, 1), `["rm", "-rf", "/tmp/drill-${run.id}"]`),
		},
		{
			Code: CodeUnsettled, Title: "an unknown outcome cannot be settled",
			Meaning: "The connection was lost after the command had started, or continuo itself was, and its result is gone. Nothing starts it " +
				"again, and nothing says whether it worked: a person must look, at the worst moment. Give the step a verify that tells, or say that it " +
				"is idempotent.",
			Wrong: wrap("    step \"freeze\" {\n      argv = [\"freeze\"]\n" + thaw), Right: wrap(freeze + thaw),
		},
		{
			Code: CodeGateOutOfReach, Title: "a gate cannot be opened when a member of its role operates",
			Meaning: "The operator never approves their own run. With one member of the role at the keyboard, fewer others are left than the " +
				"gate wants approvals. Add members to the role, or have the run operated by somebody else.",
			Wrong: gate(`"ann@example.org", "bob@example.org"`), Right: gate(`"ann@example.org", "bob@example.org", "cy@example.org"`),
		},
		{
			Code: CodeUnnoticed, Title: "a failure would go unnoticed",
			Meaning: "Something went wrong, and the run ended as passed without a deviation: every exit code counts as a success, and nothing " +
				"else is looked at. Name the codes that are a success, expect what must be true, or verify it.",
			Wrong: wrap("    check \"ready\" {\n      argv          = [\"ready\"]\n      success_codes = \"any\"\n    }\n"),
			Right: wrap("    check \"ready\" {\n      argv          = [\"ready\"]\n      success_codes = [0, 3]\n    }\n"),
		},
	}
}
