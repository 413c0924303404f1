package lint

import (
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// objective makes the examples about other things quiet about objectives.
const objective = "  objective \"duration\" {\n    target = \"5m\"\n    from   = \"begun\"\n    to     = \"done\"\n  }\n  mark \"begun\" {}\n  mark \"done\" {}\n"

// example is a runbook with an objective and these items.
func example(items string) string { return exampleWith("", items) }

func exampleWith(settings, items string) string {
	var b strings.Builder
	b.WriteString("runbook \"example\" {\n" + settings + objective + "  phase \"work\" {\n    hosts   = control\n    timeout = \"1m\"\n")
	for line := range strings.Lines(items) {
		b.WriteString("    " + line)
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

const roles = "role \"dba\" { members = [\"alice@example.org\", \"bob@example.org\"] }\n\n"

// Docs explain the codes of this package.
func Docs() []diag.Doc {
	return append(docsItems(), docsRunbooks()...)
}

func docsItems() []diag.Doc {
	gate := "gate \"go\" {\n  question = \"Promote?\"\n  role     = role.dba\n}\n"
	promote := "step \"promote\" {\n  argv         = [\"pg_ctl\", \"promote\"]\n  irreversible = true\n"
	verify := "  verify {\n    argv = [\"pg_isready\"]\n  }\n}\n"
	return []diag.Doc{
		{
			Code: "CON-W001", Title: "a step without a timeout",
			Meaning: "A step that hangs holds everything behind it for an hour, the default. Say how long it may take, on the item or its phase.",
			Wrong:   strings.Replace(example("step \"stop\" {\n  argv = [\"systemctl\", \"stop\", \"app\"]\n}\n"), "    timeout = \"1m\"\n", "", 1),
			Right:   example("step \"stop\" {\n  argv = [\"systemctl\", \"stop\", \"app\"]\n}\n"),
		},
		{
			Code: "CON-W002", Title: "an irreversible step without an approval",
			Meaning: "What cannot be taken back wants a second person's word first: a gate, and requires on the step.",
			Wrong:   roles + example(promote+verify), Right: roles + example(gate+promote+"  requires     = [gate.go]\n"+verify),
		},
		{
			Code: "CON-W003", Title: "no way back before the point of no return",
			Meaning: "A rollback goes back from the failure to the last irreversible step. A step on the way that cannot be rolled back leaves a half-done state that nobody planned.",
			Wrong:   roles + example(gate+"step \"freeze\" {\n  argv = [\"systemctl\", \"stop\", \"writer\"]\n}\n"+promote+"  requires     = [gate.go]\n"+verify),
			Right:   roles + example(gate+"step \"freeze\" {\n  argv = [\"systemctl\", \"stop\", \"writer\"]\n  rollback {\n    argv = [\"systemctl\", \"start\", \"writer\"]\n  }\n}\n"+promote+"  requires     = [gate.go]\n"+verify),
		},
		{
			Code: "CON-W005", Title: "nothing verifies an irreversible step",
			Meaning: "An exit code says that the command ended, not that the change took. After the point of no return there is no second chance to notice.",
			Wrong:   roles + example(gate+promote+"  requires     = [gate.go]\n}\n"), Right: roles + example(gate+promote+"  requires     = [gate.go]\n"+verify),
		},
		{
			Code: "CON-W008", Title: "several production hosts changed at once",
			Meaning: "Without a rollout all hosts are changed together, and a mistake meets them all. batch = \"100%\" says that this is meant.",
			Wrong:   fleet + hostsExample("step \"restart\" {\n  argv = [\"systemctl\", \"restart\", \"web\"]\n}\n"),
			Right:   fleet + hostsExample("step \"restart\" {\n  argv = [\"systemctl\", \"restart\", \"web\"]\n  rollout {\n    batch = 1\n  }\n}\n"),
		},
		{
			Code: "CON-W009", Title: "options that change nothing",
			Meaning: "A person is asked to choose, and what follows is the same whatever they choose. One option may be idle, to mean: go on.",
			Wrong:   example("decision \"how\" {\n  question = \"Wait or rebuild?\"\n  options  = [\"wait\", \"rebuild\"]\n}\n"),
			Right:   example("decision \"how\" {\n  question = \"Wait or rebuild?\"\n  options  = [\"wait\", \"rebuild\"]\n}\nstep \"rebuild\" {\n  argv = [\"rebuild\"]\n  when = decision.how.choice == \"rebuild\"\n}\n"),
		},
		{
			Code: "CON-W010", Title: "a pipe hides a failure",
			Meaning: "In a | b the shell looks at b only: a dump that fails half-way looks like a short one. Bash can be told to notice (pipefail), or the output is taken apart with expressions.",
			Wrong:   example("step \"dump\" {\n  script = \"pg_dump app | gzip > /backup/app.gz\"\n}\n"),
			Right:   example("step \"dump\" {\n  script      = \"pg_dump app | gzip > /backup/app.gz\"\n  interpreter = [\"/bin/bash\", \"-euo\", \"pipefail\"]\n}\n"),
		},
		{
			Code: "CON-W011", Title: "as many approvals as members",
			Meaning: "Nobody approves a run that they operate themselves. When one of the members operates, too few are left.",
			Wrong:   roles + example(strings.Replace(gate, "}\n", "  approvals = 2\n}\n", 1)), Right: roles + example(gate),
		},
		{
			Code: "CON-W012", Title: "a check that changes something",
			Meaning: "Checks only read, by their author's word, so a dry-run executes them. This one runs a command that is known to change something.",
			Wrong:   example("check \"clean\" {\n  argv = [\"rm\", \"-f\", \"/tmp/lock\"]\n}\n"), Right: example("step \"clean\" {\n  argv = [\"rm\", \"-f\", \"/tmp/lock\"]\n}\n"),
		},
		{
			Code: "CON-W013", Title: "a value spliced into a script",
			Meaning: "The shell reads the value as a part of the script: a space, a quote or $( ) in it changes what runs. By environment it stays a value; shellquote() makes it one word.",
			Wrong:   exampleWith(variable, "step \"drop\" {\n  script = \"dropdb ${var.name}\"\n}\n"),
			Right:   exampleWith(variable, "step \"drop\" {\n  script = \"dropdb \\\"$NAME\\\"\"\n  env    = { NAME = var.name }\n}\n"),
		},
		{
			Code: "CON-W014", Title: "a check that cannot fail",
			Meaning: "Any exit code is a success and nothing is expected or captured: whatever it finds, it holds.",
			Wrong:   example("check \"up\" {\n  argv          = [\"systemctl\", \"is-active\", \"app\"]\n  success_codes = \"any\"\n}\n"),
			Right:   example("check \"up\" {\n  argv          = [\"systemctl\", \"is-active\", \"app\"]\n  success_codes = \"any\"\n  expect {\n    condition = result.stdout != \"failed\"\n  }\n}\n"),
		},
		{
			Code: "CON-W015", Title: "not used",
			Meaning: "Nothing reads it. Often the place that should read it has a mistake.",
			Wrong:   exampleWith(variable, "wait \"a\" {\n  duration = \"1s\"\n}\n"), Right: example("wait \"a\" {\n  duration = \"1s\"\n}\n"),
		},
	}
}

const variable = "  variable \"name\" {\n    default = \"app\"\n  }\n"

const fleet = "fleet \"web\" {\n  for_each = [\"web1\", \"web2\"]\n  name     = each.value\n  address  = \"${each.value}.example.org\"\n}\n\n"

func hostsExample(items string) string {
	return strings.Replace(example(items), "hosts   = control", "hosts   = group.web", 1)
}

func docsRunbooks() []diag.Doc {
	wait := "wait \"a\" {\n  duration = \"1s\"\n}\n"
	return []diag.Doc{
		{
			Code: "CON-W004", Title: "no objective",
			Meaning: "A drill without an objective measures nothing, and its evidence answers no question.",
			Wrong:   "runbook \"example\" {\n  phase \"work\" {\n    wait \"a\" {\n      duration = \"1s\"\n    }\n  }\n}\n", Right: example(wait),
		},
		{
			Code: "CON-W006", Title: "the review is overdue",
			Meaning: "A procedure that nobody has read for long describes a system that is gone. Read it again, drill it, and set the next date.",
			Wrong:   exampleWith("  review_by = \"2020-01-01\"\n", wait), Right: exampleWith("  review_by = \"2099-01-01\"\n", wait),
		},
		{
			Code: "CON-W007", Title: "a switchover without a way back",
			Meaning: "What is moved has to come back some day, and the way back deserves its own drills. failback names the runbook.",
			Wrong:   exampleWith("  exercise {\n    type = \"switchover\"\n  }\n", wait),
			Right:   exampleWith("  failback = runbook.back\n  exercise {\n    type = \"switchover\"\n  }\n", wait) + "\n" + strings.Replace(example(wait), "\"example\"", "\"back\"", 1),
		},
	}
}
