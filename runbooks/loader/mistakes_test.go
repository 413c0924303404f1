package loader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// What newcomers write, and the one message that must be enough to mend it: place, what is wrong, what to write.
func TestNewcomerMistakes(t *testing.T) {
	t.Parallel()
	item := func(body string) string {
		return "host \"db\" {\n  address = \"10.0.0.1\"\n}\nrunbook \"r\" {\n  variable \"lag\" {\n    type    = number\n    default = 1\n  }\n  phase \"p\" {\n    check \"replication\" {\n      hosts = host.db\n      argv  = [\"true\"]\n    }\n" + body + "\n  }\n}\n"
	}
	step := func(line string) string {
		return item("    step \"s\" {\n      hosts = host.db\n" + line + "\n    }")
	}
	tests := map[string]struct {
		src           string
		line          int
		code          string
		summary, hint string
		// wrong and right: what the hint says to write in the place of what, and then it is valid.
		wrong, right string
	}{
		"misspelt reference": {
			step("      argv  = [\"true\"]\n      after = [check.replicaton]"), 17, "CON-R012",
			`step "s" refers to an unknown check`, "did you mean check.replication (project.hcl:10:5)?",
			"check.replicaton", "check.replication",
		},
		"missing quote": {
			step(`      argv  = ["true]`), 16, "CON-S002", "the string is not closed on its line",
			"add the missing quote; a text of many lines is written <<-EOT … EOT",
			`["true]`, `["true"]`,
		},
		"braces of the shell": {
			step(`      script = "echo ${PATH:-x}"`), 16, "CON-S005", "${ begins an expression of the runbook language, and this is none",
			"for a variable of the shell write $${NAME}, or $NAME, or put the script in a file and use file()",
			"${PATH:-x}", "$${PATH:-x}",
		},
		"a variable of the shell": {
			step(`      script = "echo ${HOME}"`), 16, "CON-E002", "", "$${HOME}",
			"${HOME}", "$${HOME}",
		},
		"percent of curl": {
			step(`      argv = ["curl", "-w", "%{http_code}"]`), 16, "CON-S005", "%{ begins a template directive",
			"for a literal percent sign and brace, as in curl -w '%{http_code}', write %%{, or put the script in a file and use file()",
			"%{http_code}", "%%{http_code}",
		},
		"a text for a number": {
			step("      argv = [\"true\"]\n      max_items = \"3\"\n      for_each = [1]"), 17, "CON-S022", "max_items is a whole number, not string", "write max_items = 3",
			"max_items = \"3\"", "max_items = 3",
		},
		"a number for a duration": {
			step("      argv = [\"true\"]\n      timeout = 30"), 17, "CON-S024", "timeout is a duration, not 30",
			`write a number and a unit in quotes: "90s", "15m", "2h30m", "500ms"`,
			"timeout = 30", "timeout = \"90s\"",
		},
		"two attributes on one line": {
			item("    wait \"w\" { duration = \"1s\", title = \"x\" }"), 14, "CON-S003", "a block on one line holds one attribute only",
			"give each attribute a line of its own, without commas",
			"wait \"w\" { duration = \"1s\", title = \"x\" }", "wait \"w\" {\n      duration = \"1s\"\n      title    = \"x\"\n    }",
		},
		"a block where an attribute belongs": {
			step("      argv = [\"true\"]\n      env {\n        A = \"1\"\n      }"), 17, "CON-S012", "env is an attribute, not a block", `write env = { NAME = "…" }`,
			"env {\n        A = \"1\"\n      }", "env = { A = \"1\" }",
		},
		"an attribute where a block belongs": {
			step("      argv   = [\"true\"]\n      expect = result.exit_code == 0"), 17, "CON-S013", "expect is a block, not an attribute", "write expect {",
			"expect = result.exit_code == 0", "expect {\n        condition = result.exit_code == 0\n      }",
		},
		"a host by its name": {
			item("    step \"s\" {\n      hosts = \"db\"\n      argv  = [\"true\"]\n    }"), 15, "CON-T003", "a host or a list of hosts is expected here, not string", "write host.db, without quotes",
			"hosts = \"db\"", "hosts = host.db",
		},
		"a command line in one word": {
			step(`      argv = ["systemctl stop app"]`), 16, "CON-T004", `"systemctl stop app" is no program`,
			"each word of the command is an element of its own; there is no shell to divide it",
			"[\"systemctl stop app\"]", "[\"systemctl\", \"stop\", \"app\"]",
		},
		"a command line without brackets": {
			step(`      argv = "systemctl stop app"`), 16, "CON-T004", "argv is a list of words, not one text",
			`write argv = ["systemctl", "stop", "app"]; for a line of shell use script`,
			"\"systemctl stop app\"", "[\"systemctl\", \"stop\", \"app\"]",
		},
		"another tool's word": {
			step("      command = \"true\""), 16, "CON-S011", `step "s" has no attribute "command"`, "it is called argv here",
			"command = \"true\"", "argv = [\"true\"]",
		},
		"another tool's order": {
			step("      argv = [\"true\"]\n      depends_on = [check.replication]"), 17, "CON-S011", `step "s" has no attribute "depends_on"`, "it is called after here",
			"depends_on =", "after =",
		},
		"misspelt result": {
			item("    assert \"a\" {\n      condition = check.replication.exti_code == 0\n    }"), 15, "CON-E006", "", "did you mean exit_code?",
			"exti_code", "exit_code",
		},
		"a text compared with a number": {
			item("    assert \"a\" {\n      condition = check.replication.stdout == 0\n    }"), 15, "CON-E011", "", "",
			"check.replication.stdout == 0", "tonumber(check.replication.stdout) == 0",
		},
		"a minus without spaces": {
			item("    assert \"a\" {\n      condition = var.lag-1 > 0\n    }"), 15, "CON-R002", `there is no variable "lag-1"`, "for a subtraction put spaces around the minus: var.lag - 1",
			"var.lag-1", "var.lag - 1",
		},
		"a name with capitals and spaces": {
			item("    wait \"Wait a Bit\" {\n      duration = \"1s\"\n    }"), 14, "CON-S020", `"Wait a Bit" is not a name`, `write "wait-a-bit"`,
			"Wait a Bit", "wait-a-bit",
		},
		"a colon": {
			step("      argv: [\"true\"]"), 16, "CON-S001", "", "an attribute is set with =, not :",
			"argv:", "argv =",
		},
		"single quotes": {
			step("      argv = ['true']"), 16, "CON-S001", "", `strings stand in straight double quotes: "text"`,
			"'true'", "\"true\"",
		},
		"a reference in quotes": {
			step("      argv  = [\"true\"]\n      after = [\"check.replication\"]"), 17, "CON-R010", "after is a list of references", "write after = [check.NAME], without quotes",
			"[\"check.replication\"]", "[check.replication]",
		},
		"no hosts": {
			item("    step \"s\" {\n      argv = [\"true\"]\n    }"), 14, "CON-S014", `step "s" has no hosts`,
			"add hosts = host.NAME, or to its phase; hosts = control runs it on the control host",
			`argv = ["true"]`, "hosts = host.db\n      argv = [\"true\"]",
		},
		"a secret in a command": {
			"secret \"x\" { env = \"X\" }\n" + step(`      argv = ["login", secret.x]`), 17, "CON-T006", "a secret cannot stand here",
			"secrets go by env or stdin, where no list of processes and no record shows them",
			"argv = [\"login\", secret.x]", "argv = [\"login\"]\n      env = { TOKEN = secret.x }",
		},
	}
	require.GreaterOrEqual(t, len(tests), 20)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := load(t, tt.src, loader.Options{})
			require.Len(t, ds, 1, "one mistake, one message: %v", ds)
			d := ds[0]
			require.Equal(t, tt.code, d.Code, "%s / %s", d.Summary, d.Hint)
			require.Equal(t, tt.line, d.Range.Start.Line)
			require.NotEmpty(t, d.Hint+d.Detail, d.Summary)
			if tt.summary != "" {
				require.Equal(t, tt.summary, d.Summary)
			}
			require.Contains(t, d.Hint, tt.hint, d.Summary)
			require.Contains(t, tt.src, tt.wrong)
			at := strings.LastIndex(tt.src, tt.wrong)
			mended := tt.src[:at] + tt.right + tt.src[at+len(tt.wrong):]
			_, ds = load(t, mended, loader.Options{})
			require.Empty(t, ds, "mended as the hint says: %s", mended)
		})
	}
}
