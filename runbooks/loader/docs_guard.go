package loader

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

func docsGuard() []diag.Doc {
	fine := "locals {\n  greeting = \"hello\"\n}\n"
	return []diag.Doc{
		{
			Code: "CON-G001", Title: "the file is too large",
			Meaning: "Files have at most 1 MiB, all *.hcl files together 4 MiB, everything that a project reads 32 MiB, and a script of the shell 64 KiB. What is larger is no runbook, and reading it could exhaust the machine that is to recover yours.",
			Wrong:   "# " + strings.Repeat("a very long comment ", 60_000) + "\n", Right: fine,
		},
		{
			Code: "CON-G002", Title: "the inventory is too large",
			Meaning: "A project has at most 20,000 hosts, and 1,000,000 labels of hosts: 1,000 hosts with 1,000 different ones. Divide it by service or by site.",
			Wrong:   fleetDoc("split(\"\", \"" + strings.Repeat("a", 20_001) + "\")"),
			Right:   fleetDoc("[\"a\", \"b\", \"c\"]"),
		},
		{
			Code: "CON-G003", Title: "the file is not UTF-8",
			Meaning: "Files are UTF-8. Other encodings would show other characters than are executed.",
			Wrong:   "locals {\n  town = \"Z\xfcrich\"\n}\n", Right: "locals {\n  town = \"Zürich\"\n}\n",
		},
		{
			Code: "CON-G004", Title: "the file begins with a byte order mark",
			Meaning: "UTF-8 needs none, and a digest should not depend on an invisible character. Editors can save without it.",
			Wrong:   "\ufeff" + fine, Right: fine,
		},
		{
			Code: "CON-G005", Title: "a control or invisible character",
			Meaning: "Control characters, zero-width characters and those that change the direction of text let a file look other than it is executed. In a string they can be written as \\u…, where everyone sees them.",
			Wrong:   "locals {\n  path = \"/srv\u202e/atad\"\n}\n", Right: "locals {\n  path = \"/srv/data\"\n}\n",
		},
		{
			Code: "CON-G006", Title: "nested too deeply",
			Meaning: "Brackets, templates and blocks nest at most 64 deep. Deeper ones could exhaust the stack while the file is read.",
			Wrong:   "locals {\n  deep = " + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "\n}\n", Right: "locals {\n  flat = [[1, 2], [3, 4]]\n}\n",
		},
		{
			Code: "CON-G007", Title: "too many words in one file",
			Meaning: "A file has at most 200,000 tokens, all together 500,000. Divide it: all *.hcl files of the directory are read together. Data stands in a file of its own, read with csvdecode(file(…)).",
			Wrong:   "locals {\n  list = [" + strings.Repeat("1,", 101_000) + "]\n}\n", Right: fine,
		},
		{
			Code: "CON-G008", Title: "the number is too long",
			Meaning: "Numbers have at most 40 digits and an exponent of at most 308. Turning a longer one into text can take minutes. What is no quantity, such as a serial number, is a string.",
			Wrong:   "locals {\n  many = 1e400\n}\n", Right: "locals {\n  serial = \"12345678901234567890123456789012345678901234567890\"\n}\n",
		},
		{
			Code: "CON-G009", Title: "the expression is too long",
			Meaning: "An expression has at most 512 operators, 64 conditions and 8 unary operators in a row, outside nested brackets. Give parts of it names in locals.",
			Wrong:   "locals {\n  no = !!!!!!!!!!!!true\n}\n", Right: "locals {\n  no = !true\n}\n",
		},
		{
			Code: "CON-G010", Title: "more problems than are shown",
			Meaning: "The first 1,000 problems are reported. So many have one cause: a file that is no runbook, or a mistake in what many places use.",
			Wrong:   strings.Repeat("hots \"db\" {\n  address = \"10.0.0.1\"\n}\n", 1001), Right: "host \"db\" {\n  address = \"10.0.0.1\"\n}\n",
		},
		{
			Code: "CON-G011", Title: "calls come to too many items",
			Meaning: "A runbook has at most 100,000 items, those of the runbooks that it calls included, for each call anew. A chain of runbooks that call the next one twice doubles with each.",
			Wrong:   callsDoc(17), Right: callsDoc(3),
		},
	}
}

func docsProject() []diag.Doc {
	return []diag.Doc{
		{
			Code: "CON-P001", Title: "the project has no files",
			Meaning: "A project is a directory with *.hcl files directly in it. Perhaps the directory is another one: -C DIR names it.",
			Wrong:   "-- README.md --\nno runbook here\n", Right: "-- project.hcl --\nproject \"payments\" {}\n",
		},
		{
			Code: "CON-P002", Title: "the project wants another version of continuo",
			Meaning: "required_version holds comparisons, divided by commas: \">= 0.1\", \">= 1.2, < 2\". The running version must fulfil all of them.",
			Wrong:   "project \"payments\" {\n  required_version = \"newest\"\n}\n", Right: "project \"payments\" {\n  required_version = \">= 0.1\"\n}\n",
		},
		{
			Code: "CON-P003", Title: "unknown time zone",
			Meaning: "A time zone is an IANA name. Reports show UTC and this zone.",
			Wrong:   "project \"payments\" {\n  timezone = \"London\"\n}\n", Right: "project \"payments\" {\n  timezone = \"Europe/London\"\n}\n",
		},
		{
			Code: "CON-P004", Title: "the path leads outside the project",
			Meaning: "Everything that a run depends on lies in the project, so that the evidence can hold it. Paths are relative, without .., and symbolic links stay inside.",
			Wrong:   "project \"payments\" {\n  known_hosts = \"../known_hosts\"\n}\n", Right: "project \"payments\" {\n  known_hosts = \"known_hosts\"\n}\n",
		},
		{
			Code: "CON-P005", Title: "a file of the project is missing",
			Meaning: "The file is named here and cannot be read. Paths are relative to the project.",
			Wrong: inRunbook(`check "site" {
  http {
    url     = "https://app.example.org/health"
    ca_file = "ca.pem"
  }
}
`), Right: "-- ca.pem --\n-----BEGIN CERTIFICATE-----\n-- project.hcl --\n" + inRunbook(`check "site" {
  http {
    url     = "https://app.example.org/health"
    ca_file = "ca.pem"
  }
}
`),
		},
	}
}

func fleetDoc(data string) string {
	return "fleet \"web\" {\n  for_each = " + data + "\n  name     = \"web${each.key}\"\n  address  = \"10.0.0.1\"\n}\n"
}

// callsDoc is a chain of runbooks each of which calls the next one twice.
func callsDoc(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "runbook \"level-%d\" {\n  phase \"work\" {\n    call \"one\" { runbook = runbook.level-%d }\n    call \"two\" { runbook = runbook.level-%[2]d }\n  }\n}\n\n", i, i+1)
	}
	fmt.Fprintf(&b, "runbook \"level-%d\" {\n  phase \"work\" {\n    wait \"a\" { duration = \"1s\" }\n  }\n}\n", n)
	return b.String()
}
