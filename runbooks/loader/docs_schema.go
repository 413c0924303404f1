package loader

import "github.com/continuo-runbooks/continuo/runbooks/diag"

func docsSchema() []diag.Doc {
	return append(docsSyntax(), append(docsShape(), docsForms()...)...)
}

func docsSyntax() []diag.Doc {
	fine := "project \"payments\" {\n  environment = \"staging\"\n  timezone    = \"Europe/London\"\n}\n"
	return []diag.Doc{
		{
			Code: "CON-S001", Title: "the syntax is not understood",
			Meaning: "A file holds blocks, TYPE \"NAME\" { … }, and in them attributes, NAME = VALUE, each on a line of its own. Only the first such mistake of a file is shown: what follows it could be a consequence.",
			Wrong:   "project \"payments\" {\n  environment: \"staging\"\n}\n", Right: fine,
		},
		{
			Code: "CON-S002", Title: "a string is not closed",
			Meaning: "A string in quotes ends on its line. A text of many lines is written <<-EOT … EOT.",
			Wrong:   "project \"payments\" {\n  environment = \"staging\n}\n", Right: fine,
		},
		{
			Code: "CON-S003", Title: "several attributes in a block on one line",
			Meaning: "A block on one line holds one attribute. With more, each has a line of its own.",
			Wrong:   "project \"payments\" { environment = \"staging\", timezone = \"Europe/London\" }\n", Right: fine,
		},
		{
			Code: "CON-S004", Title: "an attribute is set twice",
			Meaning: "Of two values only one could hold, and nobody could say which was meant.",
			Wrong:   "project \"payments\" {\n  environment = \"staging\"\n  environment = \"lab\"\n}\n", Right: fine,
		},
		{
			Code: "CON-S005", Title: "${ or %{ of another language",
			Meaning: "In strings ${ begins an expression and %{ a directive of the runbook language. The shell and curl use the same signs: double the first one to mean them literally, or keep the script in a file and read it with file(), which changes nothing.",
			Wrong: inRunbook(`check "status" {
  hosts = control
  argv  = ["curl", "-sw", "%{http_code}", "https://app.example.org"]
}
`), Right: inRunbook(`check "status" {
  hosts = control
  argv  = ["curl", "-sw", "%%{http_code}", "https://app.example.org"]
}
`),
		},
	}
}

func docsShape() []diag.Doc {
	host := "host \"db\" {\n  address = \"10.0.0.1\"\n}\n"
	check := inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"true\"]\n}\n")
	return []diag.Doc{
		{
			Code: "CON-S010", Title: "unknown block",
			Meaning: "The language has no such block here. Nothing is ever ignored.",
			Wrong:   "server \"db\" {\n  address = \"10.0.0.1\"\n}\n", Right: host,
		},
		{
			Code: "CON-S011", Title: "unknown attribute",
			Meaning: "The block has no such attribute. Nothing is ever ignored.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1\"\n  sight   = \"b\"\n}\n", Right: "host \"db\" {\n  address = \"10.0.0.1\"\n  site    = \"b\"\n}\n",
		},
		{
			Code: "CON-S012", Title: "a block where an attribute belongs",
			Meaning: "It is written NAME = VALUE, also when the value is a map.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1\"\n  labels {\n    tier = \"db\"\n  }\n}\n", Right: "host \"db\" {\n  address = \"10.0.0.1\"\n  labels  = { tier = \"db\" }\n}\n",
		},
		{
			Code: "CON-S013", Title: "an attribute where a block belongs",
			Meaning: "It is written NAME { … }, without an equals sign.",
			Wrong:   "host \"db\" {\n  address    = \"10.0.0.1\"\n  connection = { user = \"recovery\" }\n}\n", Right: "host \"db\" {\n  address = \"10.0.0.1\"\n  connection { user = \"recovery\" }\n}\n",
		},
		{
			Code: "CON-S014", Title: "something is missing",
			Meaning: "The block cannot mean anything without it.",
			Wrong:   "host \"db\" {\n  site = \"b\"\n}\n", Right: host,
		},
		{
			Code: "CON-S015", Title: "nothing in it",
			Meaning: "A runbook, phase or cleanup without items does nothing, and would pass.",
			Wrong:   "runbook \"example\" {\n  phase \"work\" {\n  }\n}\n", Right: check,
		},
		{
			Code: "CON-S016", Title: "a block without its name",
			Meaning: "The block needs a name in quotes after its type, so that others can refer to it.",
			Wrong:   "host {\n  address = \"10.0.0.1\"\n}\n", Right: host,
		},
		{
			Code: "CON-S017", Title: "a name too many",
			Meaning: "The block takes fewer names.",
			Wrong:   "host \"db\" \"b\" {\n  address = \"10.0.0.1\"\n}\n", Right: host,
		},
		{
			Code: "CON-S018", Title: "a name without quotes",
			Meaning: "Names after a block's type stand in quotes: one way to write it, so that searching finds it.",
			Wrong:   "host db {\n  address = \"10.0.0.1\"\n}\n", Right: host,
		},
		{
			Code: "CON-S019", Title: "a block that can stand once only",
			Meaning: "Of two such blocks only one could hold.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1\"\n  connection { user = \"a\" }\n  connection { port = 2222 }\n}\n", Right: "host \"db\" {\n  address = \"10.0.0.1\"\n  connection {\n    user = \"a\"\n    port = 2222\n  }\n}\n",
		},
		{
			Code: "CON-S020", Title: "not a name",
			Meaning: "What can be referred to has a name of lower-case letters, digits, - and _, beginning with a letter. Host names may be any DNS name. Phases and tests bear one line of free text.",
			Wrong:   "role \"Database Admins\" { members = [\"alice@example.org\"] }\n", Right: "role \"database-admins\" { members = [\"alice@example.org\"] }\n",
		},
	}
}

func docsForms() []diag.Doc {
	return []diag.Doc{
		{
			Code: "CON-S021", Title: "it must be a constant",
			Meaning: "What shapes the plan (timeouts, names, batches, marks) is known before anything runs, so that the plan can show it and is the same in every run.",
			Wrong:   "runbook \"example\" {\n  variable \"patience\" { default = \"1m\" }\n  phase \"work\" {\n    check \"up\" {\n      hosts   = control\n      argv    = [\"true\"]\n      timeout = var.patience\n    }\n  }\n}\n",
			Right:   inRunbook("check \"up\" {\n  hosts   = control\n  argv    = [\"true\"]\n  timeout = \"1m\"\n}\n"),
		},
		{
			Code: "CON-S022", Title: "a value of the wrong type",
			Meaning: "Texts stand in quotes, numbers and true and false do not, lists stand in brackets.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1\"\n  connection { plain = \"yes\" }\n}\n", Right: "host \"db\" {\n  address = \"10.0.0.1\"\n  connection { plain = true }\n}\n",
		},
		{
			Code: "CON-S023", Title: "a word that has no meaning here",
			Meaning: "The attribute takes one of a few words.",
			Wrong:   "project \"payments\" {\n  environment = \"prod\"\n}\n", Right: "project \"payments\" {\n  environment = \"production\"\n}\n",
		},
		{
			Code: "CON-S024", Title: "not a duration or date",
			Meaning: "A duration is a number with a unit, in quotes: \"90s\", \"15m\", \"2h30m\", \"500ms\". A date is \"2027-03-31\".",
			Wrong:   inRunbook("check \"up\" {\n  hosts   = control\n  argv    = [\"true\"]\n  timeout = 30\n}\n"), Right: inRunbook("check \"up\" {\n  hosts   = control\n  argv    = [\"true\"]\n  timeout = \"30s\"\n}\n"),
		},
		{
			Code: "CON-S025", Title: "not a number of hosts",
			Meaning: "Batches and bounds are a count, a percentage of all hosts in quotes, or a list of them: 1, \"25%\", [1, 5, \"25%\"].",
			Wrong:   rolloutDoc(`"a few"`), Right: rolloutDoc(`[1, 5, "25%"]`),
		},
		{
			Code: "CON-S026", Title: "out of bounds",
			Meaning: "The value has a meaning within bounds only; the message names them.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1\"\n  port    = 70000\n}\n", Right: "host \"db\" {\n  address = \"10.0.0.1\"\n  port    = 2222\n}\n",
		},
		{
			Code: "CON-S027", Title: "exactly one of several",
			Meaning: "The attributes exclude each other, and one of them is needed: argv or script, one source of a secret, one bound of an objective.",
			Wrong:   inRunbook("step \"stop\" {\n  hosts  = control\n  argv   = [\"systemctl\", \"stop\", \"app\"]\n  script = \"systemctl stop app\"\n}\n"),
			Right:   inRunbook("step \"stop\" {\n  hosts = control\n  argv  = [\"systemctl\", \"stop\", \"app\"]\n}\n"),
		},
		{
			Code: "CON-S028", Title: "things that do not go together",
			Meaning: "Each of the two has a meaning, and together they have none.",
			Wrong:   inRunbook("check \"port\" {\n  hosts = control\n  tcp { address = \"10.0.0.1:5432\" }\n}\n"), Right: inRunbook("check \"port\" {\n  tcp { address = \"10.0.0.1:5432\" }\n}\n"),
		},
		{
			Code: "CON-S029", Title: "not a name of an environment variable or header",
			Meaning: "Names of environment variables are letters, digits and _, not beginning with a digit.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"true\"]\n  env   = { \"PG PORT\" = \"5432\" }\n}\n"), Right: inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"true\"]\n  env   = { PGPORT = \"5432\" }\n}\n"),
		},
		{
			Code: "CON-S030", Title: "not an address, user or path",
			Meaning: "Addresses are DNS names or IP addresses, with a port only where host:port is asked for. No user, address or path may be taken for an option, so none begins with -.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1:22\"\n}\n", Right: "host \"db\" {\n  address = \"10.0.0.1\"\n  port    = 22\n}\n",
		},
		{
			Code: "CON-S031", Title: "not an interpreter",
			Meaning: "The interpreter is a list: the program, then its arguments, each an element of its own.",
			Wrong:   inRunbook("check \"up\" {\n  hosts       = control\n  script      = \"true\"\n  interpreter = [\"/bin/bash -eu\"]\n}\n"), Right: inRunbook("check \"up\" {\n  hosts       = control\n  script      = \"true\"\n  interpreter = [\"/bin/bash\", \"-eu\"]\n}\n"),
		},
		{
			Code: "CON-S032", Title: "a NUL byte",
			Meaning: "Neither a command nor a file name nor an environment variable can hold one.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"echo\", \"a\\u0000b\"]\n}\n"), Right: inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"printf\", \"a\\\\0b\"]\n}\n"),
		},
		{
			Code: "CON-S033", Title: "the script is not valid shell",
			Meaning: "The script was read with the grammar of its interpreter: POSIX for /bin/sh, Bash for bash. It would fail on every host, perhaps half-way.",
			Wrong:   inRunbook("check \"up\" {\n  hosts  = control\n  script = \"if true; then echo up\"\n}\n"), Right: inRunbook("check \"up\" {\n  hosts  = control\n  script = \"if true; then echo up; fi\"\n}\n"),
		},
		{
			Code: "CON-S034", Title: "not in cleanup",
			Meaning: "Cleanup always runs, never asks, and each of its items runs whatever happened to the others.",
			Wrong:   cleanupDoc("  on_failure = \"stop\"\n"), Right: cleanupDoc(""),
		},
		{
			Code: "CON-S040", Title: "declared twice",
			Meaning: "Names are unique per kind: a reference must mean one thing. Items are unique in their runbook, over all phases and cleanup.",
			Wrong:   "host \"db\" {\n  address = \"10.0.0.1\"\n}\n\nhost \"db\" {\n  address = \"10.0.0.2\"\n}\n", Right: "host \"db-a\" {\n  address = \"10.0.0.1\"\n}\n\nhost \"db-b\" {\n  address = \"10.0.0.2\"\n}\n",
		},
	}
}

func rolloutDoc(batch string) string {
	return inRunbook("step \"restart\" {\n  hosts = control\n  argv  = [\"systemctl\", \"restart\", \"app\"]\n  rollout { batch = " + batch + " }\n}\n")
}

func cleanupDoc(line string) string {
	return "runbook \"example\" {\n  phase \"work\" {\n    check \"up\" {\n      hosts = control\n      argv  = [\"true\"]\n    }\n  }\n  cleanup {\n    step \"unlock\" {\n      hosts = control\n      argv  = [\"rm\", \"-f\", \"/run/failover.lock\"]\n" +
		indent(line) + "    }\n  }\n}\n"
}
