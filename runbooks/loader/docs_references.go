package loader

import "github.com/continuo-runbooks/continuo/runbooks/diag"

func docsReferences() []diag.Doc {
	return append(docsNames(), docsOrder()...)
}

const docHost = "host \"db\" {\n  address = \"10.0.0.1\"\n}\n\n"

func docsNames() []diag.Doc {
	return []diag.Doc{
		{
			Code: "CON-R002", Title: "unknown variable",
			Meaning: "The runbook declares no such variable. Variables belong to their runbook.",
			Wrong:   inRunbook("assert \"small\" {\n  condition = var.lag < 30\n}\n"),
			Right:   "runbook \"example\" {\n  variable \"lag\" {\n    type    = number\n    default = 10\n  }\n  phase \"work\" {\n    assert \"small\" { condition = var.lag < 30 }\n  }\n}\n",
		},
		{
			Code: "CON-R003", Title: "unknown local",
			Meaning: "Neither the runbook nor the project has a local of that name.",
			Wrong:   inRunbook("assert \"small\" {\n  condition = local.lag < 30\n}\n"),
			Right:   "locals {\n  lag = 10\n}\n\n" + inRunbook("assert \"small\" {\n  condition = local.lag < 30\n}\n"),
		},
		{
			Code: "CON-R004", Title: "unknown host",
			Meaning: "The inventory has no such host.",
			Wrong:   docHost + inRunbook("check \"up\" {\n  hosts = host.dc\n  argv  = [\"true\"]\n}\n"),
			Right:   docHost + inRunbook("check \"up\" {\n  hosts = host.db\n  argv  = [\"true\"]\n}\n"),
		},
		{
			Code: "CON-R005", Title: "unknown group",
			Meaning: "The inventory has neither a group nor a fleet of that name.",
			Wrong:   docHost + inRunbook("check \"up\" {\n  hosts = group.databases\n  argv  = [\"true\"]\n}\n"),
			Right:   docHost + "group \"databases\" { hosts = [host.db] }\n\n" + inRunbook("check \"up\" {\n  hosts = group.databases\n  argv  = [\"true\"]\n}\n"),
		},
		{
			Code: "CON-R006", Title: "unknown role",
			Meaning: "The project has no such role.",
			Wrong:   inRunbook("manual \"call\" {\n  instructions = \"Call the data centre.\"\n  role         = role.dba\n}\n"),
			Right:   "role \"dba\" { members = [\"alice@example.org\"] }\n\n" + inRunbook("manual \"call\" {\n  instructions = \"Call the data centre.\"\n  role         = role.dba\n}\n"),
		},
		{
			Code: "CON-R007", Title: "unknown secret",
			Meaning: "The project does not say where that secret comes from.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1\"\n  become { password = secret.sudo }\n}\n",
			Right:   "secret \"sudo\" { env = \"CONTINUO_SUDO\" }\n\nhost \"db\" {\n  address = \"10.0.0.1\"\n  become { password = secret.sudo }\n}\n",
		},
		{
			Code: "CON-R008", Title: "unknown runbook",
			Meaning: "The project has no such runbook.",
			Wrong:   "runbook \"example\" {\n  failback = runbook.back\n  phase \"work\" {\n    wait \"moment\" { duration = \"1s\" }\n  }\n}\n",
			Right:   "runbook \"example\" {\n  failback = runbook.back\n  phase \"work\" {\n    wait \"moment\" { duration = \"1s\" }\n  }\n}\n\nrunbook \"back\" {\n  phase \"work\" {\n    wait \"moment\" { duration = \"1s\" }\n  }\n}\n",
		},
		{
			Code: "CON-R010", Title: "a reference is expected",
			Meaning: "It is written KIND.NAME without quotes, so that a wrong name is found.",
			Wrong:   inRunbook("wait \"a\" { duration = \"1s\" }\nwait \"b\" {\n  duration = \"1s\"\n  after    = [\"a\"]\n}\n"),
			Right:   inRunbook("wait \"a\" { duration = \"1s\" }\nwait \"b\" {\n  duration = \"1s\"\n  after    = [wait.a]\n}\n"),
		},
		{
			Code: "CON-R012", Title: "unknown item",
			Meaning: "The runbook has no item of that kind and name. Items of other runbooks cannot be referred to.",
			Wrong:   inRunbook("wait \"pause\" { duration = \"1s\" }\nwait \"again\" {\n  duration = \"1s\"\n  after    = [wait.pasue]\n}\n"),
			Right:   inRunbook("wait \"pause\" { duration = \"1s\" }\nwait \"again\" {\n  duration = \"1s\"\n  after    = [wait.pause]\n}\n"),
		},
		{
			Code: "CON-R018", Title: "nothing sets the mark",
			Meaning: "An objective is measured between marks. A mark is set by the items that list it in marks or marks_start, computed by a mark block, or given with --at where a mark block declares it. This one could never be.",
			Wrong:   objectiveDoc("declared", ""), Right: objectiveDoc("declared", "  mark \"declared\" {}\n"),
		},
		{
			Code: "CON-R019", Title: "a name that has no meaning here",
			Meaning: "self is known where a command runs on a host, result in capture and expect, results in expect_all, each with for_each, batch in a phase with rollout. The inventory, defaults and validations are the same in every run and can use neither variables nor results.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"test\", result.stdout]\n}\n"),
			Right:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"hostname\"]\n  expect { condition = result.stdout != \"\" }\n}\n"),
		},
	}
}

func objectiveDoc(from, mark string) string {
	return "runbook \"example\" {\n" + mark + "  objective \"rto\" {\n    target = \"15m\"\n    from   = \"" + from + "\"\n    to     = \"verified\"\n  }\n  phase \"work\" {\n    manual \"smoke\" {\n      instructions = \"Pay one penny.\"\n      marks        = [\"verified\"]\n    }\n  }\n}\n"
}

func docsOrder() []diag.Doc {
	later := func(first, second string) string {
		return "runbook \"example\" {\n  phase \"one\" {\n" + indent(first) + "  }\n  phase \"two\" {\n" + indent(second) + "  }\n}\n"
	}
	a := "wait \"a\" { duration = \"1s\" }\n"
	return []diag.Doc{
		{
			Code: "CON-R013", Title: "a reference to a later phase",
			Meaning: "Phases run one after another: what a later one finds is not known yet. A phase's own when is evaluated before its items.",
			Wrong:   later("wait \"b\" {\n  duration = \"1s\"\n  when     = wait.a.ok\n}\n", a), Right: later(a, "wait \"b\" {\n  duration = \"1s\"\n  when     = wait.a.ok\n}\n"),
		},
		{
			Code: "CON-R014", Title: "a reference to cleanup",
			Meaning: "Cleanup runs after everything else, so nothing outside it can use what it finds.",
			Wrong:   "runbook \"example\" {\n  phase \"work\" {\n    assert \"free\" { condition = step.unlock.ok }\n  }\n  cleanup {\n    step \"unlock\" {\n      hosts = control\n      argv  = [\"true\"]\n    }\n  }\n}\n",
			Right:   "runbook \"example\" {\n  phase \"work\" {\n    wait \"a\" { duration = \"1s\" }\n  }\n  cleanup {\n    step \"unlock\" {\n      hosts = control\n      argv  = [\"true\"]\n      when  = wait.a.ok\n    }\n  }\n}\n",
		},
		{
			Code: "CON-R015", Title: "an item refers to itself",
			Meaning: "Its own result is not there before it has run. In capture and expect it is called result. Only its rollback can refer to it by name.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"hostname\"]\n  expect { condition = check.up.stdout != \"\" }\n}\n"),
			Right:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"hostname\"]\n  expect { condition = result.stdout != \"\" }\n}\n"),
		},
		{
			Code: "CON-R016", Title: "items wait for each other",
			Meaning: "The message names every item of the circle, and the places say why each waits for the next: by after, by a reference, or because it is written after it.",
			Wrong:   inRunbook("assert \"first\" { condition = check.up.ok }\ncheck \"up\" {\n  hosts = control\n  argv  = [\"true\"]\n}\n"),
			Right:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"true\"]\n}\nassert \"first\" { condition = check.up.ok }\n"),
		},
		{
			Code: "CON-R020", Title: "a host is reached through itself",
			Meaning: "The chain of jump hosts must end at a host that is reached directly.",
			Wrong:   "host \"a\" {\n  address = \"10.0.0.1\"\n  connection { via = host.b }\n}\n\nhost \"b\" {\n  address = \"10.0.0.2\"\n  connection { via = host.a }\n}\n",
			Right:   "host \"a\" {\n  address = \"10.0.0.1\"\n  connection { via = host.b }\n}\n\nhost \"b\" {\n  address = \"10.0.0.2\"\n}\n",
		},
		{
			Code: "CON-R021", Title: "locals or groups need each other",
			Meaning: "Each can only be computed when the other is known.",
			Wrong:   "locals {\n  a = local.b + 1\n  b = local.a + 1\n}\n", Right: "locals {\n  a = local.b + 1\n  b = 1\n}\n",
		},
		{
			Code: "CON-R022", Title: "runbooks call each other",
			Meaning: "The run would never end. A failback is named by failback, which runs nothing.",
			Wrong:   "runbook \"a\" {\n  phase \"work\" {\n    call \"b\" { runbook = runbook.b }\n  }\n}\n\nrunbook \"b\" {\n  phase \"work\" {\n    call \"a\" { runbook = runbook.a }\n  }\n}\n",
			Right:   "runbook \"a\" {\n  phase \"work\" {\n    call \"b\" { runbook = runbook.b }\n  }\n}\n\nrunbook \"b\" {\n  phase \"work\" {\n    wait \"a\" { duration = \"1s\" }\n  }\n}\n",
		},
		{
			Code: "CON-R023", Title: "a rollout inside a rollout",
			Meaning: "All items of a phase with rollout run for each batch, its calls too. A called runbook with such a phase of its own would divide a batch into batches, and nobody could say any more which batch failed.",
			Wrong:   nestedRollout("  phase \"web\" {\n    hosts = host.a\n    rollout { batch = 1 }\n    call \"b\" { runbook = runbook.b }\n  }\n"),
			Right:   nestedRollout("  phase \"web\" {\n    call \"b\" { runbook = runbook.b }\n  }\n"),
		},
	}
}

// nestedRollout is a project whose runbook b rolls out, with a phase of runbook a.
func nestedRollout(phase string) string {
	return "host \"a\" { address = \"10.0.0.1\" }\n\nrunbook \"a\" {\n" + phase + "}\n\nrunbook \"b\" {\n  phase \"work\" {\n    hosts = host.a\n    rollout { batch = 1 }\n    check \"up\" { argv = [\"true\"] }\n  }\n}\n"
}
