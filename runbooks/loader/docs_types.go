package loader

import (
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

func docsTypes() []diag.Doc {
	return []diag.Doc{
		{
			Code: "CON-T001", Title: "a condition is neither true nor false",
			Meaning: "Conditions and when are true or false. A text or number is compared with something.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"hostname\"]\n  expect { condition = result.stdout }\n}\n"),
			Right:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"hostname\"]\n  expect { condition = result.stdout != \"\" }\n}\n"),
		},
		{
			Code: "CON-T002", Title: "not a text",
			Meaning: "A text is expected; numbers, true and false become one by themselves, lists and maps do not.",
			Wrong:   inRunbook("check \"up\" {\n  hosts  = control\n  argv   = [\"true\"]\n  become = [\"postgres\"]\n}\n"), Right: inRunbook("check \"up\" {\n  hosts  = control\n  argv   = [\"true\"]\n  become = \"postgres\"\n}\n"),
		},
		{
			Code: "CON-T003", Title: "not hosts",
			Meaning: "hosts takes a host, a list of hosts, or lists of lists: host.a, group.web, [host.a, group.web], control. A name in quotes is no host, so that a misspelt one is found.",
			Wrong:   docHost + inRunbook("check \"up\" {\n  hosts = \"db\"\n  argv  = [\"true\"]\n}\n"), Right: docHost + inRunbook("check \"up\" {\n  hosts = host.db\n  argv  = [\"true\"]\n}\n"),
		},
		{
			Code: "CON-T004", Title: "not a list of words",
			Meaning: "argv is the program and its arguments, each an element. No shell divides a line into words; where one is wanted there is script.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"systemctl status app\"]\n}\n"), Right: inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"systemctl\", \"status\", \"app\"]\n}\n"),
		},
		{
			Code: "CON-T005", Title: "names that are not known beforehand",
			Meaning: "The names of environment variables and headers are written out, so that the plan can show them. The values may be any expression.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"true\"]\n  env   = [\"A=1\"]\n}\n"), Right: inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"true\"]\n  env   = { A = \"1\" }\n}\n"),
		},
		{
			Code: "CON-T006", Title: "a secret where others would see it",
			Meaning: "Command lines show in lists of processes, and names, addresses and texts in records. Secrets go by env or stdin.",
			Wrong:   "secret \"token\" { env = \"TOKEN\" }\n\n" + inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"curl\", \"-H\", \"Authorization: ${secret.token}\", \"https://app.example.org\"]\n}\n"),
			Right:   "secret \"token\" { env = \"TOKEN\" }\n\n" + inRunbook("check \"up\" {\n  http {\n    url     = \"https://app.example.org\"\n    headers = { Authorization = secret.token }\n  }\n}\n"),
		},
		{
			Code: "CON-T007", Title: "a capture of another type",
			Meaning: "The value can never be of the declared type.",
			Wrong:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"hostname\"]\n  capture \"parts\" { value = split(\".\", result.stdout) }\n}\n"),
			Right:   inRunbook("check \"up\" {\n  hosts = control\n  argv  = [\"hostname\"]\n  capture \"parts\" {\n    value = split(\".\", result.stdout)\n    type  = list(string)\n  }\n}\n"),
		},
		{
			Code: "CON-T008", Title: "a default of another type",
			Meaning: "The default must be of the declared type. Without a type a variable is a text.",
			Wrong:   variableDoc("    type    = number\n    default = \"ten\"\n"), Right: variableDoc("    type    = number\n    default = 10\n"),
		},
		{
			Code: "CON-T009", Title: "a value of a type that cannot stand here",
			Meaning: "The message says what is expected and what the expression gives.",
			Wrong:   inRunbook("wait \"a\" { duration = [1, 2] }\n"), Right: inRunbook("wait \"a\" { duration = \"2s\" }\n"),
		},
		{
			Code: "CON-T010", Title: "a comparison with a word that it never is",
			Meaning: "The comparison could never be true, and what depends on it would never run. The choice of a decision is one of its options; an outcome is one of " + strings.Join(scope.Outcomes(), ", ") + ".",
			Wrong:   decisionDoc("replace"), Right: decisionDoc("rebuild"),
		},
	}
}

func decisionDoc(option string) string {
	return inRunbook("decision \"how\" {\n  question = \"Wait for the replica, or rebuild it?\"\n  options  = [\"wait\", \"rebuild\"]\n}\nwait \"a\" {\n  duration = \"1s\"\n  when     = decision.how.choice == \"" + option + "\"\n}\n")
}

func variableDoc(lines string) string {
	return "runbook \"example\" {\n  variable \"lag\" {\n" + lines + "  }\n  phase \"work\" {\n    assert \"small\" { condition = var.lag < 30 }\n  }\n}\n"
}

// docsVariables explain what is said when a runbook is planned or run.
func docsVariables() []diag.Doc {
	open := variableDoc("    type = number\n")
	right := "$ continuo plan example --var lag=3\n" + open
	return []diag.Doc{
		{Code: "CON-V001", Title: "a value for an unknown variable", Meaning: "The runbook declares no such variable. A value that nothing reads would be a mistake that nobody sees.", Wrong: "$ continuo plan example --var lag=3 --var log=3\n" + open, Right: right},
		{Code: "CON-V002", Title: "a value of the wrong type", Meaning: "What was given is not of the declared type.", Wrong: "$ continuo plan example --var lag=ten\n" + open, Right: right},
	}
}
