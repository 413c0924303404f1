package planner

import (
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Docs explains the codes of this package: what is found when a runbook is planned with its variables.
func Docs() []diag.Doc {
	runbook := func(items string) string {
		return "$ continuo plan recover\nhost \"web1\" { address = \"10.0.0.1\" }\n\nrunbook \"recover\" {\n  variable \"time\" {\n    type    = string\n" +
			"    default = \"30s\"\n  }\n  variable \"names\" {\n    type    = list(string)\n    default = [\"web1\"]\n  }\n" +
			"  phase \"a\" {\n" + items + "  }\n}\n"
	}
	const each = "    step \"restart\" {\n      for_each = var.names\n      hosts    = host.web1\n      argv     = [\"echo\", each.value]\n    }\n"
	login := func(attrs string) string {
		return "$ continuo plan recover\nsecret \"token\" { env = \"TOKEN\" }\n\nhost \"web1\" { address = \"10.0.0.1\" }\n\nrunbook \"recover\" {\n  variable \"access\" {\n" +
			"    type    = string\n    default = \"team\"\n  }\n  phase \"a\" {\n    step \"login\" {\n      hosts = host.web1\n" + attrs + "    }\n  }\n}\n"
	}
	step := func(attrs string) string { return "    step \"restart\" {\n" + attrs + "    }\n" }
	second := func(items string) string { return runbook(items) + "\nhost \"web2\" { address = \"10.0.0.2\" }\n" }
	return []diag.Doc{
		{
			Code: "CON-B003", Title: "an item without hosts",
			Meaning: "The item would run nowhere, and a step that ran nowhere must not look like one that succeeded. Where an empty list " +
				"is meant, allow_no_hosts = true says so, and the item is skipped.",
			Wrong: runbook(step("      hosts = [for h in inventory : h if h.name == \"web9\"]\n      argv  = [\"true\"]\n")),
			Right: runbook(step("      hosts          = [for h in inventory : h if h.name == \"web9\"]\n      argv           = [\"true\"]\n      allow_no_hosts = true\n")),
		},
		{
			Code: "CON-B004", Title: "for_each over what has no elements",
			Meaning: "for_each takes a list, a set or a map, with elements that are not sensitive: each of them appears in the plan and in " +
				"the evidence by its key.",
			Wrong: strings.NewReplacer("list(string)", "any", `["web1"]`, `"web1"`).Replace(runbook(each)), Right: runbook(each),
		},
		{
			Code: "CON-B005", Title: "hosts that are none",
			Meaning: "hosts takes a host, a list of hosts, or lists of lists. Every one of them stands in the inventory: what a plan touches " +
				"is known before anything connects.",
			Wrong: runbook(step("      hosts = var.names\n      argv  = [\"true\"]\n")),
			Right: runbook(step("      hosts = [for h in inventory : h if contains(var.names, h.name)]\n      argv  = [\"true\"]\n")),
		},
		{
			Code: "CON-B006", Title: "a secret in a command",
			Meaning: "Commands are shown in plans and recorded in the evidence, and on the host every user can read them in the list of " +
				"processes. Secrets go in on stdin or in the environment.",
			Wrong: login("      argv  = [\"login\", { public = \"none\", team = secret.token }[var.access]]\n"),
			Right: login("      argv  = [\"login\"]\n      env   = { TOKEN = { public = \"none\", team = secret.token }[var.access] }\n"),
		},
		{
			Code: "CON-B007", Title: "a wait of no length",
			Meaning: "duration is a number with a unit, such as 30s, 5m or 1h30m, or a number of seconds.",
			Wrong:   runbook("    wait \"settle\" { duration = \"${var.time} or so\" }\n"),
			Right:   runbook("    wait \"settle\" { duration = var.time }\n"),
		},
		{
			Code: "CON-B008", Title: "several production hosts at once, without saying so",
			Meaning: "A step or transfer on more than one production host states its rollout: how many at a time, and how many may fail. " +
				"Who means all at once writes batch = \"100%\". A host is a production host unless the project or the host says otherwise.",
			Wrong: second(step("      hosts = inventory\n      argv  = [\"true\"]\n")),
			Right: second(step("      hosts = inventory\n      argv  = [\"true\"]\n      rollout { batch = 1 }\n")),
		},
	}
}
